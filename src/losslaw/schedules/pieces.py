"""A schedule as a few smooth pieces: written out update by update, or too long for that.

Update ``i`` of a piece of n updates has the rate at ``z = i / n``, so a piece that falls ends
exactly at its ``end``, and the update before it was at its ``start``. The families of
`losslaw.schedules.families` are made of pieces; the kernel world runs 10^12 updates on them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray, by_blocks
from losslaw.numerics.horizon import check_horizon
from losslaw.schedules.schedule import Schedule
from losslaw.schedules.shapes import CONSTANT, DecayShape, Level, decay_shape, levelled

# Beyond this horizon squares of rates of modes of the kernel world leave the range of float64.
LONGEST_IN_PIECES = int(1e30)
# Places where a piece is looked at to learn its mean rate and its largest one.
SAMPLES = 1000


@dataclass(frozen=True)
class Piece:
    """A stretch of updates over which rate and batch size are smooth.

    Args:
        updates: Number of updates, 1 to 10^30.
        start: Rate that the piece comes from, at ``z = 0``, >= 0.
        end: Rate of its last update, >= 0. ``None``: that of the start.
        shape: ``constant``, a name in `losslaw.schedules.shapes.DECAYS`, or the level itself, a
            function of ``(z, 1 - z)``.
        exponent: Of the shapes that have one, > 0.
        batch: Samples in an update, > 0; a number, or a smooth function of ``(z, 1 - z)``.

    Raises:
        InputError: a number is out of range.

    >>> Piece(4, start=1.0, end=0.0, shape="linear").rates(np.arange(1.0, 5.0)).tolist()
    [0.75, 0.5, 0.25, 0.0]
    """

    updates: int
    start: float
    end: float | None = None
    shape: str | Level = "constant"
    exponent: float = 1.0
    batch: float | Level = 1.0

    def __post_init__(self):
        if not (math.isfinite(self.updates) and self.updates == int(self.updates) >= 1):
            raise InputError(f"updates of a piece is {self.updates:g}, expected at least 1")
        if self.updates > LONGEST_IN_PIECES:
            raise InputError(f"{self.updates:.3g} updates, expected at most {LONGEST_IN_PIECES:g}")
        for name, rate in (("start", self.start), ("end", self.last)):
            if not (math.isfinite(rate) and rate >= 0):
                raise InputError(f"{name} of a piece is {rate:g}, expected a rate, 0 or above")
        if self.shape == "constant" and self.start != self.last:
            raise InputError(f"a constant piece from {self.start:g} to {self.last:g}: give a shape")
        if not self.fall.to_zero and min(self.start, self.last) <= 0:
            raise InputError(f"an {self.shape} piece cannot start or end at 0")
        if not callable(self.batch) and not (math.isfinite(self.batch) and self.batch > 0):
            raise InputError(f"batch is {self.batch:g}, expected above 0")

    @property
    def last(self) -> float:
        """Rate of the last update."""
        return self.start if self.end is None else self.end

    @property
    def fall(self) -> DecayShape:
        """The shape along which it goes."""
        if callable(self.shape):
            return levelled("custom", self.shape, lambda done: math.nan)
        return CONSTANT if self.shape == "constant" else decay_shape(self.shape, self.exponent)

    def rates(self, update: FloatArray, left: FloatArray | None = None) -> FloatArray:
        """Rate of some updates, which need not be whole numbers.

        Args:
            update: Numbers of the updates, 1..n.
            left: Updates left after them. Next to the end of very many only these have digits.
        """
        z = update / self.updates
        if self.fall.name == "linear" and self.last > self.start:
            # A rise counts from its beginning: the first rates of a warm-up keep their digits.
            return self.start + (self.last - self.start) * update / self.updates
        y = 1 - z if left is None else left / self.updates
        return self.fall.rates(z, y, self.start, self.last)

    def batches(self, update: FloatArray, left: FloatArray | None = None) -> FloatArray:
        """Batch size of some updates, given like those of `rates`."""
        if not callable(self.batch):
            return np.full(update.shape, float(self.batch))
        z = update / self.updates
        return self.batch(z, 1 - z if left is None else left / self.updates)

    @property
    def mean_rate(self) -> float:
        """Mean of the rates, by the midpoint rule on many points."""
        return float(self.rates(self._samples()).mean())

    def extremes(self) -> set[tuple[float, float]]:
        """The largest rate and its batch; every pair looked at, if the batch moves."""
        at = self._samples()
        rates, batches = self.rates(at), self.batches(at)
        if callable(self.batch):
            return set(zip(rates.tolist(), batches.tolist(), strict=True))
        return {(float(rates.max()), float(batches[0]))}

    def _samples(self) -> FloatArray:
        if self.updates <= SAMPLES:
            return np.arange(1.0, self.updates + 1)
        inside = (np.arange(SAMPLES) + 0.5) / SAMPLES * self.updates
        return np.concatenate([[1.0], inside, [float(self.updates)]])

    @property
    def flat(self) -> bool:
        """Whether every update is the same."""
        return self.start == self.last and not callable(self.batch)


@dataclass(frozen=True)
class LongSchedule:
    """Pieces one after the other.

    Args:
        pieces: At least one.
        warmup: Updates that belong to the warm-up.

    >>> run = LongSchedule((Piece(3, 1.0), Piece(2, 1.0, 0.0, "linear")))
    >>> run.horizon, run.written_out().lr.tolist()
    (5, [1.0, 1.0, 1.0, 0.5, 0.0])
    """

    pieces: tuple[Piece, ...]
    warmup: int = 0

    def __post_init__(self):
        if not self.pieces:
            raise InputError("no pieces: expected at least one")
        if self.horizon > LONGEST_IN_PIECES:
            raise InputError(
                f"{self.horizon:.3g} updates in all, expected at most {LONGEST_IN_PIECES:g}"
            )

    @property
    def horizon(self) -> int:
        """Number of updates."""
        return sum(int(piece.updates) for piece in self.pieces)

    @property
    def intrinsic_time(self) -> float:
        """Sum of all rates, to a percent or better."""
        return sum(piece.updates * piece.mean_rate for piece in self.pieces)

    def extremes(self) -> set[tuple[float, float]]:
        """Rate and batch where a piece can be least stable."""
        return {pair for piece in self.pieces for pair in piece.extremes()}

    def rate_with(self, left: FloatArray) -> FloatArray:
        """Rate of the updates with so many left after them. Shape as ``left``."""
        out, after = np.empty(left.shape), 0.0
        for piece in reversed(self.pieces):
            inside = (left >= after) & (left <= after + piece.updates)
            own = left[inside] - after
            out[inside] = piece.rates(piece.updates - own, own)
            after += piece.updates
        return out

    def scaled(self, factor: float) -> "LongSchedule":
        """The schedule with all learning rates times ``factor``."""
        return replace(
            self,
            pieces=tuple(
                replace(piece, start=piece.start * factor, end=piece.last * factor)
                for piece in self.pieces
            ),
        )

    def with_batch(self, batch: float) -> "LongSchedule":
        """The schedule with one batch size."""
        pieces = tuple(replace(piece, batch=batch) for piece in self.pieces)
        return replace(self, pieces=pieces)

    def rates(self) -> FloatArray:
        """Learning rate of every update.

        Raises:
            InputError: more than 10^7 updates; see `losslaw.allow_long`.
        """
        return self._each(Piece.rates)

    def written_out(self) -> Schedule:
        """Every update by itself; raises what `rates` does."""
        return Schedule(self.rates(), self._each(Piece.batches), warmup=self.warmup)

    def _each(self, of: Callable[[Piece, FloatArray], FloatArray]) -> FloatArray:
        check_horizon(self.horizon)
        parts = [(piece, np.arange(1.0, piece.updates + 1)) for piece in self.pieces]
        return np.concatenate([by_blocks(partial(of, piece), each) for piece, each in parts])


def stretch(
    updates: int,
    start: float,
    end: float | None = None,
    shape: str | Level = "constant",
    exponent: float = 1.0,
) -> tuple[Piece, ...]:
    """A piece, or nothing where it has no updates."""
    return (Piece(updates, start, end, shape, exponent),) if updates else ()
