"""A text and a model of the lab small enough for tests."""

import numpy as np
import pytest

from losslaw.lab import LabConfig, Text


@pytest.fixture(scope="session")
def text() -> Text:
    """Made-up bytes with something to learn: each one likely to follow the one before."""
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.integers(0, 3, size=6000)) % 64
    return Text(
        train=walk[:5000].astype(np.uint8),
        validation=walk[5000:].astype(np.uint8),
        files=2,
        source="a random walk",
    )


@pytest.fixture
def tiny() -> LabConfig:
    return LabConfig(width=16, layers=1, heads=2, context=16, batch=4, validation_windows=16)
