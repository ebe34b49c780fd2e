"""How far a prediction may be off: parameters, the law, and the distance from what was fitted.

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

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve
from losslaw.fitting.problem import Problem
from losslaw.fitting.search import LeftOut
from losslaw.fitting.status import POINTS_A_RUN, open_directions
from losslaw.laws import Law, Query, variety
from losslaw.numerics.arrays import BoolArray, FloatArray
from losslaw.numerics.robust import robust_sd
from losslaw.numerics.variable_projection import Point

# What two runs of one schedule differ by late in training, in nats (public curves: .0005-.002).
REPEAT = 1e-3
# What a law is known for weighs as much as this many schedules left out.
TAU_WEIGHT = 3.0
# Robust deviations beyond which an error is that of a single point.
FAR_OFF = 5.0
# How a misfit grows with each e-fold of intrinsic time beyond the fitted runs. Assumption: seen on
# one bundled run, three times as long as those fitted, that ended .03 nats higher than predicted.
MISFIT_GROWTH = 3.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Uncertainty:
    """What an interval is made of.

    Attributes:
        names: Parameters that may move: shapes (in the log) first, then amplitudes (linear).
        covariance: Their covariance. Shape ``(P, P)``.
        tau: Error of the law on schedules left out, in nats.
        peak_error: Error for a peak a factor e away from every fitted one, in nats.
        peaks: Peak learning rates whose decays were fitted; if none were, all that were fitted.
        misfit: Root mean square error of the fit itself without its white noise, in nats.
        farthest: Largest intrinsic time at which a loss was fitted.
        unknown: Amplitudes that nothing in the fitted curves depends on.
        noise: White noise of the losses as they were logged, in nats.
        size_error: Error of a model size that was not fitted, in nats.
    """

    names: tuple[str, ...]
    covariance: FloatArray
    tau: float
    peak_error: float
    peaks: tuple[float, ...]
    misfit: float
    farthest: float
    unknown: tuple[str, ...] = ()
    noise: float = 0.0
    size_error: float = 0.0

    def deviation(self, law: Law, query: Query) -> FloatArray:
        """Standard deviation of the predicted loss, in nats. Shape ``(m,)``."""
        gradient = prediction_gradient(law, self.names, query)
        variance = np.einsum("mi,ij,mj->m", gradient, self.covariance, gradient)
        peak = max(float(query.lr.max()), 1e-300)
        distance = min(abs(np.log(peak / other)) for other in self.peaks)
        far = (self.peak_error * distance) ** 2
        reach = np.log(np.maximum(query.seen_time / self.farthest, 1.0))
        # A misfit far below the white noise of the log would not have shown.
        misfit = max(self.misfit, self.noise / 4)
        late = (MISFIT_GROWTH * misfit * reach) ** 2
        spread = np.sqrt(
            np.maximum(variance, 0.0)
            + self.tau**2
            + self.size_error**2
            + max(REPEAT, self.noise) ** 2
            + far
            + late
        )
        # What never acted may do anything: there the interval has no end.
        spread[self.touched(law, query)] = np.inf
        return spread

    def touched(self, law: Law, query: Query) -> BoolArray:
        """Where the answer depends on an amplitude that the fit could not see. Shape ``(m,)``."""
        touched = np.zeros(query.steps.size, dtype=np.bool_)
        if self.unknown:
            columns = law.averaged(query)
            for name in self.unknown:
                touched |= columns[name] != 0
        return touched

    def parameter_errors(self, law: Law) -> dict[str, float]:
        """Standard deviation of each parameter, in its own units."""
        sd = np.sqrt(np.diag(self.covariance))
        shapes = law.shapes()
        return {
            name: float(sd[i]) * (float(getattr(law, name)) if name in shapes else 1.0)
            for i, name in enumerate(self.names)
        }


def prediction_gradient(law: Law, names: Sequence[str], query: Query) -> FloatArray:
    """Derivative of the loss by log-shapes and amplitudes. Shape ``(m, P)``."""
    shapes = law.shapes()
    amplitudes = [getattr(law, name) for name in law.amplitudes()]
    columns = law.stacked(query)
    by_name = dict(zip(law.amplitudes(), columns.T, strict=True))
    out = np.empty((columns.shape[0], len(names)))
    for i, name in enumerate(names):
        if name in shapes:
            step = 1e-4
            moved = law.with_(**{name: getattr(law, name) * np.exp(step)})
            out[:, i] = (moved.stacked(query) - columns) @ amplitudes / step
        else:
            out[:, i] = by_name[name]
    return out


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The parameters of a problem in one vector: shapes, then the amplitudes of each group.

    Attributes:
        shapes: Shapes that may move, in the log.
        amplitudes: Amplitudes, once per group.
        groups: Number of groups.
    """

    shapes: tuple[str, ...]
    amplitudes: tuple[str, ...]
    groups: int

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(self.shapes) + self.groups * len(self.amplitudes)

    def of(self, group: int) -> list[int]:
        """Places of the shapes and of one group's amplitudes."""
        first = len(self.shapes) + group * len(self.amplitudes)
        return [*range(len(self.shapes)), *range(first, first + len(self.amplitudes))]

    @property
    def names(self) -> tuple[str, ...]:
        """Shapes and amplitudes, as they are for one group."""
        return (*self.shapes, *self.amplitudes)


