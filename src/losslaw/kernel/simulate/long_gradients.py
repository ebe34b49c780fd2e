"""Gradient of the exact risk by the rates and batches of any horizon, at the cost of two runs.

The adjoint of a run is a run along the mirrored schedule (`losslaw.kernel.simulate.gradients`), so
the integrator runs it, too, in the same blocks. Where two blocks join, state x and adjoint p are
known, and with them the derivative by the update before, from x one update earlier and p, and by
the one after, from x and p one update later; what is not known there follows from one update the
other way, to the square of (one update / distance from the end of the piece). Their mean is a
smooth function of the place, a cubic through four neighbours gives it at the places of a Gauss rule
between two of them, and the integral is the sum over the updates: what a parameter does to the risk
is a sum of some thousand terms. Derived here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate import recursion
from losslaw.kernel.simulate.gradients import meet, mirrored
from losslaw.kernel.simulate.integrator import Blocks, cut, ends, numbers, through
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.schedules.pieces import LongSchedule, Piece

# Change of a rate, relative, whose effect on the rates of a piece is looked at: they are straight
# in it, or nearly.
STEP = 1e-5
# Places and weights of a Gauss rule on 0..1.
_X, _W = np.polynomial.legendre.leggauss(3)
PLACES, WEIGHTS = 0.5 + 0.5 * _X, 0.5 * _W


@dataclass(frozen=True, kw_only=True, eq=False)
class PieceSlopes:
    """Derivatives of the final risk by what is in a piece.

    Attributes:
        piece: The piece.
        update: Places, as numbers of updates of the piece, not all whole. Shape ``(k,)``.
        left: Updates of the piece that are left there. Shape ``(k,)``.
        by_lr: Derivative by the rates around each place, all together: a small change ``d(update)``
            of the rates of the piece changes the risk by ``sum by_lr d``. Shape ``(k,)``.
        by_batch: The same by the batches. Shape ``(k,)``.
    """

    piece: Piece
    update: FloatArray
    left: FloatArray
    by_lr: FloatArray
    by_batch: FloatArray

    @cached_property
    def start(self) -> float:
        """By the rate that the piece comes from, its end and shape given."""
        piece = self.piece
        if piece.shape == "constant":
            return float(self.by_lr.sum())
        return self._by(piece.start, lambda rate: replace(piece, start=rate))

    @cached_property
    def end(self) -> float:
        """By the rate of its last update; 0 where it is that of the start."""
        piece = self.piece
        if piece.shape == "constant":
            return 0.0
        return self._by(piece.last, lambda rate: replace(piece, end=rate))

    @cached_property
    def rate(self) -> float:
        """By the logarithm of all its rates."""
        return dot(self.by_lr, self.piece.rates(self.update, self.left))

    @cached_property
    def batch(self) -> float:
        """By the logarithm of all its batches."""
        return dot(self.by_batch, self.piece.batches(self.update, self.left))

    def _by(self, rate: float, with_rate: Callable[[float], Piece]) -> float:
        step = STEP * (rate or max(self.piece.start, self.piece.last))
        low, high = max(rate - step, 0.0), rate + step
        moved = [with_rate(each).rates(self.update, self.left) for each in (low, high)]
        return dot(self.by_lr, moved[1] - moved[0]) / (high - low)


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Updates that are done one by one, or the places where blocks of them join."""

    update: FloatArray
    left: FloatArray
    lr: FloatArray
    batch: FloatArray
    blocks: Blocks | None = None

    @property
    def places(self) -> tuple[FloatArray, FloatArray]:
        """Updates, and updates left, where derivatives are given."""
        if self.blocks is None:
            return self.update, self.left
        along = (self.blocks.length[:, None] * PLACES).ravel()
        update, left = (each[:-1].repeat(PLACES.size) for each in (self.update, self.left))
        return update + along, left - along


def piece_slopes(modes: Modes, schedule: LongSchedule) -> tuple[float, tuple[PieceSlopes, ...]]:
    """Excess risk at the end, and its derivatives by what is in each piece.

    Args:
        modes: Nodes good until the intrinsic time of the whole schedule.
        schedule: The pieces.

    Returns:
        The risk, within 3e-5 of the recursion, and a record for each piece: each derivative within
        5e-5 of what its terms are without their signs; exact where all updates are done singly.
    """
    stretches = [_stretches(piece) for piece in schedule.pieces]
    x = modes.signal.copy()
    forwards = [[_states(modes, x, each) for each in several] for several in stretches]
    back = mirrored(modes)
    y = back.signal.copy()
    found: list[PieceSlopes] = []
    for piece, several, states in zip(
        reversed(schedule.pieces), reversed(stretches), reversed(forwards), strict=True
    ):
        slopes = [
            _slopes(modes, back, y, *each)
            for each in zip(reversed(several), reversed(states), strict=True)
        ][::-1]
        found.append(
            PieceSlopes(
                piece=piece,
                update=np.concatenate([each.places[0] for each in several]),
                left=np.concatenate([each.places[1] for each in several]),
                by_lr=np.concatenate([by_lr for by_lr, _ in slopes]),
                by_batch=np.concatenate([by_batch for _, by_batch in slopes]),
            )
        )
    return 0.5 * float(x.sum() + modes.unlearned), tuple(reversed(found))


