"""Variable projection: search the shapes, solve for the amplitudes.

The loss of every law is ``Phi(theta) @ c`` with amplitudes ``c >= 0`` and one to four shapes
``theta``. For each theta the best amplitudes are found exactly (reweighted non-negative least
squares), so the search runs over theta alone, where it converges from any start; the Jacobian of
the projected residuals is Kaufman's. The objective is

    F = sum of w huber(log(Phi c) - log y) + 1/2 sum of prior rows squared,

with ``huber(x) = x^2/2`` up to ``delta`` and ``delta (|x| - delta/2)`` beyond, and weights w of 1
unless given. Rows may come in groups (runs) with an offset ``o`` each: ``log(Phi c + g o)``, and a
prior row ``o / s``. Offsets are eliminated from each least-squares problem in closed form, so their
number costs nothing. Prior rows are not huberised: what is known beforehand is not an outlier.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from losslaw.numerics.arrays import BoolArray, FloatArray, IntArray

DELTA = 1e-3
# What is left, after a step that came down, of the curvature that outliers are given (`project`).
# Steps until nothing moves on the bundled curves: 27 at 1, 8 at 0.5, 7 at 0.25, 6 at 0.1.
STRAIGHTER = 0.25


@dataclass(frozen=True)
class Rows:
    """Prior rows: ``residual = matrix @ amplitudes - target``."""

    matrix: FloatArray
    target: FloatArray


@dataclass(frozen=True)
class Offsets:
    """Groups of rows with an offset each.

    Attributes:
        group: Group of each row, 0, 1, ... Shape ``(m,)``.
        level: What an offset of 1 adds to the prediction of a row. Shape ``(m,)``.
        weight: Weight of the prior rows: ``residual = weight * offset``.
    """

    group: IntArray
    level: FloatArray
    weight: float

    @property
    def count(self) -> int:
        """Number of groups."""
        return int(self.group[-1]) + 1

    def added(self, offsets: FloatArray) -> FloatArray:
        """What the offsets add to the prediction. Shape ``(m,)``."""
        return self.level * offsets[self.group]

    def total(self, values: FloatArray) -> FloatArray:
        """Sums over each group, along the first axis."""
        starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        return np.add.reduceat(values, starts, axis=0)

    def eliminated(self, rows: FloatArray, column: FloatArray) -> FloatArray:
        """Rows whose least squares is that of ``rows`` with the best offsets put in.

        Minimising over ``o`` the squares of ``rows + column * o`` and of ``weight * o`` leaves
        ``|rows|^2 - (column . rows)^2 / (G + weight^2)`` with ``G = |column|^2``, in each group.
        """
        square = self.total(column**2)
        share = (1.0 - np.sqrt(self.weight**2 / (square + self.weight**2))) / square
        along = self.total(column[:, None] * rows) * share[:, None]
        return rows - column[:, None] * along[self.group]

    def best(self, left: FloatArray, column: FloatArray) -> FloatArray:
        """The offsets that bring ``column * o`` closest to what is ``left``. ``(groups, ...)``."""
        square = self.total(column**2) + self.weight**2
        return (self.total((left.T * column).T).T / square).T


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
        offsets: Groups of rows with an offset each, if they have any.
        settled: Relative change of ``F`` at which amplitudes have settled.
    """

    columns: Callable[[FloatArray], FloatArray]
    logs: FloatArray
    shape_rows: Callable[[FloatArray], FloatArray]
    amplitude_rows: Rows
    low: FloatArray
    high: FloatArray
    delta: float = DELTA
    weights: FloatArray | None = None
    offsets: Offsets | None = None
    settled: float = 1e-13

    def row_weights(self, residuals: FloatArray) -> FloatArray:
        """What a row of least squares counts so that its sum of squares follows ``F``."""
        bend = np.minimum(1.0, self.delta / np.maximum(np.abs(residuals), 1e-300))
        return np.sqrt(bend if self.weights is None else self.weights * bend)

    def rho(self, z: FloatArray) -> FloatArray:
        """The loss of all residual rows as scipy's ``least_squares`` asks for it.

        Args:
            z: Squares of the rows in units of ``delta``, those of the data first.

        Returns:
            ``2 F / delta^2`` row by row, and its first two derivatives by ``z``. Shape ``(3, k)``.
        """
        m = self.logs.size
        rho = np.empty((3, z.size))
        rho[0], rho[1], rho[2] = z, 1.0, 0.0
        far = np.flatnonzero(z[:m] > 1)
        root = np.sqrt(z[far])
        rho[0, far], rho[1, far], rho[2, far] = 2 * root - 1, 1 / root, -0.5 / root**3
        if self.weights is not None:
            rho[:, :m] *= self.weights
        return rho


