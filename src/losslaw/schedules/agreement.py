"""Which rates and schedules are the same, and where one leaves those that were fitted.

Only what comes after that is a prediction.
"""

import math
from collections.abc import Iterable

import numpy as np

from losslaw.numerics.arrays import FloatArray
from losslaw.schedules.schedule import Schedule

# Two logs of one schedule differ by the digits they print; a millionth of the peak is below that
# of any log that can be used at all, and far below what a loss can feel.
SAME = 1e-6


def same_rate(one: float, other: float, within: float = 0.05) -> bool:
    """Whether two rates above 0 (or batch sizes) are one: their logarithms differ by less.

    >>> same_rate(1e-3, 1.04e-3), same_rate(1e-3, 1.04e-3, within=0.01)
    (True, False)
    """
    return abs(math.log(one / other)) < within


def outside_one_update(rates: FloatArray, other: FloatArray) -> FloatArray:
    """How far each rate lies outside those of another schedule within one update; <= 0 inside.

    Trainers and logs differ by one update in where a phase begins.

    Args:
        rates: Shape ``(n,)``.
        other: Of at least as many updates; its last rate goes on.

    >>> outside_one_update(np.array([1.0, 1.0, 0.3]), np.array([1.0, 0.5, 0.0])).tolist()
    [0.0, 0.0, -0.2]
    """
    padded = np.concatenate([other[:1], other, other[-1:]])
    before, same, after = (padded[i : i + rates.size] for i in range(3))
    above = rates - np.maximum(np.maximum(before, same), after)
    return np.maximum(above, np.minimum(np.minimum(before, same), after) - rates)


def agreement(one: Schedule, other: Schedule) -> int:
    """Number of first updates in which two schedules are the same.

    Learning rates to 1e-6 of the peak; batch and weight decay to 1e-6 of themselves, where both
    know them.

    >>> agreement(Schedule([1.0, 1.0, 1.0]), Schedule([1.0, 1.0, 0.5, 0.5]))
    2
    """
    n = min(one.horizon, other.horizon)
    peak = max(one.peak_lr, other.peak_lr)
    differ = np.abs(one.lr[:n] - other.lr[:n]) > SAME * peak
    for a, b in ((one.batch, other.batch), (one.weight_decay, other.weight_decay)):
        if a is not None and b is not None:
            differ |= np.abs(a[:n] - b[:n]) > SAME * np.maximum(a[:n], b[:n])
    return int(np.argmax(differ)) if differ.any() else n


def departure(asked: Schedule, fitted: Iterable[tuple[Schedule, int]]) -> int:
    """The last step at which ``asked`` still agrees with something that was fitted; 0: none.

    Args:
        asked: The schedule asked about.
        fitted: Schedules, each with the last step whose loss was fitted.

    >>> departure(Schedule([1.0, 1.0, 1.0]), [(Schedule([1.0, 1.0, 0.5]), 1)])
    1
    """
    return max((min(agreement(asked, schedule), last) for schedule, last in fitted), default=0)