def _stretches(piece: Piece) -> list[_Stretch]:
    first, last = ends(piece, last=True)
    n = int(piece.updates)

    def singly(count: int, left: int) -> _Stretch:
        update, after = numbers(piece, count, left)
        return _Stretch(update, after, piece.rates(update, after), piece.batches(update, after))

    if first == n:
        return [singly(n, 0)]
    blocks = cut(piece, first, last, np.empty(0))
    # Between updates S and S + 1 is the place S + 1/2.
    place = blocks.done + 0.5, blocks.left - 0.5
    between = _Stretch(*place, piece.rates(*place), piece.batches(*place), blocks)
    return [singly(first, n - first), between, singly(last, 0)]


def _states(modes: Modes, x: FloatArray, stretch: _Stretch) -> FloatArray:
    """Move ``x`` through a stretch: the state before it, or at the ends of its blocks."""
    if stretch.blocks is None:
        before = x.copy()
        recursion.move(modes, x, stretch.lr, stretch.batch, np.array([stretch.lr.size]))
        return before
    states = np.empty((stretch.lr.size, x.size))
    through(modes, x, stretch.blocks, states)
    return states


def _slopes(
    modes: Modes, back: Modes, y: FloatArray, stretch: _Stretch, states: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Move ``y`` back through a stretch: derivatives by the rate and batch of its places."""
    lr, batch = stretch.lr, stretch.batch
    if stretch.blocks is None:
        by_lr, by_batch = np.empty(lr.size), np.empty(lr.size)
        turned = lr[::-1].copy(), batch[::-1].copy(), np.zeros(lr.size)
        meet(replace(modes, signal=states), back, y, *turned, by_lr, by_batch)
        return by_lr[::-1], by_batch[::-1]
    adjoint = np.empty_like(states)
    through(back, y, stretch.blocks.mirrored, adjoint)
    adjoint = adjoint[::-1]
    s = lr[:, None] * modes.rate
    c = (1 + modes.own_noise / batch)[:, None]
    gain = (lr**2 / batch)[:, None]
    x_more, y_more = (
        gain * of.noise * (each.sum(axis=1)[:, None] + of.floor) - s * (2 - c * s) * each
        for of, each in ((modes, states), (back, adjoint))
    )
    # One update the other way, next to which the states are nearly straight lines.
    pairs = (states, adjoint - y_more), (states - x_more, adjoint)
    after, before = (_derivatives(modes, *pair, back, lr, batch) for pair in pairs)
    by_lr, by_batch = (
        between(stretch.blocks.length, 0.5 * (a + b)) for a, b in zip(after, before, strict=True)
    )
    return by_lr, by_batch


def _derivatives(
    modes: Modes, x: FloatArray, y: FloatArray, back: Modes, lr: FloatArray, batch: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Derivatives by single updates from ``x`` before them and ``y = noise p`` after them."""
    product = x * y / back.noise * modes.rate
    slow, fast = product.sum(axis=1), product @ modes.rate
    drive = (x.sum(axis=1) + modes.floor) * y.sum(axis=1)
    by_lr = 2 * (lr * ((1 + modes.own_noise / batch) * fast + drive / batch) - slow)
    return by_lr, -((lr / batch) ** 2) * (modes.own_noise * fast + drive)


def between(length: FloatArray, values: FloatArray) -> FloatArray:
    """Terms of the integral over some intervals of what has ``values`` at their ends.

    Args:
        length: Lengths of the intervals, three of them or more. Shape ``(b,)``.
        values: Of a smooth function, at their ends. Shape ``(b + 1,)``.

    Returns:
        The function at the places of `PLACES` in each interval, by cubics through four neighbours,
        times the weights of these places. Shape ``(b * places,)``.

    >>> terms = between(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 3.0, 6.0, 10.0]) ** 3)
    >>> round(float(terms.sum()), 9)
    2500.0
    """
    b = length.size
    first = np.clip(np.arange(b) - 1, 0, b - 3)
    three = length[first[:, None] + np.arange(3)]
    nodes = np.concatenate([np.zeros((b, 1)), np.cumsum(three, axis=1)], axis=1)
    at = nodes[np.arange(b), np.arange(b) - first][:, None] + length[:, None] * PLACES
    out = np.zeros(at.shape)
    for i in range(4):  # Lagrange's cubics
        term = np.repeat(values[first + i][:, None], PLACES.size, axis=1)
        for j in {0, 1, 2, 3} - {i}:
            term *= (at - nodes[:, j, None]) / (nodes[:, i] - nodes[:, j])[:, None]
        out += term
    return (out * length[:, None] * WEIGHTS).ravel()
