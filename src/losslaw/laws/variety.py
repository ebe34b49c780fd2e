"""What some curves can tell of a law: how many peaks, decays, sizes and batches they show."""

from collections.abc import Sequence
from dataclasses import dataclass

from losslaw.curves import LossCurve
from losslaw.schedules.agreement import same_rate

# Peaks further apart than this factor are a wide range: those that AdamW usually has at home are
# within 4 of one another.
WIDE = 5.0


@dataclass(frozen=True, kw_only=True)
class Variety:
    """What the schedules of some curves show.

    Attributes:
        peaks: Peak learning rates that differ by more than 5 %.
        decays: Runs whose rate fell below .7 of its peak while losses were seen.
        sizes: Known model sizes.
        batches: Batch sizes that differ by more than 5 %, where all runs know theirs; else 0.
        weight_decay_known: Whether all runs say their weight decay.
        warmup_known: Whether all runs have a warm-up; what has none may not have logged it.
        wide: Whether the peaks lie so far apart that a law of one clock cannot hold them all.
        decayed_peaks: Peaks of the runs whose rate fell.
    """

    peaks: int
    decays: int
    sizes: int
    batches: int
    weight_decay_known: bool
    warmup_known: bool
    wide: bool
    decayed_peaks: int


def variety(curves: Sequence[LossCurve]) -> Variety:
    """What these curves can tell of a law."""
    peaks: list[float] = []
    decayed: list[float] = []
    batches: list[float] = []
    decays = 0
    for curve in curves:
        last = int(curve.steps[-1])
        _add(peaks, curve.peak_seen)
        if curve.schedule.batch is not None:
            _add(batches, float(curve.schedule.batch[:last].min()))
            _add(batches, float(curve.schedule.batch[:last].max()))
        if curve.schedule.decays(last):
            decays += 1
            _add(decayed, curve.peak_seen)
    known = all(curve.schedule.weight_decay is not None for curve in curves)
    sizes = len({curve.model_size for curve in curves} - {None})
    every = all(curve.schedule.batch is not None for curve in curves)
    warm = all(curve.schedule.warmup > 0 for curve in curves)
    return Variety(
        peaks=len(peaks),
        decays=decays,
        sizes=sizes,
        batches=len(batches) if every else 0,
        weight_decay_known=known,
        warmup_known=warm,
        wide=far_apart(peaks),
        decayed_peaks=len(decayed),
    )


def far_apart(peaks: Sequence[float]) -> bool:
    """Whether these peak learning rates are a wide range."""
    return bool(peaks) and max(peaks) > WIDE * min(peaks)


def within(peaks: Sequence[float], ends: tuple[float, float]) -> bool:
    """Whether all peaks lie between two, up to rounding."""
    low, high = ends
    return all(low * (1 - 1e-6) <= peak <= high * (1 + 1e-6) for peak in peaks)


def _add(values: list[float], value: float) -> None:
    """Keep a value that is none of those kept."""
    if not any(same_rate(value, other) for other in values):
        values.append(value)
