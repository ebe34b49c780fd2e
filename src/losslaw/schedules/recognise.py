"""Which of the usual schedules is this? The text that makes the same learning rates again.

A run is described by its rates; people speak of "WSD with a 20 % linear cooldown". `recognise`
proposes the texts that the rates suggest, makes each of them, and keeps the closest. Trainers
differ by one update in where a phase begins, so a rate counts as reproduced where the proposal
passes through it within one update to either side. Most of them count from 0: their update k has
the rate that the text gives to update k - 1, and the texts are looked for on that clock as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from losslaw.errors import InputError
from losslaw.numerics.horizon import allow_long
from losslaw.schedules.agreement import outside_one_update
from losslaw.schedules.families import FAMILIES
from losslaw.schedules.match_shape import TIGHT, match_decay
from losslaw.schedules.schedule import Schedule
from losslaw.schedules.text import parse_schedule

# Largest deviation of a recognised schedule, relative to its peak.
CLOSE = 2e-3
# How near to the update after the last one a fall must reach 0, in updates, to end there.
ONE_MORE = 0.02


@dataclass(frozen=True)
class Recognised:
    """A usual schedule that reproduces the rates of another.

    Attributes:
        spec: Its text; `parse_schedule` makes it.
        deviation: Largest difference after the warm-up, relative to the peak, up to one update of
            shift.
        horizon: Updates of the recognised schedule; more than the given one has if that is the
            beginning of it only.
        complete: Whether the given schedule runs to that horizon.
    """

    spec: str
    deviation: float
    horizon: int
    complete: bool

    def __str__(self) -> str:
        return self.spec if self.complete else f"the beginning of {self.spec}"


def recognise(schedule: Schedule) -> Recognised | None:
    """The usual schedule with these learning rates, if there is one.

    Args:
        schedule: Any schedule; its own text is not looked at. Its warm-up is taken as it is.

    Returns:
        The first of the closest proposals, or ``None`` if none comes within 0.2 % of the peak.

    >>> import numpy as np
    >>> from losslaw.schedules import Schedule
    >>> str(recognise(Schedule(np.r_[0.5, np.full(79, 1.0), np.linspace(0.95, 0, 20)], warmup=2)))
    'wsd:peak=1,horizon=100,warmup=2'
    """
    own = _closest(schedule)
    if schedule.horizon < 3 or not schedule.lr[1:].any():
        return own
    delayed = Schedule(schedule.lr[1:], warmup=max(schedule.warmup - 1, 0))
    other = _closest(delayed)
    if other is None or not _reproduces(other, schedule):
        return own
    if own is None:
        return other
    exact = _exact(own, schedule), _exact(other, delayed)
    # After the warm-up both clocks may give the same rates, one of them with rounder numbers.
    rounder = _digits(other.spec) < _digits(own.spec)
    return other if exact[1] and (rounder or not exact[0]) else own


def _reproduces(found: Recognised, schedule: Schedule) -> bool:
    whole = parse_schedule(found.spec)
    return whole.horizon >= schedule.horizon and deviation_from(schedule, whole) <= CLOSE


def _digits(spec: str) -> int:
    """Digits in a text, but zeros around them.

    >>> _digits("cosine:peak=0.003,horizon=20000,warmup=150")
    4
    """
    numbers = re.findall(r"\d+(?:\.\d*)?", spec)
    return sum(len(number.replace(".", "").strip("0")) for number in numbers)


def _exact(found: Recognised, schedule: Schedule) -> bool:
    """Whether the rates after the warm-up are those of the text with no shift at all."""
    rest = slice(schedule.warmup, schedule.horizon)
    apart = np.abs(parse_schedule(found.spec).lr[rest] - schedule.lr[rest])
    return bool(apart.max(initial=0.0) <= 2 * TIGHT * schedule.peak_lr)


def _closest(schedule: Schedule) -> Recognised | None:
    found: list[Recognised] = []
    for spec in _proposals(schedule):
        try:
            with allow_long():  # the whole of what is given may be longer
                proposal = parse_schedule(spec)
        except InputError:  # a proposal that makes no schedule is none
            continue
        if proposal.horizon < schedule.horizon:
            continue
        deviation = deviation_from(schedule, proposal)
        if deviation <= CLOSE:
            complete = proposal.horizon <= schedule.horizon + 1
            found.append(Recognised(spec, deviation, proposal.horizon, complete))
        if deviation <= TIGHT:
            break
    if not found:
        return None
    closest = min(each.deviation for each in found)
    return next(each for each in found if each.deviation <= 2 * closest + TIGHT)


def deviation_from(schedule: Schedule, proposal: Schedule) -> float:
    """Largest distance of the rates after the warm-up, up to one update of shift; over the peak."""
    rest = outside_one_update(schedule.lr, proposal.lr)[schedule.warmup :]
    return max(float(rest.max()), 0.0) / schedule.peak_lr if rest.size else np.inf


def _proposals(schedule: Schedule) -> Iterator[str]:
    lr, n, warmup = schedule.lr, schedule.horizon, schedule.warmup
    body = lr[warmup:]
    if not body.size or not body.any():
        return
    edges = np.flatnonzero(np.abs(np.diff(body)) > TIGHT * body.max()) + 1
    levels = [float(body[at]) for at in (0, *edges[:2])]
    if not edges.size:
        yield written("constant", levels[0], n, warmup)
    if edges.size == 1:
        switch = warmup + int(edges[0])
        share = shortest_share(switch, n)
        tidy = share if len(f"{share:g}") <= 4 else switch
        given = {} if tidy == 0.5 else {"switch": tidy}
        yield written("twostage", levels[0], n, warmup, second=levels[1], **given)
    by_one_factor = edges.size == 2 and min(levels) > TIGHT * max(levels)
    if by_one_factor and abs(levels[0] * levels[2] / levels[1] ** 2 - 1) < 1e-4:
        first, second = (shortest_share(warmup + int(at), n) for at in edges)
        factor = levels[0] / levels[1]
        # 8-1-1, and any two steps by one factor.
        given = {"first": (first, 0.8), "second": (second, 0.9), "factor": (factor, 10**0.5)}
        yield written(
            "step",
            levels[0],
            n,
            warmup,
            **{key: value for key, (value, usual) in given.items() if not _same(value, usual)},
        )
    yield from _decays(schedule)
    yield from _cycles(schedule)


def _decays(schedule: Schedule) -> Iterator[str]:
    lr, n, warmup = schedule.lr, schedule.horizon, schedule.warmup
    k = np.arange(max(warmup, 1), n + 1, dtype=np.float64)
    rates = lr[max(warmup, 1) - 1 :]
    # The last update of a warm-up belongs to the fall only if it is at the peak.
    if warmup and lr[warmup:].size and lr[warmup - 1] < lr[warmup:].max():
        k, rates = k[1:], rates[1:]
    decay = match_decay(k, rates, start=float(warmup), tolerance=CLOSE)
    if decay is None or decay.shape == "constant":
        return
    peak, start, final = decay.peak, round(decay.start), decay.final
    end = round(decay.end)
    if decay.shape in ("linear", "1-sqrt") and final > TIGHT * peak:
        # Where the clock counts from 0, the last update is one before the end at 0.
        zero = decay.start + decay.formula.reaches(0.0, peak, final) * (decay.end - decay.start)
        if abs(zero - (n + 1)) < ONE_MORE:
            end, final = n + 1, 0.0
    partial = end > n and (decay.formula.has_end or final == 0)
    horizon = end if partial else n
    rest = "" if horizon <= end + 1 else f" + {written('constant', final, horizon - end, 0)}"
    if rest:
        horizon = end
    extras: dict[str, float | str] = {}
    if final > TIGHT * peak:
        extras["final"] = final
    whole = start <= warmup + 1
    if decay.shape in ("power", "inverse-power") and decay.exponent != 1:
        extras["exponent"] = decay.exponent
    if whole and decay.shape in ("inverse-sqrt", "inverse-power"):
        given = {key: value for key, value in extras.items() if key != "final"}
        # From its rate at the start it falls by 2**exponent in one timescale.
        halved = peak * 2.0 ** -(decay.exponent if "power" in decay.shape else 0.5)
        scale = decay.formula.reaches(halved, peak, decay.final) * (decay.end - decay.start)
        if start < max(warmup, 1) or not _same(scale, float(start)):
            given["timescale"] = scale
        yield written(decay.shape, peak, horizon, warmup, **given) + rest
        return
    if whole and decay.shape in FAMILIES:
        yield written(decay.shape, peak, horizon, warmup, **extras) + rest
    if decay.shape != "linear":
        extras = extras | {"decay": decay.shape}
    # First the round numbers that one update of shift allows, then the exact ones.
    exact = shortest_share(horizon - start, horizon)
    for cooldown in (round((horizon - start) / horizon, 3), exact):
        for ends in ({key: value for key, value in extras.items() if key != "final"}, extras):
            if ends != extras and final > 2 * (peak - final) / (end - start):
                continue
            share = {} if _same(cooldown, 0.2) else {"cooldown": cooldown}
            yield written("wsd", peak, horizon, warmup, **share, **ends) + rest


def _cycles(schedule: Schedule) -> Iterator[str]:
    body = schedule.lr[schedule.warmup :]
    slopes = np.sign(np.diff(body))
    moving = np.flatnonzero(slopes)
    turns = moving[1:][np.diff(slopes[moving]) != 0] + 1
    if turns.size < 1:
        return
    # A cycle falls and rises: n updates hold half as many cycles as half-periods.
    half = float(np.mean(np.diff(np.concatenate([[0], turns]))))
    cycles = round(body.size / half) / 2
    high = float(body.max())
    # No update need be exactly at the bottom: the last digits of the lowest rate say nothing.
    low = round(float(body.min()) / high, 3) * high
    given: dict[str, float | str] = {"final": low} if low > 0 else {}
    if cycles != 4:
        given["cycles"] = cycles
    shapes: tuple[dict[str, float | str], ...] = ({}, {"shape": "linear"})
    for shape in shapes:
        yield written("cyclic", high, schedule.horizon, schedule.warmup, **given, **shape)


def written(name: str, peak: float, horizon: int, warmup: int, **extras: float | str) -> str:
    """The text with these numbers, as short as the rounding of a log allows.

    >>> written("wsd", 0.1 + 0.2, 1000, 0, decay="1-sqrt")
    'wsd:peak=0.3,horizon=1000,decay=1-sqrt'
    """
    pairs: dict[str, float | str] = {"peak": peak, "horizon": horizon}
    if warmup:
        pairs["warmup"] = warmup
    pairs |= extras
    cells = [
        f"{key}={value if isinstance(value, str) else _number(value)}"
        for key, value in pairs.items()
    ]
    return f"{name}:{','.join(cells)}"


def _number(value: float) -> str:
    """The shortest text within the rounding of a log."""
    if value != 0 and abs(value - round(value)) <= TIGHT * abs(value):
        return str(round(value))
    for digits in range(1, 16):
        text = f"{value:.{digits}g}"
        if abs(float(text) - value) <= TIGHT * abs(value):
            return text
    return repr(float(value))


def shortest_share(updates: int, horizon: int) -> float:
    """The shortest share of the horizon that rounds to this many updates.

    >>> shortest_share(400, 1200), shortest_share(100, 1200)
    (0.333, 0.083)
    """
    for digits in range(1, 12):
        share = round(updates / horizon, digits)
        if round(share * horizon) == updates:
            return share
    return updates / horizon


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= TIGHT * max(abs(a), abs(b))
