"""The effective rate: learning rate relative to the norm of the weights it moves.

AdamW keeps the size of an update near the learning rate whatever the size of the weights, so what
moves the *function* is the rate relative to the norm of the weights. Weight decay shrinks that
norm, updates let it grow.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.compiled import compiled


def effective_rate(
    lr: FloatArray,
    weight_decay: FloatArray,
    h: float,
    kappa: float,
    count: FloatArray | None = None,
    *,
    p: float = 2.0,
) -> FloatArray:
    """Learning rate relative to a power of the squared weight norm.

    ``v[0] = 1``; ``e[k] = lr[k] * v[k-1]**-h``;
    ``v[k] = v[k-1] * (1 - 2*wd[k]*lr[k]) + 1e-6 * kappa * (1e3*lr[k])**p``: update k is seen
    relative to the norm before it. With p = 2 the growth is ``kappa * lr[k]**2``.

    Args:
        lr: Learning rate of each update, >= 0. Shape ``(n,)``.
        weight_decay: Decoupled weight decay of each update, >= 0. Shape ``(n,)``.
        h: Power of the squared norm, >= 0; 0 gives back ``lr``.
        kappa: Growth of the squared norm, in 1/lr^2 at a rate of 1e-3, >= 0.
        count: Equal updates that each entry stands for; ``None``: one. A block of updates is then
            seen relative to the norm before it. Shape ``(n,)``.
        p: Power of the rate in the growth, > 0.

    Returns:
        Effective rate of each update, in units of lr. Shape ``(n,)``.

    >>> import numpy as np
    >>> effective_rate(np.array([0.1, 0.1]), np.zeros(2), 0.5, 0.0).tolist()
    [0.1, 0.1]
    """
    times = np.ones_like(lr) if count is None else count
    growth = norm_growth(np.ascontiguousarray(lr), float(kappa), float(p))
    return _effective_rate(
        np.ascontiguousarray(lr), np.ascontiguousarray(weight_decay), float(h), growth, times
    )


def norm_growth(lr: FloatArray, kappa: float, p: float) -> FloatArray:
    """What each update adds to the squared norm: ``1e-6 * kappa * (1e3*lr)**p``. Shape ``(n,)``."""
    if p == 2.0:
        return kappa * lr * lr
    return 1e-6 * kappa * (1e3 * lr) ** p


@compiled()
def _effective_rate(
    lr: FloatArray, weight_decay: FloatArray, h: float, growth: FloatArray, count: FloatArray
) -> FloatArray:
    out = np.empty_like(lr)
    v = 1.0
    for k in range(lr.size):
        out[k] = lr[k] * v**-h
        # A decay of more than the whole norm in one update leaves none: clamp instead of going
        # negative, where no power is defined.
        shrunk = v * (1.0 - 2.0 * weight_decay[k] * lr[k] * count[k])
        v = max(shrunk, 1e-300) + growth[k] * count[k]
    return out
