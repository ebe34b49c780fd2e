"""The two pictures of the page: predicted losses with their band, and learning rates to drag."""

from dataclasses import dataclass
from typing import Any

from losslaw.curves.curve import loss_in
from losslaw.drawing.axes import BAND
from losslaw.drawing.style import COLORS, FAINT, GRID, INK, RATE, UPDATE
from losslaw.views.whatif.page import SOURCES
from losslaw.views.whatif.presets import BESIDE
from losslaw.views.whatif.state import MOST_POINTS

# Pixels.
HEIGHT, LETTERS = 270, "13px"
# Dashes of the schedules that stand beside.
DASHES = ([5, 3], [2, 2])
MARK = 9
# Where Bokeh draws what a move changes: over the axes, which are drawn again only when they change.
MOVED = "overlay"


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Figures of Bokeh and what they show.

    Attributes:
        losses: Figure of losses.
        rates: Figure of rates.
        sources: Their columns by name: ``losses``, ``rates``, ``points``, and both of each of
            `BESIDE`. They are empty: the page fills them with the answers that it gets, all at
            once, so that each picture is drawn once a move.
    """

    losses: Any
    rates: Any
    sources: dict[str, Any]


def pictures(unit: str, *, live: bool = True) -> Pictures:
    """Empty pictures.

    Args:
        unit: What losses are measured in, as in `losslaw.LossCurve`.
        live: Whether points can be dragged.
    """
    from bokeh.models import (
        ColumnDataSource,
        NumeralTickFormatter,
        PointDrawTool,
        PrintfTickFormatter,
        Range1d,
    )
    from bokeh.plotting import figure

    # Names of models are no parameters that the stubs know.
    source: Any = ColumnDataSource
    axis: Any = Range1d
    sources = {
        name: source(data={key: [] for key in keys}, name=name) for name, keys in SOURCES.items()
    }
    x = axis(start=0, end=1, name="x")
    made: list[Any] = []
    for name, title, end in (("losses", loss_in(unit), 4.0), ("rates", RATE, 1.0)):
        plot = figure(
            name=f"{name}_figure",
            height=HEIGHT,
            sizing_mode="stretch_width",
            tools="",
            toolbar_location=None,
            x_range=x,
            y_range=axis(start=0, end=end, name=f"{name}_y"),
            x_axis_label=UPDATE,
            y_axis_label=title,
            min_border_left=86,
            min_border_right=18,
            outline_line_color=None,
        )
        plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
        for each in plot.axis:
            each.axis_label_text_font_style = "normal"
            each.axis_label_text_font_size = each.major_label_text_font_size = LETTERS
            each.axis_label_text_color = each.major_label_text_color = INK
            each.minor_tick_line_color = None
            each.axis_line_color = FAINT
        plot.grid.grid_line_color = GRID
        made.append(plot)
    losses, rates = made
    rates.yaxis.formatter = PrintfTickFormatter(format="%.4g")
    losses.varea("step", "lower", "upper", source=sources["losses"], fill_alpha=BAND,
                 fill_color=COLORS[0], level=MOVED)  # fmt: skip
    for plot, kind, y in ((losses, "losses", "loss"), (rates, "rates", "lr")):
        for name, color, dash in zip(BESIDE, COLORS[1:], DASHES, strict=False):
            plot.line("step", y, source=sources[f"{name} {kind}"], line_color=color,
                      line_dash=dash, line_width=1.6)  # fmt: skip
        plot.line("step", y, source=sources[kind], line_color=COLORS[0], line_width=2.4,
                  level=MOVED)  # fmt: skip
    if live:
        marks = rates.scatter(
            "x", "y", source=sources["points"], size=MARK, fill_color="white",
            line_color=COLORS[0], line_width=2, level=MOVED, selection_fill_color=COLORS[0],
            nonselection_alpha=1,
        )  # fmt: skip
        tool = PointDrawTool(renderers=[marks], num_objects=MOST_POINTS)
        rates.add_tools(tool)
        rates.toolbar.active_multi = tool
    return Pictures(losses=losses, rates=rates, sources=sources)
