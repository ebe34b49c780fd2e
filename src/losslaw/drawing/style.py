"""One style for all pictures: colours, dashes, sizes, names, axes.

Lines are told apart by colour, by lightness and by dashes: in print, in grey, by readers who do not
see red and green as two. A figure is as wide as a column of a paper, its letters as large as that
of a caption; on a whole page, or a screen, all of it grows together.
"""

import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from losslaw.text import escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Neighbours differ by 18 and more in CIE lightness, the first three by 12 (tests/drawing). Seven
# colours and four dashes make 28 lines of which no two are the same.
COLORS = ("#00447c", "#e08a1e", "#a8326e", "#3fa796", "#101010", "#7fb8e6", "#8a6a12")
DASHES = ("-", (0, (5, 1.5)), (0, (1.3, 1.2)), (0, (5, 1.5, 1.3, 1.5)))
MARKS = ("o", "s", "^", "D", "v", "P", "X")
# Of what was measured, of what is beside the point, of lines that help to read.
INK = "#222222"
FAINT = "#8c8c8c"
GRID = "#e4e4e4"
BAND = 0.2

# Inches: a column, and a page of two of them.
COLUMN = 3.4
PAGE = 6.8
# Points: what is read, and what is read closely.
LETTERS = 8.0
SMALL = 7.0

LOSS = "loss (nats per token)"
UPDATE = "update"
RATE = "learning rate"

# Letters of a name, and names in a legend, beyond which a picture says no more.
LONGEST = 34
MOST_NAMES = 12
# Names in a corner of the axes; more stand above.
MOST_INSIDE = 5
# Letters of names of which two stand beside each other in a column.
SHORT = 16
# Points of a line, beyond which no eye sees more.
POINTS = 2000
# Losses of which none is taken for a spike.
FEW = 6


def cycled(i: int, *, marks: bool = False, **more: Any) -> dict[str, Any]:
    """Colour and dashes of the i-th line, its marks, and what else is said of it.

    >>> cycled(0, marks=True, lw=1)
    {'color': '#00447c', 'ls': '-', 'marker': 'o', 'lw': 1}
    """
    style: dict[str, Any] = {"color": COLORS[i % len(COLORS)], "ls": DASHES[i % len(DASHES)]}
    return {**style, **({"marker": MARKS[i % len(MARKS)]} if marks else {}), **more}


def named(text: str, most: int = LONGEST) -> str:
    """A name of somebody's as a picture writes it: in one line, not too long, no formula.

    matplotlib reads what stands between dollars as a formula, and hides names that begin with a
    line below.

    >>> named("a$b\\n$"), named("_run"), named("a_very_long_name_of_a_run", most=12)
    ('a\\\\$b\\\\n\\\\$', ' _run', 'a_very…a_run')
    """
    text = _cut(escaped(text), most).replace(r"\$", "$").replace("$", r"\$")
    return (" " if text.startswith("_") else "") + text


def new_figure(width: float = COLUMN, height: float = 2.5) -> "Figure":
    """An empty figure that belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def axes_of(ax: "Axes | None", height: float = 2.5) -> "Axes":
    """The axes that were given, else new ones, a column wide.

    The figure of new ones is one of pyplot's where that is in use, or in a notebook, so that it is
    shown there.
    """
    if ax is not None:
        return ax
    if "ipykernel" in sys.modules:
        importlib.import_module("matplotlib.pyplot")
    if "matplotlib.pyplot" in sys.modules:
        pyplot: Any = sys.modules["matplotlib.pyplot"]
        figure = pyplot.figure(figsize=(COLUMN, height), layout="constrained")
    else:
        figure = new_figure(height=height)
    return dressed(figure.add_subplot())


def dressed(ax: "Axes") -> "Axes":
    """The letters of axes as small as a column needs."""
    ax.tick_params(labelsize=SMALL, length=2.5, pad=2)
    ax.tick_params(which="minor", labelsize=SMALL, length=1.5, pad=2)
    for each in (ax.xaxis.label, ax.yaxis.label, ax.title):
        each.set_fontsize(LETTERS)
    for each in (ax.xaxis.get_offset_text(), ax.yaxis.get_offset_text()):
        each.set_fontsize(SMALL)
    return ax


def quiet(ax: "Axes", x: str, y: str) -> None:
    """What both axes are called; no frame on top and right, a faint grid behind."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, which="major", color=GRID, lw=0.6)
    ax.set_axisbelow(True)


def titled(ax: "Axes", words: str, *, side: Literal["left", "center", "right"] = "center") -> None:
    """A title no larger than the other letters."""
    ax.set_title(words, fontsize=LETTERS, loc=side)


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


