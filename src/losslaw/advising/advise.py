"""Which run to make next: the cheapest one that would halve the interval of a final loss.

Optimal design, one run ahead: each candidate (`losslaw.advising.candidate_runs`) is imagined run
and logged as densely as the runs there are, and the interval of the target is worked out from what
would then be known (`losslaw.advising.expected_interval`), as that of any prediction.

Where several laws answer together, candidates are judged by the heaviest one, and the interval now
is that of all. Assumption: a run narrows the interval of all laws by the ratio by which it narrows
that of the heaviest. That it may also decide between laws, or for another one, is not counted, nor
what distance from the runs costs: in thirty trials intervals came out at .6 to 2.6 times the
expected ones, mostly at .8 to 1.6 times, and held the ends of all (validation/results/advice.md).
What the interval is made of is said as it is for the heaviest law, in shares of the whole.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from losslaw.advising.candidate_runs import (
    Candidate,
    candidates,
    checkpoint,
    named,
    spacing,
    trunks,
)
from losslaw.advising.expected_interval import ExpectedIntervals
from losslaw.advising.record import CAUSES, Advice, Cause, Option
from losslaw.curves import LossCurve, Runs
from losslaw.errors import InputError
from losslaw.fitting.cleaning import cleaned_runs
from losslaw.fitting.fit import fit
from losslaw.fitting.optimizer import all_by
from losslaw.fitting.prediction import Prediction
from losslaw.fitting.record import Fit
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law, Query, Recipe, variety
from losslaw.numerics.interval import Level
from losslaw.progress import Progress, silent
from losslaw.schedules import Schedule, ScheduleLike, schedules_of
from losslaw.schedules.agreement import same_rate

# An interval this close to what no run removes is at its floor.
AT_FLOOR = 1.25
# Where nothing is good enough, the cheapest run this close to the best one will do.
AS_GOOD = 1.05
# A run that leaves more than this share of an interval is not worth its updates.
LITTLE = 0.8

# Half-widths a cheaper option must be beaten by to be worth more updates, as a ratio.
NARROWER = 0.98


@dataclass(frozen=True, eq=False, kw_only=True)
class _Width:
    """Half-width of the interval of the target whose interval is widest.

    Attributes:
        half: The half-width, in nats; infinite where the interval has no end.
        target: Which target that is.
        parts: What it is made of; empty if it has no end.
    """

    half: float
    target: int
    parts: dict[Cause, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Question:
    """The final losses that are to be known better.

    Attributes:
        law: The law that candidates are judged by.
        queries: The targets, each asked at its last step.
        factors: Half-width of each target's interval over the standard deviation by this law.
    """

    law: Law
    queries: tuple[Query, ...]
    factors: tuple[float, ...]

    @classmethod
    def of(
        cls, law: Law, now: Uncertainty, predictions: Sequence[Prediction], level: float
    ) -> "_Question":
        """The question whose intervals now are those of these predictions."""
        queries = tuple(Query(each.schedule, each.steps) for each in predictions)
        factors: list[float] = []
        for query, prediction in zip(queries, predictions, strict=True):
            deviation = float(now.deviation(law, query)[-1])
            half, factor = math.inf, Level(level).quantile
            if prediction.interval is not None:
                half = prediction.interval.half_width
            both = math.isfinite(half) and math.isfinite(deviation)
            factors.append(half / deviation if both else factor)
        return cls(law=law, queries=queries, factors=tuple(factors))

    def half_widths(self, uncertainty: Uncertainty) -> list[float]:
        """Half-width of each target's interval."""
        return [
            factor * float(uncertainty.deviation(self.law, query)[-1])
            for query, factor in zip(self.queries, self.factors, strict=True)
        ]

    def width(self, uncertainty: Uncertainty) -> _Width:
        """How wide the widest interval is, and why."""
        halves = self.half_widths(uncertainty)
        target = int(np.argmax(halves))
        parts = self._parts(uncertainty, target)
        return _Width(half=halves[target], target=target, parts=parts)

    def _parts(self, uncertainty: Uncertainty, target: int) -> dict[Cause, float]:
        """What a half-width is made of: what is left as one cause after the other is removed."""
        alone = replace(self, queries=(self.queries[target],), factors=(self.factors[target],))
        square = alone.half_widths(uncertainty)[0] ** 2
        if not math.isfinite(square):
            return {}
        rest, parts = uncertainty, dict[Cause, float]()
        without: dict[Cause, Callable[[Uncertainty], Uncertainty]] = {
            "parameters": lambda each: replace(each, covariance=np.zeros_like(each.covariance)),
            "peak": lambda each: replace(each, peak_error=0.0),
            "reach": lambda each: replace(each, misfit=0.0),
            "law": lambda each: replace(each, tau=0.0),
        }
        for cause, removed in without.items():
            rest = removed(rest)
            left = alone.half_widths(rest)[0] ** 2
            parts[cause] = math.sqrt(max(square - left, 0.0))
            square = left
        return {**parts, "repeats": math.sqrt(square)}

    def floor(self, uncertainty: Uncertainty) -> float:
        """The half-width if all parameters were known and the targets were near the runs."""
        certain = replace(
            uncertainty,
            covariance=np.zeros_like(uncertainty.covariance),
            unknown=(),
            peak_error=0.0,
            misfit=0.0,
        )
        return max(self.half_widths(certain))


