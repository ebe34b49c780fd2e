"""Fourth moments of sampled runs against one update by brute force, and the limit they set."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw import KernelRegression, Schedule
from losslaw.kernel.simulate.heavy_tails import coefficients, variance_is_finite


@pytest.mark.parametrize("batch", [1, 3])
def test_one_update_by_brute_force(batch):
    rng = np.random.default_rng(0)
    u, lam, lr = np.array([1.0, -0.6, 0.3]), np.array([1.0, 0.4, 0.1]), 0.4
    parts = []
    for _ in range(20):
        g = rng.standard_normal((100_000, batch, 3))
        moved = u - lr * lam * np.einsum("sbi,sb->si", g, g @ u) / batch
        parts.append(np.einsum("si,sj->ij", moved**2, moved**2) / len(moved))
    mean, error = np.mean(parts, axis=0), np.std(parts, axis=0) / np.sqrt(len(parts) - 1)

    D, U, V = coefficients(lr * lam, np.full(3, True), batch)
    Q = np.outer(u**2, u**2)
    R = Q.sum(axis=1)
    exact = D * Q + U * R[:, None] + U.T * R[None, :] + V * R.sum()
    assert (np.abs(mean - exact) < 5 * error).all()
    assert (error < 0.02 * exact).all()


@pytest.mark.parametrize("batch", [1, 4])
def test_the_limit_is_that_of_the_whole_matrix(batch):
    """The map of all Q_ij, written out, has its spectral radius at 1 there."""
    world = KernelRegression(source=1, capacity=1.5, modes=6)
    lr = world.heavy_tails_lr(batch)
    n = 6
    radii = []
    for factor in (0.999, 1.001):
        D, U, V = coefficients(factor * lr * world.true_modes.rate, np.full(n, True), batch)
        whole = np.zeros((n, n, n, n))
        for i in range(n):
            for j in range(n):
                whole[i, j, i, j] += D[i, j]
                whole[i, j, i, :] += U[i, j]
                whole[i, j, :, j] += U[j, i]
                whole[i, j] += V[i, j]
        radii.append(np.abs(np.linalg.eigvals(whole.reshape(n * n, n * n))).max())
    assert radii[0] < 1 < radii[1]


def test_nodes_stand_for_all_modes():
    world = KernelRegression(source=1, capacity=1.5, modes=2000)
    limit = world.heavy_tails_lr()
    modes = world.true_modes  # put together by rate: within 1e-4
    assert variance_is_finite(modes, 0.999 * limit, 1)
    assert not variance_is_finite(modes, 1.001 * limit, 1)


def test_one_mode_in_closed_form():
    # E (1 - x g^2)^4 = 1 - 4x + 18x^2 - 60x^3 + 105x^4
    world = KernelRegression(spectrum=[1.0], targets=[1.0])
    root = np.roots([105, -60, 18, -4])
    assert_allclose(world.heavy_tails_lr(), root[np.isreal(root)].real[0], rtol=1e-6)


def test_sampled_runs_near_the_limit_come_with_a_warning():
    world = KernelRegression(source=0.5, capacity=4, modes=16)
    limit = world.heavy_tails_lr()
    assert 0.3 < limit / world.largest_lr() < 0.7
    quiet = world.sample(Schedule([0.9 * limit] * 20), [20], runs=3, seed=0)
    loud = world.sample(Schedule([1.1 * limit] * 20), [20], runs=3, seed=0)
    assert quiet.warnings == ()
    (warning,) = loud.warnings
    assert f"{limit:.3g}" in warning
    assert loud.curve().warnings == loud.warnings
