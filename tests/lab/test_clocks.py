"""The lab's question about clocks (`validation/lab_law`): the laws that it compares."""

import pytest
from numpy.testing import assert_allclose

from losslaw.laws import Effective, OneClock
from losslaw.schedules import parse_schedule

lab_law = pytest.importorskip("validation.lab_law", reason="validation/ is not here")

STEPS = [1, 50, 100, 400, 700, 1000, 2000]
LINEAR = {"L0": 1.0, "A": 0.3, "N": 30.0}
RISING = parse_schedule("constant:peak=3e-3,horizon=2000,warmup=100")
SPIKE = parse_schedule("knots:0=0,100=1e-3,800=1e-3,801=4e-3,820=4e-3,821=1e-3,2000=1e-3")


def test_both_clocks_are_one_where_nothing_is_added():
    for schedule in (RISING, SPIKE):
        two = Effective(**LINEAR, **lab_law.ONE_CLOCK, alpha=0.5, q=1.2)
        one = OneClock(**LINEAR, alpha=0.5, q=1.2, p=2.0)
        assert_allclose(two.predict(schedule, STEPS), one.predict(schedule, STEPS), rtol=1e-12)


def test_the_present_rate_is_the_highest_until_the_rate_falls():
    highest, present = Effective(**LINEAR), lab_law.Present(**LINEAR)
    assert_allclose(present.predict(RISING, STEPS), highest.predict(RISING, STEPS), rtol=1e-12)
    before, after = STEPS[:5], [900, 2000]
    assert_allclose(present.predict(SPIKE, before), highest.predict(SPIKE, before), rtol=1e-12)
    # After a spike the highest rate so far stays four times the present one, and noise stays less.
    assert (present.predict(SPIKE, after) != highest.predict(SPIKE, after)).all()


def test_the_signal_is_slowed_by_the_present_rate_alone():
    """With ls alone, what a spike of 20 updates has cost is soon a fixed share of time."""
    only = {"L0": 1.0, "A": 1.0, "N": 0.0, "kappa": 0.0, "ramp": 0.0, "ls": 1e-3, "alpha": 1.0}
    flat = parse_schedule("knots:0=1e-3,2000=1e-3")
    spike = parse_schedule("knots:0=1e-3,1000=1e-3,1001=4e-3,1020=4e-3,1021=1e-3,2000=1e-3")

    def time(law, schedule):
        return 1 / (law(**only).predict(schedule.with_(weight_decay=0.0), [2000])[0] - 1.0)

    # Half speed at 1e-3: 2,000 updates are 1.0; 20 of them at 4e-3 are .02 * 4 / 17 instead.
    assert_allclose(time(lab_law.Present, flat), 1.0, rtol=1e-9)
    assert_allclose(time(lab_law.Present, spike), 1.0 - 0.01 + 0.02 * 4 / 17 * 1.0, atol=1e-3)
    # With the highest rate so far, all later updates are as slow as those at 4e-3 would be.
    expected = 0.5 * 1.0 + 0.02 * 4 / 17 + 0.98 / 17
    assert_allclose(time(Effective, spike), expected, atol=1e-3)
