"""Ctrl-C while a Ray cluster works: one line, status 130, no stack of Ray's, and what is done."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("ray", reason="needs ray: pip install ray")

GRID = """
[problem]
source = [{sources}]
capacity = 2.0
modes = 400
[run]
schedule = "wsd:peak=0.1,horizon=4000,cooldown=0.2"
runs = 200
"""


def _interrupted(command, begun, times):
    """Status and standard error of a command that is interrupted as a terminal does it."""
    environment = os.environ | {"RAY_ADDRESS": "local"}  # not the cluster of another test
    process = subprocess.Popen(
        [sys.executable, "-m", "losslaw", *command, "--on", "ray", "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    end = time.monotonic() + 90
    while not (begun.exists() and len(begun.read_text().splitlines()) > 1):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
@pytest.mark.parametrize("times", [1, 2])
def test_a_sweep_on_ray_ends_in_a_line(times, tmp_path):
    grid, table = tmp_path / "grid.toml", tmp_path / "table.csv"
    grid.write_text(GRID.format(sources=", ".join(str(0.5 + i / 100) for i in range(200))))
    status, said = _interrupted(["sweep", str(grid), "-o", str(table)], table, times)
    assert status == 130, said
    assert said.splitlines()[-1] == "losslaw: interrupted"
    assert all(line.startswith("losslaw: ") for line in said.splitlines()), said
    rows = len(table.read_text().splitlines()) - 1
    assert 0 < rows < 200
