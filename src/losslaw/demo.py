"""The demo: laws fitted to three real runs, asked about others, and a schedule designed from them.

The runs come with the package (a small language model, trained under many schedules; see
``losslaw lab``). Fitted are a constant run, a cosine and a WSD of one peak; asked are other shapes,
three times the horizon, and other peaks. The law that predicts them best then says which schedule
of the same horizon would end lowest.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from losslaw.curves import LossCurve, bundled_curves
from losslaw.designing import Design, design
from losslaw.errors import InputError
from losslaw.files import write_bytes, write_text
from losslaw.files.pictures import png
from losslaw.fitting import CurveScore, Fit, fit, score
from losslaw.schedules import schedule_csv
from losslaw.views.plots import (
    OTHER,
    OURS,
    loss_limits,
    plot_curve,
    plot_errors,
    plot_prediction,
    plot_schedule,
)

FITTED = (
    "constant_peak3e-3_T4000",
    "cosine_peak3e-3_T4000",
    "wsd-linear-0.2_peak3e-3_T4000",
)
LAWS = (("effective", OURS), ("multipower", OTHER))


@dataclass(frozen=True)
class Demo:
    """What the demo found.

    Attributes:
        fits: One a law, by name.
        scores: Scores of the runs that were asked about, by law, unseen steps only.
        asked: Those runs.
        design: The schedule with the lowest predicted loss at the horizon of the fitted runs.
        seconds: How long it took.
        files: What was written.
    """

    fits: dict[str, Fit]
    scores: dict[str, tuple[CurveScore, ...]]
    asked: tuple[LossCurve, ...]
    design: Design
    seconds: float
    files: tuple[Path, ...]


def run_demo(folder: str | Path, say: Callable[[str], None] = lambda words: None) -> Demo:
    """Fit, predict, draw and write everything into ``folder``.

    Args:
        folder: Made if it does not exist.
        say: Called with a few words before each part.

    Raises:
        InputError: the folder cannot be made or written.
    """
    begun = time.perf_counter()
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror or error}") from None
    curves = bundled_curves()
    fitted = [curve for curve in curves if curve.label in FITTED]
    asked = tuple(curve for curve in curves if curve.label not in FITTED)
    fits: dict[str, Fit] = {}
    scores: dict[str, tuple[CurveScore, ...]] = {}
    for law, _ in LAWS:
        say(f"fitting the {law} law to {len(fitted)} runs")
        # What law="auto" makes of these runs is the effective-rate law with what they show open.
        fits[law] = fit(fitted) if law == "effective" else fit(fitted, law)
        scores[law] = score(fits[law], asked, unseen=True).curves
    say("designing a schedule")
    horizon = max(curve.schedule.horizon for curve in fitted)
    found = design(fits["effective"], horizon)
    say("drawing")
    files = [
        write_text(folder / "predictions.csv", predictions_csv(fits, asked)),
        write_bytes(
            folder / "predictions.png",
            png(predictions_figure(fits, scores["effective"], fitted, asked)),
        ),
        write_bytes(folder / "errors.png", png(errors_figure(scores))),
        write_bytes(folder / "design.png", png(design_figure(fits["effective"], found))),
        write_text(folder / "schedule.csv", schedule_csv(found.schedule)),
    ]
    for law in fits:
        path = folder / ("fit.json" if law == "effective" else f"fit-{law}.json")
        fits[law].save(str(path))
        files.append(path)
    return Demo(fits, scores, asked, found, time.perf_counter() - begun, tuple(files))


def predictions_csv(fits: dict[str, Fit], asked: tuple[LossCurve, ...]) -> str:
    """Every run asked about: what was seen, and what each law says, with its interval."""
    header = ["run", "step", "lr", "seen"]
    for law in fits:
        header += [law, f"{law}_lower", f"{law}_upper"]
    lines = [",".join(header)]
    for curve in asked:
        found = [one.predict(curve.schedule, curve.steps) for one in fits.values()]
        for i, step in enumerate(curve.steps):
            cells = [curve.label, str(step), f"{curve.schedule.lr[step - 1]:.8g}"]
            cells.append(f"{curve.loss[i]:.5f}")
            for prediction in found:
                assert prediction.lower is not None
                assert prediction.upper is not None
                values = (prediction.loss[i], prediction.lower[i], prediction.upper[i])
                cells += [f"{value:.5f}" for value in values]
            lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def predictions_figure(
    fits: dict[str, Fit],
    scores: tuple[CurveScore, ...],
    fitted: list[LossCurve],
    asked: tuple[LossCurve, ...],
) -> Figure:
    """One panel a run: the schedule above, losses seen and predicted below.

    A dotted line marks where a run leaves those that were fitted: what comes after was not seen.
    """
    shown = [*fitted, *asked]
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
        plot_curve(ax, curve, alpha=0.7)
        for law, color in LAWS:
            plot_prediction(ax, fits[law].predict(curve.schedule, steps), color=color, label=law)
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
    """Errors of both laws on every run asked about."""
    count = len(next(iter(scores.values())))
    figure = Figure(figsize=(7.5, 1.4 + 0.32 * count), layout="constrained")
    ax = figure.add_subplot()
    plot_errors(ax, [(law, color, scores[law]) for law, color in LAWS])
    return figure


def design_figure(found: Fit, designed: Design) -> Figure:
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
        steps = np.unique(np.linspace(found.skip, schedule.horizon, 400).round().astype(np.int64))
        left.plot(np.arange(1, schedule.horizon + 1), schedule.lr, color=color, lw=1.5, label=name)
        answer = found.predict(schedule, steps)
        right.plot(steps, answer.loss, color=color, lw=1.5, label=f"{name}: {answer.final:.4f}")
    left.set_xlabel("step")
    left.set_ylabel("learning rate")
    left.legend(frameon=False, fontsize=8)
    right.set_xlabel("step")
    right.set_ylabel("predicted loss, nats per token")
    ends = [item.loss for item in (usual["wsd"], usual["cosine-10%"])] + [designed.loss]
    right.set_ylim(min(ends) - 0.02, min(ends) + 0.35)
    right.legend(frameon=False, fontsize=8)
    return figure
