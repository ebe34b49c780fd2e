"""The robust standard deviation against numpy's, on noise with and without outliers."""

import numpy as np
import pytest

from losslaw.numerics.robust import robust_sd


def test_it_is_the_standard_deviation_of_gaussian_noise_and_outliers_do_not_count():
    noise = np.random.default_rng(0).normal(scale=0.3, size=20_000)
    # A median of 20,000 sizes is known to 0.9 %.
    assert robust_sd(noise) == pytest.approx(0.3, rel=0.03)
    noise[:100] = 1e6
    assert robust_sd(noise) == pytest.approx(0.3, rel=0.05)
