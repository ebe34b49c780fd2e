"""The figure of `losslaw.annealed`: what each run was worth along its way, beside its log."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.annealing import Annealed, AnnealedRun
from losslaw.text import escaped

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of Okabe and Ito, which colour-blind readers tell apart; with dashes and marks they are
# told apart in grey as well.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9")
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
MARKS = ("o", "s", "^", "D", "v", "P", "X")


def plot_annealed_run(
    ax: "Axes", run: AnnealedRun, name: str | None = None, **style: Any
) -> "list[Artist]":
    """Annealed loss along a run with its interval, and the losses of the log above it, thin.

    Args:
        ax: Where to draw.
        run: The run; only one for which the loss along its way was asked has lines.
        name: What the legend calls it; ``None``: its label.
        style: Of the lines.
    """
    style = {"color": COLORS[0], "marker": MARKS[0], **style}
    dashes = style.pop("ls", "-")
    name = escaped(run.label if name is None else name)
    artists: list[Artist] = []
    path = run.path
    if path is not None:
        artists += ax.plot(path.steps, path.raw, color=style["color"], lw=0.7, ls=dashes, alpha=0.6)
        artists += ax.plot(path.steps, path.loss, color=style["color"], lw=1.6, ls=dashes)
        if path.lower is not None and path.upper is not None:
            bounded = np.isfinite(path.upper)
            ends = (path.lower[bounded], path.upper[bounded])
            band = ax.fill_between(
                path.steps[bounded], *ends, color=style["color"], alpha=0.13, lw=0
            )
            artists.append(band)
    artists += ax.plot([run.at], [run.loss], ms=6, ls=dashes, label=f"{name}, annealed", **style)
    if run.interval is not None and run.interval.bounded:
        ends = (run.interval.lower, run.interval.upper)
        artists += ax.plot([run.at, run.at], ends, color=style["color"], lw=1.0)
    return artists


def annealed_figure(result: Annealed, names: Sequence[str] | None = None) -> "Figure":
    """One figure of all runs: annealed losses along each, thick; the logs, thin.

    Args:
        result: What the runs are worth, best with the loss along each (``path=True``).
        names: What the runs are called in the legend; ``None``: their labels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = figure.subplots()
    for i, run in enumerate(result.runs):
        color, mark = COLORS[i % len(COLORS)], MARKS[i % len(MARKS)]
        name = None if names is None else names[i]
        plot_annealed_run(ax, run, name, color=color, marker=mark, ls=DASHES[i % len(DASHES)])
    ax.plot([], [], color="#666666", lw=0.7, label="as logged")
    ax.set_xlabel("update after which the cooldown begins")
    ax.set_ylabel("loss, nats per token")
    ax.set_title(f"after a cooldown: {result.cooldown}; {result.level:.0%} intervals", fontsize=9)
    low = min(run.loss for run in result.runs)
    late = [float(run.raw) for run in result.runs]
    tops = [float(np.median(run.path.raw)) for run in result.runs if run.path is not None]
    top = max([*late, *tops])
    ax.set_ylim(low - 0.35 * (top - low), top + 0.35 * (top - low))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small")
    return figure
