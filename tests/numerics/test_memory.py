"""Power-law memory against the double sum it stands for, and against closed forms."""

import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from helpers.direct import direct_memory
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import zeta

from losslaw.errors import InputError
from losslaw.numerics.memory import (
    TAIL_NODES,
    _geometric_gauss,
    inverse_memory,
    power_law_memory,
    power_law_mixture,
)

EXPONENTS = (0.05, 0.3, 1.0, 4.0 / 3.0, 5.0)
SCALES = tuple(10.0 ** np.arange(-6, 7, 3))
KINDS = tuple(itertools.product(("end", "start", "mean"), (False, True)))
PROMISED = 1e-8  # relative to the same sum over absolute sources; 3e-11 is seen


def ramp(n, top=1.0):
    return top * np.arange(1, n + 1) / n


def increments_of(name):
    return {
        "one step": np.array([0.3]),
        "constant": np.ones(90),
        "cosine to zero": (1 + np.cos(np.pi * np.arange(1, 91) / 90)) / 2,
        "lone jump after a ramp": np.concatenate([ramp(40), np.ones(1), np.full(100, 0.1)]),
        "zero rates": np.concatenate([np.zeros(3), ramp(20), np.zeros(40), np.ones(30), [0, 0]]),
        "all time in one update": np.concatenate([np.full(60, 1e-9), [1.0], np.full(60, 1e-9)]),
        "warm-up again": np.concatenate(
            [ramp(20), np.ones(40), np.linspace(1, 0, 30), ramp(20), np.ones(40)]
        ),
        "many sizes": np.random.default_rng(7).exponential(size=150)
        * 10 ** np.random.default_rng(8).uniform(-6, 0, 150),
    }[name]


SCHEDULES = (
    "one step",
    "constant",
    "cosine to zero",
    "lone jump after a ramp",
    "zero rates",
    "all time in one update",
    "warm-up again",
    "many sizes",
)


def worst_error(x, s, at, exponent, scale, since, gain):
    """Largest difference from the double sum, as a share of the sum over absolute sources."""
    fast = power_law_memory(x, s, at, exponent, scale, since=since, gain=gain)
    slow = direct_memory(x, s, at, exponent, scale, since=since, gain=gain)
    size = direct_memory(x, np.abs(s), at, exponent, scale, since=since, gain=gain)
    return np.max(np.abs(fast - slow) / np.where(size > 0, size, 1.0))


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_pass_is_the_double_sum(name):
    x = increments_of(name)
    at = np.unique(np.linspace(1, x.size, 4).astype(int))
    s = np.random.default_rng(1).normal(size=x.size)
    for (since, gain), exponent, scale in itertools.product(KINDS, EXPONENTS, SCALES):
        error = worst_error(x, s, at, exponent, scale, since, gain)
        assert error < PROMISED, (since, gain, exponent, scale)


@pytest.mark.parametrize("name", SCHEDULES[1:])
def test_falls_of_the_rate_are_sources_too(name):
    x = increments_of(name)
    at = np.array([x.size // 2, x.size])
    for (since, gain), exponent in itertools.product(KINDS, EXPONENTS):
        error = worst_error(x, -np.diff(x, prepend=0.0), at, exponent, 30.0, since, gain)
        assert error < PROMISED, (since, gain, exponent)


@st.composite
def problems(draw):
    pieces = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["flat", "line", "zero", "noise"]),
                st.integers(1, 30),
                st.floats(1e-7, 1e2),
            ),
            min_size=1,
            max_size=5,
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    x = np.concatenate(
        [
            {
                "flat": np.full(n, top),
                "line": ramp(n, top),
                "zero": np.zeros(n),
                "noise": rng.uniform(0, top, n),
            }[kind]
            for kind, n, top in pieces
        ]
    )
    sources = rng.normal(size=x.size) * (rng.uniform(size=x.size) < 0.7)
    at = np.flatnonzero(rng.uniform(size=x.size) < 0.2) + 1
    at = at if at.size else np.array([x.size])
    exponent = draw(st.floats(0.05, 5.0))
    scale = 10 ** draw(st.floats(-6.0, 6.0))
    several = draw(st.booleans())
    scales = scale * 10 ** rng.uniform(-2, 2, x.size) if several else scale
    return x, sources, at, exponent, scales


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems(), st.sampled_from(KINDS))
def test_any_schedule_gives_the_double_sum(problem, kind):
    x, s, at, exponent, scale = problem
    assert worst_error(x, s, at, exponent, scale, *kind) < PROMISED


def test_no_time_at_all():
    x, s = np.zeros(4), np.array([1.0, -2.0, 0.0, 4.0])
    at = np.array([1, 3, 4])
    for since in ("end", "start", "mean"):
        assert_allclose(power_law_memory(x, s, at, 0.5, 2.0, since=since), [1, -1, 3], rtol=1e-9)
        gain = power_law_memory(x, s, at, 0.5, 2.0, since=since, gain=True)
        assert_allclose(gain, 0, atol=1e-9)


