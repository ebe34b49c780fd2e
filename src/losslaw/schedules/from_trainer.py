"""The schedule that a trainer's own scheduler would follow: torch's and optax's, run ahead.

A scheduler of torch writes its rates into the groups of its optimiser. It is copied together with a
stand-in for the optimiser - groups of numbers, without parameters or state - and the copy is
stepped, once an update, as the trainer would do: schedulers in closed form and those that make each
rate out of the one before (chained, in sequence) are the same here, and the real ones are not
touched. A schedule of optax is a function of the updates done.

Where a short text makes the same rates, the text is kept: a plan of 10^6 updates is one line in
what is saved of it. No trainer is imported here; what has the right methods will do.
"""

import copy
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.horizon import check_horizon
from losslaw.schedules.recognise import recognise
from losslaw.schedules.schedule import Schedule
from losslaw.schedules.text import parse_schedule

# A text makes the same rates where none is further away than this share of the highest: rates of
# optax are float32, with 6e-8 a rounding.
SAME = 1e-6
# Groups have one schedule where their rates differ by no more than this share of the highest.
EQUAL = 1e-12
# Updates at which a function that took all counts at once is asked again, one by one.
CHECKED = 16


class _Optimizer:
    """What a scheduler sees of an optimiser: groups of numbers, and a step that was done."""

    def __init__(self, optimizer: Any) -> None:
        self.param_groups: list[dict[str, Any]] = [
            {name: [] if name == "params" else copy.deepcopy(group[name]) for name in group}
            for group in optimizer.param_groups
        ]
        self.defaults = dict(getattr(optimizer, "defaults", {}))
        self._opt_called = True

    def step(self) -> None:
        """Nothing: only rates are asked for."""

    # The mark by which a scheduler knows that it was told of the optimiser's steps.
    step._wrapped_by_lr_sched = True  # pyright: ignore[reportFunctionMemberAccess]


def schedule_of_torch(scheduler: Any, n: int, group: int | None = None) -> Schedule:
    """See `Schedule.from_torch`."""
    check_horizon(n)
    if n < 1:
        raise InputError(f"{n} updates of a scheduler, expected at least 1")
    optimizer = _optimizer_of(scheduler)
    stand_in = _Optimizer(optimizer)
    groups = len(stand_in.param_groups)
    if group is not None and not 0 <= group < groups:
        raise InputError(f"group {group}: the optimizer has groups 0 to {groups - 1}")
    rates = np.empty((groups, n))
    try:
        runner = copy.deepcopy(scheduler, {id(optimizer): stand_in, **_owners(scheduler)})
        for k in range(n):
            if k:
                runner.step()
            rates[:, k] = [float(each["lr"]) for each in stand_in.param_groups]
    except Exception as error:
        raise InputError(
            f"a {type(scheduler).__name__} cannot be run ahead for {n:,} updates:"
            f" {' '.join(str(error).split())}"
        ) from error
    if group is None:
        apart = np.ptp(rates, axis=0).max()
        if apart > EQUAL * rates.max():
            each = ", ".join(f"{i}: {peak:.4g}" for i, peak in enumerate(rates.max(axis=1)))
            raise InputError(
                f"the groups of the optimizer have different rates (highest of each: {each}):"
                " say which with group="
            )
    return _short(rates[group or 0])


def _optimizer_of(scheduler: Any) -> Any:
    """The optimiser that a scheduler moves.

    Raises:
        InputError: it has none, or follows the losses.
    """
    name = type(scheduler).__name__
    optimizer = getattr(scheduler, "optimizer", None)
    if not (hasattr(optimizer, "param_groups") and hasattr(scheduler, "step")):
        raise InputError(
            f"a {name} is no scheduler of torch: expected one with optimizer.param_groups and"
            " step(), as in torch.optim.lr_scheduler (of a wrapper, what it wraps)"
        )
    if "metrics" in getattr(getattr(scheduler.step, "__code__", None), "co_varnames", ())[:2]:
        raise InputError(f"a {name} follows the losses: what it will do is not known beforehand")
    return optimizer


def _owners(scheduler: Any) -> dict[int, object]:
    """Objects whose methods give the factors of a ``LambdaLR``: not copied, they may be a model."""
    inner = (scheduler, *getattr(scheduler, "_schedulers", ()))
    factors = [each for one in inner for each in getattr(one, "lr_lambdas", ())]
    return {id(each.__self__): each.__self__ for each in factors if hasattr(each, "__self__")}


def schedule_of_optax(schedule: Any, n: int, start: int = 0) -> Schedule:
    """See `Schedule.from_optax`."""
    check_horizon(n)
    if n < 1 or start < 0:
        raise InputError(f"{n} updates from {start} on, expected at least 1, from 0 or later")
    if isinstance(schedule, int | float):  # what optax takes in the place of a schedule
        return _short(np.full(n, float(schedule)))
    if not callable(schedule):
        raise InputError(
            f"a {type(schedule).__name__} is no schedule of optax: expected a function of the"
            " updates done, or a number"
        )
    counts = np.arange(start, start + n, dtype=np.int32)

    def rates_at(each: Sequence[int]) -> FloatArray:
        return np.array([float(np.asarray(cast(Any, schedule(count)))) for count in each])

    try:
        rates = _all_at_once(schedule, counts)
        some = np.unique(np.linspace(0, n - 1, CHECKED).astype(np.int64))
        if rates is None or not np.allclose(
            rates[some], rates_at(counts[some].tolist()), rtol=SAME, atol=0.0
        ):
            rates = rates_at(counts.tolist())
    except Exception as error:
        raise InputError(f"the schedule fails: {' '.join(str(error).split())}") from error
    return _short(rates)


def _all_at_once(schedule: Any, counts: Any) -> FloatArray | None:
    """The rates of all counts in one call; ``None``: the function takes single ones only."""
    try:
        rates = np.asarray(schedule(counts), dtype=np.float64)
    except Exception:
        return None
    return rates if rates.shape == counts.shape else None


def _short(rates: FloatArray) -> Schedule:
    """The rates as the text that makes them, where there is one, else as they are."""
    schedule = Schedule(rates)
    found = recognise(schedule)
    if found is None or found.horizon != schedule.horizon:
        return schedule
    made = parse_schedule(found.spec)
    same = made.horizon == rates.size and np.abs(made.lr - rates).max() <= SAME * rates.max()
    return made if same else schedule
