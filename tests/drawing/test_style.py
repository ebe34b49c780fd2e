"""The style: lines told apart by every eye, names that break nothing, late losses seen."""

import itertools
import warnings

import numpy as np
import pytest

from losslaw.drawing.axes import MOST_NAMES, legend, loss_limits
from losslaw.drawing.style import COLORS, DASHES, axes_of, cycled, named
from losslaw.files.pictures import png

HOSTILE = [
    "$x_{",
    "a$b$c",
    "_hidden",
    "two\nlines",
    "\x1b[31mred",
    "w" * 500,
    "日本語",
    r"\frac{",
    "",
]


def linear(color):
    values = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lightness(rgb):
    """CIE L* of a linear colour."""
    y = rgb @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


def test_neighbours_differ_in_lightness():
    light = [lightness(linear(color)) for color in COLORS]
    assert all(abs(a - b) > 18 for a, b in itertools.pairwise([*light, light[0]]))
    assert min(abs(a - b) for a, b in itertools.combinations(light[:3], 2)) > 12
    assert max(light) < 75  # on white


def test_what_is_alike_in_grey_has_other_dashes_or_marks():
    lines = [cycled(i, marks=True) for i in range(7)]
    for a, b in itertools.combinations(lines, 2):
        apart = abs(lightness(linear(a["color"])) - lightness(linear(b["color"])))
        assert apart > 10 or (a["ls"], a["marker"]) != (b["ls"], b["marker"])


def test_28_lines_differ():
    lines = {(str(each["color"]), str(each["ls"])) for each in map(cycled, range(28))}
    assert len(lines) == 28 == len(COLORS) * len(DASHES)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_break_nothing(name):
    """No formula, no second line, nothing hidden, nothing too long."""
    ax = axes_of(None)
    ax.plot([1, 2], label=named(name))
    ax.set_xlabel(named(name))
    legend(ax)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert png(ax.figure)
    assert len(named(name)) < 60
    assert "\n" not in named(name)
    assert "\x1b" not in named(name)
    if name:
        assert len(ax.get_legend().get_texts()) == 1


def test_fifty_names_fit():
    ax = axes_of(None)
    for i in range(50):
        ax.plot([1, 2], label=f"a_rather_long_name_of_run_{i}", **cycled(i))
    legend(ax)
    texts = [each.get_text() for each in ax.get_legend().get_texts()]
    assert len(texts) == MOST_NAMES
    assert texts[-1] == "and 39 more"
    ax.figure.draw_without_rendering()
    box = ax.get_legend().get_window_extent()
    assert box.x1 <= ax.figure.bbox.x1
    assert ax.get_position().width > 0.6


def test_limits_show_the_late_part_and_no_spike():
    steps = np.arange(1, 1001)
    loss = 2 + 3 * steps**-0.5
    loss[700] = 9.0
    low, high = loss_limits([(steps, loss)])
    assert low < loss.min()
    assert loss[150] < high < 3.5


def test_one_spike_in_a_short_log_is_not_what_is_seen():
    low, high = loss_limits(
        [(range(10, 101, 10), [3.0, 1e6, 2.9, 2.8, 2.7, 2.6, 2.6, 2.5, 2.5, 2.5])]
    )
    assert 2 < low < high < 5


def test_limits_of_one_value():
    low, high = loss_limits([([5], [2.0])])
    assert low < 2.0 < high
    assert loss_limits([])[0] < loss_limits([])[1]


@pytest.mark.parametrize("losses", [[2.5, 2.5 + 1e-13], [0.0, 0.0], [0.0, 1e-9]])
def test_limits_of_losses_that_are_all_the_same(losses):
    low, high = loss_limits([([10, 20], losses)])
    assert low < min(losses) <= max(losses) < high


def test_the_first_losses_of_a_short_log_are_seen():
    low, high = loss_limits([([10, 20, 30, 100], [8.0, 5.0, 4.0, 3.5])])
    assert low < 3.5 < 8.0 < high


@pytest.mark.parametrize(
    ("losses", "place"),
    [
        ([3, 2, 1, 1], "upper right"),
        ([3, 3, 3, 3, 3, 3, 3, 3, 1], "lower left"),
        ([1, 1, 1, 3], "upper left"),
        ([3, 1, 3, 1, 3, 1, 3, 1, 3], None),
    ],
)
def test_a_legend_is_where_it_hides_nothing(losses, place):
    ax = axes_of(None)
    ax.plot(losses, label="a name")
    legend(ax)
    ax.figure.draw_without_rendering()
    box, axes = ax.get_legend().get_window_extent(), ax.bbox
    if place is None:
        assert box.y0 >= axes.y1 - 2
        return
    assert (box.y0 > (axes.y0 + axes.y1) / 2) == ("upper" in place)
    assert (box.x0 > (axes.x0 + axes.x1) / 2) == ("right" in place)
    (line,) = ax.lines
    assert not box.count_contains(line.get_transform().transform(line.get_xydata()))
