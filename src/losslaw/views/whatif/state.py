"""What the page shows: a schedule in a few numbers, written as the query of an address.

``shape=wsd&peak=0.003&horizon=4000&warmup=100&cooldown=0.2&floor=0``: that is all there is to a
page, so that an address that is opened again shows the same. What an address says is checked as
strictly as a file is: whoever follows one did not write it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Self
from urllib.parse import parse_qsl, urlencode

import numpy as np

from losslaw.errors import InputError
from losslaw.fitting import Fit
from losslaw.schedules import Schedule
from losslaw.schedules.families import FAMILIES, from_knots
from losslaw.text import expanded, shown

# What the fitted runs have may be moved by these factors, to either side.
PEAKS, BATCHES = 10.0, 16.0
# Shortest run, and the longest: many times the longest fitted one.
SHORTEST, TIMES_AS_LONG, LONGEST = 20, 20, 5_000_000
# Most points of a schedule drawn by hand, and letters of an address.
MOST_POINTS, MOST_LETTERS = 60, 4000
# Points that show where a fall can be taken hold of, as shares of it.
HANDLES = (0.06, 0.25, 0.5, 0.75)
BY_HAND = "points"


@dataclass(frozen=True)
class Shape:
    """A usual schedule.

    Attributes:
        title: What the page calls it.
        family: Its family in `losslaw.schedules`.
        fixed: Arguments of the family that make it.
        cooldown: Whether its fall has a length of its own.
        falls: Whether it falls at all, and can have a floor.
    """

    title: str
    family: str
    fixed: Mapping[str, str]
    cooldown: bool = True
    falls: bool = True


SHAPES = {
    "constant": Shape("constant", "constant", {}, cooldown=False, falls=False),
    "cosine": Shape("cosine", "cosine", {}, cooldown=False),
    "linear": Shape("linear", "linear", {}, cooldown=False),
    "wsd": Shape("WSD, linear cooldown", "wsd", {}),
    "wsd-1-sqrt": Shape("WSD, 1-sqrt cooldown", "wsd", {"decay": "1-sqrt"}),
    "wsd-cosine": Shape("WSD, cosine cooldown", "wsd", {"decay": "cosine"}),
}


@dataclass(frozen=True, kw_only=True)
class Room:
    """How far the numbers of a page can be moved.

    Attributes:
        peak: Lowest and highest peak learning rate.
        horizon: Fewest and most updates.
        batch: Smallest and largest batch; ``None`` where the law has no use for one.
    """

    peak: tuple[float, float]
    horizon: tuple[int, int]
    batch: tuple[float, float] | None

    @classmethod
    def of(cls, fit: Fit) -> Self:
        """Around the fitted runs.

        Raises:
            InputError: the fit remembers none.
        """
        schedules = [curve.schedule for curve in fit.curves]
        if not schedules:
            raise InputError("this fit remembers no run, so there is nothing to begin from")
        peaks = [each.peak_lr for each in schedules]
        longest = max(each.horizon for each in schedules)
        sizes = [float(end) for each in schedules if each.batch is not None
                 for end in (each.batch.min(), each.batch.max())]  # fmt: skip
        known = fit.law.uses_batch and all(each.batch is not None for each in schedules)
        return cls(
            peak=(_digits(min(peaks) / PEAKS), _digits(max(peaks) * PEAKS)),
            horizon=(SHORTEST, max(SHORTEST, min(longest * TIMES_AS_LONG, LONGEST), longest)),
            batch=(_digits(min(sizes) / BATCHES), _digits(max(sizes) * BATCHES)) if known else None,
        )


def _digits(value: float) -> float:
    return float(f"{value:.3g}")


@dataclass(frozen=True, kw_only=True)
class State:
    """A schedule in the numbers of the page.

    Attributes:
        shape: A name in `SHAPES`, or ``points``.
        peak: Peak learning rate.
        horizon: Updates, warm-up included.
        warmup: Updates of warm-up.
        cooldown: Length of the fall as a share of the horizon, in (0, 1].
        floor: Last rate as a share of the peak, in [0, 1].
        batch: Sequences in each update; ``None``: as the fitted runs.
        points: Of a schedule drawn by hand: updates as shares of the horizon, rates as shares of
            the peak, in order.
    """

    shape: str
    peak: float
    horizon: int
    warmup: int = 0
    cooldown: float = 0.2
    floor: float = 0.0
    batch: float | None = None
    points: tuple[tuple[float, float], ...] = ()

    @classmethod
    def usual(cls, fit: Fit, shape: str = "wsd") -> Self:
        """That of the longest fitted run, in a usual shape."""
        longest = max((curve.schedule for curve in fit.curves), key=lambda each: each.horizon)
        room = Room.of(fit)
        return cls(
            shape=shape,
            peak=_within(room.peak, float(f"{longest.peak_lr:.6g}")),
            horizon=max(longest.horizon, SHORTEST),
            warmup=min(longest.warmup, longest.horizon // 2),
            batch=None if room.batch is None or longest.batch is None else float(longest.batch[-1]),
        )

    @classmethod
    def read(cls, text: str, room: Room, usual: "State") -> "State":
        """The state of an address.

        Args:
            text: The query of the address; what it does not say is as usual. Points need no shape,
                and numbers are as people write them, such as 12k.
            room: What it may say.
            usual: What it begins from.

        Raises:
            InputError: a name or a number that cannot be, in one line.
        """
        if len(text) > MOST_LETTERS:
            raise InputError(f"an address of {len(text)} letters, expected {MOST_LETTERS} at most")
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=20, errors="strict")
        except ValueError:
            raise InputError("the address is no query such as shape=wsd&peak=0.003") from None
        given: dict[str, object] = {}
        for name, value in pairs:
            if name not in READ:
                raise InputError(f"{shown(name)!r}, expected one of: {', '.join(READ)}")
            if name in given:
                raise InputError(f"{name} is given twice")
            given[name] = READ[name](name, value)
        if "points" in given:
            given.setdefault("shape", BY_HAND)
        elif given.get("shape", BY_HAND) != BY_HAND:
            given["points"] = ()
        state = replace(usual, **given)  # pyright: ignore[reportArgumentType]
        state.check(room)
        return state

    def check(self, room: Room) -> None:
        """Refuse what is out of reach, or no schedule.

        Raises:
            InputError: in one line.
        """
        if self.shape != BY_HAND and self.shape not in SHAPES:
            names = ", ".join([*SHAPES, BY_HAND])
            raise InputError(f"shape is {shown(self.shape)!r}, expected one of: {names}")
        _between("peak", self.peak, room.peak)
        _between("horizon", self.horizon, room.horizon)
        _between("warmup", self.warmup, (0, self.horizon - 1))
        _between("cooldown", self.cooldown, (0, 1))
        _between("floor", self.floor, (0, 1))
        if room.batch is None and self.batch is not None:
            raise InputError("batch: this fit has no use for one, or does not know it")
        if room.batch is not None and self.batch is not None:
            _between("batch", self.batch, room.batch)
        if (self.shape == BY_HAND) != bool(self.points):
            raise InputError(f"points are for shape={BY_HAND}, and it needs them")
        if len(self.points) > MOST_POINTS:
            raise InputError(f"{len(self.points)} points, expected {MOST_POINTS} at most")
        for at, rate in self.points:
            _between("a point's update, as a share of the horizon", at, (0, 1))
            _between("a point's rate, as a share of the peak", rate, (0, 1))
        if self.points and not any(rate > 0 for _, rate in self.points):
            raise InputError("all points are at a rate of 0, expected one above")

    @property
    def schedule(self) -> Schedule:
        """The schedule; see `made`."""
        return self.made()

    def made(self, weight_decay: float | None = None) -> Schedule:
        """The schedule, with a weight decay if that is known.

        Raises:
            InputError: numbers that make none.
        """
        if self.shape == BY_HAND:
            return from_knots(self.knots, batch=self.batch, weight_decay=weight_decay)
        shape = SHAPES[self.shape]
        arguments: dict[str, object] = dict(shape.fixed)
        if shape.cooldown:
            # The fall may use what the warm-up leaves.
            left = self.horizon - self.warmup
            arguments["cooldown"] = min(max(round(self.cooldown * self.horizon), 1), left)
            arguments["cooldown"] /= self.horizon
        if shape.falls:
            arguments["final"] = float(f"{self.floor * self.peak:.12g}")
        make: Callable[..., Schedule] = FAMILIES[shape.family]
        return make(
            peak=self.peak,
            horizon=self.horizon,
            warmup=self.warmup,
            batch=self.batch,
            weight_decay=weight_decay,
            **arguments,
        )

    @property
    def knots(self) -> dict[int, float]:
        """Updates and rates of what was drawn by hand."""
        last = max((at for at, _ in self.points), default=1.0)
        made = {
            max(round(at * self.horizon), 1): float(f"{rate * self.peak:.12g}")
            for at, rate in self.points
        }
        if last < 1:  # the last rate is held to the end
            made[self.horizon] = made[max(made)]
        return made

    def handles(self, schedule: Schedule) -> tuple[tuple[float, float], ...]:
        """Points at which the schedule can be taken hold of, as in `points`."""
        if self.points:
            return self.points
        falls_at = self.warmup
        if SHAPES[self.shape].cooldown:
            falls_at = max(self.horizon - max(round(self.cooldown * self.horizon), 1), self.warmup)
        at = {1, max(self.warmup, 1), max(falls_at, 1), self.horizon}
        at |= {max(round(falls_at + z * (self.horizon - falls_at)), 1) for z in HANDLES}
        return tuple(
            (float(f"{k / self.horizon:.6g}"), float(f"{schedule.lr[k - 1] / self.peak:.6g}"))
            for k in sorted(at)
        )

    @property
    def address(self) -> str:
        """The query that `read` reads."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        given["points"] = ",".join(f"{_short(at)}:{_short(rate)}" for at, rate in self.points)
        if self.shape == BY_HAND:
            given = {name: given[name] for name in ("shape", "peak", "horizon", "batch", "points")}
        return urlencode(
            {
                name: value if isinstance(value, str) else _short(value)
                for name, value in given.items()
                if value is not None and value != ""
            },
            safe=":,",
        )


