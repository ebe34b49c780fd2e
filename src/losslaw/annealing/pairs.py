"""Which of two runs is worth more, at an equal budget.

Two runs are compared at the last point that both have reached: of updates, of tokens (updates
times batch), or of compute (tokens times parameters). Runs of one schedule in one model whose names
differ in a seed are one configuration, and their spread is the noise of its comparisons; else that
noise is what two runs of one schedule usually differ by (`losslaw.fitting.mixture.FLOOR`).

Both are annealed from there. Where one is annealed already, the other is annealed *to* there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

import numpy as np

from losslaw.annealing.cooldown import Cooldown
from losslaw.annealing.models import noise_of_seeds
from losslaw.annealing.record import Pair, Verdict
from losslaw.annealing.standing import FittedModel, Standing
from losslaw.annealing.telling import Undecided
from losslaw.errors import InputError
from losslaw.fitting.final_loss import FinalLoss
from losslaw.fitting.mixture import FLOOR
from losslaw.fitting.rungs import Annealing
from losslaw.fitting.trust import useless
from losslaw.numerics.arrays import FloatArray

# What two runs have in common when they are compared.
Equal = Literal["updates", "tokens", "compute"]
# Share of its updates from which on a run decays all along, and has no cooldown of its own.
ALL_ALONG = 0.5
# Configurations up to which all pairs are compared, if nothing is said; beyond, the first with all.
ALL_PAIRS = 12
# The name of the run of the lowest annealed loss, where no run is called so.
BEST = "best"


@dataclass(frozen=True, eq=False, kw_only=True)
class Configuration:
    """A run, or several that differ in their seed.

    Attributes:
        name: Its name.
        model: The runs it was fitted with.
        seeds: Its runs.
    """

    name: str
    model: FittedModel
    seeds: tuple[Standing, ...]

    @property
    def first(self) -> Standing:
        """The run that stands for all."""
        return self.seeds[0]

    def last(self, ends: dict[str, int]) -> int:
        """The last update that is asked about of all seeds."""
        return min(ends[run.label] for run in self.seeds)


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """How two configurations are compared.

    Attributes:
        cooldown: What both are asked about.
        equal: At equal what.
        ends: After which update the cooldown of each run begins, where it is asked about alone.
        level: Level of the intervals.
        noise: What a run differs by from the mean of its seeds, relative to the loss; ``None``:
            not seen.
    """

    cooldown: Cooldown
    equal: Equal
    ends: dict[str, int]
    level: float
    noise: float | None

    def pairs(self, each: Sequence[Configuration], against: str | None) -> list[Pair]:
        """All pairs, or all with one: that of a name, or the best."""
        if against == BEST and not any(_is(one, BEST) for one in each):
            best = min(each, key=lambda one: min(self._worth(one, run) for run in one.seeds))
            return [self.pair(best, other) for other in each if other is not best]
        if against is not None:
            one = next(one for one in each if _is(one, against))
            return [self.pair(one, other) for other in each if other is not one]
        if len(each) > ALL_PAIRS:
            return [self.pair(each[0], other) for other in each[1:]]
        return [self.pair(one, other) for one, other in combinations(each, 2)]

    def _worth(self, one: Configuration, run: Standing) -> float:
        return one.model.worth(run, self.ends[run.label]).loss

    def pair(self, one: Configuration, other: Configuration) -> Pair:
        """Which of two is worth more."""
        at, cooldown, ended = self._at_one_end(one, other, self._budget(one, other))
        a = one.model.worth(one.first, at[0], cooldown)
        b = other.model.worth(other.first, at[1], cooldown)
        question = Undecided(
            models=(one.model, other.model),
            runs=(one.first, other.first),
            worths=(a, b),
            at=at,
            cooldown=cooldown,
            level=self.level,
            noise=self._noise(one, other, at),
            share=math.sqrt((1 / len(one.seeds) + 1 / len(other.seeds)) / 2),
        )
        found = question.found
        wide = any(_refused(each, self.level) for each in (a, b))
        verdict: Verdict = "not told apart"
        if found.told_apart and not wide:
            verdict = "a is better" if found.loss < 0 else "b is better"
        needs = question.needs(wide=wide) if verdict == "not told apart" else ""
        return Pair(
            a=one.name,
            b=other.name,
            at=at,
            equal=self._words(at),
            difference=found.loss,
            interval=found.interval,
            verdict=verdict,
            needs=needs,
            caution="; ".join(text for text in (ended, _caution(one, other, self.equal)) if text),
        )

    def _at_one_end(
        self, one: Configuration, other: Configuration, at: tuple[int, int]
    ) -> tuple[tuple[int, int], Cooldown, str]:
        """The updates ``at``, earlier for a run whose cooldown would go beyond what is equal.

        A run that is annealed already ends at the budget. So does then the cooldown of the other,
        which would have the updates of a cooldown more; and it is as long as that run's own, where
        that had one: a longer one would make the same run better.
        """
        pair = (one, other)
        done = [
            each.model.worth(each.first, end).schedule.horizon == end
            for each, end in zip(pair, at, strict=True)
        ]
        if done[0] == done[1]:
            return at, self.cooldown, ""
        i = done.index(False)
        run, ended, cooldown = pair[i].first.curve, pair[1 - i], self.cooldown
        had = Annealing.of(ended.first.curve.until(at[1 - i]))
        if 0 < had.share <= ALL_ALONG:
            cooldown = replace(cooldown, over=had.updates)
        begins = cooldown.begins(at[i])
        if begins < max(run.schedule.warmup + 1, int(run.steps[0])):
            return (
                at, self.cooldown, f"{ended.name} is annealed already, and has fewer updates in all"
            )  # fmt: skip
        said = f"{ended.name} is annealed already: the cooldown of {pair[i].name} ends there too"
        if cooldown is not self.cooldown:
            said += f", over as many updates ({had.updates:,})"
        return (at[0] if i else begins, begins if i else at[1]), cooldown, said

    def _noise(self, one: Configuration, other: Configuration, at: tuple[int, int]) -> float:
        """What two runs of one schedule differ by, a standard deviation of each, in nats.

        Of runs that are fitted apart also what their logs leave open of where each is now: few or
        noisy losses place the one worse than the other, an error that they do not share. Without
        it intervals between a public log of every update and every 1,000th of the same, 30
        cases, held 63 % of them at 90 %; with it 90 %.
        """
        each = list(zip((one, other), at, strict=True))
        level = max(of.model.worth(of.first, end).level for of, end in each)
        noise = (FLOOR if self.noise is None else self.noise) * level
        if one.model is other.model:
            return noise
        placed = [of.model.placed(of.first, end) ** 2 for of, end in each]
        return math.sqrt(noise**2 + sum(placed) / 2)

    def _budget(self, one: Configuration, other: Configuration) -> tuple[int, int]:
        """After which updates the cooldowns of both begin.

        Raises:
            InputError: the budgets of the two cannot be compared.
        """
        ends = one.last(self.ends), other.last(self.ends)
        if self.equal == "updates":
            return min(ends), min(ends)
        spent = [self._spent(each, end) for each, end in zip((one, other), ends, strict=True)]
        least = min(float(each[-1]) for each in spent)
        first, second = (
            min(int(np.searchsorted(each, least * (1 - 1e-9))) + 1, end)
            for each, end in zip(spent, ends, strict=True)
        )
        return first, second

    def _spent(self, one: Configuration, end: int) -> FloatArray:
        """Tokens or compute after each update up to ``end``, in units that all runs share."""
        batch = one.first.curve.schedule.batch
        if batch is None:
            raise InputError(
                f"at equal {self.equal}: the batch size of {one.first.label!r} is not known; give"
                " it with batch= or --batch"
            )
        spent = np.cumsum(np.asarray(batch[:end], dtype=np.float64))
        if self.equal == "tokens":
            return spent
        size = one.first.curve.model_size
        if size is None:
            raise InputError(
                f"at equal compute: the model size of {one.first.label!r} is not known; give it"
                " with model_size= or --model-size"
            )
        return spent * size

    def _words(self, at: tuple[int, int]) -> str:
        if at[0] == at[1]:
            return f"both from step {at[0]:,}"
        return f"at equal {self.equal}, from steps {at[0]:,} and {at[1]:,}"


def _is(one: Configuration, name: str) -> bool:
    return name in {one.name, *(run.label for run in one.seeds)}


def checked_equal(equal: str) -> None:
    """Check at equal what runs are to be compared.

    Raises:
        InputError: something else.
    """
    if equal not in get_args(Equal):
        expected = ", ".join(get_args(Equal))
        raise InputError(f"compared at equal {equal!r}: expected one of {expected}")


def seen_noise(each: Sequence[Configuration]) -> float | None:
    """What seeds differ by, relative to the loss; ``None`` where there are none."""
    groups = [[run.curve for run in one.seeds] for one in each if len(one.seeds) > 1]
    if not groups:
        return None
    level = float(np.median([run.final_loss for group in groups for run in group]))
    noise = noise_of_seeds(groups, FLOOR * level)
    return None if noise is None else noise / level


def _refused(worth: FinalLoss, level: float) -> bool:
    interval = worth.interval(level)
    return interval is None or useless(interval, worth.loss)


def _caution(one: Configuration, other: Configuration, equal: Equal) -> str:
    """What a comparison means where more differs than the schedule."""
    if one.model is other.model:
        return ""
    a, b = one.first.curve, other.first.curve
    words = ["fitted apart: losses compare only if data and tokenizer are the same"]
    if a.optimizer != b.optimizer:
        names = [curve.optimizer or "not known" for curve in (a, b)]
        words.append(f"the optimisers differ ({names[0]}, {names[1]})")
    if a.model_size != b.model_size and equal != "compute":
        words.append("the sizes differ, and so does the compute so far")
    first, second = (
        None if curve.schedule.batch is None else float(curve.schedule.batch.mean())
        for curve in (a, b)
    )
    if first != second and equal == "updates" and first is not None and second is not None:
        words.append("the batches differ, and so do the tokens so far")
    return "; ".join(words)
