"""Which run to make next: the cheapest one that would halve the interval of a final loss.

Optimal design, one run ahead: each candidate (`losslaw.advising.candidate_runs`) is imagined run
and logged as densely as the runs there are, and the interval of the target is worked out from what
would then be known (`losslaw.advising.expected_interval`), as that of any prediction.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from losslaw.advising.candidate_runs import candidates, checkpoint, named, trunks
from losslaw.advising.expected_interval import Knowledge
from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.fitting.fit import Fit, fit
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law, Query, Recipe, variety
from losslaw.schedules import Schedule
from losslaw.schedules.agreement import same_rate

# An interval this close to what no run removes is at its floor.
AT_FLOOR = 1.25
# Where nothing is good enough, the cheapest run this close to the best one will do.
AS_GOOD = 1.05
# A run that leaves more than this share of an interval is not worth its updates.
LITTLE = 0.8

CAUSES = {
    "parameters": "what the runs do not pin down of the law's parameters",
    "law": "the law's own error on schedules it has not seen",
    "repeats": "what repeated runs differ by, and the noise of the losses",
    "peak": "how far the target's peak is from any fitted one",
    "reach": "how much further in intrinsic time the target goes than any fitted loss",
}


@dataclass(frozen=True, eq=False)
class Option:
    """A run that could be made, and what it would do.

    Attributes:
        words: What it is.
        spec: Its schedule as text, which `losslaw.parse_schedule` reads.
        schedule: Its schedule, the steps before the checkpoint included.
        updates: Updates that must be computed, from its checkpoint or from scratch.
        share: Those, as a share of what the target itself would cost.
        run: Label of the run whose checkpoint it begins from; empty: from scratch.
        begins: Step of that checkpoint; 0: from scratch.
        half_width: Expected half-width of the target's interval, in nats; of several, the widest.
        parts: What that half-width would be made of, by the names in `CAUSES`; squares add up.
    """

    words: str
    spec: str
    schedule: Schedule
    updates: int
    share: float
    run: str
    begins: int
    half_width: float
    parts: dict[str, float]

    @property
    def sentence(self) -> str:
        """What to compute, and from where."""
        if not self.run:
            return f"{self.updates:,} updates from scratch"
        if self.begins == 0:
            return f"{self.updates:,} updates from scratch (no checkpoint of {self.run!r} is kept)"
        return (
            f"{self.updates:,} updates from the checkpoint at step {self.begins:,} of run"
            f" {self.run!r}, if you kept it; else {self.schedule.horizon:,} from scratch"
        )


@dataclass(frozen=True, eq=False)
class Advice:
    """Which run to make next.

    Attributes:
        targets: The schedules asked about.
        losses: Their predicted final losses, in nats per token.
        level: Share of runs the interval is meant to hold.
        half_width: Half-width of the interval now; of several targets, the widest.
        goal: What half-width was wanted.
        parts: What the half-width is made of now, by the names in `CAUSES`; empty if unbounded.
        floor: Half-width if all parameters were known.
        cost: Updates that the target itself would cost (of several, the widest), from a checkpoint
            if one helps.
        options: The cheapest run for each width, cheapest first.
        best: What to run; ``None`` if no run helps much.
        from_last: The cheapest that does as much from the last checkpoint of a run, if the best
            begins at an earlier one.
        reached: Whether the best run reaches the goal.
        sentences: What to know, most important first.
        law: Name of the law that the answer rests on.
    """

    targets: tuple[Schedule, ...]
    losses: tuple[float, ...]
    level: float
    half_width: float
    goal: float
    parts: dict[str, float]
    floor: float
    cost: int
    options: tuple[Option, ...]
    best: Option | None
    from_last: Option | None
    reached: bool
    sentences: tuple[str, ...]
    law: str

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "losses": self.losses,
            "level": self.level,
            "half_width": self.half_width,
            "goal": self.goal,
            "floor": self.floor,
            "parts": self.parts,
            "target_updates": self.cost,
            "reached": self.reached,
            "best": None if self.best is None else _record(self.best),
            "from_last": None if self.from_last is None else _record(self.from_last),
            "options": [_record(option) for option in self.options],
            "sentences": self.sentences,
            "law": self.law,
        }

    def __str__(self) -> str:
        from losslaw.advising.counsel import counsel

        return counsel(self)


def _record(option: Option) -> dict[str, object]:
    return {
        "run": option.words,
        "schedule": option.spec,
        "updates": option.updates,
        "share": option.share,
        "from_run": option.run or None,
        "from_step": option.begins,
        "half_width": option.half_width,
        "parts": option.parts,
    }


def advise(
    curves: LossCurve | Sequence[LossCurve],
    target: Schedule | Sequence[Schedule],
    *,
    level: float = 0.9,
    shrink: float = 0.5,
    max_updates: int | None = None,
    skip: int | None = None,
    peaks: Sequence[float] | None = None,
    runs: Sequence[Schedule] | None = None,
    law: str | type[Law] | Recipe = "auto",
    optimizer: str | None = None,
    model_size: float | None = None,
    checkpoints: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Advice:
    """The cheapest run that would shrink the interval of the final loss of a schedule.

    Args:
        curves: The runs there are.
        target: Schedule whose final loss is to be known better, or several: the widest counts.
        level: Share of runs the interval is meant to hold, in (0, 1).
        shrink: Wanted half-width, as a share of the one now, in (0, 1). Where the interval has no
            end now, twice its floor is wanted instead.
        max_updates: Most that a run may cost; ``None``: what the target itself would cost.
        skip: Leave out points before this step; ``None``: as in `losslaw.fit`.
        peaks: Peaks of short runs to think of, beside those of the targets.
        runs: Think of these runs only; ``None``: of decays off the runs there are, of
            continuations, and of short whole runs.
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
    known = [curves] if isinstance(curves, LossCurve) else list(curves)
    targets = [target] if isinstance(target, Schedule) else list(target)
    runs = runs or None
    if not targets:
        raise InputError("no target: expected the schedule whose final loss is to be known better")
    if not 0 < shrink < 1:
        raise InputError(f"shrink is {shrink:g}, expected a share between 0 and 1, such as 0.5")
    if max_updates is not None and max_updates < 1:
        raise InputError(f"max_updates is {max_updates}, expected at least 1")
    if not 0 < level < 1:
        raise InputError(f"level is {level:g}, expected a share between 0 and 1, such as 0.9")
    say = progress or _silent
    say("fitting")
    found = fit(known, law, skip=skip, optimizer=optimizer)
    size = _size_asked(found, model_size)
    targets = [_completed(found, each) for each in targets]
    knowledge = Knowledge.of(found, known, law, size)
    # A checkpoint of another model is of no use.
    mates = [run for run in known if size is None or run.model_size == size]
    now = knowledge.now
    losses = tuple(found.predict(each, [each.horizon], level, size).final for each in targets)
    factor = now.factor(level)
    asked = [Query(each, np.array([each.horizon])) for each in targets]

    def width(after: Uncertainty) -> tuple[float, int]:
        halves = [factor * float(after.deviation(knowledge.law, each)[0]) for each in asked]
        return max(halves), int(np.argmax(halves))

    half, widest = width(now)
    parts = _parts(now, knowledge.law, asked[widest], factor)
    cost = targets[widest].horizon - (checkpoint(targets[widest], mates)[0] if checkpoints else 0)
    floor = factor * max(float(_certain(now).deviation(knowledge.law, query)[0]) for query in asked)
    goal = shrink * half if math.isfinite(half) else 2 * floor
    limit = max_updates if max_updates is not None else (cost if runs is None else math.inf)
    every = _spacing(mates)
    if runs is None:
        thought_of = candidates(mates, targets, skip=found.skip, every=every, peaks=peaks or ())
    else:
        filled = [_completed(found, run) for run in runs]
        thought_of = named(filled, mates, skip=found.skip, every=every)
    options: list[Option] = []
    for i, each in enumerate(thought_of):
        if i % 10 == 0:
            say(f"run {i + 1} of {len(thought_of)}")
        updates = each.updates if checkpoints else each.schedule.horizon
        if updates > limit:
            continue
        after = knowledge.after(each, every)
        expected, at = width(after)
        begins = each.begins if checkpoints else 0
        options.append(
            Option(
                each.words,
                each.spec,
                each.schedule,
                updates,
                updates / cost,
                each.trunk,
                begins,
                expected,
                _parts(after, knowledge.law, asked[at], factor),
            )
        )
    if not options:
        least = min((each.updates for each in thought_of), default=cost)
        raise InputError(
            f"no run of at most {limit:,} updates is worth a thought: expected room for {least:,}"
            " or more (max_updates)"
        )
    frontier = _cheapest(options) if runs is None else sorted(options, key=_price)
    best, reached = _best(frontier, goal)
    least = min(option.half_width for option in frontier)
    if half <= AT_FLOOR * floor or least > LITTLE * half:
        best, reached = None, False
    ends = {(trunk.label, trunk.schedule.horizon) for trunk in trunks(mates)}
    sentences = [
        *_what_is_missing(known, found, targets),
        *_what_to_expect(now, half, floor, frontier, best, reached, shrink),
    ]
    return Advice(
        tuple(targets),
        losses,
        level,
        half,
        goal,
        parts,
        floor,
        cost,
        tuple(frontier),
        best,
        _from_last(options, best, goal if reached else None, ends),
        reached,
        tuple(sentences),
        found.law.name,
    )


