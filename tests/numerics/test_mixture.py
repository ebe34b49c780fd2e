"""Quantiles of mixtures, against roots of their distributions and simple cases."""

from statistics import NormalDist

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from losslaw.numerics.mixture import lognormal_quantile, normal_quantile

WEIGHTS = np.array([0.6, 0.3, 0.1])
CENTRE = np.array([[0.01, -2.0], [0.02, 3.0], [-0.05, 0.0]])
SD = np.array([[0.003, 1.0], [0.01, 0.1], [0.02, 2.0]])


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95, 0.999])
def test_quantiles_are_roots_of_the_mixture(share):
    found = normal_quantile(share, WEIGHTS, CENTRE, SD)
    for column, value in enumerate(found):
        each = [NormalDist(m, s) for m, s in zip(CENTRE[:, column], SD[:, column], strict=True)]

        def below(x, each=each):
            return sum(w * one.cdf(x) for w, one in zip(WEIGHTS, each, strict=True)) - share

        assert value == pytest.approx(brentq(below, -50, 50, xtol=1e-13), abs=1e-10)


def test_one_component_is_a_normal():
    got = normal_quantile(0.95, np.ones(1), np.array([[2.0]]), np.array([[0.5]]))
    assert_allclose(got, NormalDist(2.0, 0.5).inv_cdf(0.95), atol=1e-11)


def test_components_without_width_are_steps():
    centre, sd = np.array([[1.0], [2.0]]), np.zeros((2, 1))
    weights = np.array([0.7, 0.3])
    assert_allclose(normal_quantile(0.5, weights, centre, sd), 1.0)
    assert_allclose(normal_quantile(0.9, weights, centre, sd), 2.0)


def test_log_normals_are_normals_of_the_log_and_never_negative():
    centre, sd = np.array([[2.0], [1.0]]), np.array([[3.0], [0.1]])
    weights = np.array([0.5, 0.5])
    expected = np.exp(normal_quantile(0.01, weights, np.log(centre), sd / centre))
    assert_allclose(lognormal_quantile(0.01, weights, centre, sd), expected)
    assert expected > 0
