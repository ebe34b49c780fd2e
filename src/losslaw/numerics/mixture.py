"""Mixtures of distributions: the quantiles of what several laws say, each with its own error."""

import numpy as np
from scipy.special import ndtr

from losslaw.numerics.arrays import FloatArray

# Bisections of an interval of eight standard deviations: to 1e-12 of it.
BISECTIONS = 44
WIDE = 8.0


def normal_quantile(
    share: float, weights: FloatArray, centre: FloatArray, sd: FloatArray
) -> FloatArray:
    """Quantile of a mixture of normals, column by column.

    Args:
        share: In (0, 1).
        weights: Of the components, summing to 1. Shape ``(K,)``.
        centre: Means. Shape ``(K, m)``.
        sd: Standard deviations, finite. Shape ``(K, m)``.

    Returns:
        The quantile, lop-sided where components disagree. Shape ``(m,)``.

    >>> import numpy as np
    >>> centre, sd = np.array([[2.0], [2.0]]), np.array([[0.1], [0.1]])
    >>> normal_quantile(0.5, np.array([0.3, 0.7]), centre, sd).round(9).tolist()
    [2.0]
    """
    # A component without width is a step.
    sd = np.maximum(sd, np.finfo(np.float64).tiny)
    low: FloatArray = (centre - WIDE * sd).min(axis=0)
    high: FloatArray = (centre + WIDE * sd).max(axis=0)
    with np.errstate(over="ignore"):
        for _ in range(BISECTIONS):
            half: FloatArray = (low + high) / 2
            each: FloatArray = np.asarray(ndtr((half - centre) / sd))
            below = weights @ each < share
            low, high = np.where(below, half, low), np.where(below, high, half)
    return (low + high) / 2


def normal_ends(
    level: float, weights: FloatArray, centre: FloatArray, sd: FloatArray
) -> tuple[float, float]:
    """Ends between which a mixture of normals lies in so many cases, as much beyond each.

    Args:
        level: Share of cases, in (0, 1).
        weights: Of the components, summing to 1. Shape ``(K,)``.
        centre: Means. Shape ``(K,)``.
        sd: Standard deviations, finite. Shape ``(K,)``.
    """
    lower, upper = (
        float(normal_quantile(share, weights, centre[:, None], sd[:, None])[0])
        for share in (0.5 - level / 2, 0.5 + level / 2)
    )
    return lower, upper


def lognormal_quantile(
    share: float, weights: FloatArray, centre: FloatArray, sd: FloatArray
) -> FloatArray:
    """Quantile of a mixture of log-normals, column by column.

    Args:
        share: In (0, 1).
        weights: Of the components, summing to 1. Shape ``(K,)``.
        centre: Medians, > 0. Shape ``(K, m)``.
        sd: Standard deviations in the units of ``centre``, relative to which they are those of the
            log. Shape ``(K, m)``.

    Returns:
        The quantile: never below 0, and lop-sided where components disagree. Shape ``(m,)``.

    >>> import numpy as np
    >>> centre, sd = np.array([[2.0], [2.0]]), np.array([[0.1], [0.1]])
    >>> lognormal_quantile(0.5, np.array([0.3, 0.7]), centre, sd).round(9).tolist()
    [2.0]
    """
    return np.exp(normal_quantile(share, weights, np.log(centre), sd / centre))
