"""Schedules of a few knobs: what a trainer can express in one line, and their best settings.

A family's rates move smoothly with its knobs (a cooldown of 1234.5 updates is allowed on the way),
so the gradient of the loss by the rates leads to the best setting in some twenty evaluations. The
answer is then rounded to whole updates. Places of jumps are searched by differences.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from losslaw import schedules
from losslaw.designing.record import BestSchedule
from losslaw.designing.task import Task
from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.schedules import Schedule
from losslaw.schedules.shapes import decay_shape

SCALE = 1e3
Knobs = Mapping[str, float]


@dataclass(frozen=True)
class Knob:
    """A number of a family, in a range.

    Attributes:
        low: Smallest value.
        high: Largest value.
        starts: Values to begin from.
        log: Whether the search moves in its log.
        jump: Whether rates jump where it says, so that it has no derivative.
    """

    low: float
    high: float
    starts: tuple[float, ...]
    log: bool = False
    jump: bool = False

    def value(self, x: float) -> float:
        """The value at ``x`` in [0, 1]."""
        if self.log:
            return float(self.low * (self.high / self.low) ** x)
        return self.low + (self.high - self.low) * x

    def place(self, value: float) -> float:
        """The ``x`` of a value, inside the range."""
        value = min(max(value, self.low), self.high)
        if self.high == self.low:
            return 0.0
        if self.log:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Family:
    """A way to write a schedule.

    Attributes:
        name: On the command line.
        knobs: Its knobs for a task.
        rates: Rates of the free updates for a task and knobs. Shape ``(free,)``.
        text: The family of `losslaw.schedules` and its arguments beyond peak, horizon, warm-up;
            ``None`` where there is none.
    """

    name: str
    knobs: Callable[[Task], dict[str, Knob]]
    rates: Callable[[Task, Knobs], FloatArray]
    text: Callable[[Knobs], tuple[str, dict[str, object]]] | None


def _updates_left(task: Task) -> FloatArray:
    return np.arange(task.free - 1, -1, -1, dtype=np.float64)


def _final(task: Task) -> Knob:
    # The last update may be the only one, and a run has to train.
    low = task.floor if task.horizon > 1 else max(task.floor, 1e-6 * task.start)
    return Knob(low, task.start, (max(task.floor, 0.05 * task.start),))


def _cooldown(task: Task) -> Knob:
    high = task.free / task.horizon
    low = min(max(2.0 / task.horizon, 0.002), high)
    return Knob(low, high, (min(0.1, high), min(0.4, high)), log=True)


def _decay(shape: str) -> Callable[[Task, Knobs], FloatArray]:
    """Rates that stay at the start and then fall to ``final``, along a shape."""

    def rates(task: Task, knobs: Knobs) -> FloatArray:
        length = knobs["cooldown"] * task.horizon if "cooldown" in knobs else float(task.free)
        z = np.clip(1.0 - _updates_left(task) / max(length, 1.0), 0.0, 1.0)
        fall = decay_shape(shape, knobs.get("exponent", 1.0))
        return fall.rates(z, 1 - z, task.start, knobs["final"])

    return rates


def _family(
    name: str,
    shape: str,
    *,
    whole: bool = False,
    extra: dict[str, Knob] | None = None,
    text: Callable[[Knobs], tuple[str, dict[str, object]]] | None = None,
) -> Family:
    def knobs(task: Task) -> dict[str, Knob]:
        cooldown = {} if whole else {"cooldown": _cooldown(task)}
        return {**cooldown, "final": _final(task), **(extra or {})}

    return Family(name, knobs, _decay(shape), text)


def _wsd(decay: str) -> Callable[[Knobs], tuple[str, dict[str, object]]]:
    return lambda knobs: ("wsd", {**knobs, "decay": decay})


def _step_knobs(task: Task) -> dict[str, Knob]:
    low = max(task.given, 1) / task.horizon
    high = max(1 - 1 / task.horizon, low)
    share = 1 - low
    most = task.start / max(task.floor, 1e-4 * task.start)
    return {
        "first": Knob(low, high, (low + 0.85 * share,), jump=True),
        "second": Knob(low, high, (low + 0.95 * share,), jump=True),
        "factor": Knob(1.0, max(np.sqrt(most), 1.0 + 1e-9), (10**0.5,), log=True),
    }


def _steps(task: Task, knobs: Knobs) -> FloatArray:
    update = task.given + 1 + np.arange(task.free)
    one, two = (round(knobs[name] * task.horizon) for name in ("first", "second"))
    fallen = (update > one).astype(np.float64) + (update > max(one, two))
    return np.maximum(task.start * knobs["factor"] ** -fallen, task.floor)


# By name. ``wsd-1-power`` decays as ``1 - z^exponent``, all others as in `losslaw.schedules`.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "constant",
            lambda task: {},
            lambda task, knobs: np.full(task.free, task.start),
            lambda knobs: ("constant", {}),
        ),
        _family("linear", "linear", whole=True, text=lambda knobs: ("linear", dict(knobs))),
        _family("cosine", "cosine", whole=True, text=lambda knobs: ("cosine", dict(knobs))),
        _family(
            "power",
            "power",
            whole=True,
            extra={"exponent": Knob(0.2, 8.0, (1.5,), log=True)},
            text=lambda knobs: ("power", dict(knobs)),
        ),
        Family(
            "step",
            _step_knobs,
            _steps,
            lambda knobs: ("step", {**knobs, "second": max(knobs["first"], knobs["second"])}),
        ),
        _family("wsd", "linear", text=_wsd("linear")),
        _family("wsd-1-sqrt", "1-sqrt", text=_wsd("1-sqrt")),
        _family("wsd-cosine", "cosine", text=_wsd("cosine")),
        _family(
            "wsd-power",
            "power",
            extra={"exponent": Knob(0.2, 8.0, (1.5,), log=True)},
            text=_wsd("power"),
        ),
        _family(
            "wsd-1-power",
            "1-power",
            extra={"exponent": Knob(0.1, 4.0, (0.7,), log=True)},
            text=_wsd("1-power"),
        ),
    )
}


def family_named(name: str) -> Family:
    """A family.

    Raises:
        InputError: there is none of that name.
    """
    if name not in FAMILIES:
        raise InputError(f"unknown family {name!r}: expected one of {', '.join(FAMILIES)}")
    return FAMILIES[name]


def best_setting(task: Task, family: Family) -> BestSchedule:
    """The setting of a family with the lowest final loss, and of the peak where it is free."""
    knobs = dict(family.knobs(task))
    if task.lowest_peak is not None:
        knobs["peak"] = Knob(task.lowest_peak, task.peak, (task.peak,), log=True)
    count, scale = 0, SCALE

    def split(x: FloatArray) -> tuple[Task, dict[str, float]]:
        values = {
            name: knob.value(float(u)) for (name, knob), u in zip(knobs.items(), x, strict=True)
        }
        peak = values.pop("peak", None)
        at = task if peak is None else task.at_peak(peak)
        if peak is not None and "final" in values:  # as far from floor to peak as it is so far
            share = knobs["final"].place(values["final"])
            values["final"] = task.floor + (at.start - task.floor) * share
        return at, values

    def rates(x: FloatArray) -> FloatArray:
        at, values = split(x)
        return at.schedule(family.rates(at, values)).lr

    def loss(x: FloatArray) -> float:
        nonlocal count
        count += 1
        return task.law.quick(task.template.with_(lr=rates(x)))

    def finite(x: FloatArray) -> float:
        return float(np.nan_to_num(loss(x), nan=np.inf))

    def objective(x: FloatArray) -> tuple[float, FloatArray]:
        nonlocal count
        out = np.zeros(x.size)
        if task.law.smooth:
            count += 1
            value, by_rate = task.law.slope(task.template.with_(lr=rates(x)))
        else:
            value, by_rate = loss(x), None
        for i, knob in enumerate(knobs.values()):
            step = 5e-3 if knob.jump or by_rate is None else 1e-5
            up, down = x.copy(), x.copy()
            up[i], down[i] = min(x[i] + step, 1.0), max(x[i] - step, 0.0)
            width = up[i] - down[i]
            if knob.jump or by_rate is None:
                out[i] = (loss(up) - loss(down)) / width
            else:
                out[i] = dot(by_rate, rates(up) - rates(down)) / width
        return scale * value, scale * out

    begins = _starts(knobs) if knobs else []
    if "peak" in knobs:  # the last one, from the best two of some
        places = [knobs["peak"].place(peak) for peak in task.peaks]
        tried = [[np.append(begin[:-1], place) for place in places] for begin in begins]
        begins = [x for each in tried for x in sorted(each, key=finite)[:2]]
    best, lowest = np.empty(0), np.inf
    for begin in begins:
        scale = SCALE / task.law.measure.one(loss(begin))
        end = minimize(
            objective,
            begin,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * begin.size,
            options={"ftol": 1e-8, "gtol": 1e-5, "maxiter": 60, "maxfun": 80},
        )
        if float(end.fun) / scale < lowest:
            best, lowest = np.asarray(end.x, dtype=np.float64), float(end.fun) / scale
    at, values = split(best)
    values = _whole(at, values)
    schedule = expressed(at, family, values)
    if task.lowest_peak is not None:
        values = {"peak": at.peak, **values}
    return BestSchedule(
        schedule=schedule,
        loss=task.law.quick(schedule),
        gap=at.gap(schedule),
        evaluations=count,
        peak=at.peak,
        knobs=values,
    )


def _starts(knobs: Mapping[str, Knob]) -> list[FloatArray]:
    """Points to begin from: the first starts together, the second ones together."""
    most = max([len(knob.starts) for knob in knobs.values()], default=1)
    return [
        np.array([knob.place(knob.starts[min(i, len(knob.starts) - 1)]) for knob in knobs.values()])
        for i in range(most)
    ]


def _whole(task: Task, values: dict[str, float]) -> dict[str, float]:
    """Knobs with places and lengths at whole updates, and as few digits as change nothing."""
    rounded = dict(values)
    for name in ("cooldown", "first", "second"):
        if name in values:
            rounded[name] = max(round(values[name] * task.horizon), 1) / task.horizon
    for name in ("exponent", "factor"):
        if name in values:
            rounded[name] = float(f"{values[name]:.4g}")
    if "final" in values:
        rounded["final"] = min(max(float(f"{values['final']:.4g}"), task.floor), task.start)
    return rounded


def _tidy(rate: float) -> float:
    short = float(f"{rate:.6g}")
    return short if abs(short - rate) <= 3e-10 * rate else rate


def expressed(task: Task, family: Family, knobs: Knobs) -> Schedule:
    """The schedule, with the text that makes it where there is one."""
    schedule = task.schedule(family.rates(task, knobs))
    if family.text is None or task.given != task.template.warmup:
        return schedule
    name, arguments = family.text(knobs)
    template = task.template
    for key in ("batch", "weight_decay"):
        values: FloatArray | None = getattr(template, key)
        if values is not None:
            if not (values == values[0]).all():
                return schedule
            arguments[key] = float(values[0])
    # A logged peak, or a share of one, has digits that no rate is known to.
    peak = _tidy(task.peak)
    if "final" in arguments:
        arguments["final"] = _tidy(knobs["final"])
    made = schedules.FAMILIES[name](
        peak=peak, horizon=task.horizon, warmup=template.warmup, **arguments
    )
    # A text that made other rates (a step below the floor) would be a lie.
    return made if np.allclose(made.lr, schedule.lr, rtol=0, atol=1e-9 * task.peak) else schedule
