"""Random features: the student sees M Gaussian combinations of all features.

``W`` has M rows of N entries of variance 1/M, so that the leading eigenvalues of ``W H W'`` are
near ``lambda_j``; near the edge the spectrum bends (``M^beta`` times the last of 300 eigenvalues is
about 1.4 at beta 1.5, .6 at 2, .16 at 4). For Gaussian features the residual of the best student is
independent of ``W phi``, so in the eigenbasis of ``W H W'`` the mean dynamics is that of top
features, exactly, with these eigenvalues and with the unlearned part at the minimum of the risk.
"""

import math

import numpy as np
from scipy.linalg import qr
from scipy.linalg.lapack import dgejsv

from losslaw.numerics.arrays import FloatArray

# Ambient features that are drawn one by one, for each mode of the student, if there are more.
DRAWN = 16
LEAST_DRAWN = 1024
CHUNK = 4096


def drawn_features(modes: int, ambient: float) -> int:
    """How many ambient features a random student draws one by one."""
    return int(min(ambient, max(DRAWN * modes, LEAST_DRAWN)))


def project(
    modes: int,
    eigenvalues: FloatArray,
    targets: FloatArray,
    tail: tuple[float, float, float],
    seed: int,
) -> tuple[FloatArray, FloatArray, float]:
    """What a random student of ``modes`` parameters sees of a problem.

    The risk is ``|H^(1/2) (W' v - theta*)|^2 / 2``, a least-squares problem with matrix
    ``X = H^(1/2) W'`` and right-hand side ``H^(1/2) theta*``. The squared singular values of X are
    the eigenvalues of ``W H W'``; the right-hand side along its left singular vectors gives the
    signals, and what is left of it the unlearned part. Squaring X first would lose all eigenvalues
    below 1e-16.

    Args:
        modes: Parameters M.
        eigenvalues: ``lambda_j`` of the features that are drawn, falling. Shape ``(N,)``, N >= M.
        targets: ``theta*_j`` of the same. Shape ``(N,)``.
        tail: Of all other features, ``sum lambda``, ``sum lambda^2 theta*^2`` and
            ``sum lambda theta*^2``; zeros if there are none.
        seed: Seed of W.

    Returns:
        Eigenvalues of ``W H W'`` from the largest down and the signal of each, shapes ``(M,)``;
        twice the smallest excess risk.
    """
    rng = np.random.default_rng(seed)
    triangle = np.empty((0, modes + 1))
    for start in range(0, eigenvalues.size, CHUNK):
        lam = eigenvalues[start : start + CHUNK, None]
        W = rng.standard_normal((lam.size, modes)) / math.sqrt(modes)
        rhs = targets[start : start + CHUNK, None]
        triangle = _triangle(np.vstack([triangle, np.sqrt(lam) * np.hstack([W, rhs])]))
    trace, cross, energy = tail
    if trace > 0:
        # The tail enters W H W' by its mean, a multiple of the identity (the fluctuation is
        # smaller by sqrt(M/N)), and W H theta* as the Gaussian vector that it is.
        z = rng.standard_normal((modes, 1)) * math.sqrt(cross / trace)
        rest = np.hstack([math.sqrt(trace / modes) * np.eye(modes), z])
        triangle = _triangle(np.vstack([triangle, rest]))
        energy = max(energy - float((z**2).sum()), 0.0)
    # Jacobi, because it gives the small singular values of a graded matrix their relative accuracy.
    scaled, U, _, work, _, info = dgejsv(triangle[:modes, :modes])
    if info != 0:
        raise ArithmeticError(f"singular values of the projection: LAPACK gejsv returned {info}")
    rate = (scaled * (work[0] / work[1])) ** 2
    signal = (U.T @ triangle[:modes, modes]) ** 2
    unlearned = float(energy + (triangle[modes:, modes] ** 2).sum())
    return rate, signal, unlearned


def _triangle(rows: FloatArray) -> FloatArray:
    upper = qr(rows, mode="r", overwrite_a=True, check_finite=False)[0]
    return np.asarray(upper[: rows.shape[1]], dtype=np.float64)
