"""How far a prediction may be off: parameters, the law itself, and the distance asked for.

    sd^2 = g' C g + tau^2 + floor^2 + (peak_error * ln distance)^2 + (3 misfit * ln reach)^2

``g`` is the gradient of the loss by the parameters; ``C`` their Gauss-Newton covariance, every run
counted as ``POINTS_A_RUN`` independent points and priors as further rows, fixed shapes with a prior
included; ``tau`` the error of the law on schedules left out, shrunk towards what the law is known
for; the floor what repeated runs differ by; the distance that of the peak from the nearest one
fitted; the reach how many times further in intrinsic time than any fitted loss, which matters as
much as the law misfits what it was fitted to. Intervals use Gaussian quantiles; with Student's t
(as many degrees of freedom as runs, and three) intervals on the public split and on one peak held
too much. Coverage on real curves is measured in validation/, protocol by protocol.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from losslaw.fitting.problem import Problem, stacked_columns
from losslaw.fitting.status import POINTS_A_RUN
from losslaw.laws import Law, Question
from losslaw.numerics.arrays import BoolArray, FloatArray

# What two runs of one schedule differ by late in training, in nats (public curves: .0005-.002).
REPEAT = 1e-3
TAU_WEIGHT = 3.0
# How a misfit grows with each e-fold of intrinsic time beyond the fitted runs. Assumption: seen on
# one bundled run, three times as long as those fitted, that ended .03 nats higher than predicted.
MISFIT_GROWTH = 3.0


@dataclass(frozen=True)
class Uncertainty:
    """What an interval is made of.

    Attributes:
        names: Parameters that may move: shapes (in the log) first, then amplitudes (linear).
        covariance: Their covariance. Shape ``(P, P)``.
        tau: Error of the law on schedules left out, in nats.
        peak_error: Error for a peak a factor e away from every fitted one, in nats.
        peaks: Peak learning rates that were fitted.
        misfit: Root mean square error of the fit itself, in nats.
        farthest: Largest intrinsic time at which a loss was fitted.
        unknown: Amplitudes that nothing in the fitted curves depends on.
    """

    names: tuple[str, ...]
    covariance: FloatArray
    tau: float
    peak_error: float
    peaks: tuple[float, ...]
    misfit: float
    farthest: float
    unknown: tuple[str, ...] = ()

    def deviation(self, law: Law, question: Question) -> FloatArray:
        """Standard deviation of the predicted loss, in nats. Shape ``(m,)``."""
        gradient = prediction_gradient(law, self.names, question)
        variance = np.einsum("mi,ij,mj->m", gradient, self.covariance, gradient)
        peak = max(float(question.lr.max()), 1e-300)
        distance = min(abs(np.log(peak / other)) for other in self.peaks)
        far = (self.peak_error * distance) ** 2
        reach = np.log(np.maximum(question.seen_time / self.farthest, 1.0))
        late = (MISFIT_GROWTH * self.misfit * reach) ** 2
        spread = np.sqrt(np.maximum(variance, 0.0) + self.tau**2 + REPEAT**2 + far + late)
        # What was never seen to act may do anything: there the interval has no end.
        spread[self.touched(law, question)] = np.inf
        return spread

    def touched(self, law: Law, question: Question) -> BoolArray:
        """Where the answer depends on an amplitude that the fit could not see. Shape ``(m,)``."""
        columns = law.columns(question)
        touched = np.zeros(question.steps.size, dtype=np.bool_)
        for name in self.unknown:
            touched |= columns[name] != 0
        return touched

    def factor(self, level: float) -> float:
        """Half-width of the interval at ``level`` in standard deviations."""
        return float(ndtri(0.5 + level / 2))

    def parameter_errors(self, law: Law) -> dict[str, float]:
        """Standard deviation of each parameter, in its own units."""
        sd = np.sqrt(np.diag(self.covariance))
        shapes = law.shapes()
        return {
            name: float(sd[i]) * (float(getattr(law, name)) if name in shapes else 1.0)
            for i, name in enumerate(self.names)
        }


def prediction_gradient(law: Law, names: Sequence[str], question: Question) -> FloatArray:
    """Derivative of the loss by log-shapes and amplitudes. Shape ``(m, P)``."""
    shapes = law.shapes()
    amplitudes = [getattr(law, name) for name in law.amplitudes()]
    columns = stacked_columns(law, [question])
    by_name = dict(zip(law.amplitudes(), columns.T, strict=True))
    out = np.empty((columns.shape[0], len(names)))
    for i, name in enumerate(names):
        if name in shapes:
            step = 1e-4
            moved = law.with_(**{name: getattr(law, name) * np.exp(step)})
            out[:, i] = (stacked_columns(moved, [question]) - columns) @ amplitudes / step
        else:
            out[:, i] = by_name[name]
    return out


def information(problem: Problem, law: Law, names: Sequence[str], residual_sd: float) -> FloatArray:
    """Fisher information of the curves alone in log-shapes and amplitudes. Shape ``(P, P)``."""
    total = np.zeros((len(names), len(names)))
    for question, curve in zip(problem.questions, problem.curves, strict=True):
        gradient = prediction_gradient(law, names, question) / curve.losses[:, None]
        worth = min(1.0, POINTS_A_RUN / len(curve)) / residual_sd**2
        total += worth * gradient.T @ gradient
    return total


def prior_information(law: Law, names: Sequence[str]) -> FloatArray:
    """Information of the priors in log-shapes and amplitudes. Shape ``(P, P)``."""
    shapes, amplitudes = law.shapes(), law.amplitudes()
    out = np.zeros((len(names), len(names)))
    for i, name in enumerate(names):
        spec = shapes.get(name) or amplitudes[name]
        value = float(getattr(law, name))
        if spec.prior is None:
            # Nothing is known: a loose hold that keeps the matrix invertible, five e-folds wide.
            # An amplitude at 0 has no e-folds; what the curves say of it must do.
            width = 5.0 if name in shapes else 150.0 * value
            out[i, i] = width**-2 if width > 0 else 0.0
        elif name in shapes:
            slope = (spec.prior.z(value * np.exp(1e-5)) - spec.prior.z(value)) / 1e-5
            out[i, i] = slope**2
        else:
            out[i, i] = spec.prior.sd**-2
    return out
