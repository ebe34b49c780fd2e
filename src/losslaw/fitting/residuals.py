"""What is left over after a fit: white noise of the log, and the misfit beneath it."""

import numpy as np

from losslaw.fitting.problem import Problem
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.robust import robust_sd
from losslaw.numerics.variable_projection import Point


def errors_of(problem: Problem, point: Point) -> FloatArray:
    """Predicted minus seen loss at every fitted point, in nats. Shape ``(m,)``."""
    return np.expm1(point.residuals) * np.exp(problem.logs)


def scatter(problem: Problem, errors: FloatArray) -> float:
    """White noise of a logged loss: what neighbouring errors of one run differ by, over root 2."""
    ends = np.cumsum([len(curve) for curve in problem.curves])[:-1]
    between = np.concatenate([np.diff(run) for run in np.split(errors, ends)])
    return robust_sd(between) / np.sqrt(2) if between.size else 0.0


def smooth_misfit(problem: Problem, point: Point) -> float:
    """Root mean square error on the fitted curves with the white noise taken out, in nats."""
    errors = errors_of(problem, point)
    square = float(np.average(errors**2, weights=problem.weights))
    return float(np.sqrt(max(square - scatter(problem, errors) ** 2, 0.0)))
