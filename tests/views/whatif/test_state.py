"""The address of a page is read as strictly as a file, and comes back as it was."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import answers
from helpers.live_page import HOSTILE
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.errors import InputError
from losslaw.views.whatif.presets import PRESETS, preset
from losslaw.views.whatif.state import SHAPES, Room, State, drawn


@pytest.fixture(scope="module")
def room():
    return Room.of(answers.fit())


@pytest.fixture(scope="module")
def usual():
    return State.usual(answers.fit())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("horizon", [20, 4000, 72_000])
def test_an_address_is_read_back(shape, horizon, room, usual):
    state = replace(usual, shape=shape, horizon=horizon, warmup=7, cooldown=0.3, floor=0.1)
    assert State.read(state.address, room, usual) == state
    assert state.schedule.horizon == horizon


def test_what_an_address_leaves_out_is_as_usual(room, usual):
    assert State.read("", room, usual) == usual
    assert State.read("shape=cosine", room, usual) == replace(usual, shape="cosine")


def test_the_usual_state_is_that_of_the_fitted_runs(usual):
    fitted = answers.curves()[0].schedule
    assert (usual.peak, usual.horizon, usual.warmup) == (fitted.peak_lr, 4000, fitted.warmup)


def test_a_shape_is_the_family_that_it_names(usual):
    made = replace(usual, shape="wsd-1-sqrt", cooldown=0.2, floor=0.1).schedule
    same = ll.wsd(peak=usual.peak, horizon=4000, warmup=100, cooldown=0.2,
                  final=0.1 * usual.peak, decay="1-sqrt")  # fmt: skip
    assert_allclose(made.lr, same.lr, rtol=1e-12)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_peak_horizon_and_warm_up(name, usual):
    state = preset(name, replace(usual, horizon=1000, peak=1e-3))
    made = state.schedule
    assert made.horizon == 1000
    assert_allclose(made.peak_lr, 1e-3, rtol=1e-2)
    assert (name == "constant") == (made.final_lr > 0)


def test_numbers_are_as_people_write_them(room, usual):
    state = State.read("horizon=12k&warmup=0.6k&cooldown=20%25&floor=5%25", room, usual)
    assert (state.horizon, state.warmup, state.cooldown, state.floor) == (12_000, 600, 0.2, 0.05)
    with pytest.raises(InputError, match="'12x', expected a number"):
        State.read("horizon=12x", room, usual)


def test_points_need_no_shape_and_another_shape_needs_no_points(room, usual):
    drawn_by_hand = State.read("points=0.025:1,0.8:1,1:0&horizon=12000", room, usual)
    assert drawn_by_hand.shape == "points"
    assert drawn_by_hand.knots == {300: usual.peak, 9600: usual.peak, 12_000: 0.0}
    # A page that begins with points can be moved to any shape.
    assert State.read("shape=cosine", room, drawn_by_hand).points == ()


def test_points_are_read_back_and_scale_with_peak_and_horizon(room, usual):
    points = "points=0.025:1,0.8:1,1:0&shape=points"
    state = State.read(points, room, usual)
    assert State.read(state.address, room, usual).schedule == state.schedule
    assert state.knots == {100: usual.peak, 3200: usual.peak, 4000: 0.0}
    longer = replace(state, horizon=8000, peak=2 * usual.peak)
    assert longer.knots == {200: 2 * usual.peak, 6400: 2 * usual.peak, 8000: 0.0}


def test_points_that_end_early_hold_the_last_rate(room, usual):
    state = State.read("shape=points&points=0.1:1,0.5:0.4", room, usual)
    assert state.schedule.horizon == 4000
    assert_allclose(state.schedule.lr[2000:], 0.4 * usual.peak)


@pytest.mark.parametrize("shape", SHAPES)
def test_points_through_the_handles_are_near_the_schedule(shape, usual):
    state = replace(usual, shape=shape)
    handles = state.handles(state.schedule)
    by_hand = replace(state, shape="points", points=handles).schedule
    assert np.abs(by_hand.lr - state.schedule.lr).max() < 0.09 * state.peak


def test_a_drawn_schedule_is_as_good_as_the_schedule(usual):
    cosine = ll.cosine(peak=usual.peak, horizon=4000, warmup=100)
    state = drawn(cosine, usual)
    assert len(state.points) <= 60
    assert np.abs(state.schedule.lr - cosine.lr).max() < 5e-3 * usual.peak


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("peak=1e300", "peak is 1e+300, expected"),
        ("peak=nan", "expected a number"),
        ("peak=", "expected a number"),
        ("peak=1e-3&peak=2e-3", "given twice"),
        ("peak=-1", "peak is -1, expected"),
        ("horizon=1e30", "horizon is 1e+30, expected 20 .. "),
        ("horizon=10.5", "expected a whole number"),
        ("horizon=4000&warmup=4000", "warmup is 4000, expected 0 .. 3999"),
        ("cooldown=1.5", "cooldown is 1.5, expected 0 .. 1"),
        ("floor=-0.1", "floor is -0.1, expected 0 .. 1"),
        ("batch=1e9", "batch"),
        ("shape=file:/etc/passwd", "expected one of: constant"),
        ("shape=points", "it needs them"),
        ("shape=wsd&points=0:1", "points are for shape=points"),
        ("shape=points&points=0:1,2", "points are not such as"),
        ("shape=points&points=0:1,9:1", "expected 0 .. 1"),
        ("shape=points&points=0:0,1:0", "all points are at a rate of 0"),
        ("shape=points&points=" + ",".join(f"{i / 99:.3f}:1" for i in range(99)), "60 at most"),
        ("x=1", "'x', expected one of: shape, peak"),
        ("peak=%ff", "no query"),
        ("peak=1&" * 30, "no query"),
        ("a" * 5000, "5000 letters"),
        *((f"shape={text}".replace("&", ""), "") for text in HOSTILE),
    ],
)
def test_a_hostile_address_is_refused_in_one_line(text, said, room, usual):
    with pytest.raises(InputError) as error:
        State.read(text, room, usual)
    message = str(error.value)
    assert said in message
    assert "\n" not in message
    assert len(message) < 300


def test_a_fit_without_runs_has_nothing_to_begin_from():
    with pytest.raises(InputError, match="remembers no run"):
        Room.of(replace(answers.fit(), curves=()))
