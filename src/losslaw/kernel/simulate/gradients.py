"""Gradient of the exact risk by every rate and every batch, at the cost of about three runs.

The recursion ``x <- a x + eta^2/B noise (X + F)``, ``a = 1 - s (2 - c s)``, ``s = eta lambda``,
``c = 1 + own/B``, ``F = A + sigma^2``, has the adjoint ``p = dR/dx``, backwards from 1/2 ::

    p <- a p + eta^2/B P,     P = sum noise p
    dR/d eta = sum p x (-2 lambda + 2 c lambda s) + 2 eta/B (X + F) P
    dR/d B   = -own/B^2 sum p x s^2 - (eta/B)^2 (X + F) P

(x before the update, p after it). With ``y = noise p`` that is the recursion itself, run backwards
from ``noise / 2`` and with no floor (`mirrored`), ``P = sum y``. R is quadratic in each rate by
itself, so the best one, all others given, has a closed form,
``eta = sum p x lambda / (c sum p x lambda^2 + (X + F) P / B)``. Going through the rates forwards,
with the adjoint of those to come and the state of those that were moved already, never raises the
risk: a descent with no step to choose. Derived here.
"""

import math
from dataclasses import replace

import numpy as np

from losslaw.kernel.modes import Modes
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.compiled import compiled

# Noise of a node that has none, as a share of the largest: its adjoint can be read off, and adds
# nothing to the sum.
NOISELESS = 1e-30


def mirrored(modes: Modes) -> Modes:
    """The modes whose run along the mirrored schedule is ``noise p``, p the adjoint of a run."""
    noise = np.maximum(modes.noise, NOISELESS * modes.noise.max())
    return replace(modes, signal=0.5 * noise, noise=noise, unlearned=0.0, label_noise=0.0)


def gradient(
    modes: Modes, lr: FloatArray, batch: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Excess risk at the end, and its derivatives by each rate and each batch.

    Args:
        modes: Modes, or nodes of a quadrature rule.
        lr: Rate of each update. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.

    Returns:
        Risk, and two arrays of shape ``(n,)``.
    """
    back = mirrored(modes)
    by_lr, by_batch = np.empty(lr.size), np.empty(lr.size)
    mirror = lr[::-1].copy(), batch[::-1].copy(), np.zeros(lr.size), by_lr, by_batch
    total, _ = meet(modes, back, back.signal.copy(), *mirror)
    return 0.5 * (total + modes.unlearned), by_lr[::-1], by_batch[::-1]


def sweep(modes: Modes, lr: FloatArray, batch: FloatArray, top: FloatArray) -> float:
    """Set each rate, in place, to its best given all others, from the first to the last.

    Args:
        modes: Modes, or nodes of a quadrature rule.
        lr: Rate of each update, changed in place. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.
        top: Largest rate of each update; 0 or below leaves a rate as it is. Shape ``(n,)``.

    Returns:
        Excess risk at the end, never above the one before.
    """
    state = modes.signal.copy()
    _, total = meet(
        mirrored(modes), modes, state, lr, batch, top, np.empty(lr.size), np.empty(lr.size)
    )
    return 0.5 * (total + modes.unlearned)


def meet(
    kept: Modes,
    moving: Modes,
    state: FloatArray,
    lr: FloatArray,
    batch: FloatArray,
    top: FloatArray,
    by_lr: FloatArray,
    by_batch: FloatArray,
) -> tuple[float, float]:
    """Run ``moving`` along a schedule and meet ``kept``, which comes the other way, each update.

    ``moving`` begins at ``state``, which is moved in place. Rates and batches are in the order of
    ``moving``, and one of the two is `mirrored`. Where ``top`` is above 0 the rate is set to its
    best, in place, before ``moving`` goes on; the derivatives are those at the rate that is left.

    Returns:
        The sum of the states of each at its end.
    """
    weight = 1.0 / np.maximum(kept.noise, moving.noise)
    return _compiled_meet(
        kept.rate, weight, kept.own_noise,
        kept.signal, kept.noise, kept.floor, state, moving.noise, moving.floor,
        lr, batch, top, by_lr, by_batch,
    )  # fmt: skip


@compiled(inline="always")
def _update(
    rate: FloatArray,
    noise: FloatArray,
    floor: float,
    own: float,
    x: FloatArray,
    total: float,
    eta: float,
    size: float,
) -> float:
    gain = eta * eta / size * (total + floor)
    c = 1.0 + own / size
    total = 0.0
    for j in range(rate.size):
        s = eta * rate[j]
        x[j] += gain * noise[j] - s * (2.0 - c * s) * x[j]
        total += x[j]
    return total


@compiled()
def _compiled_meet(
    rate: FloatArray,
    weight: FloatArray,
    own: float,
    kept: FloatArray,
    kept_noise: FloatArray,
    kept_floor: float,
    x: FloatArray,
    moving_noise: FloatArray,
    moving_floor: float,
    lr: FloatArray,
    batch: FloatArray,
    top: FloatArray,
    by_lr: FloatArray,
    by_batch: FloatArray,
) -> tuple[float, float]:
    m, n = rate.size, lr.size
    # Of the run the other way the state at the edge of each part is kept, and its parts run again.
    part = max(1, int(math.sqrt(n)))
    edges = np.empty(((n + part - 1) // part, m))
    y, other = kept.copy(), kept.sum()
    for k in range(n - 1, -1, -1):
        if (k + 1) % part == 0 or k == n - 1:
            edges[k // part] = y
        other = _update(rate, kept_noise, kept_floor, own, y, other, lr[k], batch[k])
    states, totals = np.empty((part, m)), np.empty(part)
    total = x.sum()
    for first in range(0, n, part):
        last = min(first + part, n)
        y = edges[first // part]
        inside = y.sum()
        for k in range(last - 1, first - 1, -1):
            states[k - first] = y
            totals[k - first] = inside
            inside = _update(rate, kept_noise, kept_floor, own, y, inside, lr[k], batch[k])
        for k in range(first, last):
            size = batch[k]
            slow = fast = 0.0
            for j in range(m):
                product = weight[j] * states[k - first, j] * x[j] * rate[j]
                slow += product
                fast += product * rate[j]
            drive = (total + moving_floor) * (totals[k - first] + kept_floor)
            curve = (1.0 + own / size) * fast + drive / size
            if top[k] > 0.0 and curve > 0.0:
                lr[k] = min(slow / curve, top[k])
            by_lr[k] = 2.0 * (lr[k] * curve - slow)
            by_batch[k] = -((lr[k] / size) ** 2) * (own * fast + drive)
            total = _update(rate, moving_noise, moving_floor, own, x, total, lr[k], size)
    return other, total
