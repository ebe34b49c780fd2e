"""Fit a law to curves: `fit` returns a `Fit`, which predicts, reports, and is saved.

The search is variable projection (`losslaw.numerics.variable_projection`) from the law's own
starting values: all of them are tried, the best few are followed to the end, and how many ended in
the same optimum is reported. The same curves give the same fit, bit for bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.fitting.auto import Choice, choose
from losslaw.fitting.model_sizes import law_between
from losslaw.fitting.prediction import Prediction, predict
from losslaw.fitting.problem import Problem, pose
from losslaw.fitting.search import (
    coarse_search,
    data_objective,
    exact_search,
    left_out,
)
from losslaw.fitting.status import (
    Status,
    amplitudes_at_zero,
    bounds_reached,
    residual_scale,
)
from losslaw.fitting.uncertainty import Uncertainty, left_open, uncertainties
from losslaw.laws import Law, Query, Recipe, law_named
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule


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
class SizeFit:
    """The law of one model size among several that were fitted together.

    Attributes:
        model_size: Parameters of the model.
        law: The law with this size's amplitudes.
        uncertainty: What the intervals are made of; ``None`` if it was not asked for.
    """

    model_size: float
    law: Law
    uncertainty: Uncertainty | None


@dataclass(frozen=True)
class Fit:
    """A law fitted to curves.

    Attributes:
        law: The law with its fitted parameters; of several model sizes, that of the largest.
        free: Shapes that were searched.
        objective: Sum of Huber losses (delta 1e-3) of the log residuals; priors not counted.
        status: How the fit ended, in words.
        curves: What was fitted, and how well.
        notes: What was assumed or left out.
        uncertainty: What the intervals are made of; ``None`` if it was not asked for.
        skip: Points before this step were left out.
        choice: Two sentences on how the law was chosen; empty where the user named it.
        sizes: Laws of all model sizes, smallest first, where several were fitted.
        recipe: Name of the law's recipe (`Law.recipes`) that ``auto`` chose; empty where the law
            was fitted as it is by itself, or as the user said.
    """

    law: Law
    free: tuple[str, ...]
    objective: float
    status: Status
    curves: tuple[FittedCurve, ...]
    notes: tuple[str, ...] = ()
    uncertainty: Uncertainty | None = None
    skip: int = 0
    choice: tuple[str, ...] = ()
    sizes: tuple[SizeFit, ...] = ()
    recipe: str = ""

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
            model_size: Parameters of the model; it counts where several sizes were fitted. A size
                between or beyond them gets amplitudes along their trend, and a wider interval.

        Weight decay and batch size that the schedule leaves open are those of the fitted runs; a
        batch size does not count where those of the fitted runs are not known.

        Raises:
            InputError: steps outside the schedule, a level outside (0, 1), or a batch or model size
                left open where the fitted runs have several.
        """
        schedule = self.completed(schedule)
        if model_size is not None and model_size <= 0:
            raise InputError(f"model size is {model_size:g}, expected above 0")
        if self.sizes and model_size is None:
            raise InputError(
                "the fitted runs are of several model sizes: say which to predict (model_size=,"
                " --model-size)"
            )
        law, uncertainty = self.law, self.uncertainty
        if self.sizes and model_size is not None:
            law, uncertainty = self.at_size(model_size)
        return predict(law, uncertainty, schedule, steps, level, model_size, self.curves, self.skip)

    def at_size(self, model_size: float) -> tuple[Law, Uncertainty | None]:
        """The law for a model size among several fitted, between them or beyond."""
        for item in self.sizes:
            if abs(item.model_size / model_size - 1) < 0.01:
                return item.law, item.uncertainty
        return law_between(
            [(item.model_size, item.law, item.uncertainty) for item in self.sizes], model_size
        )

    def completed(self, schedule: Schedule) -> Schedule:
        """The schedule with the weight decay and batch size of the fitted runs where it has none.

        It has a batch size if and only if all fitted runs have one, if the law has a use for it.

        Raises:
            InputError: a batch size is left open, and the fitted runs have several.
        """
        if schedule.weight_decay is None and self.usual_weight_decay is not None:
            schedule = schedule.with_(weight_decay=self.usual_weight_decay)
        if not self.law.uses_batch:
            return schedule
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
        from losslaw.fitting.saved import save_fit

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
    law: str | type[Law] | Recipe = "auto",
    *,
    free: Sequence[str] | None = None,
    fixed: dict[str, Any] | None = None,
    skip: int | None = None,
    optimizer: str | None = None,
    uncertainty: bool = True,
) -> Fit:
    """Fit a law to one or several curves jointly.

    Minimises the sum over all points of Huber's loss (delta 1e-3) of log predicted minus log seen
    loss, plus the law's priors (see `losslaw.fitting.problem`). Curves of several known model sizes
    share their shapes and have amplitudes of their own.

    Args:
        curves: Curves of one model, or of a family of models; any schedules.
        law: ``auto``: see `losslaw.fitting.auto`; a name (see ``losslaw.LAWS``), a class, or a
            `Recipe`.
        free: Shapes to search; ``None``: those the law frees by itself. With ``auto`` they are
            shapes of ``effective``, which then is the law.
        fixed: Values for shapes that are not searched, and for settings such as ``warmup_drops``.
            With ``auto`` as ``free``.
        skip: Leave out points before this step; ``None``: before four warm-ups or a tenth of
            the longest run (400 updates of a short one), whichever is less, and never less than
            one warm-up.
        optimizer: For ``auto``: ``adamw`` in standard parametrisation, whose constants are built
            in; ``other``, whose units of the learning rate are not known; ``None``: the curves
            decide.
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
    runs = [curves] if isinstance(curves, LossCurve) else list(curves)
    choice = _choice(runs, law, free, fixed, skip, optimizer)
    problem, coarse = choice.problem, choice.found
    # Offsets come in last: they move the optimum by little, and cost most of the time.
    offset = len(problem.curves) > 1 and bool(problem.law.priors())
    problem = replace(problem, offsets=offset)
    found = exact_search(problem, coarse)
    point = found.point
    laws = problem.laws(point.theta, point.amplitudes)
    main = laws[-1]
    residual_sd = residual_scale(point.residuals)
    groups = problem.groups
    sentences: list[str] = []
    for group, each in enumerate(laws):
        rows = np.repeat([g == group for g in groups], [len(curve) for curve in problem.curves])
        width = len(each.amplitudes())
        own = point.columns[rows, group * width : (group + 1) * width]
        named = "" if len(laws) == 1 else f" at {problem.sizes[group]:.4g} parameters"
        sentences += [text + named for text in amplitudes_at_zero(each, own)]
    sentences += bounds_reached(main, problem.free)
    sentences += left_open(problem, laws, residual_sd)
    notes = [*problem.notes, found.agreement] if found.agreement else list(problem.notes)
    parts: tuple[Uncertainty | None, ...] = (None,) * len(laws)
    if uncertainty:
        tested = choice.tested if choice.tested is not None else left_out(problem, point)
        parts = uncertainties(problem, laws, point, residual_sd, tested)
    return Fit(
        main,
        problem.free,
        data_objective(problem, point),
        Status(found.converged, tuple(sentences)),
        tuple(
            _fitted_curve(laws[group], curve)
            for curve, group in zip(problem.curves, groups, strict=True)
        ),
        tuple(notes),
        parts[-1],
        problem.skip,
        choice.sentences,
        tuple(
            SizeFit(size, each, part)
            for size, each, part in zip(problem.sizes, laws, parts, strict=True)
            if size is not None and len(laws) > 1
        ),
        choice.recipe.name,
    )


def _choice(
    runs: list[LossCurve],
    law: str | type[Law] | Recipe,
    free: Sequence[str] | None,
    fixed: dict[str, Any] | None,
    skip: int | None,
    optimizer: str | None,
) -> Choice:
    """What to fit: as the user said, or as the curves call for."""
    if law == "auto" and free is None and not fixed:
        return choose(runs, skip=skip, optimizer=optimizer)
    if optimizer is not None:
        raise InputError("the optimizer is for law 'auto': a law that is named has its own units")
    if isinstance(law, Recipe):
        recipe = law
    else:
        # Who says what to search has chosen: of the law that auto would most often choose.
        chosen = law_named("effective" if law == "auto" else law) if isinstance(law, str) else law
        recipe = Recipe(chosen, None if free is None else tuple(free), fixed or {})
    problem = pose(recipe, runs, skip=skip)
    return Choice(recipe, problem, coarse_search(problem))


def _fitted_curve(law: Law, curve: LossCurve) -> FittedCurve:
    error = law.loss(Query(curve.schedule, curve.steps)) - curve.loss
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


def recipe_like(
    found: Fit, law: str | type[Law] | Recipe
) -> Callable[[Sequence[LossCurve]], Recipe]:
    """How curves are fitted the way these were."""
    if isinstance(law, Recipe):
        return lambda curves: law
    kind, name = type(found.law), found.recipe
    if name:
        return lambda curves: kind.recipes(curves)[name]
    return lambda curves: Recipe(kind)


def posed_like(found: Fit, law: str | type[Law] | Recipe, curves: Sequence[LossCurve]) -> Problem:
    """The problem that a fit of these curves by this law has solved."""
    problem = pose(recipe_like(found, law)(curves), curves, skip=found.skip)
    offsets = len(problem.curves) > 1 and bool(problem.law.priors())
    return replace(problem, offsets=offsets)


def theta_of(problem: Problem, found: Fit) -> FloatArray:
    """Log of the fitted shapes that a problem searches, at its reference size."""
    law, reference = found.law, problem.reference
    if found.sizes and reference is not None:
        law = law.at_size(reference, found.sizes[-1].model_size)
    return np.log([float(getattr(law, name)) for name in problem.free])
