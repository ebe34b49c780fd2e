"""Dots with their intervals, one row each: gains of a design, ways on, groups of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.curves.curve import NATS, loss_in, shared_unit
from losslaw.drawing.axes import legend, rows_below
from losslaw.drawing.style import COLORS, FAINT, INK, MARKS, SMALL, axes_of, interval, named, quiet
from losslaw.views.forms import Answer, Told, form_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Rows that a picture shows; inches of each.
MOST_ROWS = 60
ROW = 0.17


@dataclass(frozen=True, kw_only=True)
class Row:
    """A dot: its name, where it is, the ends of its interval or that it is exact; its kind."""

    name: str
    value: float
    lower: float | None = None
    upper: float | None = None
    kind: int = 0
    exact: bool = False


def plot_dots(
    rows: Sequence[Row],
    ax: "Axes | None" = None,
    *,
    x: str,
    level: float | None = None,
    kinds: Sequence[str] = (),
) -> "Axes":
    """A dot and its interval for each row, the first on top.

    Args:
        rows: What to draw; an interval without an end is drawn as an arrow.
        ax: Where to draw; ``None``: on new axes, as high as the rows need.
        x: What the values are, with their unit.
        level: Level of the intervals.
        kinds: Names of the kinds of rows, for a legend.
    """
    shown = rows[:MOST_ROWS]
    ax = axes_of(ax, 0.75 + ROW * max(len(shown), 3))
    places = rows_below(ax, [row.name for row in shown])
    for place, row in zip(places, shown, strict=True):
        color, mark = COLORS[row.kind % len(COLORS)], MARKS[row.kind % len(MARKS)]
        known = row.exact or row.lower is not None or row.upper is not None
        if row.lower is not None and row.upper is not None:
            ax.plot([row.lower, row.upper], [place] * 2, color=color, lw=1.3)
        ax.plot([row.value], [place], mark, ms=4, color=color, mfc=color if known else "white")
    ends = [each for row in shown for each in (row.lower, row.upper) if each is not None]
    values = [*ends, *(row.value for row in shown)]
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or 0.01
    ax.set_xlim(low - margin, high + margin)
    if len(rows) > len(shown):
        more = f"and {len(rows) - len(shown)} more"
        ax.text(1, 0, more, ha="right", va="bottom", fontsize=SMALL, transform=ax.transAxes)
    quiet(ax, x, "")
    ax.set_xlabel(x, loc="right")  # below the names too there is room
    ax.locator_params(axis="x", nbins=5)
    for i, name in enumerate(kinds):
        if any(row.kind == i for row in shown):
            ax.plot([], [], MARKS[i], ms=4, color=COLORS[i], label=named(name))
    if any(row.lower is not None for row in shown):
        ax.plot([], [], color=FAINT, lw=1.3, label=interval(level))
    legend(ax, above=True, columns=2, rows=True)
    return ax


@dataclass(frozen=True, kw_only=True)
class WayForm(Told):
    """A way on."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class ContinuedForm:
    """What the picture needs of ways on."""

    ways: list[WayForm]
    level: float | None
    unit: str = NATS


def plot_continued(continued: Answer | ContinuedForm, ax: "Axes | None" = None) -> "Axes":
    """Where each way on ends, and the line of the way that others are held against.

    Args:
        continued: The ways on.
        ax: Where to draw; ``None``: on new axes.
    """
    form = form_of(ContinuedForm, continued, "ways on")
    first = form.ways[:1]
    rows = [
        Row(name=way.name, value=way.loss, lower=way.lower, upper=way.upper, kind=int(i > 0))
        for i, way in enumerate(form.ways)
    ]
    if not rows:
        return empty(ax, "ways are not compared: the interval is too wide")
    ax = plot_dots(rows, ax, x=loss_in(form.unit, "final loss"), level=form.level)
    ax.axvline(first[0].loss, color=INK, lw=0.8, ls=":")
    return ax


@dataclass(frozen=True, kw_only=True)
class FleetRunForm(Told):
    """A run of a group."""

    label: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class FleetGroupForm:
    """A group of runs."""

    name: str
    runs: list[FleetRunForm]
    unit: str = NATS


@dataclass(frozen=True, kw_only=True)
class FleetForm:
    """What the picture needs of a fleet."""

    groups: list[FleetGroupForm]
    level: float | None


# Colours and marks of runs of a fleet.
VERDICTS = ("best", "baseline", "better", "not told apart", "worse")


def plot_fleet(fleet: Answer | FleetForm, ax: "Axes | None" = None) -> "Axes":
    """Annealed losses of all runs, group by group, and which differ from the best of their group.

    Args:
        fleet: The groups.
        ax: Where to draw; ``None``: on new axes.
    """
    form = form_of(FleetForm, fleet, "fleet")
    several = len(form.groups) > 1
    rows = [
        Row(
            name=f"{group.name}: {run.label}" if several else run.label,
            value=run.loss,
            lower=run.lower,
            upper=run.upper,
            kind=VERDICTS.index(run.verdict) if run.verdict in VERDICTS else len(VERDICTS),
        )
        for group in form.groups
        for run in group.runs
    ]
    if not rows:
        return empty(ax, "no run can be used")
    what = loss_in(shared_unit(form.groups), "annealed loss")
    ax = plot_dots(rows, ax, x=what, level=form.level, kinds=VERDICTS)
    groups = np.cumsum([len(group.runs) for group in form.groups])[:-1]
    for end in groups[groups < MOST_ROWS].tolist():
        ax.axhline(min(len(rows), MOST_ROWS) - end - 0.5, color=FAINT, lw=0.6)
    return ax


def empty(ax: "Axes | None", words: str) -> "Axes":
    """Axes with nothing but the reason."""
    ax = axes_of(ax, 1.2)
    placed: dict[str, Any] = {"ha": "center", "va": "center", "transform": ax.transAxes}
    ax.text(0.5, 0.5, words, fontsize=SMALL, **placed)
    ax.set_axis_off()
    return ax
