"""Exponents read from a spectrum, and from a fitted law."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw import KernelRegression
from losslaw.errors import InputError
from losslaw.kernel.measured import (
    exponents_of_law,
    measure_exponents,
    read_spectrum,
    spectrum_of,
)

J = np.arange(1.0, 3001)


@pytest.mark.parametrize(("s", "beta"), [(0.5, 2.0), (1.0, 1.3), (0.3, 4.0)])
def test_pure_powers_come_back(s, beta):
    found = measure_exponents(spectrum_of(J**-beta, signal=J ** -(1 + s * beta)))
    assert found.capacity.value == pytest.approx(beta, rel=2e-3)
    assert found.source.value == pytest.approx(s, rel=6e-3)
    assert found.capacity.window[1] > 800  # 1000^-4 is zero


def test_random_coefficients_are_inside_the_interval():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(60):
        theta = rng.standard_normal(J.size) * J**-0.5
        found = measure_exponents(spectrum_of(J**-2.0, target=theta))  # signal j^-3: s = 1
        inside += found.source.interval.lower <= 1.0 <= found.source.interval.upper
        assert found.source.value == pytest.approx(1.0, abs=0.15)
    assert inside >= 50  # 54 of 60 expected at a level of .9


@pytest.mark.parametrize("beta", [1.5, 2.0])
def test_the_bent_edge_of_random_features_is_left_out(beta):
    world = KernelRegression(source=0.7, capacity=beta, modes=400, features="random")
    modes = world.true_modes
    found = measure_exponents(spectrum_of(modes.rate, signal=modes.signal))
    assert found.capacity.value == pytest.approx(beta, abs=0.12)
    assert found.capacity.interval.lower < beta < found.capacity.interval.upper
    assert found.source.value == pytest.approx(0.7, abs=0.2)


def test_a_broken_power_is_read_from_its_longer_part():
    lam = np.where(J < 30, J**-1.0, 30.0**1.0 * J**-2.0)
    found = measure_exponents(spectrum_of(lam))
    assert found.capacity.value == pytest.approx(2.0, abs=0.12)
    assert found.source is None


def test_an_exponential_spectrum_is_no_power_law():
    found = measure_exponents(spectrum_of(np.exp(-0.02 * J[:1000]), tolerance=0.0))
    assert not found.capacity.steady or found.capacity.interval.half_width > 0.3
    assert "drifts" in str(found.capacity) or found.capacity.interval.half_width > 0.3


def test_zeros_are_dropped_and_order_does_not_matter():
    lam = np.concatenate([np.zeros(50), J[:500] ** -2.0, [-1e-15]])
    theta = np.concatenate([np.ones(50), np.full(500, 0.5), [0.1]])
    rng = np.random.default_rng(0)
    shuffle = rng.permutation(lam.size)
    found = spectrum_of(lam[shuffle], target=theta[shuffle])
    assert found.dropped == 51
    assert_allclose(found.eigenvalues, J[:500] ** -2.0)
    assert_allclose(found.targets, 0.5)
    assert_allclose(found.signal, 0.25 * J[:500] ** -2.0)
    # And it is a problem that can be run.
    KernelRegression(spectrum=found.eigenvalues, targets=found.targets).largest_lr()


def test_read_from_a_file(tmp_path):
    path = tmp_path / "spectrum.csv"
    rows = "\n".join(f"{lam},{lam**0.5}" for lam in J[:200] ** -2.0)
    path.write_text(f"eigenvalue,projection\n{rows}\n")
    assert_allclose(read_spectrum(path).signal, J[:200] ** -2.0, rtol=1e-12)


def test_fitted_laws_say_easy_hard_or_open():
    assert exponents_of_law(0.4, 0.02, 1.75, 0.05).side == "hard"
    assert exponents_of_law(1.2, 0.02, 1.75, 0.05).side == "easy"
    assert exponents_of_law(0.7, 0.3, 1.75, 0.05).side == "open"
    unknown = exponents_of_law(0.4, 0.02, 1.75, math.inf)
    assert unknown.capacity.interval.upper == math.inf
    assert unknown.side == "open"
    assert exponents_of_law(0.4, 0.02, 2.4, 0.1).capacity.value == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spectrum_of([1.0, -0.5]), "eigenvalue 1 is -0.5, below zero"),
        (lambda: spectrum_of([0.0, 0.0]), "no eigenvalue is above zero"),
        (lambda: spectrum_of([1.0], target=[1.0], signal=[1.0]), "give one of target, signal"),
        (lambda: spectrum_of([1.0, 0.5], target=[1.0]), "target: 1 values for 2 eigenvalues"),
        (lambda: measure_exponents(spectrum_of([1.0, 0.5])), "2 modes, expected at least 32"),
        (lambda: spectrum_of([1.0]).targets, "the spectrum has no targets"),
    ],
)
def test_bad_spectra(call, message):
    with pytest.raises(InputError) as error:
        call()
    assert message in str(error.value)


def test_what_is_no_power_law_is_said():
    with pytest.raises(InputError, match=r"fall as j\^0, expected a power law, of a capacity in"):
        measure_exponents(spectrum_of(np.ones(100), signal=np.ones(100)))


@pytest.mark.parametrize(
    ("eigenvalue", "target", "message"),
    [
        (1e308, 1e200, r"the largest eigenvalue is 1e\+308, expected 1e-50 .. 1e\+50"),
        (1e-308, 1.0, "the largest eigenvalue is 1e-308"),
        (1.0, -1e200, r"the largest target is 1e\+200, expected 0 .. 1e\+50"),
    ],
)
def test_numbers_of_extreme_size_are_refused_in_their_file(tmp_path, eigenvalue, target, message):
    path = tmp_path / "s.csv"
    path.write_text(f"eigenvalue,target\n{eigenvalue},{target}\n")
    with pytest.raises(InputError, match=rf"s\.csv: {message}"):
        read_spectrum(path)
