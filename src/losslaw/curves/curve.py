"""A loss curve: a schedule, and the losses seen at some of its steps.

Measured, simulated and predicted losses are all a `LossCurve`. A loss "at step s" is the loss after
s updates, s = 1..n. Many trainers log means: then it is the mean of the losses after each of the
last w updates, s - w + 1 to s, and is compared with the mean of a law over the same ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves.measured import MeasuredNorm
from losslaw.curves.origin import Origin
from losslaw.drawing import Plotted
from losslaw.errors import InputError, expect, expect_numbers
from losslaw.logs.log import LossIs
from losslaw.logs.optimizer import checked_optimizer
from losslaw.numerics.arrays import FloatArray, IntArray, finite_vector
from losslaw.schedules import Schedule, ScheduleLike, schedule_of
from losslaw.text import escaped

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

# What losses of language models are measured in, what they are taken for where nobody says, and
# what the kernel world has instead of losses.
NATS = "nats per token"
ASSUMED = f"{NATS}, assumed"
RISK = "risk"


class HasUnit(Protocol):
    """Losses that are measured in something."""

    @property
    def unit(self) -> str:
        """What they are measured in."""
        ...


class NamedWithUnit(HasUnit, Protocol):
    """Losses of a run."""

    @property
    def label(self) -> str:
        """Name of the run."""
        ...


def shared_unit(curves: Iterable[HasUnit]) -> str:
    """What the losses of all curves are measured in; where they differ a loss is just a "loss".

    >>> shared_unit([])
    'nats per token, assumed'
    """
    units = {curve.unit for curve in curves} or {ASSUMED}
    if NATS in units:
        units -= {ASSUMED}
    return units.pop() if len(units) == 1 else "loss"


def check_one_unit(curves: Iterable[NamedWithUnit]) -> None:
    """Check that losses can be fitted or compared together; where nobody says a unit they can.

    Raises:
        InputError: runs of two units.
    """
    said = {curve.unit: curve.label for curve in curves if curve.unit != ASSUMED}
    if len(said) > 1:
        (unit, label), (other, second) = list(said.items())[:2]
        raise InputError(
            f"the losses of {label!r} are {unit}, those of {second!r} {other}: expected one unit"
            " in runs that are fitted or compared together; leave out one of them, or convert it"
            f" and say so in its log (# loss_unit: {unit})"
        )


def in_full(unit: str) -> str:
    """The words for a unit, which do not say whether it was assumed.

    >>> in_full("nats per token, assumed")
    'nats per token'
    """
    return NATS if unit == ASSUMED else unit


def after_numbers(unit: str) -> str:
    """What stands after a number in words, of losses in this unit.

    >>> [after_numbers(each) for each in ("nats per token", "bits per byte", "risk")]
    [' nats', ' bits', '']
    """
    return f" {unit.split()[0]}" if " per " in unit else ""


def in_brackets(unit: str) -> str:
    """What stands behind the name of differences between losses in this unit.

    >>> in_brackets("bits per byte"), in_brackets("risk")
    (' (bits)', '')
    """
    return f" ({after_numbers(unit).strip()})" if " per " in unit else ""


def loss_in(unit: str, what: str = "loss") -> str:
    """What an axis of losses is called: with their unit, or by what they are instead of losses.

    >>> loss_in("bits per byte"), loss_in("risk"), loss_in("risk", "final loss")
    ('loss (bits per byte)', 'risk', 'final risk')
    """
    return f"{what} ({in_full(unit)})" if " per " in unit else what.replace("loss", unit)


@dataclass(frozen=True, eq=False, init=False)
class LossCurve(Plotted):
    """Losses of one run.

    Args:
        schedule: What the run did at every update, up to its last loss or beyond; its text will do.
        steps: Updates done when each loss was seen, increasing whole numbers in 1..horizon.
            Shape ``(m,)``.
        loss: Loss at those steps, > 0; in nats per token for language models. Shape ``(m,)``.
        label: Name of the run, unique among the curves of a fit; in one line: line ends and what
            steers a terminal are written out.
        model_size: Parameters of the model, if known.
        assumptions: Sentences: what was assumed to make this curve out of its source.
        warnings: Sentences: what is doubtful about it.
        planned: Updates that the whole run will have, if its log says so.
        origin: How its log was read; ``None`` where there was none.
        optimizer: What trained the model (`losslaw.logs.optimizer`), if known.
        norm: The norm of its weights, if it was measured.
        loss_is: What one loss is: of one update or evaluation ("instant"), the "mean" over the
            updates since the loss before it, a moving "average", or the mean of an "epoch".
            ``None``: "mean" where there is a window, else "instant".
        window: Updates that each loss is the mean over, the last one that of its step; one number,
            or one for each loss, of shape ``(m,)``. ``None``: since the loss before it, if
            ``loss_is`` is "mean"; else losses are taken as instant.
        unit: What losses are measured in, "nats per token" or "bits per byte"; or what they are
            if that is no loss: a "risk" in the kernel world, a "perplexity". Where nobody says it
            they are taken for "nats per token, assumed".

    Raises:
        InputError: steps outside the schedule or out of order, losses that are not positive,
            windows that begin before the run.

    >>> from losslaw import Schedule
    >>> curve = LossCurve(Schedule([0.1] * 4), steps=[2, 4], loss=[3.0, 2.5], label="tiny")
    >>> curve.until(2).loss.tolist()
    [3.0]
    >>> curve.with_(loss_is="mean").window.tolist()
    [2, 2]
    """

    schedule: Schedule
    steps: IntArray
    loss: FloatArray
    label: str
    model_size: float | None
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    planned: int | None
    origin: Origin | None
    optimizer: str | None
    norm: MeasuredNorm | None
    loss_is: LossIs
    window: IntArray | None
    unit: str

    def __init__(
        self,
        schedule: ScheduleLike,
        steps: ArrayLike,
        loss: ArrayLike,
        label: str = "curve",
        model_size: float | None = None,
        assumptions: tuple[str, ...] = (),
        warnings: tuple[str, ...] = (),
        planned: int | None = None,
        origin: Origin | None = None,
        optimizer: str | None = None,
        norm: MeasuredNorm | None = None,
        loss_is: LossIs | None = None,
        window: ArrayLike | None = None,
        unit: str = ASSUMED,
    ):
        schedule = schedule_of(schedule)
        expect("label", label, str, "a text")
        expect_numbers(model_size=model_size)
        values = finite_vector(f"losses of {label!r}", loss)
        if not (values > 0).all():
            raise InputError(f"losses of {label!r} are positive: value {int(values.argmin())} is 0")
        at = checked_steps(steps, schedule.horizon, label)
        if at.size != values.size:
            raise InputError(f"curve {label!r}: {at.size} steps for {values.size} losses")
        if model_size is not None and not model_size > 0:
            raise InputError(f"curve {label!r}: model_size is {model_size}, expected above 0")
        if loss_is is None:
            loss_is = "instant" if window is None else "mean"
        if loss_is not in get_args(LossIs):
            known = ", ".join(get_args(LossIs))
            raise InputError(f"curve {label!r}: loss_is is {loss_is!r}, expected one of {known}")
        if loss_is == "instant":
            window = None
        elif loss_is == "mean" and window is None:
            window = since_the_last(at)
        put = object.__setattr__
        put(self, "schedule", schedule)
        put(self, "steps", at)
        put(self, "loss", values)
        put(self, "label", escaped(label))
        put(self, "model_size", model_size)
        put(self, "assumptions", assumptions)
        put(self, "warnings", warnings)
        put(self, "planned", planned)
        put(self, "origin", origin)
        put(self, "optimizer", None if optimizer is None else checked_optimizer(optimizer))
        put(self, "norm", norm)
        put(self, "loss_is", loss_is)
        put(self, "window", None if window is None else checked_window(window, at, label))
        put(self, "unit", escaped(unit))

    @classmethod
    def from_frame(
        cls, frame: "IntoFrame", label: str | None = None, **reading: Any
    ) -> "LossCurve":
        """The run in a data frame of any library, read as the CSV file that it would be saved as.

        Args:
            frame: A data frame; or what else in memory `losslaw.read_curves` reads.
            label: Name of the run; ``None``: what it is.
            reading: What is known of it, as for `losslaw.read_curves`.

        Raises:
            InputError: see `losslaw.read_curves`; or there are several runs in it.
        """
        from losslaw.curves.read import curve_of, read_curves

        curve = curve_of(read_curves(frame, **reading))
        return curve if label is None else curve.with_(label=label)

    def __len__(self) -> int:
        return self.steps.size

    @property
    def final_loss(self) -> float:
        """Mean of the last three losses."""
        return float(self.loss[-3:].mean())

    @property
    def begins(self) -> IntArray:
        """The first update that each loss is a mean over, else its step. Shape ``(m,)``."""
        return self.steps if self.window is None else self.steps - self.window + 1

    @property
    def usual_window(self) -> int | None:
        """Updates that most losses are the mean over; ``None``: instant, or no number of most."""
        if self.window is None:
            return None
        values, counts = np.unique(self.window, return_counts=True)
        most = int(counts.argmax())
        return int(values[most]) if 2 * counts[most] > len(self) else None

    def some(self, kept: np.ndarray) -> "LossCurve":
        """Some of the points, by flags or by indices, with the whole schedule."""
        window = None if self.window is None else self.window[kept]
        return self.with_(steps=self.steps[kept], loss=self.loss[kept], window=window)

    @property
    def peak_seen(self) -> float:
        """The highest rate up to the last loss."""
        return float(self.schedule.lr[: int(self.steps[-1])].max())

    def after(self, step: int) -> "LossCurve":
        """The points after ``step``, all updates of means included, with the whole schedule.

        Raises:
            InputError: there are none.
        """
        return self._points(self.begins > step, f"after step {step}")

    def until(self, step: int) -> "LossCurve":
        """The points up to ``step``, with the whole schedule.

        Raises:
            InputError: there are none.
        """
        return self._points(self.steps <= step, f"up to step {step}")

    def with_(self, **changes: object) -> "LossCurve":
        """A copy with some fields replaced."""
        return replace(self, **changes)  # pyright: ignore[reportArgumentType]

    def _points(self, keep: np.ndarray, where: str) -> "LossCurve":
        if not keep.any():
            first, last = self.steps[0], self.steps[-1]
            raise InputError(
                f"curve {self.label!r}: no points {where}; its steps are {first}..{last}"
            )
        return self.some(keep)

    def __repr__(self) -> str:
        return (
            f"<LossCurve {self.label!r}: {len(self)} losses at steps"
            f" {self.steps[0]}..{self.steps[-1]}, {self.schedule!r}>"
        )


def checked_steps(steps: ArrayLike, horizon: int, label: str) -> IntArray:
    """Increasing whole steps in 1..horizon, as a read-only array of int64.

    Raises:
        InputError: they are not.
    """
    values = finite_vector(f"steps of {label!r}", steps, negative=True)
    at = values.astype(np.int64)
    if not np.array_equal(at, values):
        bad = values[int(np.argmax(at != values))]
        raise InputError(f"curve {label!r}: step {bad:g}, expected whole numbers")
    if (np.diff(at) <= 0).any():
        row = int(np.argmax(np.diff(at) <= 0))
        raise InputError(
            f"curve {label!r}: step {at[row + 1]} follows step {at[row]}, expected increasing steps"
        )
    if at[0] < 1 or at[-1] > horizon:
        raise InputError(
            f"curve {label!r}: steps run from {at[0]} to {at[-1]}, outside 1..{horizon},"
            " the horizon of its schedule"
        )
    at.setflags(write=False)
    return at


def since_the_last(steps: IntArray) -> IntArray:
    """Updates since the row before each; of the first as many as of the second, or all before it.

    >>> [since_the_last(np.array(steps)).tolist() for steps in ([10, 20, 50], [90, 100])]
    [[10, 10, 30], [10, 10]]
    """
    gaps = np.diff(steps)
    first = min(int(steps[0]), int(gaps[0])) if gaps.size else int(steps[0])
    return np.concatenate([[first], gaps]).astype(np.int64)


def checked_window(window: ArrayLike, steps: IntArray, label: str) -> IntArray:
    """The window of each loss, whole numbers, as a read-only array of int64.

    Raises:
        InputError: they are not, or begin before the run.
    """
    given = finite_vector(f"window of {label!r}", np.atleast_1d(window))
    if given.shape not in ((1,), steps.shape):
        raise InputError(f"curve {label!r}: {given.size} windows for {steps.size} losses")
    wide = np.broadcast_to(given, steps.shape)
    wrong = ~((wide >= 1) & (wide == np.rint(wide)))
    if wrong.any():
        bad = float(wide[int(np.argmax(wrong))])
        raise InputError(f"curve {label!r}: a window of {bad:g} updates, expected whole numbers")
    if (wide > steps).any():
        row = int(np.argmax(wide > steps))
        raise InputError(
            f"curve {label!r}: a mean over {wide[row]:g} updates at step {steps[row]}, where fewer"
            " are done"
        )
    values = wide.astype(np.int64)
    values.setflags(write=False)
    return values
