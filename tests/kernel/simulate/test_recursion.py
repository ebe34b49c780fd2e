"""The exact recursion, against itself as printed, closed forms, and stability by brute force."""

import math

import numpy as np
import pytest
from helpers.kernel_oracles import mean_totals
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from losslaw.errors import InputError
from losslaw.kernel import KernelRegression
from losslaw.schedules import Schedule

rates = st.lists(st.floats(0.0, 0.4), min_size=1, max_size=12).filter(any)


@settings(max_examples=40, deadline=None)
@given(rates, st.integers(1, 9), st.sampled_from(["gaussian", "uniform", "laplace"]))
def test_compiled_is_the_formula_as_printed(lr, batch, distribution):
    world = KernelRegression(0.5, 1.5, modes=7, noise=0.3, distribution=distribution)
    schedule = Schedule(lr, batch=batch)
    at = np.arange(1, schedule.horizon + 1)
    curve = world.mean_curve(schedule, method="recursion", allow_unstable=True)
    modes = world.true_modes
    printed = modes.risk(mean_totals(modes, schedule.lr, np.full(at.size, batch), at))
    assert_allclose(curve.loss, printed, rtol=1e-13)


def test_one_mode_one_update_by_hand():
    # m <- (1 - eta)^2 m + eta^2/B (m + X + sigma^2) with lambda = m = X = 1
    eta, B, sigma = 0.3, 4, 0.5
    world = KernelRegression(1.0, 2.0, modes=1, ambient=1, noise=sigma)
    m = (1 - eta) ** 2 + eta**2 / B * (2 + sigma**2)
    curve = world.mean_curve(Schedule([eta], batch=B))
    assert_allclose(curve.loss, [(m + sigma**2) / 2], rtol=1e-14)


def test_updates_of_rate_zero_change_nothing():
    world = KernelRegression(0.5, 2.0)
    plain = world.mean_curve(Schedule([0.2, 0.1]))
    padded = world.mean_curve(Schedule([0.0, 0.2, 0.0, 0.0, 0.1]), steps=[2, 4, 5])
    assert_allclose(padded.loss, plain.loss[[0, 0, 1]], rtol=1e-9)


def test_only_the_ratio_of_noise_and_error_counts():
    # Scaling targets and noise by one factor scales the excess risk by its square.
    j = np.arange(1.0, 30)
    schedule = Schedule(np.full(40, 0.3), batch=2)
    a = KernelRegression(spectrum=1 / j**2, targets=1 / j, noise=0.5)
    b = KernelRegression(spectrum=1 / j**2, targets=3 / j, noise=1.5)
    assert_allclose(b.mean_curve(schedule).loss, 9 * a.mean_curve(schedule).loss, rtol=1e-13)


@pytest.mark.parametrize("batch", [1, 3, 32])
@pytest.mark.parametrize("distribution", ["gaussian", "uniform", "laplace"])
@pytest.mark.parametrize(("capacity", "modes"), [(1.2, 60), (2.0, 60), (4.0, 30), (2.0, 1)])
def test_largest_rate_is_where_the_spectral_radius_is_one(capacity, modes, distribution, batch):
    world = KernelRegression(1.0, capacity, modes, distribution=distribution)
    eta = world.largest_lr(batch)
    modes_ = world.true_modes
    lam, own = modes_.rate, modes_.own_noise
    update = np.diag((1 - eta * lam) ** 2 + eta**2 / batch * own * lam**2)
    update += eta**2 / batch * np.outer(lam**2, np.ones(lam.size))
    radius = np.abs(np.linalg.eigvals(update)).max()
    assert_allclose(radius, 1.0, atol=1e-9)
    assert_allclose(world.noise_feedback(eta, batch), 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("capacity", "limits"),
    [
        (1.2, (0.322, 1.473, 1.873)),
        (1.5, (0.522, 1.565, 1.879)),
        (2.0, (0.611, 1.587, 1.881)),
        (3.0, (0.650, 1.596, 1.882)),
        (4.0, (0.660, 1.599, 1.882)),
    ],
)
def test_largest_rates_of_infinitely_many_modes(capacity, limits):
    world = KernelRegression(1.0, capacity)
    assert_allclose([world.largest_lr(B) for B in (1, 8, 32)], limits, atol=6e-4)


def test_stability_of_infinitely_many_modes_is_the_limit():
    limit = KernelRegression(1.0, 1.5).largest_lr()
    finite = [KernelRegression(1.0, 1.5, 10**k).largest_lr() for k in (3, 5, 7)]
    # The trace left out falls as M^(1 - beta), here a factor of 10 for a factor of 100 in M.
    assert_allclose(np.diff(np.log(np.array(finite) - limit)), [-math.log(10)] * 2, rtol=0.05)


def test_plateau_of_a_constant_rate():
    world = KernelRegression(1.0, 2.0, modes=40, noise=0.7)
    eta, B = 0.4, 2
    F = world.noise_feedback(eta, B)
    plateau = (world.unlearned + 0.7**2) * F / (1 - F) + world.unlearned
    curve = world.mean_curve(Schedule(np.full(40_000, eta), batch=B), steps=[40_000])
    assert_allclose(2 * curve.loss[0] - 0.7**2, plateau, rtol=1e-9)


def test_an_unstable_rate_is_refused_with_the_way_out():
    world = KernelRegression(1.0, 2.0)
    limit = world.largest_lr(8)
    lr, batch = [0.3, 0.3, limit * 1.01, 0.3], [1, 8, 8, 8]
    with pytest.raises(InputError, match=r"at update 3 is not stable: .* at batch 8 is 1\.58749"):
        world.mean_curve(Schedule(lr, batch=batch))
    # Stable at its own batch, though far above the limit of batch 1.
    world.mean_curve(Schedule([0.3, 0.3, limit * 0.99], batch=[1, 8, 8]))


def test_a_short_excursion_may_be_run_on_request():
    world = KernelRegression(0.5, 4.0, modes=100)
    lr = np.full(200, 0.3)
    lr[50:53] = 1.2
    curve = world.mean_curve(Schedule(lr), allow_unstable=True)
    assert len(curve) == 200
    assert curve.warnings == ()
    assert curve.loss[52] > curve.loss[49]
    assert curve.loss[-1] < curve.loss[52]


@pytest.mark.parametrize("method", ["quadrature", "recursion", "sde", "volterra"])
def test_a_run_that_diverges_ends_with_a_sentence(method):
    world = KernelRegression(0.5, 4.0, modes=100)
    schedule = Schedule(np.full(5000, 2.5))
    curve = world.mean_curve(schedule, method=method, allow_unstable=True)
    assert len(curve) < 5000
    assert np.isfinite(curve.loss).all()
    (warning,) = curve.warnings
    assert "diverges" in warning
    assert "largest admissible one at batch 1 is 0.66" in warning
    with pytest.raises(InputError, match="diverges"):
        world.mean_curve(schedule, steps=[4999], method=method, allow_unstable=True)
