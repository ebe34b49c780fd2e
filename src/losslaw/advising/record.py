"""What comes back from `advise`: the interval now, the cheapest runs, and the one to make."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from losslaw.advising.candidate_runs import recognised
from losslaw.curves.curve import NATS
from losslaw.drawing import Plotted
from losslaw.fitting.trust import Trust
from losslaw.schedules import Schedule
from losslaw.text import Report, table

Cause = Literal["parameters", "law", "repeats", "peak", "reach"]

# What the half-width of an interval is made of.
CAUSES: dict[Cause, str] = {
    "parameters": "what the runs do not pin down of the law's parameters",
    "law": "the law's own error on schedules that were not fitted",
    "repeats": "what repeated runs differ by, and the noise of the losses",
    "peak": "how far the target's peak is from any fitted one",
    "reach": "how much further in intrinsic time the target goes than any fitted loss",
}

# Options that a report shows, around the best one.
SHOWN = 9
# A part below this share of the half-width adds less than a hundredth to it, and is not shown.
SMALL = 0.14


@dataclass(frozen=True, eq=False, kw_only=True)
class Option:
    """A run that could be made, and what it would do.

    Attributes:
        words: What it is.
        spec: Its schedule as text, which `losslaw.parse_schedule` reads.
        schedule: Its schedule, the steps before the checkpoint included.
        updates: Updates that must be computed, from its checkpoint or from scratch.
        share: Those, as a share of what the target itself would cost.
        run: Label of the run whose checkpoint it begins from; empty: from scratch.
        begins: Step of that checkpoint; 0: from scratch.
        half_width: Expected half-width of the target's interval, in nats; of several, the widest.
        parts: What that half-width would be made of; squares add up; empty if it has no end.
    """

    words: str
    spec: str
    schedule: Schedule
    updates: int
    share: float
    run: str
    begins: int
    half_width: float
    parts: Mapping[Cause, float]

    @property
    def price(self) -> tuple[int, float]:
        """What options are sorted by: updates first, then the half-width."""
        return self.updates, self.half_width

    @property
    def sentence(self) -> str:
        """What to compute, and from where."""
        if not self.run:
            return f"{self.updates:,} updates from scratch"
        if self.begins == 0:
            return f"{self.updates:,} updates from scratch (no checkpoint of {self.run!r} is kept)"
        return (
            f"{self.updates:,} updates from the checkpoint at step {self.begins:,} of run"
            f" {self.run!r}, if you kept it; else {self.schedule.horizon:,} from scratch"
        )

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "run": self.words,
            "schedule": self.spec,
            "updates": self.updates,
            "share": self.share,
            "from_run": self.run or None,
            "from_step": self.begins,
            "half_width": self.half_width,
            "parts": self.parts,
        }


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Advice(Report, Plotted):
    """Which run to make next.

    Attributes:
        targets: The schedules whose final losses are to be known better.
        losses: Their predicted final losses, in nats per token.
        level: Share of runs the interval is meant to hold.
        half_width: Half-width of the interval now; of several targets, the widest.
        goal: What half-width was wanted.
        parts: What the half-width is made of now; squares add up; empty if it has no end.
        floor: Half-width if all parameters were known.
        cost: Updates that the target itself would cost (of several, the widest), from a checkpoint
            if one helps.
        options: The cheapest run for each width, cheapest first.
        best: What to run; ``None`` if no run helps much.
        from_last: The cheapest that does as much from the last checkpoint of a run, if the best
            begins at an earlier one.
        reached: Whether the best run reaches the goal.
        sentences: What to know, most important first.
        law: Name of the law that candidates are judged by.
        trust: What stands behind the loss of the widest target; ``None`` where that law answers
            alone.
        unit: What losses are measured in, as in `LossCurve`.
    """

    targets: tuple[Schedule, ...]
    losses: tuple[float, ...]
    level: float
    half_width: float
    goal: float
    parts: Mapping[Cause, float]
    floor: float
    cost: int
    options: tuple[Option, ...]
    best: Option | None
    from_last: Option | None
    reached: bool
    sentences: tuple[str, ...]
    law: str
    trust: Trust | None = None
    unit: str = NATS

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "trust": None if self.trust is None else self.trust.as_dict(),
            "losses": self.losses,
            "level": self.level,
            "unit": self.unit,
            "half_width": self.half_width,
            "goal": self.goal,
            "floor": self.floor,
            "parts": self.parts,
            "target_updates": self.cost,
            "reached": self.reached,
            "best": None if self.best is None else self.best.as_dict(),
            "from_last": None if self.from_last is None else self.from_last.as_dict(),
            "options": [option.as_dict() for option in self.options],
            "sentences": self.sentences,
            "law": self.law,
        }

    def __str__(self) -> str:
        lines = [] if self.trust is None else [str(self.trust)]
        lines += [f"{text[:1].upper()}{text[1:]}." for text in self.sentences]
        if lines:
            lines.append("")
        law = self.law if self.trust is None else f"all laws; runs judged by {self.law}"
        for target, loss in zip(self.targets, self.losses, strict=True):
            lines.append(f"target    {recognised(target)}")
            lines.append(f"          final loss {loss:.4f} ({law})")
        widest = " (the widest)" if len(self.targets) > 1 else ""
        lines.append(f"now       {_width(self.half_width)} at {self.level:.0%}{widest}")
        for name, part in sorted(self.parts.items(), key=lambda item: -item[1]):
            if part > SMALL * self.half_width:
                lines.append(f"          {part:.4f}  {CAUSES[name]}")
        lines += [f"wanted    {_width(self.goal)}", "", *self._table()]
        best, last = self.best, self.from_last
        if best is not None:
            lines += [
                "",
                f"run       {best.spec}{'' if self.reached else ' (the best there is)'}",
                f"          {best.sentence}",
                f"          {best.share:.1%} of the {self.cost:,} updates of the target itself",
                f"expect    {_width(best.half_width)}",
            ]
        if last is not None:
            lines += [
                "",
                f"or        {last.spec}",
                f"          {last.updates:,} updates from step {last.begins:,}, the last of that"
                f" run: expect {_width(last.half_width)}",
            ]
        return "\n".join(lines)

    def _table(self) -> list[str]:
        """The options around the best one, or the first ones; the best one is marked."""
        place = self.options.index(self.best) if self.best is not None else 0
        first = max(min(place - SHOWN // 2, len(self.options) - SHOWN), 0)
        rows = [
            [
                "->" if option is self.best else "",
                f"{option.updates:,}",
                f"{option.share:.1%}",
                _width(option.half_width),
                option.words,
            ]
            for option in self.options[first : first + SHOWN]
        ]
        header = ["", "updates", "of target", "expected", "run"]
        return table(header, rows, left=(0, 4), words=4)


def _width(half: float) -> str:
    return f"+-{half:.4f}" if math.isfinite(half) else "unbounded"
