"""Averaged iterates: exact against full covariances, on nodes against all modes, and drawn."""

import numpy as np
import pytest
from helpers.kernel_oracles import dense_averages
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.errors import InputError
from losslaw.kernel import KernelRegression, long_constant
from losslaw.schedules import Schedule
from losslaw.schedules.averages import Ema, TailAverage, WeightedCheckpoints

AVERAGES = [
    TailAverage(),
    TailAverage(start=100),
    TailAverage(start=57, every=10),
    Ema(decay=0.98),
    Ema(decay=0.5, every=20),
    WeightedCheckpoints([100, 200, 250, 300], "1-sqrt"),
    WeightedCheckpoints([0, 10, 100, 250, 300], [0.1, -0.1, 0.3, 0.3, 0.4]),
]


def rough() -> Schedule:
    """Rates up to most of the largest one, and batches that jump."""
    rng = np.random.default_rng(1)
    return Schedule(rng.uniform(0.02, 0.5, 300), batch=rng.integers(1, 4, 300))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_recursion_is_that_of_full_covariances(average, noise):
    world = KernelRegression(0.5, 2.0, modes=20, noise=noise)
    run = rough()
    rule = average.recursion(run.horizon)
    expected = dense_averages(world.true_modes, run.lr, run.batch, rule)
    for method in ("quadrature", "recursion"):
        curve = world.mean_curve(run, average=average, method=method)
        assert curve.steps[0] == rule.first
        found = curve.loss - 0.5 * noise**2
        assert_allclose(found, expected[rule.first - 1 :], rtol=1e-9)
    end = world.excess_risk(run, average=average)
    assert_allclose(end, expected[-1:], rtol=1e-12)


def test_random_features_too():
    world = KernelRegression(0.5, 2.0, modes=12, features="random", seed=3)
    run = rough().scaled(0.5)
    rule = AVERAGES[1].recursion(run.horizon)
    expected = dense_averages(world.true_modes, run.lr, run.batch, rule)
    assert_allclose(world.excess_risk(run, average=AVERAGES[1])[0], expected[-1], rtol=1e-9)


@pytest.mark.parametrize(("source", "capacity"), [(0.2, 1.2), (0.5, 2), (1, 2), (0.5, 4), (2, 4)])
def test_nodes_stand_for_all_modes(source, capacity):
    """The 1e-8 of the nodes holds for averages; 1e-10 was seen."""
    world = KernelRegression(source, capacity, modes=20_000)
    run = Schedule(np.full(2000, 0.5 * world.largest_lr()))
    for average in ("tail:start=1000", "tail:start=50,every=10", "ema:0.998"):
        nodes, modes = (
            world.mean_curve(run, [400, 2000], average=average, method=method).loss - 0.5
            for method in ("quadrature", "recursion")
        )
        assert_allclose(nodes, modes, rtol=1e-8)


def test_an_average_of_one_iterate_is_the_iterate():
    world = KernelRegression(0.5, 2.0)
    run = rough()
    plain = world.excess_risk(run, range(1, 301))
    for average in (Ema(decay=0.0), TailAverage(start=300)):
        found = world.excess_risk(run, range(1, 301), average=average)
        assert_allclose(found, plain, rtol=1e-13)
    one = WeightedCheckpoints([200])
    assert_allclose(world.excess_risk(run, [200, 300], average=one), plain[199], rtol=1e-14)


@pytest.mark.parametrize("average", ["tail:start=100", "ema:0.95", WeightedCheckpoints([60, 200])])
def test_mean_of_drawn_averages_is_the_exact_one(average):
    """Within three standard errors; these seeds reach 2.1."""
    world = KernelRegression(0.5, 1.5, modes=60, noise=0.5)
    run = Schedule(np.full(200, 0.2), batch=2)
    steps = [200] if isinstance(average, WeightedCheckpoints) else [50, 120, 200]
    runs = world.sample(run, steps, runs=1500, seed=11, average=average)
    exact = world.mean_curve(run, steps, average=average).loss
    assert np.abs((runs.mean - exact) / runs.standard_error).max() < 3
    # Keeping up an average draws nothing: the runs are the same.
    plain = world.sample(run, [200], runs=3, seed=11)
    same = world.sample(run, [200], runs=3, seed=11, average=TailAverage(start=200))
    assert_array_equal(plain.losses, same.losses)


def test_the_tail_average_has_the_variance_of_a_mean():
    """Nothing to learn but noise: sigma^2 / n a mode that has forgotten, from theory."""
    world = KernelRegression(spectrum=[1.0], targets=[0.0])
    n, eta = 20_000, 0.01
    excess = world.excess_risk(Schedule(np.full(n, eta)), average=TailAverage(start=n // 2))[0]
    # Noise feedback adds F / (1 - F); the ends of the window 1 / (eta n / 2).
    feedback = world.noise_feedback(eta)
    assert_allclose(excess, 0.5 / (n / 2) * (1 + feedback / (1 - feedback)), rtol=0.02)


def test_merge_and_decay_are_ordered_as_theory_says():
    """Tuned, averages reach the rate of the best decay without knowing the capacity.

    Linear decay has effective capacity min(beta, 2): at (1, 4) its risk falls as D^-2/3, that of
    the tail average as D^-4/5. Slopes from 10^4 to 10^5 updates are within .02.
    """
    world = KernelRegression(1.0, 4.0)

    def best(average, cooldown):
        risks = []
        for horizon in (10**4, 10**5):
            peaks = np.geomspace(0.005, 0.9, 40) * world.largest_lr()
            runs = [Schedule(peak * _linear(horizon, cooldown)) for peak in peaks]
            risks.append(min(world.excess_risk(run, average=average)[0] for run in runs))
        return np.log10(risks[0] / risks[1]), risks[1]

    merged, low = best(TailAverage(), 0.0)
    decayed, high = best(None, 1.0)
    assert low < 0.3 * high
    assert_allclose([merged, decayed], [4 / 5, 2 / 3], atol=0.02)


def _linear(horizon, cooldown):
    left = np.arange(horizon - 1, -1, -1.0)
    return np.minimum(left / (cooldown * horizon), 1.0) if cooldown else np.ones(horizon)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda w: w.mean_curve(Schedule([0.1] * 9), average="ema:0.9", method="sde"),
            "method 'sde' knows no averages",
        ),
        (lambda w: w.excess_risk(long_constant(0.1, 9), average="ema:0.9"), "every update"),
        (
            lambda w: w.mean_curve(Schedule([0.1] * 9), [4], average=WeightedCheckpoints([2, 5])),
            "step 4 is asked about, and the last checkpoint",
        ),
        (
            lambda w: w.mean_curve(Schedule([0.1] * 9), average=WeightedCheckpoints([2, 15])),
            "checkpoint at step 15: the run has 9 updates",
        ),
    ],
)
def test_what_cannot_be_averaged_is_said_in_one_line(ask, message):
    with pytest.raises(InputError) as error:
        ask(KernelRegression(1.0, 2.0))
    assert message in str(error.value)