def information(
    problem: Problem, laws: Sequence[Law], layout: Layout, residual_sd: float
) -> FloatArray:
    """Fisher information of the curves alone in log-shapes and amplitudes. Shape ``(P, P)``."""
    total = np.zeros((layout.size, layout.size))
    for query, curve, group in zip(problem.queries, problem.curves, problem.groups, strict=True):
        gradient = prediction_gradient(laws[group], layout.names, query)
        gradient = gradient / curve.loss[:, None]
        worth = min(1.0, POINTS_A_RUN / len(curve)) / residual_sd**2
        at = layout.of(group)
        total[np.ix_(at, at)] += worth * gradient.T @ gradient
    return total


def prior_information(problem: Problem, laws: Sequence[Law], layout: Layout) -> FloatArray:
    """Information of the priors in log-shapes and amplitudes. Shape ``(P, P)``."""
    out = np.zeros((layout.size, layout.size))
    for i, name in enumerate(layout.shapes):
        value = float(getattr(problem.law, name)) if name not in problem.free else 0.0
        value = value or float(getattr(laws[-1], name))
        prior = problem.priors.get(name)
        if prior is None:
            # Nothing is known: a loose hold that keeps the matrix invertible, five e-folds wide.
            out[i, i] = 5.0**-2
        else:
            out[i, i] = prior.slope(value) ** 2
    for i, name in enumerate(layout.amplitudes):
        at = [layout.of(group)[len(layout.shapes) + i] for group in range(layout.groups)]
        if name in problem.priors:
            _, root = problem.pooled(name)
            out[np.ix_(at, at)] += root.T @ root
            continue
        for place, law in zip(at, laws, strict=True):
            # An amplitude at 0 has no e-folds; what the curves say of it must do.
            width = 150.0 * float(getattr(law, name))
            out[place, place] = width**-2 if width > 0 else 0.0
    return out


def moving(problem: Problem, law: Law) -> tuple[str, ...]:
    """Shapes an interval lets move: those searched, and fixed ones with a prior.

    A shape at its limit 0 stays there: it has no logarithm to move in.
    """
    return tuple(
        name
        for name in law.shapes()
        if name in problem.free
        or (name in problem.priors and getattr(law, name) > 0 and name not in problem.held)
    )


def left_open(problem: Problem, laws: Sequence[Law], residual_sd: float) -> list[str]:
    """Sentences on directions that the curves leave open; of the largest size where several."""
    law = laws[-1]
    layout = Layout(shapes=problem.free, amplitudes=tuple(law.amplitudes()), groups=len(laws))
    curvature = information(problem, laws, layout, residual_sd)
    at = layout.of(len(laws) - 1)
    kept = [i for i, name in zip(at, layout.names, strict=True) if getattr(law, name) > 0]
    names = [name for name in layout.names if getattr(law, name) > 0]
    # Amplitudes in the log too, so that all directions are e-folds.
    scale = np.array([1.0 if name in law.shapes() else getattr(law, name) for name in names])
    return open_directions(names, curvature[np.ix_(kept, kept)] * np.outer(scale, scale))


def law_error(usual: float, tested: Sequence[LeftOut]) -> float:
    """Error of the law on schedules left out, shrunk towards what the law is known for.

    Args:
        usual: What it is known for, or what it misfits the fitted curves by, whichever is more: a
            law is not better on others than on those.
        tested: How it predicted schedules left out.
    """
    # A fit with one curve fewer errs more than the one that predicts.
    count = len(tested)
    squares = [item.mean_square * (count - 1) / count for item in tested]
    total = TAU_WEIGHT * usual**2 + sum(squares)
    return float(np.sqrt(total / (TAU_WEIGHT + len(squares))))


