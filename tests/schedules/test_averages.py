"""Averages of iterates: their weights, the schedule that each stands for, and their texts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.errors import InputError
from losslaw.schedules import Schedule, wsd
from losslaw.schedules.averages import (
    WEIGHTS,
    Ema,
    TailAverage,
    WeightedCheckpoints,
    average_of,
)

N = 60
PATH = np.random.default_rng(4).normal(size=N + 1)


def kept_up(average, n=N):
    """The average of `PATH` as its recursion keeps it up."""
    rule = average.recursion(n)
    value, out = rule.begin * PATH[0], []
    for k in range(n):
        value = rule.keep[k] * value + rule.add[k] * PATH[k + 1]
        out.append(value)
    return np.array(out)


@pytest.mark.parametrize(("start", "every"), [(0, 1), (17, 1), (17, 5), (0, 7)])
def test_a_tail_average_is_the_plain_mean(start, every):
    values = kept_up(TailAverage(start=start, every=every))
    for step in (1, start + every - 1, start + every, 40, N):
        if step < 1:
            continue
        counted = PATH[start + every : step + 1 : every]
        expected = counted.mean() if counted.size else PATH[step]
        assert_allclose(values[step - 1], expected, rtol=1e-12)


def test_an_ema_forgets_exponentially():
    values = kept_up(Ema(decay=0.9))
    weights = 0.1 * 0.9 ** np.arange(N)
    assert_allclose(values[-1], weights @ PATH[:0:-1] + 0.9**N * PATH[0], rtol=1e-12)
    every = kept_up(Ema(decay=0.5, every=20))
    assert_allclose(every[-1], 0.5 * PATH[60] + 0.25 * PATH[40] + 0.125 * (PATH[20] + PATH[0]))
    assert_array_equal(every[40:59], every[39])


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("steps", [[7], [0, 30], [5, 10, 15, 60], list(range(20, 61, 4))])
def test_weights_sum_to_one_and_are_kept_up(weights, steps):
    average = WeightedCheckpoints(steps, weights)
    assert_allclose(average.weights.sum(), 1, rtol=1e-12)
    assert (average.weights > 0).all()
    expected = average.weights @ PATH[steps]
    assert_allclose(kept_up(average)[average.last - 1 :], expected, rtol=1e-12)


def test_shares_are_what_the_average_holds_of_each_update():
    """The definition: a mean of sums of updates is a sum of updates with these shares."""
    updates = np.random.default_rng(1).normal(size=N)
    path = np.concatenate([[0.0], np.cumsum(updates)])
    for weights in WEIGHTS:
        average = WeightedCheckpoints([10, 30, 40, 60], weights)
        assert_allclose(average.shares @ updates, average.weights @ path[[10, 30, 40, 60]])
        assert (average.shares[:10] == 1).all()


def test_weights_like_a_decay_stand_for_it():
    run = Schedule(np.full(1000, 0.1), batch=8, weight_decay=0.1)
    decayed = wsd(peak=0.1, horizon=1000, cooldown=0.4)
    fine = WeightedCheckpoints(range(600, 1001), "linear").equivalent(run)
    assert_allclose(fine.lr, decayed.lr, atol=0.1 / 400)
    assert_array_equal(fine.batch, run.batch)
    assert_array_equal(fine.weight_decay, run.weight_decay)
    # Few checkpoints: the middle of each interval has the rate of the decay.
    coarse = WeightedCheckpoints(range(600, 1001, 100), "1-sqrt").equivalent(run)
    assert_allclose(coarse.lr[649], 0.1 * (1 - np.sqrt(1 / 8)))
    # A prefix: what comes after the last checkpoint is not in the average.
    assert WeightedCheckpoints([300, 500]).equivalent(run).horizon == 500


@pytest.mark.parametrize(
    ("text", "average"),
    [
        ("tail:start=5", TailAverage(start=5)),
        ("tail:", TailAverage()),
        ("tail:start=5,every=2", TailAverage(start=5, every=2)),
        ("ema:0.9", Ema(decay=0.9)),
        ("ema:decay=0.9,every=10", Ema(decay=0.9, every=10)),
        ("ema:0.9,every=10", Ema(decay=0.9, every=10)),
    ],
)
def test_averages_have_a_text(text, average):
    assert average_of(text) == average


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: average_of("median"), "average 'median', expected something like tail:start"),
        (lambda: average_of("tail:end=5"), "'end', expected something like"),
        (lambda: average_of("tail:start=x"), "'x' is no number"),
        (lambda: average_of("tail:start=1.5"), "1.5 is no whole number"),
        (lambda: average_of("ema:"), "no decay"),
        (lambda: average_of("ema:1.0"), "decay of an EMA is 1, expected in"),
        (lambda: TailAverage(start=-1), "start of an average is -1"),
        (lambda: Ema(decay=0.5, every=0), "every of an average is 0"),
        (lambda: WeightedCheckpoints([]), "checkpoints: empty"),
        (lambda: WeightedCheckpoints([3, 2]), "increasing whole numbers"),
        (lambda: WeightedCheckpoints([1, 2], [0.5, 0.6]), "sum to 1.1, expected 1"),
        (lambda: WeightedCheckpoints([1, 2], [1.0]), "1 weights for 2 checkpoints"),
        (lambda: WeightedCheckpoints([1, 2], "median"), "weights 'median', expected one of"),
        (lambda: WeightedCheckpoints([1, 2], "ema:x"), "'x' is no number"),
        (lambda: WeightedCheckpoints([1, 9]).equivalent(Schedule([1.0] * 5)), "checkpoint at step"),
        (lambda: WeightedCheckpoints([0]).equivalent(Schedule([1.0] * 5)), "nothing was trained"),
        (
            lambda: WeightedCheckpoints([1, 2], [1.5, -0.5]).equivalent(Schedule([1.0] * 5)),
            "no schedule",
        ),
    ],
)
def test_bad_averages_get_one_clear_line(make, message):
    with pytest.raises(InputError) as error:
        make()
    assert message in str(error.value)
    assert "\n" not in str(error.value)
