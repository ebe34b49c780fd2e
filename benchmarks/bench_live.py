"""Inside a run: what watching it costs the thread that trains.

A `Watcher` is told of 20,000 updates, one by one, and has a computation made every 500. The time is
processor time of the calling thread, over the updates, against a training step of 100 ms: all that
it does there is in it, the snapshots and the start of the background thread too. The most is that
of the costliest single call, and of writing the log, which is done at checkpoints.

The computation itself is a process of low priority, and not a thread: `torch` gives up the
interpreter in every operation, and has to win it back from a thread that fits. The steps of a
network of 100 small layers, and how long they take while a forecast is made in a thread of the same
process and in a process of its own, are in the second table: medians of wall time, of which the
ratio is what counts.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.clock import markdown, seconds
from losslaw import bundled_curves, forecast
from losslaw.curves import LossCurve
from losslaw.live import Watcher, watcher

STEP = 0.1
UPDATES = 20_000
LAYERS = 100
# Seconds for which training is timed alone.
ALONE = 4.0


def watched(every: int) -> tuple[float, float, float]:
    """Processor seconds of an update, of the costliest one, and of writing the log."""
    rates = np.linspace(3e-3, 3e-4, UPDATES).tolist()
    losses = (2 + np.arange(1, UPDATES + 1) ** -0.5).tolist()
    with tempfile.TemporaryDirectory() as folder:
        watch = Watcher(Path(folder, "run.csv"), every=every, horizon=UPDATES)
        times: list[float] = []
        begun = time.thread_time()
        for step, (loss, rate) in enumerate(zip(losses, rates, strict=True), 1):
            at = time.thread_time()
            watch.seen(step, loss, rate)
            times.append(time.thread_time() - at)
        whole = (time.thread_time() - begun) / UPDATES
        at = time.thread_time()
        watch.save()
        saving = time.thread_time() - at
        watch.close()
    return whole, max(times), saving


def _run() -> LossCurve:
    (run,) = (each for each in bundled_curves() if each.label == "cosine_peak3e-3_T12000")
    return run.until(6000)


def _steps(until: Callable[[], bool]) -> float:
    """The median duration of a training step, while it is not yet time to end."""
    import torch

    layers = [torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.ReLU()) for _ in range(LAYERS)]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(model.parameters())
    data = torch.randn(16, 32)
    times: list[float] = []
    while not until() or not times:
        begun = time.perf_counter()
        model(data).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def beside() -> dict[str, float]:
    """Training steps alone, beside a thread that forecasts, beside a process that does."""
    import torch

    torch.set_num_threads(1)
    run = _run()
    forecast(run)  # compiles
    _steps(lambda: True)
    end = time.perf_counter() + ALONE
    found = {"alone": _steps(lambda: time.perf_counter() > end)}
    thread = threading.Thread(target=lambda: forecast(run), daemon=True)
    thread.start()
    found["a thread"] = _steps(lambda: not thread.is_alive())
    code = (
        "import os; os.nice(10)\n"
        "from losslaw import forecast\n"
        "from benchmarks.bench_live import _run\n"
        "forecast(_run())"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    found["a process"] = _steps(lambda: process.poll() is not None)
    return found


def table() -> str:
    """The share of a step, and training beside a forecast."""
    rows: list[list[str]] = []
    program, watcher.PROGRAM = watcher.PROGRAM, ("-c", "print('{\"metrics\": {}}')")
    try:
        for every in (500, 50):
            whole, most, saving = watched(every)
            rows.append(
                [f"every {every}", seconds(whole), f"{whole / STEP:.4%}", seconds(most),
                 seconds(saving)]
            )  # fmt: skip
    finally:
        watcher.PROGRAM = program
    header = ["computed", "an update", "share of 100 ms", "at most", "the log"]
    parts = [markdown(header, rows)]
    try:
        found = beside()
    except ModuleNotFoundError:
        return parts[0]
    ratios = [
        [name, seconds(value), f"{value / found['alone']:.2f}"] for name, value in found.items()
    ]
    parts.append(markdown(["forecast in", "a training step", "ratio"], ratios))
    return "\n\n".join(parts)
