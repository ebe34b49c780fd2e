"""Commands: whole processes, from the shell and back.

`processor` is the best processor time of seven runs with compiled code in the cache, what a quiet
machine takes; `times` is that of ``python -c pass`` in the same minutes, by which tables of two
machines compare. `first use` is a run with an empty cache, which has to compile the passes over a
schedule (the better of two).

What limits them: the help page is half `typer` (it imports no numpy, and a test keeps it so);
`inspect`, `export` and `theory` import neither scipy nor numba; everything else pays for those
first. A first use is compilation, half of it that of the pass with power-law memory.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_fit import made_curves
from benchmarks.clock import markdown, seconds

RUNS = 7
SPEC = "wsd:peak=3e-4,horizon=24000,warmup=2160,cooldown=0.3"


def children() -> float:
    """Processor seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(arguments: list[str], place: Path, runs: int, *, afresh: bool = False) -> float:
    """Processor seconds of a process, the best of several.

    Args:
        arguments: What Python is given.
        place: A folder for what is kept between runs: byte code, and machine code.
        runs: How many times, after one that does not count.
        afresh: Without machine code from earlier runs.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if "DONTWRITE" not in name},
        "PYTHONPYCACHEPREFIX": str(place / "byte code"),
        "NUMBA_CACHE_DIR": str(place / "machine code"),
    }
    times: list[float] = []
    for _ in range(runs + (not afresh)):
        with tempfile.TemporaryDirectory() as empty:
            if afresh:
                environment["NUMBA_CACHE_DIR"] = empty
            before = children()
            command = [sys.executable, *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            times.append(children() - before)
    return min(times[not afresh :])


def commands(place: Path) -> dict[str, list[str]]:
    """What is measured, with the logs that it needs."""
    logs: list[str] = []
    for curve in made_curves():
        rows = [
            f"{step},{curve.schedule.lr[step - 1]:.10g},{loss:.6f}"
            for step, loss in zip(curve.steps.tolist(), curve.loss.tolist(), strict=True)
        ]
        path = place / f"{curve.label}.csv"
        path.write_text("\n".join(["step,lr,loss", *rows]) + "\n", encoding="utf-8")
        logs.append(str(path))
    fit = str(place / "fit.json")
    read = ["--warmup", "2160", "--weight-decay", "0.1"]
    theory = ["theory", "--source", "0.5", "--capacity", "4", "--budget", "1e9"]
    losslaw = {
        "--help": ["--help"],
        "inspect (3 logs)": ["inspect", *logs, *read],
        "export (torch)": ["export", SPEC, "--to", "torch"],
        "theory": theory,
        "fit (3 logs)": ["fit", *logs, *read, "-o", fit],
        "fit --law multipower": ["fit", *logs, *read, "--law", "multipower"],
        "predict (24,000 steps)": ["predict", fit, "--schedule", SPEC],
        "forecast (1 log)": ["forecast", logs[0], *read, "--horizon", "36000"],
        "design (24,000 updates)": ["design", fit, "--horizon", "24000", "--warmup", "2160"],
    }
    return {
        "python -c pass": ["-c", "pass"],
        **{f"losslaw {name}": ["-m", "losslaw", *words] for name, words in losslaw.items()},
        "import typer": ["-c", "import typer"],
        "import numpy": ["-c", "import numpy"],
        "import numba": ["-c", "import numba"],
        "import scipy.optimize": ["-c", "import scipy.optimize"],
    }


def table() -> str:
    """The commands, and below them what any Python program pays for the same imports."""
    rows: list[list[str]] = []
    plain = 0.0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name, arguments in commands(place).items():
            processor = timed(arguments, place, RUNS)
            plain = plain or processor
            compiles = any(word in name for word in (" fit", " predict", " forecast", " design"))
            first = seconds(timed(arguments, place, 2, afresh=True)) if compiles else ""
            rows.append([name, seconds(processor), f"{processor / plain:.0f}", first])
    return markdown(["process", "processor", "times", "first use"], rows)


if __name__ == "__main__":
    print(table())
