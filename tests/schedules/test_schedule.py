"""The record: clocks, parts, joining, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.errors import InputError
from losslaw.schedules import Schedule, constant, join

LISTS = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=50)


@given(LISTS, st.data())
def test_splitting_and_joining_is_nothing(rates, data):
    schedule = Schedule(rates, batch=2.0, weight_decay=0.1)
    at = data.draw(st.integers(1, len(rates) - 1))
    rest = Schedule(rates[at:], batch=2.0, weight_decay=0.1)
    again = schedule.prefix(at).then(rest)
    assert_array_equal(again.lr, schedule.lr)
    assert_array_equal(again.batch, schedule.batch)
    assert_array_equal(again.weight_decay, schedule.weight_decay)


@given(LISTS, st.integers(1, 20))
def test_more_steps_do_not_change_the_clock_before_them(rates, more):
    schedule = Schedule(rates)
    longer = schedule.then(constant(peak=0.5, horizon=more))
    n = schedule.horizon
    assert_array_equal(longer.intrinsic_time[:n], schedule.intrinsic_time)
    # Sums in another order: a few rounding errors of the last bit.
    assert_allclose(longer.intrinsic_time[-1], schedule.intrinsic_time[-1] + 0.5 * more)
    assert longer.warmup == schedule.warmup


@given(LISTS, st.floats(0.01, 100))
def test_scaling(rates, factor):
    schedule = Schedule(rates)
    scaled = schedule.scaled(factor)
    assert_allclose(scaled.intrinsic_time, factor * schedule.intrinsic_time, rtol=1e-12)
    assert schedule.lr.tolist() == rates


def test_further_updates_keep_what_the_last_one_had():
    run = Schedule([1.0, 2.0], batch=[4, 8], weight_decay=0.1, warmup=1, sequence_length=16)
    longer = run.extended(np.array([0.5, 0.0]))
    assert longer == Schedule([1, 2, 0.5, 0], [4, 8, 8, 8], 0.1, warmup=1, sequence_length=16)
    other = run.extended(np.array([0.5, 0.0]), batch=2, weight_decay=[0.1, 0.2])
    assert other.batch.tolist() == [4, 8, 2, 2]
    assert other.weight_decay.tolist() == [0.1, 0.1, 0.1, 0.2]
    assert Schedule([1.0]).extended(np.array([1.0]), batch=2).batch is None
    assert run.extended(np.empty(0)) == run


def test_a_fall_that_is_yet_to_come_is_no_decay():
    schedule = Schedule([0.1, 1.0, 0.7, 0.69])
    assert schedule.decays()
    assert not schedule.decays(until=3)
    assert not schedule.decays(until=1)


def test_tokens():
    schedule = Schedule([1.0, 1.0], batch=[2, 3], sequence_length=10)
    assert schedule.tokens.tolist() == [20, 50]
    with pytest.raises(InputError, match="tokens need batch and sequence_length"):
        _ = Schedule([1.0]).tokens


@pytest.mark.parametrize(
    ("rates", "warmup"),
    [([1.0], 0), ([1, 1], 0), ([1, 2, 2], 2), ([1, 2, 3], 3), ([2, 1], 0), ([0, 1, 0], 2)],
)
def test_the_warm_up_is_the_rise_at_the_start(rates, warmup):
    assert Schedule(rates).warmup == warmup


def test_what_one_part_does_not_know_the_whole_does_not():
    known = Schedule([1.0], batch=2.0, weight_decay=0.1)
    assert join(known, Schedule([1.0], batch=3.0)).weight_decay is None
    assert_array_equal(join(known, Schedule([1.0], batch=3.0)).batch, [2, 3])


def test_a_schedule_does_not_change():
    schedule = Schedule([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        schedule.lr[0] = 5
    with pytest.raises(AttributeError):
        schedule.lr = np.ones(2)
    given = np.array([1.0, 2.0])
    schedule = Schedule(given)
    given[0] = 7
    assert schedule.lr[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": []}, "learning rates: empty"),
        ({"lr": 3.0}, r"learning rates: expected one dimension, got shape \(\)"),
        ({"lr": [[1.0]]}, "expected one dimension"),
        ({"lr": ["a"]}, "learning rates: expected numbers"),
        ({"lr": [1, -1]}, "learning rates are non-negative: value 1 is -1"),
        ({"lr": [1, float("nan")]}, "learning rates are finite numbers: value 1 is nan"),
        ({"lr": [0, 0]}, "all zero"),
        ({"lr": [1, 1], "batch": [1]}, "batch sizes: 1 values for 2 updates"),
        ({"lr": [1, 1], "batch": [1, 0]}, "batch sizes are positive: value 1 is 0"),
        ({"lr": [1, 1], "weight_decay": [1, -1]}, "weight decays are non-negative"),
        ({"lr": [1, 1], "warmup": 3}, r"warmup of 3 updates, expected 0\.\.2, the horizon"),
        ({"lr": [1, 1], "sequence_length": 0}, "sequence_length is 0"),
    ],
)
def test_what_is_no_schedule(arguments, message):
    with pytest.raises(InputError, match=message):
        Schedule(**arguments)


@pytest.mark.parametrize("horizon", [0, 3, -1])
def test_no_such_prefix(horizon):
    with pytest.raises(InputError, match=rf"prefix of {horizon} updates, expected 1\.\.2"):
        Schedule([1.0, 1.0]).prefix(horizon)
