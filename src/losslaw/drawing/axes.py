"""What is drawn on axes: axes of updates, rates and losses, bands, legends.

No function here makes axes, and none is about what is drawn on them.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from losslaw.drawing.style import GROWN, LETTERS, SMALL, cut, interval, told_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# How dense a band is.
BAND = 0.2
# Names in a legend, beyond which a picture says no more.
MOST_NAMES = 12
# Names in a corner of the axes; more stand above.
MOST_INSIDE = 5
# Inches of a row of a legend, and rows above axes for which pictures have room.
ROW = 0.14
FEW_ROWS = 2
# Points of a line, beyond which no eye sees more.
POINTS = 2000
# Losses of which none is taken for a spike; and of which none is too early to be seen.
FEW = 6
SHORT_LOG = 40
# Points beside axes that an axis of losses takes, with its name.
AXIS = 42
# Points of a line that are looked for below a legend.
LOOKED_AT = 400
# Where a legend may be, best first; it is above the axes if it hides something everywhere.
CORNERS = ("upper right", "lower left", "upper left", "lower right")


def update_axis(ax: "Axes", last: float, *, first: float = 0) -> None:
    """An axis of updates: from 0, few ticks, thousands written apart."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.set_xlim(first, first + 1.02 * (last - first) if last > first else first + 1)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(_in_thousands))


def rate_axis(ax: "Axes", highest: float) -> None:
    """An axis of learning rates from 0, each written out."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.set_ylim(0, 1.06 * highest)
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(_short))


def log_axis(ax: "Axes", which: Literal["x", "y"]) -> None:
    """An axis in powers of ten, with numbers between them where it is short of powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = sorted(axis.get_data_interval())
    if 0 < low < high < 50 * low:
        few = high < 4 * low
        axis.set_major_locator(
            MaxNLocator(4, steps=[1, 2, 5, 10]) if few else LogLocator(subs=(1, 2, 5))
        )
        axis.set_major_formatter(FuncFormatter(_short))
    axis.set_minor_formatter(NullFormatter())


def _short(value: float, place: int) -> str:
    return f"{value:.3g}"


def _in_thousands(value: float, place: int) -> str:
    return f"{value:,.0f}"


def band(
    ax: "Axes",
    x: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    level: float | None,
    color: str,
    *,
    labelled: bool = True,
) -> None:
    """A shaded band where both ends are known, and its name in the legend."""
    at, low, high = (np.asarray(each, dtype=np.float64) for each in (x, lower, upper))
    known = np.isfinite(low) & np.isfinite(high)
    name = interval(level) if labelled else None
    ax.fill_between(at[known], low[known], high[known], color=color, alpha=BAND, lw=0, label=name)


