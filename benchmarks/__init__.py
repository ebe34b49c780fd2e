"""How long things take, against the obvious way to do them, in one run on one core.

``python -m benchmarks`` writes ``benchmarks/RESULTS.md``. Nothing timed is a test: machines differ,
ratios taken in one run hardly do. The kernel world has its own: ``benchmarks/bench_kernel.py``.
"""

import os
import sys
from pathlib import Path

# Before numpy is loaded: one core.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# The oracles that laws are timed against are those of the tests.
sys.path.append(str(Path(__file__).parents[1] / "tests"))
