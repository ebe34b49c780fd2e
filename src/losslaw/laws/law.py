"""What a law is: a formula from schedule to loss, linear in its non-negative amplitudes.

A law is a frozen dataclass. Its fields are its parameters, each with its meaning: *shapes* are
positive and searched in the log, *amplitudes* are non-negative and solved for. `Law.columns` is the
formula: one column an amplitude, signs included, so that ``loss = sum of amplitude * column``.
Prediction, decomposition, fitting and saving follow from that.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.laws.query import Query, ask
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule

T = TypeVar("T")


@dataclass(frozen=True)
class Prior:
    """What is known of a parameter before any curve: mean, standard deviation, and who says so.

    Attributes:
        mean: Centre, in the units of the parameter.
        sd: Standard deviation, on the scale named by ``on``.
        on: ``value``, ``log`` or ``inverse``: the scale on which the parameter is Gaussian.
        source: Where the figures come from.
    """

    mean: float
    sd: float
    on: str = "value"
    source: str = ""

    def z(self, value: float) -> float:
        """Distance of ``value`` from the mean in standard deviations."""
        if self.on == "log":
            return math.log(value / self.mean) / self.sd
        if self.on == "inverse":
            return (1.0 / value - 1.0 / self.mean) / self.sd
        return (value - self.mean) / self.sd


@dataclass(frozen=True)
class Shape:
    """A shape parameter: positive, searched in the log.

    Attributes:
        meaning: One phrase.
        low: Smallest value searched.
        high: Largest value searched.
        starts: Values a search begins from.
        free: Whether a fit searches it unless told otherwise.
        prior: What is known before any curve.
        zero: Whether 0 is a limit that the formula has; a search in the log never goes there.
    """

    meaning: str
    low: float
    high: float
    starts: tuple[float, ...]
    free: bool = True
    prior: Prior | None = None
    zero: bool = False

    def holds(self, value: float) -> bool:
        """Whether a search could have ended at ``value``, or it is a limit of the formula."""
        # The ends of a search come back through a logarithm.
        inside = self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)
        return inside or (self.zero and value == 0)


@dataclass(frozen=True)
class Amplitude:
    """A non-negative amplitude: linear in the loss, solved for.

    Attributes:
        meaning: One phrase.
        prior: What is known before any curve.
        optional: Whether a fit is whole without it (a term in the model size, say).
    """

    meaning: str
    prior: Prior | None = None
    optional: bool = False


def shape(
    default: float,
    meaning: str,
    *,
    low: float,
    high: float,
    starts: tuple[float, ...] = (),
    free: bool = True,
    prior: Prior | None = None,
    zero: bool = False,
) -> Any:
    """A dataclass field that is a shape parameter."""
    spec = Shape(meaning, low, high, starts or (default,), free, prior, zero)
    return field(default=default, metadata={"parameter": spec})


def amplitude(meaning: str, *, prior: Prior | None = None, optional: bool = False) -> Any:
    """A dataclass field that is an amplitude; 0 until it is fitted or given."""
    return field(default=0.0, metadata={"parameter": Amplitude(meaning, prior, optional)})


@dataclass(frozen=True)
class Law(ABC):
    """Base of all laws. See the module for the idea, and any law's file for an example.

    Class attributes:
        name: The name on the command line.
        title: Name in words.
        reference: Where the formula is from.
        uses_weight_decay: Whether the formula reads the weight decay.
        uses_batch: Whether the formula reads the batch size.
        uses_model_size: Whether the formula has a term in the model size.
        peak_error: Error on a schedule whose peak is a factor e away from every fitted one, in
            nats.
        size_exponent: Power by which the irreducible loss falls with the model size, where fewer
            than three sizes are fitted.
        model_error: Typical error of the law itself on schedules left out, in nats, before any
            evidence from the curves at hand.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    reference: ClassVar[str]
    uses_weight_decay: ClassVar[bool] = False
    uses_batch: ClassVar[bool] = False
    uses_model_size: ClassVar[bool] = False
    peak_error: ClassVar[float] = 0.2
    size_exponent: ClassVar[float] = 0.25
    model_error: ClassVar[float] = 0.011

    def __post_init__(self) -> None:
        shapes = self.shapes()
        for name, value in self.parameters.items():
            zero = shapes[name].zero if name in shapes else True
            if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
                expected = "0 or above" if zero else "above 0"
                raise InputError(f"{self.name}: {name} is {value:g}, expected a number {expected}")

    @abstractmethod
    def columns(self, query: Query) -> dict[str, FloatArray]:
        """What multiplies each amplitude, signs included. Each of shape ``(m,)``."""

    @classmethod
    def shapes(cls) -> dict[str, Shape]:
        """Shape parameters by name."""
        return _parameters(cls, Shape)

    @classmethod
    def amplitudes(cls) -> dict[str, Amplitude]:
        """Amplitudes by name."""
        return _parameters(cls, Amplitude)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        """Fields that are choices of convention and not parameters, with their defaults."""
        return {
            item.name: None if item.default is MISSING else item.default
            for item in fields(cls)
            if "parameter" not in item.metadata
        }

    @classmethod
    def priors(cls, model_size: float | None = None) -> dict[str, Prior]:
        """What is known of each parameter before any curve, for a model of this size."""
        specs = {**cls.shapes(), **cls.amplitudes()}
        return {name: spec.prior for name, spec in specs.items() if spec.prior is not None}

    def at_size(self, model_size: float, reference: float) -> Self:
        """The shapes as they are for another model size; the same where no trend is known."""
        return self

    def informed(self, schedules: Sequence[Schedule]) -> Self:
        """The law with what it takes from the fitted runs beside their losses."""
        return self

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters by name, shapes and amplitudes."""
        names = [*self.shapes(), *self.amplitudes()]
        return {name: float(getattr(self, name)) for name in names}

    def with_(self, **changes: Any) -> Self:
        """The law with some parameters replaced."""
        return replace(self, **changes)

    def decompose(
        self, schedule: Schedule, steps: ArrayLike | None = None
    ) -> dict[str, FloatArray]:
        """The terms of the loss by the name of their amplitude; they sum to the prediction."""
        columns = self.columns(ask(schedule, steps))
        return {name: getattr(self, name) * column for name, column in columns.items()}

    def predict(self, schedule: Schedule, steps: ArrayLike | None = None) -> FloatArray:
        """Loss after the given steps of a schedule, or after each of its updates.

        Args:
            schedule: Any schedule.
            steps: Increasing whole steps in 1..horizon; ``None`` for all.

        Returns:
            Loss in nats per token. Shape ``(m,)``.

        Raises:
            InputError: steps outside the schedule.
        """
        terms = self.decompose(schedule, steps)
        return np.sum(list(terms.values()), axis=0)

    def curve(
        self, schedule: Schedule, steps: ArrayLike | None = None, label: str | None = None
    ) -> LossCurve:
        """The prediction as a `LossCurve`."""
        at = ask(schedule, steps).steps
        return LossCurve(schedule, at, self.predict(schedule, at), label or self.name)


def _parameters(cls: type[Law], kind: type[T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for item in fields(cls):
        spec = item.metadata.get("parameter")
        if isinstance(spec, kind):
            found[item.name] = spec
    return found
