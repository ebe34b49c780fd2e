"""Recognised schedules: the text that made the rates, found from the rates alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from losslaw.schedules import Schedule, parse_schedule, recognise
from losslaw.schedules.match_shape import match_decay

H = "horizon=5000,warmup=300"
SPECS = [
    f"constant:peak=0.0003,{H}",
    "constant:peak=1,horizon=100",
    f"linear:peak=0.0003,{H}",
    f"linear:peak=0.0003,{H},final=1e-05",
    f"cosine:peak=0.0003,{H},final=3e-05",
    "cosine:peak=1,horizon=100",
    f"exponential:peak=0.001,{H},final=1e-05",
    f"power:peak=0.001,{H},exponent=2.5",
    f"wsd:peak=0.001,{H}",
    f"wsd:peak=0.001,{H},cooldown=0.3,final=0.0001",
    f"wsd:peak=0.001,{H},cooldown=0.3,final=0.0001,decay=cosine",
    f"wsd:peak=0.001,{H},final=0.0001,decay=exponential",
    f"wsd:peak=0.001,{H},decay=1-sqrt",
    f"wsd:peak=0.001,{H},cooldown=0.94,decay=1-sqrt",
    f"wsd:peak=0.001,{H},exponent=2,decay=power",
    f"wsd:peak=0.001,{H},final=0.0001 + constant:peak=0.0001,horizon=500",
    f"step:peak=0.001,{H}",
    f"step:peak=0.001,{H},first=0.5,second=0.75,factor=2",
    f"twostage:peak=0.001,{H},second=0.0003",
    f"twostage:peak=0.001,{H},second=0.002,switch=3001",
    f"cyclic:peak=0.001,{H}",
    f"cyclic:peak=0.001,{H},cycles=2.5,shape=linear",
    f"inverse-sqrt:peak=0.001,{H}",
    f"inverse-sqrt:peak=0.001,{H},timescale=1000",
    "inverse-sqrt:peak=0.5,horizon=3000",
    "inverse-sqrt:peak=0.5,horizon=3000,timescale=100",
    f"inverse-power:peak=0.001,{H}",
    f"inverse-power:peak=0.001,{H},exponent=0.7",
    f"inverse-power:peak=0.001,{H},exponent=0.7,timescale=1000",
    "inverse-power:peak=0.5,horizon=3000",
    "inverse-power:peak=0.5,horizon=3000,exponent=0.75",
    "inverse-power:peak=0.5,horizon=3000,exponent=2,timescale=100",
    f"wsd:peak=0.001,{H},final=0.0001,decay=inverse-sqrt",
    f"wsd:peak=0.001,{H},cooldown=0.3,final=0.0001,exponent=2,decay=inverse-power",
]


@pytest.mark.parametrize("spec", SPECS)
def test_the_text_comes_back(spec):
    schedule = parse_schedule(spec)
    found = recognise(schedule.with_(batch=None))  # without its text
    assert found is not None
    assert found.spec == spec
    assert found.deviation < 1e-5
    assert found.complete
    assert str(found) == spec


@pytest.mark.parametrize("spec", [spec for spec in SPECS if "+" not in spec])
@pytest.mark.parametrize("late", [True, False])
def test_one_update_of_shift_is_forgiven(spec, late):
    """As between trainers that count updates from 0 and from 1."""
    schedule = parse_schedule(spec)
    lr = np.r_[schedule.lr[0], schedule.lr[:-1]] if late else np.r_[schedule.lr[1:], 0]
    lr[-1] = lr[-2] if not late else lr[-1]
    found = recognise(Schedule(lr, warmup=schedule.warmup))
    assert found is not None
    # A decay that begins one update later is a WSD whose stable phase is that update.
    assert found.spec.split(":")[0] in (spec.split(":")[0], "wsd")
    assert found.deviation <= 2e-3


@pytest.mark.parametrize(
    "spec",
    [
        f"cosine:peak=0.0003,{H},final=3e-05",
        f"linear:peak=0.0003,{H}",
        f"wsd:peak=0.001,{H}",
        f"wsd:peak=0.001,{H},decay=1-sqrt",
        "linear:peak=2e-05,horizon=5490",
        "cosine:peak=5e-05,horizon=8712",
    ],
)
@pytest.mark.parametrize("part", [1.0, 0.97])
def test_a_clock_from_zero_has_the_numbers_that_the_trainer_was_given(spec, part):
    """As PyTorch's schedulers: update k has the rate that the text gives to update k - 1."""
    whole = parse_schedule(spec)
    first = 0.0 if whole.warmup else float(spec.split("peak=")[1].split(",")[0])
    if part < 1 and "cosine" not in spec:
        pytest.skip("where such a fall ends cannot be told from its beginning")
    lr = np.r_[first, whole.lr[:-1]][: int(part * whole.horizon)]
    found = recognise(Schedule(lr, warmup=whole.warmup + 1 if whole.warmup else 0))
    assert found is not None
    assert found.spec == spec
    assert found.horizon == whole.horizon
    assert found.complete == (part == 1.0)


