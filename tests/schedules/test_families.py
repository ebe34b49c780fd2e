"""The usual schedules against their closed forms, and at their awkward places."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.errors import InputError
from losslaw.schedules import (
    FAMILIES,
    Schedule,
    constant,
    cosine,
    cyclic,
    decay_rates,
    exponential,
    from_knots,
    inverse_power,
    inverse_sqrt,
    linear,
    parse_schedule,
    power,
    step,
    twostage,
    wsd,
)
from losslaw.schedules.shapes import DECAYS

N, W, P, F = 1000, 100, 0.5, 0.05
K = np.arange(1, N + 1)
RAMP = P * K / W
Z = np.clip((K - W) / (N - W), 0, 1)
Z2 = np.clip((K - 800) / 200, 0, 1)
COMMON = {"peak": P, "horizon": N, "warmup": W}

CLOSED = {
    "constant": (constant(**COMMON), np.full(N, P)),
    "linear": (linear(**COMMON, final=F), P + (F - P) * Z),
    "cosine": (cosine(**COMMON, final=F), F + (P - F) / 2 * (1 + np.cos(np.pi * Z))),
    "exponential": (exponential(**COMMON, final=F), P * (F / P) ** Z),
    "power": (power(**COMMON, final=F, exponent=3), F + (P - F) * (1 - Z) ** 3),
    "wsd linear": (wsd(**COMMON, final=F), P + (F - P) * Z2),
    "wsd cosine": (
        wsd(**COMMON, final=F, decay="cosine"),
        F + (P - F) / 2 * (1 + np.cos(np.pi * Z2)),
    ),
    "wsd exponential": (wsd(**COMMON, final=F, decay="exponential"), P * (F / P) ** Z2),
    "wsd 1-sqrt": (wsd(**COMMON, final=F, decay="1-sqrt"), F + (P - F) * (1 - np.sqrt(Z2))),
    "wsd power": (
        wsd(**COMMON, final=F, decay="power", exponent=2),
        F + (P - F) * (1 - Z2) ** 2,
    ),
    "step": (step(**COMMON), P / np.sqrt(10.0) ** ((K > 800) + 0.0 + (K > 900))),
    "twostage": (twostage(**COMMON, second=0.2, switch=300), np.where(K > 300, 0.2, P)),
    "cyclic": (
        cyclic(**COMMON, final=F, cycles=3),
        F + (P - F) / 2 * (1 + np.cos(6 * np.pi * Z)),
    ),
    "wsd 1-power": (
        wsd(**COMMON, final=F, decay="1-power", exponent=2),
        F + (P - F) * (1 - Z2**2),
    ),
    "wsd inverse-sqrt": (
        wsd(**COMMON, final=F, decay="inverse-sqrt"),
        P / np.sqrt(1 + ((P / F) ** 2 - 1) * Z2),
    ),
    # With exponent 1 linear in the inverse of the rate.
    "wsd inverse-power": (
        wsd(**COMMON, final=F, decay="inverse-power"),
        1 / (Z2 / F + (1 - Z2) / P),
    ),
    "inverse-sqrt": (inverse_sqrt(**COMMON), P * np.sqrt(W / np.maximum(K, W))),
    "inverse-power": (
        inverse_power(**COMMON, exponent=0.7),
        P * (W / np.maximum(K, W)) ** 0.7,
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    schedule, expected = CLOSED[name]
    assert_allclose(schedule.lr, np.where(K < W, RAMP, expected), rtol=1e-12, atol=1e-15)
    assert schedule.warmup == W
    assert schedule.horizon == N


def test_every_family_is_tested():
    assert {name.split()[0] for name in CLOSED} == set(FAMILIES)


@given(
    st.sampled_from(DECAYS),
    st.integers(1, 300),
    st.floats(1e-5, 1.0),
    st.floats(0.01, 1.0),
    st.data(),
)
def test_a_cooldown_of_no_length_is_a_constant(decay, horizon, peak, share, data):
    warmup = data.draw(st.integers(0, horizon - 1))
    schedule = wsd(
        peak=peak, horizon=horizon, warmup=warmup, cooldown=0, final=share * peak, decay=decay
    )
    assert schedule == constant(peak=peak, horizon=horizon, warmup=warmup)


@given(st.sampled_from(DECAYS), st.integers(1, 200), st.floats(1e-6, 10), st.floats(0.001, 1))
def test_a_decay_falls_to_its_final_rate(decay, length, peak, share):
    rates = decay_rates(peak, share * peak, decay, length)
    assert rates.size == length
    assert (np.diff(rates) <= 1e-15 * peak).all()
    assert rates[0] <= peak * (1 + 1e-15)
    assert_allclose(rates[-1], share * peak, rtol=1e-12)


@given(st.sampled_from(DECAYS), st.integers(2, 100), st.floats(1.5, 100.0))
def test_scaling_the_rates_scales_the_schedule(decay, horizon, factor):
    small = wsd(peak=0.01, horizon=horizon, cooldown=0.5, final=0.001, decay=decay)
    large = wsd(
        peak=0.01 * factor, horizon=horizon, cooldown=0.5, final=0.001 * factor, decay=decay
    )
    assert_allclose(small.scaled(factor).lr, large.lr, rtol=1e-12)
    assert_allclose(small.scaled(factor).intrinsic_time, small.intrinsic_time * factor, rtol=1e-12)


def test_one_update():
    assert_array_equal(constant(peak=0.3, horizon=1).lr, [0.3])
    assert_array_equal(wsd(peak=0.3, horizon=1, cooldown=0).lr, [0.3])
    assert_array_equal(twostage(peak=0.3, horizon=1, second=0.1, switch=1).lr, [0.3])


def test_a_decay_over_the_whole_run_is_the_family():
    whole = wsd(**COMMON, cooldown=0.9, final=F, decay="cosine")
    assert_allclose(whole.lr, cosine(**COMMON, final=F).lr, rtol=1e-12)


@given(st.floats(0.1, 3.0), st.integers(1, 300))
def test_without_a_warm_up_an_inverse_power_is_one_of_the_update(exponent, horizon):
    k = np.arange(1, horizon + 1)
    run = inverse_power(peak=0.3, horizon=horizon, exponent=exponent)
    assert_allclose(run.lr, 0.3 * k**-exponent, rtol=1e-12)
    assert_allclose(inverse_sqrt(peak=0.3, horizon=horizon).lr, 0.3 / np.sqrt(k), rtol=1e-12)


def test_a_timescale_of_its_own_begins_at_once():
    run = inverse_power(peak=0.3, horizon=40, warmup=10, exponent=2, timescale=5)
    assert_allclose(run.lr[10:], 0.3 / (1 + np.arange(1, 31) / 5) ** 2, rtol=1e-12)
    assert_allclose(run.lr[9], 0.3)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_says_what_it_takes(name):
    """Batch and weight decay too, which no family function names itself."""
    make = FAMILIES[name]
    parameters = inspect.signature(make).parameters
    assert list(parameters)[-2:] == ["batch", "weight_decay"]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())
    assert inspect.signature(make).return_annotation is Schedule
    assert "Sequences in each update" in inspect.getdoc(make)
    for call in (make, make.pieces):
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            call(
                peak=1.0,
                horizon=5,
                colour=1,
                **{key: 0.5 for key in ("final", "second") if key in parameters},
            )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: constant(peak=0, horizon=5), "peak learning rate is 0, expected a number above 0"),
        (lambda: constant(peak=-1, horizon=5), "peak learning rate is -1"),
        (lambda: constant(peak=float("inf"), horizon=5), "peak learning rate is inf"),
        (lambda: constant(peak=1, horizon=0), "horizon is 0, expected a whole number"),
        (lambda: constant(peak=1, horizon=2.5), "horizon is 2.5"),
        (lambda: constant(peak=1, horizon=5, warmup=-1), "warmup is -1"),
        (lambda: constant(peak=1, horizon=5, warmup=5), r"horizon \(5\) is not longer than the wa"),
        (lambda: constant(peak=1, horizon=5, batch=0), "batch sizes are positive"),
        (lambda: constant(peak=1, horizon=5, weight_decay=-1), "weight decays are non-negative"),
        (lambda: linear(peak=1, horizon=5, final=2), r"final learning rate is 2, expected 0\.\.1"),
        (lambda: exponential(peak=1, horizon=5, final=0), "cannot end at 0"),
        (lambda: power(peak=1, horizon=5, exponent=0), "exponent is 0, expected above 0"),
        (lambda: wsd(peak=1, horizon=5, cooldown=1.5), "cooldown is 1.5, expected a share"),
        (lambda: wsd(peak=1, horizon=5, decay="square"), "decay 'square', expected one of: linear"),
        (
            lambda: wsd(peak=1, horizon=10, warmup=6, cooldown=0.5),
            r"warmup \(6\) and cooldown \(5 updates\) are longer than the horizon \(10\); shorten",
        ),
        (lambda: step(peak=1, horizon=5, first=0.9, second=0.8), "first <= second"),
        (lambda: step(peak=1, horizon=5, factor=0), "factor is 0, expected above 0 and finite"),
        (lambda: twostage(peak=1, horizon=5, second=-1), "second rate is -1"),
        (
            lambda: twostage(peak=1, horizon=5, second=1, switch=6),
            r"after 6 updates, expected 0\.\.",
        ),
        (lambda: cyclic(peak=1, horizon=5, cycles=0), "cycles is 0"),
        (lambda: cyclic(peak=1, horizon=5, shape="saw"), "shape 'saw', expected cosine or linear"),
        (lambda: inverse_sqrt(peak=1, horizon=5, timescale=0), "timescale is 0, expected above 0"),
        (lambda: inverse_power(peak=1, horizon=5, exponent=0), "exponent is 0, expected above 0"),
        (lambda: wsd(peak=1, horizon=5, decay="inverse-sqrt"), "an inverse-sqrt decay cannot end"),
        (lambda: constant(peak=1, horizon=10**9), r"horizon is 1e\+09, expected at most 1e\+08"),
        (lambda: from_knots({}), "no knots"),
        (lambda: from_knots({0: 1.0}), r"knots at 0\.\.0"),
        (lambda: from_knots({-1: 1.0, 5: 1.0}), r"knots at -1\.\.5"),
        (lambda: from_knots({1: 0.0, 5: 0.0}), "all zero"),
    ],
)
def test_what_makes_no_schedule(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "twostage"])
def test_a_warmup_may_be_a_share_of_the_horizon(name):
    final = ",final=1e-3" if name == "exponential" else ""
    share, updates = (
        parse_schedule(f"{name}:peak=1,horizon=200,warmup={warmup}{final}") for warmup in ("5%", 10)
    )
    assert share.warmup == 10
    assert_array_equal(share.lr, updates.lr)
    assert_array_equal(parse_schedule(str(share.spec)).lr, share.lr)


def test_a_cooldown_may_be_updates_and_numbers_what_people_write():
    written = parse_schedule("wsd:peak=3e-4,horizon=24k,warmup=5%,cooldown=4.8k")
    assert_array_equal(written.lr, wsd(peak=3e-4, horizon=24_000, warmup=1200, cooldown=0.2).lr)
    assert wsd(peak=1, horizon=10, cooldown=1).lr[0] == 0.9
    with pytest.raises(InputError, match=r"cooldown is 1\.5, expected a share of the horizon in"):
        wsd(peak=1, horizon=10, cooldown=1.5)
    with pytest.raises(InputError, match=r"cooldown is 1\.2, expected a share"):
        wsd(peak=1, horizon=10, cooldown=12)


@pytest.mark.parametrize(
    ("updates", "horizon", "text"),
    [(14_387, 71_936, ""), (5377, 24_000, ",cooldown=0.22404"), (1, 3, ",cooldown=0.3")],
)
def test_a_share_that_was_computed_is_written_short_and_makes_the_same_rates(
    updates, horizon, text
):
    made = wsd(peak=1.0, horizon=horizon, cooldown=updates / horizon)
    assert made.spec == f"wsd:peak=1,horizon={horizon}{text}"
    assert_array_equal(parse_schedule(made.spec).lr, made.lr)
