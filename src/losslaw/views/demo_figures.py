"""The figures of the demo: predictions beside what was observed, their errors, and the design."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from losslaw.curves import LossCurve
from losslaw.designing import Design
from losslaw.drawing.axes import figure_legend, loss_limits
from losslaw.drawing.style import FAINT, INK, LETTERS, behind, cycled, dressed, named, new_figure
from losslaw.fitting import CurveScore, Fit
from losslaw.views.curves import plot_loss_curve
from losslaw.views.designs import plot_design, plot_gains
from losslaw.views.predictions import plot_prediction
from losslaw.views.schedules import plot_schedule
from losslaw.views.scores import plot_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Panels beside each other; inches of each.
ACROSS = 4
PANEL = (2.5, 2.4)


def run_panel(
    top: "Axes",
    ax: "Axes",
    curve: LossCurve,
    fits: dict[str, Fit],
    *,
    first: int = 1,
    left_out: Sequence[tuple[int, int]] = (),
) -> None:
    """One run: its schedule above, below it the losses that were seen and those predicted.

    Args:
        top: Where the schedule goes, without axes.
        ax: Where the losses go.
        curve: The run.
        fits: What predicts it, by name.
        first: Update from which on to predict.
        left_out: What a fit left out of it.
    """
    plot_schedule(curve.schedule, top, color=INK)
    top.set_axis_off()
    plot_loss_curve(curve, dressed(ax), label="seen", left_out=left_out, **behind())
    at = np.linspace(first, int(curve.steps[-1]), 300).round().astype(np.int64)
    for i, (name, fit) in enumerate(fits.items()):
        plot_prediction(fit.predict(curve.schedule, np.unique(at)), ax, label=name, **cycled(i))
    ax.set_ylim(*loss_limits([(curve.steps, curve.loss)]))
    ax.legend().remove()


def predictions_figure(
    fits: dict[str, Fit],
    scores: tuple[CurveScore, ...],
    fitted: list[LossCurve],
    held_out: tuple[LossCurve, ...],
) -> "Figure":
    """One panel per run: the schedule above, losses observed and predicted below.

    A dotted line marks where a run leaves those that were fitted: what comes after was not seen.
    """
    shown = [*fitted, *held_out]
    down = -(-len(shown) // ACROSS)
    figure = new_figure(PANEL[0] * ACROSS, PANEL[1] * down + 0.3)
    outer = figure.add_gridspec(down, ACROSS)
    fit = next(iter(fits.values()))
    lefts = {each.label: each.left_out for each in fit.curves}
    after = {score.label: score.after for score in scores}
    for i, curve in enumerate(shown):
        inner = outer[i // ACROSS, i % ACROSS].subgridspec(2, 1, height_ratios=(1, 4), hspace=0.02)
        top, ax = figure.add_subplot(inner[0]), figure.add_subplot(inner[1])
        first = max(fit.skip, curve.schedule.warmup)
        run_panel(top, ax, curve, fits, first=first, left_out=lefts.get(curve.label, ()))
        known = curve in fitted
        title = f"{named(curve.label)}{' (fitted)' if known else ''}"
        top.set_title(title, fontsize=LETTERS, color=FAINT if known else INK)
        if after.get(curve.label):
            ax.axvline(after[curve.label], color=FAINT, lw=0.8, ls=":")
        if i % ACROSS:
            ax.set_ylabel("")
    figure_legend(figure, figure.axes[1], "upper")
    return figure


def errors_figure(scores: dict[str, tuple[CurveScore, ...]]) -> "Figure":
    """Errors of both laws on every held-out run."""
    runs = next(iter(scores.values()))
    figure = new_figure(5.0, 0.9 + 0.2 * len(runs))
    errors = {law: [each.rmse for each in of_law] for law, of_law in scores.items()}
    plot_errors(errors, [each.label for each in runs], dressed(figure.add_subplot()))
    return figure


def design_figure(fit: Fit, designed: Design) -> "Figure":
    """The designed schedule beside usual ones, the losses predicted for them, and the gains."""
    figure = new_figure(8.8, 2.9)
    left, middle, right = map(dressed, figure.subplots(1, 3))
    beside = ("cosine-10%", "wsd")
    plot_design(designed, left, beside=beside)
    plans = {"designed": designed.schedule}
    plans |= {name: designed.baselines[name].schedule for name in beside}
    for i, (name, schedule) in enumerate(plans.items()):
        at = np.unique(np.linspace(fit.skip, schedule.horizon, 400).round().astype(np.int64))
        plot_prediction(fit.predict(schedule, at), middle, label=name, **cycled(i))
    plot_gains(designed, right)
    return figure
