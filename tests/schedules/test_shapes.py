"""Shapes of decay: what they are at their ends, their inverses, and their digits at 10^12."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from losslaw.errors import InputError
from losslaw.schedules.shapes import DECAYS, NEAR_END, decay_shape

PEAK, FINAL = 3e-4, 2e-5
EXPONENTS = st.floats(0.3, 4.0)


@given(st.sampled_from(DECAYS), EXPONENTS)
def test_a_fall_goes_from_its_peak_to_its_final_rate(name, exponent):
    z = np.linspace(0, 1, 101)
    rates = decay_shape(name, exponent).rates(z, 1 - z, PEAK, FINAL)
    assert_allclose(rates[[0, -1]], [PEAK, FINAL], rtol=1e-12)
    assert (np.diff(rates) < 0).all()


@given(st.sampled_from(DECAYS), EXPONENTS, st.floats(0.001, 0.999))
def test_the_inverse_finds_the_place_of_a_rate(name, exponent, z):
    shape = decay_shape(name, exponent)
    rate = float(shape.rates(np.array([z]), np.array([1 - z]), PEAK, FINAL)[0])
    # A flat end of a power of 4 leaves a rate few digits of its place.
    assert_allclose(shape.reaches(rate, PEAK, FINAL), z, rtol=1e-6)


@given(st.sampled_from([name for name in DECAYS if not decay_shape(name).has_end]), EXPONENTS)
def test_what_is_cut_short_is_again_one_of_its_shape(name, exponent):
    shape, z = decay_shape(name, exponent), np.linspace(0, 1, 11)
    middle = float(shape.rates(np.array([0.4]), np.array([0.6]), PEAK, FINAL)[0])
    cut = shape.rates(z, 1 - z, PEAK, middle)
    assert_allclose(cut, shape.rates(0.4 * z, 1 - 0.4 * z, PEAK, FINAL), rtol=1e-12)
    # And goes on as it was, beyond its own end.
    assert_allclose(shape.rates(z / 0.4, 1 - z / 0.4, PEAK, middle)[-1], FINAL, rtol=1e-12)


@given(st.sampled_from([name for name in DECAYS if decay_shape(name).line]), EXPONENTS)
def test_a_line_in_its_scale(name, exponent):
    shape, z = decay_shape(name, exponent), np.linspace(0, 1, 11)
    to, back = shape.line
    values = to(shape.rates(z, 1 - z, PEAK, FINAL))
    assert_allclose(np.diff(values, 2), 0, atol=1e-12 * np.abs(values).max())
    assert_allclose(back(values), shape.rates(z, 1 - z, PEAK, FINAL), rtol=1e-12)


# Leading terms of the levels next to the end.
ENDS = {
    "linear": lambda y: y,
    "cosine": lambda y: (np.pi * y / 2) ** 2,
    "1-sqrt": lambda y: y / 2,
    "power": lambda y: y**3,
    "1-power": lambda y: 3 * y,
}


@pytest.mark.parametrize("name", ENDS)
def test_levels_keep_their_digits_at_the_end(name):
    y = np.geomspace(1e-30, 1e-10, 21)
    level = decay_shape(name, 3.0).rates(1 - y, y, 1.0, 0.0)
    assert_allclose(level, ENDS[name](y), rtol=1e-9)


@pytest.mark.parametrize("name", ENDS)
def test_the_two_ways_to_write_a_level_meet(name):
    """Where one formula takes over from the other there is no step."""
    y = NEAR_END * np.array([1 - 1e-12, 1 + 1e-12])
    level = decay_shape(name, 3.0).rates(1 - y, y, 1.0, 0.0)
    # 1 - 1e-6 has 10 digits of 1e-6: the plain formula is exact to a rounding of 1.
    assert_allclose(level[0], level[1], rtol=1e-10, atol=1.2e-16)


def test_unknown_shapes_and_exponents():
    with pytest.raises(InputError, match="decay 'steep', expected one of: linear, cosine"):
        decay_shape("steep")
    with pytest.raises(InputError, match="exponent is 0, expected above 0"):
        decay_shape("inverse-power", 0.0)