@dataclass(frozen=True)
class Point:
    """Amplitudes at some log-shapes, and what is left over.

    Attributes:
        theta: Log-shapes.
        amplitudes: The best non-negative amplitudes there.
        residuals: Log of predicted minus log of seen losses. Shape ``(m,)``.
        objective: ``F``.
        columns: The columns there. Shape ``(m, p)``.
        offsets: Offset of each group; empty if there are none.
    """

    theta: FloatArray
    amplitudes: FloatArray
    residuals: FloatArray
    objective: float
    columns: FloatArray
    offsets: FloatArray

    def predicted(self, problem: "Separable") -> FloatArray:
        """Losses at the amplitudes and offsets. Shape ``(m,)``."""
        predicted = self.columns @ self.amplitudes
        return (
            predicted
            if problem.offsets is None
            else predicted + problem.offsets.added(self.offsets)
        )


def huber(residuals: FloatArray, delta: float = DELTA, weights: FloatArray | None = None) -> float:
    """Sum of Huber losses, weighted if weights are given.

    >>> import numpy as np
    >>> round(huber(np.array([1.0, -3.0]), delta=1.0), 12)
    3.0
    """
    each = special.huber(delta, residuals)
    return float(np.sum(each if weights is None else weights * each))


@dataclass(frozen=True)
class _Iterate:
    """A step of the search for amplitudes: what it reached, and where it stands.

    Attributes:
        objective: ``F``.
        c: Scaled amplitudes.
        residuals: Log of predicted minus log of seen losses. Shape ``(m,)``.
        shift: Offset of each group; empty if there are none.
    """

    objective: float
    c: FloatArray
    residuals: FloatArray
    shift: FloatArray


def project(problem: Separable, theta: FloatArray, guess: FloatArray | None = None) -> Point:
    """The best amplitudes at ``theta``.

    Gauss-Newton on the log residuals with Huber weights, each step a small non-negative least
    squares problem. ``J c = 1`` for the Jacobian ``J`` of ``log(Phi c)``, so a step solves for the
    new amplitudes themselves. Beyond ``delta`` the loss is straight; Huber weights give it the
    curvature of a parabola that touches it from above, so that no step overshoots, but many are
    needed. So that curvature shrinks with every step that comes down, and is back after one that
    does not.
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
    groups = problem.offsets
    shift = np.zeros(0 if groups is None else groups.count)
    best: _Iterate | None = None
    curvature = 1.0  # of outliers, as a share of that of their parabolas
    for _ in range(200):
        predicted = phi @ c
        if groups is not None:
            predicted = predicted + groups.added(shift)
        if best is None:
            predicted = np.maximum(predicted, 1e-3 * seen)
        elif not (predicted > 0).all():
            c, shift = (c + best.c) / 2, (shift + best.shift) / 2
            continue
        residuals = np.log(predicted) - problem.logs
        objective = (
            huber(residuals, problem.delta, problem.weights)
            + float(np.sum((prior @ c - rows.target) ** 2)) / 2
            + shape_cost
        )
        if groups is not None:
            objective += float(np.sum((groups.weight * shift) ** 2)) / 2
        if best is not None and objective > best.objective * (1 + 1e-12):
            # Overshot: come half-way back to where it was better.
            curvature = 1.0
            c, shift = (c + best.c) / 2, (shift + best.shift) / 2
            if np.allclose(c, best.c, rtol=1e-12, atol=0):
                break
            continue
        fallen = np.inf if best is None else best.objective - objective
        settled = best is not None and fallen <= problem.settled * best.objective
        best = _Iterate(objective, c, residuals, shift)
        if settled:
            break
        share = np.where(np.abs(residuals) > problem.delta, curvature, 1.0)
        curvature *= STRAIGHTER
        weight = problem.row_weights(residuals) * np.sqrt(share)
        joined = np.column_stack(
            [phi * (weight / predicted)[:, None], weight * (1.0 - residuals / share)]
        )
        if groups is None:
            c = _nonnegative(*_with(joined, prior, rows.target))
            continue
        column = groups.level * weight / predicted
        c = _nonnegative(*_with(groups.eliminated(joined, column), prior, rows.target))
        shift = groups.best(joined[:, -1] - joined[:, :-1] @ c, column)
    assert best is not None
    return Point(theta, best.c / scale, best.residuals, best.objective, columns, best.shift)


def _with(
    joined: FloatArray, prior: FloatArray, target: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Matrix and target of a least-squares problem, prior rows below those of the data."""
    return np.concatenate([joined[:, :-1], prior]), np.concatenate([joined[:, -1], target])


