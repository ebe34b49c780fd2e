"""The usual schedules, each a function from a few numbers to the pieces of a schedule.

All share one clock. ``horizon`` counts every update, the warm-up included. Update ``k`` of a
warm-up of ``W`` has rate ``peak * k / W``, so update ``W`` is at the peak. A decay over ``m``
updates runs on ``z = 1/m, 2/m, ..., 1``: the update before it is at the peak, and its last update
is exactly at ``final``. Trainers differ by one update here; a log of the real run settles which.
The decays are those of `losslaw.schedules.shapes`.

A family that is called writes out its pieces, a `Schedule`; ``wsd.pieces(...)`` gives the pieces,
at any horizon.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, Protocol, TypedDict, Unpack, cast

import numpy as np

from losslaw.errors import InputError, expect, expect_number
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.horizon import check_horizon
from losslaw.numerics.magnitudes import PEAK
from losslaw.schedules.pieces import LongSchedule, Piece, stretch
from losslaw.schedules.schedule import Schedule
from losslaw.schedules.shapes import decay_shape
from losslaw.text import shortest

P = ParamSpec("P")


class Family(Protocol[P]):
    """A usual schedule, written out or in pieces."""

    @property
    def pieces(self) -> Callable[P, LongSchedule]:
        """The same schedule in pieces, which has no longest horizon."""
        ...

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Schedule:
        """The schedule with every update written out."""
        ...


class Known(TypedDict, total=False):
    """What may be known of the updates of every family, besides their rates."""

    batch: float | None
    weight_decay: float | None


KNOWN = """As every family it also takes:
    batch: Sequences in each update, > 0; ``None`` if not known.
    weight_decay: Decoupled weight decay, >= 0; ``None`` if not known.
