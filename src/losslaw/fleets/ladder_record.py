"""What comes back from `ladder`: ends before and after the correction, and both laws of size."""

from dataclasses import dataclass

from losslaw.annealing.cooldown import Cooldown
from losslaw.curves.curve import NATS
from losslaw.drawing import Plotted
from losslaw.fitting.model_sizes import SizeLaw
from losslaw.fitting.rungs import Annealing
from losslaw.numerics.interval import Interval, ends
from losslaw.text import Report, rounded, sentences, size_words, table, wrapped


@dataclass(frozen=True, kw_only=True)
class Rung:
    """The end of one model size.

    Attributes:
        model_size: Its parameters.
        label: Name of the run.
        updates: Its updates.
        had: The cooldown that it had.
        ended: Its loss as it ended: mean of the last three, in nats.
        corrected: Its loss with the common cooldown.
        interval: Where that lies; ``None`` if the fit carries no uncertainty.
        home: Whether it was trained as what the intervals know best: by AdamW, at usual rates.
    """

    model_size: float
    label: str
    updates: int
    had: Annealing
    ended: float
    corrected: float
    interval: Interval | None
    home: bool

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "model_size": self.model_size,
            "label": self.label,
            "updates": self.updates,
            "cooldown": {
                "updates": self.had.updates,
                "share": self.had.share,
                "left": self.had.left,
            },
            "ended": self.ended,
            "corrected": self.corrected,
            **ends(self.interval),
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Ladder(Report, Plotted):
    """A ladder of model sizes, before and after the correction. Its text is the report.

    Attributes:
        rungs: One end for each size, in order of size.
        cooldown: The common cooldown; its length is a share of all updates of a run.
        level: Share of cases that intervals are meant to hold.
        before: The law of size through the losses as they ended; its errors know of the noise only.
        after: That through the corrected losses; ``None`` where nothing is known of their errors.
        next_size: A size that both foretell.
        trust: What stands behind the corrections, in words; ``None`` where one law answers alone.
        notes: What was assumed or left out.
        warnings: Why the answer deserves less trust than others.
        unit: What losses are measured in, as in `LossCurve`.
    """

    rungs: tuple[Rung, ...]
    cooldown: Cooldown
    level: float
    before: SizeLaw
    after: SizeLaw | None
    next_size: float
    trust: str | None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unit: str = NATS

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "trust": self.trust,
            "cooldown": {
                "over": self.cooldown.over,
                "shape": self.cooldown.shape,
                "final": self.cooldown.final,
            },
            "level": self.level,
            "unit": self.unit,
            "rungs": [rung.as_dict() for rung in self.rungs],
            "before": self._law(self.before),
            "after": None if self.after is None else self._law(self.after),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def _law(self, law: SizeLaw) -> dict[str, object]:
        interval = law.interval(self.next_size, self.level)
        following = {"model_size": self.next_size, "loss": law.loss(self.next_size)}
        return {
            "E": law.E,
            "F": law.F,
            "b": law.b,
            "errors": dict(zip("EFb", law.errors, strict=True)),
            "reference": law.reference,
            "next": {**following, **ends(interval)},
        }

    def csv(self) -> str:
        """A row for each size."""
        lines = ["model_size,label,updates,cooldown,share,left,ended,corrected,lower,upper"]
        for rung in self.rungs:
            label = '"' + rung.label.replace('"', '""') + '"'
            bounds = ("", "")
            if rung.interval is not None:
                bounds = (f"{rung.interval.lower:.6f}", f"{rung.interval.upper:.6f}")
            had = f"{rung.had.updates},{rung.had.share:.4f},{rung.had.left:.4f}"
            lines.append(
                f"{rung.model_size:.10g},{label},{rung.updates},{had},{rung.ended:.6f},"
                f"{rung.corrected:.6f},{bounds[0]},{bounds[1]}"
            )
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        length = f"{self.cooldown.over:,} updates"
        if not isinstance(self.cooldown.over, int):
            length = f"{100 * self.cooldown.over:.3g} % of all updates"
        wanted = f"{self.cooldown.shape} to {self.cooldown.final:g} over the last {length}"
        lines = [] if self.trust is None else [*wrapped(self.trust), ""]
        lines += [f"ends corrected to one cooldown ({wanted})", ""]
        header = ["size", "updates", "cooldown it had", "as ended", "corrected"]
        header.append(f"{self.level:.0%} interval")
        rows = [
            [
                size_words(rung.model_size, 4),
                f"{rung.updates:,}",
                str(rung.had),
                f"{rung.ended:.4f}",
                f"{rung.corrected:.4f}",
                "not known" if rung.interval is None else str(rung.interval),
            ]
            for rung in self.rungs
        ]
        lines += table(header, rows, indent=2)
        lines += ["", f"L(P) = E + F (P / {size_words(self.before.reference, 4)})^-b", ""]
        header = ["through", "E", "F", "b", f"next: {size_words(self.next_size, 4)}"]
        laws = [("as ended", self.before), ("corrected", self.after)]
        rows = [[name, *self._cells(law)] for name, law in laws if law is not None]
        lines += table(header, rows, indent=2)
        lines.append("  errors as ended know of the noise only, not of what the cooldowns did")
        notes, lengths = list(self.notes), {rung.updates for rung in self.rungs}
        if max(lengths) > 1.05 * min(lengths):
            notes.append(
                "the sizes have had different updates: the law is of this ladder, with these"
                " lengths"
            )
        lines += sentences("warning", self.warnings) + sentences("note", notes)
        return "\n".join(lines)

    def _cells(self, law: SizeLaw) -> list[str]:
        values = zip((law.E, law.F, law.b), law.errors, strict=True)
        half = law.interval(self.next_size, self.level).half_width
        cells = [rounded(value, error) for value, error in values]
        return [*cells, f"{law.loss(self.next_size):.3f} ± {half:.3f}"]
