"""What a run is worth now: the loss it would have if its learning rate were brought down.

A run at a high rate shows a loss that is .1 to .3 above what it is worth, and by how much depends
on the rate; so do comparisons of runs at different points of their schedules. `annealed` fits the
runs of one model together (`losslaw.annealing.models`), asks the fit for the end of a cooldown that
begins where each run is, and compares runs at an equal budget, with an interval of the
*difference*, in which what they share cancels (`losslaw.fitting.final_loss`).
"""

from collections.abc import Sequence

import numpy as np

from losslaw.annealing.cooldown import USUAL, Cooldown
from losslaw.annealing.models import Model, models_of, seeds_among
from losslaw.annealing.pairs import (
    BEST,
    Comparison,
    Configuration,
    Equal,
    checked_equal,
    seen_noise,
)
from losslaw.annealing.record import Annealed, AnnealedRun, Path
from losslaw.annealing.standing import FittedModel, Standing, fitted, settled
from losslaw.curves import LossCurve, Runs
from losslaw.curves.curve import shared_unit
from losslaw.errors import FitError, InputError
from losslaw.fitting.cleaning import start_of
from losslaw.fitting.optimizer import all_by
from losslaw.fitting.record import Fit
from losslaw.fitting.rules import Rules, check_source
from losslaw.fitting.status import told
from losslaw.fitting.trust import Trust, useless
from losslaw.laws import Law, Recipe
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.interval import Level
from losslaw.progress import Progress, silent

# Points at which the annealed loss along a run is worked out, where it is asked for.
POINTS = 40
# Of so many of them one is asked in full; the others lie between, where weights and widths are
# smooth and only the laws' losses are asked for.
BETWEEN = 4
# How bad a status is.
ORDER = ("not confirmed", "assumed", "confirmed")


