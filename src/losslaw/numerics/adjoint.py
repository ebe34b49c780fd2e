"""Sums over the past at the last step, with their gradients: what a search for a schedule needs.

At the last step the age of everything is known, so a sum over the past is one evaluation of its
kernel for each update, and its gradient one cumulative sum: O(n), no mixture of exponentials. Times
are running sums ``S(k) = x[1] + ... + x[k]`` of increments ``x``; the time left after update k is
``R(k) = S(n) - S(k)``.
"""

import numpy as np
from numba import njit

from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.clocks import norm_growth


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


def effective_rate_pullback(
    lr: FloatArray,
    weight_decay: FloatArray,
    h: float,
    kappa: float,
    gradient: FloatArray,
    *,
    p: float = 2.0,
) -> FloatArray:
    """Gradient by ``lr`` of what has the given ``gradient`` by the effective rate.

    The reverse sweep of `losslaw.numerics.clocks.effective_rate`:
    ``e[k] = lr[k] v[k-1]^-h;  v[k] = v[k-1] (1 - 2 wd[k] lr[k]) + 1e-6 kappa (1e3 lr[k])^p``.

    >>> import numpy as np
    >>> g = effective_rate_pullback(np.array([0.1, 0.1]), np.zeros(2), 0.5, 0.0, np.ones(2))
    >>> g.tolist()
    [1.0, 1.0]
    """
    lr = np.ascontiguousarray(lr)
    by_lr = 1e-3 * kappa * p * (1e3 * lr) ** (p - 1.0)
    return _pullback(
        lr,
        np.ascontiguousarray(weight_decay),
        float(h),
        norm_growth(lr, float(kappa), float(p)),
        by_lr,
        np.ascontiguousarray(gradient),
    )


@njit(cache=True)
def _pullback(
    lr: FloatArray,
    weight_decay: FloatArray,
    h: float,
    growth: FloatArray,
    growth_by_lr: FloatArray,
    gradient: FloatArray,
) -> FloatArray:
    n = lr.size
    v = np.empty(n)  # the squared norm that each update sees
    clamped = np.zeros(n, dtype=np.bool_)
    norm = 1.0
    for k in range(n):
        v[k] = norm
        shrunk = norm * (1.0 - 2.0 * weight_decay[k] * lr[k])
        clamped[k] = shrunk < 1e-300
        norm = max(shrunk, 1e-300) + growth[k]
    out = np.empty(n)
    by_norm = 0.0  # of the norm after the update at hand
    for k in range(n - 1, -1, -1):
        power = v[k] ** -h
        keeps = 0.0 if clamped[k] else 1.0
        shrinks = -2.0 * weight_decay[k] * v[k] * keeps
        out[k] = gradient[k] * power + by_norm * (shrinks + growth_by_lr[k])
        by_norm = by_norm * keeps * (1.0 - 2.0 * weight_decay[k] * lr[k])
        by_norm -= gradient[k] * lr[k] * h * power / v[k]
    return out