def advise(
    curves: Runs,
    target: ScheduleLike | Sequence[ScheduleLike],
    *,
    level: float = 0.9,
    shrink: float = 0.5,
    max_updates: int | None = None,
    skip: int | None = None,
    keep_all: bool = False,
    peaks: Sequence[float] | None = None,
    runs: Sequence[ScheduleLike] | None = None,
    law: str | type[Law] | Recipe = "auto",
    optimizer: str | None = None,
    model_size: float | None = None,
    checkpoints: bool = True,
    progress: Progress = silent,
) -> Advice:
    """The cheapest run that would shrink the interval of the final loss of a schedule.

    Args:
        curves: The runs there are, given as for `losslaw.fit`.
        target: Schedule, or its text, whose final loss is to be known better, or several: the
            widest counts.
        level: Share of runs the interval is meant to hold, in (0, 1).
        shrink: Wanted half-width, as a share of the one now, in (0, 1). Where the interval has no
            end now, twice its floor is wanted instead.
        max_updates: Most that a run may cost; ``None``: what the target itself would cost.
        skip: Leave out points before this step; ``None``: as in `losslaw.fit`.
        keep_all: Fit all points as they are; see `losslaw.fit`.
        peaks: Peaks of short runs to consider, beside those of the targets.
        runs: Consider these runs only; ``None``: decays off the runs there are, continuations, and
            short whole runs.
        law: As in `losslaw.fit`.
        optimizer: As in `losslaw.fit`.
        model_size: Which model the target is of, where curves of several sizes are given.
        checkpoints: Whether runs may begin at checkpoints of those there are.
        progress: Called with words as the work goes on.

    Raises:
        InputError: numbers out of range, curves that cannot be fitted, or no run cheap enough.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> law = ll.Effective(L0=2.0, A=0.5, N=40.0)
    >>> run = ll.constant(peak=1e-3, horizon=4000, warmup=100, weight_decay=0.1)
    >>> advice = ll.advise(
    ...     law.curve(run, range(20, 4001, 20)), ll.cosine(peak=1e-3, horizon=9000, warmup=100)
    ... )
    >>> advice.best.run, advice.best.half_width < advice.half_width
    ('effective', True)
    """
    fitted = all_by(curves, optimizer)
    targets = schedules_of(target)
    _check(targets, level, shrink, max_updates)
    progress("fitting")
    clean = cleaned_runs(fitted, skip, keep_all=keep_all)
    fitted = clean.curves
    result = fit(fitted, law, skip=clean.skip, keep_all=True)
    size = _size_of_target(result, model_size)
    targets = [result.completed(each).with_(spec=each.spec) for each in targets]
    expected = ExpectedIntervals.of(result, fitted, law, size)
    predictions = [result.predict(each, [each.horizon], level, size) for each in targets]
    question = _Question.of(expected.law, expected.now, predictions, level)
    now, floor = question.width(expected.now), question.floor(expected.now)
    goal = shrink * now.half if math.isfinite(now.half) else 2 * floor
    # A checkpoint of another model is of no use.
    mates = [run for run in fitted if size is None or run.model_size == size]
    widest = targets[now.target]
    cost = widest.horizon - (checkpoint(widest, mates)[0] if checkpoints else 0)
    every = spacing(mates)
    if runs:
        filled = [result.completed(run).with_(spec=run.spec) for run in schedules_of(runs)]
        considered = named(filled, mates, skip=result.skip, every=every)
    else:
        considered = candidates(mates, targets, skip=result.skip, every=every, peaks=peaks or ())
    limit = max_updates if max_updates is not None else math.inf if runs else cost
    options: list[Option] = []
    for i, each in enumerate(considered):
        if i % 10 == 0:
            progress(f"run {i + 1} of {len(considered)}")
        begins = each.begins if checkpoints else 0
        updates = each.schedule.horizon - begins
        if updates <= limit:
            after = question.width(expected.after(each, every))
            options.append(_option(each, begins, cost, after))
    if not options:
        raise _none_fits(considered, limit, checkpoints, cost)
    frontier = sorted(options, key=lambda each: each.price) if runs else _cheapest(options)
    best, reached = _best(frontier, goal, now.half, floor)
    ends = {(trunk.label, trunk.schedule.horizon) for trunk in trunks(mates)}
    sentences = [
        *_what_is_missing(fitted, result, targets),
        *_what_to_expect(expected.now, now.half, floor, frontier, best, reached, shrink),
        *map(str, clean.notes),
    ]
    return Advice(
        targets=tuple(targets),
        losses=tuple(each.final for each in predictions),
        level=level,
        half_width=now.half,
        goal=goal,
        parts=now.parts,
        floor=floor,
        cost=cost,
        options=tuple(frontier),
        best=best,
        from_last=_from_last(options, best, goal if reached else None, ends),
        reached=reached,
        sentences=tuple(sentences),
        law=result.law.name,
        trust=predictions[now.target].trust,
        unit=result.unit,
    )


