"""From which rate on the risk of a sampled run has no variance, and its standard error misleads.

A mean of sampled runs has a standard error if the risk has a variance, and so if the fourth moments
``Q_ij = E u_i^2 u_j^2`` of the errors stay finite. For Gaussian features they close, as the second
ones do. A batch moves ``u_i`` by ``x_i = eta lambda_i`` times the mean of B products
``g_i (g . u)``, whose joint cumulants up to the fourth are polynomials in ``u_i``, ``u_j`` and
``P = |u|^2``; so ::

    Q_ij <- D_ij Q_ij + U_ij R_i + U_ji R_j + V_ij S,    R_i = sum_j Q_ij,  S = sum_i R_i

without label noise, which only drives it. All of D, U, V are non-negative sums, so moments stay
finite exactly when every ``D_ij < 1`` and the map ``R -> sum_j (U_ij R_i + U_ji R_j + V_ij S) /
(1 - D_ij)`` has a spectral radius below 1. Derived here. Well below the largest stable rate the
mean risk is finite and its variance, at rest, is not: means of hundreds of runs then lie below the
exact one nearly always, and their standard errors far below the truth.
"""

import numpy as np
from numpy.typing import NDArray

from losslaw.kernel.modes import Modes
from losslaw.numerics.arrays import FloatArray

BoolArray = NDArray[np.bool_]

# Of many modes one by one, so many are kept; the others are put together within a factor.
ALONE, NEAR = 64, 1.15


def coefficients(
    x: FloatArray, alone: BoolArray, batch: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``D``, ``U`` and ``V`` of one update.

    Args:
        x: ``eta lambda`` of each mode. Shape ``(n,)``.
        alone: Whether a mode is by itself; others stand for many, which meet others of their kind
            only. Shape ``(n,)``.
        batch: Samples in the update.

    Returns:
        Shapes ``(n, n)``.
    """
    B, y = batch, x[None, :]
    x = x[:, None]
    a, c = 1 - x, 1 - y
    D = (
        6 * (x * y) ** 2 / B**3
        + (3 * (x * y) ** 2 - 4 * x * y * (c * x + a * y)) / B**2
        + ((x * c) ** 2 + (y * a) ** 2 + 4 * x * y * a * c) / B
        + (a * c) ** 2
    )
    # What multiplies u_i^2 P.
    U = 6 * (x * y) ** 2 / B**3 + ((x * y) ** 2 - 4 * a * x * y**2) / B**2 + (a * y) ** 2 / B
    V = (x * y) ** 2 * (2 / B**3 + 1 / B**2)
    i = np.flatnonzero(alone)
    x, a = x[i, 0], a[i, 0]
    D[i, i] = 6 * x**4 / B**3 + (3 * x**4 - 8 * a * x**3) / B**2 + 6 * (a * x) ** 2 / B + a**4
    # U_ii is counted twice, once for each index.
    U[i, i] = 0.5 * (36 * x**4 / B**3 + (6 * x**4 - 24 * a * x**3) / B**2 + 6 * (a * x) ** 2 / B)
    V[i, i] = 6 * x**4 / B**3 + 3 * x**4 / B**2
    return D, U, V


def variance_is_finite(modes: Modes, lr: float, batch: float) -> bool:
    """Whether the risk has a variance at a constant rate for ever.

    Args:
        modes: Modes of Gaussian features, or nodes that stand for them.
        lr: Learning rate.
        batch: Samples in an update.
    """
    rate, count = _counted(modes)
    alone = np.abs(count - 1) < 1e-6
    D, U, V = coefficients(lr * rate, alone, batch)
    if D.max() >= 1:
        return False
    weight = count / (1 - D)  # sums over the second index count its modes
    K = weight * U.T + (weight * V).sum(axis=1)[:, None] * count
    K[np.diag_indices_from(K)] += (weight * U).sum(axis=1)
    values = np.asarray(np.linalg.eigvals(K), dtype=np.complex128)
    return bool(np.abs(values).max() < 1)


def _counted(modes: Modes) -> tuple[FloatArray, FloatArray]:
    """Rates, and how many modes each stands for; beyond `ALONE` they are put together by rate."""
    # Nodes that carry signal only count for nothing.
    own = modes.noise > 0
    rate, noise = modes.rate[own], modes.noise[own]
    if rate.size > 4 * ALONE:
        order = np.argsort(-rate)
        rate, noise = rate[order], noise[order]
        depth = np.log(rate[ALONE] / rate[ALONE:]) / np.log(NEAR)
        bins = np.concatenate([np.arange(ALONE), ALONE + depth.astype(np.int64)])
        total = np.bincount(bins, noise)
        middle = np.bincount(bins, noise * rate)
        rate, noise = middle[total > 0] / total[total > 0], total[total > 0]
    return rate, noise / rate**2


def heavy_tails_lr(modes: Modes, largest: float, batch: float) -> float:
    """The rate from which on the risk has no variance at rest.

    Args:
        modes: As in `variance_is_finite`.
        largest: Largest stable rate, which is above it.
        batch: Samples in an update.
    """
    low, high = 0.0, largest
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if variance_is_finite(modes, middle, batch) else (low, middle)
    return high
