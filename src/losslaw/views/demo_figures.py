"""The figures of the demo: predictions beside what was observed, their errors, and the design."""

import numpy as np
from matplotlib.figure import Figure

from losslaw.curves import LossCurve
from losslaw.designing import Design
from losslaw.fitting import CurveScore, Fit
from losslaw.views.plots import (
    OTHER,
    OURS,
    loss_limits,
    plot_curve,
    plot_errors,
    plot_prediction,
    plot_schedule,
)

# Of the laws, in their order.
COLORS = (OURS, OTHER)


def predictions_figure(
    fits: dict[str, Fit],
    scores: tuple[CurveScore, ...],
    fitted: list[LossCurve],
    held_out: tuple[LossCurve, ...],
) -> Figure:
    """One panel per run: the schedule above, losses observed and predicted below.

    A dotted line marks where a run leaves those that were fitted: what comes after was not seen.
    """
    shown = [*fitted, *held_out]
    across = 4
    down = -(-len(shown) // across)
    figure = Figure(figsize=(3.6 * across, 3.5 * down), layout="constrained")
    outer = figure.add_gridspec(down, across)
    for i, curve in enumerate(shown):
        inner = outer[i // across, i % across].subgridspec(2, 1, height_ratios=(1, 4), hspace=0.02)
        top = figure.add_subplot(inner[0])
        ax = figure.add_subplot(inner[1])
        plot_schedule(top, curve.schedule)
        top.set_axis_off()
        top.set_xlim(0, curve.schedule.horizon * 1.02)
        was_fitted = curve in fitted
        top.set_title(
            f"{curve.label.replace('_', '  ')}{'  (fitted)' if was_fitted else ''}",
            fontsize=9,
            color="#888888" if was_fitted else "#000000",
        )
        first = max(next(iter(fits.values())).skip, curve.schedule.warmup)
        shown_steps = np.linspace(first, int(curve.steps[-1]), 300)
        steps = np.unique(shown_steps.round().astype(np.int64))
        of_fit = {each.label: each for each in next(iter(fits.values())).curves}.get(curve.label)
        plot_curve(ax, curve, of_fit.left_out if of_fit else (), alpha=0.7)
        for color, (law, each) in zip(COLORS, fits.items(), strict=True):
            plot_prediction(ax, each.predict(curve.schedule, steps), color=color, label=law)
        left = {score.label: score.after for score in scores}.get(curve.label, 0)
        if left:
            ax.axvline(left, color="#999999", lw=0.8, ls=":")
        low, high = loss_limits(curve)
        ax.set_ylim(low, high)
        ax.set_xlim(0, curve.schedule.horizon * 1.02)
        if i % across:
            ax.set_ylabel("")
        if i == 0:
            ax.legend(frameon=False, fontsize=7)
    return figure


def errors_figure(scores: dict[str, tuple[CurveScore, ...]]) -> Figure:
    """Errors of both laws on every held-out run."""
    count = len(next(iter(scores.values())))
    figure = Figure(figsize=(7.5, 1.4 + 0.32 * count), layout="constrained")
    ax = figure.add_subplot()
    plot_errors(
        ax, [(law, color, each) for color, (law, each) in zip(COLORS, scores.items(), strict=True)]
    )
    return figure


def design_figure(fit: Fit, designed: Design) -> Figure:
    """The designed schedule beside two usual ones, and the losses predicted for them."""
    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    usual = designed.baselines
    shown = [
        ("designed", designed.schedule, OURS),
        ("WSD, linear over 20 %", usual["wsd"].schedule, OTHER),
        ("cosine to 10 %", usual["cosine-10%"].schedule, "#888888"),
    ]
    for name, schedule, color in shown:
        steps = np.unique(np.linspace(fit.skip, schedule.horizon, 400).round().astype(np.int64))
        left.plot(np.arange(1, schedule.horizon + 1), schedule.lr, color=color, lw=1.5, label=name)
        prediction = fit.predict(schedule, steps)
        right.plot(
            steps, prediction.loss, color=color, lw=1.5, label=f"{name}: {prediction.final:.4f}"
        )
    left.set_xlabel("step")
    left.set_ylabel("learning rate")
    left.legend(frameon=False, fontsize=8)
    right.set_xlabel("step")
    right.set_ylabel("predicted loss, nats per token")
    ends = [item.loss for item in (usual["wsd"], usual["cosine-10%"])] + [designed.loss]
    right.set_ylim(min(ends) - 0.02, min(ends) + 0.35)
    right.legend(frameon=False, fontsize=8)
    return figure