def interval(level: float | None) -> str:
    """What an interval or a band is called.

    >>> interval(0.9), interval(None)
    ('90 % interval', 'interval')
    """
    return "interval" if level is None else f"{100 * level:g} % interval"


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
    ax: "Axes", *, above: bool = False, columns: int = 1, rows: bool = False, **options: Any
) -> None:
    """A legend without a frame, each name once, and no more than a picture can hold.

    Args:
        ax: Whose.
        above: Above the axes, where it hides nothing; else in a corner of theirs, if there are few.
        columns: Beside each other, if the names are short enough.
        rows: Whether names of rows stand to the left of the axes.
        options: Of ``ax.legend``.
    """
    from matplotlib.lines import Line2D

    handles, names = ax.get_legend_handles_labels()
    once = dict(reversed([*zip(names, handles, strict=True)]))
    shown = {name: once[name] for name in dict.fromkeys(names)}
    if not shown:
        return
    if len(shown) > MOST_NAMES:
        rest = f"and {len(shown) - MOST_NAMES + 1} more"
        shown = {name: shown[name] for name in [*shown][: MOST_NAMES - 1]}
        shown[rest] = Line2D([], [], ls="none")
    if len(shown) > MOST_INSIDE and "loc" not in options:
        above, columns = True, 2
    if not rows and max(map(len, shown)) > _letters(ax, columns):
        columns = 1
    place: dict[str, Any] = {"loc": "upper right"}
    if above:
        # Beside names of rows there is room to the left of the axes.
        side, x = ("lower right", 1.02) if rows else ("lower left", -0.02)
        place = {"loc": side, "bbox_to_anchor": (x, 1.0), "borderaxespad": 0.2}
    place |= {"frameon": False, "fontsize": SMALL, "ncols": columns, "handlelength": 2.4}
    place |= {"labelspacing": 0.3, "columnspacing": 1.2, "handletextpad": 0.6}
    texts = [_cut(name, _letters(ax, 1 if rows else columns)) for name in shown]
    ax.legend([*shown.values()], texts, **(place | options))


def legend_height(names: Sequence[str]) -> float:
    """Inches that a legend of these names takes above axes of a column's width."""
    if len(names) <= MOST_INSIDE:
        return 0.0
    rows = min(len(names), MOST_NAMES)
    return 0.14 * (rows if max(map(len, names)) > SHORT else (rows + 1) // 2)


def _letters(ax: "Axes", columns: int) -> int:
    """Letters of a name for which there is room in each of so many columns."""
    width = 72 * float(ax.get_window_extent().width) / ax.figure.dpi
    return max(int((width / columns - 4 * SMALL) / (0.57 * SMALL)), 8)


def _cut(text: str, most: int) -> str:
    """A text without its middle, if it is too long; no dollar is left without what guards it."""
    if len(text) <= most:
        return text
    text = text.replace(r"\$", "$")
    return f"{text[: most // 2]}…{text[len(text) - (most - 1) // 2 :]}".replace("$", r"\$")


def thinned(horizon: int, first: int = 1) -> Any:
    """Updates at which a line of so many is drawn: some, the last one included. Shape ``(m,)``."""
    points = np.linspace(first, horizon, min(POINTS, max(horizon - first + 1, 1)))
    return np.unique(points.round().astype(np.int64))


def loss_limits(pieces: Iterable[tuple[ArrayLike, ArrayLike]]) -> tuple[float, float]:
    """A loss axis that shows the late part of curves, where schedules differ.

    Args:
        pieces: Steps and losses of each line that is to be seen.

    >>> loss_limits([([1, 50, 100], [9.0, 3.0, 2.0])])
    (1.92, 3.08)
    """
    low, high = np.inf, -np.inf
    for steps, losses in pieces:
        at, values = np.asarray(steps, dtype=np.float64), np.asarray(losses, dtype=np.float64)
        at, values = at[np.isfinite(values)], values[np.isfinite(values)]
        if not at.size:
            continue
        late = values[at >= 0.12 * at[-1]]
        low = min(low, float(late.min()))
        # Some points far above the others are not what an axis is made for.
        most = float(np.quantile(late, 0.9, method="lower"))
        far = most + 2 * (most - float(late.min())) if late.size >= FEW else np.inf
        high = max(high, min(float(late.max()), far))
    if not low < high:
        middle = low if np.isfinite(low) else 1.0
        low, high = middle * 0.99, middle * 1.01
    margin = 0.08 * (high - low)
    return round(low - margin, 6), round(high + margin, 6)


def rows_below(ax: "Axes", names: Sequence[str]) -> Any:
    """An axis of names, the first on top; where each is. Shape ``(n,)``."""
    rows = np.arange(len(names))[::-1]
    ax.set_yticks(rows, [named(name) for name in names])
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.tick_params(axis="y", length=0)
    return rows
