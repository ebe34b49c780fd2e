"""What a law is asked: a schedule, the steps, and what has been worked out from them so far.

A search asks the same query with many parameters. `Query.cached` lets a law redo only what its
changed parameters touch, and `Query.blocks` lets a search begin on updates taken together in
blocks; the answer that counts takes every update by itself, or of more than `LONG` a few.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves.curve import checked_steps, checked_window
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule
from losslaw.schedules.schedule import JUMP

T = TypeVar("T")

ASSUMED_WEIGHT_DECAY = 0.1
# Steps at which the means over all windows of a query are worked out, about, where none jumps; and
# most pieces of one window.
NODES, PIECES = 600, 8
# Updates that no block takes together.
SINGLE = 128
# Updates of a run beyond which a few are taken together: that moves no loss by 1e-6 nats.
LONG = 500_000


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Updates, one by one or taken together in blocks. Arrays of shape ``(n,)``, but ``at``.

    Attributes:
        count: Updates in each block.
        lr: Learning rate, the mean over a block.
        time: Intrinsic time that passes: ``count * lr``.
        batch: Batch size, if known.
        weight_decay: Weight decay; 0.1 where it is not known.
        norm: Squared norm of the weights that the block sees, where it was measured.
        starts: First update (0-based) of each block.
        at: Number of blocks up to each step asked about. Shape ``(m,)``.
        warmup: How many of the first blocks are warm-up: falls into them do not count.
        first_rate: The first learning rate above zero.
    """

    count: FloatArray
    lr: FloatArray
    time: FloatArray
    batch: FloatArray | None
    weight_decay: FloatArray
    starts: IntArray
    at: IntArray
    warmup: int
    first_rate: float
    norm: FloatArray | None = None

    def total(self, values: FloatArray) -> FloatArray:
        """Sum over each block of something known for every update."""
        return values if self.starts.size == values.size else np.add.reduceat(values, self.starts)

    def drops(self, *, warmup_drops: bool = False) -> FloatArray:
        """Fall of the rate from each block to the next, as `Query.drops` is of updates."""
        drops = -np.diff(self.lr, prepend=0.0)
        drops[: self._quiet(warmup_drops)] = 0.0
        return drops

    def by_rate(self, by_drop: FloatArray, *, warmup_drops: bool = False) -> FloatArray:
        """Derivative by the rates of what has ``by_drop`` by the `drops`. Shape ``(n,)``."""
        counted = by_drop.copy()
        counted[: self._quiet(warmup_drops)] = 0.0
        out = -counted
        out[:-1] += counted[1:]
        return out

    def cut(self, sources: FloatArray, *, since_start: bool) -> tuple[FloatArray, FloatArray]:
        """Blocks cut in two where a source counts as those of all its updates do in the mean.

        A sum over ages then errs by the second order of the length of a block. Steps asked about
        are at ``2 * at``.

        Args:
            sources: What each block adds. Shape ``(..., n)``.
            since_start: Whether the source of an update counts from its start, or from its end.

        Returns:
            Time of each half, and what is added at its end. Shapes ``(2 n,)`` and ``(..., 2 n)``.
        """
        share = (self.count + (-1 if since_start else 1)) / (2 * self.count)
        time = np.column_stack([share * self.time, (1 - share) * self.time]).ravel()
        added = np.stack([sources, np.zeros_like(sources)], axis=-1)
        return time, added.reshape(*sources.shape[:-1], -1)

    def _quiet(self, warmup_drops: bool) -> int:
        return 0 if warmup_drops else self.warmup