"""
FAMILIES: dict[str, Family[...]] = {}
# Families whose pieces are not smooth: they can be written out only.
ROUGH = ("cyclic",)
# What a cycle of the cyclic family can go along.
CYCLES = ("cosine", "linear")
# Letters of the longest number that people write.
WRITTEN = 14


def family(name: str) -> Callable[[Callable[P, LongSchedule]], Family[P]]:
    """Enter a function into ``FAMILIES``: a schedule that carries the text that makes it again.

    Batch and weight decay are known to all families and to none of the functions.
    """

    def enter(make: Callable[P, LongSchedule]) -> Family[P]:
        signature = _with_known(inspect.signature(make))

        def run(*args: P.args, **kwargs: P.kwargs) -> tuple[LongSchedule, Known]:
            # A name that is not known must not pass as known.
            given = signature.bind(*args, **kwargs).arguments
            for name, value in given.items():
                kind = signature.parameters[name].annotation
                if kind is not str and (value is not None or kind in (int, float)):
                    expect_number(name, value)
            return make(*args, **kwargs), cast(Known, kwargs)

        @wraps(make)
        def pieces(*args: P.args, **kwargs: P.kwargs) -> LongSchedule:
            made, known = run(*args, **kwargs)
            batch = known.get("batch")
            return made if batch is None else made.with_batch(batch)

        @wraps(make)
        def written_out(*args: P.args, **kwargs: P.kwargs) -> Schedule:
            made, known = run(*args, **kwargs)
            return Schedule(
                made.rates(),
                known.get("batch"),
                known.get("weight_decay"),
                made.warmup,
                spec=spec_text(name, kwargs),
            )

        for function, result in ((pieces, LongSchedule), (written_out, Schedule)):
            # What help() shows.
            shown = signature.replace(return_annotation=result)
            function.__signature__ = shown  # pyright: ignore[reportAttributeAccessIssue]
            function.__doc__ = f"{inspect.getdoc(make)}\n\n{KNOWN}"
        written_out.pieces = pieces  # pyright: ignore[reportAttributeAccessIssue]
        FAMILIES[name] = cast(Family[...], written_out)
        return cast(Family[P], written_out)

    return enter


def _with_known(signature: inspect.Signature) -> inspect.Signature:
    """The signature of a family, with what every family takes instead of ``**known``."""
    own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    known = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for key, kind in Known.__annotations__.items()
    ]
    return signature.replace(parameters=[*own, *known])


def spec_text(name: str, arguments: Mapping[str, object]) -> str:
    """The text form of a family and its arguments, arguments at their defaults left out."""
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(FAMILIES[name]).parameters.items()
    }
    cooldown, horizon = arguments.get("cooldown"), arguments.get("horizon")
    if isinstance(cooldown, float) and isinstance(horizon, int) and len(repr(cooldown)) > WRITTEN:
        # A share that was computed means whole updates: as few digits as say how many.
        length = round(cooldown * horizon)
        share = shortest(cooldown, lambda share: round(share * horizon) == length)
        arguments = {**arguments, "cooldown": share}
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
    *, peak: float, horizon: int, warmup: float = 0, **known: Unpack[Known]
) -> LongSchedule:
    """One learning rate after the warm-up.

    Args:
        peak: Learning rate after the warm-up, > 0.
        horizon: Updates, the warm-up included.
        warmup: Updates of linear warm-up, less than the horizon; below 1 a share of it.

    Raises:
        InputError: a number is out of range.

    >>> constant(peak=1.0, horizon=4, warmup=2).lr.tolist()
    [0.5, 1.0, 1.0, 1.0]
    """
    return _falls(peak, horizon, warmup, 0.0, "linear", length=0)


@family("linear")
def linear(
    *, peak: float, horizon: int, warmup: float = 0, final: float = 0.0, **known: Unpack[Known]
) -> LongSchedule:
    """Linear from the peak at the end of the warm-up to ``final`` at the last update.

    >>> linear(peak=1.0, horizon=4).lr.tolist()
    [0.75, 0.5, 0.25, 0.0]
    """
    return _falls(peak, horizon, warmup, final, "linear")


@family("cosine")
def cosine(
    *, peak: float, horizon: int, warmup: float = 0, final: float = 0.0, **known: Unpack[Known]
) -> LongSchedule:
    """Half a cosine, ``final + (peak - final) * (1 + cos(pi z)) / 2``.

    >>> cosine(peak=1.0, horizon=2, final=0.5).lr.tolist()
    [0.75, 0.5]
    """
    return _falls(peak, horizon, warmup, final, "cosine")


@family("exponential")
def exponential(
    *, peak: float, horizon: int, final: float, warmup: float = 0, **known: Unpack[Known]
) -> LongSchedule:
    """Geometric, ``peak * (final / peak)**z``; ``final`` must be above zero."""
    return _falls(peak, horizon, warmup, final, "exponential")


@family("power")
def power(
    *,
    peak: float,
    horizon: int,
    warmup: float = 0,
    final: float = 0.0,
    exponent: float = 1.0,
    **known: Unpack[Known],
) -> LongSchedule:
    """``final + (peak - final) * (1 - z)**exponent``.

    >>> power(peak=1.0, horizon=2, exponent=2.0).lr.tolist()
    [0.25, 0.0]
    """
    return _falls(peak, horizon, warmup, final, "power", exponent)


@family("wsd")
def wsd(
    *,
    peak: float,
    horizon: int,
    warmup: float = 0,
    cooldown: float = 0.2,
    final: float = 0.0,
    decay: str = "linear",
    exponent: float = 1.0,
    **known: Unpack[Known],
) -> LongSchedule:
    """Warm-up, stable, decay: the peak, then a decay over the last part of the run.

    Args:
        peak: Learning rate of the stable phase, > 0.
        horizon: Updates, warm-up and decay included.
        warmup: Updates of linear warm-up, or below 1 a share of the horizon.
        cooldown: Share of the horizon that decays, in [0, 1], rounded to whole updates; from 2
            on, updates.
        final: Learning rate of the last update, 0..peak.
        decay: ``linear``, ``cosine``, ``exponential``, ``1-sqrt``, ``power`` (``(1 - z)**p``),
            ``1-power`` (``1 - z**p``), ``inverse-sqrt`` or ``inverse-power``.
        exponent: Exponent p of the powers, > 0.

    Raises:
        InputError: a number is out of range, or warm-up and decay are longer than the horizon.

    >>> wsd(peak=1.0, horizon=5, cooldown=0.4).lr.tolist()
    [1.0, 1.0, 1.0, 0.5, 0.0]
    >>> wsd.pieces(peak=1.0, horizon=10**12).pieces[-1].updates
    200000000000
    """
    horizon = _count("horizon", horizon)
    warmup = warmup_updates(warmup, horizon)
    if cooldown >= 2 and float(cooldown).is_integer():  # in updates
        cooldown = cooldown / horizon
    if not 0.0 <= cooldown <= 1.0:
        raise InputError(
            f"cooldown is {cooldown:g}, expected a share of the horizon in 0..1, or updates"
        )
    # A float cannot say 10^24 exactly: all of a horizon is no product.
    length = horizon if cooldown == 1 else min(round(cooldown * horizon), horizon)
    if int(warmup) + length > horizon:
        raise InputError(
            f"warmup ({warmup}) and cooldown ({length} updates) are longer than the horizon"
            f" ({horizon}); shorten one of them"
        )
    return _falls(peak, horizon, warmup, final, decay, exponent, length)


@family("step")
def step(
    *,
    peak: float,
    horizon: int,
    warmup: float = 0,
    first: float = 0.8,
    second: float = 0.9,
    factor: float = math.sqrt(10),
    **known: Unpack[Known],
) -> LongSchedule:
    """The "8-1-1" schedule: divided by ``factor`` after 80 % and again after 90 % of the horizon.

    >>> step(peak=1.0, horizon=10, factor=10.0).lr.tolist()[-3:]
    [1.0, 0.1, 0.01]
    """
    horizon, warmup = _clock(peak, horizon, warmup)
    if not 0.0 <= first <= second <= 1.0:
        raise InputError(f"steps at {first:g} and {second:g}, expected 0 <= first <= second <= 1")
    if not 1e-100 < factor < 1e100:  # beyond these its square is no number
        raise InputError(f"factor is {factor:g}, expected above 0 and finite")
    one, two = (max(round(share * horizon), warmup) for share in (first, second))
    return _after_warmup(
        peak,
        warmup,
        stretch(one - warmup, peak),
        stretch(two - one, peak / factor),
        stretch(horizon - two, peak / factor**2),
    )


@family("twostage")
def twostage(
    *,
    peak: float,
    horizon: int,
    second: float,
    switch: float = 0.5,
    warmup: float = 0,
    **known: Unpack[Known],
) -> LongSchedule:
    """Two constant rates.

    Args:
        peak: Rate of the first stage.
        horizon: Updates in all.
        second: Rate of the second stage, >= 0.
        switch: Where the second stage begins: a share of the horizon below 1, or the number of
            updates of the first stage, warm-up included.
        warmup: Updates of linear warm-up, or below 1 a share of the horizon.

    >>> twostage(peak=1.0, second=0.3, switch=3, horizon=4).lr.tolist()
    [1.0, 1.0, 1.0, 0.3]
    """
    horizon, warmup = _clock(peak, horizon, warmup)
    at = round(switch * horizon) if switch < 1 else round(switch)
    if not 0 <= at <= horizon:
        raise InputError(f"switch after {at} updates, expected 0..{horizon}, the horizon")
    if second < 0:
        raise InputError(f"second rate is {second:g}, expected 0 or above")
    at = max(at, warmup)
    return _after_warmup(peak, warmup, stretch(at - warmup, peak), stretch(horizon - at, second))


@family("cyclic")
def cyclic(
    *,
    peak: float,
    horizon: int,
    warmup: float = 0,
    final: float = 0.0,
    cycles: float = 4.0,
    shape: str = "cosine",
    **known: Unpack[Known],
) -> LongSchedule:
    """Down to ``final`` and up again, ``cycles`` times after the warm-up.

    Args:
        peak: Upper rate, where every cycle begins.
        horizon: Updates in all.
        warmup: Updates of linear warm-up, or below 1 a share of the horizon.
        final: Lower rate, in the middle of each cycle, 0..peak.
        cycles: Number of cycles; 2.5 ends at the lower rate.
        shape: ``cosine`` or ``linear`` (triangles).

    >>> cyclic(peak=1.0, horizon=4, cycles=1, shape="linear").lr.tolist()
    [0.5, 0.0, 0.5, 1.0]
    """
    horizon, warmup = _clock(peak, horizon, warmup, final)
    if cycles <= 0:
        raise InputError(f"cycles is {cycles:g}, expected above 0")
    if shape not in CYCLES:
        raise InputError(f"shape {shape!r}, expected {' or '.join(CYCLES)}")
    fall = decay_shape(shape)

    def wave(z: FloatArray, y: FloatArray) -> FloatArray:
        return fall.level(1 - np.abs(2 * (cycles * z % 1.0) - 1))

    return _after_warmup(peak, warmup, stretch(horizon - warmup, peak, final, wave))


@family("inverse-sqrt")
def inverse_sqrt(
    *,
    peak: float,
    horizon: int,
    warmup: float = 0,
    timescale: float | None = None,
    **known: Unpack[Known],
) -> LongSchedule:
    """``peak / sqrt(1 + (k - warmup) / timescale)`` after the warm-up.

    Args:
        peak: Largest rate.
        horizon: Updates in all.
        warmup: Updates of linear warm-up, or below 1 a share of the horizon.
        timescale: Updates over which the rate falls to ``peak / sqrt(2)``. ``None``: the warm-up,
            which gives ``peak * sqrt(warmup / k)``; without a warm-up ``peak / sqrt(k)``.

    >>> inverse_sqrt(peak=1.0, horizon=4, warmup=1).lr.tolist()[-1]
    0.5
    """
    return _inverse("inverse-sqrt", peak, horizon, warmup, timescale, 0.5)


@family("inverse-power")
def inverse_power(
    *,
    peak: float,
    horizon: int,
    warmup: float = 0,
    exponent: float = 1.0,
    timescale: float | None = None,
    **known: Unpack[Known],
) -> LongSchedule:
    """``peak * (1 + (k - warmup) / timescale)**-exponent`` after the warm-up.

    The ``lr = c k^-p`` of stochastic approximation, with exponents in (1/2, 1]; 1/2 is
    `inverse_sqrt`.

    Args:
        peak: Largest rate.
        horizon: Updates in all.
        warmup: Updates of linear warm-up, or below 1 a share of the horizon.
        exponent: The power p, > 0.
        timescale: Updates over which the rate falls to ``peak * 2**-exponent``. ``None``: the
            warm-up, which gives ``peak * (warmup / k)**exponent``; without a warm-up
            ``peak * k**-exponent``.

    >>> inverse_power(peak=1.0, horizon=4).lr.tolist()
    [1.0, 0.5, 0.3333333333333333, 0.25]
    """
    return _inverse("inverse-power", peak, horizon, warmup, timescale, exponent)


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
    expect("knots", knots, Mapping, "rates by update, as {0: 0.0, 100: 3e-4, 1000: 0.0}")
    for update, rate in knots.items():
        expect_number("a knot", update)
        expect_number(f"the rate at {update}", rate)
    if not knots:
        raise InputError("no knots: expected at least one, as in knots:0=0,100=3e-4,1000=0")
    check_horizon(max(knots), "schedule knots")
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
    _connected(peak, final, decay, exponent)
    pieces = stretch(length, peak, final, decay, exponent)
    return LongSchedule(pieces).rates() if pieces else np.empty(0)


def _falls(
    peak: float,
    horizon: int,
    warmup: float,
    final: float,
    decay: str,
    exponent: float = 1.0,
    length: int | None = None,
) -> LongSchedule:
    """Warm-up, peak, and a decay over the last ``length`` updates; ``None``: all after warm-up."""
    horizon, warmup = _clock(peak, horizon, warmup, final)
    _connected(peak, final, decay, exponent)
    length = horizon - warmup if length is None else length
    return _after_warmup(
        peak,
        warmup,
        stretch(horizon - warmup - length, peak),
        stretch(length, peak, final, decay, exponent),
    )


def _inverse(
    name: str, peak: float, horizon: int, warmup: float, timescale: float | None, exponent: float
) -> LongSchedule:
    horizon, warmup = _clock(peak, horizon, warmup)
    # Of its own timescale it falls from the last update of the warm-up, or else from update 1.
    start = warmup if timescale is not None else max(warmup, 1)
    scale = float(start if timescale is None else timescale)
    if not scale > 0:
        raise InputError(f"timescale is {scale:g}, expected above 0")
    length = horizon - start
    final = peak * (1 + length / scale) ** -exponent
    return _after_warmup(
        peak,
        warmup,
        stretch(start - warmup, peak),
        stretch(length, peak, final, name, exponent),
    )


def _after_warmup(peak: float, warmup: int, *parts: tuple[Piece, ...]) -> LongSchedule:
    pieces = stretch(warmup, 0.0, peak, "linear")
    return LongSchedule(sum(parts, start=pieces), warmup)


def _clock(peak: float, horizon: float, warmup: float, final: float = 0.0) -> tuple[int, int]:
    """Horizon and warm-up, checked, as are the rates."""
    horizon = _count("horizon", horizon)
    warmup = warmup_updates(warmup, horizon)
    if not float(warmup).is_integer() or warmup < 0:
        raise InputError(f"warmup is {warmup:g}, expected a whole number of updates, at least 0")
    if warmup >= horizon:
        raise InputError(
            f"horizon ({horizon}) is not longer than the warmup ({int(warmup)} updates)"
        )
    _rates(peak, final)
    PEAK.check("peak learning rate", peak)
    return horizon, int(warmup)


def warmup_updates(warmup: float, horizon: float) -> float:
    """A warm-up in updates; below 1 it is a share of the horizon.

    >>> warmup_updates(200, 24000), warmup_updates(0.05, 24000)
    (200, 1200)

    Raises:
        InputError: it is not a number.
    """
    if not math.isfinite(warmup):
        raise InputError(f"warmup is {warmup:g}, expected updates, or a share of them below 1")
    return max(round(warmup * horizon), 1) if 0 < warmup < 1 else warmup


def _count(name: str, value: float) -> int:
    if not float(value).is_integer() or value < 1:
        raise InputError(f"{name} is {value:g}, expected a whole number of updates, at least 1")
    return int(value)


def _connected(peak: float, final: float, decay: str, exponent: float) -> None:
    """Check that a decay leads from one rate to the other."""
    _rates(peak, final)
    if not decay_shape(decay, exponent).to_zero and final <= 0:
        raise InputError(f"an {decay} decay cannot end at 0: give final a value above it")


def _rates(peak: float, final: float) -> None:
    if not (math.isfinite(peak) and peak > 0):
        raise InputError(f"peak learning rate is {peak:g}, expected a number above 0")
    if not (np.isfinite(final) and 0 <= final <= peak):
        raise InputError(f"final learning rate is {final:g}, expected 0..{peak:g}, the peak")
