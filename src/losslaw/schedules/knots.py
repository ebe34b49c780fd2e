"""Knots: the updates between which straight lines follow a curve closely enough.

A schedule of many thousand rates is a few numbers where it is straight and some hundreds where it
is curved. `knots` finds them by splitting pieces at their worst point until all are straight
enough (Douglas and Peucker), which is exact for schedules that are made of straight lines.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray, IntArray

# Share of the largest value below which an error is no longer measured against the value.
SMALL = 1e-2


def knots(values: FloatArray, tolerance: float = 2e-7, *, of_each: bool = False) -> IntArray:
    """Updates (1-based) between which straight lines follow ``values``.

    Args:
        values: One value an update, >= 0. Shape ``(n,)``.
        tolerance: Largest error allowed, as a share of the largest value.
        of_each: The error is a share of the value itself, so that small rates are as exact as
            large ones; below `SMALL` times the largest value it is a share of that.

    Returns:
        Shape ``(m,)``, increasing, from 1 to ``n``.

    >>> import numpy as np
    >>> knots(np.array([1.0, 1.0, 1.0, 0.5, 0.0])).tolist()
    [1, 3, 5]
    """
    kept = {0, values.size - 1}
    largest = float(values.max())
    allowed = np.full(values.size, tolerance * largest)
    if of_each:
        allowed = tolerance * np.maximum(values, SMALL * largest)
    pieces = [(0, values.size - 1)]
    while pieces:
        left, right = pieces.pop()
        if right - left < 2:
            continue
        line = np.linspace(float(values[left]), float(values[right]), right - left + 1)
        gap = np.abs(values[left : right + 1] - line) - allowed[left : right + 1]
        worst = int(np.argmax(gap))
        if gap[worst] > 0:
            middle = left + worst
            kept.add(middle)
            pieces += [(left, middle), (middle, right)]
    return np.array(sorted(kept), dtype=np.int64) + 1
