"""One style for all pictures: colours, dashes, sizes, names.

Lines are told apart by colour, by lightness and by dashes: in print, in grey, by readers who do not
see red and green as two. A figure is as wide as a column of a paper, its letters as large as that
of a caption; on a whole page, or a screen, all of it grows together.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

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

# Inches: a column of a paper.
COLUMN = 3.4
# Points: what is read, and what is read closely.
LETTERS = 8.0
SMALL = 7.0

UPDATE = "update"
RATE = "learning rate"

# Letters of a name, beyond which a picture says no more.
LONGEST = 34


def cycled(i: int, *, marks: bool = False, **more: Any) -> dict[str, Any]:
    """Colour and dashes of the i-th line, its marks, and what else is said of it.

    >>> cycled(0, marks=True, lw=1)
    {'color': '#00447c', 'ls': '-', 'marker': 'o', 'lw': 1}
    """
    style: dict[str, Any] = {"color": COLORS[i % len(COLORS)], "ls": DASHES[i % len(DASHES)]}
    return {**style, **({"marker": MARKS[i % len(MARKS)]} if marks else {}), **more}


def behind(**more: Any) -> dict[str, Any]:
    """Points of what was measured, behind the lines that predict it, whose dashes are seen.

    >>> behind()["color"]
    '#8c8c8c'
    """
    return {"color": FAINT, "ms": 2.6, "zorder": 1.5, **more}


def named(text: str, most: int = LONGEST) -> str:
    """A name of somebody's as a picture writes it: in one line, not too long, no formula.

    matplotlib reads what stands between dollars as a formula, and hides names that begin with a
    line below.

    >>> named("a$b\\n$"), named("_run"), named("a_very_long_name_of_a_run", most=12)
    ('a\\\\$b\\\\n\\\\$', ' _run', 'a_very…a_run')
    """
    text = cut(escaped(text), most).replace(r"\$", "$").replace("$", r"\$")
    return (" " if text.startswith("_") else "") + text


def told_apart(names: Sequence[str], most: int = LONGEST) -> list[str]:
    """The names as a picture writes them, cut no more than leaves them different.

    >>> told_apart(["a_very_long_name_of_a_run", "a_very_wide_name_of_a_run"], most=12)
    ['a_very_l…f_a_run', 'a_very_w…f_a_run']
    """
    longest, different = max(map(len, names), default=0), len({*names})
    while most < longest and len({named(name, most) for name in names}) < different:
        most += 2
    return [named(name, most) for name in names]


def new_figure(width: float = COLUMN, height: float = 2.5) -> "Figure":
    """An empty figure that belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


# Axes of which the figure may grow, and by how many inches it has, for a legend above them.
GROWN: "WeakKeyDictionary[Axes, float]" = WeakKeyDictionary()


def own_axes(ax: "Axes") -> "Axes":
    """Axes of a figure that is made here, a column wide, and grows with the legend above them."""
    GROWN[ax] = 0.0
    return dressed(ax)


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
    return own_axes(figure.add_subplot())


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


def interval(level: float | None) -> str:
    """What an interval or a band is called.

    >>> interval(0.9), interval(None)
    ('90 % interval', 'interval')
    """
    return "interval" if level is None else f"{100 * level:g} % interval"


def cut(text: str, most: int) -> str:
    """A text without its middle, if it is too long; no dollar is left without what guards it."""
    if len(text) <= most:
        return text
    text = text.replace(r"\$", "$")
    return f"{text[: most // 2]}…{text[len(text) - (most - 1) // 2 :]}".replace("$", r"\$")
