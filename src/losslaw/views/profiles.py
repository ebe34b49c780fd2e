"""What losses tell of a parameter, and which further run would tell more."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.curves.curve import NATS, in_brackets
from losslaw.drawing.axes import BAND, legend, log_axis
from losslaw.drawing.style import (
    COLORS,
    INK,
    LONGEST,
    MARKS,
    axes_of,
    cycled,
    interval,
    named,
    quiet,
)
from losslaw.files.checked import Finite
from losslaw.numerics.interval import Level
from losslaw.views.forms import Answer, Ends, form_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class ProfileForm(Ends):
    """What the picture needs of a likelihood profile."""

    parameter: str
    value: list[Finite]
    rise: list[Finite]
    best: Finite
    fitted: Finite
    level: float


@dataclass(frozen=True, kw_only=True)
class ProfilesForm:
    """The profiles of several parameters."""

    profiles: list[ProfileForm]


def plot_profile(profile: Answer | ProfileForm, ax: "Axes | None" = None) -> "Axes":
    """How much worse the fit is at each value of a parameter, and the interval that this gives.

    A flat line is a parameter on which these losses do not depend. The fit may be elsewhere than
    the least rise: it counts all points of a run, the profile few independent ones beside priors
    (`losslaw.fitting.profile`).

    Args:
        profile: The profile.
        ax: Where to draw; ``None``: on new axes.
    """
    form, ax = form_of(ProfileForm, profile, "profile"), axes_of(ax)
    enough = Level(form.level).quantile ** 2
    low, high = form.value[0], form.value[-1]
    ends = (low if form.lower is None else form.lower, high if form.upper is None else form.upper)
    shade = interval(form.level)
    if form.lower is None or form.upper is None:
        shade += " (open)"
    ax.axvspan(*ends, color=COLORS[0], alpha=BAND, lw=0, label=shade)
    ax.axhline(enough, color=INK, lw=0.8, ls=":", label="where it ends")
    ax.plot(
        form.value,
        form.rise,
        **cycled(0, marks=True, ms=3, lw=1.3),
        label=f"profile, least at {form.best:.3g}",
    )
    if 2 * low - high <= form.fitted <= 2 * high - low:
        ax.axvline(
            form.fitted, **cycled(1), lw=1.1, label=f"fit, {form.fitted:.3g}: priors count less"
        )
        low, high = min(low, form.fitted), max(high, form.fitted)
    quiet(ax, named(form.parameter), "rise of the statistic")
    margin = 0.03 * (high - low) or 0.01
    ax.set_xlim(low - margin, high + margin)
    ax.set_ylim(0, max(1.4 * enough, min(max(form.rise), 2.5 * enough)))
    ax.locator_params(axis="x", nbins=5)
    legend(ax, above=True, columns=2)
    return ax


@dataclass(frozen=True, kw_only=True)
class OptionForm:
    """A run that could be made."""

    run: str
    updates: int
    half_width: Finite | None


@dataclass(frozen=True, kw_only=True)
class AdviceForm:
    """What the picture needs of an advice."""

    level: float
    half_width: Finite | None
    goal: Finite
    options: list[OptionForm]
    best: OptionForm | None
    unit: str = NATS


def plot_advice(advice: Answer | AdviceForm, ax: "Axes | None" = None) -> "Axes":
    """Candidate runs: what each costs, and how narrow the interval would be after it.

    Args:
        advice: The advice.
        ax: Where to draw; ``None``: on new axes.
    """
    form, ax = form_of(AdviceForm, advice, "advice"), axes_of(ax)
    options = [(each.updates, each.half_width) for each in form.options]
    known = [(updates, width) for updates, width in options if width is not None]
    line = cycled(0, marks=True, ms=3, lw=0.8)
    widths = [width for _, width in known]
    ax.plot([updates for updates, _ in known], widths, **line, label="a candidate run")
    if form.half_width is not None:
        ax.axhline(form.half_width, color=INK, lw=1, label="now")
    ax.axhline(form.goal, **cycled(3), lw=1, label="wanted")
    if form.best is not None and form.best.half_width is not None:
        mark: dict[str, Any] = {"marker": MARKS[3], "color": COLORS[2], "ls": "none", "ms": 6}
        name = f"best: {named(form.best.run, LONGEST)}"
        ax.plot([form.best.updates], [form.best.half_width], **mark, label=name)
    log_axis(ax, "x")
    quiet(ax, "updates to compute", f"half of the {interval(form.level)}{in_brackets(form.unit)}")
    tops = [form.half_width, form.goal, *widths]
    ax.set_ylim(0, 1.1 * float(np.max([each for each in tops if each is not None])))
    legend(ax, above=True, columns=2)
    return ax
