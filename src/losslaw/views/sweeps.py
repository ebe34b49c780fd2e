"""Maps of sweeps: risks, exponents, or which choice is best, over two things that were varied."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.drawing.style import COLORS, SMALL, axes_of, named, titled
from losslaw.errors import InputError
from losslaw.kernel.sweeps.grid import EDGE, SweepMap, in_words
from losslaw.numerics.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Cells of a side, beyond which numbers in them cannot be read.
WRITTEN = 8
# Ticks of a side, beyond which they run into each other.
MOST_TICKS = 8
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "||||", "++++")
# Cells of a side, beyond which edges between them hide them.
EDGED = 40
# Choices that are told apart, and a share of the largest number that is as good as nothing.
MOST_CHOICES, NOTHING = 21, 1e-15
# Cells darker than this are written on in white.
DARK = 0.5


def plot_sweep_map(sweep_map: SweepMap, ax: "Axes | None" = None) -> "Axes":
    """A cell for each pair of values: its number and colour, or which choice is best there.

    Cells without a risk, because their jobs were refused, stay empty.

    Args:
        sweep_map: Of `losslaw.kernel.sweeps.grid.SweepGrid.map`.
        ax: Where to draw; ``None``: on new axes.
    """
    ax = axes_of(ax)
    (_phases if sweep_map.show == "best" else _heat)(ax, sweep_map)
    for values, axis in ((sweep_map.xs, ax.xaxis), (sweep_map.ys, ax.yaxis)):
        every = math.ceil(len(values) / MOST_TICKS)
        at = range(0, len(values), every)
        axis.set_ticks([*at], [named(in_words(values[i]), 12) for i in at])
    ax.set_xlabel(named(sweep_map.x))
    ax.set_ylabel(named(sweep_map.y))
    titled(ax, "\n".join(named(line, 44) for line in sweep_map.title), side="left")
    return ax


def _heat(ax: "Axes", sweep_map: SweepMap, values: FloatArray | None = None) -> None:
    """Colours that grow lighter with the number, which stands in the cell where there is room."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    cells = np.ma.masked_invalid(sweep_map.cells if values is None else values)
    low, high = float(cells.min()), float(cells.max())
    logs = sweep_map.show != "exponent" and high > 0
    if logs:  # zeros, and what is next to nothing beside the others, have the darkest colour
        low = max(float(np.ma.masked_less_equal(cells, 0).min()), NOTHING * high)
    logs = logs and 3 * low < high
    norm = LogNorm(low, high, clip=True) if logs else Normalize(low, high)
    rows, columns = cells.shape
    right, up = (np.arange(count + 1, dtype=np.float64) - 0.5 for count in (columns, rows))
    edges = 0.5 if max(rows, columns) <= EDGED else 0.0
    shown = ax.pcolormesh(right, up, cells, norm=norm, cmap="viridis", edgecolors="white", lw=edges)
    ax.figure.colorbar(shown, ax=ax).ax.tick_params(labelsize=SMALL)
    if max(rows, columns) > WRITTEN:
        return
    for (i, j), value in np.ndenumerate(cells.filled(np.nan)):
        if not math.isnan(value):
            red, green, blue, _ = colormaps["viridis"](norm(value))
            ink = "white" if 0.3 * red + 0.59 * green + 0.11 * blue < DARK else "black"
            text = f"{value:.2g}" if sweep_map.show == "risk" else f"{value:.3g}"
            ax.text(j, i, text, ha="center", va="center", color=ink, fontsize=SMALL - 1)


def _phases(ax: "Axes", sweep_map: SweepMap) -> None:
    """A colour and a hatch for each choice, and a legend of them."""
    from matplotlib.patches import Patch, Rectangle

    names = sorted({name for row in sweep_map.best for name in row if name}, key=_by_number)
    kinds = len(COLORS)
    if len(names) > kinds and all(math.isfinite(_by_number(name)[0]) for name in names):
        rows = [
            [_by_number(name)[0] if name else math.nan for name in row] for row in sweep_map.best
        ]
        _heat(ax, sweep_map, np.array(rows))
        return
    if len(names) > MOST_CHOICES:
        raise InputError(
            f"{len(names)} choices in one map, expected {MOST_CHOICES} at most: vary fewer"
        )
    looks: dict[str, dict[str, Any]] = {
        name: {"facecolor": COLORS[i % kinds], "hatch": HATCHES[(i + i // kinds) % kinds]}
        for i, name in enumerate(names)
    }
    for i, row in enumerate(sweep_map.best):
        for j, name in enumerate(row):
            if name:
                cell = Rectangle((j - 0.5, i - 0.5), 1, 1, edgecolor="white", lw=0.5, **looks[name])
                ax.add_patch(cell)
    ax.set_xlim(-0.5, len(sweep_map.xs) - 0.5)
    ax.set_ylim(-0.5, len(sweep_map.ys) - 0.5)
    patches = [Patch(edgecolor="white", label=named(name), **looks[name]) for name in names]
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False}
    ax.legend(handles=patches, fontsize=SMALL, handlelength=1.6, **place)


def _by_number(name: str) -> tuple[float, str]:
    try:
        return float(name.removesuffix(EDGE).replace(",", "")), name
    except ValueError:
        return math.inf, name
