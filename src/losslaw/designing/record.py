"""What a design is: a schedule, its predicted loss, what it gains, and how far to trust it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losslaw.designing.free_form import Start
from losslaw.laws import Law
from losslaw.schedules import Schedule


@dataclass(frozen=True)
class Baseline:
    """A usual schedule under the same constraints.

    Attributes:
        name: Name of the schedule.
        schedule: The schedule.
        loss: Its predicted final loss, in nats per token.
        gain: How much lower the design ends, in nats; negative if it ends higher.
        lower: Lower end of the interval of that gain; ``None`` without a fit's uncertainty.
        upper: Upper end.
    """

    name: str
    schedule: Schedule
    loss: float
    gain: float
    lower: float | None = None
    upper: float | None = None

    @property
    def surely_worse(self) -> bool:
        """Whether the gain over it is above zero in all of its interval."""
        return (self.gain if self.lower is None else self.lower) > 0


@dataclass(frozen=True)
class Simple:
    """A schedule that one line of a trainer's options can say, as good as the design.

    Attributes:
        name: A usual schedule, or a family at its best setting.
        schedule: The schedule; its text in ``schedule.spec`` where there is one.
        loss: Its predicted final loss, in nats per token.
        cost: How much higher it ends than the design, in nats.
        half: Half-width of the interval of the cost, which holds zero; ``None`` without a fit's
            uncertainty.
    """

    name: str
    schedule: Schedule
    loss: float
    cost: float
    half: float | None


@dataclass(frozen=True)
class Design:
    """A schedule found for a law.

    Attributes:
        schedule: The schedule.
        law: The law whose final loss it minimises.
        loss: Predicted final loss, in nats per token.
        lower: Lower end of the interval of that loss; ``None`` without a fit's uncertainty.
        upper: Upper end.
        level: Share of runs the interval is meant to hold.
        family: ``free`` or the name of a family.
        knobs: The settings of the family.
        baselines: The usual schedules by name.
        room: How much lower the loss could be to first order, were every update free, in nats:
            near 0 where a free search has converged. ``None`` without a gradient.
        starts: Where a free search began, and where it ended.
        simple: The simplest schedule as good as a free-form design, within what is known.
        constraints: What the schedule had to meet.
        sentences: What to know before using it.
        evaluations: Losses that were computed.
        seconds: How long it took.
    """

    schedule: Schedule
    law: Law
    loss: float
    lower: float | None
    upper: float | None
    level: float
    family: str
    knobs: Mapping[str, float]
    baselines: Mapping[str, Baseline]
    room: float | None
    starts: tuple[Start, ...]
    simple: Simple | None
    constraints: Mapping[str, Any]
    sentences: tuple[str, ...] = ()
    evaluations: int = 0
    seconds: float = field(default=0.0, compare=False)

    @property
    def best_baseline(self) -> Baseline:
        """The usual schedule with the lowest predicted loss."""
        return min(self.baselines.values(), key=lambda item: item.loss)

    @property
    def gain(self) -> float:
        """How much lower the design ends than the best usual schedule, in nats."""
        return self.best_baseline.gain

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "loss": self.loss,
            "lower": self.lower,
            "upper": self.upper,
            "level": self.level,
            "law": self.law.name,
            "family": self.family,
            "knobs": dict(self.knobs),
            "baselines": {name: item.loss for name, item in self.baselines.items()},
            "gain": self.gain,
            "gains": {
                name: {"gain": item.gain, "lower": item.lower, "upper": item.upper}
                for name, item in self.baselines.items()
            },
            "simple": None
            if self.simple is None
            else {
                "name": self.simple.name,
                "spec": self.simple.schedule.spec,
                "loss": self.simple.loss,
                "cost": self.simple.cost,
                "half": self.simple.half,
            },
            "spec": self.schedule.spec,
            "schedule": {
                "step": np.arange(1, self.schedule.horizon + 1),
                "lr": self.schedule.lr,
                **({} if self.schedule.batch is None else {"batch": self.schedule.batch}),
            },
            "room": self.room,
            "starts": [
                {"name": start.name, "loss": start.loss, "best": start.best}
                for start in self.starts
            ],
            "constraints": dict(self.constraints),
            "sentences": list(self.sentences),
            "evaluations": self.evaluations,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        from losslaw.designing.report import report

        return report(self)
