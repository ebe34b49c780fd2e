"""Standard deviations and courses that a few outliers do not move."""

from bisect import bisect_left, insort

import numpy as np

from losslaw.numerics.arrays import FloatArray

# Standard deviation of a Gaussian over the median of its size.
NORMAL = 1.4826


def robust_sd(deviations: FloatArray) -> float:
    """Standard deviation of Gaussian deviations about 0, from the median of their size.

    (`scipy.stats.median_abs_deviation` takes its own centre, and half a second to import.)

    >>> robust_sd(np.array([-1.0, 0.5, 1.0, 1.0, 900.0]))
    1.4826
    """
    return NORMAL * float(np.median(np.abs(deviations)))


def white_noise(values: FloatArray) -> float:
    """What one value differs from the next by, as a standard deviation; 0 for fewer than five.

    From the median size of second differences, in which any trend cancels.

    >>> white_noise(np.arange(100.0) + np.tile([0.0, 0.3, -0.1, -0.2], 25)) < 0.5
    True
    """
    # Var(x[i-1] - 2 x[i] + x[i+1]) = 6 sd^2 for white noise.
    return robust_sd(np.diff(values, 2)) / float(np.sqrt(6.0)) if values.size > 4 else 0.0


def running_median(values: FloatArray, window: int) -> FloatArray:
    """The median of each ``window`` values that follow one another. Shape ``(n - window + 1,)``.

    A sorted list of the window, in which one value takes the place of another: some microseconds a
    value, where medians of all windows take time and memory in proportion to the window.

    Args:
        values: Shape ``(n,)``.
        window: From 1 to ``n``.

    >>> running_median(np.array([1.0, 9.0, 2.0, 3.0, 4.0]), 3).tolist()
    [2.0, 3.0, 3.0]
    """
    given = values.tolist()
    kept = sorted(given[:window])
    low, high = (window - 1) // 2, window // 2
    out = [kept[low] + kept[high]]
    for old, new in zip(given, given[window:], strict=False):
        del kept[bisect_left(kept, old)]
        insort(kept, new)
        out.append(kept[low] + kept[high])
    return np.array(out) / 2
