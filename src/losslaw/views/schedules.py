"""Schedules: learning rate against update."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.designing.run_length import Horizon
from losslaw.drawing.axes import legend, rate_axis, thinned, update_axis
from losslaw.drawing.style import RATE, UPDATE, axes_of, cycled, named, quiet
from losslaw.schedules import Schedule, ScheduleLike, schedule_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_schedule(
    schedule: ScheduleLike, ax: "Axes | None" = None, *, label: str | None = None, **style: Any
) -> "Axes":
    """Learning rate against update.

    Args:
        schedule: The schedule, or its text.
        ax: Where to draw; ``None``: on new axes.
        label: Its name in a legend.
        style: Of the line.

    >>> ax = plot_schedule("cosine:peak=3e-4,horizon=500,warmup=50")
    >>> len(ax.lines), ax.get_ylabel()
    (1, 'learning rate')
    """
    schedule = schedule_of(schedule)
    first, ax = ax is None or not ax.lines, axes_of(ax, 1.9)
    at = thinned(schedule.horizon)
    ax.plot(at, schedule.lr[at - 1], **(cycled(0, lw=1.4, label=label) | style))
    quiet(ax, UPDATE, RATE)
    update_axis(ax, schedule.horizon if first else max(schedule.horizon, _last(ax)))
    rate_axis(ax, max(float(np.max(line.get_ydata())) for line in ax.lines))
    return ax


def plot_schedules(
    schedules: Mapping[str, ScheduleLike | Schedule],
    ax: "Axes | None" = None,
    *,
    names: bool = True,
) -> "Axes":
    """Several schedules by name, with a legend.

    Args:
        schedules: Schedules, or their texts, by the name that the legend has.
        ax: Where to draw; ``None``: on new axes.
        names: Whether to have the legend.
    """
    ax = axes_of(ax, 2.2)
    for i, (name, schedule) in enumerate(schedules.items()):
        plot_schedule(schedule, ax, label=named(name), **cycled(i))
    if names:
        legend(ax, above=True, columns=2)
    return ax


def plot_horizon(horizon: Horizon, ax: "Axes | None" = None) -> "Axes":
    """The schedule of the shortest run that reaches a loss.

    Args:
        horizon: That run.
        ax: Where to draw; ``None``: on new axes.
    """
    name = f"{horizon.family}, {horizon.loss:g} after {horizon.updates:,} updates"
    ax = plot_schedule(horizon.schedule, ax, label=named(name))
    legend(ax, above=True)
    return ax


def _last(ax: "Axes") -> float:
    return max(float(line.get_xdata()[-1]) for line in ax.lines)  # pyright: ignore