def annealed(
    curves: Runs,
    *,
    over: float = USUAL,
    shape: str = "linear",
    final: float = 0.0,
    at: int | None = None,
    same_total: bool = False,
    against: str | None = None,
    equal: Equal = "updates",
    seeds: bool = False,
    group_by: str | None = None,
    earlier: Runs = (),
    fit: Fit | None = None,
    law: str | type[Law] | Recipe = "auto",
    optimizer: str | None = None,
    level: float = 0.9,
    skip: int | None = None,
    keep_all: bool = False,
    new_data: bool = False,
    path: bool = False,
    progress: Progress = silent,
) -> Annealed:
    """The loss that runs would have if they were annealed from where they are, and which is best.

    Args:
        curves: Runs, given as for `losslaw.fit`; those of one model are fitted together.
        over: Length of the cooldown: updates (a whole number) or a share of the updates so far.
        shape: Its shape: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        final: Learning rate at its end.
        at: Update after which the cooldowns begin; ``None``: the last of each log.
        same_total: Let all cooldowns *end* at one update: ``at``, or the last that all logs have.
        against: Label of the run that all others are compared with, or ``best``: that of the lowest
            annealed loss; ``None``: all pairs of up to twelve runs, of more all against the first.
        equal: At equal what two runs are compared: ``updates``, ``tokens`` (needs the batch size
            of both) or ``compute`` (needs model sizes too).
        seeds: Whether runs of one schedule are seeds of one configuration; such whose names
            differ in a seed only are taken for seeds in any case. Their spread is the noise of
            comparisons.
        group_by: How models are told apart: ``label`` (every run by itself), ``model_size``,
            ``optimizer``, ``batch``, ``weight_decay``, ``peak``, ``folder``, or a regular
            expression for a part of the labels. ``None``: see `losslaw.annealing.models`.
        earlier: Earlier runs of the same model, fitted together with these; decays among them make
            the answer much surer.
        fit: A saved fit of such runs, which answers as it is.
        law: As in `losslaw.fit`.
        optimizer: As in `losslaw.fit`.
        level: Share of cases the intervals are meant to hold, in (0, 1).
        skip: Leave out points before this step; ``None``: as in `losslaw.fit`.
        keep_all: Fit all points as they are; see `losslaw.fit`.
        new_data: Whether these runs have other data, or another order of them, than ``earlier`` or
            ``fit``.
        path: Work out the annealed loss along each run too.
        progress: Called with words as the work goes on.

    Raises:
        InputError: numbers out of range, a step that a log does not reach, a budget that cannot be
            compared, or runs that cannot be fitted.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> runs = {curve.label: curve for curve in ll.bundled_curves()}
    >>> stable = runs["constant_peak3e-3_T12000"]
    >>> result = ll.annealed(stable, over=3000, at=9000)
    >>> result.runs[0].steps, result.runs[0].loss < result.runs[0].raw
    (12000, True)
    """
    Level(level)
    cooldown = Cooldown(over=over, shape=shape, final=final)
    checked_equal(equal)
    runs, others = all_by(curves, optimizer), all_by(earlier, optimizer)
    check_source(runs, fit, others, law)
    _check_names(runs, against)
    for run in runs:
        if final >= run.peak_seen:
            raise InputError(
                f"the cooldown ends at a rate of {final:g}, and the peak of {run.label!r} is"
                f" {run.peak_seen:g}: give a lower one"
            )
    progress("reading the runs")
    start = start_of([*runs, *others], skip, keep_all=keep_all)
    models, sentences = [Model(name="the saved fit", runs=tuple(runs))], list[str]()
    if fit is None:
        models, sentences = models_of(runs, start, group_by, seeds=seeds)
    rules = Rules(skip=start, keep_all=keep_all)
    made: list[FittedModel] = []
    failed: list[str] = []
    for i, model in enumerate(models):
        progress(f"fitting {model.name} ({i + 1} of {len(models)})")
        try:
            made.append(
                fitted(model, others, fit, cooldown, law=law, rules=rules, new_data=new_data)
            )
        except (InputError, FitError) as error:
            if len(models) == 1:
                raise
            failed.append(f"{model.name} is left out: {error}")
    if not made:
        raise InputError(f"no run could be fitted: {'; '.join(failed)}")
    ends = _ends([run for one in made for run in one.standings.values()], cooldown, at, same_total)
    made = [settled(one, ends) for one in made]
    each = _configurations(made, [run.label for run in runs], declared=seeds)
    comparison = Comparison(
        cooldown=cooldown, equal=equal, ends=ends, level=level, noise=seen_noise(each)
    )
    progress("comparing")
    trusts = [(one.name, tuple(one.standings), one.trust(ends)) for one in made]
    names = {run.label: one.name for one in each for run in one.seeds}
    order = [
        (one, one.standings[run.label])
        for run in runs
        for one in made
        if run.label in one.standings
    ]
    warnings = [*failed, *(text for run in runs for text in run.warnings)]
    warnings += [run.warning for _, run in order if run.warning]
    warnings += [one.strayed for one in made if one.strayed]
    guessed, others = told([note for one in made for note in one.notes])
    return Annealed(
        runs=tuple(
            _answered(one, run, ends[run.label], names[run.label], level, path=path)
            for one, run in order
        ),
        pairs=tuple(comparison.pairs(each, against)),
        cooldown=cooldown,
        level=level,
        trust=_least([trust for _, _, trust in trusts]),
        models=tuple(trusts),
        notes=(*dict.fromkeys(sentences), *others),
        warnings=tuple(dict.fromkeys([*warnings, *guessed])),
        unit=shared_unit(run.curve for _, run in order),
    )


def _check_names(runs: Sequence[LossCurve], against: str | None) -> None:
    """Check that every run has a name of its own, and that the one asked for is among them.

    Raises:
        InputError: otherwise, or there are no runs.
    """
    labels = [run.label for run in runs]
    if not labels:
        raise InputError("no runs: expected at least one")
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"two runs are called {label!r}: give each a name of its own")
    if against is not None and against not in (BEST, *labels):
        raise InputError(
            f"against {against!r}: no run of that name, but {', '.join(labels[:8])}"
            + (" and others" if len(labels) > 8 else "")
        )