@pytest.mark.parametrize("digits", [4, 6])
def test_rounded_rates_are_recognised(digits):
    schedule = parse_schedule(f"cosine:peak=0.0003,{H},final=3e-05")
    rounded = np.array([float(f"{rate:.{digits}g}") for rate in schedule.lr])
    found = recognise(Schedule(rounded, warmup=300))
    assert found is not None
    assert found.spec.startswith("cosine:")
    assert found.deviation < 2e-3


def test_the_beginning_of_a_cosine_says_so():
    whole = parse_schedule(f"cosine:peak=0.0003,{H},final=3e-05")
    found = recognise(whole.prefix(3000))
    assert found is not None
    assert not found.complete
    assert found.horizon == 5000
    assert parse_schedule(found.spec) == whole
    assert str(found) == f"the beginning of {found.spec}"


@pytest.mark.parametrize(
    "rates",
    [
        np.r_[np.linspace(0.1, 1, 10), 0.5, 0.9, np.linspace(0.9, 0.1, 40)],
        np.r_[1.0, 0.2, 0.9, 0.3, 0.3, 0.8],
        [0.5, 1.0],
        [1.0, 2.0, 3.0],
    ],
)
def test_what_is_none_of_them(rates):
    assert recognise(Schedule(rates)) is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40).filter(lambda lr: max(lr) > 1e-3))
def test_whatever_is_recognised_reproduces_the_rates(rates):
    schedule = Schedule(rates)
    found = recognise(schedule)
    if found is not None:
        again = parse_schedule(found.spec).lr
        padded = np.r_[again[:1], again, again[-1:]]
        for k in range(schedule.warmup, schedule.horizon):
            near = padded[k : k + 3]
            slack = 2.1e-3 * schedule.peak_lr
            assert near.min() - slack <= schedule.lr[k] <= near.max() + slack


@pytest.mark.parametrize("shape", ["linear", "exponential", "1-sqrt", "cosine", "power"])
@pytest.mark.parametrize("cut", [5000, 4600])
def test_a_decay_is_found_from_a_few_rounded_rates(shape, cut):
    """Cut short, the end of a cosine and of a power law is still found beyond the rates."""
    text = f"wsd:peak=0.001,{H},cooldown=0.4,final=0.0001,decay={shape}"
    schedule = parse_schedule(text + (",exponent=1.7" if shape == "power" else ""))
    at = np.arange(370, cut + 1, 130)
    rates = np.array([float(f"{rate:.8g}") for rate in schedule.lr[at - 1]])
    decay = match_decay(at.astype(float), rates)
    assert decay is not None
    assert decay.shape == shape
    assert decay.start == 3000
    if shape in ("cosine", "power"):
        assert decay.end == 5000
        assert_allclose(decay.final, 1e-4, rtol=1e-5)
    k = np.arange(370, at[-1] + 1)
    assert_allclose(decay.rates(k.astype(float)), schedule.lr[k - 1], atol=1e-9 * 0.1)


def test_no_formula_through_rates_that_follow_none():
    rates = np.array([1, 1, 0.9, 0.85, 0.5, 0.45, 0.1])
    assert match_decay(np.arange(7.0) * 10 + 1, rates) is None
    assert match_decay(np.array([1.0, 2, 3]), np.array([1.0, 1, 2])) is None
    assert match_decay(np.array([1.0, 2, 3]), np.zeros(3)) is None
