"""A schedule: what the trainer did, or is asked to do, at every update.

``lr[k - 1]`` is the learning rate of update ``k``; batch size and weight decay follow the same
index. A schedule of ``n`` updates has losses at steps ``1..n``, after that many updates. Schedules
never change: ``schedule.scaled(0.5)`` is another one.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from losslaw.drawing import Plotted
from losslaw.errors import InputError, expect, expect_numbers
from losslaw.numerics.arrays import FloatArray, IntArray, finite_vector
from losslaw.numerics.horizon import check_horizon
from losslaw.numerics.magnitudes import BATCH, DECAY, RATE, Magnitude

# A rate that has fallen below this share of its peak tells of a decay: more than what a slow
# cosine does in passing, less than any cooldown that people run.
DECAYED = 0.7
# A change of the rate by this share of the highest one in one update is a jump.
JUMP = 0.02


def rising_prefix(lr: FloatArray) -> int:
    """Number of updates of the strict rise that a schedule begins with; 0 if it does not rise."""
    falls = np.flatnonzero(np.diff(lr) <= 0)
    last = int(falls[0]) if falls.size else lr.size - 1
    return last + 1 if last > 0 else 0


@dataclass(frozen=True, eq=False, init=False)
class Schedule(Plotted):
    """Learning rate, batch size and weight decay of every update.

    Args:
        lr: Learning rate of each update, >= 0. Shape ``(n,)``.
        batch: Sequences in each update, > 0; a number or shape ``(n,)``. ``None``: not known.
        weight_decay: Decoupled (AdamW) weight decay of each update, >= 0; a number or shape
            ``(n,)``. ``None``: not known; laws that need it then assume 0.1 and say so.
        warmup: Updates that belong to the warm-up, 0..n. ``None``: the strict rise at the start.
        sequence_length: Tokens in a sequence; needed for ``tokens`` only.
        spec: The text that made this schedule, if one did.

    Raises:
        InputError: empty, negative, not finite, all rates zero, lengths that do not match, or more
            than 10^7 updates (see `losslaw.allow_long`).

    >>> from losslaw import Schedule
    >>> schedule = Schedule(lr=[1e-3, 1e-3, 5e-4], batch=32)
    >>> schedule.horizon, schedule.peak_lr, schedule.intrinsic_time.tolist()
    (3, 0.001, [0.001, 0.002, 0.0025])
    """

    # Checked and completed in a constructor of its own: arguments are wider than the fields, and
    # some depend on others, for which attrs would need a converter each.
    lr: FloatArray
    batch: FloatArray | None
    weight_decay: FloatArray | None
    warmup: int
    sequence_length: int | None
    spec: str | None

    def __init__(
        self,
        lr: ArrayLike,
        batch: ArrayLike | None = None,
        weight_decay: ArrayLike | None = None,
        warmup: int | None = None,
        sequence_length: int | None = None,
        spec: str | None = None,
    ):
        check_horizon(np.size(lr))
        rates = finite_vector("learning rates", lr)
        if not rates.any():
            raise InputError("learning rates are all zero: expected at least one above zero")
        RATE.check("the highest learning rate", rates.max())
        put = object.__setattr__
        put(self, "lr", rates)
        put(self, "batch", _along("batch sizes", batch, rates.size, BATCH))
        put(self, "weight_decay", _along("weight decays", weight_decay, rates.size, DECAY))
        expect_numbers(warmup=warmup, sequence_length=sequence_length)
        warmup = rising_prefix(rates) if warmup is None else int(warmup)
        if not 0 <= warmup <= rates.size:
            raise InputError(f"warmup of {warmup} updates, expected 0..{rates.size}, the horizon")
        put(self, "warmup", warmup)
        if sequence_length is not None and sequence_length < 1:
            raise InputError(f"sequence_length is {sequence_length}, expected at least 1")
        put(self, "sequence_length", sequence_length)
        put(self, "spec", spec)

    @classmethod
    def from_torch(cls, scheduler: Any, n: int, *, group: int | None = None) -> "Schedule":
        """The rates of the next ``n`` updates under a scheduler of torch.

        Of a new scheduler that is the whole run. A copy is stepped: scheduler and optimiser stay as
        they are. One step of the scheduler is one update.

        Args:
            scheduler: One of ``torch.optim.lr_scheduler``, or what has ``step()`` and an
                ``optimizer`` with ``param_groups``, as those of transformers.
            n: Number of updates, 1 to 10^7.
            group: Which group of parameters; ``None``: all have the same rates.

        Returns:
            The schedule. Where the text of a usual one makes all rates to 1e-6 of the highest, it
            is that one, and ``spec`` has the text.

        Raises:
            InputError: no such scheduler, one that follows the losses or has fewer updates, groups
                whose rates differ.

        As in ``Schedule.from_torch(CosineAnnealingLR(optimizer, T_max=24_000), 24_000)``.
        """
        from losslaw.schedules.from_trainer import schedule_of_torch

        return schedule_of_torch(scheduler, n, group)

    @classmethod
    def from_optax(cls, schedule: Any, n: int, *, start: int = 0) -> "Schedule":
        """The rates of ``n`` updates under a schedule of optax.

        Args:
            schedule: A function of the updates done, ``lr[k - 1] = schedule(k - 1)``, or a number.
            n: Number of updates, 1 to 10^7.
            start: Updates done before the first of them.

        Returns:
            The schedule; with a text as for `from_torch`.

        Raises:
            InputError: it is neither, or fails.

        >>> Schedule.from_optax(lambda done: 0.1 * 0.5 ** (done // 2), 4).lr.tolist()
        [0.1, 0.1, 0.05, 0.05]
        """
        from losslaw.schedules.from_trainer import schedule_of_optax

        return schedule_of_optax(schedule, n, start)

    @property
    def horizon(self) -> int:
        """Number of updates."""
        return self.lr.size

    @property
    def peak_lr(self) -> float:
        """Largest learning rate."""
        return float(self.lr.max())

    @property
    def final_lr(self) -> float:
        """Learning rate of the last update."""
        return float(self.lr[-1])

    @cached_property
    def intrinsic_time(self) -> FloatArray:
        """``S[k] = lr[1] + ... + lr[k]``, the forward area, in units of lr. Shape ``(n,)``."""
        return np.cumsum(self.lr)

    @cached_property
    def jumps(self) -> tuple[IntArray, FloatArray]:
        """Updates (0-based) into which the rate changes by over `JUMP` of the highest so far.

        Returns:
            The updates, and the change of the rate into each, in units of lr. Shapes ``(j,)``.
        """
        change = np.abs(np.diff(self.lr))
        at = np.flatnonzero(change > JUMP * np.maximum.accumulate(self.lr)[1:]) + 1
        return at, change[at - 1]

    @property
    def tokens(self) -> FloatArray:
        """Tokens seen after each update, shape ``(n,)``.

        Raises:
            InputError: batch or sequence length is not known.
        """
        if self.batch is None or self.sequence_length is None:
            raise InputError("tokens need batch and sequence_length, and one of them is not known")
        return np.cumsum(self.batch) * self.sequence_length

    def decays(self, until: int | None = None) -> bool:
        """Whether the rate falls below .7 of its peak, up to update ``until`` or the end.

        >>> Schedule([0.1, 1.0, 1.0, 0.5]).decays(), Schedule([0.1, 1.0, 0.9]).decays()
        (True, False)
        """
        lr = self.lr[:until]
        return bool(lr[int(np.argmax(lr)) :].min() < DECAYED * lr.max())

    def scaled(self, factor: float) -> "Schedule":
        """The schedule with all learning rates times ``factor``."""
        return self.with_(lr=self.lr * factor)

    def prefix(self, horizon: int) -> "Schedule":
        """The first ``horizon`` updates.

        Raises:
            InputError: ``horizon`` is not in 1..n.
        """
        if not 1 <= horizon <= self.horizon:
            raise InputError(f"prefix of {horizon} updates, expected 1..{self.horizon}")
        if horizon == self.horizon:
            return self
        return self._cut(slice(0, horizon), warmup=min(self.warmup, horizon))

    def then(self, other: "Schedule") -> "Schedule":
        """This schedule, followed by ``other``; the warm-up is this one's."""
        return join(self, other)

    def extended(
        self,
        rates: FloatArray,
        *,
        batch: ArrayLike | None = None,
        weight_decay: ArrayLike | None = None,
    ) -> "Schedule":
        """The schedule with further updates, which keep its last batch and weight decay.

        Args:
            rates: Their learning rates. Shape ``(m,)``.
            batch: Their batch sizes, if others; a number or shape ``(m,)``.
            weight_decay: Their weight decay, if another; a number or shape ``(m,)``.

        What this schedule does not know stays unknown.

        >>> longer = Schedule([1.0, 1.0], batch=[8, 16]).extended(np.array([0.5]))
        >>> longer.lr.tolist(), longer.batch.tolist()
        ([1.0, 1.0, 0.5], [8.0, 16.0, 16.0])
        """

        def along(values: FloatArray | None, further: ArrayLike | None) -> FloatArray | None:
            if values is None:
                return None
            last = np.broadcast_to(values[-1] if further is None else further, rates.shape)
            return np.concatenate([values, last])

        return Schedule(
            np.concatenate([self.lr, rates]),
            along(self.batch, batch),
            along(self.weight_decay, weight_decay),
            self.warmup,
            self.sequence_length,
        )

    def with_(self, **changes: object) -> Self:
        """A copy with some fields replaced; without the text, which made the old ones."""
        return replace(self, **{"spec": None, **changes})  # pyright: ignore[reportArgumentType]

    def _cut(self, piece: slice, warmup: int) -> "Schedule":
        return Schedule(
            self.lr[piece],
            None if self.batch is None else self.batch[piece],
            None if self.weight_decay is None else self.weight_decay[piece],
            warmup,
            self.sequence_length,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule):
            return NotImplemented
        return (
            np.array_equal(self.lr, other.lr)
            and _same(self.batch, other.batch)
            and _same(self.weight_decay, other.weight_decay)
            and (self.warmup, self.sequence_length) == (other.warmup, other.sequence_length)
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        text = self.spec or f"lr of {self.horizon} updates, {self.lr[0]:.3g} .. {self.final_lr:.3g}"
        return f"<Schedule {text}>"


def join(first: Schedule, *rest: Schedule) -> Schedule:
    """Schedules one after the other; the warm-up is the first one's.

    What one of the parts does not know (batch, weight decay) the whole does not know.

    >>> from losslaw import Schedule
    >>> join(Schedule([1.0, 1.0]), Schedule([0.5])).lr.tolist()
    [1.0, 1.0, 0.5]
    """
    parts = (first, *rest)
    for part in parts:
        expect("a part", part, Schedule, "a Schedule, such as parse_schedule makes of a text")

    def along(values: list[FloatArray | None]) -> FloatArray | None:
        known = [value for value in values if value is not None]
        return np.concatenate(known) if len(known) == len(values) else None

    specs = [part.spec for part in parts if part.spec is not None]
    # The name of a file may hold anything, a plus sign too: only texts of numbers are joined.
    plain = len(specs) == len(parts) and not any("file:" in text for text in specs)
    spec = " + ".join(specs) if plain else None
    return Schedule(
        np.concatenate([part.lr for part in parts]),
        along([part.batch for part in parts]),
        along([part.weight_decay for part in parts]),
        first.warmup,
        first.sequence_length,
        spec,
    )


def _along(name: str, values: ArrayLike | None, n: int, magnitude: Magnitude) -> FloatArray | None:
    if values is None:
        return None
    if np.ndim(values) == 0:
        expect_numbers(**{name: values})
        values = np.full(n, values)
    array = finite_vector(name, values)
    if array.size != n:
        raise InputError(f"{name}: {array.size} values for {n} updates")
    if magnitude.low > 0 and not (array > 0).all():
        raise InputError(f"{name} are positive: value {int(np.argmin(array > 0))} is 0")
    magnitude.check(f"one of the {name}", array)
    return array


def _same(a: FloatArray | None, b: FloatArray | None) -> bool:
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b)
