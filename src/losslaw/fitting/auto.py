"""``law="auto"``: which law and which constants these curves call for.

The effective-rate law predicts schedules left out better than any other on every collection it was
tried on; what is not known beforehand is whether its built-in constants hold. They are those of
AdamW in standard parametrisation. So the choice is made in this order.

1. The user or the log says which optimiser it was (`optimizer_of`): done.
2. A peak above ``ADAMW_PEAK`` is not one of AdamW in standard parametrisation: free units.
3. With the built-in constants the law follows the fitted curves to ``GOOD`` nats, or as well as
   with free units (within a factor 2): the built-in constants. They predict better from few curves.
4. Free units follow the curves much better. If enough schedules can be left out in turn, the
   better prediction of those decides. Otherwise the built-in constants stay, with an interval as
   wide as their misfit, unless that is ``FAR`` nats, ``MUCH`` times that of free units, and the
   constants that free units found are far from the built-in ones: few runs and many constants
   follow anything, and then predict nothing.
5. Where even that misfits the curves by ``BAD`` nats and schedules can be left out, the other
   laws are tried on them too.

Choices were made on the bundled curves, on the public 25M and 100M models and on curves of the law
itself in other units; the other protocols of the validation confirm them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.fitting.optimizer import optimizer_of
from losslaw.fitting.problem import Problem, pose
from losslaw.fitting.search import LeftOut, Optimum, coarse_search, left_out
from losslaw.fitting.uncertainty import smooth_misfit
from losslaw.laws import LAWS, Effective, Recipe, variety
from losslaw.laws.effective import UNITS, adamw, free_units

# A higher peak is not one of AdamW in standard parametrisation.
ADAMW_PEAK = 0.02
# Misfits, in nats: with the built-in constants good enough; so bad that other laws are tried.
GOOD = 2e-3
BAD = 0.01
# A misfit that takes free units where they cannot be tested: in nats, and times that of theirs.
FAR, MUCH = 8e-3, 4.0
# Free units and built-in constants this close, in the log, are the same.
NEAR = 1.5
# Schedules that must be left out before their errors are compared.
FOLDS = 3
# How much better, as a ratio of errors on schedules left out, free units or another law must be.
CLEARLY, BETTER = 0.7, 0.8


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is to be fitted.

    Attributes:
        recipe: How the law is fitted.
        problem: The chosen law and the curves.
        optimum: Its coarse optimum.
        sentences: Why, in two sentences; empty where the user chose.
        tested: How the law predicted schedules left out, if that has been worked out.
    """

    recipe: Recipe
    problem: Problem
    optimum: Optimum
    sentences: tuple[str, ...] = ()
    tested: tuple[LeftOut, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A recipe fitted to the curves, and what it is worth."""

    recipe: Recipe
    problem: Problem
    optimum: Optimum

    @property
    def misfit(self) -> float:
        """Root mean square error on the fitted curves without their white noise, in nats."""
        return smooth_misfit(self.problem, self.optimum.point)

    def tested(self) -> tuple[LeftOut, ...]:
        """How it predicts each schedule left out in turn."""
        return tuple(left_out(self.problem, self.optimum.point))


def choose(
    curves: Sequence[LossCurve], *, skip: int | None = None, optimizer: str | None = None
) -> Choice:
    """The law and the recipe for these curves; see the module for the order of the questions.

    Args:
        curves: What is to be fitted.
        skip: Leave out points before this step; ``None``: see `losslaw.fit`.
        optimizer: What trained them; ``None``: what the curves say.

    Raises:
        InputError: an optimiser of another name, or curves that cannot be fitted.
    """
    optimizer = optimizer_of(curves, optimizer)
    if not curves:
        raise InputError("no curves to fit: expected at least one")
    shown = _what_they_show(curves)
    peak = max(float(curve.schedule.peak_lr) for curve in curves)
    if optimizer == "other" or (optimizer is None and peak > ADAMW_PEAK):
        free = _fitted(free_units(curves), curves, skip)
        why = (
            "the optimiser is not AdamW"
            if optimizer
            else f"a peak of {peak:g} is not one of AdamW in standard parametrisation"
        )
        return _or_a_rival(free, curves, skip, f"{shown}.", f"{why}: its units are searched")
    usual = _fitted(adamw(curves), curves, skip)
    opened = ", ".join(usual.problem.free)
    built_in = f"{shown}, so {opened} are searched and the other constants are built in."
    if optimizer == "adamw":
        return _chosen(usual, built_in, "The optimiser was given as AdamW")
    misfit = usual.misfit
    fits = f"With AdamW's constants the law follows these curves to {misfit:.4f} nats"
    if misfit <= GOOD:
        return _chosen(usual, built_in, fits)
    free = _fitted(free_units(curves), curves, skip)
    if misfit <= 2 * free.misfit:
        also = f"{fits}, with free units to {free.misfit:.4f}"
        return _or_a_rival(usual, curves, skip, built_in, also)
    ours, theirs = usual.tested(), free.tested()
    if min(len(ours), len(theirs)) >= FOLDS:
        here, there = _error(ours), _error(theirs)
        verdict = (
            f"Schedules left out are predicted to {here:.4f} nats with AdamW's constants and to"
            f" {there:.4f} with free units"
        )
        if there > CLEARLY * here:
            return _chosen(usual, built_in, verdict, ours)
        return _or_a_rival(free, curves, skip, f"{shown}.", verdict, theirs)
    units = free.problem.at(free.optimum.point.theta).parameters
    built = Effective().parameters
    if all(abs(np.log(units[name] / built[name])) < NEAR for name in UNITS):
        also = f"{fits}, and free units end near those constants"
        return _chosen(usual, built_in, also)
    if misfit < max(FAR, MUCH * free.misfit):
        also = (
            f"{fits}, with free units to {free.misfit:.4f}, which so few schedules cannot tell"
            " from chance: say optimizer='other' if it was not AdamW"
        )
        return _chosen(usual, built_in, also)
    away = f"{fits}, with free units to {free.misfit:.4f} and far from those constants"
    return _or_a_rival(free, curves, skip, f"{shown}.", away)


def _fitted(recipe: Recipe, curves: Sequence[LossCurve], skip: int | None) -> Candidate:
    problem = pose(recipe, curves, skip=skip)
    return Candidate(recipe=recipe, problem=problem, optimum=coarse_search(problem))


def _chosen(
    candidate: Candidate, first: str, second: str, tested: tuple[LeftOut, ...] | None = None
) -> Choice:
    return Choice(
        recipe=candidate.recipe,
        problem=candidate.problem,
        optimum=candidate.optimum,
        sentences=(first, f"{_sentence(second)}."),
        tested=tested,
    )


def _or_a_rival(
    candidate: Candidate,
    curves: Sequence[LossCurve],
    skip: int | None,
    first: str,
    second: str,
    tested: tuple[LeftOut, ...] | None = None,
) -> Choice:
    """The candidate, unless it misfits badly and another law predicts left-out schedules better."""
    if candidate.misfit <= BAD:
        return _chosen(candidate, first, second, tested)
    tested = candidate.tested() if tested is None else tested
    if len(tested) < FOLDS:
        return _chosen(candidate, first, second, tested)
    best, error = candidate, _error(tested)
    for law in reversed(LAWS.values()):
        if not law.rival:
            continue
        rival = _fitted(Recipe(law), curves, skip)
        theirs = rival.tested()
        if len(theirs) == len(tested) and _error(theirs) < BETTER * error:
            best, error, tested = rival, _error(theirs), theirs
    if best is not candidate:
        title = best.recipe.law.title
        second = f"of all laws the {title} predicts schedules left out best, to {error:.4f} nats"
    return _chosen(best, first, second, tested)


def _error(tested: Sequence[LeftOut]) -> float:
    """Root mean square error over schedules left out, each counting the same."""
    return float(np.sqrt(np.mean([item.mean_square for item in tested])))


def _what_they_show(curves: Sequence[LossCurve]) -> str:
    shown = variety(curves)
    runs = "The one run shows" if len(curves) == 1 else f"The {len(curves)} runs show"
    peaks = "one peak" if shown.peaks == 1 else f"{shown.peaks} peaks"
    if not shown.decays:
        return f"{runs} {peaks} and no decay"
    return f"{runs} {peaks} and {shown.decays} decay{'s' if shown.decays > 1 else ''}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
