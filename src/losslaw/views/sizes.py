"""A ladder of model sizes, and averages of checkpoints beside decays of the same length."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losslaw.curves.curve import NATS, loss_in
from losslaw.drawing.axes import band, legend, log_axis
from losslaw.drawing.style import COLORS, INK, axes_of, cycled, interval, quiet
from losslaw.files.checked import Finite, Positive
from losslaw.numerics.arrays import FloatArray
from losslaw.views.forms import Answer, Told, array, form_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class RungForm:
    """The end of one model size."""

    model_size: Positive
    ended: Finite
    corrected: Finite
    lower: Finite | None
    upper: Finite | None


@dataclass(frozen=True, kw_only=True)
class NextForm(Told):
    """A size that is foretold."""

    model_size: Positive


@dataclass(frozen=True, kw_only=True)
class SizeLawForm:
    """A law of size."""

    E: Finite
    F: Finite
    b: Finite
    reference: Positive
    next: NextForm


@dataclass(frozen=True, kw_only=True)
class LadderForm:
    """What the picture needs of a ladder."""

    rungs: list[RungForm]
    level: float | None = None
    unit: str = NATS
    before: SizeLawForm | None = None
    after: SizeLawForm | None = None


def plot_ladder(ladder: Answer | LadderForm, ax: "Axes | None" = None) -> "Axes":
    """Ends of model sizes as they were, and corrected to one cooldown; the law through each.

    Args:
        ladder: The ladder.
        ax: Where to draw; ``None``: on new axes.
    """
    form, ax = form_of(LadderForm, ladder, "ladder"), axes_of(ax)
    sizes = np.array([rung.model_size for rung in form.rungs])
    _ends(ax, "corrected", sizes, [rung.corrected for rung in form.rungs], form.after, 0)
    for rung in form.rungs:
        if rung.lower is not None and rung.upper is not None:
            ax.plot([rung.model_size] * 2, [rung.lower, rung.upper], color=COLORS[0], lw=1)
    _ends(ax, "as ended", sizes, [rung.ended for rung in form.rungs], form.before, 1)
    if form.before is not None:
        foretold = f"next size, {interval(form.level)}"
        ax.plot([], [], "o", ms=5, mfc="white", color=INK, label=foretold)
    log_axis(ax, "x")
    quiet(ax, "parameters of the model", loss_in(form.unit))
    legend(ax)
    return ax


def _ends(
    ax: "Axes", name: str, sizes: FloatArray, losses: list[float], law: SizeLawForm | None, i: int
) -> None:
    """Ends of all sizes, the law through them, and what it says of the next size."""
    style = cycled(i, marks=True)
    color, mark = style["color"], style["marker"]
    if law is not None:
        name += f", b = {law.b:.3f}"
        far = max(float(sizes.max()), law.next.model_size)
        along = np.asarray(np.geomspace(0.8 * float(sizes.min()), 1.1 * far, 200), dtype=np.float64)
        through = law.E + law.F * (along / law.reference) ** -law.b
        ax.plot(along, through, color=color, ls=style["ls"], lw=1.1)
        size, lower, upper = law.next.model_size, law.next.lower, law.next.upper
        if lower is not None and upper is not None:
            ax.plot([size] * 2, [lower, upper], color=color, lw=1)
        ax.plot([size], [law.next.loss], mark, ms=5, mfc="white", color=color)
    ax.plot(sizes, losses, mark, color=color, ms=4, label=name)


@dataclass(frozen=True, kw_only=True)
class MergeForm(Told):
    """An average of checkpoints, and decays beside."""

    first: int
    last: int
    decay: Told
    instead: Told


@dataclass(frozen=True, kw_only=True)
class MergeForecastForm:
    """What the picture needs of averages of checkpoints."""

    merges: list[MergeForm]
    raw: Told
    level: float
    unit: str = NATS
    measured: Finite | None = None


def plot_merge_forecast(merge: Answer | MergeForecastForm, ax: "Axes | None" = None) -> "Axes":
    """Loss of averages of the last checkpoints by how far they reach back, and decays as long.

    Args:
        merge: The averages.
        ax: Where to draw; ``None``: on new axes.
    """
    form, ax = form_of(MergeForecastForm, merge, "merge"), axes_of(ax, 2.7)
    spans = [each.last - each.first for each in form.merges]
    losses = [each.loss for each in form.merges]
    ax.plot(spans, losses, **cycled(0, marks=True), ms=3, lw=1.4, label="averaged")
    ends = array([each.lower for each in form.merges]), array([each.upper for each in form.merges])
    band(ax, spans, *ends, form.level, COLORS[0])
    decays = [each.decay.loss for each in form.merges]
    instead = [each.instead.loss for each in form.merges]
    later = "decayed over as many more"
    ax.plot(spans, decays, **cycled(1, marks=True), ms=3, lw=1.1, label=later)
    earlier = "decayed over these instead"
    ax.plot(spans, instead, **cycled(2, marks=True), ms=3, lw=1.1, label=earlier)
    ax.axhline(form.raw.loss, color=INK, lw=0.9, ls=":", label="the last checkpoint as it is")
    if form.measured is not None:
        ax.plot([spans[-1]], [form.measured], "x", color=INK, ms=6, label="measured, all of them")
    quiet(ax, "updates from the first checkpoint to the last", loss_in(form.unit))
    ax.set_xlim(0, 1.04 * max(spans))
    ax.locator_params(nbins=5)
    legend(ax, above=True)
    return ax
