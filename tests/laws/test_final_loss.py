"""Final losses and gradients of the laws, against the laws themselves and finite differences."""

import numpy as np
import pytest
from helpers.law_samples import RATES, sound
from numpy.testing import assert_allclose

from losslaw.laws import LAWS, Convolution, Effective, Momentum, MultiPower
from losslaw.schedules import Schedule, wsd

WITH_GRADIENT = [name for name, law in LAWS.items() if law.has_final_loss()]


def slope_at(law, schedule, k):
    """Central difference of the law's own prediction by the rate of update k."""
    step = 1e-4 * schedule.lr[k]

    def moved(by):
        rates = schedule.lr.copy()
        rates[k] += by
        return law.predict(schedule.with_(lr=rates), [schedule.horizon])[0]

    return (moved(step) - moved(-step)) / (2 * step)


def awkward():
    yield from RATES.items()
    yield "ends at zero", np.append(RATES["warm-up and cosine"][:-1], 0.0)


@pytest.mark.parametrize("warmup_drops", [False, True])
@pytest.mark.parametrize("rates", [pair[1] for pair in awkward()], ids=[p[0] for p in awkward()])
@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_value_is_that_of_the_law(name, rates, warmup_drops):
    law = sound(LAWS[name])
    if "warmup_drops" in law.settings():
        law = law.with_(warmup_drops=warmup_drops)
    schedule = Schedule(rates, batch=np.linspace(1, 3, rates.size), weight_decay=0.3)
    value, gradient = law.slope(schedule)
    # The laws sum a mixture of exponentials that is right to 1e-8 of each sum; sums are about .1.
    assert_allclose(value, law.predict(schedule, [schedule.horizon])[0], atol=1e-8)
    assert gradient.shape == rates.shape
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("warmup_drops", [False, True])
@pytest.mark.parametrize("which", ["warm-up and cosine", "warm-up again", "up and down"])
@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_gradient_is_that_of_the_law(name, which, warmup_drops):
    law = sound(LAWS[name])
    if "warmup_drops" in law.settings():
        law = law.with_(warmup_drops=warmup_drops)
    # No two rates are alike: where two are the highest, one law has a kink.
    rates = np.maximum(RATES[which], 2e-5) * (1 - 1e-3 * np.arange(RATES[which].size))
    warmup = Schedule(RATES[which]).warmup
    batch = np.linspace(1, 3, rates.size)
    schedule = Schedule(rates, batch, weight_decay=0.3, warmup=warmup)
    gradient = law.slope(schedule)[1]
    at = np.unique([0, 1, warmup - 1, warmup, warmup + 1, 30, 50, rates.size - 2, rates.size - 1])
    expected = np.array([slope_at(law, schedule, k) for k in at])
    # Differences over 1e-4 of a rate: the 1e-8 of the law leaves 1e-8 * .1 / (2e-4 * lr), and the
    # third derivative 1e-8 of the largest slope.
    noise = 2e-9 * 0.1 / (2e-4 * rates[at])
    assert np.all(np.abs(gradient[at] - expected) <= 2e-6 * np.abs(gradient).max() + noise)


def test_where_several_rates_are_the_highest_the_slope_is_that_of_their_fall():
    """A later one that falls leaves the highest rate so far as it is."""
    law = Effective(L0=2.5, A=0.3, N=45.0)
    schedule = wsd(peak=3e-3, horizon=400, warmup=20, cooldown=0.4, weight_decay=0.1)
    loss, gradient = law.slope(schedule)
    # In blocks, means over equal rates differ by rounding.
    coarse = law.slope(schedule, np.array([0, 19, 20, *range(27, 400, 7)]))[1]
    for k in (20, 21, 100, 239):
        lower = schedule.lr.copy()
        lower[k] -= 1e-7
        slope = (loss - law.slope(schedule.with_(lr=lower))[0]) / 1e-7
        assert gradient[k] == pytest.approx(slope, rel=1e-3, abs=1e-3)
        assert coarse[k] == pytest.approx(slope, abs=0.03)


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.in_blocks])
def test_blocks_of_updates(name):
    """Single updates are blocks of one; larger blocks are close, and have their own gradient."""
    law = sound(LAWS[name])
    if name in ("effective", "oneclock"):
        law = law.with_(B0=2.0)
    schedule = Schedule(RATES["warm-up and cosine"] + 2e-5, batch=np.linspace(1, 3, 90), warmup=15)
    exact, gradient = law.slope(schedule)
    single = law.slope(schedule, np.arange(90))
    assert_allclose(single[0], exact, rtol=1e-14)
    assert_allclose(single[1], gradient, rtol=1e-9, atol=1e-12 * np.abs(gradient).max())
    starts = np.array([0, 5, 10, 14, 15, 16, 20, 30, 31, 45, 60, 70, 80, 85, 89])
    # The end of the warm-up is a block by itself: falls are counted from it.
    value, slopes = law.slope(schedule, starts)
    # Terms are .1 nats each and change little within a block.
    assert abs(value - exact) < 5e-3
    for k in (0, 7, 15, 25, 47, 88, 89):
        moved = []
        for step in (1e-9, -1e-9):
            rates = schedule.lr.copy()
            rates[k] += step
            moved.append(law.slope(schedule.with_(lr=rates), starts)[0])
        slope = (moved[0] - moved[1]) / 2e-9
        # A difference of 2e-9 in a rate of 1e-3: rounding of the loss, 1e-15, over it.
        assert slopes[k] == pytest.approx(slope, rel=1e-4, abs=1e-4 * np.abs(slopes).max())


@pytest.mark.parametrize("q", [0.5, 1.0, 2.0])
def test_kernel_of_exponent_one_is_no_exception(q):
    """The integral of (1 + c x)^-q is a logarithm at q = 1, a power elsewhere."""
    law = Convolution(L0=2.0, N=1e5, q=q, c=200.0)
    schedule = Schedule(RATES["warm-up and cosine"])
    assert_allclose(law.slope(schedule)[0], law.predict(schedule)[-1], rtol=1e-8)


def test_momentum_without_memory_is_the_instantaneous_law():
    schedule = Schedule(RATES["warm-up and cosine"])
    value, gradient = Momentum(L0=2.0, A=0.1, C=5.0, lam=0.0).slope(schedule)
    other = LAWS["instantaneous"](L0=2.0, A=0.1, B=5.0)
    assert_allclose(value, other.slope(schedule)[0], rtol=1e-13)
    assert_allclose(gradient, other.slope(schedule)[1], rtol=1e-9, atol=1e-9)


def test_long_schedules_keep_their_digits():
    """The sum over 30,000 updates agrees with one pass over them."""
    law = MultiPower(L0=2.6, A=0.55, B=400.0, alpha=0.5, beta=0.6, C=2.0, gamma=0.6)
    schedule = wsd(peak=3e-4, horizon=30_000, warmup=2000, cooldown=0.2, final=1e-9)
    assert_allclose(law.slope(schedule)[0], law.predict(schedule, [30_000])[0], atol=1e-8)
