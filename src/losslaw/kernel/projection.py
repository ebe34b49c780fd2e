"""Random features: the student sees M Gaussian combinations of all features.

``W`` has M rows of N entries of variance 1/M, so that the leading eigenvalues of ``W H W'`` are
near ``lambda_j``; near the edge the spectrum bends (``M^beta`` times the last of 300 eigenvalues is
about 1.4 at beta 1.5, .6 at 2, .16 at 4). For Gaussian features the residual of the best student is
independent of ``W phi``, so in the eigenbasis of ``W H W'`` the mean dynamics is that of top
features, exactly, with these eigenvalues and with the unlearned part at the minimum of the risk.
"""

import math
from collections.abc import Iterator

import numpy as np
from scipy.linalg import qr
from scipy.linalg.lapack import dgejsv

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray

# Ambient features that are drawn one by one, for each mode of the student, if there are more.
DRAWN = 16
LEAST_DRAWN = 1024
CHUNK = 4096
# From so many modes on the Gram matrix is tried first. Its eigenvalues err by 1e-15 of the
# largest: no number that is a smaller share than this is read from it, so seven digits are right.
MANY = 256
SMALLEST = 1e-8
# Operations on the Gram matrix at most, minutes of work: 3600 modes out of any number.
MOST_WORK = 2e12


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
    signals, and what is left of it the unlearned part. Squaring X loses all eigenvalues
    below 1e-16: it is done for many modes only, and where none is so small.

    Args:
        modes: Parameters M.
        eigenvalues: ``lambda_j`` of the features that are drawn, falling. Shape ``(N,)``, N >= M.
        targets: ``theta*_j`` of the same. Shape ``(N,)``.
        tail: Of all other features, ``sum lambda``, ``sum lambda^2 theta*^2`` and
            ``sum lambda theta*^2``; zeros if there are none.
        seed: Seed of W.

    Raises:
        InputError: they are too many.

    Returns:
        Eigenvalues of ``W H W'`` from the largest down and the signal of each, shapes ``(M,)``;
        twice the smallest excess risk.
    """
    # A product of N x M numbers, and the eigenvalues of an M x M matrix.
    work = (2.0 * eigenvalues.size + 9.0 * modes) * modes**2
    if work > MOST_WORK:
        raise InputError(
            f"{modes} random features, mixed of {eigenvalues.size}, take {work:.0e} operations,"
            f" expected up to {MOST_WORK:.0e}, a few minutes: lower modes, or take the top ones"
        )
    if modes >= MANY:
        found = _by_gram(modes, eigenvalues, targets, tail, seed)
        if found is not None:
            return found
    triangle = np.empty((0, modes + 1))
    for rows in _rows(modes, eigenvalues, targets, rng := np.random.default_rng(seed)):
        triangle = _triangle(np.vstack([triangle, rows]))
    rest, energy = _rest(modes, tail, rng)
    if rest is not None:
        triangle = _triangle(np.vstack([triangle, rest]))
    # Jacobi, because it gives the small singular values of a graded matrix their relative accuracy.
    scaled, U, _, work, _, info = dgejsv(triangle[:modes, :modes])
    if info != 0:
        raise ArithmeticError(f"singular values of the projection: LAPACK gejsv returned {info}")
    rate = (scaled * (work[0] / work[1])) ** 2
    signal = (U.T @ triangle[:modes, modes]) ** 2
    unlearned = float(energy + (triangle[modes:, modes] ** 2).sum())
    return rate, signal, unlearned


def _rows(
    modes: int, eigenvalues: FloatArray, targets: FloatArray, rng: np.random.Generator
) -> Iterator[FloatArray]:
    """``X`` and the right-hand side, a chunk of ambient features at a time."""
    for start in range(0, eigenvalues.size, CHUNK):
        lam = eigenvalues[start : start + CHUNK, None]
        W = rng.standard_normal((lam.size, modes)) / math.sqrt(modes)
        rhs = targets[start : start + CHUNK, None]
        yield np.sqrt(lam) * np.hstack([W, rhs])


def _rest(
    modes: int, tail: tuple[float, float, float], rng: np.random.Generator
) -> tuple[FloatArray | None, float]:
    """What stands for all features that are not drawn, and the energy that it leaves."""
    trace, cross, energy = tail
    if trace <= 0:
        return None, energy
    # The tail enters W H W' by its mean, a multiple of the identity (the fluctuation is smaller by
    # sqrt(M/N)), and W H theta* as the Gaussian vector that it is.
    z = rng.standard_normal((modes, 1)) * math.sqrt(cross / trace)
    rest = np.hstack([math.sqrt(trace / modes) * np.eye(modes), z])
    return rest, max(energy - float((z**2).sum()), 0.0)


def _by_gram(
    modes: int,
    eigenvalues: FloatArray,
    targets: FloatArray,
    tail: tuple[float, float, float],
    seed: int,
) -> tuple[FloatArray, FloatArray, float] | None:
    """The same from ``X' X``, ten times faster; ``None`` where squaring would cost digits."""
    rng = np.random.default_rng(seed)
    gram = np.zeros((modes + 1, modes + 1))
    for rows in _rows(modes, eigenvalues, targets, rng):
        gram += rows.T @ rows
    rest, energy = _rest(modes, tail, rng)
    if rest is not None:
        gram += rest.T @ rest
    rate, vectors = np.linalg.eigh(gram[:modes, :modes])
    rate, vectors = rate[::-1].copy(), vectors[:, ::-1]
    if rate[-1] < rate[0] * SMALLEST:
        return None
    signal = (vectors.T @ gram[:modes, modes]) ** 2 / rate
    unlearned = float(energy + gram[modes, modes] - signal.sum())
    if unlearned < SMALLEST * gram[modes, modes]:
        return None
    return rate, signal, unlearned


def _triangle(rows: FloatArray) -> FloatArray:
    upper = qr(rows, mode="r", overwrite_a=True, check_finite=False)[0]
    return np.asarray(upper[: rows.shape[1]], dtype=np.float64)
