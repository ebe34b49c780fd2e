"""What comes back from `fleet`: a table of annealed losses and verdicts for each group."""

import csv
import io
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any, Self

from losslaw.annealing.cooldown import Cooldown
from losslaw.curves.curve import NATS
from losslaw.drawing import Plotted
from losslaw.text import WIDTH, Report, escaped, shortened, table, wrapped

# Columns of a name in a table at least; longer ones that do not fit are cut in the middle.
NAME = 16
# Where in a name the part begins that it does not share with others.
BOUNDARY = re.compile(r"[^_\-. /]*$")
# Logs left out that a report names; the JSON form has all.
LEFT_OUT_SHOWN = 20
# Columns of the CSV form.
COLUMNS = (
    "group", "run", "model", "configuration", "at", "over", "raw", "annealed", "lower", "upper",
    "against", "difference", "half_width", "verdict", "needs",
)  # fmt: skip
# What stands for a verdict in a table, and what it means there.
UNCLEAR = "unclear"


@dataclass(frozen=True, kw_only=True)
class FleetRun:
    """What a run is worth, and whether more than that of its group that all are compared with.

    Attributes:
        label: Name of the run.
        model: Which runs it was fitted with.
        configuration: Its name without its seed, where there are several seeds of it.
        at: Update after which the cooldown begins.
        over: Updates of the cooldown.
        raw: Loss of the log there, in nats.
        loss: Loss at the end of the cooldown.
        lower: Lower end of its interval; ``None`` if nothing is known of it.
        upper: Upper end.
        refused: Whether the interval is too wide to be of use.
        difference: How much higher it ends than the run it is compared with, at an equal budget.
        half_width: Half-width of the interval of the difference.
        verdict: ``better``, ``worse`` or ``not told apart``; of the run that the others are
            compared with ``best`` or ``baseline``, of other seeds of it ``seed of best``, and
            ``alone`` where there is nothing to compare with.
        needs: What would tell it apart, in words.
    """

    label: str
    model: str
    configuration: str
    at: int
    over: int
    raw: float
    loss: float
    lower: float | None
    upper: float | None
    refused: bool
    difference: float | None
    half_width: float | None
    verdict: str
    needs: str = ""


