"""A schedule as a chain: each rate between the lowest and the highest that the one before leaves.

Rates are given at knots, with straight lines between them (or held from each knot to the one
before, for schedules of jumps). The rate at a knot is ``low + (high - low) * w``, where ``low`` and
``high`` are what floor, peak, monotony and slope leave after the knot before it. So every ``w`` in
[0, 1] is a schedule that meets all constraints, every such schedule has its ``w``, and a search
needs no constraints but these bounds. ``w = 1`` along a plateau: it is found exactly.
"""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from losslaw.designing.task import Task
from losslaw.numerics.arrays import FloatArray, IntArray, dot
from losslaw.numerics.compiled import compiled


class Limits(NamedTuple):
    """What the rates of a chain may be, as compiled functions take it.

    Attributes:
        start: The rate that the chain departs from, in peaks.
        floor: Smallest rate.
        lowest: Smallest peak.
        highest: Largest peak.
        slope: Largest change from one update to the next; infinite: any.
        rising: Whether rates may rise.
    """

    start: float
    floor: float
    lowest: float
    highest: float
    slope: float
    rising: bool


@dataclass(frozen=True, eq=False)
class Chain:
    """The free updates of a task, by their rates at knots.

    Attributes:
        task: What is asked.
        knots: Updates (1-based), increasing, the last one the horizon. Shape ``(m,)``.
        jumps: Hold the rate of a knot over all updates after the knot before it.

    The first entry of ``w`` is the log of the peak, from the lowest to the highest one; it has no
    effect where the peak is fixed. Shape of ``w``: ``(m + 1,)``.
    """

    task: Task
    knots: IntArray
    jumps: bool = False

    @cached_property
    def gaps(self) -> IntArray:
        """Updates from each knot to the one before. Shape ``(m,)``."""
        return np.diff(self.knots, prepend=self.task.given)

    @cached_property
    def _place(self) -> tuple[IntArray, FloatArray]:
        """For each free update, its interval and how far along it is."""
        interval = np.repeat(np.arange(self.knots.size), self.gaps)
        if self.jumps:
            return interval, np.ones(interval.size)
        update = np.arange(self.task.given + 1, self.task.horizon + 1)
        return interval, 1.0 - (self.knots[interval] - update) / self.gaps[interval]

    @cached_property
    def _limits(self) -> "Limits":
        task = self.task
        return Limits(
            start=task.start / task.peak,
            floor=float(task.floor),
            lowest=float(task.peak if task.lowest_peak is None else task.lowest_peak),
            highest=float(task.peak),
            slope=np.inf if task.max_slope is None else float(task.max_slope * task.peak),
            rising=task.rising,
        )

    def levels(self, w: FloatArray) -> FloatArray:
        """Rate that the chain departs from, and rates at the knots. Shape ``(m + 1,)``."""
        return _levels(w, self.gaps.astype(np.float64), self._limits)

    def rates(self, w: FloatArray) -> FloatArray:
        """All rates, those given included: a warm-up follows the peak. Shape ``(horizon,)``."""
        task = self.task
        levels = self.levels(w)
        interval, along = self._place
        free = levels[interval] + (levels[interval + 1] - levels[interval]) * along
        given = task.template.lr[: task.given]
        if task.lowest_peak is not None:
            given = given * (levels[0] / task.start)
        return np.concatenate([given, free])

    def pull(self, w: FloatArray, gradient: FloatArray) -> FloatArray:
        """Gradient by ``w`` of what has ``gradient`` by the rates. Shape ``(m + 1,)``."""
        task = self.task
        by_level = self.by_level(gradient)
        if task.lowest_peak is not None and task.given:
            given = task.template.lr[: task.given] / task.start
            by_level[0] += dot(given, gradient[: task.given])
        gaps = self.gaps.astype(np.float64)
        return _pull(w, self.levels(w), by_level, gaps, self._limits)

    def by_level(self, gradient: FloatArray) -> FloatArray:
        """Gradient by the levels, of what has ``gradient`` by the rates. Shape ``(m + 1,)``."""
        interval, along = self._place
        free = gradient[self.task.given :]
        size = self.knots.size + 1
        by_level = np.zeros(size)
        by_level += np.bincount(interval + 1, free * along, size)
        by_level += np.bincount(interval, free * (1 - along), size)
        return by_level

    def invert(self, lr: FloatArray) -> FloatArray:
        """The ``w`` of rates, or of admissible ones near them. Shape ``(m + 1,)``."""
        start = self.task.start
        if self.task.lowest_peak is not None:
            start = float(lr[self.task.given - 1] if self.task.given else lr.max())
        wanted = np.concatenate([[start], lr[self.knots - 1]])
        return _invert(wanted, self.gaps.astype(np.float64), self._limits)

    def blocks(self, most: int) -> IntArray:
        """First updates (0-based) of blocks: up to ``most`` of them between knots.

        The last update given is one by itself: the rate falls from it, not from a mean.
        """
        given = self.task.given
        ends = sorted({0, max(given - 1, 0), given, *self.knots.tolist()})
        pieces = [
            np.linspace(a, b, min(b - a, most), endpoint=False).astype(np.int64)
            for a, b in itertools.pairwise(ends)
        ]
        return np.unique(np.concatenate(pieces))

    def refined(self, w: FloatArray) -> "Chain":
        """The chain with a knot in the middle of every interval that is no inner plateau."""
        moves = (w[1:] < 1) | self.task.rising
        near = moves.copy()
        near[:-1] |= moves[1:]
        near[1:] |= moves[:-1]
        middle = self.knots - self.gaps // 2
        knots = np.unique(np.concatenate([self.knots, middle[near & (self.gaps > 1)]]))
        return Chain(self.task, knots, self.jumps)