@pytest.mark.parametrize(("since", "gain"), [("end", 0), ("end", 1), ("start", 0), ("start", 1)])
def test_an_infinite_scale_forgets_at_once(since, gain):
    x = np.array([0.0, 1.0, 0.0, 0.0, 2.0, 1.0, 0.0])
    s = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    scale = np.array([np.inf, 2.0, np.inf, np.inf, 1.0, np.inf, np.inf])
    assert worst_error(x, s, np.arange(1, 8), 0.7, scale, since, bool(gain)) < PROMISED


def test_one_update_of_infinite_scale():
    one, at = np.array([1.0]), np.array([1])
    assert power_law_memory(one, one, at, 0.5, np.array([np.inf])).tolist() == [1.0]
    assert power_law_memory(one, one, at, 0.5, np.array([np.inf]), since="start").tolist() == [0.0]


def test_an_infinite_scale_over_the_mean_of_an_update():
    # Of an update's own time all but an instant comes after the source.
    x, s, scale = np.array([1.0, 0.0]), np.array([2.0, 3.0]), np.array([np.inf, np.inf])
    at = np.array([1, 2])
    assert power_law_memory(x, s, at, 1.0, scale, since="mean").tolist() == [0.0, 3.0]
    assert power_law_memory(x, s, at, 1.0, scale, since="mean", gain=True).tolist() == [2.0, 2.0]


def test_one_scale_for_all_is_the_same_as_one_each():
    x, s = increments_of("warm-up again"), np.random.default_rng(3).normal(size=150)
    at = np.array([1, 20, 150])
    for since, gain in KINDS:
        one = power_law_memory(x, s, at, 0.4, 3.0, since=since, gain=gain)
        each = power_law_memory(x, s, at, 0.4, np.full(150, 3.0), since=since, gain=gain)
        assert_allclose(one, each, rtol=1e-11)


def test_the_unit_of_time_does_not_matter():
    x, s = increments_of("many sizes"), np.ones(150)
    at = np.array([10, 150])
    for since, gain in KINDS:
        plain = power_law_memory(x, s, at, 1.4, 5.0, since=since, gain=gain)
        other = power_law_memory(1e-5 * x, s, at, 1.4, 5e5, since=since, gain=gain)
        assert_allclose(plain, other, rtol=1e-9)


def test_the_steps_asked_about_do_not_change_the_answers():
    x, s = increments_of("many sizes"), np.random.default_rng(5).normal(size=150)
    every = power_law_memory(x, s, np.arange(1, 151), 0.3, 20.0, since="mean")
    some = power_law_memory(x, s, np.array([7, 80, 150]), 0.3, 20.0, since="mean")
    assert_allclose(some, every[[6, 79, 149]], rtol=1e-12)


N = 10**6


@pytest.mark.parametrize("exponent", [0.05, 0.5, 1.5, 5.0])
@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1e2, 1e6])
def test_a_million_updates_against_the_plain_sum(exponent, scale):
    x, s = np.ones(N), np.ones(N)
    at = np.array([1, 1234, N])
    kernel = (1 + scale * np.arange(N)) ** -exponent
    expected = [kernel[:t].sum() for t in at]
    assert_allclose(power_law_memory(x, s, at, exponent, scale), expected, rtol=PROMISED)
    forgotten = -np.expm1(-exponent * np.log1p(scale * np.arange(N)))
    expected = [forgotten[:t].sum() for t in at]
    gains = power_law_memory(x, s, at, exponent, scale, gain=True)
    assert_allclose(gains, expected, rtol=PROMISED)


def test_a_million_updates_against_hurwitz_zeta():
    # sum over k < t of (1 + a k)^-b = a^-b (zeta(b, 1/a) - zeta(b, 1/a + t)).
    a, b, t = 0.01, 1.5, N
    (found,) = power_law_memory(np.ones(N), np.ones(N), np.array([t]), b, a)
    assert found == pytest.approx(a**-b * (zeta(b, 1 / a) - zeta(b, 1 / a + t)), rel=PROMISED)


