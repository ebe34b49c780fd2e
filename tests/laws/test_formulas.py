"""The fast columns against each law's formula, summed as it is written."""

import inspect

import numpy as np
import pytest
from helpers.law_samples import RATES, schedules, sound
from helpers.oracles import ORACLES, bound
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from losslaw.laws import LAWS, Convolution, Effective, Instantaneous, Momentum, MultiPower, OneClock
from losslaw.laws.lastiterate import last_iterate_bound
from losslaw.schedules import Schedule

# The memories promise 1e-8 of the sum over absolute sources.
RTOL = 1e-7


def assert_is_its_formula(law, schedule, steps):
    found = law.decompose(schedule, steps)
    terms = ORACLES[law.name](law, schedule)
    for i, t in enumerate(steps):
        for name, value in terms(int(t)).items():
            assert found[name][i] == pytest.approx(value, rel=RTOL, abs=1e-9), (name, t)


def some_steps(schedule):
    n = schedule.horizon
    return np.unique(np.clip([1, 2, 15, 16, 17, n // 2, n - 1, n], 1, n))


def test_every_law_that_does_more_than_its_formula_says_has_an_oracle():
    for name in set(LAWS) - set(ORACLES):
        assert "losslaw.numerics.memory" not in inspect.getsource(inspect.getmodule(LAWS[name]))


@pytest.mark.parametrize("name", ORACLES)
def test_the_columns_are_the_formula(name, schedule):
    assert_is_its_formula(sound(LAWS[name]), schedule, some_steps(schedule))


@pytest.mark.parametrize("name", ["instantaneous", "momentum", "multipower", "functional"])
def test_the_columns_are_the_formula_with_the_ramp_inside_the_sum(name, schedule):
    law = sound(LAWS[name], warmup_drops=True)
    assert_is_its_formula(law, schedule, some_steps(schedule))


@pytest.mark.parametrize("warmup", [0, 1, 5, 40, 90])
@pytest.mark.parametrize("name", ["instantaneous", "momentum", "multipower", "functional"])
def test_a_declared_warmup_is_the_one_whose_drops_do_not_count(name, warmup):
    schedule = Schedule(RATES["warm-up and cosine"], warmup=warmup)
    assert_is_its_formula(sound(LAWS[name]), schedule, [1, 5, 6, 40, 41, 90])


@pytest.mark.parametrize("name", ["chinchilla", "convolution"])
def test_the_columns_are_the_formula_when_the_batch_changes(name):
    lr = RATES["warm-up and cosine"]
    batch = np.where(np.arange(lr.size) < 40, 16.0, 64.0)
    batch[60:70] = 1.0
    law = sound(LAWS[name])
    assert_is_its_formula(law, Schedule(lr, batch=batch), [1, 40, 41, 65, 90])


def test_weight_decay_may_change_along_the_run():
    lr = RATES["warm-up and cosine"]
    decay = np.where(np.arange(lr.size) < 40, 0.0, 30.0)
    law = sound(Effective, kappa=5e4)
    assert_is_its_formula(law, Schedule(lr, weight_decay=decay), [1, 40, 41, 65, 90])


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(schedule=schedules(), share=st.floats(0, 1))
def test_the_columns_are_the_formula_on_any_schedule(name, schedule, share):
    steps = np.unique([1 + round(share * (schedule.horizon - 1)), schedule.horizon])
    assert_is_its_formula(sound(LAWS[name]), schedule, steps)


def test_summation_by_parts_is_the_double_sum_of_the_bound(schedule):
    steps = np.arange(1, schedule.horizon + 1)
    steps = steps[np.cumsum(schedule.lr) > 0]
    expected = [bound(lr[lr > 0]) for lr in (schedule.lr[:t] for t in steps)]
    assert_allclose(last_iterate_bound(schedule.lr, steps), expected, rtol=RTOL)


def test_the_bound_of_a_constant_rate_is_a_harmonic_number():
    # 1/2 (lr + sum_{k=2}^t lr / (t - k + 1)) = lr (1 + H(t-1)) / 2.
    lr = np.full(1000, 0.02)
    harmonic = np.sum(1 / np.arange(1, 1000))
    found = last_iterate_bound(lr, np.array([1000]))
    assert found[0] == pytest.approx(0.02 * (1 + harmonic) / 2, rel=1e-9)


def test_the_momentum_law_without_momentum_is_the_instantaneous_law(schedule):
    momentum = Momentum(L0=2.0, A=0.1, C=50.0, lam=0.0)
    instantaneous = Instantaneous(L0=2.0, A=0.1, B=50.0)
    assert_allclose(momentum.predict(schedule), instantaneous.predict(schedule), rtol=1e-12)


def test_without_growth_and_decay_the_law_on_one_clock_is_the_convolution_law(schedule):
    # (1e3 lr)^2 / 1e3 = 1e3 lr^2, and the kernels agree for c = r / q.
    bare = Schedule(schedule.lr, weight_decay=0.0)
    ours = OneClock(alpha=0.5, kappa=0.0, a=2.0, q=1.5, r=150.0, L0=2.0, A=0.1, N=40.0)
    theirs = Convolution(s=0.5, q=1.5, c=100.0, L0=2.0, A=0.1, N=4e4)
    one, two = ours.decompose(bare), theirs.decompose(bare)
    for name in ("L0", "A", "N"):
        assert_allclose(one[name], two[name], rtol=1e-9)


def test_with_neutral_constants_both_clocks_are_one(schedule):
    shared = dict(L0=2.0, A=0.1, N=40.0, alpha=0.5, p=2.15, q=1.3)
    both = Effective(hs=0.5, ls=0.0, nm=0.0, ramp=0.0, **shared)
    assert both.predict(schedule).tolist() == OneClock(**shared).predict(schedule).tolist()


def test_a_fall_to_rate_zero_pays_nothing_before_time_passes_and_all_after():
    law = MultiPower(B=1.0, beta=0.5, C=2.0, gamma=0.5)
    gains = law.decompose(Schedule([1.0, 0.0, 0.0, 1e-9]))["B"]
    # The rise of the last update itself counts, with next to nothing forgotten of it.
    assert_allclose(gains, [0.0, 0.0, 0.0, -1.0], atol=1e-4)


def test_known_and_equal_batch_is_an_amplitude_for_the_convolution_law():
    lr = RATES["warm-up and cosine"]
    law = Convolution(L0=2.0, A=0.1, N=3e4, M=50.0)
    plain = law.predict(Schedule(lr))
    batched = law.with_(N=3e4 * 32, M=50.0 * 32).predict(Schedule(lr, batch=32))
    assert_allclose(plain, batched, rtol=1e-12)


def test_batches_of_the_effective_rate_are_those_of_sgd_and_of_noisy_adam():
    lr = np.full(400, 1e-3)
    base = dict(L0=2.0, A=0.05, N=40.0, a=2.0, kappa=0.0, B0=16.0)
    plain = Schedule(lr, batch=16, weight_decay=0.0)
    # SGD (c = 0): four times the batch is a quarter of the noise, and nothing else.
    law = OneClock(c=0.0, **base)
    four = law.decompose(Schedule(lr, batch=64, weight_decay=0.0))
    one = law.decompose(plain)
    assert_allclose(four["N"], one["N"] / 4, rtol=1e-12)
    assert_allclose(four["A"], one["A"], rtol=1e-12)
    # Noisy Adam (c = 1/2): four times the batch at twice the rate is the same run in a quarter of
    # the updates, but for the coarser grid of updates.
    law = OneClock(c=0.5, **base)
    fast = law.predict(Schedule(np.full(100, 2e-3), batch=64, weight_decay=0.0))
    assert_allclose(fast[10:], law.predict(plain)[43::4], rtol=2e-3)


def test_an_unknown_reference_batch_lets_no_batch_count():
    lr = np.linspace(1e-3, 1e-4, 50)
    law = OneClock(L0=2.0, A=0.05, N=40.0)
    with_batch = law.predict(Schedule(lr, batch=np.arange(1.0, 51.0)))
    assert with_batch.tolist() == law.predict(Schedule(lr)).tolist()
