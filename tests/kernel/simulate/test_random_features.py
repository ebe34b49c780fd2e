"""Random features in the limit of many, against drawn ones and against sums that are known."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.errors import InputError
from losslaw.kernel import KernelRegression
from losslaw.kernel.simulate import recursion
from losslaw.kernel.simulate.random_features import random_feature_modes
from losslaw.numerics.power_sums import power_sum
from losslaw.schedules import Schedule

PROBLEMS = [(0.5, 1.5), (0.5, 0.8), (2.0, 0.4), (2.0, 1.5), (2.0, 0.55), (0.3, 3.0)]


@pytest.mark.parametrize(("s", "beta"), PROBLEMS)
@pytest.mark.parametrize("modes", [50, 3000, 10**7])
def test_sums_over_the_spectrum(s, beta, modes):
    """Traces of X X' and its square, y' y and y' X X' y, as they are for many features."""
    N, signal = 4 * modes, 1 + s * beta
    trace = power_sum(beta, 0, N)
    nodes = random_feature_modes(s, beta, modes, N)
    assert_allclose((nodes.noise / nodes.rate).sum(), trace, rtol=1e-7)
    assert_allclose(nodes.noise.sum(), power_sum(2 * beta, 0, N) + trace**2 / modes, rtol=1e-7)
    assert_allclose(nodes.signal.sum() + nodes.unlearned, power_sum(signal, 0, N), rtol=1e-9)
    assert_allclose(nodes.signal @ nodes.rate, power_sum(signal + beta, 0, N), rtol=1e-7)


@pytest.mark.parametrize(("s", "beta"), PROBLEMS)
def test_the_mean_of_drawn_features(s, beta):
    """32 draws of M = 100: within three standard errors and a correction of 1/M."""
    modes, at = 100, np.array([1, 10, 100, 1000])
    drawn = []
    lr = 0.4 * KernelRegression(s, beta, modes=modes, ambient=4 * modes).largest_lr()
    ones = np.ones(at[-1])
    for seed in range(32):
        world = KernelRegression(s, beta, modes, 0.0, "random", ambient=4 * modes, seed=seed)
        drawn.append(recursion.run(world.true_modes, lr * ones, ones, at)[0] + world.unlearned)
    nodes = random_feature_modes(s, beta, modes, 4 * modes)
    found = recursion.run(nodes, lr * ones, ones, at)[0] + nodes.unlearned
    mean, error = np.mean(drawn, axis=0), np.std(drawn, axis=0) / math.sqrt(len(drawn))
    assert (abs(found - mean) < 3 * error + 2 / modes * mean).all()


def dense_risk(world, lr, batch, at):
    """Mean excess risk from full covariance matrices of a student with drawn features."""
    modes, N = int(world.modes), int(world.ambient)
    j = np.arange(1.0, N + 1)
    H = j**-world.capacity
    target = j ** (-(1 + world.source * world.capacity - world.capacity) / 2)
    W = np.random.default_rng(world.seed).standard_normal((N, modes)).T / math.sqrt(modes)
    C = (W * H) @ W.T
    best = np.linalg.solve(C, W @ (H * target))
    left = float((H * target**2).sum() - best @ C @ best)
    M, risks = np.outer(best, best), []
    step = np.eye(modes) - lr * C
    for k in range(1, at[-1] + 1):
        noise = C @ M @ C + (np.trace(C @ M) + left + world.noise**2) * C
        M = step @ M @ step + lr**2 / batch * noise
        if k in at:
            risks.append(0.5 * (np.trace(C @ M) + left))
    return risks


@pytest.mark.parametrize("noise", [0.0, 0.7])
@pytest.mark.parametrize(("s", "beta"), [(2.0, 0.8), (0.5, 0.3), (1.0, 1.0)])
def test_capacity_of_one_or_less_is_the_dense_recursion(s, beta, noise):
    world = KernelRegression(s, beta, 30, noise, "random", ambient=90, seed=3)
    lr, at = 0.5 * world.largest_lr(2), np.array([1, 7, 200])
    found = world.excess_risk(Schedule(np.full(200, lr), batch=2), at)
    assert_allclose(found, dense_risk(world, lr, 2, at), rtol=1e-9)


@pytest.mark.parametrize("modes", [100, 3000])
@pytest.mark.parametrize(("s", "beta"), [(0.3, 0.05), (2.0, 0.5), (1.5, 0.8), (0.5, 1.0)])
def test_nodes_of_top_features_below_capacity_one(s, beta, modes):
    world = KernelRegression(s, beta, modes, 0.3, ambient=4 * modes)
    lr = 0.5 * world.largest_lr()
    schedule, at = Schedule(np.full(1000, lr)), [1, 30, 1000]
    every = world.mean_curve(schedule, at, method="recursion").loss - 0.5 * 0.3**2
    assert_allclose(world.excess_risk(schedule, at), every, rtol=1e-8)
    x = lr * np.arange(1.0, modes + 1) ** -beta
    assert_allclose(world.noise_feedback(lr), (x / (2 - 2 * x)).sum(), rtol=1e-12)


def test_capacity_of_one_or_less_needs_finitely_many_features():
    with pytest.raises(InputError, match=r"capacity is 0.8, expected a number above 1: .*ambient"):
        KernelRegression(1.0, 0.8, modes=10)
    world = KernelRegression(1.0, 0.8, modes=10, ambient=40)
    with pytest.raises(InputError, match="power-law kernels need a capacity above 1"):
        world.scaling_law(Schedule([0.1]), kernels="power")


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0.0, 1.0, 10, 40), "source is 0"),
        ((1.0, -1.0, 10, 40), "capacity is -1"),
        ((1.0, 1.0, 10, 10), "modes < ambient"),
        ((1.0, 1.0, 10, math.inf), "ambient inf"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        random_feature_modes(*numbers)
