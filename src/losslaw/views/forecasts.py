"""A forecast: the log so far, where its plan leads, and what a decay now would give."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.curves.curve import NATS, loss_in
from losslaw.drawing.axes import band, legend, loss_limits, thinned, update_axis
from losslaw.drawing.style import (
    COLORS,
    FAINT,
    INK,
    UPDATE,
    axes_of,
    cycled,
    interval,
    quiet,
)
from losslaw.files.checked import Finite
from losslaw.views.curves import plot_loss_curve
from losslaw.views.forms import Along, Answer, Told, array, form_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class EndingForm(Told):
    """A decay of a forecast."""

    when: str
    steps: int


@dataclass(frozen=True, kw_only=True)
class ForecastForm:
    """What the picture needs of a forecast."""

    label: str
    step: int
    loss: Finite
    level: float
    path: Along | None
    endings: list[EndingForm]
    unit: str = NATS


def plot_forecast(
    forecast: Answer | ForecastForm, ax: "Axes | None" = None, *, curve: LossCurve | None = None
) -> "Axes":
    """The log so far, the most likely continuation with its band, and ends of decays from now on.

    Args:
        forecast: A forecast.
        ax: Where to draw; ``None``: on new axes.
        curve: The log; ``None``: only its last loss is known.
    """
    form, ax = form_of(ForecastForm, forecast, "forecast"), axes_of(ax)
    seen: list[tuple[ArrayLike, ArrayLike]] = [([form.step], [form.loss])]
    last = form.step
    if curve is not None:
        plot_loss_curve(curve, ax, label="logged", alpha=0.8)
        seen.append((curve.steps, curve.loss))
    if form.path is not None:
        steps, loss = np.asarray(form.path.step), array(form.path.loss)
        at = thinned(steps.size) - 1
        ax.plot(steps[at], loss[at], **cycled(0), lw=1.4, label="on its plan")
        if form.path.lower is not None and form.path.upper is not None:
            ends = array(form.path.lower)[at], array(form.path.upper)[at]
            band(ax, steps[at], *ends, form.level, COLORS[0])
            seen += [(steps[at], end) for end in ends if np.isfinite(end).any()]
        seen.append((steps[at], loss[at]))
        last = max(last, int(steps[-1]))
    decays = [each for each in form.endings if each.when == "now"]
    for i, each in enumerate(decays):
        name = f"ends of decays now, {interval(form.level)}" if i == 0 else None
        ax.plot([form.step, each.steps], [form.loss, each.loss], color=FAINT, lw=0.6, ls=":")
        if each.lower is not None and each.upper is not None:
            ax.plot([each.steps] * 2, [each.lower, each.upper], color=COLORS[2], lw=1)
            seen.append(([each.steps] * 2, [each.lower, each.upper]))
        ax.plot([each.steps], [each.loss], "s", ms=3.5, color=COLORS[2], label=name)
        last = max(last, each.steps)
    ax.plot([form.step], [form.loss], "D", ms=4, mfc="white", color=INK, label="now")
    quiet(ax, UPDATE, loss_in(form.unit))
    update_axis(ax, last, first=0 if curve is not None else form.step - (last - form.step) / 20)
    ax.set_ylim(*loss_limits(seen))
    legend(ax, above=curve is None, columns=1 if curve is not None else 2)
    return ax
