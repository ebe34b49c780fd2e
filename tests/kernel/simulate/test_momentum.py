"""SGD with momentum: against the recursion of whole covariance matrices, and sampled runs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw import KernelRegression, Schedule, wsd
from losslaw.errors import InputError
from losslaw.kernel.simulate.momentum import Momentum

LR = np.concatenate([np.linspace(0.01, 0.08, 20), np.full(30, 0.08), np.linspace(0.08, 0.0, 15)])
BATCH = np.where(np.arange(65) < 40, 2.0, 5.0)
MOVING = np.linspace(0.5, 0.95, 65)


def dense(world, lr, batch, rho, nesterov):
    """Covariance of (u, v) as one matrix of 2M rows, moved update by update; excess risks.

    ``E g g' = H C H (1 + 1/B) + H (tr(H C) + A + sigma^2) / B`` for Gaussian features, C = E u u'.
    """
    modes = world.true_modes
    n = modes.rate.size
    H = np.diag(modes.rate)
    u0 = np.sqrt(modes.signal / modes.rate)
    C = np.zeros((2 * n, 2 * n))
    C[:n, :n] = np.outer(u0, u0)
    eye = np.eye(n)
    risks = []
    for eta, B, r in zip(lr, batch, rho, strict=True):
        uu = C[:n, :n]
        noise = (H @ uu @ H + H * (np.trace(H @ uu) + modes.floor)) / B  # of g, about its mean H u
        a, b = (r * r, 1 + r) if nesterov else (r, 1.0)
        # (u, v, g - H u) -> (u, v)
        T = np.block([[eye - eta * b * H, -eta * a * eye], [H, r * eye]])
        N = np.vstack([-eta * b * eye, eye])
        C = T @ C @ T.T + N @ noise @ N.T
        risks.append(0.5 * (np.trace(H @ C[:n, :n]) + modes.unlearned))
    return np.array(risks)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, MOVING], ids=["0", ".5", ".9", "moving"])
def test_exact_is_the_recursion_of_whole_covariances(rho, nesterov):
    world = KernelRegression(source=0.7, capacity=1.8, modes=12, noise=0.7)
    schedule = Schedule(LR, batch=BATCH)
    curve = world.mean_curve(schedule, momentum=rho, nesterov=nesterov, method="recursion")
    exact = dense(world, LR, BATCH, np.broadcast_to(rho, 65), nesterov)
    assert_allclose(curve.loss - 0.5 * world.noise**2, exact, rtol=1e-12)


def test_without_momentum_it_is_sgd():
    world = KernelRegression(source=0.7, capacity=1.8)
    schedule = wsd(peak=0.3, horizon=3000)
    plain = world.excess_risk(schedule, [10, 1000, 3000])
    for nesterov in (False, True):
        same = world.excess_risk(schedule, [10, 1000, 3000], momentum=0.0, nesterov=nesterov)
        assert_allclose(same, plain, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("rho", [0.5, 0.9, 0.99, 0.999])
def test_nodes_stand_for_all_modes(rho, nesterov):
    world = KernelRegression(source=0.7, capacity=1.8, modes=20_000)
    peak = 0.5 * world.largest_lr(4, momentum=rho, nesterov=nesterov)
    schedule = wsd(peak=peak, horizon=2000, batch=4)
    quick, exact = (
        world.mean_curve(schedule, [20, 500, 1600, 2000], momentum=rho, nesterov=nesterov,
                         method=method).loss
        for method in ("quadrature", "recursion")
    )  # fmt: skip
    assert_allclose(quick, exact, rtol=1e-9)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("rho", [0.3, 0.9])
def test_the_limit_is_that_of_the_whole_matrix(rho, batch, nesterov):
    """The map of (x, y, z) of all modes has its spectral radius at 1 there."""
    world = KernelRegression(source=1, capacity=1.5, modes=5, noise=0.0)
    limit = world.largest_lr(batch, momentum=rho, nesterov=nesterov)
    radii = []
    for factor in (0.999, 1.001):
        n, columns = 5, []
        lam = world.true_modes.rate
        a, b = (rho**2, 1 + rho) if nesterov else (rho, 1.0)
        for i in range(3 * n):
            state = np.zeros(3 * n)
            state[i] = 1.0
            x, y, z = state.reshape(3, n)
            s = factor * limit * lam
            G = (1 + 1 / batch) * x + x.sum() / batch
            new_x = x - 2 * s * (a * y + b * x) + s**2 * (a**2 * z + 2 * a * b * y + b**2 * G)
            new_y = rho * y + x - s * (a * rho * z + (a + b * rho) * y + b * G)
            columns.append(np.concatenate([new_x, new_y, rho**2 * z + 2 * rho * y + G]))
        radii.append(np.abs(np.linalg.eigvals(np.array(columns).T)).max())
    assert radii[0] < 1 < radii[1]


def test_limits_in_closed_form():
    world = KernelRegression(source=1, capacity=2)
    assert_allclose(world.largest_lr(4, momentum=0.0), world.largest_lr(4), rtol=1e-12)
    # As rho -> 1 the effective rate at the limit is that of the papers' SDE, F = sum x / (2 - x).
    rho = 1 - 1e-6
    x = world.largest_lr(1, momentum=rho) / (1 - rho) * np.arange(1.0, 1e6) ** -2
    assert_allclose((x / (2 - x)).sum(), 1, rtol=1e-4)
    # A huge batch: the limits of gradient descent.
    assert_allclose(world.largest_lr(1e9, momentum=0.9), 2 * 1.9, rtol=1e-3)
    nesterov = world.largest_lr(1e9, momentum=0.9, nesterov=True)
    assert_allclose(nesterov, 2 * 1.9 / 2.8, rtol=1e-3)


@pytest.mark.parametrize("nesterov", [False, True])
def test_mean_of_sampled_runs(nesterov):
    world = KernelRegression(source=0.7, capacity=1.8, modes=10)
    schedule = Schedule(LR, batch=BATCH)
    steps = [5, 30, 65]
    runs = world.sample(schedule, steps, runs=3000, seed=4, momentum=MOVING, nesterov=nesterov)
    exact = world.mean_curve(schedule, steps, momentum=MOVING, nesterov=nesterov).loss
    assert (np.abs(runs.mean - exact) < 4 * runs.standard_error).all()
    assert (runs.standard_error < 0.02 * exact).all()


@pytest.mark.parametrize("nesterov", [False, True])
def test_effective_rates_are_how_far_a_gradient_moves(nesterov):
    rho, lr = MOVING[:6], LR[:6]
    momentum = Momentum(rho, nesterov)
    for k in range(6):
        u = v = 0.0
        for i in range(6):
            g = float(i == k)
            v = rho[i] * v + g
            u += lr[i] * (g + rho[i] * v if nesterov else v)
        assert_allclose(momentum.effective(lr)[k], u, rtol=1e-14)


def test_small_rates_are_sgd_at_the_effective_rate():
    """And the functional scaling law with them, to the order of the noise fed back."""
    world = KernelRegression(source=0.5, capacity=2.0)
    rho, share = 0.9, 0.01
    schedule = wsd(peak=share * world.largest_lr() * (1 - rho), horizon=20_000, batch=1)
    with_momentum = world.excess_risk(schedule, [10_000, 20_000], momentum=rho)
    plain = schedule.with_(lr=Momentum(np.full(20_000, rho)).effective(schedule.lr))
    assert_allclose(world.excess_risk(plain, [10_000, 20_000]), with_momentum, rtol=0.01)
    law = world.scaling_law(schedule, [10_000, 20_000], momentum=rho).excess
    assert_allclose(law, with_momentum, rtol=0.015)


@pytest.mark.parametrize(
    ("momentum", "message"),
    [
        (1.0, "momentum[0] is 1, expected in [0, 1)"),
        ([0.1, -0.1, 0.0], "momentum[1] is -0.1"),
        ([0.1], "momentum has shape (1,), expected a number or one for each of 3"),
    ],
)
def test_bad_momentum(momentum, message):
    world = KernelRegression(source=0.5, capacity=2.0)
    with pytest.raises(InputError) as error:
        world.mean_curve(Schedule([0.1] * 3), momentum=momentum)
    assert message in str(error.value)


def test_what_momentum_does_not_go_with():
    world = KernelRegression(source=0.5, capacity=2.0)
    for more in ({"average": "ema:0.9"}, {"method": "sde"}):
        with pytest.raises(InputError, match="momentum"):
            world.mean_curve(Schedule([0.1] * 3), momentum=0.9, **more)
    with pytest.raises(InputError, match=r"momentum 0\.9 is not stable"):
        world.mean_curve(Schedule([0.5] * 3), momentum=0.9)


def test_no_more_modes_swing_than_there_are():
    world = KernelRegression(source=1, capacity=0.001, ambient=16, modes=5)
    run = Schedule([0.5 * world.largest_lr(momentum=0.99)] * 9)
    nodes, every = (
        world.mean_curve(run, momentum=0.99, method=method).loss
        for method in ("quadrature", "recursion")
    )
    assert_allclose(nodes, every, rtol=1e-8)
    many = KernelRegression(source=1, capacity=1.5)
    run = Schedule([0.5 * many.largest_lr(momentum=0.9999999)] * 9)
    with pytest.raises(InputError, match=r"modes are underdamped, and quadrature takes up to"):
        many.mean_curve(run, momentum=0.9999999)
