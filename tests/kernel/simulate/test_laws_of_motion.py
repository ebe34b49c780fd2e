"""SDE, Volterra equation and scaling law: against brute force, and against each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import expm
from scipy.special import gamma

from losslaw.errors import InputError
from losslaw.kernel import KernelRegression
from losslaw.schedules import Schedule, constant, cosine, cyclic, wsd


def small_world() -> KernelRegression:
    return KernelRegression(0.5, 1.5, modes=12, noise=0.7)


def jumpy() -> Schedule:
    lr = np.concatenate([np.full(8, 0.4), np.zeros(2), np.linspace(0.4, 0.0, 10), [0.3] * 4])
    return Schedule(lr, batch=np.where(np.arange(24) < 5, 1, 4))


def matrix_exponential(world: KernelRegression, schedule: Schedule, own: float) -> np.ndarray:
    modes = world.true_modes
    lam, n = modes.rate, modes.rate.size
    state = np.append(modes.signal, 1.0)
    totals = []
    for eta, B in zip(schedule.lr, schedule.batch, strict=True):
        gamma_ = eta / B
        A = np.zeros((n + 1, n + 1))
        A[:n, :n] = np.diag(-2 * lam + gamma_ * own * lam**2)
        A[:n, :n] += gamma_ * np.outer(lam**2, np.ones(n))
        A[:n, n] = gamma_ * lam**2 * modes.floor
        state = expm(A * eta) @ state
        totals.append(state[:n].sum())
    return np.array(modes.risk(np.array(totals)))


@pytest.mark.parametrize(("method", "own"), [("sde", 1.0), ("volterra", 0.0)])
def test_equations_against_the_matrix_exponential(method, own):
    world, schedule = small_world(), jumpy()
    curve = world.mean_curve(schedule, method=method)
    assert_allclose(curve.loss, matrix_exponential(world, schedule, own), rtol=2e-6)


def test_volterra_is_the_volterra_equation():
    """``f = g + T f`` by the trapezoid rule on a grid, twice, extrapolated."""
    world = small_world()
    modes = world.true_modes
    lr = np.array([0.4, 0.4, 0.4, 0.2, 0.2])
    batch = np.array([1.0, 1.0, 2.0, 2.0, 2.0])

    def K(t):
        return np.exp(-2 * np.multiply.outer(t, modes.rate)) @ modes.noise

    def solve(per_unit: int) -> float:
        cells = np.round(lr * per_unit).astype(int)
        h = 1 / per_unit
        gam = np.repeat(lr / batch, cells)  # of each cell
        t = h * np.arange(cells.sum() + 1)
        signal = np.exp(-2 * np.multiply.outer(t, modes.rate)) @ modes.signal
        kernel = K(t)
        f = np.empty(t.size)
        for i in range(t.size):
            drive = 0.0
            if i:
                left = kernel[i:0:-1] * (f[:i] + modes.label_noise)
                right = kernel[i - 1 :: -1][:i] * np.append(f[1:i] + modes.label_noise, 0)
                drive = h / 2 * (gam[:i] @ (left + right))
                drive += h / 2 * gam[i - 1] * kernel[0] * modes.label_noise
            f[i] = modes.unlearned + signal[i] + drive
            if i:  # the last cell carries f at its own end
                f[i] /= 1 - h / 2 * gam[i - 1] * kernel[0]
        return f[-1]

    coarse, fine = solve(100), solve(200)
    value = (4 * fine - coarse) / 3
    curve = world.mean_curve(Schedule(lr, batch=batch), [5], method="volterra")
    assert_allclose(2 * curve.loss[0] - 0.49, value, rtol=1e-6)


def test_terms_are_their_double_sums():
    world, schedule = small_world(), jumpy()
    modes = world.true_modes
    lr, B, t = schedule.lr, schedule.batch, np.cumsum(schedule.lr)
    for kernels, constants in (("spectrum", True), ("power", False), ("power", True)):
        if kernels == "spectrum":
            e = lambda z: modes.signal @ np.exp(-2 * modes.rate * z)  # noqa: E731
            K = lambda z: modes.noise @ np.exp(-2 * modes.rate * z)  # noqa: E731
            extra, half = modes.unlearned, 0.5
        else:
            s, q = 0.5, 2 - 1 / 1.5
            scale, half = (2.0, 0.5) if constants else (1.0, 1.0)
            e0, K0 = (gamma(s) / 1.5, gamma(q) / 1.5) if constants else (1.0, 1.0)
            e = lambda z: e0 * (1 + scale * z) ** -s  # noqa: B023, E731
            K = lambda z: K0 * (1 + scale * z) ** -q  # noqa: B023, E731
            extra = 0.0
        terms = world.scaling_law(schedule, kernels=kernels, constants=constants)
        for n in (1, 2, 11, 24):
            before = np.concatenate([[0.0], t[:-1]])
            weight = [lr[k] ** 2 / B[k] * K(t[n - 1] - t[k]) for k in range(n)]
            made = sum(w * (e(before[k]) + extra) for k, w in enumerate(weight))
            assert_allclose(terms.signal[n - 1], half * e(t[n - 1]), rtol=1e-12)
            assert_allclose(terms.minibatch[n - 1], half * made, rtol=1e-7)
            assert_allclose(terms.label[n - 1], half * 0.49 * sum(weight), rtol=1e-7)
        if kernels == "power" and not constants:
            assert_allclose(terms.approximation, 12.0**-0.75)
        else:
            assert_allclose(terms.approximation, modes.unlearned / 2)
        assert_allclose(terms.risk - terms.excess, 0.245, rtol=1e-12)
        assert terms.columns.shape == (24, 3)


def shapes(n: int) -> list[Schedule]:
    return [
        constant(peak=1, horizon=n),
        cosine(peak=1, horizon=n),
        wsd(peak=1, horizon=n),
        cyclic(peak=1, horizon=n),
        Schedule(np.ones(n), batch=np.where(np.arange(n) < n // 3, 1, 20)),
    ]


@pytest.mark.parametrize(("source", "capacity"), [(0.5, 4.0), (1.0, 1.5)])
@pytest.mark.parametrize("fraction", [0.5, 0.1, 0.02])
def test_the_law_is_right_within_its_own_feedback(source, capacity, fraction):
    world = KernelRegression(source, capacity, modes=1000)
    eta = fraction * world.largest_lr()
    F = world.noise_feedback(eta)
    steps = np.unique(np.geomspace(1, 5000, 80).astype(np.int64))
    for shape in shapes(5000):
        schedule = shape.scaled(eta)
        exact = world.mean_curve(schedule, steps).loss - 0.5
        law = world.scaling_law(schedule, steps).excess
        volterra = world.mean_curve(schedule, steps, method="volterra").loss - 0.5
        # The first update of a discrete run forgets eta lambda of 2 eta lambda more.
        assert np.abs(law / exact - 1).max() < 2 * F + eta**2
        assert np.abs(volterra / exact - 1).max() < 2 * F + eta**2


def test_infinite_kernels_tend_to_their_power_laws():
    world = KernelRegression(0.5, 2.0)
    at = [10**6]
    spectrum, power = (
        world.scaling_law(Schedule(np.full(10**6, 0.01)), at, kernels=kernels)
        for kernels in ("spectrum", "power")
    )
    assert_allclose(power.signal, spectrum.signal, rtol=1e-3)
    # The label noise of a constant rate is made lately, where the kernels differ by a constant.
    assert_allclose(power.label, spectrum.label, rtol=0.6)


def test_sde_and_sgd_part_as_the_rate_grows():
    world = KernelRegression(0.5, 4.0, modes=1000)
    late = np.arange(1000, 5001, 100)
    gaps = world.sde_gap(constant(peak=1, horizon=5000), [0.005, 0.05, 0.5, 0.9], late)
    assert (np.diff(gaps) > 0).all()
    assert gaps[0] < 1e-3
    assert 0.12 < gaps[2] < 0.24


def test_power_kernels_need_exponents():
    world = KernelRegression(spectrum=[1.0, 0.5], targets=[1.0, 1.0])
    with pytest.raises(InputError, match="need source and capacity"):
        world.scaling_law(Schedule([0.1]), kernels="power")
