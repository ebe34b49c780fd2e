import pytest

from losslaw.kernel.theory import Exponents

# Both sides of s = 1 - 1/beta, and the boundary itself.
EASY = [(1.0, 2.0), (1.0, 1.5), (1.0, 4.0), (0.6, 1.8)]
HARD = [(0.5, 4.0), (0.3, 2.0), (0.1, 2.0)]
BOUNDARY = [(0.5, 2.0), (0.75, 4.0)]


@pytest.fixture(params=EASY + HARD + BOUNDARY, ids=lambda pair: f"s={pair[0]},beta={pair[1]}")
def exponents(request):
    return Exponents(*request.param)