def _silent(words: str) -> None:
    pass


def _spacing(curves: Sequence[LossCurve]) -> int:
    """Updates between losses as these runs usually log them."""
    gaps = [float(np.median(np.diff(curve.steps))) for curve in curves if len(curve) > 1]
    return max(round(float(np.median(gaps))), 1) if gaps else 1


def _size_asked(found: Fit, model_size: float | None) -> float | None:
    if not found.sizes:
        return None
    if model_size is None:
        raise InputError(
            "the runs are of several model sizes: say which the target is of (model_size=,"
            " --target-size)"
        )
    sizes = sorted({curve.model_size for curve in found.curves if curve.model_size is not None})
    nearest = min(sizes, key=lambda size: abs(math.log(size / model_size)))
    if abs(nearest / model_size - 1) > 0.01:
        known = ", ".join(f"{size:.4g}" for size in sizes)
        raise InputError(f"no run is of a model of {model_size:.4g} parameters: expected {known}")
    return nearest


def _completed(found: Fit, target: Schedule) -> Schedule:
    """The target with the weight decay and batch of the runs, where it leaves them open."""
    if target.weight_decay is None and found.usual_weight_decay is not None:
        target = target.with_(weight_decay=found.usual_weight_decay, spec=target.spec)
    if target.batch is None and found.usual_batch is not None:
        target = target.with_(batch=found.usual_batch, spec=target.spec)
    return target


