"""The adjoint against differences, and the free optimum against what it must beat."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw import KernelRegression, Schedule, cosine, power, wsd
from losslaw.errors import InputError
from losslaw.kernel.every_rate import free_optimum
from losslaw.kernel.simulate.gradients import gradient, sweep


@pytest.mark.parametrize("distribution", ["gaussian", "uniform"])
def test_gradient_is_that_of_differences(distribution):
    world = KernelRegression(
        source=0.6, capacity=1.7, modes=30, noise=0.5, distribution=distribution
    )
    rng = np.random.default_rng(0)
    lr, batch = rng.uniform(0.0, 0.3, 40), rng.uniform(1.0, 5.0, 40)
    modes = world.true_modes
    risk, by_lr, by_batch = gradient(modes, lr, batch)
    assert risk == pytest.approx(world.excess_risk(Schedule(lr, batch=batch))[0], rel=1e-12)
    for k in (0, 1, 17, 38, 39):
        for values, exact in ((lr, by_lr[k]), (batch, by_batch[k])):
            sides = []
            for h in (1e-4, -1e-4):
                moved = values.copy()
                moved[k] += h
                pair = (moved, batch) if values is lr else (lr, moved)
                sides.append(gradient(modes, *pair)[0])
            assert_allclose((sides[0] - sides[1]) / 2e-4, exact, rtol=1e-6, atol=1e-12)


def test_gradient_on_nodes_is_that_of_all_modes():
    world = KernelRegression(source=0.6, capacity=1.7, modes=5000)
    schedule = wsd(peak=0.3, horizon=3000)
    nodes = gradient(world.nodes(900.0), schedule.lr, np.ones(3000))[1]
    exact = gradient(world.true_modes, schedule.lr, np.ones(3000))[1]
    assert_allclose(nodes, exact, rtol=1e-6, atol=1e-7 * np.abs(exact).max())


def test_a_sweep_sets_each_rate_to_its_best():
    world = KernelRegression(source=0.6, capacity=1.7, modes=30)
    modes, n = world.true_modes, 50
    lr, batch = np.full(n, 0.2), np.ones(n)
    before = gradient(modes, lr, batch)[0]
    # The last rate alone: its derivative is zero afterwards.
    top = np.zeros(n)
    top[-1] = 0.5
    after = sweep(modes, lr, batch, top)
    risk, by_lr, _ = gradient(modes, lr, batch)
    assert risk == pytest.approx(after, rel=1e-14)
    assert after < before
    assert abs(by_lr[-1]) < 1e-14
    assert (lr[:-1] == 0.2).all()
    risks = [sweep(modes, lr, batch, np.full(n, 0.5)) for _ in range(30)]
    assert (np.diff(risks) <= 1e-15).all()


@pytest.mark.parametrize(("s", "beta"), [(1.0, 2.0), (0.5, 4.0)])
def test_free_optimum_is_stationary_and_beats_every_family(s, beta):
    world = KernelRegression(source=s, capacity=beta)
    top = 0.9 * world.largest_lr()
    n = 2000
    found = free_optimum(world, wsd(peak=0.5 * top, horizon=n, cooldown=0.5), tolerance=1e-9)
    assert found.gap < 2e-3
    assert world.excess_risk(found.schedule)[0] == pytest.approx(found.excess, rel=1e-6)
    for share in (0.1, 0.3, 1.0):
        for other in (
            wsd(peak=share * top, horizon=n, cooldown=0.3),
            cosine(peak=share * top, horizon=n),
            power(peak=share * top, horizon=n, exponent=2 * beta - 1),
        ):
            assert found.excess < world.excess_risk(other)[0]
    # From elsewhere to the same place.
    again = free_optimum(world, cosine(peak=top, horizon=n), tolerance=1e-9)
    assert again.excess == pytest.approx(found.excess, rel=1e-4)


def test_what_is_fixed_stays():
    world = KernelRegression(source=1.0, capacity=2.0)
    start = wsd(peak=0.2, horizon=300, warmup=50)
    found = free_optimum(world, start, fixed=50, top=0.3)
    assert (found.schedule.lr[:50] == start.lr[:50]).all()
    assert found.schedule.lr.max() <= 0.3
    with pytest.raises(InputError, match="fixed is 300"):
        free_optimum(world, start, fixed=300)