def first_chain(task: Task, intervals: int, *, jumps: bool = False) -> Chain:
    """Knots at equal distances, and ever closer ones towards the end, where kernels are steep."""
    n, given = task.horizon, task.given
    equal = np.linspace(given, n, min(intervals, task.free) + 1)[1:]
    octaves = math.ceil(math.log2(max(task.free / intervals, 1.0)))
    closer = n - 2.0 ** np.arange(octaves, dtype=np.float64)
    knots = np.unique(np.concatenate([[given + 1.0], equal, closer]).round().astype(np.int64))
    return Chain(task, knots[(knots > given) & (knots <= n)], jumps)


@compiled()
def _range(
    before: float, gap: float, peak: float, limits: Limits
) -> tuple[float, float, float, float]:
    """Lowest and highest rate after ``before``, and whether each moves along with it."""
    low, low_moves = limits.floor, 0.0
    if before - limits.slope * gap > low:
        low, low_moves = before - limits.slope * gap, 1.0
    high, high_moves = peak, 0.0
    if not limits.rising:
        high, high_moves = before, 1.0
    elif before + limits.slope * gap < peak:
        high, high_moves = before + limits.slope * gap, 1.0
    return low, high, low_moves, high_moves


@compiled()
def _levels(w: FloatArray, gaps: FloatArray, limits: Limits) -> FloatArray:
    peak = limits.lowest * (limits.highest / limits.lowest) ** w[0]
    levels = np.empty(w.size)
    levels[0] = limits.start * peak
    for i in range(1, w.size):
        low, high, _, _ = _range(levels[i - 1], gaps[i - 1], peak, limits)
        levels[i] = low + (high - low) * w[i]
    return levels


@compiled()
def _pull(
    w: FloatArray,
    levels: FloatArray,
    by_level: FloatArray,
    gaps: FloatArray,
    limits: Limits,
) -> FloatArray:
    peak = limits.lowest * (limits.highest / limits.lowest) ** w[0]
    out = np.empty(w.size)
    by_peak = 0.0
    by = by_level.copy()
    for i in range(w.size - 1, 0, -1):
        low, high, low_moves, high_moves = _range(levels[i - 1], gaps[i - 1], peak, limits)
        out[i] = by[i] * (high - low)
        by[i - 1] += by[i] * ((1.0 - w[i]) * low_moves + w[i] * high_moves)
        if limits.rising and high_moves == 0.0:
            by_peak += by[i] * w[i]
    by_peak += by[0] * limits.start
    out[0] = by_peak * peak * math.log(limits.highest / limits.lowest)
    return out


@compiled()
def _invert(wanted: FloatArray, gaps: FloatArray, limits: Limits) -> FloatArray:
    w = np.ones(wanted.size)
    peak, width = limits.highest, math.log(limits.highest / limits.lowest)
    if width > 0.0:
        peak = min(max(wanted[0] / limits.start, limits.lowest), limits.highest)
        w[0] = math.log(peak / limits.lowest) / width
    level = limits.start * peak
    for i in range(1, wanted.size):
        low, high, _, _ = _range(level, gaps[i - 1], peak, limits)
        if high > low:
            w[i] = min(max((wanted[i] - low) / (high - low), 0.0), 1.0)
        level = low + (high - low) * w[i]
    return w
