"""What comes back from `merge`: the loss of averages of checkpoints, beside that of decays."""

from dataclasses import dataclass

import numpy as np

from losslaw.curves.curve import NATS
from losslaw.drawing import Plotted
from losslaw.fitting.trust import Trust
from losslaw.fitting.uncertainty import REPEAT
from losslaw.forecasting.record import SHARED_BY_ENDINGS
from losslaw.numerics.interval import Interval, Level, ends
from losslaw.text import Report, sentences, table, wrapped


@dataclass(frozen=True, kw_only=True)
class Merge:
    """An average of the last checkpoints of a run, and decays to hold it against.

    Attributes:
        checkpoints: How many are averaged.
        first: Updates at the first of them.
        last: Updates at the last of them.
        loss: Predicted loss of the average.
        interval: Its interval; ``None`` if the fit carries no uncertainty.
        drift: How much of the loss is for the distance between the checkpoints.
        own_error: Standard deviation of what is not that of the equivalent schedule.
        decay: Predicted loss after a decay over ``last - first`` more updates.
        decay_interval: Its interval.
        instead: Predicted loss had the rate decayed over these updates, from the first checkpoint.
        instead_interval: Its interval.
    """

    checkpoints: int
    first: int
    last: int
    loss: float
    interval: Interval | None
    drift: float
    own_error: float
    decay: float
    decay_interval: Interval | None
    instead: float
    instead_interval: Interval | None

    @property
    def span(self) -> int:
        """Updates from the first checkpoint to the last."""
        return self.last - self.first

    @property
    def difference(self) -> float:
        """Loss of the average minus that of the decay over as many more updates."""
        return self.loss - self.decay

    @property
    def told_apart(self) -> bool:
        """Whether the average and the decay differ by more than their errors explain.

        Both are of one run and share most of the law's error, s for the average; `own_error` is the
        average's own::

            sd^2 = (s - sd2)^2 + 2 (1 - SHARED_BY_ENDINGS) s sd2 + 2 REPEAT^2 + own_error^2
        """
        if self.interval is None or self.decay_interval is None:
            return False
        if not (self.interval.bounded and self.decay_interval.bounded):
            return False
        z = Level(self.interval.level).quantile
        other = self.decay_interval.half_width / z
        one = max((self.interval.half_width / z) ** 2 - self.own_error**2, 0.0) ** 0.5
        apart = 2 * (1 - SHARED_BY_ENDINGS) * one * other + 2 * REPEAT**2
        variance = (one - other) ** 2 + apart + self.own_error**2
        return bool(abs(self.difference) > z * np.sqrt(variance))

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "checkpoints": self.checkpoints,
            "first": self.first,
            "last": self.last,
            "loss": self.loss,
            **ends(self.interval),
            "drift": self.drift,
            "decay": {"over": self.span, "loss": self.decay, **ends(self.decay_interval)},
            "instead": {"over": self.span, "loss": self.instead, **ends(self.instead_interval)},
            "told_apart": self.told_apart,
        }

    def __str__(self) -> str:
        return f"merge the last {self.checkpoints} checkpoints (from step {self.first:,})"


@dataclass(frozen=True, kw_only=True, repr=False)
class MergeForecast(Report, Plotted):
    """What averages of a run's checkpoints are worth. Its text is the report.

    Attributes:
        label: Name of the run.
        step: Updates at the last checkpoint.
        raw: Predicted loss of the last checkpoint by itself.
        raw_interval: Its interval.
        weights: How checkpoints are weighed, in words.
        measured: Loss of the average of all checkpoints, if it was made.
        decay: The decays beside, in words.
        merges: Averages of the last 2, ... and of all checkpoints, shortest first.
        basis: What the forecast is based on, in words.
        law: Name of the law.
        level: Level of the intervals.
        trust: What stands behind it; ``None`` where one law answers alone.
        notes: What was assumed.
        warnings: Why it deserves less trust than others.
        unit: What losses are measured in, as in `LossCurve`.
    """

    label: str
    step: int
    raw: float
    raw_interval: Interval | None
    weights: str
    decay: str
    merges: tuple[Merge, ...]
    basis: str
    law: str
    level: float
    measured: float | None = None
    trust: Trust | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unit: str = NATS

    @property
    def whole(self) -> Merge:
        """The average of all checkpoints given."""
        return self.merges[-1]

    @property
    def best(self) -> Merge:
        """The average with the lowest predicted loss."""
        return min(self.merges, key=lambda merge: merge.loss)

    @property
    def refused(self) -> bool:
        """Whether the interval is too wide for windows and decays to be compared."""
        return self.trust is not None and self.trust.refused

    def as_dict(self) -> dict[str, object]:
        """The JSON form; its keys are documented in docs/guides/merge.md."""
        return {
            "label": self.label,
            "trust": None if self.trust is None else self.trust.as_dict(),
            "step": self.step,
            "raw": {"loss": self.raw, **ends(self.raw_interval)},
            "weights": self.weights,
            "level": self.level,
            "unit": self.unit,
            "law": self.law,
            "knowledge": self.basis,
            "decay": self.decay,
            "measured": self.measured,
            "loss": self.whole.loss,
            **ends(self.whole.interval),
            "merges": [merge.as_dict() for merge in self.merges],
            "best": None if self.refused else self.best.as_dict(),
            "notes": self.notes,
            "warnings": self.warnings,
        }

    def __str__(self) -> str:
        whole = self.whole
        lines = [
            *([] if self.trust is None else wrapped(str(self.trust))),
            f"{self.label}, {whole.checkpoints} checkpoints from step {whole.first:,} to"
            f" {whole.last:,}, weights {self.weights}",
            "",
            f"  merged    {whole.loss:.4f}, {self.level:.0%} interval {_words(whole.interval)}",
            f"  drift     {whole.drift:+.4f} of it, for checkpoints that lie apart, {self._known}",
            f"  as it is  {self.raw:.4f} at step {self.step:,}, interval"
            f" {_words(self.raw_interval)}",
            f"  based on  {self.basis} ({self.law})",
        ]
        if self.refused:
            lines += ["", "Windows and decays are not compared: the interval is too wide for that."]
        else:
            lines += ["", *self._windows(), "", *self._verdict()]
        lines += sentences("warning", self.warnings) + sentences("note", self.notes)
        return "\n".join(lines)

    @property
    def _known(self) -> str:
        if self.measured is None:
            return "as in the lab"
        return f"as the measured {self.measured:.4f} shows it"

    def _windows(self) -> list[str]:
        header = ["last", "from step", "merged", f"{self.level:.0%} interval", "decay", "instead"]
        rows = [
            [
                f"{merge.checkpoints}",
                f"{merge.first:,}",
                f"{merge.loss:.4f}",
                _words(merge.interval),
                f"{merge.decay:.4f}",
                f"{merge.instead:.4f}",
            ]
            for merge in self.merges
        ]
        return [
            *table(header, rows, indent=2),
            f"  decay: {self.decay} over as many more updates as the checkpoints span",
            "  instead: the same decay over these updates, from the first checkpoint",
        ]

    def _verdict(self) -> list[str]:
        best = self.best
        doubt = (
            "" if self.trust is None or self.trust.status == "confirmed" else ", if the laws hold"
        )
        side = "below" if best.difference < 0 else "above"
        told = "" if best.told_apart else " (not significantly different)"
        return wrapped(
            f"best window{doubt}: {best}: {best.loss:.4f},"
            f" {abs(best.difference):.4f} {side} a decay over {best.span:,} more updates{told}"
        )


def _words(interval: Interval | None) -> str:
    return "not known" if interval is None else str(interval)