def _check(
    targets: Sequence[Schedule], level: float, shrink: float, max_updates: int | None
) -> None:
    if not targets:
        raise InputError("no target: expected the schedule whose final loss is to be known better")
    if not 0 < shrink < 1:
        raise InputError(f"shrink is {shrink:g}, expected a share between 0 and 1, such as 0.5")
    if max_updates is not None and max_updates < 1:
        raise InputError(f"max_updates is {max_updates}, expected at least 1")
    Level(level)


def _option(candidate: Candidate, begins: int, cost: int, after: _Width) -> Option:
    updates = candidate.schedule.horizon - begins
    return Option(
        words=candidate.words,
        spec=candidate.spec,
        schedule=candidate.schedule,
        updates=updates,
        share=updates / cost,
        run=candidate.trunk,
        begins=begins,
        half_width=after.half,
        parts=after.parts,
    )


def _none_fits(
    considered: Sequence[Candidate], limit: float, checkpoints: bool, cost: int
) -> InputError:
    prices = [each.updates if checkpoints else each.schedule.horizon for each in considered]
    return InputError(
        f"no candidate run fits in {limit:,} updates; the cheapest needs"
        f" {min(prices, default=cost):,} (max_updates=, --max-updates)"
    )


def _size_of_target(result: Fit, model_size: float | None) -> float | None:
    if not result.sizes:
        return None
    if model_size is None:
        raise InputError(
            "the runs are of several model sizes: say which the target is of (model_size=,"
            " --target-size)"
        )
    sizes = sorted({curve.model_size for curve in result.curves if curve.model_size is not None})
    nearest = min(sizes, key=lambda size: abs(math.log(size / model_size)))
    if abs(nearest / model_size - 1) > 0.01:
        run = ", ".join(f"{size:.4g}" for size in sizes)
        raise InputError(f"no run is of a model of {model_size:.4g} parameters: expected {run}")
    return nearest


