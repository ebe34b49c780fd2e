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

# Rows that a picture shows; inches of each, and the least of them in axes that are given.
MOST_ROWS = 45
ROW, CLOSE = 0.17, 0.12
# Inches that are no rows: the axis below, and the legend above.
FRAME = 0.75
# A panel that is given is at least so high.
PANEL = 2.8


@dataclass(frozen=True, kw_only=True)
class Row:
    """A dot: its name, where it is, the ends of its interval or that it is exact; its kind.

    A row without a value is a heading.
    """

    name: str
    value: float | None
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
    more: int = 0,
) -> "Axes":
    """A dot and its interval for each row, the first on top; as many rows as can be read.

    Args:
        rows: What to draw; an interval without an end is drawn as an arrow.
        ax: Where to draw; ``None``: on new axes, as high as the rows need.
        x: What the values are, with their unit.
        level: Level of the intervals.
        kinds: Names of the kinds of rows, for a legend.
        more: Rows that there are beside these.
    """
    shown = rows[: rows_that_fit(ax)]
    ax = axes_of(ax, FRAME + ROW * max(len(shown), 3))
    places = rows_below(ax, [row.name for row in shown])
    for place, row in zip(places, shown, strict=True):
        if row.value is None:
            continue
        color, mark = COLORS[row.kind % len(COLORS)], MARKS[row.kind % len(MARKS)]
        known = row.exact or row.lower is not None or row.upper is not None
        if row.lower is not None and row.upper is not None:
            ax.plot([row.lower, row.upper], [place] * 2, color=color, lw=1.3)
        ax.plot([row.value], [place], mark, ms=4, color=color, mfc=color if known else "white")
    ends = [each for row in shown for each in (row.lower, row.upper) if each is not None]
    values = [*ends, *(row.value for row in shown if row.value is not None)]
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or 0.01
    ax.set_xlim(low - margin, high + margin)
    more += sum(row.value is not None for row in rows[len(shown) :])
    if more:
        words = f"and {more} more"
        ax.text(1, 0, words, ha="right", va="bottom", fontsize=SMALL, transform=ax.transAxes)
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


def rows_that_fit(ax: "Axes | None") -> int:
    """Rows for which there is room: on axes that are given, those that do not touch."""
    if ax is None:
        return MOST_ROWS
    return int(np.clip(ax.get_window_extent().height / ax.figure.dpi / CLOSE, 3, MOST_ROWS))


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
    rows, left_out = _fleet_rows(form.groups, rows_that_fit(ax))
    if not rows:
        return empty(ax, "no run can be used")
    what = loss_in(shared_unit(form.groups), "annealed loss")
    ax = plot_dots(rows, ax, x=what, level=form.level, kinds=VERDICTS, more=left_out)
    for k, row in enumerate(rows[1:], 1):
        if row.value is None:
            ax.axhline(len(rows) - k - 0.5, color=FAINT, lw=0.6)
    return ax


def fleet_height(fleet: Answer | FleetForm) -> float:
    """Inches of a panel with as many rows of a fleet as can be read."""
    rows, _ = _fleet_rows(form_of(FleetForm, fleet, "fleet").groups, MOST_ROWS)
    return max(PANEL, FRAME + ROW * len(rows))


def _fleet_rows(groups: Sequence[FleetGroupForm], most: int) -> tuple[list[Row], int]:
    """The best runs of each group, below its name where there are several; how many are not shown.

    Every group gets as many rows as the others, as far as it has so many.
    """
    groups = [group for group in groups if group.runs]
    room = max(most - (len(groups) if len(groups) > 1 else 0), len(groups))
    shares = [0] * len(groups)
    while sum(shares) < room and any(
        share < len(group.runs) for share, group in zip(shares, groups, strict=True)
    ):
        for k, group in enumerate(groups):
            shares[k] += int(shares[k] < len(group.runs) and sum(shares) < room)
    rows: list[Row] = []
    for share, group in zip(shares, groups, strict=True):
        if len(groups) > 1:
            rows.append(Row(name=group.name, value=None))
        best = sorted(group.runs, key=lambda run: run.loss)[:share]
        rows += [
            Row(
                name=run.label,
                value=run.loss,
                lower=run.lower,
                upper=run.upper,
                kind=VERDICTS.index(run.verdict) if run.verdict in VERDICTS else len(VERDICTS),
            )
            for run in best
        ]
    rows = rows[:most]
    shown = sum(row.value is not None for row in rows)
    return rows, sum(len(group.runs) for group in groups) - shown


def empty(ax: "Axes | None", words: str) -> "Axes":
    """Axes with nothing but the reason."""
    ax = axes_of(ax, 1.2)
    placed: dict[str, Any] = {"ha": "center", "va": "center", "transform": ax.transAxes}
    ax.text(0.5, 0.5, words, fontsize=SMALL, **placed)
    ax.set_axis_off()
    return ax
