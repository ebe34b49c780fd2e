"""Errors on runs that were held out, law beside law."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losslaw.curves.curve import NATS, loss_in
from losslaw.drawing.axes import legend, log_axis, rows_below
from losslaw.drawing.style import GRID, axes_of, cycled, named, quiet
from losslaw.files.checked import Positive
from losslaw.views.dots import MOST_ROWS, ROW
from losslaw.views.forms import Answer, form_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class ScoreForm:
    """Error on one curve."""

    label: str
    rmse: Positive


@dataclass(frozen=True, kw_only=True)
class ScoresForm:
    """What the picture needs of scores."""

    curves: list[ScoreForm]
    unit: str = NATS


@dataclass(frozen=True, kw_only=True)
class LawScoreForm:
    """Errors of a law, by curve."""

    law: str
    curves: dict[str, Positive]


@dataclass(frozen=True, kw_only=True)
class ComparisonForm:
    """What the picture needs of a comparison."""

    laws: list[LawScoreForm]
    unit: str = NATS


def plot_errors(
    errors: Mapping[str, Sequence[float]],
    labels: Sequence[str],
    ax: "Axes | None" = None,
    *,
    unit: str = NATS,
) -> "Axes":
    """Root mean square error of each run on a log axis, law beside law.

    Args:
        errors: Errors of every run, by law.
        labels: Names of the runs.
        ax: Where to draw; ``None``: on new axes, as high as the runs need.
        unit: What losses are measured in, as in `LossCurve`.
    """
    labels = labels[:MOST_ROWS]
    ax = axes_of(ax, 0.8 + ROW * max(len(labels), 2))
    rows = rows_below(ax, labels)
    for i, (law, values) in enumerate(errors.items()):
        style = cycled(i, marks=True, ms=4, ls="none")
        ax.plot(values[: len(labels)], rows, **style, label=named(law))
    log_axis(ax, "x")
    quiet(ax, loss_in(unit, "RMSE"), "")
    ax.set_xlabel(ax.get_xlabel(), loc="right")
    for row in rows:
        ax.axhline(row, color=GRID, lw=0.6, zorder=0)
    if len(errors) > 1:
        legend(ax, above=True, columns=3, rows=True)
    return ax


def plot_scores(scores: Answer | ScoresForm, ax: "Axes | None" = None) -> "Axes":
    """Root mean square error of each curve.

    Args:
        scores: The scores.
        ax: Where to draw; ``None``: on new axes.
    """
    form = form_of(ScoresForm, scores, "scores")
    found = {"error": [each.rmse for each in form.curves]}
    return plot_errors(found, [each.label for each in form.curves], ax, unit=form.unit)


def plot_comparison(comparison: Answer | ComparisonForm, ax: "Axes | None" = None) -> "Axes":
    """Root mean square error of each run that was held out, by law.

    Args:
        comparison: The comparison.
        ax: Where to draw; ``None``: on new axes.
    """
    form = form_of(ComparisonForm, comparison, "comparison")
    labels = list(form.laws[0].curves)
    found = {law.law: [*law.curves.values()] for law in form.laws}
    return plot_errors(found, labels, ax, unit=form.unit)
