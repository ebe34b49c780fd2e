"""Variable projection: search the shapes, solve for the amplitudes.

The loss of every law is ``Phi(theta) @ c`` with amplitudes ``c >= 0`` and one to four shapes
``theta``. For each theta the best amplitudes are found exactly (reweighted non-negative least
squares), so the search runs over theta alone, where it converges from any start; the Jacobian of
the projected residuals is Kaufman's. The objective is

    F = sum of w huber(log(Phi c) - log y) + 1/2 sum of prior rows squared,

with ``huber(x) = x^2/2`` up to ``delta`` and ``delta (|x| - delta/2)`` beyond, and weights w of 1 unless
given. Prior rows are not
huberised: what is known beforehand is not an outlier.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, nnls

from losslaw.numerics.arrays import BoolArray, FloatArray

DELTA = 1e-3


@dataclass(frozen=True)
class Rows:
    """Prior rows: ``residual = matrix @ amplitudes - target``."""

    matrix: FloatArray
    target: FloatArray


@dataclass(frozen=True)
class Separable:
    """A problem linear in amplitudes.

    Attributes:
        columns: From log-shapes to the columns of all curves. Shape ``(m, p)``.
        logs: Log of the losses seen. Shape ``(m,)``.
        shape_rows: From log-shapes to prior residuals. Shape ``(k,)``.
        amplitude_rows: Prior rows on the amplitudes.
        low: Lower bounds of the log-shapes.
        high: Upper bounds of the log-shapes.
        delta: Where the Huber loss turns linear.
        weights: What each residual counts, > 0; ``None``: 1. Shape ``(m,)``.
    """

    columns: Callable[[FloatArray], FloatArray]
    logs: FloatArray
    shape_rows: Callable[[FloatArray], FloatArray]
    amplitude_rows: Rows
    low: FloatArray
    high: FloatArray
    delta: float = DELTA
    weights: FloatArray | None = None

    def row_weights(self, residuals: FloatArray) -> FloatArray:
        """What a row of least squares counts so that its sum of squares follows ``F``."""
        bend = np.minimum(1.0, self.delta / np.maximum(np.abs(residuals), 1e-300))
        return np.sqrt(bend if self.weights is None else self.weights * bend)


@dataclass(frozen=True)
class Point:
    """Amplitudes at some log-shapes, and what is left over.

    Attributes:
        theta: Log-shapes.
        amplitudes: The best non-negative amplitudes there.
        residuals: Log of predicted minus log of seen losses. Shape ``(m,)``.
        objective: ``F``.
        columns: The columns there. Shape ``(m, p)``.
    """

    theta: FloatArray
    amplitudes: FloatArray
    residuals: FloatArray
    objective: float
    columns: FloatArray


def huber(
    residuals: FloatArray, delta: float = DELTA, weights: FloatArray | None = None
) -> float:
    """Sum of Huber losses, weighted if weights are given.

    >>> import numpy as np
    >>> round(huber(np.array([1.0, -3.0]), delta=1.0), 12)
    3.0
    """
    size = np.abs(residuals)
    each = np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
    return float(np.sum(each if weights is None else weights * each))


def project(problem: Separable, theta: FloatArray, guess: FloatArray | None = None) -> Point:
    """The best amplitudes at ``theta``.

    Gauss-Newton on the log residuals with Huber weights, each step a small non-negative least
    squares problem. ``J c = 1`` for the Jacobian ``J`` of ``log(Phi c)``, so a step solves for the
    new amplitudes themselves.
    """
    columns = problem.columns(theta)
    rows = problem.amplitude_rows
    # Columns differ by orders of magnitude; nnls stops on absolute tolerances.
    scale = np.linalg.norm(columns, axis=0)
    scale[scale == 0] = 1.0
    phi = columns / scale
    prior = rows.matrix / scale
    shape_cost = float(np.sum(problem.shape_rows(theta) ** 2)) / 2

    seen = np.exp(problem.logs)

    def afresh() -> FloatArray:
        return _nonnegative(phi / seen[:, None], np.ones_like(seen))

    c = afresh() if guess is None else np.maximum(guess, 0.0) * scale
    if guess is not None and not _near(phi @ c, seen):
        c = afresh()  # a guess from elsewhere may be useless here
    best: tuple[float, FloatArray, FloatArray] | None = None
    for _ in range(200):
        predicted = phi @ c
        if best is None:
            predicted = np.maximum(predicted, 1e-3 * seen)
        elif not (predicted > 0).all():
            c = (c + best[1]) / 2
            continue
        residuals = np.log(predicted) - problem.logs
        objective = (
            huber(residuals, problem.delta, problem.weights)
            + float(np.sum((prior @ c - rows.target) ** 2)) / 2
            + shape_cost
        )
        if best is not None and objective > best[0] * (1 + 1e-12):
            # Overshot: come half-way back to where it was better.
            c = (c + best[1]) / 2
            if np.allclose(c, best[1], rtol=1e-12, atol=0):
                break
            continue
        settled = best is not None and best[0] - objective <= 1e-13 * best[0]
        best = (objective, c, residuals)
        if settled:
            break
        weight = problem.row_weights(residuals)
        matrix = np.concatenate([phi * (weight / predicted)[:, None], prior])
        target = np.concatenate([weight * (1.0 - residuals), rows.target])
        c = _nonnegative(matrix, target)
    assert best is not None
    objective, c, residuals = best
    return Point(theta, c / scale, residuals, objective, columns)


def _near(predicted: FloatArray, seen: FloatArray) -> bool:
    """Whether predictions are within a factor e of what was seen: a linear step then is fair."""
    return bool(((predicted > seen / np.e) & (predicted < seen * np.e)).all())


def _nonnegative(matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Non-negative least squares, first shrunk to a few rows by QR."""
    joined: FloatArray = np.asarray(np.linalg.qr(np.column_stack([matrix, target]), mode="r"))
    solution, _ = nnls(joined[:, :-1], joined[:, -1])
    return solution


