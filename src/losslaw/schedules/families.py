"""The usual schedules, each a function from a few numbers to a `Schedule`.

All share one clock. ``horizon`` counts every update, the warm-up included. Update ``k`` of a
warm-up of ``W`` has rate ``peak * k / W``, so update ``W`` is at the peak. A decay over ``m``
updates runs on ``z = 1/m, 2/m, ..., 1``: the update before it is at the peak, and its last update
is exactly at ``final``. Trainers differ by one update here; a log of the real run settles which.

A decay shape is a number in [0, 1] that falls from 1 at ``z = 0`` to 0 at ``z = 1``, and the rate
is ``final + (peak - final) * shape(z)``; the exponential shape is ``peak * (final / peak)**z``.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec

import numpy as np

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules.schedule import Schedule

P = ParamSpec("P")

FAMILIES: dict[str, Callable[..., Schedule]] = {}
LONGEST = 10**8
"""Updates of a schedule made here, at most: an array of 800 MB, far beyond any run."""

DECAYS = ("linear", "cosine", "exponential", "1-sqrt", "power")


def family(name: str) -> Callable[[Callable[P, Schedule]], Callable[P, Schedule]]:
    """Enter a function into ``FAMILIES``; its schedules carry the text that makes them again."""

    def enter(make: Callable[P, Schedule]) -> Callable[P, Schedule]:
        @wraps(make)
        def made(*args: P.args, **kwargs: P.kwargs) -> Schedule:
            schedule = make(*args, **kwargs)
            return schedule.with_(spec=spec_text(name, kwargs))

        FAMILIES[name] = made
        return made

    return enter


def spec_text(name: str, arguments: Mapping[str, object]) -> str:
    """The text form of a family and its arguments, arguments at their defaults left out."""
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(FAMILIES[name]).parameters.items()
    }
    # repr keeps every digit of a float, so the text makes the same array bit for bit.
    pairs = [
        f"{key}={value if isinstance(value, str) else _number(value)}"
        for key, value in arguments.items()
        if value is not None and value != defaults[key]
    ]
    return f"{name}:{','.join(pairs)}"


def _number(value: object) -> str:
    number = float(value)  # pyright: ignore[reportArgumentType]
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


@family("constant")
def constant(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """One learning rate after the warm-up.

    Args:
        peak: Learning rate after the warm-up, > 0.
        horizon: Updates, the warm-up included.
        warmup: Updates of linear warm-up, less than the horizon.
        batch: Sequences in each update; ``None`` if not known.
        weight_decay: Decoupled weight decay; ``None`` if not known.

    Raises:
        InputError: a number is out of range.

    >>> constant(peak=1.0, horizon=4, warmup=2).lr.tolist()
    [0.5, 1.0, 1.0, 1.0]
    """
    return _with_tail(peak, horizon, warmup, np.empty(0), batch, weight_decay)


@family("linear")
def linear(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    final: float = 0.0,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """Linear from the peak at the end of the warm-up to ``final`` at the last update.

    >>> linear(peak=1.0, horizon=4).lr.tolist()
    [0.75, 0.5, 0.25, 0.0]
    """
    return _whole(peak, horizon, warmup, final, "linear", 1.0, batch, weight_decay)


@family("cosine")
def cosine(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    final: float = 0.0,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """Half a cosine, ``final + (peak - final) * (1 + cos(pi z)) / 2``.

    >>> cosine(peak=1.0, horizon=2, final=0.5).lr.tolist()
    [0.75, 0.5]
    """
    return _whole(peak, horizon, warmup, final, "cosine", 1.0, batch, weight_decay)


@family("exponential")
def exponential(
    *,
    peak: float,
    horizon: int,
    final: float,
    warmup: int = 0,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """Geometric, ``peak * (final / peak)**z``; ``final`` must be above zero."""
    return _whole(peak, horizon, warmup, final, "exponential", 1.0, batch, weight_decay)


@family("power")
def power(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    final: float = 0.0,
    exponent: float = 1.0,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """``final + (peak - final) * (1 - z)**exponent``.

    >>> power(peak=1.0, horizon=2, exponent=2.0).lr.tolist()
    [0.25, 0.0]
    """
    return _whole(peak, horizon, warmup, final, "power", exponent, batch, weight_decay)


@family("wsd")
def wsd(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    cooldown: float = 0.2,
    final: float = 0.0,
    decay: str = "linear",
    exponent: float = 1.0,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """Warm-up, stable, decay: the peak, then a decay over the last part of the run.

    Args:
        peak: Learning rate of the stable phase, > 0.
        horizon: Updates, warm-up and decay included.
        warmup: Updates of linear warm-up.
        cooldown: Share of the horizon that decays, in [0, 1]; rounded to whole updates.
        final: Learning rate of the last update, 0..peak.
        decay: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        exponent: Exponent of the ``power`` decay, > 0.
        batch: Sequences in each update; ``None`` if not known.
        weight_decay: Decoupled weight decay; ``None`` if not known.

    Raises:
        InputError: a number is out of range, or warm-up and decay are longer than the horizon.

    >>> wsd(peak=1.0, horizon=5, cooldown=0.4).lr.tolist()
    [1.0, 1.0, 1.0, 0.5, 0.0]
    """
    horizon = _count("horizon", horizon)
    if not 0.0 <= cooldown <= 1.0:
        raise InputError(f"cooldown is {cooldown:g}, expected a share of the horizon in 0..1")
    length = round(cooldown * horizon)
    if int(warmup) + length > horizon:
        raise InputError(
            f"warmup ({warmup}) and cooldown ({length} updates) are longer than the horizon"
            f" ({horizon}); shorten one of them"
        )
    tail = decay_rates(peak, final, decay, length, exponent)
    return _with_tail(peak, horizon, warmup, tail, batch, weight_decay)


@family("step")
def step(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    first: float = 0.8,
    second: float = 0.9,
    factor: float = math.sqrt(10),
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """The "8-1-1" schedule: divided by ``factor`` after 80 % and again after 90 % of the horizon.

    >>> step(peak=1.0, horizon=10, factor=10.0).lr.tolist()[-3:]
    [1.0, 0.1, 0.01]
    """
    horizon = _count("horizon", horizon)
    if not 0.0 <= first <= second <= 1.0:
        raise InputError(f"steps at {first:g} and {second:g}, expected 0 <= first <= second <= 1")
    if not 1e-100 < factor < 1e100:  # beyond these its square is no number
        raise InputError(f"factor is {factor:g}, expected above 0 and finite")
    one, two = round(first * horizon), round(second * horizon)
    tail = np.full(horizon - one, peak / factor)
    tail[two - one :] = peak / factor**2
    return _with_tail(peak, horizon, warmup, tail, batch, weight_decay)


@family("twostage")
def twostage(
    *,
    peak: float,
    horizon: int,
    second: float,
    switch: float = 0.5,
    warmup: int = 0,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """Two constant rates.

    Args:
        peak: Rate of the first stage.
        horizon: Updates in all.
        second: Rate of the second stage, >= 0.
        switch: Where the second stage begins: a share of the horizon below 1, or the number of
            updates of the first stage, warm-up included.
        warmup: Updates of linear warm-up.
        batch: Sequences in each update; ``None`` if not known.
        weight_decay: Decoupled weight decay; ``None`` if not known.

    >>> twostage(peak=1.0, second=0.3, switch=3, horizon=4).lr.tolist()
    [1.0, 1.0, 1.0, 0.3]
    """
    horizon = _count("horizon", horizon)
    at = round(switch * horizon) if switch < 1 else round(switch)
    if not 0 <= at <= horizon:
        raise InputError(f"switch after {at} updates, expected 0..{horizon}, the horizon")
    if second < 0:
        raise InputError(f"second rate is {second:g}, expected 0 or above")
    tail = np.full(horizon - at, float(second))
    return _with_tail(peak, horizon, warmup, tail, batch, weight_decay)


@family("cyclic")
def cyclic(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    final: float = 0.0,
    cycles: float = 4.0,
    shape: str = "cosine",
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """Down to ``final`` and up again, ``cycles`` times after the warm-up.

    Args:
        peak: Upper rate, where every cycle begins.
        horizon: Updates in all.
        warmup: Updates of linear warm-up.
        final: Lower rate, in the middle of each cycle, 0..peak.
        cycles: Number of cycles; 2.5 ends at the lower rate.
        shape: ``cosine`` or ``linear`` (triangles).
        batch: Sequences in each update; ``None`` if not known.
        weight_decay: Decoupled weight decay; ``None`` if not known.

    >>> cyclic(peak=1.0, horizon=4, cycles=1, shape="linear").lr.tolist()
    [0.5, 0.0, 0.5, 1.0]
    """
    horizon, warmup = _count("horizon", horizon), _warmup(warmup, horizon)
    _rates(peak, final)
    if cycles <= 0:
        raise InputError(f"cycles is {cycles:g}, expected above 0")
    phase = cycles * np.arange(1, horizon - warmup + 1) / (horizon - warmup)
    if shape == "cosine":
        level = (1 + np.cos(2 * np.pi * phase)) / 2
    elif shape == "linear":
        level = np.abs(2 * (phase % 1.0) - 1)
    else:
        raise InputError(f"shape {shape!r}, expected cosine or linear")
    tail = final + (peak - final) * level
    return _with_tail(peak, horizon, warmup, tail, batch, weight_decay)


@family("inverse-sqrt")
def inverse_sqrt(
    *,
    peak: float,
    horizon: int,
    warmup: int = 0,
    timescale: float | None = None,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """``peak / sqrt(1 + (k - warmup) / timescale)`` after the warm-up.

    Args:
        peak: Largest rate.
        horizon: Updates in all.
        warmup: Updates of linear warm-up.
        timescale: Updates over which the rate falls to ``peak / sqrt(2)``. ``None``: the warm-up,
            which gives ``peak * sqrt(warmup / k)``.
        batch: Sequences in each update; ``None`` if not known.
        weight_decay: Decoupled weight decay; ``None`` if not known.

    >>> inverse_sqrt(peak=1.0, horizon=4, warmup=1).lr.tolist()[-1]
    0.5
    """
    horizon, warmup = _count("horizon", horizon), _warmup(warmup, horizon)
    scale = float(warmup if timescale is None else timescale)
    if scale <= 0:
        raise InputError("inverse-sqrt needs a warmup of at least 1 update, or a timescale above 0")
    tail = peak / np.sqrt(1 + np.arange(1, horizon - warmup + 1) / scale)
    return _with_tail(peak, horizon, warmup, tail, batch, weight_decay)


def from_knots(
    knots: Mapping[int, float],
    *,
    warmup: int | None = None,
    batch: float | None = None,
    weight_decay: float | None = None,
) -> Schedule:
    """Straight lines between learning rates given at some updates.

    Args:
        knots: Update (1-based) to learning rate. The last knot is the horizon; before the first
            one the rate is that of the first one. Knot 0 is allowed: where the line comes from.
        warmup: Updates of warm-up; ``None``: the strict rise at the start.
        batch: Sequences in each update; ``None`` if not known.
        weight_decay: Decoupled weight decay; ``None`` if not known.

    >>> from_knots({0: 0.0, 2: 1.0, 4: 0.0}).lr.tolist()
    [0.5, 1.0, 0.5, 0.0]
    """
    if not knots:
        raise InputError("no knots: expected at least one, as in knots:0=0,100=3e-4,1000=0")
    if max(knots) > LONGEST:
        raise InputError(
            f"the last knot is at {max(knots):g}, expected at most {LONGEST:g} updates"
        )
    at: IntArray = np.array(sorted(knots), dtype=np.int64)
    if at[0] < 0 or at[-1] < 1:
        raise InputError(f"knots at {at[0]}..{at[-1]}, expected updates 0 or above, one beyond 0")
    rates: FloatArray = np.array([float(knots[int(k)]) for k in at])
    lr = np.interp(np.arange(1, int(at[-1]) + 1), at, rates)
    schedule = Schedule(lr, batch, weight_decay, warmup)
    pairs = [f"{k}={_number(rate)}" for k, rate in zip(at, rates, strict=True)]
    pairs += [
        f"{key}={_number(value)}"
        for key, value in [("warmup", warmup), ("batch", batch), ("weight_decay", weight_decay)]
        if value is not None
    ]
    return schedule.with_(spec="knots:" + ",".join(pairs))


def decay_rates(
    peak: float, final: float, decay: str, length: int, exponent: float = 1.0
) -> FloatArray:
    """Learning rates of a decay over ``length`` updates, at ``z = 1/length .. 1``.

    Raises:
        InputError: an unknown shape, or rates it cannot connect.
    """
    _rates(peak, final)
    z = np.arange(1, length + 1) / max(length, 1)
    if decay == "exponential":
        if final <= 0:
            raise InputError("an exponential decay cannot end at 0: give final a value above it")
        return peak * (final / peak) ** z
    if decay == "linear":
        level = 1 - z
    elif decay == "cosine":
        level = (1 + np.cos(np.pi * z)) / 2
    elif decay == "1-sqrt":
        level = 1 - np.sqrt(z)
    elif decay == "power":
        if exponent <= 0:
            raise InputError(f"exponent is {exponent:g}, expected above 0")
        level = (1 - z) ** exponent
    else:
        raise InputError(f"decay {decay!r}, expected one of: {', '.join(DECAYS)}")
    return final + (peak - final) * level


def _whole(
    peak: float,
    horizon: int,
    warmup: int,
    final: float,
    decay: str,
    exponent: float,
    batch: float | None,
    weight_decay: float | None,
) -> Schedule:
    horizon, warmup = _count("horizon", horizon), _warmup(warmup, horizon)
    tail = decay_rates(peak, final, decay, horizon - warmup, exponent)
    return _with_tail(peak, horizon, warmup, tail, batch, weight_decay)


def _with_tail(
    peak: float,
    horizon: int,
    warmup: int,
    tail: FloatArray,
    batch: float | None,
    weight_decay: float | None,
) -> Schedule:
    horizon, warmup = _count("horizon", horizon), _warmup(warmup, horizon)
    _rates(peak, 0.0)
    lr = np.full(horizon, float(peak))
    lr[horizon - tail.size :] = tail
    lr[:warmup] = peak * np.arange(1, warmup + 1) / max(warmup, 1)
    return Schedule(lr, batch, weight_decay, warmup)


def _count(name: str, value: float) -> int:
    if not float(value).is_integer() or value < 1:
        raise InputError(f"{name} is {value:g}, expected a whole number of updates, at least 1")
    if value > LONGEST:
        raise InputError(f"{name} is {value:g}, expected at most {LONGEST:g} updates")
    return int(value)


def _warmup(warmup: float, horizon: int) -> int:
    if not float(warmup).is_integer() or warmup < 0:
        raise InputError(f"warmup is {warmup:g}, expected a whole number of updates, at least 0")
    if warmup >= horizon:
        raise InputError(
            f"horizon ({horizon}) is not longer than the warmup ({int(warmup)} updates)"
        )
    return int(warmup)


def _rates(peak: float, final: float) -> None:
    if not (np.isfinite(peak) and peak > 0):
        raise InputError(f"peak learning rate is {peak:g}, expected a number above 0")
    if not (np.isfinite(final) and 0 <= final <= peak):
        raise InputError(f"final learning rate is {final:g}, expected 0..{peak:g}, the peak")
