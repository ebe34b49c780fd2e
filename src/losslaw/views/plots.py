"""Plots: each function draws one thing on the axes it is given and returns its artists.

No function here opens a window or touches matplotlib's global state; ``fig, ax = plt.subplots()``
and saving are the caller's.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.curves import LossCurve
from losslaw.fitting import Prediction
from losslaw.fitting.score import CurveScore
from losslaw.laws import Law
from losslaw.schedules import Schedule

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

SEEN = "#222222"
OURS = "#1b7a6e"
OTHER = "#c4622d"


def plot_schedule(ax: "Axes", schedule: Schedule, **style: Any) -> "list[Artist]":
    """Learning rate against update."""
    at = _thinned(schedule.horizon)
    style = {"color": SEEN, "lw": 1.0, **style}
    lines = ax.plot(at, schedule.lr[at - 1], **style)
    ax.set_xlabel("step")
    ax.set_ylabel("learning rate")
    ax.set_ylim(bottom=0)
    return [*lines]


def plot_curve(
    ax: "Axes", curve: LossCurve, left_out: Sequence[tuple[int, int]] = (), **style: Any
) -> "list[Artist]":
    """Losses that were seen, as points; hollow where they were left out of a fit.

    Args:
        ax: Where to draw.
        curve: The losses.
        left_out: First and last steps of what was left out: `FittedCurve.left_out`.
        style: Of the points.
    """
    style = {"color": SEEN, "ms": 2.2, "marker": ".", "ls": "none", "label": "seen", **style}
    hollow = np.zeros(len(curve), dtype=np.bool_)
    for first, last in left_out:
        hollow |= (curve.steps >= first) & (curve.steps <= last)
    lines = ax.plot(curve.steps[~hollow], curve.loss[~hollow], **style)
    if hollow.any():
        ring: dict[str, Any] = {**style, "marker": "o", "mfc": "none", "label": "left out"}
        lines += ax.plot(curve.steps[hollow], curve.loss[hollow], **ring)
    _loss_axes(ax)
    return [*lines]


def plot_prediction(
    ax: "Axes", prediction: Prediction, *, color: str = OURS, label: str = "predicted", **style: Any
) -> "list[Artist]":
    """A predicted curve with its interval as a band, from where the law means something."""
    style = {"color": color, "lw": 1.3, "label": label, **style}
    inside = ~prediction.outside
    artists: list[Artist] = [*ax.plot(prediction.steps[inside], prediction.loss[inside], **style)]
    if prediction.lower is not None and prediction.upper is not None:
        bounded = inside & np.isfinite(prediction.upper)
        band = ax.fill_between(
            prediction.steps[bounded],
            prediction.lower[bounded],
            prediction.upper[bounded],
            color=color,
            alpha=0.18,
            lw=0,
            label=f"{prediction.level:.0%} interval",
        )
        artists.append(band)
    _loss_axes(ax)
    return artists


def plot_terms(ax: "Axes", law: Law, schedule: Schedule, first: int = 1) -> "list[Artist]":
    """The terms of a law along a schedule, stacked; negative ones hang below zero."""
    at = _thinned(schedule.horizon)
    at = at[at >= max(first, schedule.warmup)]
    terms = law.decompose(schedule, at)
    meanings = law.amplitudes()
    up = np.zeros(at.size)
    down = np.zeros(at.size)
    artists: list[Artist] = []
    for name, term in terms.items():
        if not term.any():
            continue
        base = up if term.mean() >= 0 else down
        artists.append(
            ax.fill_between(
                at, base, base + term, alpha=0.6, lw=0, label=f"{name}: {meanings[name].meaning}"
            )
        )
        base += term
    _loss_axes(ax)
    ax.legend(frameon=False, fontsize="small")
    return artists


def plot_errors(
    ax: "Axes", scores: Sequence[tuple[str, str, Sequence[CurveScore]]]
) -> "list[Artist]":
    """Root mean square error of each run on a log axis, law beside law.

    Args:
        ax: Where to draw.
        scores: Name, colour, and scores of each law, runs in the same order.
    """
    labels = [score.label for score in scores[0][2]]
    rows = np.arange(len(labels))[::-1]
    artists: list[Artist] = []
    for name, color, found in scores:
        values = [score.rmse for score in found]
        artists += ax.plot(values, rows, "o", color=color, ms=5, label=name)
    for row in rows:
        ax.axhline(row, color="#dddddd", lw=0.6, zorder=0)
    ax.set_yticks(rows, labels)
    ax.set_xscale("log")
    ax.set_xlabel("RMSE on unseen steps, nats per token")
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=len(scores))
    _quiet(ax)
    return artists


def loss_limits(curve: LossCurve, after: int = 0) -> tuple[float, float]:
    """A loss axis that shows the late part of a curve, where schedules differ."""
    late = curve.loss[curve.steps > max(after, 0.12 * curve.schedule.horizon)]
    shown = late if late.size else curve.loss
    low, high = float(shown.min()), float(shown.max())
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def _thinned(horizon: int, points: int = 2000) -> Any:
    return np.unique(np.linspace(1, horizon, min(points, horizon)).round().astype(np.int64))


def _loss_axes(ax: "Axes") -> None:
    ax.set_xlabel("step")
    ax.set_ylabel("loss, nats per token")
    _quiet(ax)


def _quiet(ax: "Axes") -> None:
    ax.spines[["top", "right"]].set_visible(False)