def legend(
    ax: "Axes",
    *,
    above: bool = False,
    columns: int = 1,
    rows: bool = False,
    corner: str = CORNERS[0],
) -> None:
    """A legend without a frame, each name once, and no more than a picture can hold.

    Args:
        ax: Whose.
        above: Above the axes; else in a corner of theirs where it hides nothing, if there is one
            and there are few names.
        columns: Beside each other, if the names are short enough.
        rows: Whether names of rows stand to the left of the axes.
        corner: The corner to begin with.
    """
    from matplotlib.lines import Line2D

    shown = _named(ax)
    if not shown:
        return
    planned = FEW_ROWS if above else 0
    if len(shown) > MOST_NAMES:
        rest = f"and {len(shown) - MOST_NAMES + 1} more"
        shown = {name: shown[name] for name in [*shown][: MOST_NAMES - 1]}
        shown[rest] = Line2D([], [], ls="none")
    if len(shown) > MOST_INSIDE:
        above, columns = True, 2
    if not rows and max(map(len, shown)) > _letters(ax, columns):
        columns = 1
    texts = [cut(name, _letters(ax, 1 if rows else columns)) for name in shown]
    place: dict[str, Any] = {"loc": None if above else _free_corner(ax, texts, corner)}
    if place["loc"] is None:
        if not above:
            columns = 2 if max(map(len, shown)) <= _letters(ax, 2) else 1
        # Beside names of rows there is room to the left of the axes.
        side, x = ("lower right", 1.02) if rows else ("lower left", -0.02)
        place = {"loc": side, "bbox_to_anchor": (x, 1.0), "borderaxespad": 0.2}
        _make_room(ax, -(-len(shown) // columns) - planned)
    place |= {"frameon": False, "fontsize": SMALL, "ncols": columns, "handlelength": 2.4}
    place |= {"labelspacing": 0.3, "columnspacing": 1.2, "handletextpad": 0.6}
    ax.legend([*shown.values()], texts, **place)


def figure_legend(figure: "Figure", ax: "Axes", side: Literal["upper", "lower"]) -> None:
    """One legend for all axes of a figure, in a row outside of them: the names of one of them."""
    shown = _named(ax)
    place: dict[str, Any] = {"loc": f"outside {side} center", "ncols": len(shown)}
    figure.legend([*shown.values()], [*shown], fontsize=LETTERS, frameon=False, **place)


def _named(ax: "Axes") -> dict[str, Any]:
    """What is named on axes, each name once."""
    handles, names = ax.get_legend_handles_labels()
    once = dict(reversed([*zip(names, handles, strict=True)]))
    return {name: once[name] for name in dict.fromkeys(names)}


def _make_room(ax: "Axes", rows: int) -> None:
    """Let the figure of these axes grow by rows of a legend above them, if it was made for them."""
    if ax not in GROWN:
        return
    figure: Any = ax.figure
    inches = ROW * max(rows, 0)
    figure.set_figheight(figure.get_figheight() + inches - GROWN[ax])
    GROWN[ax] = inches


def _free_corner(ax: "Axes", names: Sequence[str], first: str) -> str | None:
    """The first corner in which a legend of these names hides no line and no band."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    points, font = 72 / ax.figure.dpi, FontProperties(size=SMALL)
    width, height = (points * float(each) for each in ax.get_window_extent().size)
    whole = points * float(ax.figure.bbox.width)
    if width > 0.7 * whole:  # alone across: the layout will leave room for the axis beside it only
        width = max(width, whole - AXIS)
    # What this font may not have is as wide as its widest letter.
    plain = [re.sub("[^ -~]", "m", each) for each in names]
    texts = [text_to_path.get_text_width_height_descent(each, font, False)[0] for each in plain]
    wide = (max(texts) + 4 * SMALL) / width
    high = SMALL * (1.5 * len(names) + 0.5) / height
    ax.axis()  # works out limits that are not known yet
    lines = [line.get_transform().transform(line.get_xydata()) for line in ax.lines]
    for area in ax.collections:
        lines += [ax.transData.transform(each.vertices) for each in area.get_paths()]
    drawn = [_seen(ax, each) for each in lines if len(each)]
    x, y = np.concatenate(drawn or [np.empty((0, 2))]).T
    for corner in dict.fromkeys([first, *CORNERS]):
        in_x = x > 1 - wide if "right" in corner else x < wide
        in_y = y > 1 - high if "upper" in corner else y < high
        if not (in_x & in_y).any():
            return corner
    return None


def _seen(ax: "Axes", drawn: Any) -> Any:
    """Points along a line, as shares of the axes; those that are seen. Shape ``(m, 2)``."""
    xy = np.asarray(ax.transAxes.inverted().transform(drawn), dtype=np.float64)
    at = np.linspace(0, max(len(xy) - 1, 0), LOOKED_AT + len(xy))
    before = np.minimum(at.astype(np.int64), max(len(xy) - 2, 0))
    xy = xy[before] + (at - before)[:, None] * (xy[before + (len(xy) > 1)] - xy[before])
    return xy[((xy >= 0) & (xy <= 1)).all(axis=1)]


def _letters(ax: "Axes", columns: int) -> int:
    """Letters of a name for which there is room in each of so many columns."""
    width = 72 * float(ax.get_window_extent().width) / ax.figure.dpi
    return max(int((width / columns - 4 * SMALL) / (0.57 * SMALL)), 8)


def thinned(horizon: int, first: int = 1) -> Any:
    """Updates at which a line of so many is drawn: some, the last one included. Shape ``(m,)``."""
    points = np.linspace(first, horizon, min(POINTS, max(horizon - first + 1, 1)))
    return np.unique(points.round().astype(np.int64))


def loss_limits(pieces: Iterable[tuple[ArrayLike, ArrayLike]]) -> tuple[float, float]:
    """A loss axis that shows the late part of curves, where schedules differ.

    Args:
        pieces: Steps and losses of each line that is to be seen.

    >>> loss_limits([(range(1, 101), [9.0] * 11 + [3.0] * 20 + [2.0] * 69)])
    (1.92, 3.08)
    """
    low, high = np.inf, -np.inf
    for steps, losses in pieces:
        at, values = np.asarray(steps, dtype=np.float64), np.asarray(losses, dtype=np.float64)
        at, values = at[np.isfinite(values)], values[np.isfinite(values)]
        if not at.size:
            continue
        late = values[at >= 0.12 * at[-1]] if at.size > SHORT_LOG else values
        low = min(low, float(late.min()))
        # Some points far above the others are not what an axis is made for.
        most = float(np.quantile(late, 0.9, method="lower"))
        far = most + 2 * (most - float(late.min())) if late.size >= FEW else np.inf
        high = max(high, min(float(late.max()), far))
    if not round(low, 6) < round(high, 6):  # one value, as far as these limits are written
        middle = low if np.isfinite(low) else 1.0
        low, high = middle - 0.01 * (abs(middle) or 1), middle + 0.01 * (abs(middle) or 1)
    margin = 0.08 * (high - low)
    return round(low - margin, 6), round(high + margin, 6)


def rows_below(ax: "Axes", names: Sequence[str]) -> Any:
    """An axis of names, the first on top; where each is. Shape ``(n,)``."""
    rows = np.arange(len(names))[::-1]
    ax.set_yticks(rows, told_apart(names))
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.tick_params(axis="y", length=0)
    return rows
