"""The robust standard deviation against numpy's, on noise with and without outliers."""

import numpy as np
import pytest

from losslaw.numerics.robust import robust_sd, running_median


def test_it_is_the_standard_deviation_of_gaussian_noise_and_outliers_do_not_count():
    noise = np.random.default_rng(0).normal(scale=0.3, size=20_000)
    # A median of 20,000 sizes is known to 0.9 %.
    assert robust_sd(noise) == pytest.approx(0.3, rel=0.03)
    noise[:100] = 1e6
    assert robust_sd(noise) == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize(("size", "window"), [(1, 1), (9, 4), (40, 7), (300, 300), (300, 150)])
def test_the_running_median_is_the_median_of_each_window(size, window):
    """Bit for bit, ties among them."""
    values = np.random.default_rng(0).normal(size=size).round(1)
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    assert running_median(values, window).tolist() == np.median(windows, axis=1).tolist()
