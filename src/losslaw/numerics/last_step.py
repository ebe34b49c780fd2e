"""Sums over the past at the last step, with their gradients: what a search for a schedule needs.

At the last step the age of everything is known, so a sum over the past is one evaluation of its
kernel for each update, and its gradient one cumulative sum: O(n), no mixture of exponentials. Times
are running sums ``S(k) = x[1] + ... + x[k]`` of increments ``x``; the time left after update k is
``R(k) = S(n) - S(k)``.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray


def signal(amplitude: float, power: float, time: float) -> tuple[float, float]:
    """``amplitude * time**-power`` and its derivative by the time.

    >>> signal(1.0, 2.0, 0.5)
    (4.0, -16.0)
    """
    value = amplitude * time**-power
    return value, -power * value / time


def time_left(increments: FloatArray) -> FloatArray:
    """``R(k)``, the time that passes after update k. Shape ``(n,)``.

    Summed from the end: near it, where kernels are steep, differences of ``S`` would lose digits.

    >>> import numpy as np
    >>> time_left(np.array([1.0, 2.0, 3.0])).tolist()
    [5.0, 3.0, 0.0]
    """
    out = np.zeros_like(increments)
    out[:-1] = np.cumsum(increments[:0:-1])[::-1]
    return out


def before(values: FloatArray) -> FloatArray:
    """``out[k] = values[1] + ... + values[k-1]``: the gradient of what depends on ``R``.

    >>> import numpy as np
    >>> before(np.array([1.0, 2.0, 3.0])).tolist()
    [0.0, 1.0, 3.0]
    """
    out = np.zeros_like(values)
    out[1:] = np.cumsum(values[:-1])
    return out


def from_here(values: FloatArray) -> FloatArray:
    """``out[k] = values[k] + ... + values[n]``: the gradient of what depends on ``S``.

    >>> import numpy as np
    >>> from_here(np.array([1.0, 2.0, 3.0])).tolist()
    [6.0, 5.0, 3.0]
    """
    return np.cumsum(values[::-1])[::-1]


def kernel_over_update(
    x: FloatArray, left: FloatArray, exponent: float, scale: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Integral of ``K(age) = (1 + scale * age)**-exponent`` over each update's own time.

    Args:
        x: Time that passes in each update, >= 0. Shape ``(n,)``.
        left: Time left after it. Shape ``(n,)``.
        exponent: The power, > 0.
        scale: Inverse time scale, > 0.

    Returns:
        The integral over ages ``left .. left + x``, and ``K`` at the end (age ``left``) and at the
        start (age ``left + x``) of the update. Shapes ``(n,)``. The integral has its derivative by
        ``x``, ``K`` at the start, and by ``left``, start minus end.
    """
    base = 1.0 + scale * left
    grown = np.log1p(scale * x / base)
    end = base**-exponent
    rest = 1.0 - exponent
    # expm1 of a log1p: the difference of two powers, without losing digits where x is small.
    span = grown if rest == 0 else np.expm1(rest * grown) / rest
    return end * base * span / scale, end, end * np.exp(-exponent * grown)


def past(time: FloatArray) -> FloatArray:
    """A time of which negative powers are taken: infinite before any has passed.

    >>> import numpy as np
    >>> past(np.array([0.0, 2.0])).tolist()
    [inf, 2.0]
    """
    return np.where(time == 0, np.inf, time)
