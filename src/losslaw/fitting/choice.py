"""``law="auto"``: which law these curves call for."""

from collections.abc import Sequence
from dataclasses import dataclass

from losslaw.curves import LossCurve
from losslaw.fitting.problem import Problem, pose
from losslaw.fitting.recipes import adamw
from losslaw.fitting.search import Found, LeftOut, coarse_search


@dataclass(frozen=True)
class Choice:
    """What is to be fitted.

    Attributes:
        problem: The chosen law and the curves.
        found: Its coarse optimum.
        sentences: Why, in two sentences; empty where the user chose.
        tested: How the law predicted schedules left out, if that has been worked out.
    """

    problem: Problem
    found: Found
    sentences: tuple[str, ...] = ()
    tested: tuple[LeftOut, ...] | None = None


def choose(
    curves: Sequence[LossCurve], *, skip: int | None = None, optimizer: str | None = None
) -> Choice:
    """The law and recipe for these curves."""
    problem = pose(adamw(curves), curves, skip=skip)
    return Choice(problem, coarse_search(problem), ("a",))