def _near(predicted: FloatArray, seen: FloatArray) -> bool:
    """Whether predictions are within a factor e of what was seen: a linear step then is fair."""
    return bool(((predicted > seen / np.e) & (predicted < seen * np.e)).all())


def _nonnegative(matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Non-negative least squares, first shrunk to a few rows by QR."""
    from scipy.optimize import nnls

    joined: FloatArray = np.asarray(np.linalg.qr(np.column_stack([matrix, target]), mode="r"))
    solution, _ = nnls(joined[:, :-1], joined[:, -1])
    return solution


def slopes(problem: Separable, point: Point, step: float = 1e-5) -> FloatArray:
    """Derivative of the log prediction by each log-shape at fixed amplitudes. Shape ``(m, P)``."""
    predicted = point.predicted(problem)
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
    problem: Separable, start: FloatArray, *, evaluations: int = 200, tolerance: float = 1e-10
) -> tuple[Point, bool]:
    """The optimum that a start leads to, and whether the search converged.

    Args:
        problem: What to minimise.
        start: Log-shapes to begin from.
        evaluations: Most evaluations of the residuals.
        tolerance: Relative change of the log-shapes at which the search ends; of ``F`` its square.

    Trust-region reflective least squares on the projected residuals, with Huber's loss on the
    residuals of the data only.
    """
    from scipy.optimize import least_squares

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
        weight = 0.0 if problem.offsets is None else problem.offsets.weight
        return np.concatenate(
            [
                point.residuals,
                amplitude_rows - problem.amplitude_rows.target,
                weight * point.offsets,
                problem.shape_rows(theta),
            ]
        )

    def jacobian(theta: FloatArray) -> FloatArray:
        point = at(theta)
        return projected_jacobian(problem, point)

    result = least_squares(
        residuals,
        np.clip(start, problem.low + 1e-9, problem.high - 1e-9),
        jac=jacobian,
        bounds=(problem.low, problem.high),
        # The stubs ask for a keyword that scipy never passes to a loss of one's own.
        loss=problem.rho,  # pyright: ignore[reportArgumentType]
        f_scale=problem.delta,
        xtol=tolerance,
        ftol=max(1e-11, tolerance**2),
        gtol=1e-14,
        max_nfev=evaluations,
    )
    point = project(problem, np.asarray(result.x))
    return point, bool(result.status > 0)


def projected_jacobian(problem: Separable, point: Point) -> FloatArray:
    """Kaufman's Jacobian of all residual rows by the log-shapes, amplitudes following along."""
    slope = slopes(problem, point)
    predicted = point.predicted(problem)
    active: BoolArray = point.amplitudes > 0
    weight = problem.row_weights(point.residuals)
    linear = point.columns[:, active] / predicted[:, None]
    rows = problem.amplitude_rows.matrix[:, active]
    joined = np.column_stack([linear, slope]) * weight[:, None]
    groups = problem.offsets
    column = np.zeros(0)
    if groups is not None:
        column = groups.level * weight / predicted
        joined = groups.eliminated(joined, column)
    width = linear.shape[1]
    weighted = np.concatenate([joined[:, :width], rows])
    target = np.concatenate([joined[:, width:], np.zeros((rows.shape[0], slope.shape[1]))])
    follow = np.linalg.lstsq(weighted, target, rcond=None)[0]
    moved_on = slope - linear @ follow
    shifts = np.zeros((0, slope.shape[1]))
    if groups is not None:
        shifts = groups.best(moved_on * weight[:, None], column)
        moved_on = moved_on - (groups.level / predicted)[:, None] * shifts[groups.group]
        shifts = -groups.weight * shifts
    base = problem.shape_rows(point.theta)
    priors = np.empty((base.size, point.theta.size))
    for i in range(point.theta.size):
        moved = point.theta.copy()
        moved[i] += 1e-6
        priors[:, i] = (problem.shape_rows(moved) - base) / 1e-6
    return np.concatenate([moved_on, -rows @ follow, shifts, priors])
