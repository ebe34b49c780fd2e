"""What the tests of fitting share."""

import pytest
from helpers.fit_samples import curves_of, law_of


@pytest.fixture
def trio():
    """Three noise-free curves of the momentum law."""
    return curves_of(law_of("momentum"), ["flat", "cosine", "two"])
