"""The search for the best shapes, and how well the rest predicts each curve left out.

All starting values are tried, the best few are followed on updates taken together in blocks, and
the last search takes the updates one by one (of very long logs a few together: `pose`). Left-out
curves are predicted by searches that begin where the whole ended.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import FitError
from losslaw.fitting.problem import Problem
from losslaw.laws import Query, variety
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.variable_projection import Point, huber, minimise, project
from losslaw.schedules.agreement import departure

# Starts that are followed to the end.
FOLLOWED = 3
# Fewest updates in a block until the last search, which takes them one by one.
BLOCK = 8
# About as many blocks a run has, if it is long.
BLOCKS = 600
# How exact a search is that only shows which start is best.
NEARLY, SETTLED = 1e-4, 1e-9


def coarse(problem: Problem, blocks: int = BLOCKS) -> Problem:
    """The problem on blocks of updates: fast, and nearly right."""
    longest = max(int(curve.steps[-1]) for curve in problem.curves)
    return problem.in_blocks(max(BLOCK, longest // blocks))


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The end of a search.

    Attributes:
        point: The best optimum.
        converged: Whether the search met its tolerances.
        agreement: A sentence on how the starts agreed; empty if they did.
    """

    point: Point
    converged: bool
    agreement: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class LeftOut:
    """A curve predicted by a fit of the others, where its schedule departs from theirs.

    Attributes:
        curve: Its place among the curves.
        error: Predicted minus observed loss. Shape ``(u,)``.
    """

    curve: int
    error: FloatArray

    @property
    def mean_square(self) -> float:
        """Mean square error, in nats squared."""
        return float(np.mean(self.error**2))


def coarse_search(problem: Problem) -> Optimum:
    """The best optimum on updates taken together in blocks."""
    separable = coarse(problem).separable(SETTLED)
    grid = [
        np.log(np.array(values, dtype=np.float64))
        for values in itertools.product(*[problem.starts[name] for name in problem.free])
    ]
    with np.errstate(over="ignore", invalid="ignore"):
        tried = [project(separable, theta) for theta in grid]
    tried = [point for point in tried if np.isfinite(point.objective)]
    if not tried:
        raise FitError(f"{problem.law.name}: no starting value gives finite losses on these curves")
    tried.sort(key=lambda point: point.objective)
    ends = [minimise(separable, point.theta, tolerance=NEARLY) for point in tried[:FOLLOWED]]
    ends.sort(key=lambda end: end[0].objective)
    same = sum(end.objective <= ends[0][0].objective * (1 + 1e-3) + 1e-12 for end, _ in ends)
    sentence = ""
    if same < len(ends):
        sentence = f"{same} of the {len(ends)} searches followed ended in the best optimum"
    point, converged = minimise(separable, ends[0][0].theta, tolerance=1e-6)
    return Optimum(point=point, converged=converged, agreement=sentence)


def exact_search(problem: Problem, start: Optimum) -> Optimum:
    """From a coarse optimum to the one with every update by itself, and offsets if asked for."""
    near, _ = minimise(coarse(problem).separable(), start.point.theta)
    best, converged = minimise(problem.separable(), near.theta, tolerance=1e-7)
    return Optimum(point=best, converged=converged, agreement=start.agreement)


def data_objective(problem: Problem, point: Point) -> float:
    """Sum of the Huber losses of the log residuals; priors and offsets not counted."""
    return huber(np.log(point.columns @ point.amplitudes) - problem.logs)


def left_out(problem: Problem, point: Point, folds: Sequence[int] | None = None) -> list[LeftOut]:
    """Each curve left out in turn and predicted where its schedule departs from the others.

    Args:
        problem: What was fitted.
        point: Where the whole ended.
        folds: Curves to leave out; ``None``: all.

    Returns:
        One entry for each curve of which anything is unseen without it.
    """
    plain = replace(problem, offsets=False)
    count = len(plain.curves)
    groups = plain.groups
    predicted: list[LeftOut] = []
    for i in folds if folds is not None else range(count):
        others = [k for k in range(count) if k != i]
        # Of a model size with no other run nothing is known: its amplitudes are its own.
        mates = [k for k in others if groups[k] == groups[i]]
        if not mates:
            continue
        held_out = plain.curves[i]
        left = departure(
            held_out.schedule,
            [(plain.curves[k].schedule, int(plain.curves[k].steps[-1])) for k in mates],
        )
        unseen = held_out.steps > left
        rest = coarse(plain.only(others))
        # The only decay, or the only run of its peak, is a harder question than a user's will be.
        if not unseen.any() or not as_varied(rest.curves, plain.curves):
            continue
        end, _ = minimise(rest.separable(), point.theta)
        law = rest.laws(end.theta, end.amplitudes)[groups[i]]
        part = held_out.some(unseen)
        query = Query(part.schedule, part.steps, rest.queries[0].block, window=part.window)
        error = law.loss(query) - part.loss
        predicted.append(LeftOut(curve=i, error=error))
    return predicted


def as_varied(rest: Sequence[LossCurve], whole: Sequence[LossCurve]) -> bool:
    """Whether the rest still shows a decay, and as many peaks as the whole."""
    ours, theirs = variety(rest), variety(whole)
    return ours.peaks == theirs.peaks and (ours.decays > 0) == (theirs.decays > 0)
