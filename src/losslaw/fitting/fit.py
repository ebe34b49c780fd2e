"""Fit a law to curves: `fit` returns a `losslaw.Fit`.

The search is variable projection (`losslaw.numerics.variable_projection`) from the law's own
starting values: all of them are tried, the best few are followed to the end, and how many ended in
the same optimum is reported. The same curves give the same fit, bit for bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from losslaw.curves import LossCurve, Runs
from losslaw.errors import InputError
from losslaw.fitting.cleaning import CleanedRuns, cleaned_runs
from losslaw.fitting.contest import Contest, contest, size_fits, with_offsets
from losslaw.fitting.misfit import misfit_of
from losslaw.fitting.optimizer import all_by, disagreement
from losslaw.fitting.prediction import FittedCurve
from losslaw.fitting.problem import Problem, pose
from losslaw.fitting.record import Fit
from losslaw.fitting.rungs import unlike_cooldowns
from losslaw.fitting.search import (
    coarse_search,
    data_objective,
    exact_search,
    left_out,
)
from losslaw.fitting.status import (
    UNTESTED,
    Note,
    Status,
    amplitudes_at_zero,
    bounds_reached,
    residual_scale,
)
from losslaw.fitting.trunks import other_trunks
from losslaw.fitting.uncertainty import Uncertainty, left_open, uncertainties
from losslaw.laws import Law, Recipe, law_named
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.variable_projection import Point


def fit(
    curves: Runs,
    law: str | type[Law] | Recipe | None = "auto",
    *,
    free: Sequence[str] | None = None,
    fixed: dict[str, Any] | None = None,
    skip: int | None = None,
    optimizer: str | None = None,
    uncertainty: bool = True,
    keep_all: bool = False,
) -> Fit:
    """Fit a law to one or several curves jointly.

    Minimises the sum over all points of Huber's loss (delta 1e-3) of log predicted minus log
    observed loss, plus the law's priors (see `losslaw.fitting.problem`). Curves of several known
    model sizes share their shapes and have amplitudes of their own.

    Args:
        curves: Curves of one model, or of a family of models, or what `losslaw.read_curves` reads;
            any schedules.
        law: ``auto`` or ``None``: a mixture of laws, see `losslaw.fitting.mixture`; a name (see
            ``losslaw.LAWS``), a class, or a `Recipe`.
        free: Shapes to search; ``None``: those the law frees by itself. With ``auto`` they are
            shapes of ``effective``, which then is the law.
        fixed: Values for shapes that are not searched, and for settings such as ``warmup_drops``.
            With ``auto`` as ``free``.
        skip: Leave out points before this step; ``None``: before four warm-ups or a tenth of
            the longest run (400 updates of a short one), whichever is less, and never less than
            one warm-up.
        optimizer: What trained them all (`losslaw.logs.optimizer`), in the place of what the
            curves say. For ``auto``: the constants of ``adamw`` in standard parametrisation are
            built in, the units of the learning rate of any other are not known; where nobody says
            which it was, both are weighed.
        uncertainty: Work out what intervals need: one further fit for each curve left out.
        keep_all: Fit all points as they are. Otherwise spikes and a divergence are left out, dense
            logs averaged, and a tenth of a long run of which no warm-up is known left out; see
            `losslaw.fitting.cleaning`. The notes of the fit say what was done.

    Returns:
        The fit. A doubtful one is returned too, with a status that says what is doubtful.

    Raises:
        InputError: curves or names that cannot be used.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> law = ll.Momentum(L0=2.0, A=1.0, C=0.5, alpha=0.5)
    >>> runs = [ll.cosine(peak=0.01, horizon=900), ll.constant(peak=0.01, horizon=900)]
    >>> curves = [law.curve(run, range(10, 901, 10), label) for run, label in zip(runs, "ab")]
    >>> fit = ll.fit(curves, "momentum")
    >>> round(fit.parameters["alpha"], 4), round(fit.parameters["C"], 4)
    (0.5, 0.5)
    """
    law = "auto" if law is None else law
    given = all_by(curves, optimizer)
    # By what they are and not by the order in which they came: sums then have the same last digit.
    order = sorted(range(len(given)), key=lambda k: _content(given[k]))
    every = [given[k] for k in order]
    clean = cleaned_runs(every, skip, keep_all=keep_all)
    runs = clean.curves
    mixed: Contest | None = None
    if law == "auto" and free is None and not fixed:
        mixed = _contest(clean)
        problem, start = mixed.heaviest.problem, mixed.heaviest.optimum
        recipe = mixed.heaviest.candidate.recipe
    else:
        recipe = _recipe(law, free, fixed)
        problem = pose(recipe, runs, skip=clean.skip)
        start = coarse_search(problem)
        problem = with_offsets(problem)
    optimum = exact_search(problem, start)
    point = optimum.point
    laws = problem.laws(point.theta, point.amplitudes)
    parts: tuple[Uncertainty | None, ...] = (None,) * len(laws)
    if uncertainty:
        tested = left_out(problem, point) if mixed is None else mixed.of_heaviest
        parts = uncertainties(problem, laws, point, residual_scale(point.residuals), tested)
    sizes = size_fits(problem.sizes, laws, parts)
    mixture = None if mixed is None else mixed.settled(laws[-1], parts[-1], sizes)
    trunks = None if mixture is None else other_trunks(given, problem.skip)
    if mixture is not None and trunks is not None:
        mixture = replace(mixture, other_data=True)
    errors = [
        laws[group].loss(query) - curve.loss
        for curve, query, group in zip(problem.curves, problem.queries, problem.groups, strict=True)
    ]
    misfit = misfit_of(problem.curves, errors)
    if mixture is not None and misfit.whole:
        mixture = replace(mixture, missed=misfit.sentence)
    agreement = [Note(text=optimum.agreement)] if optimum.agreement else []
    rungs = unlike_cooldowns(every) if sizes else None
    made = Fit(
        law=laws[-1],
        free=problem.free,
        objective=data_objective(problem, point),
        status=Status(
            converged=optimum.converged,
            sentences=_doubts(problem, point, laws),
            misfit=misfit.sentence,
        ),
        curves=tuple(
            _fitted_curve(curve, error) for curve, error in zip(problem.curves, errors, strict=True)
        ),
        notes=(
            *(problem.notes if mixed is None else mixed.notes),
            *([] if trunks is None else [trunks]),
            *([] if rungs is None else [rungs]),
            *agreement,
        ),
        uncertainty=parts[-1],
        skip=problem.skip,
        sizes=sizes,
        recipe=recipe.name,
        mixture=mixture,
    )
    made = clean.remembered(made)
    place = {curve.label: k for k, curve in enumerate(given)}
    return replace(
        made,
        curves=tuple(sorted(made.curves, key=lambda curve: place[curve.label])),
        # Those of single runs first, in the order of the runs.
        notes=tuple(sorted(made.notes, key=lambda note: place.get(note.label, len(given)))),
    )


def _content(curve: LossCurve) -> tuple[bytes, ...]:
    """Whatever of a run counts, for an order that neither files nor labels change."""
    plan = curve.schedule
    along = (plan.lr, plan.batch, plan.weight_decay, curve.window, curve.steps, curve.loss)
    return tuple(b"" if each is None else each.tobytes() for each in along)


def _contest(clean: CleanedRuns) -> Contest:
    """The laws of a mixture; where the runs are too short, whether that is by what was left out."""
    try:
        return contest(clean.curves, skip=clean.skip)
    except InputError as error:
        if not clean.notes:
            raise
        notes = "; ".join(str(note) for note in clean.notes)
        raise InputError(f"{error} ({notes}; keep_all=True, --keep-all fits all)") from None


def _doubts(problem: Problem, point: Point, laws: Sequence[Law]) -> tuple[str, ...]:
    """What to know before using the fit: optimisers that differ, and what is not determined."""
    mixed = disagreement(problem.curves)
    sentences = [mixed] if mixed else []
    points, needed = sum(map(len, problem.curves)), problem.parameters
    if points <= needed:
        sentences.append(
            f"{points} points for {needed} parameters: the fit goes through them whether the law is"
            f" right or not, and {UNTESTED}"
        )
    for group, law in enumerate(laws):
        rows = np.repeat(
            [other == group for other in problem.groups], [len(curve) for curve in problem.curves]
        )
        width = len(law.amplitudes())
        own = point.columns[rows, group * width : (group + 1) * width]
        size = "" if len(laws) == 1 else f" at {problem.sizes[group]:.4g} parameters"
        sentences += [text + size for text in amplitudes_at_zero(law, own)]
    sentences += bounds_reached(laws[-1], problem.free)
    sentences += left_open(problem, laws, residual_scale(point.residuals))
    return tuple(sentences)


def _recipe(
    law: str | type[Law] | Recipe,
    free: Sequence[str] | None,
    fixed: dict[str, Any] | None,
) -> Recipe:
    """How to fit the one law that the user named."""
    if isinstance(law, Recipe):
        return law
    # Who says what to search has chosen: of the law that is heaviest most often.
    chosen = law_named("effective" if law == "auto" else law) if isinstance(law, str) else law
    if not (isinstance(chosen, type) and issubclass(chosen, Law)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"law is {law!r}, expected a name, a class of losslaw.LAWS or a Recipe")
    return Recipe(chosen, None if free is None else tuple(free), fixed or {})


def _fitted_curve(curve: LossCurve, error: FloatArray) -> FittedCurve:
    return FittedCurve(
        label=curve.label,
        schedule=curve.schedule,
        first_step=int(curve.steps[0]),
        last_step=int(curve.steps[-1]),
        points=len(curve),
        rmse=float(np.sqrt(np.mean(error**2))),
        final_error=float(error[-3:].mean()),
        model_size=curve.model_size,
        unit=curve.unit,
    )


def recipe_like(fit: Fit, law: str | type[Law] | Recipe) -> Callable[[Sequence[LossCurve]], Recipe]:
    """How curves are fitted the way these were."""
    if isinstance(law, Recipe):
        return lambda curves: law
    kind, name = type(fit.law), fit.recipe
    if name:
        return lambda curves: kind.recipes(curves)[name]
    return lambda curves: Recipe(kind)


def posed_like(fit: Fit, law: str | type[Law] | Recipe, curves: Sequence[LossCurve]) -> Problem:
    """The problem that a fit of these curves by this law has solved."""
    return with_offsets(pose(recipe_like(fit, law)(curves), curves, skip=fit.skip))


def theta_of(problem: Problem, fit: Fit) -> FloatArray:
    """Log of the fitted shapes that a problem searches, at its reference size."""
    law, reference = fit.law, problem.reference
    if fit.sizes and reference is not None:
        law = law.at_size(reference, fit.sizes[-1].model_size)
    return np.log([float(getattr(law, name)) for name in problem.free])
