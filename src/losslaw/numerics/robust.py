"""Standard deviations that a few outliers do not move."""

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
