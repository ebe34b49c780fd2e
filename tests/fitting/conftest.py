"""What the tests of fitting share."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # fit_samples, next to this file

from fit_samples import curves_of, law_of


@pytest.fixture
def trio():
    """Three noise-free curves of the momentum law."""
    return curves_of(law_of("momentum"), ["flat", "cosine", "two"])
