"""A few dozen nodes against every mode by itself, over whole runs."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.kernel import KernelRegression
from losslaw.kernel.simulate import quadrature, recursion
from losslaw.kernel.simulate.quadrature import gauss_rule
from losslaw.kernel.spectrum import power_sum
from losslaw.schedules import Schedule, constant, cosine, cyclic, wsd


def schedules(peak, n):
    k = np.arange(n)
    batch = np.where(k < n / 4, 1, np.where(k < 0.7 * n, 16, 2))
    return {
        "constant": constant(peak=peak, horizon=n),
        "tiny": constant(peak=peak / 1000, horizon=n),
        "cosine": cosine(peak=peak, horizon=n),
        "wsd": wsd(peak=peak, horizon=n, decay="exponential", final=peak / n),
        "re-warm-up": cyclic(peak=peak, horizon=n, cycles=2.5, warmup=n // 10),
        "batch jumps": Schedule(np.where(k < n / 2, peak, peak / 3), batch=batch),
    }


@pytest.mark.parametrize(
    ("source", "capacity", "modes", "updates", "noise"),
    [
        (0.2, 1.2, 10**5, 500, 0.0),
        (0.5, 1.2, 10**4, 5_000, 1.0),
        (2.0, 1.2, 10**4, 5_000, 1.0),
        (1.0, 1.3, 10**3, 30_000, 1.0),
        (0.3, 2.0, 10**4, 3_000, 1.0),
        (2.0, 4.0, 10**3, 30_000, 0.0),
        (0.5, 4.0, 33, 1_000, 1.0),
    ],
)
def test_nodes_stand_for_all_modes(source, capacity, modes, updates, noise):
    world = KernelRegression(source, capacity, modes, noise)
    at = np.unique(np.geomspace(1, updates, 200).astype(np.int64))
    for name, schedule in schedules(0.9 * world.largest_lr(), updates).items():
        batch = np.ones(updates) if schedule.batch is None else schedule.batch
        nodes = world.nodes(schedule.intrinsic_time[-1])
        true, _ = recursion.run(world.true_modes, schedule.lr, batch, at)
        quick, _ = recursion.run(nodes, schedule.lr, batch, at)
        A = world.unlearned
        assert_allclose(quick + A, true + A, rtol=5e-9, err_msg=name)  # seen: 2.4e-9
        assert nodes.rate.size <= 50  # seen: 48


def test_one_update():
    world = KernelRegression(0.5, 1.5, 10**4)
    one = Schedule([0.4])
    true = world.mean_curve(one, method="recursion").loss
    assert_allclose(world.mean_curve(one).loss, true, rtol=1e-14)


def test_a_million_modes_and_infinitely_many():
    # 10^6 modes of capacity 1.2 reach down to lambda = 6e-8.
    schedule = Schedule(np.full(100, 0.2), batch=4)
    million = KernelRegression(0.5, 1.2, 10**6)
    assert_allclose(
        million.mean_curve(schedule).loss,
        million.mean_curve(schedule, method="recursion").loss,
        rtol=1e-9,
    )
    # What infinitely many have more is what a million leave unlearned, and a little noise.
    endless = KernelRegression(0.5, 1.2).mean_curve(schedule).loss
    more = KernelRegression(0.5, 1.2, 10**60).mean_curve(schedule).loss
    assert_allclose(more, endless, rtol=1e-12)


@pytest.mark.parametrize(("source", "capacity"), [(0.5, 1.2), (1.0, 1.5), (0.3, 2.0), (0.5, 4.0)])
def test_infinitely_many_modes_against_twice_the_nodes(source, capacity, monkeypatch):
    world = KernelRegression(source, capacity)
    schedule = cosine(peak=0.5 * world.largest_lr(), horizon=100_000)
    steps = np.unique(np.geomspace(1, 100_000, 100).astype(np.int64))
    quick = world.mean_curve(schedule, steps).loss - 0.5
    nodes = world.nodes(schedule.intrinsic_time[-1]).rate.size
    assert nodes <= 50
    quadrature.power_law_nodes.cache_clear()
    monkeypatch.setattr(quadrature, "POINTS", 9.0)
    monkeypatch.setattr(quadrature, "POINTS_PER_FACTOR_8", 6.0)
    monkeypatch.setattr(quadrature, "REACH", 0.5)
    monkeypatch.setattr(quadrature, "HEAD", 20)
    fine = world.mean_curve(schedule, steps).loss - 0.5
    assert world.nodes(schedule.intrinsic_time[-1]).rate.size > 1.3 * nodes
    quadrature.power_law_nodes.cache_clear()
    # Differences of losses near .5 to the excess risk lose digits: 1e-16 / 1e-4.
    assert_allclose(quick, fine, rtol=1e-8)


@pytest.mark.parametrize("time", [1e-3, 1.0, 1e6, 1e12])
@pytest.mark.parametrize("modes", [33, 1000, 10**9, math.inf])
def test_moments_are_those_of_all_modes(modes, time):
    source, capacity = 0.4, 1.4
    rate, signal, noise = quadrature.power_law_nodes(source, capacity, modes, time)

    assert_allclose(signal.sum(), power_sum(1 + source * capacity, 0, modes), rtol=1e-9)
    assert_allclose(noise.sum(), power_sum(2 * capacity, 0, modes), rtol=1e-9)
    for values in (rate, signal, noise):
        assert (values >= 0).all()
    assert rate.max() == 1.0


@pytest.mark.parametrize(("low", "high"), [(8, 9), (8, 18), (8, 40), (1000, 1017), (37, 10**5)])
@pytest.mark.parametrize("power", [0.0, 1.05, 2.4, 8.0])
def test_whole_numbers_are_counted(low, high, power):
    at, weight = quadrature.counting_measure(low, high)
    j = np.arange(low + 1.0, high + 1)
    assert_allclose(weight @ at**-power, (j**-power).sum(), rtol=3e-12)
    assert at.size <= 12 * (np.log2(high / low) + 1)


def test_gauss_rule_does_polynomials_exactly():
    x, weight = np.arange(1.0, 101) / 100, np.arange(1.0, 101) ** -1.5
    nodes, mass = gauss_rule(x, weight, 6)
    for power in range(12):
        assert_allclose(mass @ nodes**power, weight @ x**power, rtol=1e-13)
