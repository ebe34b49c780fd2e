"""What is exported, and what came of it: the two records every target works with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from losslaw.curves.curve import NATS, in_full
from losslaw.exporting.pieces import Pieces
from losslaw.exporting.styles import Nearest, Style, nearest
from losslaw.exporting.text import comment
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.interval import Interval, ends
from losslaw.schedules import Schedule
from losslaw.version import __version__

if TYPE_CHECKING:  # a schedule is exported without the machinery of fits
    from losslaw.fitting import Fit
    from losslaw.fitting.trust import Trust

# Curves of a fit that are named in a file, at most.
NAMED = 4
# Of the interval that says whether a prediction is of use.
LEVEL = 0.9


@dataclass(frozen=True)
class Job:
    """A schedule on its way into a file.

    Attributes:
        schedule: The schedule.
        pieces: Its straight pieces.
        source: Where it came from, in the user's words.
        fit: A fit that predicts losses; ``None`` if there is none.
        fit_source: Where the fit came from.
        date: Text that dates the file; ``None``: no date.
        model_size: Parameters of the model, for fits of several sizes.
        predicted: Predicted loss after the last update, in nats per token; ``None`` without a fit.
        interval: Where that loss is meant to lie; ``None``: not known.
        trust: What stands behind that loss; ``None`` where one law answers alone.
    """

    schedule: Schedule
    pieces: Pieces
    source: str | None = None
    fit: "Fit | None" = None
    fit_source: str | None = None
    date: str | None = None
    model_size: float | None = None
    predicted: float | None = None
    interval: Interval | None = None
    trust: "Trust | None" = None

    @property
    def horizon(self) -> int:
        """Updates."""
        return self.schedule.horizon

    @property
    def batch_changes(self) -> bool:
        """Whether the batch size is known and not the same throughout."""
        return changes(self.schedule.batch)

    def header(self, title: Sequence[str], usage: Sequence[str], *, knots: bool = True) -> str:
        """Comment at the head of a file: what it is, where it is from, how to use it."""
        return comment([*title, "", *self.provenance(knots=knots), "", *usage])

    def provenance(self, *, knots: bool = True) -> list[str]:
        """Where the schedule is from and what it is; ``knots``: whether the file has any."""
        s, p = self.schedule, self.pieces
        made = f"Made by losslaw {__version__}" + (f", {self.date}" if self.date else "")
        lines = [made + (f", from {self.source}" if self.source else "") + "."]
        lines.append(
            f"horizon {s.horizon} updates, warm-up {s.warmup}, peak learning rate {s.peak_lr:.6g},"
            f" last {s.final_lr:.6g}"
        )
        if knots:
            count = p.updates.size
            lines.append(f"straight pieces: {count} knots, largest relative error {p.error:.1e}")
        if self.fit is not None and self.predicted is not None:
            labels = [curve.label for curve in self.fit.curves]
            more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
            names = ", ".join(labels[:NAMED]) + more
            where = f" ({self.fit_source})" if self.fit_source else ""
            if self.trust is not None:
                lines.append(str(self.trust))
            others = "" if self.trust is None else " (the heaviest of those that answer)"
            lines.append(f"law: {self.fit.law.name}{others}, fitted to {names}{where}")
            lines.append(predicted_line(self.predicted, self.interval, self.fit.unit))
        if s.batch is not None and not self.batch_changes:
            lines.append(f"batch: {s.batch[0]:g} sequences an update")
        if s.weight_decay is not None:
            decay = s.weight_decay
            lines.append(
                f"weight decay: changes from {decay[0]:g} to {decay[-1]:g}; this file does not set"
                " it, the CSV export carries it"
                if changes(decay)
                else f"weight decay: {decay[0]:g}, decoupled"
            )
        return lines

    def nearest(self, styles: Sequence[Style]) -> Nearest:
        """The nearest of a trainer's styles, with what the fit predicts of the difference."""
        found = nearest(self.schedule, styles)
        if self.fit is None or self.predicted is None:
            return found
        if found.exact:
            return replace(found, loss_gap=0.0)
        from losslaw.designing.gains import Gains

        schedule = self.fit.completed(self.schedule)
        other = schedule.with_(lr=np.maximum(found.lr, 0.0))
        gains = Gains.of(self.fit, schedule, LEVEL, self.model_size)
        return replace(found, loss_gap=gains.gain(schedule, other), unit=self.fit.unit)