@dataclass(frozen=True, kw_only=True)
class FleetGroup:
    """The runs of a group.

    Attributes:
        name: Name of the group.
        runs: Its runs, the lowest annealed loss first.
        against: The run, or configuration, that the others are compared with.
        trust: What stands behind the losses, in words; ``None`` where one law answers alone.
        left_out: Runs that could not be used, with the reason.
        notes: What was assumed, found or left out.
        warnings: Why the answer deserves less trust than others.
        unit: What losses are measured in, as in `LossCurve`.
    """

    name: str
    runs: tuple[FleetRun, ...] = ()
    against: str = ""
    trust: str | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unit: str = NATS

    @property
    def mark(self) -> str:
        """What the run is that the others are compared with: ``best`` or ``baseline``."""
        return "baseline" if any(run.verdict == "baseline" for run in self.runs) else "best"

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, which `read` reads."""
        return asdict(self)

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Self:
        """The group whose JSON form this is."""
        return cls(
            name=record["name"],
            runs=tuple(FleetRun(**run) for run in record["runs"]),
            against=record["against"],
            trust=record["trust"],
            left_out=tuple((name, why) for name, why in record["left_out"]),
            notes=tuple(record["notes"]),
            warnings=tuple(record["warnings"]),
            unit=record["unit"],
        )

    def __str__(self) -> str:
        if not self.runs:
            return f"{self.name}: no run can be used"
        lines = wrapped(f"{self.name} ({_counted(len(self.runs), 'run')}{_widths(self.runs)})")
        if self.trust:
            lines += wrapped(self.trust, "  ")
        header = ["run", "at step", "raw", "annealed", f"from {self.mark}", "verdict"]
        rows = [
            [
                run.label,
                f"{run.at:,}",
                f"{run.raw:.4f}",
                f"{run.loss:.4f}",
                _difference(run),
                UNCLEAR if run.verdict == "not told apart" else run.verdict,
            ]
            for run in self.runs
        ]
        lines += [f"  {line}" for line in _fitted(header, rows)]
        for text in self.warnings:
            lines += wrapped(f"warning: {text}", "  ")
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True, repr=False)
class Fleet(Report, Plotted):
    """What many runs are worth. Its text is the report.

    Attributes:
        groups: The groups.
        cooldown: The cooldown that was asked about.
        level: Share of cases that intervals are meant to hold.
        left_out: Logs that could not be read, with the reason.
    """

    groups: tuple[FleetGroup, ...]
    cooldown: Cooldown
    level: float
    left_out: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return sum(len(group.runs) for group in self.groups)

    @property
    def all_left_out(self) -> tuple[tuple[str, str], ...]:
        """Logs that could not be read, then runs that could not be used, with the reason."""
        return (*self.left_out, *(each for group in self.groups for each in group.left_out))

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "cooldown": asdict(self.cooldown),
            "level": self.level,
            "groups": [group.as_dict() for group in self.groups],
            "left_out": [{"run": name, "why": why} for name, why in self.all_left_out],
        }

    def csv(self) -> str:
        """A row for each run, those left out last, with the reason in the column ``needs``."""
        text = io.StringIO()
        out = csv.writer(text, lineterminator="\n")
        out.writerow(COLUMNS)
        for group in self.groups:
            for run in group.runs:
                losses = (run.raw, run.loss, run.lower, run.upper)
                cells = [group.name, run.label, run.model, run.configuration, run.at, run.over]
                cells += [*map(_number, losses), group.against]
                cells += [_number(run.difference), _number(run.half_width), run.verdict, run.needs]
                out.writerow(cells)
        for name, why in self.all_left_out:
            out.writerow(["", name, *[""] * (len(COLUMNS) - 4), "left out", why])
        return text.getvalue()

    def __str__(self) -> str:
        told = [group for group in self.groups if group.runs]
        lines = [
            f"{_counted(len(self), 'run')} in {_counted(len(told), 'group')}: loss after a cooldown"
            f" ({self.cooldown}; ± at {self.level:.0%})",
        ]
        verdicts = {run.verdict for group in told for run in group.runs}
        if marks := " or ".join(mark for mark in ("best", "baseline") if mark in verdicts):
            lines.append(f"from {marks}: difference from that run of its group, at an equal budget")
        if "not told apart" in verdicts:
            lines.append(f"{UNCLEAR}: not told apart from {marks}")
        if any(len({run.at for run in group.runs}) > 1 for group in told):
            lines.append(
                f"a run of fewer updates is compared with what the {marks} was worth after as many"
            )
        text = [line for each in lines for line in wrapped(each)]
        for group in told:
            text += ["", str(group)]
        return "\n".join([*text, *_left_out(self.all_left_out)])


def _fitted(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table of runs that fits the terminal.

    Where names are long, the column of raw losses makes room for them. Then what all begin with is
    left out of them, and at last their middle, unless it is what tells them apart.
    """
    names, begin = [escaped(row[0]) for row in rows], ""
    columns = list(zip(header, *rows, strict=True))[1:]
    terminal = max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    room = _room(columns, terminal)
    if max(map(len, names)) > room:
        del columns[header.index("raw") - 1]
        room = _room(columns, terminal)
    if max(map(len, names)) > room:
        begin = BOUNDARY.sub("", _common(names)) if len(names) > 1 else ""
        short = [shortened(name.removeprefix(begin), room) for name in names]
        if len(set(short)) == len(set(names)):
            names = short
    title = shortened(f"run {begin}...", room) if begin else "run"
    titles, *lines = zip([title, *names], *columns, strict=True)
    return table(titles, lines, left=(0, len(columns)))


def _room(columns: Sequence[Sequence[str]], terminal: int) -> int:
    """What other columns leave to that of names."""
    return max(terminal - 2 - sum(max(map(len, column)) + 2 for column in columns), NAME)


def _common(names: Sequence[str]) -> str:
    """What all names begin with."""
    pairs = zip(min(names), max(names), strict=False)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count != 1 else "")


def _widths(runs: Sequence[FleetRun]) -> str:
    """How far the annealed losses may be off, in words."""
    halves = [
        (run.upper - run.lower) / 2
        for run in runs
        if run.lower is not None and run.upper is not None
    ]
    known = sorted(half for half in halves if math.isfinite(half))
    if not known:
        return ""
    most = f" to {known[-1]:.3f}" if len(known) == len(runs) else " and more"
    return f", annealed ± {known[0]:.3f}{'' if most == f' to {known[0]:.3f}' else most}"


def _difference(run: FleetRun) -> str:
    if run.difference is None:
        return "-"
    half = "?" if run.half_width is None else f"{run.half_width:.4f}"
    if run.half_width is not None and not math.isfinite(run.half_width):
        half = "any"
    # Without a sign of a difference that is none.
    return f"{round(run.difference, 4) + 0.0:+.4f} ± {half}"


def _number(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.6f}"


def _without(name: str, why: str) -> str:
    """A reason without the name of the run, which it may begin with."""
    return why.removeprefix(name).lstrip(":, ")


def _left_out(each: Sequence[tuple[str, str]]) -> list[str]:
    if not each:
        return []
    lines = ["", f"{len(each)} left out"]
    for name, why in each[:LEFT_OUT_SHOWN]:
        lines += wrapped(f"{name}: {_without(name, why)}", "  ")
    if len(each) > LEFT_OUT_SHOWN:
        lines.append(f"  and {len(each) - LEFT_OUT_SHOWN} more (--json, -o)")
    return lines
