"""The free-form search: from a few knots to single updates, from several starts.

Each start is followed with bounded quasi-Newton steps (L-BFGS-B) on a chain of some sixty knots;
the best end is followed on, with ever more knots where the schedule moves, until more knots gain
nothing, and at last with every update by itself instead of blocks of them. How the starts agree,
and how much the loss could still fall to first order when every update is free, says whether the
search has converged.

The multi-power law is its own case: it scores a whole fall at the rate after it, so that two falls
in one jump pay more than two small ones, and its best schedule is a staircase. There rates are held
between knots, and the places of the stairs are searched as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize
from scipy.sparse import eye_array, vstack

from losslaw.designing.rate_chain import Chain, first_chain
from losslaw.designing.stairs import best_stairs
from losslaw.designing.task import Task
from losslaw.laws import MultiPower
from losslaw.numerics.arrays import FloatArray, IntArray, dot
from losslaw.schedules import Schedule

INTERVALS = 48  # of the first chain
BLOCKS = 16  # of updates between two knots, until the last search, which takes them one by one
LARGEST = 1500  # knots of the last chain
SAME = 1e-5  # nats: ends closer than this are one optimum
ENOUGH = 1e-4  # gained by more knots, as the search sees losses: 1e-7 nats in language models
SCALE = 1e3  # the search sees millinats, so that its tolerances are small ones
EXCESS = 3e2  # and a loss above the irreducible one of at least this


@dataclass(frozen=True)
class Start:
    """Where a search began, and the loss it ended at.

    Attributes:
        name: The schedule it began from.
        loss: Final loss at the end of the first, coarse search.
        best: Whether that is the best optimum found, within 1e-5 nats.
    """

    name: str
    loss: float
    best: bool


@dataclass(frozen=True)
class Found:
    """The end of a free-form search.

    Attributes:
        schedule: The best schedule found.
        room: How much lower the final loss could be to first order, in nats (`Task.room`).
        starts: What was tried.
        evaluations: Losses with gradients that were computed.
        knots: Of the last chain.
    """

    schedule: Schedule
    room: float
    starts: tuple[Start, ...]
    evaluations: int
    knots: int


def search(task: Task, starts: dict[str, Schedule], say: Callable[[str], None]) -> Found:
    """The schedule of lowest final loss under the constraints of the task.

    Args:
        task: The task; its law has a gradient.
        starts: Schedules to begin from, by name; need not meet the constraints.
        say: Called with a word on progress.
    """
    jumps = isinstance(task.law, MultiPower) and task.max_slope is None
    follower = _Follower(task)
    if jumps:
        ends: list[tuple[float, str, Chain, FloatArray]] = []
        for count in (1, 2, 3, 4):
            say(f"{count} stairs")
            stairs = best_stairs(task, count)
            chain = _around(task, stairs)
            w, loss = follower.follow(chain, chain.invert(stairs.lr))
            ends.append((loss, f"{count} stairs", chain, w))
    else:
        chain = first_chain(task, INTERVALS)
        ends = []
        for name, schedule in starts.items():
            say(f"from {name}")
            # At a rate of exactly the floor nothing that follows could move.
            w = np.maximum(chain.invert(schedule.lr), 0.02)
            w, _ = follower.follow(chain, w, BLOCKS)
            ends.append((task.quick_loss(follower.schedule(chain, w)), name, chain, w))
    ends.sort(key=lambda end: end[0])
    loss, _, chain, w = ends[0]
    said = tuple(Start(name, end, end <= loss + SAME) for end, name, _, _ in ends)
    while not jumps and chain.knots.size < LARGEST:
        finer = chain.refined(w)
        if finer.knots.size == chain.knots.size:
            break
        say(f"{finer.knots.size} knots")
        same = finer.invert(chain.rates(w))
        before = task.gradient(follower.schedule(finer, same), finer.blocks(BLOCKS))[0]
        chain = finer
        w, lower = follower.follow(chain, same, BLOCKS)
        gained = before - lower
        if gained < ENOUGH / follower.scale:
            break
    if not jumps:
        say("every update by itself")
        w, _ = follower.follow(chain, w)
    schedule = follower.schedule(chain, w)
    fixed = task if task.lowest_peak is None else task.at_peak(float(chain.levels(w)[0]))
    if task.max_slope is None:
        room = fixed.room(schedule)
    else:
        room = _room_with_slope(replace(chain, task=fixed), schedule)
    return Found(schedule, room, said, follower.count, int(chain.knots.size))


def _room_with_slope(chain: Chain, schedule: Schedule) -> float:
    """`Task.room` under a limit to the slope: a linear program over the rates at the knots."""
    task, size = chain.task, chain.knots.size
    slope = (task.max_slope or np.inf) * task.peak * chain.gaps
    cost = chain.by_level(task.gradient(schedule)[1])[1:]
    rise: Any = eye_array(size) - eye_array(size, k=-1)
    first = np.zeros(size)
    first[0] = task.start
    most = slope if task.rising else np.zeros(size)
    scale = 1.0 / max(float(np.abs(cost).max()), 1e-300)
    best: Any = linprog(
        cost * scale,
        A_ub=vstack([rise, -rise]),
        b_ub=np.concatenate([most + first, slope - first]),
        bounds=(task.floor, task.top),
    )
    return max(dot(cost, schedule.lr[chain.knots - 1]) - float(best.fun) / scale, 0.0)


class _Follower:
    """Quasi-Newton searches of one task, their evaluations counted."""

    def __init__(self, task: Task):
        self.task = task
        self.count = 0
        self.scale = SCALE

    def schedule(self, chain: Chain, w: FloatArray) -> Schedule:
        return self.task.template.with_(lr=chain.rates(w))

    def follow(
        self, chain: Chain, begin: FloatArray, most: int | None = None
    ) -> tuple[FloatArray, float]:
        """The local optimum that ``begin`` leads to, and its loss.

        With ``most``, updates between knots are taken together in up to so many blocks.
        """
        starts = None if most is None else chain.blocks(most)
        w, loss = self._once(chain, begin, starts)
        # Limits to the slope have kinks, where a search may stop too early: begin anew from there.
        for _ in range(3 if self.task.max_slope is not None else 0):
            before = loss
            w, loss = self._once(chain, w, starts)
            if before - loss < ENOUGH / self.scale:
                break
        return w, loss

    def _once(
        self, chain: Chain, begin: FloatArray, starts: IntArray | None
    ) -> tuple[FloatArray, float]:
        reference = self.task.gradient(self.schedule(chain, begin), starts)[0]
        excess = reference - self.task.law.parameters.get("L0", 0.0)
        self.scale = min(max(SCALE, EXCESS / max(excess, 1e-300)), 1e9)

        def objective(w: FloatArray) -> tuple[float, FloatArray]:
            self.count += 1
            loss, gradient = self.task.gradient(self.schedule(chain, w), starts)
            return self.scale * (loss - reference), self.scale * chain.pull(w, gradient)

        bounds = [(0.0, 1.0)] * begin.size
        if self.task.given == 0:  # a schedule of zeros is none
            bounds[1] = (1e-6, 1.0)
        end = minimize(
            objective,
            begin,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            # Improvements below 1e-9 nats end the search, or 3e-9 of a small excess.
            options={"maxcor": 30, "ftol": 1e-6, "gtol": 1e-7, "maxiter": 500, "maxfun": 700},
        )
        return np.asarray(end.x, dtype=np.float64), reference + float(end.fun) / self.scale


def _around(task: Task, stairs: Schedule) -> Chain:
    """A chain with a knot at the end of every stair, and more of them around and between."""
    jumps = np.flatnonzero(np.diff(stairs.lr[max(task.given - 1, 0) :])) + max(task.given, 1)
    even = first_chain(task, INTERVALS).knots
    near = np.concatenate([jumps + by for by in (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)])
    knots = np.unique(np.concatenate([even, near]).astype(np.int64))
    return Chain(task, knots[(knots > task.given) & (knots <= task.horizon)], jumps=True)
