"""Sums over the past at the last step, with their gradients: what a search for a schedule needs.

At the last step the age of everything is known, so a sum over the past is one evaluation of its
kernel for each update, and its gradient one cumulative sum: O(n), no mixture of exponentials. Times
are running sums ``S(k) = x[1] + ... + x[k]`` of increments ``x``; the time left after update k is
``R(k) = S(n) - S(k)``.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.compiled import compiled
from losslaw.numerics.weight_norm import norm_growth


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


class EffectiveRate:
    """The effective rate of `losslaw.numerics.weight_norm.effective_rate`, and its reverse sweep.

    ``e[k] = lr[k] v[k-1]^-h;  v[k] = v[k-1] (1 - 2 wd[k] lr[k]) + 1e-6 kappa (1e3 lr[k])^p``.

    Args:
        lr: Learning rate of each update, >= 0. Shape ``(n,)``.
        weight_decay: Decoupled weight decay of each update. Shape ``(n,)``.
        h: Power of the squared norm, >= 0.
        kappa: Growth of the squared norm, >= 0.
        p: Power of the rate in the growth, >= 1.
        count: Equal updates that each entry stands for; ``None``: one. Shape ``(n,)``.

    >>> import numpy as np
    >>> effective = EffectiveRate(np.array([0.1, 0.1]), np.zeros(2), 0.5, 0.0, 2.0)
    >>> effective.rate.tolist(), effective.pull(np.ones(2)).tolist()
    ([0.1, 0.1], [1.0, 1.0])
    """

    def __init__(
        self,
        lr: FloatArray,
        weight_decay: FloatArray,
        h: float,
        kappa: float,
        p: float,
        count: FloatArray | None = None,
    ):
        times = np.ones_like(lr) if count is None else count
        self.lr = np.ascontiguousarray(lr)
        self.weight_decay = np.ascontiguousarray(weight_decay) * times
        self.h, self.kappa, self.p = float(h), float(kappa), float(p)
        self.growth = norm_growth(self.lr, self.kappa, self.p) * times
        self.rate, self.norm, self.power = _forward(self.lr, self.weight_decay, self.h, self.growth)

    def pull(self, gradient: FloatArray) -> FloatArray:
        """Gradient by the rates of what has ``gradient`` by the effective ones. Shape ``(n,)``."""
        moves = self.lr > 0
        # The growth over the rate, which at rate zero is the power's own: only p = 1 has a slope.
        at_zero = 1e-3 * self.kappa if self.p == 1 else 0.0
        slope = np.where(moves, self.p * self.growth / np.where(moves, self.lr, 1.0), at_zero)
        return _pullback(
            self.lr,
            self.weight_decay,
            self.h,
            slope,
            self.norm,
            self.power,
            np.ascontiguousarray(gradient),
        )


@compiled()
def _forward(
    lr: FloatArray, weight_decay: FloatArray, h: float, growth: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Effective rate, squared norm that each update sees, and its power ``-h``."""
    rate, norm, power = np.empty(lr.size), np.empty(lr.size), np.empty(lr.size)
    v = 1.0
    for k in range(lr.size):
        norm[k] = v
        power[k] = v**-h
        rate[k] = lr[k] * power[k]
        v = max(v * (1.0 - 2.0 * weight_decay[k] * lr[k]), 1e-300) + growth[k]
    return rate, norm, power


@compiled()
def _pullback(
    lr: FloatArray,
    weight_decay: FloatArray,
    h: float,
    slope: FloatArray,
    norm: FloatArray,
    power: FloatArray,
    gradient: FloatArray,
) -> FloatArray:
    out = np.empty(lr.size)
    by_norm = 0.0  # of the norm after the update at hand
    for k in range(lr.size - 1, -1, -1):
        keeps = 1.0 - 2.0 * weight_decay[k] * lr[k]
        shrinks = -2.0 * weight_decay[k] * norm[k]
        if norm[k] * keeps < 1e-300:  # clamped there: what was before has no effect
            keeps, shrinks = 0.0, 0.0
        out[k] = gradient[k] * power[k] + by_norm * (shrinks + slope[k])
        by_norm = by_norm * keeps - gradient[k] * lr[k] * h * power[k] / norm[k]
    return out