def _ends(
    runs: Sequence[Standing], cooldown: Cooldown, at: int | None, same_total: bool
) -> dict[str, int]:
    """After which update the cooldown of each run begins.

    Raises:
        InputError: a log does not go so far, or is warming up there.
    """
    begins = at
    if same_total:
        total = min(run.last for run in runs) if at is None else at
        begins = cooldown.begins(total)
        if begins < 1:
            raise InputError(
                f"a cooldown over {cooldown.over:,} updates cannot end at update {total:,}: give a"
                " shorter one"
            )
    return {run.label: run.checked(run.last if begins is None else begins) for run in runs}


def _configurations(
    models: Sequence[FittedModel], labels: Sequence[str], *, declared: bool
) -> list[Configuration]:
    """What is compared, in the order of the runs."""
    out: list[Configuration] = []
    for model in models:
        curves = [run.curve for run in model.standings.values()]
        for name, seeds in seeds_among(curves, declared).items():
            runs = tuple(model.standings[seed.label] for seed in seeds)
            out.append(Configuration(name=name, model=model, seeds=runs))
    return sorted(out, key=lambda one: labels.index(one.first.label))


def _answered(
    model: FittedModel, run: Standing, at: int, name: str, level: float, *, path: bool
) -> AnnealedRun:
    worth = model.worth(run, at)
    interval = worth.interval(level)
    return AnnealedRun(
        label=run.label,
        model=model.name,
        configuration=name,
        at=at,
        over=worth.schedule.horizon - at,
        loss=worth.loss,
        interval=interval,
        raw=run.raw(at),
        path=_path(model, run, at, level) if path else None,
        refused=interval is not None and useless(interval, worth.loss),
    )


def _path(model: FittedModel, run: Standing, at: int, level: float) -> Path:
    """The annealed loss along a run, from where its warm-up and early losses are over."""
    first = max(int(run.curve.steps[0]), run.curve.schedule.warmup + 1, min(model.fit.skip, at))
    steps = np.unique(np.geomspace(first, at, POINTS).round().astype(np.int64))
    full = np.unique(np.append(np.arange(0, steps.size, BETWEEN), steps.size - 1))
    each = [model.worth(run, int(step)) for step in steps[full]]
    nearest: IntArray = np.abs(full[:, None] - np.arange(steps.size)).argmin(axis=0)
    loss = np.array(
        [model.near(each[int(nearest[i])], run, int(step)) for i, step in enumerate(steps)]
    )
    loss[full] = [worth.loss for worth in each]
    found = [worth.interval(level) for worth in each]
    bounds = [(one.lower, one.upper) for one in found if one is not None]
    sides: list[FloatArray | None] = [None, None]
    if len(bounds) == len(found):
        sides = [
            loss * _between(steps, full, np.array(side) / loss[full], nearest)
            for side in zip(*bounds, strict=True)
        ]
    return Path(
        steps=steps,
        loss=loss,
        lower=sides[0],
        upper=sides[1],
        raw=np.array([run.raw(int(step)) for step in steps]),
    )


def _between(steps: IntArray, full: IntArray, ratios: FloatArray, nearest: IntArray) -> FloatArray:
    """Ratios at some steps, at all: smooth in the log of the step, or the nearest one's."""
    if not np.isfinite(ratios).all():
        return ratios[nearest]
    return np.interp(np.log(steps), np.log(steps[full]), ratios)


def _least(trusts: Sequence[Trust | None]) -> Trust | None:
    """What stands behind all answers: what stands behind the one that has least."""
    known = [trust for trust in trusts if trust is not None]
    return min(known, key=lambda trust: ORDER.index(trust.status), default=None)
