"""Annealed losses: what each run was worth along its way, beside its log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losslaw.curves.curve import NATS, loss_in
from losslaw.drawing.axes import band, legend, loss_limits, update_axis
from losslaw.drawing.style import FAINT, axes_of, cycled, named, quiet
from losslaw.files.checked import Finite
from losslaw.views.forms import Answer, Numbers, Told, array, form_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Runs beyond which bands would only cover each other.
BANDED = 5


@dataclass(frozen=True, kw_only=True)
class PathForm:
    """Annealed losses along a run."""

    at: list[int]
    loss: list[Finite]
    lower: Numbers | None
    upper: Numbers | None
    raw: list[Finite]


@dataclass(frozen=True, kw_only=True)
class RunForm(Told):
    """A run that is annealed."""

    label: str
    at: int
    raw: Finite
    path: PathForm | None = None


@dataclass(frozen=True, kw_only=True)
class AnnealedForm:
    """What the picture needs of annealed losses."""

    runs: list[RunForm]
    level: float | None
    unit: str = NATS


def plot_annealed(
    annealed: Answer | AnnealedForm,
    ax: "Axes | None" = None,
    *,
    names: Sequence[str] | None = None,
) -> "Axes":
    """Loss after a cooldown from each point of the runs, thick; their logs, thin.

    Args:
        annealed: What the runs are worth, best with the loss along each (``path=True``).
        ax: Where to draw; ``None``: on new axes.
        names: What the runs are called in the legend; ``None``: their labels.
    """
    form, ax = form_of(AnnealedForm, annealed, "annealed"), axes_of(ax, 2.7)
    seen = [([run.at], [run.loss]) for run in form.runs]
    for i, run in enumerate(form.runs):
        style = cycled(i, marks=True)
        color = style["color"]
        if run.path is not None:
            line = {"color": color, "ls": style["ls"]}
            path = run.path
            ax.plot(path.at, path.raw, **line, lw=0.6, alpha=0.6)
            ax.plot(path.at, path.loss, **line, lw=1.5)
            if path.lower is not None and path.upper is not None and len(form.runs) <= BANDED:
                ends = array(path.lower), array(path.upper)
                band(ax, path.at, *ends, form.level, color, labelled=i == 0)
                half = len(path.at) // 2
                seen += [(path.at[half:], end[half:]) for end in ends if np.isfinite(end).any()]
            seen += [(path.at, path.loss), (path.at, array(path.raw))]
        if run.lower is not None and run.upper is not None:
            ax.plot([run.at, run.at], [run.lower, run.upper], color=color, lw=1)
            seen.append(([run.at, run.at], [run.lower, run.upper]))
        name = named(run.label if names is None else names[i])
        ax.plot([run.at], [run.loss], ms=4, **style, label=f"{name}, annealed")
    if any(run.path is not None for run in form.runs):
        ax.plot([], [], color=FAINT, lw=0.6, label="as logged")
    quiet(ax, "update after which the cooldown begins", loss_in(form.unit))
    update_axis(ax, max(run.at for run in form.runs))
    ax.set_ylim(*loss_limits(seen))
    legend(ax, above=True, columns=2)
    return ax
