"""Designs: the proposed schedule beside usual ones, and what it gains over each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from losslaw.curves.curve import NATS, in_brackets
from losslaw.curves.objective import EXCESS
from losslaw.designing import Design
from losslaw.drawing.axes import legend, rate_axis, thinned, update_axis
from losslaw.drawing.style import INK, RATE, UPDATE, axes_of, cycled, named, quiet
from losslaw.files.checked import Finite
from losslaw.schedules import parse_schedule
from losslaw.views.dots import Row, plot_dots
from losslaw.views.forms import Answer, Ends, form_of
from losslaw.views.schedules import plot_schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Usual schedules that are drawn beside a design.
BESIDE = ("cosine-10%", "wsd", "linear")


@dataclass(frozen=True, kw_only=True)
class RatesForm:
    """Learning rate of every update, and its batch."""

    lr: list[Finite]
    batch: list[Finite] | None = None

    def __post_init__(self) -> None:
        if not self.lr or (self.batch is not None and len(self.batch) != len(self.lr)):
            raise ValueError("expected lr, and batch of the same length")


@dataclass(frozen=True, kw_only=True)
class GainForm(Ends):
    """What a design gains over a usual schedule."""

    gain: Finite
    spec: str | None = None


@dataclass(frozen=True, kw_only=True)
class DesignForm:
    """What the picture needs of a design."""

    loss: Finite
    level: float
    gains: dict[str, GainForm]
    schedule: RatesForm
    unit: str = NATS

    @property
    def exact(self) -> bool:
        """Whether losses are the exact excess risks of a problem of the kernel world."""
        return self.unit == EXCESS.unit

    def written(self, loss: float) -> str:
        """A loss, or an excess risk, which may be small."""
        return f"{loss:.4g}" if self.exact else f"{loss:.4f}"


def plot_design(
    design: Answer | DesignForm, ax: "Axes | None" = None, *, beside: Sequence[str] = BESIDE
) -> "Axes":
    """The proposed schedule, and usual ones beside it, each with its predicted final loss.

    Args:
        design: The design; read from JSON, one that goes on from a run so far has no usual
            schedules, only their losses.
        ax: Where to draw; ``None``: on new axes.
        beside: Usual schedules that are drawn too.
    """
    form, ax = form_of(DesignForm, design, "design"), axes_of(ax, 2.4)
    lr = np.asarray(form.schedule.lr)
    usual = {
        name: parse_schedule(each.spec)
        for name, each in form.gains.items()
        if each.spec is not None
    }
    if isinstance(design, Design):
        usual = {name: each.schedule for name, each in design.baselines.items()}
    at = thinned(lr.size)
    ax.plot(
        at, lr[at - 1], **cycled(0, lw=1.9, zorder=3), label=f"designed: {form.written(form.loss)}"
    )
    for i, name in enumerate(each for each in beside if each in usual):
        style = cycled(i + 1)
        ends = f"{named(name)}: {form.written(form.loss + form.gains[name].gain)}"
        plot_schedule(usual[name], ax, label=ends, **style, lw=1.1)
    quiet(ax, UPDATE, RATE)
    update_axis(ax, lr.size)
    rate_axis(ax, max(lr.max(), *(each.peak_lr for each in usual.values()), 0))
    legend(ax, above=True, columns=2)
    return ax


def plot_gains(design: Answer | DesignForm, ax: "Axes | None" = None) -> "Axes":
    """How much lower a design ends than each usual schedule, with the interval of the gain.

    Of a problem of the kernel world gains are exact, and shares of the design's excess risk.

    Args:
        design: The design.
        ax: Where to draw; ``None``: on new axes.
    """
    form = form_of(DesignForm, design, "design")
    if form.exact:
        return _exact_gains(form, ax)
    unit = in_brackets(form.unit)
    ordered = sorted(form.gains.items(), key=lambda item: item[1].gain)
    rows = [
        Row(name=name, value=each.gain, lower=each.lower, upper=each.upper, kind=_kind(each))
        for name, each in ordered
    ]
    kinds = ("surely above 0", "not told apart", "surely below 0")
    ax = plot_dots(
        rows,
        ax,
        x=f"gain of the design{unit}",
        level=form.level,
        kinds=kinds,
    )
    ax.axvline(0, color=INK, lw=0.8)
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, -0.03 * (high - low)), high)
    return ax


def _exact_gains(form: DesignForm, ax: "Axes | None") -> "Axes":
    """What other schedules cost, as shares: from hardly anything to hundreds of times the risk."""
    gains = {name: 100 * each.gain / form.loss for name, each in form.gains.items()}
    ordered = sorted(gains.items(), key=lambda item: item[1])
    rows = [Row(name=name, value=share, kind=0, exact=True) for name, share in ordered]
    ax = plot_dots(rows, ax, x="gain (% of the design's excess risk)", kinds=("exact",))
    low, high = min(0.0, *gains.values()), max(1.0, *gains.values())
    ax.set_xscale("symlog", linthresh=1.0)
    ax.set_xlim(1.5 * low - 0.1, 2 * high)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:g}")
    ax.axvline(0, color=INK, lw=0.8)
    return ax


def _kind(gain: GainForm) -> int:
    if gain.lower is None or gain.upper is None:
        return 1
    return 0 if gain.lower > 0 else 2 if gain.upper < 0 else 1


@dataclass(frozen=True, kw_only=True)
class BatchDesignForm:
    """What the picture needs of a schedule of batches."""

    loss: Finite
    schedule: RatesForm
    constant: Mapping[str, Finite] = field(default_factory=dict[str, Finite])


def plot_batch_design(design: Answer | BatchDesignForm, ax: "Axes | None" = None) -> "Axes":
    """Rate and batch of a schedule of batches, each as a share of its highest.

    Args:
        design: The schedule of batches.
        ax: Where to draw; ``None``: on new axes.
    """
    form, ax = form_of(BatchDesignForm, design, "design of batches"), axes_of(ax, 2.2)
    at = thinned(len(form.schedule.lr))
    for i, (name, values) in enumerate(
        (("rate", form.schedule.lr), ("batch", form.schedule.batch))
    ):
        if values is not None:
            along = np.asarray(values)
            label = f"{name}, highest {along.max():.3g}"
            ax.plot(at, along[at - 1] / along.max(), **cycled(i), lw=1.5, label=label)
    quiet(ax, UPDATE, "share of the highest")
    update_axis(ax, len(form.schedule.lr))
    ax.set_ylim(0, 1.06)
    legend(ax, above=True, columns=2)
    return ax
