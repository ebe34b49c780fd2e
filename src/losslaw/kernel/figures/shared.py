"""What the figures of the studies share: colours of schedules, quiet axes, slope triangles."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from losslaw.drawing.style import COLORS as PALETTE
from losslaw.drawing.style import GRID
from losslaw.numerics.arrays import FloatArray

# matplotlib leaves the types of its keyword arguments open, which strict checking refuses.
Axes: TypeAlias = Any
Figure: TypeAlias = Any

# One colour and one mark a schedule, in every figure: some are as light as each other.
COLORS = {
    "constant": PALETTE[4],
    "exponential": PALETTE[1],
    "wsd": PALETTE[0],
    "power": PALETTE[2],
    "linear": PALETTE[1],
    "cosine": PALETTE[3],
    "cyclic": PALETTE[6],
}
MARK = {
    "constant": "o",
    "exponential": "s",
    "wsd": "^",
    "power": "D",
    "linear": "s",
    "cosine": "v",
    "cyclic": "P",
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
THEORY: dict[str, Any] = {"color": "#6a6a6a", "ls": (0, (4, 2)), "lw": 1.0}


def quiet(ax: Axes, title: str = "") -> None:
    """No frame on top and right, a faint grid, a title to the left."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, which="major", color=GRID, lw=0.6)
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
