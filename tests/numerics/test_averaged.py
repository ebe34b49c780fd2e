"""Memories of averages against the sum over pairs that they are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.numerics.averaged import CHUNK, averaged_memory, averaged_power
from losslaw.numerics.last_step import kernel_over_update
from losslaw.numerics.memory import power_law_memory


def pairs(increments, sources, at, weights, exponent, scale):
    """The formula as it is printed."""
    time = np.cumsum(increments)
    total = 0.0
    for t, c in zip(at, weights, strict=True):
        for other, d in zip(at, weights, strict=True):
            n = min(t, other)
            left = 0.5 * (time[t - 1] + time[other - 1]) - time[:n]
            kept = kernel_over_update(increments[:n], left, exponent, scale)[0] / increments[:n]
            total += c * d * float(sources[:n] @ kept)
    return total


@pytest.mark.parametrize("exponent", [0.3, 4 / 3, 3.0])
@pytest.mark.parametrize("scale", [0.1, 100.0])
@pytest.mark.parametrize("at", [[5], [1, 2, 400], [100, 150, 300, 400], list(range(10, 401, 10))])
def test_rates_sum_to_the_pairs(exponent, scale, at):
    rng = np.random.default_rng(2)
    increments, sources = rng.uniform(0.01, 1.0, 400), rng.uniform(0.0, 1.0, (2, 400))
    weights = rng.uniform(0.1, 1.0, len(at))
    weights /= weights.sum()
    found = averaged_memory(increments, sources, np.array(at), weights, exponent, scale)
    expected = [pairs(increments, row, at, weights, exponent, scale) for row in sources]
    assert_allclose(found, expected, rtol=1e-8)  # what the mixture of rates promises


def test_one_state_is_the_memory_itself():
    n = 2 * CHUNK + 77
    rng = np.random.default_rng(3)
    increments, sources = rng.uniform(0.0, 1e-2, n), rng.uniform(0.0, 1.0, n)
    increments[100:200] = 0.0
    at = np.array([n])
    found = averaged_memory(increments, sources[None], at, np.ones(1), 1.3, 200.0)
    expected = power_law_memory(increments, sources, at, 1.3, 200.0, since="mean")
    assert_allclose(found, expected, rtol=1e-8)


def test_the_signal_of_an_average_is_above_that_of_the_average_time():
    times, weights = np.array([1.0, 2.0, 8.0]), np.array([0.2, 0.3, 0.5])
    assert averaged_power(times, weights, 0.5) > float(weights @ times) ** -0.5
    assert_allclose(averaged_power(times[:1], np.ones(1), 0.5), 1.0)
