"""What the figures of the studies share: colours of schedules, quiet axes, slope triangles."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from losslaw.numerics.arrays import FloatArray

# matplotlib leaves the types of its keyword arguments open, which strict checking refuses.
Axes: TypeAlias = Any
Figure: TypeAlias = Any

# One colour a schedule, in every figure. Distinct in grey as well as for the colour-blind.
COLORS = {
    "constant": "#8c8c8c",
    "exponential": "#c4622d",
    "wsd": "#1b7a6e",
    "power": "#3b4cc0",
    "linear": "#c4622d",
    "cosine": "#7a3b8f",
    "cyclic": "#8a6d1f",
}
NAMES = {
    "constant": "constant",
    "exponential": "exponential decay",
    "wsd": "WSD",
    "power": "power decay",
    "linear": "linear",
    "cosine": "cosine",
    "cyclic": "cyclic",
}
INK = "#222222"
THEORY: dict[str, Any] = {"color": "#000000", "ls": (0, (4, 2)), "lw": 1.0}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure that belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def quiet(ax: Axes, title: str = "") -> None:
    """No frame on top and right, a faint grid, a title to the left."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, which="major", color="#e6e6e6", lw=0.6)
    ax.set_axisbelow(True)
    if title:
        ax.set_title(title, loc="left", fontsize=10)


def log_log(ax: Axes) -> None:
    """Both axes in powers of ten, no minor labels."""
    ax.set_xscale("log")
    ax.set_yscale("log")


def theory_line(
    ax: Axes, x: ArrayLike, shape: ArrayLike, *, at: float, through: float, **style: Any
) -> None:
    """Theory knows a curve up to its constant: draw it through one measured point.

    Args:
        ax: Where to draw.
        x: Places. Shape ``(m,)``.
        shape: Theory there, with any constant. Shape ``(m,)``.
        at: Place of the measured point, one of ``x`` or between them.
        through: What was measured there.
        style: Passed on.
    """
    places, values = np.asarray(x, dtype=np.float64), np.asarray(shape, dtype=np.float64)
    here: float = np.interp(math.log(at), np.log(places), np.log(values))
    ax.plot(places, values * through / math.exp(here), **{**THEORY, **style})


def short(number: float) -> str:
    """A large round number in words.

    >>> short(1e4), short(2e12), short(16)
    ('1e4', '2e12', '16')
    """
    return (
        f"{number:.0e}".replace("e+0", "e").replace("e+", "e") if number >= 1e3 else f"{number:g}"
    )


def power_of_ten(number: float) -> str:
    """The same for a label.

    >>> power_of_ten(1e4)
    '$10^{4}$'
    """
    digits = round(float(np.log10(number)), 9)
    return f"$10^{{{digits:g}}}$"


def legend(ax: Axes, **options: Any) -> None:
    """A small legend without a frame."""
    ax.legend(**{"frameon": False, "fontsize": 8, "handlelength": 1.8, **options})


def local_slopes(x: Sequence[float], y: Sequence[float]) -> FloatArray:
    """Slopes between neighbours on a log-log plot. Shape ``(n - 1,)``.

    >>> local_slopes([1, 10, 100], [1, 0.1, 0.001]).round(9).tolist()
    [-1.0, -2.0]
    """
    return np.diff(np.log(np.asarray(y))) / np.diff(np.log(np.asarray(x)))
