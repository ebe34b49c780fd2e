"""The effective rate against its recursion, written out, and against closed forms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.numerics.weight_norm import EffectiveRate


def effective_rate(*args, **settings):
    return EffectiveRate(*args, **settings).rate


def recursion(lr, wd, h, kappa, p):
    """``e[k] = lr[k] v[k-1]^-h``, ``v[k] = v[k-1] (1 - 2 wd[k] lr[k]) + kappa 1e-6 (1e3 lr)^p``."""
    v = [1.0]
    e = []
    for k in range(1, len(lr) + 1):
        e.append(lr[k - 1] * v[k - 1] ** -h)
        v.append(v[k - 1] * (1 - 2 * wd[k - 1] * lr[k - 1]) + 1e-6 * kappa * (1e3 * lr[k - 1]) ** p)
    return np.array(e)


@pytest.mark.parametrize("h", [0.0, 0.5, 0.55, 1.0])
@pytest.mark.parametrize("kappa", [0.0, 2000.0])
@pytest.mark.parametrize("p", [2.0, 2.3])
def test_it_is_its_recursion(h, kappa, p):
    rng = np.random.default_rng(0)
    lr = np.concatenate([np.arange(1, 21) * 1e-4, rng.uniform(0, 3e-3, 200), np.zeros(3), [1e-3]])
    wd = rng.uniform(0, 0.3, lr.size)
    expected = recursion(lr, wd, h, kappa, p)
    assert_allclose(effective_rate(lr, wd, h, kappa, p=p), expected, rtol=1e-12)


def test_without_growth_and_decay_it_is_the_rate():
    lr = np.array([1e-3, 0.0, 3e-3])
    assert effective_rate(lr, np.zeros(3), 0.55, 0.0).tolist() == lr.tolist()


def test_weight_decay_alone_shrinks_the_norm_geometrically():
    lr, wd = np.full(500, 1e-3), np.full(500, 0.1)
    expected = 1e-3 * (1 - 2 * 0.1 * 1e-3) ** (-0.5 * np.arange(500))
    assert_allclose(effective_rate(lr, wd, 0.5, 0.0), expected, rtol=1e-12)


def test_growth_and_decay_balance_at_kappa_lr_over_two_wd():
    # v = v (1 - 2 wd lr) + kappa lr^2 rests at kappa lr / (2 wd).
    lr, wd = np.full(20_000, 1e-2), np.full(20_000, 0.5)
    rate = effective_rate(lr, wd, 0.5, 400.0)
    assert rate[-1] == pytest.approx(1e-2 * (400 * 1e-2 / (2 * 0.5)) ** -0.5, rel=1e-9)


def test_a_decay_of_more_than_the_whole_norm_leaves_a_finite_rate():
    rate = effective_rate(np.array([1.0, 1.0, 1.0]), np.full(3, 0.9), 0.5, 1.0)
    assert np.isfinite(rate).all()


def test_blocks_of_one_are_single_updates():
    lr, wd = np.linspace(0, 1e-3, 50), np.full(50, 0.1)
    one = effective_rate(lr, wd, 0.5, 2000.0)
    assert effective_rate(lr, wd, 0.5, 2000.0, np.ones(50)).tolist() == one.tolist()


def test_blocks_are_close_to_their_updates():
    lr, wd = np.full(3200, 1e-3), np.full(3200, 0.1)
    one = effective_rate(lr, wd, 0.5, 2000.0)
    blocks = effective_rate(lr[::32], wd[::32], 0.5, 2000.0, np.full(100, 32.0))
    # A block is seen relative to the mean norm of its updates, and so has their mean rate.
    assert_allclose(blocks, one.reshape(100, 32).mean(axis=1), rtol=1e-4)
