"""What a law is: a formula from schedule to loss, linear in its non-negative amplitudes.

A law is a frozen dataclass. Its fields are its parameters, each with its meaning: *shapes* are
positive and searched in the log, *amplitudes* are non-negative and solved for. `Law.columns` is the
formula: one column an amplitude, signs included, so that ``loss = sum of amplitude * column``.
Prediction, decomposition, fitting and saving follow from that. All that is known of one law and of
no other stands in its file: the gradient of its final loss, the ways to fit it, and what is known
against the schedules it likes best.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.curves.objective import Artefact as Artefact
from losslaw.curves.objective import Objective
from losslaw.errors import InputError, expect_number
from losslaw.laws.parameters import Amplitude, Prior, Shape, amplitude
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule, ScheduleLike, schedule_of

T = TypeVar("T")


# A fall from the peak to zero should take the horizon over this many updates, at least, under a law
# that pays for falls without end.
SLOWEST = 10.0


@dataclass(frozen=True)
class Law(Objective, ABC):
    """Base of all laws. See the module for the idea, and any law's file for an example.

    Class attributes:
        reference: Where the formula is from.
        uses_weight_decay: Whether the formula reads the weight decay.
        constant_norm: Shapes, and their values where the norm of the weights never changes.
        growth: The shape by which the norm of the weights grows; empty where a law has no norm.
        uses_batch: Whether the formula reads the batch size.
        peak_error: Error on a schedule whose peak is a factor e away from every fitted one, in
            nats.
        size_exponent: Power by which the irreducible loss falls with the model size, where fewer
            than three sizes are fitted.
        model_error: Typical error of the law itself on schedules left out, in nats, before any
            evidence from the curves at hand.
        in_blocks: Whether `final_loss` takes blocks of several updates; worth it where a single
            update is dear.

    and those of `Objective`.

    Attributes:
        L0: The irreducible loss, an amplitude of every law.
    """

    reference: ClassVar[str]
    uses_weight_decay: ClassVar[bool] = False
    constant_norm: ClassVar[Mapping[str, float]] = {}
    growth: ClassVar[str] = ""
    uses_batch: ClassVar[bool] = False
    peak_error: ClassVar[float] = 0.2
    size_exponent: ClassVar[float] = 0.25
    model_error: ClassVar[float] = 0.011
    in_blocks: ClassVar[bool] = False

    L0: float = amplitude("irreducible loss")

    def __post_init__(self) -> None:
        shapes = self.shapes()
        try:
            parameters = self.parameters
        except (TypeError, ValueError):
            for name in (*shapes, *self.amplitudes()):
                expect_number(name, getattr(self, name))
            raise
        for name, value in parameters.items():
            zero = shapes[name].zero if name in shapes else True
            if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
                expected = "0 or above" if zero else "above 0"
                raise InputError(f"{self.name}: {name} is {value:g}, expected a number {expected}")

    @abstractmethod
    def columns(self, query: Query) -> dict[str, FloatArray]:
        """What multiplies each amplitude, signs included. Each of shape ``(m,)``."""

    def averaged(self, query: Query) -> dict[str, FloatArray]:
        """The columns, where the query has windows their means over these. Each ``(m,)``."""
        nodes = query.nodes
        if nodes is None:
            return self.columns(query)
        return {name: nodes.means(values) for name, values in self.columns(nodes.query).items()}

    def stacked(self, query: Query) -> FloatArray:
        """The columns side by side, in the order of `amplitudes`. Shape ``(m, p)``."""
        columns = self.averaged(query)
        return np.column_stack([columns[name] for name in self.amplitudes()])

    def terms(self, query: Query) -> dict[str, FloatArray]:
        """The terms of the loss by the name of their amplitude. Each of shape ``(m,)``."""
        columns = self.averaged(query)
        return {name: getattr(self, name) * columns[name] for name in self.amplitudes()}

    def loss(self, query: Query) -> FloatArray:
        """Loss in nats per token at the steps, or over the windows, of a query. Shape ``(m,)``."""
        return np.sum(list(self.terms(query).values()), axis=0)

    def merged_loss(self, query: Query, weights: FloatArray) -> float | None:
        """Loss of the weighted mean of the models at the steps of a query.

        A law that knows how long each update is remembered knows what of it is left in a mean of
        states (`losslaw.numerics.averaged`): signal and noise of a pair of states are those of a
        run half-way between them that is noisy up to the earlier one. ``None``: this one does not.

        Args:
            query: What was done, and when the states were saved.
            weights: What each counts, summing to 1. Shape ``(m,)``.
        """
        return None

    def squared_norm(self, blocks: Blocks) -> FloatArray:
        """Squared norm of the weights that each block sees, relative to its start. Shape ``(n,)``.

        Of laws with a `growth` only.
        """
        raise NotImplementedError

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """Loss after the last update, and its derivative by the rate of each block.

        What `columns` says of the last step, where all ages are known and no pass over the past is
        needed; sums that laws share are in `losslaw.numerics.last_step`. Without it a design is
        searched by differences of the loss: the same answer, more slowly.

        Returns:
            The loss in nats per token, and the derivative by ``blocks.lr``. Shape ``(n,)``.
        """
        raise NotImplementedError

    @classmethod
    def has_final_loss(cls) -> bool:
        """Whether the law says its `final_loss`, and not another law whose columns it changes."""
        said, columns = (
            next(kind for kind in cls.__mro__ if name in vars(kind))
            for name in ("final_loss", "columns")
        )
        return cls.final_loss is not Law.final_loss and issubclass(said, columns)

    @property
    def smooth(self) -> bool:
        """Whether the law says its gradient."""
        return self.has_final_loss()

    @property
    def sees_batch(self) -> bool:
        """Whether the loss depends on the batch size."""
        return self.uses_batch

    @property
    def irreducible(self) -> float:
        """The irreducible loss."""
        return self.L0

    @property
    def acting(self) -> dict[str, float]:
        """The amplitudes by which the learning rate acts."""
        return {name: getattr(self, name) for name in self.amplitudes() if name not in ("L0", "A")}

    def final(self, schedule: Schedule) -> float:
        """Loss after the last update of a schedule, in nats per token."""
        return float(self.predict(schedule, [schedule.horizon])[0])

    def slope(self, schedule: Schedule, starts: IntArray | None = None) -> tuple[float, FloatArray]:
        """Loss after the last update, in nats per token, and its gradient by the learning rates.

        Of a law that says its `final_loss`; blocks are for one that knows them (`in_blocks`).

        >>> from losslaw import Convolution
        >>> loss, gradient = Convolution(A=1.0, s=1.0).slope(Schedule([1.0, 1.0]))
        >>> loss, gradient.tolist()
        (0.5, [-0.25, -0.25])
        """
        query = Query.of(schedule, [schedule.horizon])
        if starts is None or not self.in_blocks:
            loss, gradient = self.final_loss(query.blocks)
            return float(loss), gradient
        blocks = query.blocks_from(starts)
        loss, gradient = self.final_loss(blocks)
        return float(loss), np.repeat(gradient / blocks.count, blocks.count.astype(np.int64))

    @classmethod
    @cache
    def shapes(cls) -> dict[str, Shape]:
        """Shape parameters by name."""
        return _parameters(cls, Shape)

    @classmethod
    @cache
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
        """The law with what it reads off the fitted runs themselves, and not off their losses."""
        return self

    @classmethod
    def recipes(cls, curves: Sequence[LossCurve]) -> "dict[str, Recipe]":
        """The named ways to fit the law to these curves; ``auto`` mixes some of them."""
        return {}

    @classmethod
    def accepted(cls, parameters: Mapping[str, float]) -> dict[str, float]:
        """The parameters of a fit that an earlier version saved, as they are now.

        Raises:
            InputError: the law no longer has what was fitted.
        """
        return dict(parameters)

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters by name, shapes and amplitudes."""
        names = [*self.shapes(), *self.amplitudes()]
        return {name: float(getattr(self, name)) for name in names}

    def with_(self, **changes: Any) -> Self:
        """The law with some parameters replaced."""
        return replace(self, **changes)

    def decompose(
        self, schedule: ScheduleLike, steps: ArrayLike | None = None
    ) -> dict[str, FloatArray]:
        """The terms of the loss by the name of their amplitude; they sum to the prediction."""
        return self.terms(Query.of(schedule_of(schedule), steps))

    def predict(self, schedule: ScheduleLike, steps: ArrayLike | None = None) -> FloatArray:
        """Loss after the given steps of a schedule, or after each of its updates.

        Args:
            schedule: Any schedule, or its text.
            steps: Increasing whole steps in 1..horizon; ``None`` for all.

        Returns:
            Loss in nats per token. Shape ``(m,)``.

        Raises:
            InputError: steps outside the schedule.
        """
        return self.loss(Query.of(schedule_of(schedule), steps))

    def curve(
        self, schedule: ScheduleLike, steps: ArrayLike | None = None, label: str | None = None
    ) -> LossCurve:
        """The prediction as a `LossCurve`."""
        query = Query.of(schedule_of(schedule), steps)
        return LossCurve(query.schedule, query.steps, self.loss(query), label or self.name)


@dataclass(frozen=True)
class Recipe:
    """How a law is fitted.

    Attributes:
        law: The class of the law.
        free: Shapes to search; ``None``: those the law frees by itself.
        fixed: Values for shapes that are not searched, and for settings.
        priors: What replaces the law's own priors; ``None``: nothing is known.
        starts: Values to begin from, instead of the law's own.
        model_error: Usual error on schedules left out, in nats, if it is not that of the law.
        peak_error: Error an e-fold from the fitted peaks, in nats, if it is not that of the law.
        name: The name among the recipes of the law; empty for one of the user's own.
    """

    law: type[Law]
    free: tuple[str, ...] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    priors: Mapping[str, Prior | None] = field(default_factory=dict[str, Prior | None])
    starts: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    model_error: float | None = None
    peak_error: float | None = None
    name: str = ""


def _parameters(cls: type[Law], kind: type[T]) -> dict[str, T]:
    specs = {item.name: item.metadata.get("parameter") for item in fields(cls)}
    return {name: spec for name, spec in specs.items() if isinstance(spec, kind)}