def _short(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.12g}"


def _within(ends: tuple[float, float], value: float) -> float:
    return min(max(value, ends[0]), ends[1])


def _between(name: str, value: float, ends: tuple[float, float]) -> None:
    if not ends[0] <= value <= ends[1]:
        raise InputError(f"{name} is {value:g}, expected {ends[0]:g} .. {ends[1]:g}")


def _number(name: str, text: str) -> float:
    try:
        value = float(expanded(text)) if len(text) < 40 and text.isascii() else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name} is {shown(text)!r}, expected a number")
    return value


def _count(name: str, text: str) -> int:
    value = _number(name, text)
    if not value.is_integer():
        raise InputError(f"{name} is {shown(text)!r}, expected a whole number")
    return int(value)


def _word(name: str, text: str) -> str:
    return text


def _points(name: str, text: str) -> tuple[tuple[float, float], ...]:
    pairs = [pair.split(":") for pair in text.split(",")] if text else []
    if any(len(pair) != 2 for pair in pairs):
        raise InputError("points are not such as 0.025:1,0.8:1,1:0")
    read = [(_number(name, at), _number(name, rate)) for at, rate in pairs]
    return tuple(sorted(read))


# What an address may say, and how each is read.
READ: dict[str, Callable[[str, str], object]] = {
    "shape": _word,
    "peak": _number,
    "horizon": _count,
    "warmup": _count,
    "cooldown": _number,
    "floor": _number,
    "batch": _number,
    "points": _points,
}


def drawn(schedule: Schedule, usual: State) -> State:
    """A schedule of any shape as points, few enough to be taken hold of."""
    from losslaw.schedules.knots import knots

    tolerance = 1e-3
    while (at := knots(schedule.lr, tolerance)).size > MOST_POINTS:
        tolerance *= 2
    peak = schedule.peak_lr
    shares = np.column_stack([at / schedule.horizon, schedule.lr[at - 1] / peak])
    return replace(
        usual,
        shape=BY_HAND,
        peak=peak,
        horizon=schedule.horizon,
        points=tuple((float(f"{x:.7g}"), float(f"{y:.4g}")) for x, y in shares.tolist()),
    )
