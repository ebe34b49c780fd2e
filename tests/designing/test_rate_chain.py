"""Chains: whatever the search tries meets all constraints, and its gradient is the right one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.designing.rate_chain import Chain, first_chain
from losslaw.designing.task import Constraints, pose
from losslaw.laws import Effective
from losslaw.schedules import Schedule, wsd

LAW = Effective(L0=2.5, A=0.3, N=47.0)
RUN = Schedule(np.concatenate([np.linspace(1e-4, 1e-3, 10), np.full(20, 8e-4)]), warmup=10)
TASKS = {
    "falling": dict(floor=1e-5),
    "rising": dict(rising=True),
    "slope": dict(max_slope=0.01, floor=2e-5),
    "rising slope": dict(max_slope=0.01, rising=True, floor=2e-5),
    "run so far": dict(prefix=RUN, floor=1e-5),
    "run so far, rising slope": dict(prefix=RUN, rising=True, max_slope=0.02),
    "peak": dict(peak=(2e-4, 1e-3)),
    "peak, rising": dict(peak=(2e-4, 1e-3), rising=True),
    "no warm-up": dict(warmup=0),
}


def task_of(name):
    limits = {**dict(horizon=120, peak=1e-3, warmup=10), **TASKS[name]}
    return pose(LAW, Constraints(**limits))


def random_w(chain, seed):
    w = np.random.default_rng(seed).uniform(0, 1, chain.knots.size + 1)
    w[seed % w.size] = 1.0
    return w


@pytest.mark.parametrize(
    ("name", "jumps"),
    [*[(name, False) for name in TASKS], *[(name, True) for name in TASKS if "slope" not in name]],
)
def test_every_chain_meets_the_constraints(name, jumps):
    task = task_of(name)
    chain = first_chain(task, 12, jumps=jumps)
    for seed in range(20):
        w = random_w(chain, seed)
        lr = chain.rates(w)
        peak = chain.levels(w)[0] if task.lowest_peak else task.peak
        tiny = 1e-12
        assert lr.size == 120
        assert_allclose(lr[: task.given], task.template.lr[: task.given] * peak / task.peak)
        free = lr[task.given :]
        assert free.min() >= task.floor - tiny
        assert free.max() <= peak + tiny
        steps = np.diff(lr[max(task.given - 1, 0) :])
        if not task.rising:
            assert steps.max() <= tiny
        if task.max_slope is not None:
            assert np.abs(steps).max() <= task.max_slope * task.peak + tiny
        if task.lowest_peak:
            assert task.lowest_peak - tiny <= peak <= task.peak + tiny


@pytest.mark.parametrize("name", TASKS)
def test_gradient_is_the_slope_along_each_w(name):
    """The loss of random chains is differentiable away from kinks: compare with differences."""
    task = task_of(name)
    chain = first_chain(task, 12)
    weights = np.random.default_rng(0).normal(size=task.horizon)
    w = 0.2 + 0.6 * random_w(chain, 3)
    by_w = chain.pull(w, weights)
    for i in range(w.size):
        up, down = w.copy(), w.copy()
        up[i] += 1e-6
        down[i] -= 1e-6
        slope = weights @ (chain.rates(up) - chain.rates(down)) / 2e-6
        assert by_w[i] == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", TASKS)
def test_inverse_gives_back_what_is_admissible(name):
    chain = first_chain(task_of(name), 12)
    lr = chain.rates(random_w(chain, 5))
    assert_allclose(chain.rates(chain.invert(lr)), lr, rtol=1e-9, atol=1e-15)


def test_refining_changes_no_rate():
    task = task_of("falling")
    chain = first_chain(task, 12)
    w = random_w(chain, 1)
    finer = chain.refined(w)
    assert finer.knots.size > chain.knots.size
    assert_allclose(finer.rates(finer.invert(chain.rates(w))), chain.rates(w), rtol=1e-9)


def test_a_plateau_is_not_refined():
    task = pose(LAW, Constraints(horizon=1000, peak=1e-3))
    chain = first_chain(task, 20)
    w = chain.invert(wsd(peak=1e-3, horizon=1000, cooldown=0.1).lr)
    added = np.setdiff1d(chain.refined(w).knots, chain.knots)
    # The decay, and one interval of 50 updates beside it.
    assert added.min() > 1000 - 100 - 2 * 50


def test_single_updates_are_a_chain_too():
    task = task_of("falling")
    chain = Chain(task, np.arange(task.given + 1, 121))
    lr = wsd(peak=1e-3, horizon=120, warmup=10, cooldown=0.4, final=1e-5).lr
    assert_allclose(chain.rates(chain.invert(lr)), lr, rtol=1e-12)
