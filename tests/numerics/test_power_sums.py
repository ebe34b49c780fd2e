import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.numerics.power_sums import power_sum


@pytest.mark.parametrize("exponent", [0.05, 0.5, 1.0, 1.0 + 1e-9, 1.7])
@pytest.mark.parametrize(("after", "until"), [(0, 1), (0, 255), (0, 5000), (3, 40), (900, 20_000)])
def test_sums_term_by_term(exponent, after, until):
    terms = np.arange(after + 1.0, until + 1) ** -exponent
    assert_allclose(power_sum(exponent, after, until), math.fsum(terms), rtol=1e-13)


def test_nothing_to_add_is_zero():
    assert power_sum(0.5, 7, 7) == 0
