import os
import sys

import pytest
from hypothesis import settings

# Before numpy is loaded: threaded BLAS is slow on vectors this small, and its last digits vary.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# The same examples every time: a test that fails today fails tomorrow. No deadline: the first call
# of a compiled function compiles it.
settings.register_profile("losslaw", derandomize=True, deadline=None, database=None)
settings.load_profile("losslaw")


@pytest.fixture(autouse=True)
def _closed_figures():
    """Where some package has loaded pyplot, it keeps the figures that ``plot()`` makes."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
