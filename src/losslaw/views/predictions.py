"""What a fit says: predicted curves with their bands, and the terms that a loss is made of."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import HasUnit, check_one_unit
from losslaw.drawing.axes import band, legend, loss_limits, thinned, update_axis
from losslaw.drawing.style import COLORS, INK, UPDATE, axes_of, behind, cycled, named, quiet
from losslaw.fitting import Fit, Prediction
from losslaw.laws import Law
from losslaw.schedules import ScheduleLike, schedule_of
from losslaw.views.curves import loss_axis, plot_loss_curve
from losslaw.views.forms import Along, array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Letters of the name of a sum, which says whose it is.
LONG = 70
# Runs beyond which bands would only cover each other.
BANDED = 4


def plot_prediction(
    prediction: Prediction,
    ax: "Axes | None" = None,
    *,
    truth: LossCurve | None = None,
    label: str = "predicted",
    **style: Any,
) -> "Axes":
    """A predicted curve with its interval as a band, from where the law means something.

    Args:
        prediction: What a fit predicts.
        ax: Where to draw; ``None``: on new axes.
        truth: Losses that were measured of the same schedule, drawn as points.
        label: Its name in the legend.
        style: Of the line.
    """
    ax = axes_of(ax)
    inside = np.flatnonzero(~prediction.outside)
    at = inside[thinned(inside.size) - 1]
    lower, upper = prediction.lower, prediction.upper
    bounds = (None, None) if lower is None or upper is None else (lower[at], upper[at])
    lines = [(prediction.steps[at], prediction.loss[at])]
    if truth is not None:
        plot_loss_curve(truth, ax, label="measured", **behind())
        lines.append((truth.steps, truth.loss))
    _line(ax, *lines[0], *bounds, prediction.level, named(label), style)
    _frame(ax, lines, bounds, [prediction, *([] if truth is None else [truth])])
    return ax


def plot_along(
    along: Along, ax: "Axes | None" = None, *, label: str = "predicted", **style: Any
) -> "Axes":
    """A prediction that was saved, as CSV or as JSON; as `plot_prediction`."""
    ax = axes_of(ax)
    steps, loss = np.asarray(along.step), array(along.loss)
    at = thinned(steps.size) - 1
    bounds: tuple[Any, Any] = (None, None)
    if along.lower is not None and along.upper is not None:
        bounds = (array(along.lower)[at], array(along.upper)[at])
    _line(ax, steps[at], loss[at], *bounds, along.level, named(label), style)
    _frame(ax, [(steps[at], loss[at])], bounds, [along])
    return ax


def plot_fit(
    fit: Fit, ax: "Axes | None" = None, *, curves: Sequence[LossCurve] = (), level: float = 0.9
) -> "Axes":
    """What a fit says of runs: of those it was fitted to, or of others.

    Args:
        fit: The fit.
        ax: Where to draw; ``None``: on new axes.
        curves: Runs, drawn as points, whose schedules are predicted; none: the fitted runs, of
            which a fit remembers the schedules.
        level: Level of the bands.

    Raises:
        InputError: losses of the runs are measured in something else than those of the fit.
    """
    check_one_unit([*fit.curves, *curves])
    ax = axes_of(ax)
    runs = [(curve.label, curve.schedule, curve.model_size) for curve in curves or fit.curves]
    lines: list[tuple[Any, Any]] = []
    lefts = {each.label: each.left_out for each in fit.curves}
    for i, (name, schedule, size) in enumerate(runs):
        if curves:
            left_out = lefts.get(name, ())
            plot_loss_curve(curves[i], ax, left_out=left_out, label="logged", **behind())
        steps = thinned(schedule.horizon, max(fit.skip, schedule.warmup, 1))
        told = fit.predict(schedule, steps, level, size if fit.sizes else None)
        bounds = (told.lower, told.upper) if len(runs) <= BANDED else (None, None)
        _line(ax, steps, told.loss, *bounds, level, named(name), cycled(i), labelled=i == 0)
        lines.append((steps, told.loss))
    _frame(ax, lines, [], curves or [fit])
    return ax


def plot_terms(
    law: Law | Fit,
    schedule: ScheduleLike,
    ax: "Axes | None" = None,
    *,
    first: int = 1,
    label: str = "loss",
    model_size: float | None = None,
) -> "Axes":
    """What a loss is made of: irreducible, signal, noise, one upon the other along a schedule.

    Args:
        law: The law, or a fit: then its law, the one with most weight.
        schedule: The schedule, or its text.
        ax: Where to draw; ``None``: on new axes.
        first: Update from which on to draw; the warm-up is left out.
        label: Name of the sum in the legend.
        model_size: Parameters of the model, of a fit of several sizes.

    Raises:
        InputError: several model sizes were fitted, and none is said.
    """
    what = "loss"
    if isinstance(law, Fit):
        what = loss_axis([law])
        schedule = law.completed(schedule)
        first, (law, _) = max(first, law.skip), law.of_size(model_size)
    schedule, ax = schedule_of(schedule), axes_of(ax, 2.7)
    at = thinned(schedule.horizon, min(max(first, schedule.warmup), schedule.horizon - 1))
    meanings = law.amplitudes()
    terms = {name: term for name, term in law.decompose(schedule, at).items() if term.any()}
    below = np.zeros(at.size)
    for i, (name, term) in enumerate(terms.items()):
        above = below + term
        # Patterns as well: areas have no dashes.
        pattern = ("", "....", "////", "xxxx")[i % 4]
        filled: dict[str, Any] = {"facecolor": COLORS[i], "alpha": 0.55, "hatch": pattern}
        filled["label"] = f"{named(name)}: {meanings[name].meaning}"
        ax.fill_between(at, below, above, **filled, edgecolor="white", lw=0)
        below = above
    ax.plot(at, below, color=INK, lw=1.2, label=named(label, most=LONG))
    floor = next(iter(terms.values()))
    low, high = loss_limits([(at, below), (at, floor)])
    ax.set_ylim(low - 0.15 * (high - low), high)
    quiet(ax, UPDATE, what)
    update_axis(ax, schedule.horizon)
    legend(ax, above=True)
    return ax


def _line(
    ax: "Axes",
    steps: Any,
    loss: Any,
    lower: Any,
    upper: Any,
    level: float | None,
    name: str,
    style: dict[str, Any],
    *,
    labelled: bool = True,
) -> None:
    """A predicted line with its band."""
    style = cycled(0, lw=1.3) | style
    ax.plot(steps, loss, **style, label=name)
    if lower is not None and upper is not None:
        band(ax, steps, lower, upper, level, style["color"], labelled=labelled)


def _frame(
    ax: "Axes",
    lines: Sequence[tuple[Any, Any]],
    bounds: Sequence[Any],
    measured: Sequence[HasUnit],
) -> None:
    """Axes on which lines that were just drawn, what was there and the late bands are seen."""
    drawn = [(line.get_xdata(), line.get_ydata()) for line in ax.lines]
    steps = lines[0][0]
    low, high = loss_limits(drawn)
    for each in bounds:
        late = np.empty(0) if each is None else np.asarray(each)[steps >= 0.5 * steps[-1]]
        late, room = late[np.isfinite(late)], high - low
        if late.size:  # a band that is wider than all that is seen is cut
            low = min(low, max(float(late.min()) - 0.04 * room, low - room))
            high = max(high, min(float(late.max()) + 0.04 * room, high + room))
    quiet(ax, UPDATE, loss_axis(measured))
    update_axis(ax, max(float(x[-1]) for x, _ in drawn if len(x)))  # pyright: ignore
    ax.set_ylim(low, high)
    legend(ax)
