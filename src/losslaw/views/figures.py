"""Whole figures: panels below each other, for several answers or several sides of one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from losslaw.curves import LossCurve
from losslaw.designing import Design
from losslaw.drawing.axes import legend
from losslaw.drawing.style import COLUMN, cycled, new_figure, own_axes
from losslaw.errors import InputError
from losslaw.fitting import Fit
from losslaw.fleets.fleet_record import Fleet
from losslaw.kernel.sweeps.grid import SweepGrid, SweepMap
from losslaw.schedules import Schedule
from losslaw.views.curves import frame_losses, loss_axis, plot_curves
from losslaw.views.designs import plot_design, plot_gains
from losslaw.views.dots import PANEL, ROW, FleetForm, fleet_height
from losslaw.views.forecasts import ForecastForm, plot_forecast
from losslaw.views.forms import Along
from losslaw.views.found import Found, only
from losslaw.views.predictions import plot_along, plot_fit, plot_prediction, plot_terms
from losslaw.views.residuals import plot_residuals
from losslaw.views.schedules import plot_schedules
from losslaw.views.sweeps import plot_sweep_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Panels below each other that can still be read, and those of them that show terms.
MOST_PANELS, MOST_TERMS = 8, 4


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel: what draws it on axes, and how many inches high it is."""

    draw: Callable[["Axes"], Any]
    height: float = 2.4


def stacked(panels: Sequence[Panel]) -> "Figure":
    """Panels below each other, a column wide.

    Raises:
        InputError: there are more than can be read.
    """
    if len(panels) > MOST_PANELS:
        raise InputError(
            f"{len(panels)} panels in one picture, expected {MOST_PANELS} at most: name fewer files"
        )
    figure = new_figure(COLUMN, sum(panel.height for panel in panels))
    grid = figure.add_gridspec(len(panels), 1, height_ratios=[each.height for each in panels])
    for i, panel in enumerate(panels):
        panel.draw(own_axes(figure.add_subplot(grid[i])))
    return figure


def panel_height(answer: object) -> float:
    """Inches of the panel of an answer."""
    return fleet_height(answer) if isinstance(answer, Fleet | FleetForm) else PANEL


def design_figure(design: Design) -> "Figure":
    """A design beside usual schedules, and below what it gains over each, with intervals."""
    rows = 0.8 + ROW * len(design.baselines)
    return stacked(
        [
            Panel(draw=lambda ax: plot_design(design, ax), height=2.3),
            Panel(draw=lambda ax: plot_gains(design, ax), height=rows),
        ]
    )


def figure_of(
    files: Sequence[Found],
    curves: Sequence[LossCurve],
    *,
    rates: bool = False,
    terms: bool = False,
    level: float = 0.9,
    model_size: float | None = None,
    sides: str | None = None,
) -> "Figure":
    """One figure of all that was found in files: logs below predictions, answers in panels.

    Args:
        files: What the files are.
        curves: The runs of the logs among them.
        rates: Also the learning rates of the runs, and beside a fit of the schedules.
        terms: Also what the losses of a fit are made of.
        level: Level of the bands of a fit's predictions.
        model_size: Parameters of the model for which a fit of several sizes predicts schedules.
        sides: What the map of a sweep shows: ``X,Y`` or ``X,Y,CELL`` (`SweepGrid.map`).

    Raises:
        InputError: several fits, or several forecasts, something is asked that is of none of the
            files, or more than a picture can hold.
    """
    fit, forecast = only(files, Fit, "saved fits"), only(files, ForecastForm, "forecasts")
    alongs = {each.name: along for each in files if (along := each.of(Along)) is not None}
    schedules = {each.name: plan for each in files if (plan := each.of(Schedule)) is not None}
    plans = {each.label: each.schedule for each in curves} if rates else {}
    if rates or fit is None:
        plans |= schedules
    if rates and not plans:
        raise InputError("--rates needs logs or schedules: other answers have no learning rates")
    panels: list[Panel] = []
    if fit is not None:
        panels += _of_fit(fit, curves, schedules, level, model_size, terms=terms)
    elif terms:
        raise InputError("--terms needs a saved fit: losslaw fit FILE... -o fit.json")
    if forecast is not None:
        log = _log_of(forecast, curves)
        panels.append(Panel(draw=lambda ax: plot_forecast(forecast, ax, curve=log)))
        curves = [each for each in curves if each is not log]
    names = [*(curve.label for curve in curves), *alongs]
    losses = bool(alongs or (curves and fit is None))
    if losses:
        panels.append(Panel(draw=lambda ax: _losses(ax, curves, alongs)))
    if plans:
        # Below the losses of the same runs lines have the same colours and dashes.
        once = not (losses and names == [*plans])
        panels.append(Panel(draw=lambda ax: plot_schedules(plans, ax, names=once), height=1.9))
    for each in files:
        for draw in each.draws:
            high = panel_height(each.value)
            panels.append(
                Panel(draw=lambda ax, draw=draw, of=each: draw(of.value, ax), height=high)
            )
    grids = [grid for each in files if (grid := each.of(SweepGrid)) is not None]
    if sides is not None and not grids:
        raise InputError("--map needs the table of a sweep: losslaw sweep FILE.toml -o table.csv")
    for grid in grids:
        found = _map(grid, sides)
        panels.append(Panel(draw=lambda ax, found=found: plot_sweep_map(found, ax), height=PANEL))
    return stacked(panels)


