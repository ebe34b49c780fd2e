"""What a design is: a schedule, its predicted loss, what it gains, and how far to trust it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losslaw.curves.objective import LOSS, Measure, Objective
from losslaw.designing.task import Task
from losslaw.drawing import Plotted
from losslaw.fitting.prediction import ADVISE
from losslaw.fitting.trust import Trust
from losslaw.numerics.interval import Interval, ends
from losslaw.schedules import Schedule
from losslaw.text import Report


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a search began, and the loss it ended at.

    Attributes:
        name: The schedule it began from.
        loss: Final loss at the end of the first, coarse search.
        best: Whether that is the best optimum found, within 1e-5 nats or 1e-4 of a risk.
    """

    name: str
    loss: float
    best: bool


@dataclass(frozen=True, kw_only=True)
class BestSchedule:
    """The end of a search.

    Attributes:
        schedule: The best schedule found.
        loss: Its final loss (`Objective.quick`).
        gap: How much lower the final loss could be to first order (`Task.gap`); ``None`` where the
            law does not say its gradient.
        evaluations: Losses that were computed, each with its gradient where there is one.
        peak: The peak, chosen or given.
        knobs: The settings, of a family.
        starts: What was tried, of a free form.
    """

    schedule: Schedule
    loss: float
    gap: float | None
    evaluations: int
    peak: float
    knobs: Mapping[str, float] = field(default_factory=dict[str, float])
    starts: tuple[Start, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Another schedule under the same constraints.

    Attributes:
        name: Name of the schedule.
        schedule: The schedule.
        loss: Its predicted final loss, in nats per token, or its excess risk.
        gain: How much lower the design ends; negative if it ends higher.
        interval: Where that gain lies; ``None`` without a fit's uncertainty.
        measure: How these are written.
    """

    name: str
    schedule: Schedule
    loss: float
    gain: float
    interval: Interval | None = None
    measure: Measure = LOSS

    @property
    def surely_worse(self) -> bool:
        """Whether the gain over it is above zero in all of its interval."""
        return (self.gain if self.interval is None else self.interval.lower) > 0

    def __str__(self) -> str:
        cost = self.measure.difference(self.gain, self.loss - self.gain)
        line = f"{self.measure.value(self.loss)}  {cost}"
        if self.interval is None:
            return line
        return f"{line}  ({self.interval.lower:+.4f} .. {self.interval.upper:+.4f})"


@dataclass(frozen=True, kw_only=True)
class Simple:
    """A schedule that one line of a trainer's options can say, as good as the design.

    Attributes:
        name: A usual schedule, or a family at its best setting.
        schedule: The schedule; its text in ``schedule.spec`` where there is one.
        loss: Its predicted final loss.
        cost: How much higher it ends than the design.
        half: How far the interval of the cost reaches down, to zero or below; ``None`` without a
            fit's uncertainty.
        measure: How these are written.
    """

    name: str
    schedule: Schedule
    loss: float
    cost: float
    half: float | None
    measure: Measure = LOSS

    @classmethod
    def of(cls, item: Baseline) -> "Simple":
        """Of a schedule that was compared with the design."""
        return cls(
            name=item.name,
            schedule=item.schedule,
            loss=item.loss,
            cost=item.gain,
            half=None if item.interval is None else item.gain - item.interval.lower,
            measure=item.measure,
        )

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "spec": self.schedule.spec,
            "loss": self.loss,
            "cost": self.cost,
            "half": self.half,
        }

    def __str__(self) -> str:
        text = f": {self.schedule.spec}" if self.schedule.spec else ""
        cost = self.measure.difference(self.cost, self.loss - self.cost).strip()
        after = self.measure.after
        return f"as good within what is known, and simpler: {self.name}, {cost}{after}{text}"


@dataclass(frozen=True, kw_only=True, repr=False)
class Design(Report, Plotted):
    """A schedule found for a law, or for a problem of the kernel world.

    Attributes:
        schedule: The schedule.
        task: What it minimises, and what it had to meet.
        loss: Predicted final loss, in nats per token, of all laws of the fit; of a problem of the
            kernel world the mean excess risk at the end.
        interval: Where that loss lies; ``None`` without a fit's uncertainty.
        trust: What stands behind that loss; ``None`` where one law answers alone.
        level: Share of runs the intervals are meant to hold.
        family: ``free`` or the name of a family.
        peak: The peak, chosen or given.
        knobs: The settings of the family.
        baselines: The usual schedules by name.
        families: The families at their best settings by name, if they were asked for.
        gap: How much lower the loss could be to first order, were every update free: near 0 where
            a free search has converged. ``None`` without a gradient.
        starts: Where a free search began, and where it ended.
        simple: The simplest schedule as good as a free-form design, within what is known.
        sentences: What to know before using it.
        evaluations: Losses that were computed.
        seconds: How long it took.
        measure: How losses are written; its unit is as in `LossCurve`.
    """

    schedule: Schedule
    task: Task
    loss: float
    interval: Interval | None
    trust: Trust | None
    level: float
    family: str
    peak: float
    knobs: Mapping[str, float]
    baselines: Mapping[str, Baseline]
    families: Mapping[str, Baseline]
    gap: float | None
    starts: tuple[Start, ...]
    simple: Simple | None
    sentences: tuple[str, ...] = ()
    evaluations: int = 0
    seconds: float = field(default=0.0, compare=False)
    measure: Measure = LOSS

    @property
    def law(self) -> Objective:
        """What says the final loss that it minimises."""
        return self.task.law

    @property
    def best_baseline(self) -> Baseline:
        """The usual schedule with the lowest predicted loss."""
        return min(self.baselines.values(), key=lambda item: item.loss)

    @property
    def gain(self) -> float:
        """How much lower the design ends than the best usual schedule."""
        return self.best_baseline.gain

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        batch = {} if self.schedule.batch is None else {"batch": self.schedule.batch.tolist()}
        return {
            "loss": self.loss,
            **ends(self.interval),
            "trust": trust_as_dict(self.trust),
            "level": self.level,
            "unit": self.measure.unit,
            "law": self.law.name,
            "family": self.family,
            "knobs": dict(self.knobs),
            "baselines": {name: item.loss for name, item in self.baselines.items()},
            "gain": self.gain,
            "gains": {
                name: {"gain": item.gain, **ends(item.interval), "spec": item.schedule.spec}
                for name, item in self.baselines.items()
            },
            "tuned": {
                name: {"loss": item.loss, "spec": item.schedule.spec}
                for name, item in self.families.items()
            },
            "simple": None if self.simple is None else self.simple.as_dict(),
            "spec": self.schedule.spec,
            "schedule": {
                "step": list(range(1, self.schedule.horizon + 1)),
                "lr": self.schedule.lr.tolist(),
                **batch,
            },
            "room": self.gap,
            "starts": [vars(start) for start in self.starts],
            "constraints": {**self.task.constraints, "peak": self.peak},
            "sentences": list(self.sentences),
            "evaluations": self.evaluations,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        kind = "free form" if self.family == "free" else f"family {self.family}"
        all_laws = "" if self.trust is None else "; losses and gains are those of all laws"
        measure = self.measure
        lines = [
            *opening(self.trust),
            f"{kind}, {self.schedule.horizon} updates, lowest {measure.name} of the"
            f" {self.law.title}"
            f"{all_laws}",
            shape_in_words(self.schedule, self.task.given),
        ]
        if self.knobs:
            lines.append(", ".join(f"{name} {value:.4g}" for name, value in self.knobs.items()))
        if self.schedule.spec is not None:
            lines.append(self.schedule.spec)
        said = "" if measure.relative else "predicted "
        value = measure.value(self.loss).strip()
        lines += ["", f"{said}final {measure.name}  {value}{self._interval()}", ""]
        lines += self._table("instead", self.baselines)
        if self.families:
            lines += self._table("at its best setting", self.families)
        ordered = sorted(self.baselines.items(), key=lambda pair: pair[1].loss)
        level = [name for name, item in ordered if not item.surely_worse]
        if level:
            lines.append(f"no significant gain over {', '.join(level)}")
        if self.simple is not None and self.simple.name not in level:
            lines.append(str(self.simple))
        if self.starts:
            agree = sum(start.best for start in self.starts)
            left = ""
            if self.gap is not None and not any("not converged" in each for each in self.sentences):
                room = self.measure.room(self.gap, self.loss)
                left = f"; to first order, no more than {room} are left"
            lines.append(f"{agree} of {len(self.starts)} starts end in this optimum{left}")
        lines += [f"note: {sentence}" for sentence in self.sentences]
        lines.append(f"{self.evaluations} losses computed in {self.seconds:.2f} s")
        return "\n".join(lines)

    def _table(self, title: str, others: Mapping[str, Baseline]) -> list[str]:
        """Lines of a table of other schedules, the best one first, and an empty one after it."""
        width = max(len(title), *map(len, others))
        name = "risk" if self.measure.relative else "loss"
        digits = len(self.measure.value(0.0))
        ordered = sorted(others.items(), key=lambda pair: pair[1].loss)
        rows = [f"{name:<{width}}  {item}" for name, item in ordered]
        return [f"{title:<{width}}  {name:>{digits}}  {'it costs':>8}", *rows, ""]

    def _interval(self) -> str:
        if self.interval is None:
            return ""
        end = f"{self.interval.upper:.4f}" if np.isfinite(self.interval.upper) else "unbounded"
        return f"  ({self.level:.0%} interval {self.interval.lower:.4f} .. {end})"


def trust_as_dict(trust: Trust | None) -> dict[str, object] | None:
    """The JSON form of what stands behind an answer; ``None`` where one law answers alone."""
    return None if trust is None else trust.as_dict()


# What is said of a loss of which too little is known to choose a schedule by.
TOO_WIDE = (
    f"the interval of this loss is too wide to choose by: {ADVISE} finds the cheapest run that"
    " would tell"
)


def opening(trust: Trust | None) -> list[str]:
    """Lines that a report begins with: what stands behind it, and whether it is of use at all."""
    if trust is None:
        return []
    return [str(trust), *([TOO_WIDE] if trust.refused else []), ""]


# A move of one update by this share of the largest rate is a jump, where others are smaller.
JUMP = 0.05


def shape_in_words(schedule: Schedule, given: int) -> str:
    """What the free part of a schedule does, in one sentence.

    >>> from losslaw import wsd
    >>> shape_in_words(wsd(peak=1e-3, horizon=1000, cooldown=0.25, final=1e-4), 0)
    'at 0.001 up to step 750, then down over 250 updates (25.0 % of the run) to 0.0001 (10.0 %)'
    """
    lr, n = schedule.lr, schedule.horizon
    start = lr[given - 1] if given else lr[0]
    top = float(lr[given:].max())
    near = 1e-3 * top
    if float(lr[given:].min()) >= top - near:
        return f"at {top:.4g} to the end"
    first = given + int(np.argmax(np.abs(lr[given:] - start) > near))  # updates before it moves
    if first <= max(given, 1):  # it moves from the first update on
        first = given
    final = f"{lr[-1]:.3g} ({lr[-1] / max(start, top):.1%})".replace("%", " %")
    moves = np.abs(np.diff(lr[max(given - 1, 0) :]))
    steps = np.flatnonzero(moves > near)
    if 0 < steps.size <= 8 and moves[steps].sum() > 0.99 * moves.sum():
        updates = steps + max(given, 1)
        jumps = [f"{lr[k]:.3g} after step {k}" for k in updates.tolist()]
        return f"at {start:.4g} up to step {updates[0]}, then {', '.join(jumps)}"
    rises = bool((np.diff(lr[max(given - 1, 0) :]) > near).any())
    share = f"{(n - first) / n:.1%}".replace("%", " %")
    words = "then up and down" if rises else "then down"
    stay = f"at {start:.4g} up to step {first}, " if first > given else ""
    after = float(lr[first])
    if first and abs(after - lr[first - 1]) > max(JUMP * top, 10 * float(np.median(moves))):
        goes = "falls" if after < lr[first - 1] else "rises"
        rises = bool((np.diff(lr[first:]) > near).any())
        words = "then up and down" if rises else "then down"
        stay = f"{stay}{'then ' if stay else ''}{goes} at once to {after:.4g} after step {first}, "
    words = words if stay else words.removeprefix("then ")
    rest = int(np.argmax(np.abs(lr[::-1] - lr[-1]) > near)) - 1  # updates at the last rate
    reached = f", reached {rest} updates before the end" if rest > 0.01 * n else ""
    return f"{stay}{words} over {n - first} updates ({share} of the run) to {final}{reached}"
