"""The free-form search: from a few knots to single updates, from several starts.

Each start is followed with bounded quasi-Newton steps (L-BFGS-B) on a chain of some sixty knots;
the best end is followed on, with ever more knots where the schedule moves, until more knots gain
nothing, and at last with every update by itself instead of blocks of them. How the starts agree,
and how much the loss could still fall to first order when every update is free, says whether the
search has converged.

A law whose best schedule is a staircase (`Objective.jumps`) is its own case. There rates are held
between knots, and the places of the stairs are searched as well. A jump has no gradient by its
place, so places and rates are searched together by differences of the law's own prediction, which
is cheap where nothing happens between jumps. Places are searched as the log of the updates left,
each as a share of those before it, and rates as shares of the rate before.

A law that does not say its gradient is searched by differences of its loss along the chain.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize
from scipy.sparse import eye_array, vstack
from scipy.special import expit, logit

from losslaw.designing.rate_chain import Chain, first_chain
from losslaw.designing.record import BestSchedule, Start
from losslaw.designing.task import Task
from losslaw.numerics.arrays import FloatArray, IntArray, dot
from losslaw.progress import Progress
from losslaw.schedules import Schedule

INTERVALS = 48  # of the first chain
BLOCKS = 16  # of updates between two knots, until the last search, which takes them one by one
LARGEST = 1500  # knots of the last chain
SAME = 0.1  # of what counts as nothing: ends closer than this are one optimum
ENOUGH = 1e-4  # gained by more knots, as the search sees losses: 1e-7 nats in language models
SCALE = 1e3  # the search sees millinats, so that its tolerances are small ones
EXCESS = 3e2  # and a loss above the irreducible one of at least this
# Without a gradient: knots of the last chain, each of which costs two losses a step; how far along
# each `w` the loss is looked at, where a pass over the past is right to 1e-9 nats; and the least
# `w`, for at rate zero a loss may jump.
LARGEST_BY_DIFFERENCES = 150
DIFFERENCE = 1e-3
LEAST = 1e-4


def search(task: Task, starts: dict[str, Schedule], say: Progress) -> BestSchedule:
    """The schedule of lowest final loss under the constraints of the task.

    Args:
        task: The task.
        starts: Schedules to begin from, by name; need not meet the constraints.
        say: Called with a word on progress.
    """
    jumps = task.law.jumps and task.max_slope is None
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
            ends.append((task.law.quick(follower.schedule(chain, w)), name, chain, w))
    ends.sort(key=lambda end: end[0])
    loss, _, chain, w = ends[0]
    near = loss + SAME * task.law.measure.nothing(loss)
    said = tuple(Start(name=name, loss=end, best=end <= near) for end, name, _, _ in ends)
    largest = LARGEST if task.law.smooth else LARGEST_BY_DIFFERENCES
    while not jumps and chain.knots.size < largest:
        finer = chain.refined(w)
        if finer.knots.size == chain.knots.size:
            break
        say(f"{finer.knots.size} knots")
        same = finer.invert(chain.rates(w))
        before = follower.loss(finer, same, finer.blocks(BLOCKS))
        chain = finer
        w, lower = follower.follow(chain, same, BLOCKS)
        gained = before - lower
        if gained < ENOUGH / follower.scale:
            break
    if not jumps and task.law.smooth:
        say("every update by itself")
        w, _ = follower.follow(chain, w)
    schedule = follower.schedule(chain, w)
    fixed = task if task.lowest_peak is None else task.at_peak(float(chain.levels(w)[0]))
    gap = fixed.gap(schedule)
    if task.max_slope is not None and task.law.smooth:
        gap = _gap_with_slope(replace(chain, task=fixed), schedule)
    return BestSchedule(
        schedule=schedule,
        loss=task.law.quick(schedule),
        gap=gap,
        evaluations=follower.count,
        peak=fixed.peak,
        starts=said,
    )


def _gap_with_slope(chain: Chain, schedule: Schedule) -> float:
    """`Task.gap` under a limit to the slope: a linear program over the rates at the knots."""
    task, size = chain.task, chain.knots.size
    slope = (task.max_slope or np.inf) * task.peak * chain.gaps
    cost = chain.by_level(task.law.slope(schedule)[1])[1:]
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

    def loss(self, chain: Chain, w: FloatArray, starts: IntArray | None) -> float:
        """Final loss of a chain, not counted."""
        schedule = self.schedule(chain, w)
        return (
            self.task.law.slope(schedule, starts)[0]
            if self.task.law.smooth
            else self.task.law.final(schedule)
        )

    def slope(
        self, chain: Chain, w: FloatArray, starts: IntArray | None
    ) -> tuple[float, FloatArray]:
        """Final loss of a chain, and its gradient by ``w``."""
        self.count += 1
        if self.task.law.smooth:
            loss, gradient = self.task.law.slope(self.schedule(chain, w), starts)
            return loss, chain.pull(w, gradient)
        out = np.zeros(w.size)
        for i in range(0 if self.task.lowest_peak is not None else 1, w.size):
            up, down = w.copy(), w.copy()
            step = min(DIFFERENCE, 0.1 * float(w[i]))
            up[i], down[i] = min(w[i] + step, 1.0), max(w[i] - step, 0.0)
            higher, lower = (self.task.law.final(self.schedule(chain, each)) for each in (up, down))
            out[i] = (higher - lower) / (up[i] - down[i])
        self.count += 2 * (w.size - 1)
        return self.task.law.final(self.schedule(chain, w)), out

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
        reference = self.loss(chain, begin, starts)
        excess = reference - self.task.law.irreducible
        self.scale = max(SCALE, EXCESS / max(excess, 1e-300))
        if not self.task.law.measure.relative:
            self.scale = min(self.scale, 1e9)

        def objective(w: FloatArray) -> tuple[float, FloatArray]:
            loss, slope = self.slope(chain, w, starts)
            return self.scale * (loss - reference), self.scale * slope

        least = 0.0 if self.task.law.smooth else LEAST
        begin = np.maximum(begin, least)
        bounds = [(least, 1.0)] * begin.size
        if self.task.given == 0:  # a schedule of zeros is none, and a peak to choose is reached
            chosen = self.task.lowest_peak is not None and not self.task.rising
            bounds[1] = (1.0 if chosen else 1e-6, 1.0)
            begin[1] = max(begin[1], bounds[1][0])
        end = minimize(
            objective,
            begin,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            # Improvements below 1e-9 nats end the search, or 3e-9 of a small excess.
            options={"maxcor": 30, "ftol": 1e-6, "gtol": 1e-7, "maxiter": 500, "maxfun": 700},
        )
        w, loss = np.asarray(end.x, dtype=np.float64), reference + float(end.fun) / self.scale
        if not self.task.law.smooth:
            # A rate that is as low as it may be is at the floor.
            floor = np.where(w <= least, 0.0, w)
            lower = self.loss(chain, floor, starts) if floor[1] > 0 else np.inf
            w, loss = (floor, lower) if lower <= loss else (w, loss)
        return w, loss


def _around(task: Task, stairs: Schedule) -> Chain:
    """A chain with a knot at the end of every stair, and more of them around and between."""
    jumps = np.flatnonzero(np.diff(stairs.lr[max(task.given - 1, 0) :])) + max(task.given, 1)
    even = first_chain(task, INTERVALS).knots
    near = np.concatenate([jumps + by for by in (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)])
    knots = np.unique(np.concatenate([even, near]).astype(np.int64))
    return Chain(task, knots[(knots > task.given) & (knots <= task.horizon)], jumps=True)


def best_stairs(task: Task, count: int) -> Schedule:
    """The best schedule of ``count`` jumps down, close to it for others than the law it is for.

    Args:
        task: The task; its peak is taken as it is.
        count: Number of jumps, at least 1.
    """
    count = min(count, task.free)
    places = logit(np.array([0.1, *[0.3] * (count - 1)]))
    rates = logit(np.full(count, 0.02 ** (1 / count)))

    def made(theta: FloatArray) -> Schedule:
        shares = np.asarray(expit(theta), dtype=np.float64)
        left = np.multiply.accumulate(shares[:count]) * task.free
        levels = np.multiply.accumulate(shares[count:])
        return stairs(task, left, task.floor + (task.start - task.floor) * levels)

    def objective(theta: FloatArray) -> float:
        return SCALE * task.law.final(made(theta))

    best = minimize(
        objective,
        np.concatenate([places, rates]),
        method="L-BFGS-B",
        bounds=[(-12.0, 6.0)] * (2 * count),
        # Places are whole updates: steps of a hundredth see them move where that matters.
        options={"eps": 2e-2, "ftol": 1e-7, "maxiter": 60, "maxfun": 1500},
    )
    return made(np.asarray(best.x, dtype=np.float64))


def stairs(task: Task, left: FloatArray, rates: FloatArray) -> Schedule:
    """Jumps to ``rates`` when ``left`` updates are left, rounded to whole ones."""
    lr = np.full(task.free, task.start)
    for place, rate in zip(np.maximum(np.round(left), 1).astype(int), rates, strict=True):
        lr[task.free - place :] = rate
    return task.schedule(lr)
