"""Loss curves as they were logged."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import HasUnit, loss_in, shared_unit
from losslaw.drawing.axes import POINTS, legend, loss_limits, update_axis
from losslaw.drawing.style import INK, UPDATE, axes_of, cycled, named, quiet
from losslaw.numerics.arrays import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Losses from which on a log is drawn as a line through means, over a fainter one of its losses.
DENSE = 400
MEANS = 200
# Marks along a line.
APART = 8


def plot_loss_curve(
    curve: LossCurve,
    ax: "Axes | None" = None,
    *,
    left_out: Sequence[tuple[int, int]] = (),
    label: str | None = None,
    **style: Any,
) -> "Axes":
    """Losses that were seen: points, or in a dense log means over blocks, the losses behind them.

    Args:
        curve: The losses.
        ax: Where to draw; ``None``: on new axes.
        left_out: First and last steps of what a fit left out (`FittedCurve.left_out`): hollow.
        label: Its name in a legend; ``None``: that of the curve.
        style: Of the points, or of the line.

    >>> import losslaw as ll
    >>> ax = plot_loss_curve(ll.bundled_curves()[0])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('update', 'loss (nats per token)')
    """
    ax = axes_of(ax)
    name = named(curve.label if label is None else label)
    style = {"color": INK, **style}
    hollow = np.zeros(len(curve), dtype=np.bool_)
    for first, last in left_out:
        hollow |= (curve.steps >= first) & (curve.steps <= last)
    if len(curve) > DENSE:
        _dense(ax, curve, hollow, name, style)
    else:
        points: dict[str, Any] = {"ls": "none", "ms": 3.5, "marker": ".", "mew": 0.6, **style}
        points["label"] = name
        ax.plot(curve.steps[~hollow], curve.loss[~hollow], **points)
    if hollow.any():
        ring: dict[str, Any] = {**style, "ls": "none", "marker": "o", "ms": 3, "mew": 0.6}
        ring |= {"mfc": "none", "label": "left out"}
        ax.plot(curve.steps[hollow], curve.loss[hollow], **ring)
    quiet(ax, UPDATE, loss_axis([curve]))
    update_axis(ax, int(curve.steps[-1]))
    ax.set_ylim(*loss_limits([(curve.steps, curve.loss)]))
    return ax


def plot_curves(curves: Sequence[LossCurve], ax: "Axes | None" = None) -> "Axes":
    """Several runs, each with a colour, dashes and marks of its own.

    Args:
        curves: The runs.
        ax: Where to draw; ``None``: on new axes.
    """
    ax = axes_of(ax)
    for i, curve in enumerate(curves):
        # Marks stand apart, and those of two runs not at the same updates.
        every = max(len(curve) // APART, 1)
        marks = cycled(i, marks=True, ms=3, lw=1.0, markevery=(i * every // 3 % every, every))
        plot_loss_curve(curve, ax, **marks)
    frame_losses(ax, curves)
    ax.set_ylabel(loss_axis(curves))
    legend(ax)
    return ax


def loss_axis(curves: Iterable[HasUnit]) -> str:
    """What the axis of the losses of these curves is called, with the unit if they have one.

    >>> import losslaw as ll
    >>> run = ll.constant(peak=0.1, horizon=9)
    >>> loss_axis([ll.KernelRegression(source=1, capacity=2).mean_curve(run)])
    'risk'
    """
    return loss_in(shared_unit(curves))


def frame_losses(ax: "Axes", curves: Sequence[LossCurve]) -> None:
    """Axes on which the late losses of all these curves are seen."""
    update_axis(ax, max(int(curve.steps[-1]) for curve in curves))
    ax.set_ylim(*loss_limits((curve.steps, curve.loss) for curve in curves))


def _dense(
    ax: "Axes", curve: LossCurve, hollow: BoolArray, name: str, style: dict[str, Any]
) -> None:
    steps, loss = curve.steps[~hollow], curve.loss[~hollow]
    some = slice(None, None, max(1, len(loss) // POINTS))
    ax.plot(steps[some], loss[some], color=style["color"], lw=0.4, alpha=0.35)
    ends = np.unique(np.linspace(0, len(loss), MEANS + 1).astype(np.int64))
    at, mean = (_means(values.astype(np.float64), ends) for values in (steps, loss))
    line: dict[str, Any] = {"lw": 1.2} | style
    if "markevery" in style:
        line["markevery"] = max(len(at) // APART, 1)
    ax.plot(at, mean, **line, label=name)


def _means(values: FloatArray, ends: Any) -> FloatArray:
    return np.add.reduceat(values, ends[:-1]) / np.diff(ends)
