"""A standard deviation that a few outliers do not move."""

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