@dataclass(frozen=True)
class Exported:
    """An exported schedule.

    Attributes:
        target: What it was exported to.
        data: The file.
        exact: Whether it gives the rates of the schedule, to the error of its pieces.
        pieces: The straight pieces.
        nearest: The trainer's own style that is nearest, where it has styles.
        next_step: One sentence on how to use the file.
        notes: Sentences on what the file does not carry.
        predicted: Predicted final loss of the schedule.
        interval: Where that loss is meant to lie; ``None``: not known.
        trust: What stands behind that loss; ``None`` where one law answers alone.
        unit: What losses are measured in, as in `LossCurve`.
    """

    target: str
    data: bytes
    exact: bool
    pieces: Pieces
    nearest: Nearest | None
    next_step: str
    notes: tuple[str, ...] = ()
    predicted: float | None = None
    interval: Interval | None = None
    trust: "Trust | None" = None
    unit: str = NATS

    @property
    def text(self) -> str:
        """The file as text."""
        return self.data.decode("utf-8")

    def as_dict(self) -> dict[str, object]:
        """The JSON form, without the file itself."""
        near = self.nearest
        return {
            "target": self.target,
            "exact": self.exact,
            "peak_lr": self.pieces.peak,
            "knots": self.pieces.updates.size,
            "largest_relative_error": self.pieces.error,
            "style": None if near is None else near.style,
            "arguments": None if near is None else near.arguments,
            "style_peak_lr": None if near is None else near.peak,
            "gap": None
            if near is None
            else {"largest": near.largest, "rms": near.rms, "loss": near.loss_gap},
            "predicted_loss": self.predicted,
            **predicted_ends(self.interval),
            "trust": None if self.trust is None else self.trust.as_dict(),
            "notes": list(self.notes),
        }


def predicted_ends(interval: Interval | None) -> dict[str, float | None]:
    """The JSON form of the ends of a predicted final loss; ``None`` where it has none."""
    bounded = interval is not None and interval.bounded
    found = ends(interval if bounded else None)
    return {f"predicted_loss_{end}": value for end, value in found.items()}


def predicted_line(loss: float, interval: Interval | None, unit: str) -> str:
    """A predicted final loss with what is known of its error.

    >>> predicted_line(1.3009, Interval(lower=1.28, upper=1.32, level=0.9), NATS)
    'predicted loss after the last update: 1.3009 (1.2800 .. 1.3200, 90 %) nats per token'
    >>> predicted_line(1.3009, None, NATS)
    'predicted loss after the last update: 1.3009 (interval not known) nats per token'
    """
    known = "interval not known"
    if interval is not None:
        share = f"{100 * interval.level:g} %"
        known = f"{interval}, {share}" if interval.bounded else "interval unbounded"
    return f"predicted loss after the last update: {loss:.4f} ({known}) {in_full(unit)}"


def changes(values: FloatArray | None) -> bool:
    """Whether there are values, and not the same one throughout."""
    return values is not None and bool((values != values[0]).any())


def gap_lines(near: Nearest, *, used: bool = True) -> list[str]:
    """What the nearest style costs, in words; ``used``: whether the file is that style."""
    if near.exact:
        return [f"The trainer's own style {near.style!r} is exactly this schedule."]
    differs = "differs" if used else "would differ"
    lines = [
        f"The trainer's nearest own style, {near.style!r}, {differs} from the schedule by at most"
        f" {percent(near.largest)} of the peak rate (rms {percent(near.rms)})."
    ]
    if near.loss_gap is not None:
        lines.append(
            f"Predicted loss after the last update: {near.loss_gap:+.5f} {in_full(near.unit)}"
            " compared with the schedule."
        )
    return lines


def percent(share: float) -> str:
    """A share as a percentage of two digits.

    >>> percent(0.0123), percent(4e-7)
    ('1.2 %', '4e-05 %')
    """
    return f"{100 * share:.2g} %"
