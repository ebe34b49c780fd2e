"""Schedules too long to write down: a few smooth pieces, each a formula.

Update ``i`` of a piece of n updates has the rate at ``z = i / n``, as in
`losslaw.schedules.families`: a piece that falls ends exactly at its ``end``. A shape is a number
that goes from 1 at ``z = 0`` to 0 at ``z = 1``, and the rate is ``end + (start - end) * shape(z)``;
the exponential one is ``start * (end / start)**z``. Shapes take ``y = 1 - z`` as well, which keeps
its digits next to the end of 10^12 updates.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule

Shape = Callable[[FloatArray, FloatArray], FloatArray]

SHAPES: dict[str, Shape] = {
    "constant": lambda z, y: np.ones_like(z),
    "linear": lambda z, y: y,
    "cosine": lambda z, y: np.sin(0.5 * np.pi * y) ** 2,
    "1-sqrt": lambda z, y: y / (1 + np.sqrt(z)),
}
# Beyond this horizon squares of rates of modes leave the range of float64.
LONGEST = 10**30
# Places where a piece is looked at to learn its mean rate and its largest one.
SAMPLES = 1000


@dataclass(frozen=True)
class Piece:
    """A stretch of updates over which rate and batch size are smooth.

    Args:
        updates: Number of updates, 1 to 10^30.
        start: Rate that the piece comes from, at ``z = 0``, >= 0.
        end: Rate of its last update, >= 0. ``None``: that of the start.
        shape: ``constant``, ``linear``, ``cosine``, ``1-sqrt``, ``exponential`` or ``power``; or
            a function of ``(z, 1 - z)``.
        exponent: Of the ``power`` shape ``(1 - z)**exponent``, > 0.
        batch: Samples in an update, > 0; a number, or a smooth function of ``(z, 1 - z)``.

    Raises:
        InputError: a number is out of range.

    >>> Piece(4, start=1.0, end=0.0, shape="linear").rates(np.arange(1.0, 5.0)).tolist()
    [0.75, 0.5, 0.25, 0.0]
    """

    updates: int
    start: float
    end: float | None = None
    shape: str | Shape = "constant"
    exponent: float = 1.0
    batch: float | Shape = 1.0

    def __post_init__(self):
        put = object.__setattr__
        if not (math.isfinite(self.updates) and self.updates == int(self.updates) >= 1):
            raise InputError(f"updates of a piece is {self.updates:g}, expected at least 1")
        if self.updates > LONGEST:
            raise InputError(f"{self.updates:.3g} updates, expected at most {LONGEST:.3g}")
        put(self, "updates", int(self.updates))
        if self.end is None:
            put(self, "end", self.start)
        for name, rate in (("start", self.start), ("end", self._end)):
            if not (math.isfinite(rate) and rate >= 0):
                raise InputError(f"{name} of a piece is {rate:g}, expected a rate, 0 or above")
        known = (*SHAPES, "exponential", "power")
        if isinstance(self.shape, str) and self.shape not in known:
            raise InputError(f"shape {self.shape!r}, expected one of: {', '.join(known)}")
        if self.shape == "constant" and self.start != self.end:
            raise InputError(f"a constant piece from {self.start:g} to {self.end:g}: give a shape")
        if self.shape == "exponential" and min(self.start, self._end) <= 0:
            raise InputError("an exponential piece cannot start or end at 0")
        if self.exponent <= 0:
            raise InputError(f"exponent is {self.exponent:g}, expected above 0")
        if not callable(self.batch) and not (math.isfinite(self.batch) and self.batch > 0):
            raise InputError(f"batch is {self.batch:g}, expected above 0")

    def rates(self, update: FloatArray) -> FloatArray:
        """Rate of the given updates, 1..n."""
        return self.lr_at(update, self.updates - update)

    def lr_at(self, update: FloatArray, left: FloatArray) -> FloatArray:
        """Rate of an update, from its number and the number of updates left after it.

        Neither need be whole; next to the end only the second has digits.
        """
        z, y = update / self.updates, left / self.updates
        if self.shape == "exponential":
            return self.start * (self._end / self.start) ** z
        if self.shape == "power":
            level = y**self.exponent
        else:
            level = (SHAPES[self.shape] if isinstance(self.shape, str) else self.shape)(z, y)
        return self._end + (self.start - self._end) * level

    def batches(self, update: FloatArray) -> FloatArray:
        """Batch size of the given updates."""
        return self.batch_at(update, self.updates - update)

    def batch_at(self, update: FloatArray, left: FloatArray) -> FloatArray:
        """Batch size, from the same two numbers as `lr_at`."""
        if not callable(self.batch):
            return np.full(update.shape, float(self.batch))
        return self.batch(update / self.updates, left / self.updates)

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
        return self.start == self.end and self.shape != "power" and not callable(self.batch)

    @property
    def _end(self) -> float:
        assert self.end is not None
        return self.end


@dataclass(frozen=True)
class LongSchedule:
    """Pieces one after the other.

    >>> run = LongSchedule((Piece(3, 1.0), Piece(2, 1.0, 0.0, "linear")))
    >>> run.horizon, run.written_out().lr.tolist()
    (5, [1.0, 1.0, 1.0, 0.5, 0.0])
    """

    pieces: tuple[Piece, ...]

    def __post_init__(self):
        if not self.pieces:
            raise InputError("no pieces: expected at least one")
        if self.horizon > LONGEST:
            raise InputError(f"{self.horizon:.3g} updates in all, expected at most {LONGEST:.3g}")

    @property
    def horizon(self) -> int:
        """Number of updates."""
        return sum(piece.updates for piece in self.pieces)

    @property
    def intrinsic_time(self) -> float:
        """Sum of all rates, to a percent or better."""
        return sum(piece.updates * piece.mean_rate for piece in self.pieces)

    def extremes(self) -> set[tuple[float, float]]:
        """Rate and batch where a piece can be least stable."""
        return {pair for piece in self.pieces for pair in piece.extremes()}

    def written_out(self) -> Schedule:
        """Every update by itself; for horizons that fit into memory."""
        if self.horizon > 10**9:
            raise InputError(f"{self.horizon:.3g} updates do not fit into memory")
        each = [(piece, np.arange(1.0, piece.updates + 1)) for piece in self.pieces]
        lr = np.concatenate([piece.rates(at) for piece, at in each])
        return Schedule(lr, np.concatenate([piece.batches(at) for piece, at in each]), warmup=0)


def long_constant(peak: float, horizon: int, batch: float = 1.0) -> LongSchedule:
    """One rate."""
    return LongSchedule((Piece(horizon, peak, batch=batch),))


def long_decay(
    peak: float,
    horizon: int,
    final: float = 0.0,
    shape: str = "cosine",
    exponent: float = 1.0,
    batch: float = 1.0,
) -> LongSchedule:
    """One decay over the whole horizon."""
    return LongSchedule((Piece(horizon, peak, final, shape, exponent, batch),))


def long_wsd(
    peak: float,
    horizon: int,
    cooldown: float = 0.2,
    final: float = 0.0,
    decay: str = "linear",
    exponent: float = 1.0,
    batch: float = 1.0,
) -> LongSchedule:
    """A stable phase, then a decay over the last ``cooldown`` of the horizon.

    >>> long_wsd(1.0, horizon=10**12).pieces[1].updates
    200000000000
    """
    if not 0 <= cooldown <= 1:
        raise InputError(f"cooldown is {cooldown:g}, expected a share of the horizon in 0..1")
    falling = round(cooldown * horizon)
    pieces: list[Piece] = []
    if falling < horizon:
        pieces.append(Piece(horizon - falling, peak, batch=batch))
    if falling > 0:
        pieces.append(Piece(falling, peak, final, decay, exponent, batch))
    return LongSchedule(tuple(pieces))
