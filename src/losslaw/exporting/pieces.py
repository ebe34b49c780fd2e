"""The canonical object of every export: straight pieces through the rates that updates use.

``updates`` and ``factors`` are knots: the rate of update ``k`` is ``peak`` times the straight line
through them at ``k``, and the last factor for every update past the end. The error of the pieces
against the dense rates is measured on the numbers as they are written.
"""

from dataclasses import dataclass

import numpy as np

from losslaw.errors import InputError, expect_numbers
from losslaw.exporting.text import number, rounded
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule, knots
from losslaw.schedules.knots import SMALL

# Largest relative error of the pieces, unless another is asked for.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Pieces:
    """Straight pieces of a schedule.

    Attributes:
        peak: Largest rate; what the optimiser's own rate is set to.
        updates: Knots, from 1; at least two. Shape ``(m,)``.
        factors: Rates at the knots as shares of the peak. Shape ``(m,)``.
        error: Largest relative error over all updates (see `relative_error`).
    """

    peak: float
    updates: IntArray
    factors: FloatArray
    error: float

    def rates(self, horizon: int) -> FloatArray:
        """Rates of updates 1..horizon, those past the end included."""
        return self.peak * np.interp(np.arange(1, horizon + 1), self.updates, self.factors)


def pieces(schedule: Schedule, tolerance: float = TOLERANCE) -> Pieces:
    """Pieces that follow the rates of a schedule.

    Args:
        schedule: Any schedule.
        tolerance: Largest relative error of a rate, in [0, 0.1].

    Raises:
        InputError: a tolerance out of range.
    """
    expect_numbers(tolerance=tolerance)
    if not 0 <= tolerance <= 0.1:
        raise InputError(f"tolerance is {tolerance:g}, expected 0..0.1, a share of each rate")
    # What is left of the tolerance after the rounding of the factors.
    at = knots(schedule.lr, max(tolerance - 1e-9, 0.0), of_each=True)
    peak = float(number(schedule.peak_lr))
    factors = rounded(schedule.lr[at - 1] / peak)
    if at.size == 1:  # a schedule of one update: a straight line needs two ends
        at, factors = np.array([1, 2]), np.repeat(factors, 2)
    bare = Pieces(peak, at, factors, 0.0)
    error = relative_error(bare.rates(schedule.horizon), schedule.lr)
    return Pieces(peak, at, factors, error)


def relative_error(rates: FloatArray, wanted: FloatArray) -> float:
    """Largest error as a share of the rate itself, or of 1 % of the peak where that is larger.

    Both have shape ``(n,)``.
    """
    scale = np.maximum(wanted, SMALL * wanted.max())
    gap = rates - wanted
    gap /= scale
    return float(max(gap.max(), -gap.min()))


def runs(values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Where a value that changes in steps begins to hold (1-based), and the values.

    >>> import numpy as np
    >>> [each.tolist() for each in runs(np.array([8.0, 8.0, 16.0]))]
    [[1, 3], [8.0, 16.0]]
    """
    first = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1]).astype(np.int64)
    return first + 1, values[first]