def _certain(uncertainty: Uncertainty) -> Uncertainty:
    """The uncertainty if all parameters were known and the target were near the runs."""
    return replace(
        uncertainty,
        covariance=np.zeros_like(uncertainty.covariance),
        unknown=(),
        peak_error=0.0,
        misfit=0.0,
    )


def _parts(uncertainty: Uncertainty, law: Law, query: Query, factor: float) -> dict[str, float]:
    """What the half-width at a query's last step is made of; empty if it has no end."""

    def square(made: Uncertainty) -> float:
        return (factor * float(made.deviation(law, query)[-1])) ** 2

    whole = square(uncertainty)
    if not math.isfinite(whole):
        return {}
    out: dict[str, float] = {}
    rest = uncertainty
    changes: dict[str, dict[str, object]] = {
        "parameters": {"covariance": np.zeros_like(uncertainty.covariance)},
        "peak": {"peak_error": 0.0},
        "reach": {"misfit": 0.0},
        "law": {"tau": 0.0},
    }
    for name, change in changes.items():
        rest = replace(rest, **change)  # pyright: ignore[reportArgumentType]
        left = square(rest)
        out[name] = math.sqrt(max(whole - left, 0.0))
        whole = left
    out["repeats"] = math.sqrt(whole)
    return out


def _cheapest(options: Sequence[Option]) -> list[Option]:
    """The options that no cheaper one beats, cheapest first."""
    kept: list[Option] = []
    for option in sorted(options, key=_price):
        if not kept or option.half_width < 0.98 * kept[-1].half_width:
            kept.append(option)
    return kept


def _price(option: Option) -> tuple[int, float]:
    return option.updates, option.half_width


def _best(frontier: Sequence[Option], goal: float) -> tuple[Option, bool]:
    """The cheapest that reaches the goal, or the cheapest nearly as good as any."""
    for option in frontier:
        if option.half_width <= goal:
            return option, True
    least = min(option.half_width for option in frontier)
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
    return min(able, key=_price, default=None)


def _what_is_missing(
    curves: Sequence[LossCurve], found: Fit, targets: Sequence[Schedule]
) -> list[str]:
    """What the runs do not show at all."""
    sentences: list[str] = []
    if variety(curves).decays == 0:
        known = "N" in found.law.priors()
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
        cause = max(best.parts, key=lambda name: best.parts[name]) if best.parts else "parameters"
        sentences.append(
            f"no single run {share} the interval: the best makes it +-{best.half_width:.4f}, mostly"
            f" {CAUSES[cause]}"
        )
    return sentences
