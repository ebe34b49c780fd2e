"""The rate of every update from the few that were logged, held against the schedule itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.curves import reconstruct
from losslaw.curves.logged_decay import roundest
from losslaw.schedules import from_knots, parse_schedule

PEAK = 3e-4
W = f"peak={PEAK},horizon=4000,warmup=300"
CYCLES = "cyclic:peak=1,horizon=4000,cycles=3,final=0.1"


def logged(schedule, every, first=None, digits=8):
    """What a log with a row every so many updates holds, printed with 8 digits."""
    at = np.arange(first or every, schedule.horizon + 1, every)
    rates = np.array([float(f"{rate:.{digits}g}") for rate in schedule.lr[at - 1]])
    return at, rates


# Rows every 64 updates: no phase of these begins or ends at a row, but for the last.
SPECS = [
    f"constant:{W}",
    f"linear:{W}",
    f"linear:{W},final=3e-5",
    f"cosine:{W},final=3e-5",
    f"cosine:{W}",
    f"exponential:{W},final=1e-5",
    f"power:{W},exponent=2.5",
    f"inverse-sqrt:{W}",
    f"wsd:{W}",
    f"wsd:{W},cooldown=0.35,final=3e-5",
    f"wsd:{W},decay=cosine",
    f"wsd:{W},decay=exponential,final=3e-5",
    f"wsd:{W},decay=1-sqrt",
    f"wsd:{W},decay=power,exponent=2",
    f"wsd:{W},cooldown=0.3,final=1e-4 + constant:peak=1e-4,horizon=500",
    f"step:{W}",
    f"step:{W},first=0.5,second=0.75,factor=2",
    f"twostage:{W},second=9e-5",
    f"twostage:{W},second=6e-4,switch=2000",
]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "found"])
def test_the_usual_schedules_come_back_from_rows_every_64_updates(spec, declared):
    schedule = parse_schedule(spec)
    at, rates = logged(schedule, 64)
    n = int(at[-1])
    found = reconstruct(at, rates, horizon=n, warmup=300 if declared else None)
    assert found.warmup == 300
    assert found.warnings == ()
    # 8 printed digits leave 5e-8 of the peak; a fitted formula keeps that to about 1e-7.
    worst = np.abs(found.lr - schedule.lr[:n]).max() / schedule.peak_lr
    assert worst < 3e-7


@pytest.mark.parametrize("spec", [spec for spec in SPECS if not spec.startswith(("step", "two"))])
def test_rows_of_the_next_update_are_shifted_rows(spec):
    schedule = parse_schedule(spec)
    at, rates = logged(schedule, 100, first=1)
    found = reconstruct(at, rates, horizon=int(at[-1]), warmup=300)
    worst = np.abs(found.lr - schedule.lr[: at[-1]]).max() / schedule.peak_lr
    assert worst < 3e-7


def test_a_log_that_starts_after_the_warm_up():
    schedule = parse_schedule(f"cosine:{W},final=3e-5")
    at, rates = logged(schedule, 64, first=400)
    found = reconstruct(at, rates, horizon=int(at[-1]), warmup=300)
    assert np.abs(found.lr - schedule.lr[: at[-1]]).max() < 1e-6 * PEAK
    assert any("the warm-up of 300 updates is not in the log" in a for a in found.assumptions)


def test_the_false_ramp_after_a_warm_up_is_gone():
    """Rows every 200, a warm-up of 300: plain lines would still rise from 300 to 400."""
    schedule = parse_schedule(f"constant:{W}")
    at, rates = logged(schedule, 200)
    lr = reconstruct(at, rates, horizon=4000, warmup=300).lr
    assert_allclose(lr[299:], PEAK, rtol=1e-12)
    assert_allclose(lr, schedule.lr, rtol=1e-7)


def test_the_end_of_a_warm_up_that_the_rows_cannot_tell():
    """One row on the ramp: where it ends is not known, and that is a warning."""
    at, rates = np.array([200, 400, 600]), np.array([0.2, 0.3, 0.3])
    found = reconstruct(at, rates, horizon=600)
    assert found.warmup == 400
    assert "ends between updates 200 and 400" in found.warnings[0]
    assert "--warmup" in found.warnings[0]


def test_an_unlogged_beginning_is_assumed_with_a_warning():
    found = reconstruct(np.array([50, 100, 150]), np.full(3, 0.5), horizon=150)
    assert found.warmup == 50
    assert_allclose(found.lr[:50], 0.5 * np.arange(1, 51) / 50)
    assert_array_equal(found.lr[50:], 0.5)
    assert "linear warm-up over 50 updates is assumed" in found.warnings[0]


def test_no_warm_up_means_the_first_rate_from_the_start():
    found = reconstruct(np.array([50, 100, 150]), np.full(3, 0.5), horizon=150, warmup=0)
    assert_array_equal(found.lr, 0.5)
    assert found.warnings == ()


def test_a_ramp_from_above_zero_goes_on_downwards():
    at = np.array([51, 101, 151, 351, 401])
    rates = np.array([0.175, 0.34, 0.505, 1.0, 1.0])
    found = reconstruct(at, rates, horizon=400)
    assert_allclose(found.lr[0], 0.01, rtol=1e-9)  # the ramp from peak/100 of the next-rate logs
    assert found.warmup == 301


def test_a_warm_up_shorter_than_the_log_says_is_doubted():
    at = np.array([10, 20, 30, 40])
    rising = reconstruct(at, np.array([0.1, 0.2, 0.3, 0.3]), horizon=40, warmup=15)
    assert "still rises after the declared warm-up" in rising.warnings[0]
    early = reconstruct(at, np.full(4, 0.3), horizon=40, warmup=35)
    assert "at 0.3 at update 10 already" in early.warnings[0]


def test_a_log_that_ends_inside_its_warm_up():
    found = reconstruct(np.array([2, 4, 6]), np.array([0.2, 0.4, 0.6]), horizon=6, warmup=100)
    assert_allclose(found.lr, np.arange(1, 7) / 10)
    assert found.warmup == 6
    assert "ends inside the warm-up of 100 updates" in found.warnings[0]


@pytest.mark.parametrize(
    ("at", "rates", "switch"),
    [
        ([7808, 7936, 8064, 8192], [3, 3, 1, 1], 8000),
        ([7808, 7936, 8000, 8128], [3, 3, 1, 1], 7999),  # the row at 8000 has the new rate already
        ([7900, 8000, 8100, 8200], [3, 3, 1, 1], 8000),
        ([3150, 3200, 3250], [3, 3, 1], None),  # the last row may be a jump or a slope
    ],
)
def test_a_jump_is_one_update_at_the_roundest_step(at, rates, switch):
    found = reconstruct(np.array(at), np.array(rates, dtype=float), horizon=at[-1], warmup=10)
    falls = np.flatnonzero(np.diff(found.lr) < 0)
    if switch is None:
        assert falls.size == 50
    else:
        assert falls.tolist() == [switch - 1]
        assert any(f"after update {switch}" in sentence for sentence in found.assumptions)


def test_corners_of_straight_pieces_that_no_formula_fits():
    knots = {0: 0.0, 100: 1.0, 330: 1.0, 610: 0.4, 1130: 0.4, 1390: 0.1, 2000: 0.1}
    schedule = from_knots(knots)
    at, rates = logged(schedule, 20, first=20)
    found = reconstruct(at, rates, horizon=2000)
    assert_allclose(found.lr, schedule.lr, atol=1e-7)
    assert {330, 610, 1130, 1390} <= set(found.knots)


def test_a_smooth_schedule_without_a_formula_gets_no_corners():
    schedule = parse_schedule(CYCLES)
    at, rates = logged(schedule, 50, first=1)
    found = reconstruct(at, rates, horizon=int(at[-1]), warmup=0)
    assert found.knots == {}
    # Straight lines over a curve: h^2/8 times the second derivative.
    bound = 50**2 / 8 * 0.45 * (2 * np.pi * 3 / 4000) ** 2
    assert np.abs(found.lr - schedule.lr[: at[-1]]).max() < bound * 1.01


@pytest.mark.parametrize(("every", "first"), [(75, 75), (110, 56), (315, 158), (340, 1)])
def test_the_bends_of_a_curve_are_no_corners(every, first):
    """The slope changes by up to ten times what it does nearby where a cycle turns."""
    at, rates = logged(parse_schedule(CYCLES), every, first)
    assert reconstruct(at, rates, horizon=int(at[-1]), warmup=0).knots == {}


def test_what_is_abrupt_on_a_curve_is_a_corner():
    """A parabola whose slope changes at 1020 by 14 times what it does from row to row."""
    k = np.arange(1, 2001)
    lr = 1 - 1e-7 * k**2 - np.where(k > 1020, 2e-7 * 40 * 14 * (k - 1020), 0.0)
    at, rates = logged(from_knots(dict(enumerate(lr, 1))), 40)
    found = reconstruct(at, rates, horizon=2000, warmup=0)
    (corner,) = found.knots
    assert abs(corner - 1020) <= 10


def test_rates_rounded_to_six_decimals_make_no_jumps():
    schedule = parse_schedule(f"cosine:{W},final=3e-5")
    at = np.arange(10, 4001, 10)
    found = reconstruct(at, np.round(schedule.lr[at - 1], 6), horizon=4000, warmup=300)
    assert np.abs(found.lr - schedule.lr).max() < 1.1e-6
    assert len(found.knots) < 3


def test_four_rows_of_a_curve_are_not_two_lines():
    at = np.array([1, 101, 201, 301])
    found = reconstruct(at, np.array([1.0, 0.9, 0.5, 0.3]), horizon=301, warmup=0)
    assert found.knots == {}
    # A plateau and two rows of a fall say where it began.
    found = reconstruct(at, np.array([1.0, 1.0, 0.6, 0.1]), horizon=301, warmup=0)
    assert found.knots == {121: 1.0}


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60).filter(lambda lr: max(lr) > 1e-3),
    st.none() | st.integers(0, 60),
)
def test_where_every_update_is_logged_the_rates_are_those(rates, warmup):
    n = len(rates)
    if warmup is not None:
        warmup = min(warmup, n)
    lr = np.array(rates)
    found = reconstruct(np.arange(1, n + 1), lr, horizon=n, warmup=warmup)
    assert_array_equal(found.lr, lr)


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(1, 500), st.floats(0.0, 1.0), min_size=1, max_size=40).filter(
        lambda rows: max(rows.values()) > 1e-3
    ),
    st.integers(0, 50),
    st.none() | st.integers(0, 600),
)
def test_rows_are_kept_and_nothing_leaves_the_range_of_the_log(rows, more, warmup):
    at = np.array(sorted(rows))
    rates = np.array([rows[k] for k in sorted(rows)])
    horizon = int(at[-1]) + more
    found = reconstruct(at, rates, horizon=horizon, warmup=warmup)
    assert found.lr.shape == (horizon,)
    assert 0 <= found.warmup <= horizon
    assert_array_equal(found.lr[at - 1], rates)
    assert np.isfinite(found.lr).all()
    assert found.lr.min() >= 0
    # A peak between two rows may lie above both, by no more than the fall after it.
    assert found.lr.max() <= 2 * rates.max() + 1e-12
    assert_array_equal(found.lr[at[-1] - 1 :], rates[-1])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(7936, 8064, 8000), (1, 1, 1), (0, 3, 2), (19968, 20064, 20000), (3200, 3225, 3200)],
)
def test_the_roundest_number(low, high, expected):
    assert roundest(low, high) == expected


@pytest.mark.parametrize("spec", [SPECS[1], SPECS[3], SPECS[8], SPECS[12], SPECS[15]])
@pytest.mark.parametrize(
    ("write", "bound"),
    [
        (np.float32, 1e-7),
        (lambda rate: f"{rate:.6e}", 5e-7),
        # Half a unit of the last digit, and what a fit to rounded rows is off by.
        (lambda rate: f"{rate:.4g}", 6e-4),
    ],
    ids=["single precision", "7 digits", "4 digits"],
)
def test_rounded_logs_without_a_declared_warm_up(spec, write, bound):
    schedule = parse_schedule(spec)
    at = np.arange(25, 4001, 25)
    rates = np.array([float(write(rate)) for rate in schedule.lr[at - 1]])
    found = reconstruct(at, rates, horizon=4000)
    assert abs(found.warmup - 300) <= 1
    assert np.abs(found.lr - schedule.lr).max() < bound * PEAK
    # Rounding is not a corner: there is a sentence for each real one, and few others.
    assert len(found.assumptions) <= 4


def test_rows_that_are_rounded_give_way_to_the_formula():
    """Else every row would be a small jump, and laws add up jumps."""
    schedule = parse_schedule(f"wsd:{W},decay=1-sqrt")
    at, rates = logged(schedule, 30, digits=4)
    found = reconstruct(at, rates, horizon=4000, warmup=300)
    assert np.diff(found.lr[300:]).max() <= 0
    assert any("rates are rounded: taken from the 1-sqrt" in line for line in found.assumptions)
