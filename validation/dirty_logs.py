"""A log of home with something wrong in it: spikes, divergence, noise, means, rounded rates.

What it does to a fit is told by the same fit of the clean log.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from losslaw.curves import LossCurve, read_curves
from losslaw.numerics.arrays import FloatArray
from validation.protocols import Trial, decay_start, schaipp
from validation.public_runs import CURVES

CONSTANT = "124M_constant_peak0.001_T50000"
ASKED = "124M_wsd-linear-0.2_peak0.001_T50000"
# Where six losses are 3 nats too high, as shares of the run; another is 1 too high at the middle.
SPIKES = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)


def spiked(steps: FloatArray, shares: tuple[float, ...], height: float) -> FloatArray:
    """What to add for losses that are too high at the rows nearest to shares of the run."""
    rows = [int(np.argmin(np.abs(steps - share * steps[-1]))) for share in shares]
    return height * np.isin(np.arange(steps.size), rows)


def bump(steps: FloatArray) -> FloatArray:
    """.05 nats at the middle of the run, gone with a time of 1,000 updates."""
    late = steps - 0.5 * steps[-1]
    return np.where(late >= 0, 0.05 * np.exp(-np.maximum(late, 0) / 1000), 0)


def diverging(steps: FloatArray) -> FloatArray:
    """From 0 to 3 nats, linearly in the last 5 % of the run."""
    return 3 * np.clip(steps / steps[-1] - 0.95, 0, None) / 0.05


def dirty(kind: str) -> LossCurve:
    """The constant run at 1e-3, written to a log with something wrong in it, and read again.

    Its losses are of every 200th update. Means over windows, and a row for every update, are made
    from the straight lines between them.
    """
    clean = schaipp(CONSTANT)
    path = CURVES / "schaipp_llama_val" / f"{CONSTANT}.csv"
    steps, lr, loss = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    updates = np.arange(steps[-1] + 1)
    between = np.interp(updates, steps, loss)
    window = int(kind.removeprefix("means over ")) if kind.startswith("means over") else 1
    if kind == "every update, noise .04":
        noise = 0.04 * np.random.default_rng(0).standard_normal(updates.size)
        rates = clean.schedule.lr
        steps, lr, loss = updates, np.append(rates, rates[-1]), between + noise
    elif window > 1:
        sums = np.append(0, np.cumsum(between))
        last = steps.astype(int) + 1
        first = np.maximum(last - window, 0)
        loss = (sums[last] - sums[first]) / (last - first)
    elif kind == "rates of six decimals":
        lr = np.round(lr, 6)
    else:
        loss = loss + ADDED[kind](steps)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "constant.csv")
        rows = np.column_stack([steps, lr, loss])
        np.savetxt(file, rows, ["%d", "%.9g", "%.6f"], ",", header="step,lr,loss", comments="")
        (curve,) = read_curves(
            file, warmup=300, lr_is="next", weight_decay=0.1, model_size=clean.model_size
        )
    return curve


ADDED: dict[str, Callable[[FloatArray], FloatArray]] = {
    "clean": np.zeros_like,
    "six points +3": lambda steps: spiked(steps, SPIKES, 3),
    "one point +1": lambda steps: spiked(steps, (0.5,), 1),
    "a bump of .05": bump,
    "divergence in the last 5 %": diverging,
}
DIRT = (
    *ADDED,
    "means over 10",
    "means over 100",
    "means over 500",
    "rates of six decimals",
    "every update, noise .04",
)


def dirt() -> Iterator[Trial]:
    """A constant run with something wrong in its log; held out: a WSD that leaves it at 40,000."""
    held_out = [(schaipp(ASKED), decay_start(ASKED))]
    for kind in DIRT:
        yield Trial(kind, [dirty(kind)], held_out, None)