def slopes(problem: Separable, point: Point, step: float = 1e-5) -> FloatArray:
    """Derivative of the log prediction by each log-shape at fixed amplitudes. Shape ``(m, P)``."""
    predicted = point.columns @ point.amplitudes
    out = np.empty((predicted.size, point.theta.size))
    for i in range(point.theta.size):
        # Step into the box.
        signed = step if point.theta[i] + step <= problem.high[i] else -step
        moved = point.theta.copy()
        moved[i] += signed
        change = (problem.columns(moved) - point.columns) @ point.amplitudes
        out[:, i] = change / signed / predicted
    return out


def minimise(
    problem: Separable, start: FloatArray, *, evaluations: int = 200
) -> tuple[Point, bool]:
    """The optimum that a start leads to, and whether the search converged.

    Trust-region reflective least squares on the projected residuals, with Huber's loss on the
    residuals of the data only.
    """
    m = problem.logs.size
    if start.size == 0:
        return project(problem, start), True
    last: list[Point] = []

    def at(theta: FloatArray) -> Point:
        if not last or not np.array_equal(last[0].theta, theta):
            last[:] = [project(problem, theta.copy(), last[0].amplitudes if last else None)]
        return last[0]

    def residuals(theta: FloatArray) -> FloatArray:
        point = at(theta)
        amplitude_rows = problem.amplitude_rows.matrix @ point.amplitudes
        return np.concatenate(
            [
                point.residuals,
                amplitude_rows - problem.amplitude_rows.target,
                problem.shape_rows(theta),
            ]
        )

    def jacobian(theta: FloatArray) -> FloatArray:
        point = at(theta)
        return projected_jacobian(problem, point)

    def loss(z: FloatArray) -> FloatArray:
        # scipy's convention: z = (residual / delta)^2; rows rho, rho', rho''.
        rho = np.empty((3, z.size))
        rho[0], rho[1], rho[2] = z, 1.0, 0.0
        far = np.flatnonzero(z[:m] > 1)
        root = np.sqrt(z[far])
        rho[0, far], rho[1, far], rho[2, far] = 2 * root - 1, 1 / root, -0.5 / root**3
        if problem.weights is not None:
            rho[:, :m] *= problem.weights
        return rho

    result = least_squares(
        residuals,
        np.clip(start, problem.low + 1e-9, problem.high - 1e-9),
        jac=jacobian,
        bounds=(problem.low, problem.high),
        # The stubs ask for a keyword that scipy never passes to a loss of one's own.
        loss=loss,  # pyright: ignore[reportArgumentType]
        f_scale=problem.delta,
        xtol=1e-10,
        ftol=1e-11,
        gtol=1e-14,
        max_nfev=evaluations,
    )
    point = project(problem, np.asarray(result.x))
    return point, bool(result.status > 0)


def projected_jacobian(problem: Separable, point: Point) -> FloatArray:
    """Kaufman's Jacobian of all residual rows by the log-shapes, amplitudes following along."""
    slope = slopes(problem, point)
    predicted = point.columns @ point.amplitudes
    active: BoolArray = point.amplitudes > 0
    weight = problem.row_weights(point.residuals)
    linear = point.columns[:, active] / predicted[:, None]
    rows = problem.amplitude_rows.matrix[:, active]
    weighted = np.concatenate([linear * weight[:, None], rows])
    target = np.concatenate([slope * weight[:, None], np.zeros((rows.shape[0], slope.shape[1]))])
    follow = np.linalg.lstsq(weighted, target, rcond=None)[0]
    base = problem.shape_rows(point.theta)
    priors = np.empty((base.size, point.theta.size))
    for i in range(point.theta.size):
        moved = point.theta.copy()
        moved[i] += 1e-6
        priors[:, i] = (problem.shape_rows(moved) - base) / 1e-6
    return np.concatenate([slope - linear @ follow, -rows @ follow, priors])
