"""Gradient of the exact risk by every rate and every batch, at the cost of about three runs.

The recursion ``x <- a x + eta^2/B noise (X + F)``, ``a = 1 - s (2 - c s)``, ``s = eta lambda``,
``c = 1 + own/B``, ``F = A + sigma^2``, has the adjoint ``p = dR/dx``, backwards from 1/2 ::

    P = sum noise p,      p <- a p + eta^2/B P
    dR/d eta = sum p x (-2 lambda + 2 c lambda s) + 2 eta/B (X + F) P
    dR/d B   = -own/B^2 sum p x s^2 - (eta/B)^2 (X + F) P

(x before the update, p after it): the same recursion, run backwards, with ``noise p`` for x and no
floor. R is quadratic in each rate by itself, so the best one, all others given, has a closed form,
``eta = sum p x lambda / (c sum p x lambda^2 + (X + F) P / B)``. Going through the rates forwards,
with the adjoint of those to come and the state of those that were moved already, never raises the
risk: a descent with no step to choose. Derived here.
"""

import math

import numpy as np

from losslaw.kernel.modes import Modes
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.compiled import compiled


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
    by_lr, by_batch = np.empty(lr.size), np.empty(lr.size)
    total = _backwards(*_arguments(modes), lr, batch, _stride(lr.size), by_lr, by_batch)
    return 0.5 * (total + modes.unlearned), by_lr, by_batch


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
    total = _sweep(*_arguments(modes), lr, batch, top, _stride(lr.size))
    return 0.5 * (total + modes.unlearned)


def _arguments(modes: Modes) -> tuple[FloatArray, FloatArray, float, float, FloatArray]:
    return modes.rate, modes.noise, modes.floor, modes.own_noise, modes.signal


def _stride(updates: int) -> int:
    """Updates between states that are kept; those between two are run again."""
    return max(1, math.isqrt(updates))


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


@compiled(inline="always")
def _adjoint(
    rate: FloatArray, noise: FloatArray, own: float, p: FloatArray, eta: float, size: float
) -> None:
    drive = 0.0
    for j in range(rate.size):
        drive += noise[j] * p[j]
    drive *= eta * eta / size
    c = 1.0 + own / size
    for j in range(rate.size):
        s = eta * rate[j]
        p[j] += drive - s * (2.0 - c * s) * p[j]


@compiled()
def _backwards(
    rate: FloatArray,
    noise: FloatArray,
    floor: float,
    own: float,
    signal: FloatArray,
    lr: FloatArray,
    batch: FloatArray,
    stride: int,
    by_lr: FloatArray,
    by_batch: FloatArray,
) -> float:
    m, n = rate.size, lr.size
    parts = (n + stride - 1) // stride
    kept = np.empty((parts, m))
    x = signal.copy()
    total = x.sum()
    for k in range(n):
        if k % stride == 0:
            kept[k // stride] = x
        total = _update(rate, noise, floor, own, x, total, lr[k], batch[k])
    p = np.full(m, 0.5)
    states, totals = np.empty((stride, m)), np.empty(stride)
    for part in range(parts - 1, -1, -1):
        first, last = part * stride, min((part + 1) * stride, n)
        x = kept[part].copy()
        inside = x.sum()
        for k in range(first, last):
            states[k - first] = x
            totals[k - first] = inside
            inside = _update(rate, noise, floor, own, x, inside, lr[k], batch[k])
        for k in range(last - 1, first - 1, -1):
            eta, size = lr[k], batch[k]
            c = 1.0 + own / size
            slow = fast = drive = 0.0
            for j in range(m):
                weight = p[j] * states[k - first, j] * rate[j]
                slow += weight
                fast += weight * rate[j]
                drive += noise[j] * p[j]
            drive *= totals[k - first] + floor
            by_lr[k] = -2.0 * slow + 2.0 * eta * (c * fast + drive / size)
            by_batch[k] = -((eta / size) ** 2) * (own * fast + drive)
            _adjoint(rate, noise, own, p, eta, size)
    return total


@compiled()
def _sweep(
    rate: FloatArray,
    noise: FloatArray,
    floor: float,
    own: float,
    signal: FloatArray,
    lr: FloatArray,
    batch: FloatArray,
    top: FloatArray,
    stride: int,
) -> float:
    m, n = rate.size, lr.size
    parts = (n + stride - 1) // stride
    kept = np.empty((parts, m))  # adjoint after the last update of each part
    p = np.full(m, 0.5)
    for k in range(n - 1, -1, -1):
        if (k + 1) % stride == 0 or k == n - 1:
            kept[k // stride] = p
        _adjoint(rate, noise, own, p, lr[k], batch[k])
    after = np.empty((stride, m))
    x = signal.copy()
    total = x.sum()
    for part in range(parts):
        first, last = part * stride, min((part + 1) * stride, n)
        p = kept[part].copy()
        for k in range(last - 1, first - 1, -1):
            after[k - first] = p
            _adjoint(rate, noise, own, p, lr[k], batch[k])
        for k in range(first, last):
            size = batch[k]
            if top[k] > 0.0:
                slow = fast = drive = 0.0
                for j in range(m):
                    weight = after[k - first, j] * x[j] * rate[j]
                    slow += weight
                    fast += weight * rate[j]
                    drive += noise[j] * after[k - first, j]
                curve = (1.0 + own / size) * fast + drive * (total + floor) / size
                if curve > 0.0:
                    lr[k] = min(slow / curve, top[k])
            total = _update(rate, noise, floor, own, x, total, lr[k], size)
    return total
