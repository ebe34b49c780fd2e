"""Trainers' own styles, and the one nearest to a schedule.

A style is a formula with two whole numbers, ``warmup`` and ``decay``, and up to three rates: the
``peak``, the ``floor`` that the decay goes to, and the ``initial`` rate of the warm-up. With the
rise r of the warm-up (0 to 1) and the level g of the decay (1 to 0)::

    lr[k] = start + (peak - start) * r[k]     during the warm-up
    lr[k] = floor + (peak - floor) * g[k]     after it

where the start is 0, the floor, or free (``initial``), as the trainer has it. Rates enter linearly,
so the nearest style is a non-negative least-squares fit of the rates inside a search over the two
whole numbers. The peak and a free initial rate never exceed the largest and the first rate of the
schedule, and the warm-up is a tenth longer or shorter at most: a run may not survive what is near
only on average. Each trainer's file writes r and g with the trainer's own counting, 1-based here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from losslaw.curves.curve import NATS
from losslaw.exporting.pieces import relative_error
from losslaw.exporting.text import number
from losslaw.numerics.arrays import BoolArray, FloatArray, IntArray
from losslaw.schedules import Schedule, knots
from losslaw.schedules.shapes import decay_shape

# A style whose rates differ by less than this relative error is the schedule itself.
EXACT = 1e-6

# A tidy rate may cost this much root mean square difference.
TIDY = 1.02

# Updates that the search looks at, besides those around corners; all of shorter schedules.
SEARCHED = 1000


@dataclass(frozen=True)
class Phases:
    """The course of a style over updates ``k``, all of shape ``(m,)``."""

    warm: BoolArray
    rise: FloatArray
    level: FloatArray


# Horizon, warmup and decay, in updates.
Setting = tuple[int, int, int]


PhasesOf = Callable[[Setting, FloatArray], Phases]
ArgumentsOf = Callable[[Setting, "Rates"], dict[str, object]]


@dataclass(frozen=True)
class Style:
    """One of a trainer's styles.

    Attributes:
        name: As the trainer calls it.
        decay_type: What the trainer calls the shape of its decay, where that is said apart.
        phases: From a setting and updates to the course.
        arguments: From a setting and the rates to what the trainer is told.
        start: Where the warm-up comes from.
        floor: Whether there is a floor to choose; without one the decay goes to 0.
        least_warmup: Smallest warm-up the style allows.
        decays: Whether the length of the decay is a choice; without it ``decay`` is 0.
        room: Updates that warm-up and decay must leave of the horizon.
    """

    name: str
    phases: PhasesOf
    arguments: ArgumentsOf
    start: Literal["zero", "floor", "free"] = "zero"
    floor: bool = True
    least_warmup: int = 0
    decays: bool = False
    room: int = 1
    decay_type: str = ""

    @property
    def title(self) -> str:
        """Name and shape, for people."""
        return f"{self.name} {self.decay_type}".strip()

    def columns(self, setting: Setting, k: FloatArray) -> FloatArray:
        """What multiplies floor, peak minus floor, and initial rate. Shape ``(m, 3)``."""
        at = self.phases(setting, k)
        made = np.zeros((k.size, 3))
        if self.floor:
            made[:, 0] = np.where(at.warm, 1.0 if self.start == "floor" else at.rise, 1.0)
            made[:, 0] *= self.floor
        made[:, 1] = np.where(at.warm, at.rise, at.level)
        if self.start == "free":
            made[:, 2] = np.where(at.warm, 1.0 - at.rise, 0.0)
        return made


@dataclass(frozen=True)
class Rates:
    """Peak, floor and initial rate of a style."""

    peak: float
    floor: float
    initial: float


@dataclass(frozen=True)
class Nearest:
    """The style of a trainer that is nearest to a schedule.

    Attributes:
        style: Its name.
        arguments: What the trainer is told.
        peak: The rate of its optimiser.
        lr: The rates that updates then use. Shape ``(n,)``.
        largest: Largest difference from the schedule, as a share of its peak.
        rms: Root mean square difference, as a share of the peak.
        exact: Whether the style is the schedule itself (`EXACT`).
        loss_gap: Predicted final loss minus that of the schedule; if a fit was asked.
        unit: What losses are measured in.
    """

    style: str
    arguments: dict[str, object]
    peak: float
    lr: FloatArray
    largest: float
    rms: float
    exact: bool
    loss_gap: float | None = None
    unit: str = NATS


def nearest(schedule: Schedule, styles: Sequence[Style]) -> Nearest:
    """The nearest of some styles, by the mean square difference of the rates.

    Among styles that are equally near the first one wins.
    """
    lr, n = schedule.lr, schedule.horizon
    k, weight = _sample(lr)
    seen = lr[k - 1]
    found: list[tuple[float, Style, Setting]] = []
    for style in styles:
        best = _search(style, n, schedule.warmup, k, weight, seen)
        if best is not None:
            found.append((best[0], style, best[1]))
    # What the sample cannot tell apart is told apart by all updates.
    close = min(error for error, *_ in found) * 1.1 + 1e-14 * float(lr.max()) ** 2
    winner: Nearest | None = None  # one at a time: each has rates of all updates
    for error, style, setting in found:
        if error > close:
            continue
        made = _dense(style, setting, schedule)
        if made.exact:
            return made
        if winner is None or made.rms < winner.rms:
            winner = made
    assert winner is not None
    return winner


def _dense(style: Style, setting: Setting, schedule: Schedule) -> Nearest:
    """A style at a setting, its rates fitted to all updates and rounded as they are written."""
    lr = schedule.lr
    top, last = float(lr.max()), float(lr[-1])
    columns = style.columns(setting, np.arange(1.0, lr.size + 1))
    root = np.broadcast_to(lr.size**-0.5, lr.shape)
    floor, span, initial = _solve(columns, lr, root, top, float(lr[0]))[1].tolist()

    def made(rates: Rates) -> FloatArray:
        return columns @ np.array([rates.floor, rates.peak - rates.floor, rates.initial])

    def rms(rates: Rates) -> float:
        miss = made(rates)
        miss -= lr
        return float(np.sqrt(miss @ miss / lr.size)) / top

    best = _written(floor + span, floor, initial)
    # Rates that people chose, where they are as near: 3e-4 rather than 2.9999e-4.
    limit = max(TIDY * rms(best), 1e-9)
    for peak, floor, initial in (
        (top, best.floor, best.initial),
        (None, 0.0, best.initial),
        (None, last, best.initial),
        (None, None, 0.0),
        (None, None, float(lr[0])),
    ):
        tidy = _written(
            best.peak if peak is None else peak, best.floor if floor is None else floor, initial
        )
        if tidy.floor <= tidy.peak and tidy.initial <= tidy.peak and rms(tidy) <= limit:
            best = tidy
    rates = made(best)
    gap = rates - lr
    return Nearest(
        style.title,
        style.arguments(setting, best),
        best.peak,
        rates,
        float(max(gap.max(), -gap.min())) / top,
        rms(best),
        relative_error(rates, lr) <= EXACT,
    )


def _written(peak: float, floor: float, initial: float) -> Rates:
    """Rates as they are written."""
    return Rates(*(float(number(each)) for each in (peak, floor, initial)))


def _search(
    style: Style, n: int, warmup: int, k: IntArray, weight: FloatArray, seen: FloatArray
) -> tuple[float, Setting] | None:
    """Weighted mean square error and setting of a style, by steps that halve."""
    limits, at = (float(seen.max()), float(seen[0])), k.astype(np.float64)
    root = np.sqrt(weight / weight.sum())
    first = max(min(warmup, n - 2), style.least_warmup)
    shift = max(2, warmup // 10)
    tried: dict[tuple[int, int], float] = {}

    def error(w: int, d: int) -> float:
        if w < style.least_warmup or abs(w - first) > shift:
            return np.inf
        if (style.decays and d < 1) or w + d + style.room > n:
            return np.inf
        if (w, d) not in tried:
            columns = style.columns((n, w, d), at)
            tried[w, d] = _solve(columns, seen, root, *limits)[0]
        return tried[w, d]

    rest = n - first - style.room
    lengths = sorted({max(rest * part // 100, 1) for part in (3, 10, 30, 100)})
    best: tuple[float, int, int] | None = None
    for d in lengths if style.decays else [0]:
        w, stride = first, max(n // 8, 1)
        now = error(w, d)
        while stride:
            moves = [(w + i * stride, d + j * stride * style.decays) for i, j in MOVES]
            there = min((error(*move), move) for move in moves)
            if there[0] < now:
                now, (w, d) = there
            else:
                stride //= 2
        if np.isfinite(now) and (best is None or now < best[0]):
            best = (now, w, d)
    return None if best is None else (best[0], (n, best[1], best[2]))


# Updates whose rows are looked at together: 10^7 of them at once take gigabytes.
BLOCK = 100_000

MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))


def _solve(
    columns: FloatArray, wanted: FloatArray, root: FloatArray, largest: float, first: float
) -> tuple[float, FloatArray]:
    """Error, and floor, span and initial rate >= 0, floor + span <= largest, initial <= first.

    ``root`` are the square roots of what rows weigh, which sums to one.
    """
    x = _nnls(columns, wanted, root)
    if x[0] + x[1] > largest:  # then the best is at the limit: span = largest - floor
        reduced = columns.copy()
        reduced[:, 0] -= columns[:, 1]
        reduced[:, 1] = 0.0
        y = _nnls(reduced, wanted - largest * columns[:, 1], root)
        floor = min(float(y[0]), largest)
        x = np.array([floor, largest - floor, y[2]])
    # Rarely more: what the two limits do to each other is not looked at again.
    x[2] = min(x[2], first, x[0] + x[1])
    miss = columns @ x
    miss -= wanted
    miss *= root
    return float(miss @ miss), x


def _nnls(columns: FloatArray, wanted: FloatArray, root: FloatArray) -> FloatArray:
    """Non-negative least squares on the triangle of the design: four rows instead of many."""
    from scipy.optimize import nnls

    triangle: FloatArray = np.empty((0, columns.shape[1] + 1))
    for start in range(0, wanted.size, BLOCK):  # the triangle of what came before stands for it
        part = slice(start, start + BLOCK)
        rows = root[part, None] * np.column_stack([columns[part], wanted[part]])
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, rows]), mode="r"))
    x, _ = nnls(triangle[:, :-1], triangle[:, -1])
    return np.asarray(x, dtype=np.float64)


def _sample(lr: FloatArray) -> tuple[IntArray, FloatArray]:
    """Updates to look at, and how many each stands for."""
    n = lr.size
    if n <= SEARCHED:
        return np.arange(1, n + 1), np.ones(n)
    corners = knots(lr, 1e-4)
    around = (corners[:, None] + np.arange(-2, 3)).ravel()
    spread = np.linspace(1, n, SEARCHED).round().astype(np.int64)
    k = np.unique(np.clip(np.concatenate([spread, around]), 1, n))
    edges = np.concatenate([[0.5], (k[1:] + k[:-1]) / 2, [n + 0.5]])
    return k, np.diff(edges)


# Shapes of decays that trainers call by other names.
THEIR_NAMES = {"minus_sqrt": "1-sqrt", "sqrt": "1-sqrt"}


def fall(style: str, z: FloatArray) -> FloatArray:
    """Level of a decay by the names that trainers give it, 1 at ``z = 0`` to 0 at ``z = 1``."""
    z = np.clip(z, 0.0, 1.0)
    if style == "exponential":  # Megatron's: half a halving, stretched to end at 0
        return 2.0 * 0.5**z - 1.0
    return decay_shape(THEIR_NAMES.get(style, style)).level(z)
