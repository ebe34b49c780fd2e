"""Fit a law to curves: `fit` returns a `Fit`, which predicts, reports, and is saved.

The search is variable projection (`losslaw.numerics.varpro`) from the law's own starting values:
all of them are tried, the best few are followed to the end, and how many ended in the same optimum
is reported. The same curves give the same fit, bit for bit.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.errors import FitError, InputError
from losslaw.fitting.intervals import (
    TAU_WEIGHT,
    Uncertainty,
    information,
    prior_information,
)
from losslaw.fitting.prediction import Prediction, predict
from losslaw.fitting.problem import Problem, pose, stacked_columns
from losslaw.fitting.status import Status, amplitudes_at_zero, bounds_reached, open_directions
from losslaw.fitting.unseen import departure
from losslaw.laws import Law, Question, law_named
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.varpro import Point, huber, minimise, project
from losslaw.schedules import Schedule

FOLLOWED = 3  # starts that are followed to the end
PACE = 32  # updates taken together until the last search, which takes them one by one


@dataclass(frozen=True)
class FittedCurve:
    """What a fit remembers of a curve.

    Attributes:
        label: Name of the run.
        schedule: Its schedule.
        first_step: First step that was fitted.
        last_step: Last step that was fitted.
        points: Number of points fitted.
        rmse: Root mean square error of the fit, in nats.
        final_error: Predicted minus seen loss, mean of the last three points.
        model_size: Parameters of the model, if known.
    """

    label: str
    schedule: Schedule
    first_step: int
    last_step: int
    points: int
    rmse: float
    final_error: float
    model_size: float | None = None


@dataclass(frozen=True)
class Fit:
    """A law fitted to curves.

    Attributes:
        law: The law with its fitted parameters.
        free: Shapes that were searched.
        objective: Sum of Huber losses (delta 1e-3) of the log residuals; priors not counted.
        status: How the fit ended, in words.
        curves: What was fitted, and how well.
        notes: What was assumed or left out.
        uncertainty: What the intervals are made of; ``None`` if it was not asked for.
        skip: Points before this step were left out.
    """

    law: Law
    free: tuple[str, ...]
    objective: float
    status: Status
    curves: tuple[FittedCurve, ...]
    notes: tuple[str, ...] = ()
    uncertainty: Uncertainty | None = None
    skip: int = 0

    @property
    def parameters(self) -> dict[str, float]:
        """Fitted and fixed parameters by name."""
        return self.law.parameters

    @property
    def usual_weight_decay(self) -> float | None:
        """Weight decay of the fitted runs, if it is known and the same in all."""
        return _usual([curve.schedule.weight_decay for curve in self.curves])

    @property
    def usual_batch(self) -> float | None:
        """Batch size of the fitted runs, if it is known and the same in all."""
        return _usual([curve.schedule.batch for curve in self.curves])

    @property
    def fitted_sizes(self) -> bool:
        """Whether curves of several known model sizes were fitted by a law with a term for them."""
        sizes = {curve.model_size for curve in self.curves}
        return self.law.uses_model_size and len(sizes) > 1 and None not in sizes

    def predict(
        self,
        schedule: Schedule,
        steps: ArrayLike | None = None,
        level: float = 0.9,
        model_size: float | None = None,
    ) -> Prediction:
        """Loss curve of a schedule, with an interval.

        Args:
            schedule: Any schedule; it need not have been run.
            steps: Steps to ask about; ``None`` for all.
            level: Share of runs the interval is meant to hold, in (0, 1).
            model_size: Parameters of the model; it counts where several sizes were fitted by a
                law with a term for them.

        Weight decay and batch size that the schedule leaves open are those of the fitted runs; a
        batch size does not count where those of the fitted runs are not known.

        Raises:
            InputError: steps outside the schedule, a level outside (0, 1), or a batch or model size
                left open where the fitted runs have several.
        """
        if schedule.weight_decay is None and self.usual_weight_decay is not None:
            schedule = schedule.with_(weight_decay=self.usual_weight_decay)
        if self.law.uses_batch:
            schedule = self._with_batch(schedule)
        size = model_size if self.fitted_sizes else None
        if self.fitted_sizes and size is None:
            raise InputError(
                "the fitted runs are of several model sizes: say which to predict (model_size=,"
                " --model-size)"
            )
        return predict(self.law, self.uncertainty, schedule, steps, level, size)

    def _with_batch(self, schedule: Schedule) -> Schedule:
        """The schedule with a batch size if and only if the fitted runs have one."""
        if any(curve.schedule.batch is None for curve in self.curves):
            return schedule if schedule.batch is None else schedule.with_(batch=None)
        if schedule.batch is not None or not self.curves:
            return schedule
        if self.usual_batch is None:
            raise InputError(
                "the fitted runs have several batch sizes: say which to predict, as in"
                " cosine:peak=3e-4,horizon=24000,batch=64"
            )
        return schedule.with_(batch=self.usual_batch)

    def save(self, path: str) -> None:
        """Write the fit to one JSON file; see `losslaw.load_fit`."""
        from losslaw.fitting.store import save_fit

        save_fit(self, path)

    def __str__(self) -> str:
        from losslaw.fitting.report import report

        return report(self)


def _usual(along: Sequence[FloatArray | None]) -> float | None:
    """The one value that all of these have throughout, if there is one."""
    values: set[float] = set()
    for array in along:
        if array is None:
            return None
        values |= {float(array.min()), float(array.max())}
    return values.pop() if len(values) == 1 else None


def fit(
    curves: LossCurve | Sequence[LossCurve],
    law: str | type[Law] = "effective",
    *,
    free: Sequence[str] | None = None,
    fixed: dict[str, Any] | None = None,
    skip: int | None = None,
    uncertainty: bool = True,
) -> Fit:
    """Fit a law to one or several curves jointly.

    Minimises the sum over all points of Huber's loss (delta 1e-3) of log predicted minus log seen
    loss, plus the law's priors (see `losslaw.fitting.problem`).

    Args:
        curves: Curves of one model; any schedules.
        law: Name (see ``losslaw.LAWS``) or class.
        free: Shapes to search; ``None``: those the law frees by itself.
        fixed: Values for shapes that are not searched, and for settings such as ``warmup_drops``.
        skip: Leave out points before this step; ``None``: before four warm-ups or a tenth of
            the longest run, whichever is less, and never less than one warm-up.
        uncertainty: Work out what intervals need: one further fit for each curve left out.

    Returns:
        The fit. A doubtful one is returned too, with a status that says what is doubtful.

    Raises:
        InputError: curves or names that cannot be used.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> law = ll.Momentum(L0=2.0, A=1.0, C=0.5, alpha=0.5)
    >>> runs = [ll.cosine(peak=0.01, horizon=900), ll.constant(peak=0.01, horizon=900)]
    >>> curves = [law.curve(run, range(10, 901, 10), label) for run, label in zip(runs, "ab")]
    >>> found = ll.fit(curves, "momentum")
    >>> round(found.parameters["alpha"], 4), round(found.parameters["C"], 4)
    (0.5, 0.5)
    """
    chosen = law_named(law) if isinstance(law, str) else law
    runs = [curves] if isinstance(curves, LossCurve) else list(curves)
    problem = pose(chosen, runs, free=free, fixed=fixed, skip=skip)
    point, converged, agree = _search(problem)
    fitted = _law_at(problem, point)
    sentences = [
        *amplitudes_at_zero(fitted, point.columns),
        *bounds_reached(fitted, problem.free),
    ]
    residual_sd = _residual_sd(problem, point)
    sentences += _left_open(problem, fitted, residual_sd)
    notes = [*problem.notes, agree] if agree else list(problem.notes)
    found = None
    if uncertainty:
        tau = _left_out_error(problem, point, chosen)
        found = _uncertainty(problem, fitted, point, residual_sd, tau)
    return Fit(
        fitted,
        problem.free,
        _data_objective(point, problem),
        Status(converged, tuple(sentences)),
        tuple(
            _fitted_curve(fitted, curve, size)
            for curve, size in zip(
                problem.curves, [q.model_size for q in problem.questions], strict=True
            )
        ),
        tuple(notes),
        found,
        problem.skip,
    )


def _search(problem: Problem) -> tuple[Point, bool, str]:
    """The best optimum, whether it converged, and a sentence on how the starts agreed."""
    exact = problem.separable()
    separable = problem.at_pace(PACE).separable()
    shapes = problem.law.shapes()
    grid = [
        np.log(np.array(values, dtype=np.float64))
        for values in itertools.product(*[shapes[name].starts for name in problem.free])
    ]
    with np.errstate(over="ignore", invalid="ignore"):
        tried = [project(separable, theta) for theta in grid]
    tried = [point for point in tried if np.isfinite(point.objective)]
    if not tried:
        raise FitError(f"{problem.law.name}: no starting value gives finite losses on these curves")
    tried.sort(key=lambda point: point.objective)
    ends = [minimise(separable, point.theta) for point in tried[:FOLLOWED]]
    ends.sort(key=lambda end: end[0].objective)
    same = sum(end.objective <= ends[0][0].objective * (1 + 1e-4) + 1e-12 for end, _ in ends)
    best, converged = minimise(exact, ends[0][0].theta)
    sentence = ""
    if same < len(ends):
        sentence = f"{same} of the {len(ends)} searches followed ended in the best optimum"
    return best, converged, sentence


def _law_at(problem: Problem, point: Point) -> Law:
    law = problem.at(point.theta)
    return law.with_(**dict(zip(law.amplitudes(), point.amplitudes.tolist(), strict=True)))


def _data_objective(point: Point, problem: Problem) -> float:
    return huber(np.log(point.columns @ point.amplitudes) - problem.logs)


def _residual_sd(problem: Problem, point: Point) -> float:
    """Robust scale of the log residuals, never below what repeated runs differ by."""
    residuals = point.residuals
    scale = 1.4826 * float(np.median(np.abs(residuals)))
    return max(scale, 3e-4)


def _moving(law: Law, free: Sequence[str]) -> tuple[str, ...]:
    """Parameters an interval lets move: free shapes, fixed shapes with a prior, amplitudes.

    A shape at its limit 0 stays there: it has no logarithm to move in.
    """
    shapes = [
        name
        for name, spec in law.shapes().items()
        if name in free or (spec.prior is not None and getattr(law, name) > 0)
    ]
    return (*shapes, *law.amplitudes())


def _left_open(problem: Problem, law: Law, residual_sd: float) -> list[str]:
    """Sentences on directions that the curves leave open."""
    values = law.parameters
    names = [
        *problem.free,
        *[name for name in law.amplitudes() if values[name] > 0],
    ]
    curvature = information(problem, law, names, residual_sd)
    # Amplitudes in the log too, so that all directions are e-folds.
    scale = np.array([1.0 if name in law.shapes() else values[name] for name in names])
    return open_directions(names, curvature * np.outer(scale, scale))


def _uncertainty(
    problem: Problem, law: Law, point: Point, residual_sd: float, tau: float
) -> Uncertainty:
    unknown = [name for i, name in enumerate(law.amplitudes()) if not point.columns[:, i].any()]
    names = tuple(name for name in _moving(law, problem.free) if name not in unknown)
    total = information(problem, law, names, residual_sd) + prior_information(law, names)
    scale = 1.0 / np.sqrt(np.diag(total))
    covariance = np.linalg.pinv(total * np.outer(scale, scale)) * np.outer(scale, scale)
    return Uncertainty(
        names,
        (covariance + covariance.T) / 2,
        tau,
        law.peak_error,
        tuple(sorted({curve.schedule.peak_lr for curve in problem.curves})),
        float(np.sqrt(np.mean((np.expm1(point.residuals) * np.exp(problem.logs)) ** 2))),
        max(float(question.seen_time[-1]) for question in problem.questions),
        tuple(unknown),
    )


def _left_out_error(problem: Problem, point: Point, law: type[Law]) -> float:
    """Error of the law on schedules left out, shrunk towards the law's usual error.

    Each curve is left out in turn and predicted where its schedule departs from the others.
    """
    squares: list[float] = []
    count = len(problem.curves)
    for i in range(count if count > 1 else 0):
        others = [k for k in range(count) if k != i]
        rest = replace(
            problem,
            curves=tuple(problem.curves[k] for k in others),
            questions=tuple(problem.questions[k] for k in others),
        )
        asked = problem.curves[i]
        left = departure(
            asked.schedule,
            [(problem.curves[k].schedule, int(problem.curves[k].steps[-1])) for k in others],
        )
        unseen = asked.steps > left
        if not unseen.any():
            continue
        end, _ = minimise(rest.at_pace(PACE).separable(), point.theta)
        size = problem.questions[i].model_size
        columns = stacked_columns(
            rest.at(end.theta), [Question(asked.schedule, asked.steps[unseen], size)]
        )
        error = columns @ end.amplitudes - asked.losses[unseen]
        squares.append(float(np.mean(error**2)))
    total = TAU_WEIGHT * law.model_error**2 + sum(squares)
    return float(np.sqrt(total / (TAU_WEIGHT + len(squares))))


def _fitted_curve(law: Law, curve: LossCurve, model_size: float | None) -> FittedCurve:
    columns = law.columns(Question(curve.schedule, curve.steps, model_size))
    predicted = sum(getattr(law, name) * column for name, column in columns.items())
    error: FloatArray = np.asarray(predicted) - curve.losses
    return FittedCurve(
        curve.label,
        curve.schedule,
        int(curve.steps[0]),
        int(curve.steps[-1]),
        len(curve),
        float(np.sqrt(np.mean(error**2))),
        float(error[-3:].mean()),
        curve.model_size,
    )
