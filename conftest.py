"""Modules of optional parts are collected, for their doctests, only where their package is."""

import importlib.util
from pathlib import Path

LAB = Path("src/losslaw/lab")
TORCH = [
    str(path)
    for path in sorted((Path(__file__).parent / LAB).glob("*.py"))
    if "import torch" in path.read_text() or "from torch" in path.read_text()
]

# Callbacks and handlers, which are classes of somebody's.
CLASSES = {
    "src/losslaw/live/huggingface.py": ("transformers",),
    "src/losslaw/live/lightning.py": ("lightning", "pytorch_lightning"),
    "src/losslaw/views/whatif/guard.py": ("tornado",),
    "src/losslaw/views/whatif/saving.py": ("tornado",),
}

# A flag of pytest would do, but it would also skip test files that cannot be imported.
collect_ignore = [] if importlib.util.find_spec("torch") else TORCH
collect_ignore += [
    path for path, names in CLASSES.items() if not any(map(importlib.util.find_spec, names))
]
