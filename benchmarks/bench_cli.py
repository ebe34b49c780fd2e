"""Commands: whole processes, from the shell and back.

Each command is run seven times with compiled code in the cache. `processor` is the best of the
processor times, what a quiet machine takes; `wall` the best from start to end on this one.

What limits them: the help page is half `typer` (it imports no numpy, and a test keeps it so);
everything else pays for the import of numba and scipy first, and then for loading compiled code.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bench_fit import made_curves
from benchmarks.clock import markdown, seconds

RUNS = 7


def children() -> float:
    """Processor seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(arguments: list[str]) -> tuple[float, float]:
    """Processor and wall seconds of a process, the best of each."""
    processor: list[float] = []
    wall: list[float] = []
    for _ in range(RUNS):
        begun, before = time.perf_counter(), children()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        wall.append(time.perf_counter() - begun)
        processor.append(children() - before)
    return min(processor), min(wall)


def table() -> str:
    """The commands, and below them what any Python program pays for the same imports."""
    with tempfile.TemporaryDirectory() as place:
        logs: list[str] = []
        for curve in made_curves():
            rows = [
                f"{step},{curve.schedule.lr[step - 1]:.10g},{loss:.6f}"
                for step, loss in zip(curve.steps.tolist(), curve.loss.tolist(), strict=True)
            ]
            path = Path(place) / f"{curve.label}.csv"
            path.write_text("\n".join(["step,lr,loss", *rows]) + "\n", encoding="utf-8")
            logs.append(str(path))
        fit = str(Path(place) / "fit.json")
        read = ["--warmup", "2160", "--weight-decay", "0.1"]
        spec = "wsd:peak=3e-4,horizon=24000,warmup=2160,cooldown=0.3"
        losslaw = ["-m", "losslaw"]
        commands = {
            "losslaw --help": [*losslaw, "--help"],
            "losslaw inspect (3 logs)": [*losslaw, "inspect", *logs, *read],
            "losslaw fit (3 logs)": [*losslaw, "fit", *logs, *read, "-o", fit],
            "losslaw fit --law multipower": [*losslaw, "fit", *logs, *read, "--law", "multipower"],
            "losslaw predict (24,000 steps)": [*losslaw, "predict", fit, "--schedule", spec],
            "python -c pass": ["-c", "pass"],
            "import typer": ["-c", "import typer"],
            "import numpy": ["-c", "import numpy"],
            "import numba, scipy.optimize": ["-c", "import numba, scipy.optimize"],
        }
        found = {name: timed(arguments) for name, arguments in commands.items()}
    rows = [[name, *map(seconds, times)] for name, times in found.items()]
    return markdown(["process", "processor", "wall"], rows)


if __name__ == "__main__":
    print(table())
