"""Inputs that a search by coverage finds (atheris, which is libFuzzer for Python).

The search begins with the clean logs of all formats and what an earlier search kept. It changes
bytes, numbers and lines of an input, reads it, and keeps it if it took a new way through
`losslaw.logs`, `losslaw.files` or `losslaw.curves`. A fault is what it is for damaged logs, but
numbers are not compared: no clean log is known of such an input. Faults of one line of code count
once; their inputs are kept in ``hardening/found``.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

from hardening import ROOT
from hardening.clean_logs import LONGEST, inputs

FOUND = ROOT / "hardening" / "found"
MINUTES = 3
COVERED = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


def run(seed: int, tell: Callable[[str], None], minutes: float = MINUTES) -> tuple[str, int]:
    """Search for some minutes; a table and how many faults there are."""
    if find_spec("atheris") is None:
        tell("atheris is not installed (there is none for this system): no search")
        return "Not run: atheris is not installed.\n", 0
    corpus = FOUND / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for i, content in enumerate(inputs()):
        (corpus / f"clean-{i}").write_bytes(content)
    command = [
        sys.executable, "-m", "hardening.fuzz_target", str(FOUND), str(corpus), f"-seed={seed + 1}",
        f"-max_total_time={60 * minutes:.0f}", f"-max_len={8 * LONGEST}", "-timeout=20",
        "-rss_limit_mb=1500", f"-artifact_prefix={FOUND}/",
    ]  # fmt: skip
    reached = [0, 0, 0]
    lines: list[str] = []
    begun = None
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        for line in process.stderr or ():
            lines = [*lines[-20:], line.rstrip()]
            match = COVERED.search(line)
            if match:
                reached = [int(number) for number in match.groups()]
                begun = reached[0] if begun is None or "INITED" in line else begun
                if "pulse" in line or "DONE" in line:
                    tell(f"{line.split()[0]} inputs, {reached[0]} places reached")
    said = json.loads((FOUND / "said.json").read_text())
    faults: list[str] = said["faults"]
    if process.returncode:
        faults.append(f"the search ended with {process.returncode}: {' '.join(lines)[-400:]}")
    for fault in faults:
        tell(f"FAULT {fault}")
    rows = [
        ("minutes", minutes),
        ("executions", said["executions"]),
        ("places of the code reached at the beginning", begun),
        ("places that the search reached", reached[0]),
        ("inputs that took a new way", reached[2]),
        ("faults", len(faults)),
    ]
    table = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    return "\n".join([*table, "", *(f"* {fault}" for fault in faults)]).rstrip() + "\n", len(faults)
