"""Averages of a run's iterates, and the schedule that each stands for.

The weights after t updates are ``theta[t] = theta[0] - sum_{k <= t} lr[k] g[k]``, so an average of
some of them holds every update by a share::

    sum_i c_i theta[t_i] = theta[0] - sum_k w[k] lr[k] g[k],     w[k] = sum_{i: t_i >= k} c_i

With weights ``c_i`` of 0 or more that sum to 1 the shares fall from 1 to 0: were the updates ``g``
the same on both paths, the average would be the end of a run at the rates ``w[k] lr[k]``
(`WeightedCheckpoints.equivalent`; arXiv:2507.17634 chooses weights by it). They are not: an update
of the run answers the noise at the full rate. What that changes is known exactly in the kernel
world (docs/background/kernel.md).

A *tail average* is the plain mean of all iterates after some update, an *EMA* forgets them
exponentially. As every average of iterates they are one recursion, ``a <- keep a + add theta``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray, IntArray, finite_vector
from losslaw.schedules.schedule import Schedule
from losslaw.schedules.shapes import decay_shape

# Shapes of decay whose shares checkpoints can be given.
LIKE_DECAYS = ("linear", "cosine", "1-sqrt")
WEIGHTS = ("uniform", "ema:0.9", *LIKE_DECAYS)
EXAMPLES = "tail:start=5000, tail:start=5000,every=100, ema:decay=0.999 or ema:decay=0.9,every=100"


@dataclass(frozen=True, eq=False, kw_only=True)
class Recursion:
    """An average of iterates, update by update: ``a <- keep[k] a + add[k] theta[k]``.

    Attributes:
        begin: Weight of the initial iterate in the average before any update.
        keep: Shape ``(n,)``.
        add: Shape ``(n,)``.
        first: Updates after which the average is one: its weights sum to 1.
    """

    begin: float
    keep: FloatArray
    add: FloatArray
    first: int


@runtime_checkable
class Average(Protocol):
    """An average of the iterates of a run, at some or at every update."""

    def recursion(self, horizon: int) -> Recursion:
        """How it is kept up over the first ``horizon`` updates."""
        ...


@dataclass(frozen=True, kw_only=True)
class TailAverage:
    """Plain mean of the iterates after ``start + every, start + 2 every, ...`` updates.

    Before there are any, it is the iterate itself.

    Args:
        start: Updates before the tail, 0 or more.
        every: Updates from one iterate that counts to the next.

    Raises:
        InputError: a number is out of range.

    >>> TailAverage(start=1).recursion(3).add.tolist()
    [1.0, 1.0, 0.5]
    """

    start: int = 0
    every: int = 1

    def __post_init__(self) -> None:
        _at_least("start", self.start, 0)
        _at_least("every", self.every, 1)

    def recursion(self, horizon: int) -> Recursion:
        """Weights ``1/n`` of the n-th iterate of the tail."""
        update = np.arange(1, horizon + 1)
        since = update - self.start
        add = np.where(since < self.every, 1.0, 0.0)
        counted = (since >= self.every) & (since % self.every == 0)
        add[counted] = self.every / since[counted]
        return Recursion(begin=1.0, keep=1.0 - add, add=add, first=1)


@dataclass(frozen=True, kw_only=True)
class Ema:
    """Exponential moving average: ``a <- decay a + (1 - decay) theta`` every so many updates.

    It begins at the initial iterate.

    Args:
        decay: Share that stays, in [0, 1).
        every: Updates from one iterate that counts to the next.

    Raises:
        InputError: a number is out of range.

    >>> Ema(decay=0.9).recursion(2).keep.tolist()
    [0.9, 0.9]
    """

    decay: float
    every: int = 1

    def __post_init__(self) -> None:
        _decay(self.decay)
        _at_least("every", self.every, 1)

    def recursion(self, horizon: int) -> Recursion:
        """Weight ``1 - decay`` at every ``every``-th update."""
        counted = np.arange(1, horizon + 1) % self.every == 0
        keep = np.where(counted, self.decay, 1.0)
        add = np.where(counted, 1.0 - self.decay, 0.0)
        return Recursion(begin=1.0, keep=keep, add=add, first=1)


@dataclass(frozen=True, eq=False, init=False)
class WeightedCheckpoints:
    """A weighted mean of checkpoints: ``sum_i weights[i] * theta[checkpoints[i]]``.

    Args:
        checkpoints: Updates done when each was saved, increasing, 0 or more. Shape ``(m,)``.
        weights: What each counts; the sum must be 1. Shape ``(m,)``. Or a word: ``uniform``;
            ``ema:0.9`` (begun at the first one, forgetting by .9 a checkpoint); or ``linear``,
            ``cosine``, ``1-sqrt``: shares of the updates between them like the rates of such a
            decay from the first checkpoint to the last, in the middle of each interval.

    Raises:
        InputError: no checkpoints, out of order, or weights that do not sum to 1.

    >>> WeightedCheckpoints([100, 200, 300], "linear").weights.tolist()
    [0.25, 0.5, 0.25]
    >>> WeightedCheckpoints([1, 3]).shares.tolist()
    [1.0, 0.5, 0.5]
    """

    checkpoints: IntArray
    weights: FloatArray

    def __init__(self, checkpoints: ArrayLike, weights: ArrayLike | str = "uniform"):
        at = finite_vector("checkpoints", checkpoints)
        if (np.diff(at) <= 0).any() or (at != np.floor(at)).any():
            shown = ", ".join(f"{step:.12g}" for step in at[:8]) + (", .." if at.size > 8 else "")
            raise InputError(f"checkpoints are increasing whole numbers of updates, got {shown}")
        if isinstance(weights, str):
            given = checkpoint_weights(at.astype(np.int64), weights)
        else:
            given = finite_vector("weights of checkpoints", weights, negative=True)
        if given.size != at.size:
            raise InputError(f"{given.size} weights for {at.size} checkpoints")
        if abs(given.sum() - 1) > 1e-9:
            raise InputError(f"weights of checkpoints sum to {given.sum():.10g}, expected 1")
        object.__setattr__(self, "checkpoints", at.astype(np.int64))
        object.__setattr__(self, "weights", given)

    @property
    def last(self) -> int:
        """Updates done at the last checkpoint."""
        return int(self.checkpoints[-1])

    @property
    def shares(self) -> FloatArray:
        """Share ``w[k]`` of each update that the average holds. Shape ``(last,)``."""
        gone = np.zeros(self.last + 1)
        gone[self.checkpoints] = self.weights
        # From the last one down: exact where shares are small.
        shares = np.cumsum(gone[:0:-1])[::-1].copy()
        shares[: self.checkpoints[0]] = 1.0
        return shares

    def recursion(self, horizon: int) -> Recursion:
        """The sum as it grows; it is an average from the last checkpoint on.

        Raises:
            InputError: a checkpoint after the end of the run.
        """
        self.check_within(horizon)
        add = np.zeros(horizon + 1)
        add[self.checkpoints] = self.weights
        begin, first = float(add[0]), max(self.last, 1)
        return Recursion(begin=begin, keep=np.ones(horizon), add=add[1:], first=first)

    def equivalent(self, schedule: Schedule) -> Schedule:
        """The schedule whose end this average is to first order: rates ``w[k] lr[k]``.

        Raises:
            InputError: a checkpoint after the end of the schedule, or a share below 0.

        >>> WeightedCheckpoints([2, 4], "uniform").equivalent(Schedule([1.0] * 4)).lr.tolist()
        [1.0, 1.0, 0.5, 0.5]
        """
        self.check_within(schedule.horizon)
        if self.last < 1:
            raise InputError("the only checkpoint is the start: nothing was trained")
        shares = self.shares
        if shares.min() < -1e-12:
            raise InputError("these weights are no schedule: some updates have a share below 0")
        done = schedule.prefix(self.last)
        return done.with_(lr=done.lr * np.maximum(shares, 0.0))

    def check_within(self, horizon: int) -> None:
        """Refuse checkpoints that a run of so many updates does not have.

        Raises:
            InputError: there is one.
        """
        if self.last > horizon:
            raise InputError(f"checkpoint at step {self.last:,}: the run has {horizon:,} updates")


def checkpoint_weights(checkpoints: Sequence[int] | IntArray, weights: str) -> FloatArray:
    """The weights that a word means for some checkpoints: see `WeightedCheckpoints`.

    Raises:
        InputError: another word.

    >>> checkpoint_weights([1, 2, 3], "ema:0.5").tolist()
    [0.25, 0.25, 0.5]
    """
    at = np.asarray(checkpoints, dtype=np.float64)
    name, _, number = weights.partition(":")
    if weights == "uniform" or at.size == 1:
        return np.full(at.size, 1.0 / at.size)
    if name == "ema":
        decay = _number(number, "ema", "ema:0.9")
        _decay(decay)
        kept = decay ** np.arange(at.size - 1.0, -1.0, -1.0)
        return kept * np.append(1.0, np.full(at.size - 1, 1.0 - decay))
    if weights not in LIKE_DECAYS:
        raise InputError(f"weights {weights!r}, expected one of: {', '.join(WEIGHTS)}")
    middle = 0.5 * (at[1:] + at[:-1])
    share = decay_shape(weights).level((middle - at[0]) / (at[-1] - at[0]))
    return -np.diff(np.concatenate([[1.0], share, [0.0]]))


# An average, or its text.
AverageLike = Average | str


def average_of(average: AverageLike) -> Average:
    """The average that is given as a record, or as text: ``tail:start=...``, ``ema:decay=...``.

    Raises:
        InputError: another text.

    >>> average_of("tail:start=500,every=10")
    TailAverage(start=500, every=10)
    """
    if not isinstance(average, str):
        return average
    name, _, rest = average.partition(":")
    kinds = {"tail": ("start", "every"), "ema": ("decay", "every")}
    if name not in kinds:
        raise InputError(f"average {average!r}, expected something like {EXAMPLES}")
    values: dict[str, float] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = (each.strip() for each in part.partition("="))
        if not equals and name == "ema" and "decay" not in values:
            key, value = "decay", key
        if key not in kinds[name]:
            raise InputError(f"average {average!r}: {key!r}, expected something like {EXAMPLES}")
        values[key] = _number(value, f"{name}: {key}", EXAMPLES)
    if name == "ema":
        if "decay" not in values:
            raise InputError(f"average {average!r}: no decay, expected something like {EXAMPLES}")
        return Ema(decay=values["decay"], every=_whole(values.get("every", 1), average))
    start, every = (_whole(values.get(key, default), average) for key, default in
                    (("start", 0), ("every", 1)))  # fmt: skip
    return TailAverage(start=start, every=every)


def _whole(value: float, text: str) -> int:
    if value != np.floor(value):
        raise InputError(f"average {text!r}: {value:g} is no whole number of updates")
    return int(value)


def _number(text: str, what: str, example: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{what}: {text!r} is no number; as in {example}") from None


def _decay(decay: float) -> None:
    if not 0 <= decay < 1:
        raise InputError(f"decay of an EMA is {decay:g}, expected in [0, 1)")


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{name} of an average is {value}, expected at least {least}")
