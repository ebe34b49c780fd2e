"""What some curves can tell of a law: how many peaks, decays, sizes and batches they show."""

from collections.abc import Sequence
from dataclasses import dataclass

from losslaw.curves import LossCurve
from losslaw.schedules.agreement import same_rate


@dataclass(frozen=True)
class Variety:
    """What the schedules of some curves show.

    Attributes:
        peaks: Peak learning rates that differ by more than 5 %.
        decays: Runs whose rate fell below .7 of its peak while losses were seen.
        sizes: Known model sizes.
        batches: Batch sizes that differ by more than 5 %, where all runs know theirs; else 0.
        weight_decay_known: Whether all runs say their weight decay.
        warmup_known: Whether all runs have a warm-up; what has none may not have logged it.
    """

    peaks: int
    decays: int
    sizes: int
    batches: int
    weight_decay_known: bool
    warmup_known: bool


def variety(curves: Sequence[LossCurve]) -> Variety:
    """What these curves can tell of a law."""
    peaks: list[float] = []
    batches: list[float] = []
    decays = 0
    for curve in curves:
        last = int(curve.steps[-1])
        _add(peaks, curve.peak_seen)
        if curve.schedule.batch is not None:
            _add(batches, float(curve.schedule.batch[:last].min()))
            _add(batches, float(curve.schedule.batch[:last].max()))
        decays += curve.schedule.decays(last)
    known = all(curve.schedule.weight_decay is not None for curve in curves)
    sizes = len({curve.model_size for curve in curves} - {None})
    every = all(curve.schedule.batch is not None for curve in curves)
    warm = all(curve.schedule.warmup > 0 for curve in curves)
    return Variety(len(peaks), decays, sizes, len(batches) if every else 0, known, warm)


def _add(values: list[float], value: float) -> None:
    """Keep a value that is none of those kept."""
    if not any(same_rate(value, other) for other in values):
        values.append(value)