def _cheapest(options: Sequence[Option]) -> list[Option]:
    """The options that no cheaper one beats, cheapest first."""
    kept: list[Option] = []
    for option in sorted(options, key=lambda each: each.price):
        if not kept or option.half_width < NARROWER * kept[-1].half_width:
            kept.append(option)
    return kept


def _best(
    frontier: Sequence[Option], goal: float, half: float, floor: float
) -> tuple[Option | None, bool]:
    """The cheapest that reaches the goal, or the cheapest nearly as good as any, if any helps."""
    least = min(option.half_width for option in frontier)
    if half <= AT_FLOOR * floor or least > LITTLE * half:
        return None, False
    for option in frontier:
        if option.half_width <= goal:
            return option, True
    return next(each for each in frontier if each.half_width <= AS_GOOD * least), False


def _from_last(
    options: Sequence[Option],
    best: Option | None,
    goal: float | None,
    ends: set[tuple[str, int]],
) -> Option | None:
    """The cheapest from the last checkpoint of a run that does what the best one is for."""
    if best is None or not best.run or (best.run, best.begins) in ends:
        return None
    enough = goal if goal is not None else AS_GOOD * best.half_width
    able = [
        each for each in options if (each.run, each.begins) in ends and each.half_width <= enough
    ]
    return min(able, key=lambda each: each.price, default=None)


def _what_is_missing(
    curves: Sequence[LossCurve], result: Fit, targets: Sequence[Schedule]
) -> list[str]:
    """What the runs do not show at all."""
    sentences: list[str] = []
    if variety(curves).decays == 0:
        known = "N" in result.law.priors()
        rests = "rests on the prior alone" if known else "is not known at all"
        sentences.append(f"no run here decays: the decay term {rests}")
    peaks = sorted({curve.schedule.peak_lr for curve in curves})
    for peak in dict.fromkeys(target.peak_lr for target in targets):
        nearest = min(peaks, key=lambda other: abs(math.log(peak / other)))
        if not same_rate(peak, nearest):
            sentences.append(
                f"the target's peak {peak:.4g} was not run: the nearest is {nearest:.4g}"
            )
    return sentences


def _what_to_expect(
    now: Uncertainty,
    half: float,
    floor: float,
    frontier: Sequence[Option],
    best: Option | None,
    reached: bool,
    shrink: float,
) -> list[str]:
    """Why no run, or none that is good enough; and what the expected widths leave out."""
    sentences: list[str] = []
    if now.unknown:
        names = ", ".join(now.unknown)
        sentences.append(f"nothing yet shows {names}: the expected widths are rough, and too small")
    if best is None:
        least = min(option.half_width for option in frontier)
        sentences.append(
            f"no further run helps much: the interval is +-{half:.4f}, the best run would make it"
            f" +-{least:.4f}, and the law's own error and repeated runs leave +-{floor:.4f}"
        )
    elif not reached:
        share = "halves" if shrink == 0.5 else f"brings to {shrink:.0%}"
        causes = sorted(best.parts, key=lambda name: best.parts[name])
        cause = causes[-1] if causes else "parameters"
        sentences.append(
            f"no single run {share} the interval: the best makes it +-{best.half_width:.4f}, mostly"
            f" {CAUSES[cause]}"
        )
    return sentences
