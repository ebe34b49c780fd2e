"""Where a schedule leaves those that were fitted: only what comes after is a prediction."""

from collections.abc import Iterable

import numpy as np

from losslaw.schedules import Schedule

# Two logs of one schedule differ by the digits they print; a millionth of the peak is below that
# of any log that can be used at all, and far below what a loss can feel.
SAME = 1e-6


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