def test_a_million_uneven_updates_against_the_double_sum():
    rng = np.random.default_rng(11)
    x = rng.exponential(size=N) * (1 + np.cos(np.pi * np.arange(N) / N))
    s = rng.normal(size=N)
    for since, gain in KINDS[:4]:
        error = worst_error(x, s, np.array([999, N // 2, N]), 0.6, 0.3, since, gain)
        assert error < PROMISED, (since, gain)


def test_memory_does_not_grow_with_updates_times_rates():
    peak = Path("/proc/self/clear_refs")
    if not peak.exists():
        pytest.skip("the peak of memory is read from /proc, which this system does not have")
    x, s = np.ones(N), np.ones(N)
    at = np.arange(1000, N + 1, 1000)
    power_law_memory(x[:10], s[:10], np.array([10]), 0.5, 1.0)  # compiled before it is measured

    def resident(word):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(word)) * 1024

    tracemalloc.start()
    peak.write_text("5")
    before = resident("VmRSS")
    power_law_memory(x, s, at, 0.05, 1.0)
    grown = resident("VmHWM") - before
    _, arrays = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One array of updates is 8 MB; updates times rates would be 900 MB.
    assert arrays < 3 * x.nbytes
    assert grown < 5 * x.nbytes


@pytest.mark.parametrize("smallest", [1.0, 0.01])
def test_the_inverse_memory_is_its_sum(smallest):
    rng = np.random.default_rng(4)
    x = smallest + rng.exponential(size=300)
    s = rng.normal(size=300)
    at = np.array([1, 2, 150, 300])
    time = np.concatenate([[0.0], np.cumsum(x)])
    terms = [np.sum(s[:t] / (time[t] - time[:t])) for t in at]
    size = [np.sum(np.abs(s[:t]) / (time[t] - time[:t])) for t in at]
    found = inverse_memory(x, s, at, float(x.min()))
    assert np.max(np.abs(found - terms) / size) < PROMISED


@pytest.mark.parametrize("exponent", [0.05, 0.5, 1.0, 5.0])
@pytest.mark.parametrize("per_octave", [2, 4, 8])
def test_the_tail_rule_has_the_moments_of_the_tail(exponent, per_octave):
    # The measure puts mass q^(b k) on q^k: its moments are geometric series.
    q = 2.0 ** (-1.0 / per_octave)
    nodes, weights = _geometric_gauss(q, exponent, TAIL_NODES)
    assert ((nodes > 0) & (nodes <= 1) & (weights > 0)).all()
    for power in range(2 * TAIL_NODES):
        moment = 1 / -np.expm1((exponent + power) * np.log(q))
        assert weights @ nodes**power == pytest.approx(moment, rel=1e-10)


@pytest.mark.parametrize("exponent", [0.05, 0.5, 1.0, 2.0, 5.0])
def test_the_mixture_is_the_kernel(exponent):
    ages = np.concatenate([[0.0], np.logspace(-9, 6, 60)])
    mixture = power_law_mixture(exponent, 1e-3, 1e4, span=1e6)
    for scale in (1e-3, 1.0, 1e4):
        weights = mixture.weights(scale)
        kernel = (1 + scale * ages) ** -exponent
        assert_allclose(np.exp(-np.outer(ages, mixture.rates)) @ weights, kernel, rtol=1e-9)
        lost = -np.expm1(-exponent * np.log1p(scale * ages))
        assert_allclose(-np.expm1(-np.outer(ages, mixture.rates)) @ weights, lost, rtol=1e-9)


@pytest.mark.parametrize("exponent", [0.01, 0.05, 0.2])
def test_the_tail_takes_a_small_share_of_the_error(exponent):
    # Small exponents and ages near 1 / scale need the tail most: seen 1.6e-11; four nodes: 1.2e-10.
    ages = np.logspace(-9, 0, 60)
    mixture = power_law_mixture(exponent, 1.0, 1.0, span=1.0)
    lost = -np.expm1(-exponent * np.log1p(ages))
    mixed = -np.expm1(-np.outer(ages, mixture.rates)) @ mixture.weights(1.0)
    assert_allclose(mixed, lost, rtol=5e-11)


@pytest.mark.parametrize("exponent", [0.0, -1.0, 20.1, 300.0, np.nan])
def test_an_exponent_out_of_reach_is_refused(exponent):
    with pytest.raises(InputError, match=r"expected above 0 and at most 20"):
        power_law_mixture(exponent, 1.0, 1.0, 10.0)


def test_the_same_input_gives_the_same_output_bit_for_bit():
    x, s = increments_of("many sizes"), np.random.default_rng(6).normal(size=150)
    at = np.arange(1, 151)
    one, two = (power_law_memory(x, s, at, 0.7, 30.0, since="mean", gain=True) for _ in range(2))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("since", ["end", "start", "mean"])
@pytest.mark.parametrize("gain", [False, True])
def test_several_memories_in_one_pass_are_each_of_them(since, gain):
    rng = np.random.default_rng(5)
    increments = rng.uniform(0, 1, 200)
    increments[40:60] = 0
    sources = rng.normal(size=(3, 200))
    sources[0, 50:] = 0
    sources[1, ::2] = 0
    scales = np.where(np.arange(200) == 30, np.inf, rng.uniform(0.1, 10, 200))
    at = np.array([1, 35, 55, 200])
    for scale in (2.0, scales):
        if since == "mean" and not np.isscalar(scale):
            scale = np.where(np.isfinite(scales), scales, 1.0)
        together = power_law_memory(increments, sources, at, 0.7, scale, since=since, gain=gain)
        for row, alone in zip(together, sources, strict=True):
            single = power_law_memory(increments, alone, at, 0.7, scale, since=since, gain=gain)
            # Which scales occur decides the rates; a source of zero does not occur.
            assert_allclose(row, single, rtol=1e-8, atol=1e-9 * np.abs(alone).sum())
