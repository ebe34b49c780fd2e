"""What would tell two runs apart that are not: a decay of one, decays of both, or seeds.

A decay of *one* tells more of the law, which answers for both: what the parameters leave of the
interval narrows, as `losslaw.advising` expects it of a run that it imagines. What the law errs by
between two unlike schedules, and the noise of two runs, stay.

Decays of *both* do not go through the law: they are the difference, measured. So no expected
interval of a prediction is asked there but a closed form: the noise of two runs, and what the law
errs from the decays that were made to the cooldown that is asked about,

    v = 2 noise^2 + (LENGTHS L ln k / K)^2

with the length of the decays ``k``, that of the cooldown ``K``, and the level of the loss ``L``.
"""

import math
from dataclasses import dataclass, replace

from losslaw.advising.candidate_runs import Candidate, spacing
from losslaw.annealing.cooldown import Cooldown
from losslaw.annealing.standing import FittedModel, Standing
from losslaw.fitting.final_loss import LENGTHS, Difference, FinalLoss, difference
from losslaw.numerics.interval import Level

# Shares of the cooldown that is asked about between which a decay may tell two runs apart.
SHORTEST = 0.05
# Those of them that are tried as decays of one run.
OF_ONE = (0.25, 0.5, 1.0)
# How many times as wide as the noise of two runs an interval is that decays would narrow.
WORTH = 1.5
# Seeds beyond which nobody trains.
MOST_SEEDS = 30


@dataclass(frozen=True, eq=False, kw_only=True)
class Undecided:
    """Two runs that are not told apart, or not yet known to be.

    Attributes:
        models: The runs that each was fitted with.
        runs: The two runs.
        worths: Their annealed losses.
        at: After which update the cooldown of each begins.
        cooldown: The cooldown that is asked about.
        level: Level of the intervals.
        noise: What two runs of one schedule differ by, a standard deviation of each, in nats.
        share: By what several seeds narrow that.
    """

    models: tuple[FittedModel, FittedModel]
    runs: tuple[Standing, Standing]
    worths: tuple[FinalLoss, FinalLoss]
    at: tuple[int, int]
    cooldown: Cooldown
    level: float
    noise: float
    share: float

    @property
    def found(self) -> Difference:
        """Their difference."""
        return difference(*self.worths, self.level, self.noise * self.share)

    def needs(self, *, wide: bool) -> str:
        """What would tell them apart if their difference is what it seems to be, in words.

        Args:
            wide: Whether an interval of one of them is too wide to be of use.
        """
        found, worths = self.found, self.worths
        whole = self.cooldown.length(max(self.at))
        if wide:
            return f"a decay over {whole:,} updates of both: the intervals are too wide"
        size, z = abs(found.loss), Level(self.level).quantile
        if one := self._decay_of_one():
            return one
        usable = (size / z) ** 2 - 2 * self.noise**2
        if usable > 0:
            reach = math.sqrt(usable) / (LENGTHS * max(worth.level for worth in worths))
            share = min(max(math.exp(-reach), SHORTEST), 1.0)
            return f"a decay over {max(math.ceil(share * whole), 1):,} updates of both"
        floor = z * math.sqrt(2) * self.noise
        if found.interval is not None and found.interval.half_width > WORTH * floor:
            return f"a decay over {whole:,} updates of both: tells {floor:.4f} and more apart"
        if size == 0:
            return "a difference: both are foretold the same loss"
        seeds = math.ceil(2 * (z * self.noise / size) ** 2)
        if seeds > MOST_SEEDS:
            return f"more than {MOST_SEEDS} seeds of each: runs of one schedule differ by more"
        return f"{seeds} seeds of each: runs of one schedule differ by as much"

    def _decay_of_one(self) -> str:
        """The shortest decay of one of the two after which the law would tell them apart."""
        model, sizes = self.models[0], {run.curve.model_size for run in self.runs}
        # Nearly always known parameters would not do, and nothing has to be imagined.
        if model is not self.models[1] or len(sizes) > 1 or not self._told_with(0.0):
            return ""
        expected = model.expected(sizes.pop())
        if expected is None:
            return ""
        ends = [worth.schedule for worth in self.worths]
        now = expected.variance_between(expected.now, *ends)
        for share in OF_ONE:
            for run, at in zip(self.runs, self.at, strict=True):
                length = max(round(share * self.cooldown.length(at)), 1)
                decay = replace(self.cooldown, over=length).of(run.curve, at)
                made = Candidate(schedule=decay, begins=at, trunk=run.label, words="", spec="")
                known = expected.after(made, spacing([run.curve]))
                after = expected.variance_between(known, *ends)
                if now > 0 and self._told_with(min(after / now, 1.0)):
                    return f"a decay over {length:,} updates of {run.label}"
        return ""

    def _told_with(self, left: float) -> bool:
        """Whether they were told apart with so much left of the parameters' variances.

        Assumption, as in `losslaw.advising`: a run narrows those of all laws as it narrows those
        of the heaviest.
        """
        one, other = (
            replace(
                worth,
                known=tuple(
                    known and replace(known, covariance=left * known.covariance)
                    for known in worth.known
                ),
            )
            for worth in self.worths
        )
        return difference(one, other, self.level, self.noise * self.share).told_apart