def _map(grid: SweepGrid, sides: str | None) -> SweepMap:
    """The map that ``X,Y[,CELL]`` describes."""
    names = [] if sides is None else [each.strip() for each in sides.split(",")]
    if names and len(names) not in (2, 3):
        raise InputError(f"--map {sides}, expected X,Y or X,Y,CELL, such as source,capacity,risk")
    return grid.map(*names)


def _of_fit(
    fit: Fit,
    curves: Sequence[LossCurve],
    schedules: Mapping[str, Schedule],
    level: float,
    model_size: float | None,
    *,
    terms: bool,
) -> list[Panel]:
    """What a fit says of runs or schedules, how far it is off, what the losses are made of."""
    panels: list[Panel] = []
    if curves or not schedules:
        panels.append(Panel(draw=lambda ax: plot_fit(fit, ax, curves=curves, level=level)))
    if curves:
        panels.append(Panel(draw=lambda ax: plot_residuals(fit, curves, ax), height=2.0))
    if schedules:
        panels.append(Panel(draw=lambda ax: _predicted(ax, fit, schedules, level, model_size)))
    if terms:
        panels += _of_terms(fit, curves, schedules, model_size)
    return panels


def _of_terms(
    fit: Fit,
    curves: Sequence[LossCurve],
    schedules: Mapping[str, Schedule],
    model_size: float | None,
) -> list[Panel]:
    """What the losses of the first schedules and runs are made of: each names its own."""
    known = [(name, schedule, model_size) for name, schedule in schedules.items()]
    if curves or not schedules:
        known += [(each.label, each.schedule, each.model_size) for each in curves or fit.curves]
    panels: list[Panel] = []
    for name, schedule, size in known[:MOST_TERMS]:
        some = f" (first {MOST_TERMS} of {len(known)})" if len(known) > MOST_TERMS else ""
        told: dict[str, Any] = {
            "label": f"loss of {name}{fit.which(size)}{some}",
            "model_size": size,
        }
        panels.append(
            Panel(
                draw=lambda ax, plan=schedule, told=told: plot_terms(fit, plan, ax, **told),
                height=2.7,
            )
        )
    return panels


def _predicted(
    ax: "Axes",
    fit: Fit,
    schedules: Mapping[str, Schedule],
    level: float,
    model_size: float | None,
) -> None:
    for i, (name, schedule) in enumerate(schedules.items()):
        told = fit.predict(schedule, level=level, model_size=model_size)
        plot_prediction(told, ax, label=f"{name}: {told.final:.4f}", **cycled(i))


def _losses(ax: "Axes", curves: Sequence[LossCurve], alongs: Mapping[str, Along]) -> None:
    """Runs, and predictions that were saved."""
    if curves:
        plot_curves(curves, ax)
    for i, (name, along) in enumerate(alongs.items()):
        plot_along(along, ax, label=name, **cycled(i + len(curves)))
    if not alongs:
        frame_losses(ax, curves)
    ax.set_ylabel(loss_axis([*curves, *alongs.values()]))
    legend(ax)


def _log_of(forecast: ForecastForm, curves: Sequence[LossCurve]) -> LossCurve | None:
    """The log that a forecast is about: the one of its name, or the only one."""
    named = [each for each in curves if each.label == forecast.label]
    return named[0] if named else curves[0] if len(curves) == 1 else None
