"""Runs that could be made next: decays off the runs there are, continuations, short whole runs.

A decay or a continuation begins at a checkpoint of a run that exists, so only its own updates must
be computed. Branches leave the *trunk* of a run: its warm-up and what follows at the peak, as far
as losses were logged. Numbers of updates have two digits, as people choose them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule, constant, cosine, wsd
from losslaw.schedules.agreement import SAME, agreement
from losslaw.schedules.recognise import recognise, shortest_share
from losslaw.schedules.schedule import DECAYED

# Where a trunk is left, as shares of it; how long decays are, as shares of the steps before.
LEAVES = (0.25, 0.5, 0.75, 1.0)
LENGTHS = (0.02, 0.035, 0.06, 0.1, 0.15, 0.25, 0.4, 0.7)
# How much longer a trunk is made, and how long whole runs are, as shares of the target.
LONGER = (1.25, 1.6, 2.0, 3.0, 4.0, 6.0)
WHOLE = (0.03, 0.05, 0.08, 0.12, 0.17, 0.25, 0.35, 0.5, 0.7)
# A decay that is logged fewer times than this tells little.
LEAST_POINTS = 6
MOST_POINTS = 300


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate:
    """A run that could be made.

    Attributes:
        schedule: All its updates, those before the checkpoint included.
        begins: Step of the checkpoint it begins from; 0: from scratch.
        trunk: Label of the run of that checkpoint; empty: from scratch.
        words: What it is, in a few words.
        spec: The schedule as text.
    """

    schedule: Schedule
    begins: int
    trunk: str
    words: str
    spec: str

    @property
    def updates(self) -> int:
        """Updates that must be computed if the checkpoint was kept."""
        return self.schedule.horizon - self.begins

    def steps(self, skip: int, every: int) -> IntArray:
        """Where its losses would be, logged as densely as the runs there are."""
        horizon = self.schedule.horizon
        first = max(skip, 1)
        every = max(every, (horizon - first) // MOST_POINTS, 1)
        # Counted back from the end, which is always logged.
        return np.arange(horizon, first - 1, -every, dtype=np.int64)[::-1]


@dataclass(frozen=True, eq=False, kw_only=True)
class Trunk:
    """The warm-up of a run and what follows at the peak."""

    label: str
    schedule: Schedule


def trunks(curves: Sequence[LossCurve]) -> list[Trunk]:
    """The trunks of these runs; of runs that share one, the longest."""
    every: list[Trunk] = []
    for curve in curves:
        schedule = curve.schedule
        logged = schedule.lr[: int(curve.steps[-1])]
        at_peak = logged[schedule.warmup :] >= schedule.peak_lr * (1 - SAME)
        length = schedule.warmup + (
            at_peak.size if at_peak.all() else int(np.argmin(at_peak)) if at_peak.size else 0
        )
        if length >= max(2 * schedule.warmup, 2):
            every.append(Trunk(label=curve.label, schedule=schedule.prefix(length)))
    every.sort(key=lambda trunk: -trunk.schedule.horizon)
    kept: list[Trunk] = []
    for trunk in every:
        n = trunk.schedule.horizon
        if not any(agreement(trunk.schedule, other.schedule) == n for other in kept):
            kept.append(trunk)
    return kept


def spacing(curves: Sequence[LossCurve]) -> int:
    """Updates between losses as these runs usually log them."""
    gaps = [float(np.median(np.diff(curve.steps))) for curve in curves if len(curve) > 1]
    return max(round(float(np.median(gaps))), 1) if gaps else 1


def candidates(
    curves: Sequence[LossCurve],
    targets: Sequence[Schedule],
    *,
    skip: int,
    every: int,
    peaks: Sequence[float] = (),
) -> list[Candidate]:
    """Every run to consider, in no order.

    Args:
        curves: The runs there are.
        targets: Schedules whose final loss is to be known better.
        skip: First step that would be fitted.
        every: Updates between logged losses.
        peaks: Peaks of whole runs beside those of the targets.
    """
    options: list[Candidate] = []
    finals = sorted({final_share(target) for target in targets})
    for trunk in trunks(curves):
        options += _decays(trunk, finals, skip, every)
        options += _continuations(trunk, targets, finals)
    for target in targets:
        for peak in dict.fromkeys([target.peak_lr, *peaks]):
            options += _whole_runs(target, peak, skip, every)
    return [each for each in options if len(each.steps(skip, every)) > 1]


def named(
    runs: Sequence[Schedule], curves: Sequence[LossCurve], *, skip: int, every: int
) -> list[Candidate]:
    """Candidates that are given: each begins where it leaves the trunk of a run, if it has one.

    Raises:
        InputError: a run that ends before the first step that is fitted.
    """
    options: list[Candidate] = []
    for run in runs:
        begins, label = checkpoint(run, curves)
        words = recognised(run)
        words += f", from step {begins:,} of {label}" if begins else ", from scratch"
        each = Candidate(
            schedule=run, begins=begins, trunk=label, words=words, spec=recognised(run)
        )
        if len(each.steps(skip, every)) < 2:
            raise InputError(
                f"a run of {run.horizon:,} updates has hardly a loss to fit: the first {skip:,} are"
                " left out (skip)"
            )
        options.append(each)
    return options


def checkpoint(run: Schedule, curves: Sequence[LossCurve]) -> tuple[int, str]:
    """The last step that a run shares with the trunk of one of these, and which; else 0."""
    shared = [(agreement(run, trunk.schedule), trunk.label) for trunk in trunks(curves)]
    step, label = max(shared, key=lambda each: each[0], default=(0, ""))
    step = min(step, run.horizon - 1)
    # A warm-up and the slow beginning of a cosine need no checkpoint.
    return (step, label) if step >= max(1.5 * run.warmup, 0.02 * run.horizon) else (0, "")


def recognised(schedule: Schedule) -> str:
    """The text of a schedule, or that of the usual one it is, or its length and peak."""
    if schedule.spec is not None:
        return schedule.spec
    usual = recognise(schedule)
    if usual is not None and usual.complete:
        return usual.spec
    return f"{schedule.horizon:,} updates, peak {schedule.peak_lr:.4g}"


def final_share(target: Schedule) -> float:
    """Where decays end, as a share of the peak: with the target, or at 0 if it does not decay."""
    share = target.final_lr / target.peak_lr
    return float(f"{share:.2g}") if share < DECAYED else 0.0


def tidy(number: float) -> int:
    """A number of updates with two digits.

    >>> tidy(1234), tidy(87.4)
    (1200, 87)
    """
    if number < 1:
        return 1
    digits = max(math.floor(math.log10(number)) - 1, 0)
    return round(number / 10**digits) * 10**digits


def _decays(trunk: Trunk, finals: Sequence[float], skip: int, every: int) -> Iterator[Candidate]:
    horizon, warmup = trunk.schedule.horizon, trunk.schedule.warmup
    for share in LEAVES:
        # The end is where a checkpoint is likeliest: it stays as it is.
        start = horizon if share == 1 else tidy(share * horizon)
        # Soon after the first fitted loss no law is at its best.
        if not max(warmup, 2 * skip) <= start <= horizon:
            continue
        for part in LENGTHS:
            length = tidy(part * start)
            if length < LEAST_POINTS * every:
                continue
            for final in finals:
                for shape in ("linear", "1-sqrt"):
                    yield _branch(trunk, start, start, length, shape, final)


def _continuations(
    trunk: Trunk, targets: Sequence[Schedule], finals: Sequence[float]
) -> Iterator[Candidate]:
    start = trunk.schedule.horizon
    # Nothing is learnt from going further in intrinsic time than the targets do.
    most = max(float(target.intrinsic_time[-1]) for target in targets)
    further = most - float(trunk.schedule.intrinsic_time[-1])
    limit = start + further / trunk.schedule.peak_lr
    for factor in LONGER:
        until = tidy(factor * start)
        if not start < until <= 1.1 * limit:
            continue
        yield _branch(trunk, start, until, 0, "linear", 0.0)
        for final in finals:
            yield _branch(trunk, start, until, tidy(0.15 * until), "linear", final)


def _branch(
    trunk: Trunk, start: int, until: int, length: int, shape: str, final: float
) -> Candidate:
    """The trunk up to ``until``, then a decay, computed from ``start`` on."""
    run = trunk.schedule
    peak, warmup = run.peak_lr, run.warmup
    tail = np.full(until - start, peak)
    horizon = until + length
    words = f"hold until step {until:,}" if until > start else ""
    if length:
        made = wsd(
            peak=float(f"{peak:.6g}"),
            horizon=horizon,
            warmup=warmup,
            cooldown=shortest_share(length, horizon),
            decay=shape,
            final=_rounded(final * peak),
        )
        tail = np.concatenate([tail, made.lr[until:]])
        words += f"{', then ' if words else ''}{shape} decay over {length:,}"
    else:
        made = constant(peak=float(f"{peak:.6g}"), horizon=horizon, warmup=warmup)
    words += f" from step {start:,} of {trunk.label}"
    return Candidate(
        schedule=run.prefix(start).extended(tail),
        begins=start,
        trunk=trunk.label,
        words=words,
        spec=str(made.spec),
    )


def _whole_runs(target: Schedule, peak: float, skip: int, every: int) -> Iterator[Candidate]:
    # Rates that were read from a log have digits that nobody chose.
    peak = float(f"{peak:.6g}")
    final = _rounded(final_share(target) * peak)
    for share in WHOLE:
        horizon = tidy(share * target.horizon)
        if horizon < max(3 * target.warmup, 2 * skip, 4 * LEAST_POINTS * every):
            continue
        made = {
            f"linear decay over the last fifth, {horizon:,} in all": wsd(
                peak=peak, horizon=horizon, warmup=target.warmup, cooldown=0.2, final=final
            ),
            f"cosine over {horizon:,}": cosine(
                peak=peak, horizon=horizon, warmup=target.warmup, final=final
            ),
        }
        for words, run in made.items():
            filled = run.with_(batch=_first(target.batch), weight_decay=_first(target.weight_decay))
            text = f"{words}, from scratch, peak {peak:.4g}"
            yield Candidate(schedule=filled, begins=0, trunk="", words=text, spec=str(run.spec))


def _rounded(rate: float) -> float:
    return float(f"{rate:.3g}")


def _first(values: FloatArray | None) -> float | None:
    return None if values is None else float(values[0])
