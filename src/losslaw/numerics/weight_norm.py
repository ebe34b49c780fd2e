"""The effective rate: learning rate relative to the norm of the weights it moves.

AdamW keeps the size of an update near the learning rate whatever the size of the weights, so what
moves the *function* is the rate relative to the norm of the weights. Weight decay shrinks that
norm, updates let it grow.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.compiled import compiled


class EffectiveRate:
    """Learning rate relative to a power of the squared weight norm, and its derivative.

    ``v[0] = 1``; ``e[k] = lr[k] * v[k-1]**-h``;
    ``v[k] = v[k-1] * (1 - 2*wd[k]*lr[k]) + 1e-6 * kappa * (1e3*lr[k])**p``: update k is seen
    relative to the norm before it. With p = 2 the growth is ``kappa * lr[k]**2``.

    Args:
        lr: Learning rate of each update, >= 0. Shape ``(n,)``.
        weight_decay: Decoupled weight decay of each update, >= 0. Shape ``(n,)``.
        h: Power of the squared norm, >= 0; 0 gives back ``lr``.
        kappa: Growth of the squared norm, in 1/lr^2 at a rate of 1e-3, >= 0.
        count: Equal updates that each entry stands for; ``None``: one. The norm changes as by all
            of them one after the other; they see the mean of a straight line. Shape ``(n,)``.
        p: Power of the rate in the growth, > 0; for the derivative at rate zero >= 1.
        norm: ``v[k-1]`` of each update where it was measured, > 0; it then does not follow from the
            rates. Shape ``(n,)``.

    Attributes:
        rate: Effective rate of each update, in units of lr. Shape ``(n,)``.
        norm: Squared norm that each update sees, relative to its start. Shape ``(n,)``.

    The error of a block is of second order in its length.

    >>> import numpy as np
    >>> effective = EffectiveRate(np.array([0.1, 0.1]), np.zeros(2), 0.5, 0.0)
    >>> effective.rate.tolist(), effective.pull(np.ones(2)).tolist()
    ([0.1, 0.1], [1.0, 1.0])
    """

    def __init__(
        self,
        lr: FloatArray,
        weight_decay: FloatArray,
        h: float,
        kappa: float,
        count: FloatArray | None = None,
        *,
        p: float = 2.0,
        norm: FloatArray | None = None,
    ):
        self.lr, self.h, self.kappa, self.p = lr, float(h), float(kappa), float(p)
        self.count = np.ones_like(lr) if count is None else count
        self.decay = np.asarray(2.0 * weight_decay * np.ones_like(lr))
        growth = kappa * lr * lr if p == 2.0 else 1e-6 * kappa * (1e3 * lr) ** p
        self.growth = np.asarray(growth * np.ones_like(lr))
        self.measured = norm is not None
        if norm is not None:
            self.norm, self.power = norm, norm**-self.h
            self.rate = lr * self.power
            return
        self.rate, self.before, self.norm, self.power = _forward(
            lr, self.decay, self.h, self.growth, self.count
        )

    def pull(self, gradient: FloatArray, by_norm: FloatArray | None = None) -> FloatArray:
        """Derivative by the rates of what has ``gradient`` by the effective ones. ``(n,)``.

        Args:
            gradient: Derivative by the effective rates. Shape ``(n,)``.
            by_norm: Derivative by the norms, besides. Shape ``(n,)``.
        """
        if self.measured:
            return gradient * self.power
        moves = self.lr > 0
        # The growth over the rate, which at rate zero is the power's own: only p = 1 has a slope.
        at_zero = 1e-3 * self.kappa if self.p == 1 else 0.0
        slope = np.where(moves, self.p * self.growth / np.where(moves, self.lr, 1.0), at_zero)
        other = np.zeros_like(gradient) if by_norm is None else by_norm
        return _pullback(
            self.lr, self.decay, self.h, self.growth, slope, self.count,
            self.before, self.norm, self.power, gradient, other,
        )  # fmt: skip


@compiled()
def _forward(
    lr: FloatArray, decay: FloatArray, h: float, growth: FloatArray, count: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Effective rate, squared norm before each block, the one it sees, and its power ``-h``."""
    rate, before, norm, power = (
        np.empty(lr.size),
        np.empty(lr.size),
        np.empty(lr.size),
        np.empty(lr.size),
    )
    v = 1.0
    for k in range(lr.size):
        before[k] = v
        # A decay of more than the whole norm in one update leaves none: clamp instead of going
        # negative, where no power is defined.
        keeps = 1.0 - decay[k] * lr[k]
        if count[k] == 1.0:
            v = max(v * keeps, 1e-300) + growth[k]
        else:
            left, sum_ = _kept(keeps, count[k])[:2]
            v = max(v * left, 1e-300) + growth[k] * sum_
        norm[k] = before[k] + _share_after(count[k]) * (v - before[k])
        power[k] = norm[k] ** -h
        rate[k] = lr[k] * power[k]
    return rate, before, norm, power


@compiled()
def _share_after(n: float) -> float:
    """What the norm after a block counts in the mean of those that its ``n`` updates see."""
    return (n - 1.0) / (2.0 * n)


@compiled()
def _kept(keeps: float, n: float) -> tuple[float, float, float, float]:
    """``n`` equal updates as one: ``keeps^n``, the sum of ``keeps^i`` for i < n, and their slopes.

    Taken one after the other, n updates of ``v <- keeps*v + growth`` are exactly this; with the
    growth and the decay of all of them at once a large decay would swing and not settle.
    """
    if keeps <= 0.0:
        return 0.0, 1.0, 0.0, 0.0
    lost = 1.0 - keeps
    left = keeps**n
    by_keeps = n * left / keeps
    if n * lost < 1e-3:
        sum_ = n * (1.0 - (n - 1.0) / 2.0 * lost * (1.0 - (n - 2.0) / 3.0 * lost))
        slope = n * (n - 1.0) / 2.0 * (1.0 - (n - 2.0) * 2.0 / 3.0 * lost)
    else:
        sum_ = (1.0 - left) / lost
        slope = (sum_ - by_keeps) / lost
    return left, sum_, by_keeps, slope


@compiled()
def _pullback(
    lr: FloatArray,
    decay: FloatArray,
    h: float,
    growth: FloatArray,
    slope: FloatArray,
    count: FloatArray,
    before: FloatArray,
    norm: FloatArray,
    power: FloatArray,
    gradient: FloatArray,
    other: FloatArray,
) -> FloatArray:
    out = np.empty(lr.size)
    by_norm = 0.0  # of the norm after the update at hand
    for k in range(lr.size - 1, -1, -1):
        left, sum_, left_slope, sum_slope = _kept(1.0 - decay[k] * lr[k], count[k])
        shrinks = -decay[k] * (before[k] * left_slope + growth[k] * sum_slope)
        if before[k] * left < 1e-300:  # clamped there: what was before has no effect
            left, shrinks = 0.0, 0.0
        by_seen = other[k] - gradient[k] * lr[k] * h * power[k] / norm[k]
        after = _share_after(count[k])
        by_norm += after * by_seen
        out[k] = gradient[k] * power[k] + by_norm * (shrinks + sum_ * slope[k])
        by_norm = by_norm * left + (1.0 - after) * by_seen
    return out