def _peaks_known(curves: Sequence[LossCurve]) -> tuple[float, ...]:
    """Peaks of the runs that decayed, or of all if none did."""
    decayed = [curve for curve in curves if variety([curve]).decays]
    return tuple(sorted({curve.schedule.peak_lr for curve in decayed or curves}))


def errors_of(problem: Problem, point: Point) -> FloatArray:
    """Predicted minus observed loss at every fitted point, in nats. Shape ``(m,)``."""
    return np.expm1(point.residuals) * np.exp(problem.logs)


def scatter(problem: Problem, errors: FloatArray) -> float:
    """White noise of a logged loss: what neighbouring errors of one run differ by, over root 2."""
    ends = np.cumsum([len(curve) for curve in problem.curves])[:-1]
    between = np.concatenate([np.diff(run) for run in np.split(errors, ends)])
    return robust_sd(between) / math.sqrt(2) if between.size else 0.0


def smooth_misfit(problem: Problem, point: Point) -> float:
    """Root mean square error on the fitted curves with the white noise taken out, in nats.

    No error counts as more than ``FAR_OFF`` robust deviations: a few points are no misfit.
    """
    errors = errors_of(problem, point)
    most = FAR_OFF * robust_sd(errors)
    square = float(np.average(np.minimum(np.abs(errors), most) ** 2, weights=problem.weights))
    return float(np.sqrt(max(square - scatter(problem, errors) ** 2, 0.0)))


def uncertainties(
    problem: Problem,
    laws: Sequence[Law],
    point: Point,
    residual_sd: float,
    tested: Sequence[LeftOut],
) -> tuple[Uncertainty, ...]:
    """What the intervals of each group's law are made of."""
    main = laws[-1]
    shapes, amplitudes = moving(problem, main), tuple(main.amplitudes())
    layout = Layout(shapes=shapes, amplitudes=amplitudes, groups=len(laws))
    unknown = [_unknown(amplitudes, point.columns, group) for group in range(len(laws))]
    covariance = _covariance(problem, laws, layout, residual_sd, unknown)
    misfit = smooth_misfit(problem, point)
    usual = main.model_error if problem.model_error is None else problem.model_error
    out: list[Uncertainty] = []
    for group, law in enumerate(laws):
        known = [name not in unknown[group] for name in layout.names]
        at = [i for i, kept in zip(layout.of(group), known, strict=True) if kept]
        own = [i for i, other in enumerate(problem.groups) if other == group]
        out.append(
            Uncertainty(
                names=tuple(name for name, kept in zip(layout.names, known, strict=True) if kept),
                covariance=covariance[np.ix_(at, at)],
                tau=law_error(max(usual, misfit), tested),
                peak_error=law.peak_error if problem.peak_error is None else problem.peak_error,
                peaks=_peaks_known([problem.curves[i] for i in own]),
                misfit=misfit,
                farthest=max(float(problem.queries[i].seen_time[-1]) for i in own),
                unknown=unknown[group],
                noise=scatter(problem, errors_of(problem, point)),
            )
        )
    return tuple(out)


def _unknown(amplitudes: Sequence[str], columns: FloatArray, group: int) -> tuple[str, ...]:
    """Amplitudes of a group that no fitted point depends on."""
    first = group * len(amplitudes)
    return tuple(name for i, name in enumerate(amplitudes) if not columns[:, first + i].any())


def _covariance(
    problem: Problem,
    laws: Sequence[Law],
    layout: Layout,
    residual_sd: float,
    unknown: Sequence[Sequence[str]],
) -> FloatArray:
    """Covariance of all parameters: the inverse of what curves and priors say. Shape ``(P, P)``.

    What no curve depends on stays out of the matrix: the interval has no end there.
    """
    total = information(problem, laws, layout, residual_sd)
    total += prior_information(problem, laws, layout)
    silent = {
        i
        for group, names in enumerate(unknown)
        for i, name in zip(layout.of(group), layout.names, strict=True)
        if name in names
    }
    alive = [i for i in range(layout.size) if i not in silent]
    inner = total[np.ix_(alive, alive)]
    scale = 1.0 / np.sqrt(np.maximum(np.diag(inner), 1e-300))
    inverse = np.linalg.pinv(inner * np.outer(scale, scale)) * np.outer(scale, scale)
    covariance = np.zeros_like(total)
    covariance[np.ix_(alive, alive)] = (inverse + inverse.T) / 2
    return covariance
