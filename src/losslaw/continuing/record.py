"""What comes back from `continue_run`: where each way on ends, and whether it is worth it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from losslaw.continuing.second_phase import SecondPhase
from losslaw.curves.curve import NATS
from losslaw.drawing import Plotted
from losslaw.fitting.mixture import FLOOR
from losslaw.fitting.trust import Trust
from losslaw.numerics.interval import Interval, ends
from losslaw.text import Report, sentences, table, wrapped

Kind = Literal["stop", "stay", "decay", "peak", "later"]


@dataclass(frozen=True, kw_only=True)
class WayOn:
    """One way on.

    Attributes:
        kind: ``stop``: the run ends here; ``stay``: at its rate to the end; ``decay``: the rate is
            brought down from now on; ``peak``: it is brought to a peak, held and brought down;
            ``later``: no way on, but what a run whose decay had begun later would have had.
        name: In words.
        peak: Highest rate from now on; ``None`` where there is nothing to come.
        rewarmup: Updates in which the rate goes to the peak.
        cooldown: Updates in which it is brought down at last.
        steps: Updates in all.
        loss: Loss at the end, in nats; that of the log where the run stops.
        interval: Its interval; ``None`` where the run stops, or the fit carries no uncertainty.
        gain: How much lower it ends than the way it is held against, in nats.
        gain_interval: The interval of that; ``None`` where nothing is known of it.
    """

    kind: Kind
    name: str
    peak: float | None
    rewarmup: int
    cooldown: int
    steps: int
    loss: float
    interval: Interval | None
    gain: float
    gain_interval: Interval | None

    @property
    def told_apart(self) -> bool:
        """Whether the interval of the gain says on which side it ends."""
        return self.gain_interval is not None and not self.gain_interval.holds(0.0)

    @property
    def gain_words(self) -> str:
        """The gain and the half-width of its interval."""
        return f"{self.gain:+.4f}{_width(self.gain_interval)}"

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        bounds = ends(self.gain_interval)
        return {
            "kind": self.kind,
            "name": self.name,
            "peak": self.peak,
            "rewarmup": self.rewarmup,
            "cooldown": self.cooldown,
            "steps": self.steps,
            "loss": self.loss,
            **ends(self.interval),
            "gain": self.gain,
            "gain_lower": bounds["lower"],
            "gain_upper": bounds["upper"],
            "told_apart": self.told_apart,
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One way on beside another.

    Attributes:
        way: The one, by name.
        over: The other, by name.
        gain: How much lower the first ends than the second, in nats.
        interval: The interval of that; ``None`` where nothing is known of it.
    """

    way: str
    over: str
    gain: float
    interval: Interval | None

    @property
    def sentence(self) -> str:
        """That in words."""
        by = f"{abs(self.gain):.4f}{_width(self.interval)}"
        side = "lower" if self.gain > 0 else "higher"
        told = self.interval is not None and not self.interval.holds(0.0)
        doubt = "" if told else ", which cannot be told apart"
        return f"{self.way} ends {by} {side} than {self.over}{doubt}"

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {"way": self.way, "over": self.over, "gain": self.gain, **ends(self.interval)}


