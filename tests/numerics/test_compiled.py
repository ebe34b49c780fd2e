"""Compiled functions: one machine code for all arrays, and no folder that must be writable."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import losslaw
from losslaw.numerics.compiled import compiled

PACKAGE = Path(losslaw.__file__).parent


@compiled()
def doubled(x):
    return 2.0 * x


@compiled()
def fill_doubled(values, out):
    for k in range(values.size):
        out[k] = doubled(values[k])


def test_one_machine_code_serves_every_kind_of_array():
    frozen = np.arange(3.0)
    frozen.setflags(write=False)
    for values in (np.arange(3.0), frozen, np.arange(5.0)[::2], np.ones((3, 2))[:, 0]):
        out = np.empty(3)
        fill_doubled(values, out)
        assert out.tolist() == (2 * values).tolist()
    assert len(fill_doubled.dispatcher.signatures) == 1


def test_a_read_only_installation_works_without_a_home(tmp_path):
    """Files stand where folders would be made, which stops root too, as no permission does."""
    shutil.copytree(PACKAGE, tmp_path / "losslaw", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        (folder / "__pycache__").touch()
        folder.chmod(0o555)
    before = sorted(tmp_path.rglob("*"))
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA")
    }
    environment |= {"HOME": os.devnull, "PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    run = PACKAGE / "curves" / "bundled" / "cosine_peak3e-3_T4000.csv"
    # The momentum law: of all laws its machine code is made fastest.
    command = [sys.executable, "-m", "losslaw", "fit", str(run), "--law", "momentum"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "momentum law" in done.stdout
    assert sorted(tmp_path.rglob("*")) == before
