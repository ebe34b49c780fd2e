"""Attempts to break losslaw: damaged logs, and whatever else comes from outside.

The clean logs are those of the tests, which are made by the trainers' own programs or from their
own format strings.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

if str(ROOT / "tests") not in sys.path:  # pytest has it there already
    sys.path.insert(0, str(ROOT / "tests"))