@dataclass(frozen=True, kw_only=True, repr=False)
class Continued(Report, Plotted):
    """The ways a run can go on, held against each other. Its text is the report.

    Attributes:
        label: Name of the run.
        at: Updates that are done.
        raw: Loss of the log there: mean of the last three, in nats.
        rate: Learning rate there.
        annealed: Whether the rate has been brought down: ways are then held against stopping now,
            else against decaying from now on.
        phase: How it goes on.
        ways: All ways; the one that others are held against comes first.
        reheating: The best re-heated way beside the best without; ``None`` where the rate is at its
            end, or no peak is above it.
        longer: The best way on beside a decay begun later; ``None`` where there was none.
        level: Share of cases that intervals are meant to hold.
        trust: What stands behind the losses; ``None`` where one law answers alone.
        notes: What was assumed, found or left out.
        warnings: Why the answer deserves less trust than others.
        unit: What losses are measured in, as in `LossCurve`.
    """

    label: str
    at: int
    raw: float
    rate: float
    annealed: bool
    phase: SecondPhase
    ways: tuple[WayOn, ...]
    reheating: Comparison | None
    longer: Comparison | None
    level: float
    trust: Trust | None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unit: str = NATS

    @property
    def against(self) -> WayOn:
        """The way that others are held against."""
        return self.ways[0]

    @property
    def best(self) -> WayOn:
        """The way on that ends lowest, of those held against the first."""
        ways = [way for way in self.ways[1:] if way.kind in ("peak", "stay", "decay")]
        return min(ways, key=lambda way: way.loss)

    @property
    def refused(self) -> bool:
        """Whether the interval is too wide for ways to be compared."""
        return self.trust is not None and self.trust.refused

    @property
    def verdict(self) -> str:
        """Whether it is worth it, in a sentence or two."""
        if self.refused:
            return "the interval is too wide to say whether going on is worth it"
        best, first = self.best, self.against
        numbers = (
            f"{first.loss:.4f} {'stopped' if self.annealed else first.name},"
            f" {best.loss:.4f}{_width(best.gain_interval)} after"
            f" {self.phase.updates:,} more ({best.name})"
        )
        doing = "another way on"
        if self.annealed:
            heated = best.peak is not None and best.peak > self.rate
            doing = "re-heating" if heated else "going on"
        if best.told_apart:
            side = "gains" if best.gain > 0 else "costs"
            lead = f"{doing} {side} {abs(best.gain):.4f}{_width(best.gain_interval)} here"
        elif best.gain < FLOOR * first.loss:
            lead = f"{doing} buys nothing here"
        else:
            lead = f"what {doing} buys is not certain"
        beside = [each.sentence for each in (self.reheating, self.longer) if each is not None]
        return "\n".join([f"{lead}: {numbers}", *beside])

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        said = {"reheating": self.reheating, "longer": self.longer}
        return {
            "trust": None if self.trust is None else self.trust.as_dict(),
            "verdict": self.verdict,
            "label": self.label,
            "at": self.at,
            "raw": self.raw,
            "rate": self.rate,
            "annealed": self.annealed,
            "updates": self.phase.updates,
            "shape": self.phase.shape,
            "final": self.phase.final,
            "level": self.level,
            "unit": self.unit,
            "against": self.against.name,
            "ways": [] if self.refused else [way.as_dict() for way in self.ways],
            **{
                name: None if each is None or self.refused else each.as_dict()
                for name, each in said.items()
            },
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        lines = [] if self.trust is None else wrapped(str(self.trust))
        lines += [line for each in self.verdict.splitlines() for line in wrapped(each)]
        lines.append("")
        lines += wrapped(
            f"{self.label} at step {self.at:,}: rate {self.rate:.4g}, loss {self.raw:.4f} in the"
            f" log; {self.phase.updates:,} updates more"
        )
        if self.refused:
            lines.append("ways on are not compared: the interval is too wide for that")
        else:
            lines += ["", *self._table()]
        lines += sentences("warning", self.warnings) + sentences("note", self.notes)
        return "\n".join(lines)

    def _table(self) -> list[str]:
        header = ["way on", "rise", "fall", "end", f"{self.level:.0%} interval", "gain"]
        rows = [
            [
                way.name,
                f"{way.rewarmup:,}" if way.rewarmup else "",
                f"{way.cooldown:,}" if way.cooldown else "",
                f"{way.loss:.4f}",
                _interval(way),
                "" if way is self.against else way.gain_words,
            ]
            for way in self.ways
        ]
        return [
            *table(header, rows, indent=2),
            "  rise, fall: updates in which the rate goes to the peak, and down at last",
            f"  gain: over {self.against.name}; its ± is that of the difference",
        ]


def _interval(way: WayOn) -> str:
    if way.kind == "stop":
        return "in the log"
    return "not known" if way.interval is None else str(way.interval)


def _width(interval: Interval | None) -> str:
    if interval is None:
        return ""
    width = interval.half_width
    return f" ± {width:.4f}" if np.isfinite(width) else " ± an unbounded error"