@dataclass(frozen=True, eq=False, kw_only=True)
class Nodes:
    """Steps whose losses, weighed, are the means over the windows of a query.

    A window is cut into pieces, and the mean over one is that of two of its steps (Gauss's rule of
    two points, exact for a cubic but for rounding). Pieces double in length behind a jump.

    Attributes:
        query: The steps.
        at: Which of them each window takes, window after window. Shape ``(k,)``.
        weights: What they count; those of a window sum to 1. Shape ``(k,)``.
        starts: Where each window begins in ``at``. Shape ``(m,)``.
    """

    query: "Query"
    at: IntArray
    weights: FloatArray
    starts: IntArray

    @classmethod
    def of(cls, query: "Query", window: IntArray) -> Self:
        """The nodes of a query's windows."""
        rows = np.arange(query.steps.size)
        before = query.steps - window
        count = int(np.clip(NODES // (2 * rows.size), 1, PIECES))
        even = np.rint(before[:, None] + window[:, None] * np.linspace(0.0, 1.0, count + 1))
        jumps = query.jumps
        behind = np.append(0, 2 ** np.arange(int(window.max()).bit_length()))
        near = np.unique(jumps[:, None] + behind)
        first, last = np.searchsorted(near, before, "right"), np.searchsorted(near, query.steps)
        inside = [near[a:b] for a, b in zip(first, last, strict=True)]
        owner = np.concatenate([np.repeat(rows, count + 1), np.repeat(rows, last - first)])
        cuts = np.concatenate([even.ravel().astype(np.int64), *inside])
        owner, cuts = np.unique(np.column_stack([owner, cuts]), axis=0).T
        # From each cut to the next one of the same window.
        piece = np.flatnonzero(np.diff(owner) == 0)
        owner, begin, end = owner[piece], cuts[piece], cuts[piece + 1]
        length = end - begin
        low = np.rint((begin + end + 1) / 2 - np.sqrt((length**2 - 1) / 12)).astype(np.int64)
        both = np.column_stack([low, begin + end + 1 - low]).ravel()
        steps, at = np.unique(both, return_inverse=True)
        return cls(
            query=replace(query, steps=steps, window=None, _cache={}),
            at=at.astype(np.int64),
            weights=np.repeat(length / (2 * window[owner]), 2),
            starts=2 * np.searchsorted(owner, rows).astype(np.int64),
        )

    def means(self, values: FloatArray) -> FloatArray:
        """Mean over each window of something known at the nodes. Shape ``(m,)``."""
        return np.add.reduceat(self.weights * values[self.at], self.starts)


@dataclass(eq=False)
class Query:
    """A schedule and the steps asked about.

    Args:
        schedule: The schedule.
        steps: Steps asked about, increasing, 1..horizon. Shape ``(m,)``.
        block: Updates taken together; 1 is exact.
        norm: Squared norm of the weights that each update sees, relative to its start, where it was
            measured; ``None``: the law computes it. Shape ``(n,)``.
        window: Asked about is the mean over so many updates up to each step; ``None``: the loss at
            the step. Shape ``(m,)``.
    """

    schedule: Schedule
    steps: IntArray
    block: int = 1
    norm: FloatArray | None = None
    window: IntArray | None = None
    _cache: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any])

    # A search along P parameters comes back to the same values; beyond that, forget.
    KEEP: ClassVar[int] = 24

    @classmethod
    def of(
        cls, schedule: Schedule, steps: ArrayLike | None = None, window: ArrayLike | None = None
    ) -> Self:
        """A query with its steps and windows checked; ``None`` asks about every step.

        Raises:
            InputError: steps outside the schedule, or not increasing; windows that begin before it.
        """
        what = "steps asked about"
        if steps is None:
            at = np.arange(1, schedule.horizon + 1, dtype=np.int64)
        else:
            at = checked_steps(steps, schedule.horizon, what)
        wide = None if window is None else checked_window(window, at, what)
        return cls(schedule, at, 1 + int(at[-1]) // LONG, window=wide)

    def some(self, kept: np.ndarray) -> Self:
        """The same query about some of its steps, by flags or by indices."""
        window = None if self.window is None else self.window[kept]
        return replace(self, steps=self.steps[kept], window=window, _cache={})

    def in_blocks(self, block: int) -> Self:
        """The same query on blocks of up to ``block`` updates."""
        return replace(self, block=block, _cache={})

    def coarser(self, blocks: int | None) -> Self:
        """The same query on about so many blocks; ``None``: as it is.

        A fast answer: 600 blocks err by up to 2e-5 nats at the end of 72,000 updates, and by up to
        9e-4 along them, behind a steep beginning of a fall.
        """
        return self if blocks is None else self.in_blocks(max(int(self.steps[-1]) // blocks, 1))

    @cached_property
    def nodes(self) -> Nodes | None:
        """Where a law has to be asked for its means over the windows; ``None``: at the steps."""
        if self.window is None or (self.window == 1).all():
            return None
        return Nodes.of(self, self.window)

    @cached_property
    def lr(self) -> FloatArray:
        """Rate of every update up to the last step asked about: what is later cannot matter."""
        return np.ascontiguousarray(self.schedule.lr[: self.steps[-1]])

    @cached_property
    def batch(self) -> FloatArray | None:
        """Batch size of the same updates, if known."""
        batch = self.schedule.batch
        return None if batch is None else np.ascontiguousarray(batch[: self.steps[-1]])

    @cached_property
    def jumps(self) -> IntArray:
        """Updates (0-based) into which the rate jumps, from one to the next. Shape ``(j,)``."""
        at, change = self.schedule.jumps
        return at[(at < self.lr.size) & (change > JUMP * self.lr.max())]

    @cached_property
    def first_rate(self) -> float:
        """The first learning rate above zero: the least time that can have passed."""
        return float(self.schedule.lr[self.first_update - 1])

    @cached_property
    def first_update(self) -> int:
        """The first update whose rate is above zero."""
        # Of the whole schedule, so that it does not depend on the steps asked about.
        return int(np.argmax(self.schedule.lr > 0)) + 1

    @cached_property
    def seen_time(self) -> FloatArray:
        """``S`` at the steps asked about, never below the first positive rate. Shape ``(m,)``."""
        return np.maximum(np.cumsum(self.lr)[self.steps - 1], self.first_rate)

    def drops(self, *, warmup_drops: bool = False) -> FloatArray:
        """``d[k] = lr[k-1] - lr[k]``, the fall of the rate into update k. Shape ``(n,)``.

        Args:
            warmup_drops: Count the warm-up as negative drops from rate 0, as the evaluator of the
                multi-power paper does; otherwise drops up to the end of the warm-up are 0.
        """
        drops = -np.diff(self.lr, prepend=0.0)
        if not warmup_drops:
            # The rate of the first update that counts comes from nowhere: it is no drop either.
            drops[: max(self.schedule.warmup, 1)] = 0.0
        return drops

    def fallen(self, *, warmup_drops: bool = False) -> FloatArray:
        """Sum of the `drops` of each block, in units of lr. Shape ``(n,)``."""
        starts = self.blocks.starts
        ends = np.append(starts[1:], self.lr.size)
        first = starts if warmup_drops else np.maximum(starts, max(self.schedule.warmup, 1))
        before = np.where(first > 0, self.lr[first.clip(1, self.lr.size) - 1], 0.0)
        return np.where(first < ends, before - self.lr[ends - 1], 0.0)

    @cached_property
    def blocks(self) -> Blocks:
        """The updates at this query's block."""
        if self.block == 1:
            return self.blocks_from(np.arange(self.lr.size, dtype=np.int64))
        # Blocks end at every step asked about, and the gaps between are cut evenly.
        gaps: IntArray = np.diff(self.steps, prepend=0)
        counts = -(-gaps // self.block)
        own = np.repeat(np.arange(gaps.size), counts)
        place = np.arange(own.size) - (np.cumsum(counts) - counts)[own]
        even = (self.steps - gaps)[own] + place * gaps[own] // counts[own]
        # The norm of the weights changes fastest in the beginning, above all at high rates.
        early = _early(self.block, int(self.steps[-1]))
        # A jump is a block: smeared over one it would be another schedule.
        jumps = self.jumps[: self.lr.size // 4]
        after = jumps[jumps + 1 < self.lr.size] + 1
        return self.blocks_from(np.unique(np.concatenate([even, early, jumps, after])))

    def blocks_from(self, starts: IntArray) -> Blocks:
        """The updates in blocks that begin at ``starts`` (0-based, the first one 0)."""
        n = self.lr.size
        single = starts.size == n
        count = np.diff(starts, append=n).astype(np.float64)

        def total(values: FloatArray) -> FloatArray:
            return values if single else np.add.reduceat(values, starts)

        time, decay = total(self.lr), self.schedule.weight_decay
        return Blocks(
            count=count,
            lr=time / count,
            time=time,
            batch=None if self.batch is None else total(self.batch) / count,
            weight_decay=np.full(starts.size, ASSUMED_WEIGHT_DECAY)
            if decay is None
            else total(decay[:n]) / count,
            starts=starts,
            at=np.searchsorted(starts, self.steps).astype(np.int64),
            warmup=int(np.searchsorted(starts, max(self.schedule.warmup, 1))),
            first_rate=self.first_rate,
            norm=None if self.norm is None else total(self.norm[:n]) / count,
        )

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of ``compute``, computed once for each ``key`` seen lately."""
        if key in self._cache:
            self._cache[key] = self._cache.pop(key)  # to the young end
        else:
            if len(self._cache) >= self.KEEP:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = compute()
        return self._cache[key]


def _early(block: int, last: int) -> IntArray:
    """Where the first blocks begin: single updates, then ever longer ones up to ``block``."""
    starts = [*range(min(SINGLE, last))]
    while starts and starts[-1] + 1 < last and starts[-1] < 20 * block:
        starts.append(starts[-1] + max(1, starts[-1] // 20))
    return np.array([start for start in starts if start < last], dtype=np.int64)
