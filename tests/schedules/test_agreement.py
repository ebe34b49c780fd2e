"""Which rates are the same, and where a schedule leaves others: against what can be counted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.schedules import Schedule, constant, wsd
from losslaw.schedules.agreement import agreement, departure, outside_one_update, same_rate

COMMON = {"peak": 1.0, "horizon": 100, "warmup": 10}


def test_a_branch_agrees_until_it_leaves():
    run, branch = constant(**COMMON), wsd(**COMMON, cooldown=0.3)
    assert agreement(run, branch) == agreement(branch, run) == 70
    assert agreement(run, run.prefix(40)) == 40
    assert agreement(run, run.scaled(1.1)) == 0
    # The digits of a log are no difference.
    assert agreement(run, run.with_(lr=run.lr * (1 + 1e-8))) == 100


def test_batch_and_decay_count_where_both_know_them():
    run = Schedule([1.0] * 4, batch=8, weight_decay=0.1)
    assert agreement(run, run.with_(batch=[8, 8, 16, 16])) == 2
    assert agreement(run, run.with_(weight_decay=[0.1, 0.2, 0.2, 0.2])) == 1
    assert agreement(run, Schedule([1.0] * 4)) == 4


def test_departure_is_no_later_than_what_was_fitted():
    run, branch = constant(**COMMON), wsd(**COMMON, cooldown=0.3)
    assert departure(branch, []) == 0
    assert departure(branch, [(run, 50)]) == 50
    assert departure(branch, [(run, 50), (run, 90), (run.scaled(2), 100)]) == 70


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_shift_by_one_update_is_inside(shift):
    run = wsd(**COMMON, cooldown=0.3, decay="1-sqrt")
    moved = np.roll(run.lr, shift)
    inner = slice(1, -1)
    assert (outside_one_update(moved, run.lr)[inner] <= 0).all()


@pytest.mark.parametrize("shift", [-2, 2])
def test_a_shift_by_two_updates_is_not(shift):
    run = wsd(**COMMON, cooldown=0.3, decay="1-sqrt")
    assert (outside_one_update(np.roll(run.lr, shift), run.lr)[5:-5] > 0).any()


def test_what_lies_outside_is_the_distance_from_the_band():
    assert_allclose(
        outside_one_update(np.array([1.2, 0.7, 0.4]), np.array([1.0, 0.9, 0.8, 0.6])),
        [0.2, 0.1, 0.2],
    )


def test_rates_are_the_same_within_a_share_of_either():
    for within in (0.01, 0.05):
        assert same_rate(1.0, np.exp(0.99 * within), within)
        assert not same_rate(np.exp(1.01 * within), 1.0, within)
