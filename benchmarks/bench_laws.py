"""Laws: one pass over the schedule against the double sum of the formula.

`predict` of a cosine schedule, which is the hard case: every update has a fall of the rate and so a
source to remember. The oracle is that of the tests, one sum over the past for each point. It is
timed and compared at a few of the points, and its time scaled to all of them by the number of past
updates summed over; the error is the largest difference at those points, relative to the schedule
term.

What limits the pass: arithmetic. Each update advances 40 to 60 exponentials, at some 3 ns each, and
the multi-power law weighs them anew at every update because its scale follows the rate.
`functional` and `convolution` carry two kinds of noise in one pass. With as many points as updates
the pass costs about the same. The momentum law is a one-pole filter.
"""

from dataclasses import dataclass

import numpy as np
from helpers.law_samples import sound
from helpers.oracles import ORACLES

from benchmarks.clock import best_of, markdown, seconds
from losslaw.laws import LAWS
from losslaw.schedules import Schedule, cosine

PEAK, WARMUP = 3e-4, 2160


@dataclass(frozen=True)
class Row:
    """One law on one schedule."""

    law: str
    fast: float
    slow: float | None
    error: float | None


def measure(name: str, schedule: Schedule, steps: np.ndarray, sample: int) -> Row:
    """Both ways, the oracle at ``sample`` of the steps."""
    law = sound(LAWS[name], schedule)
    predicted = law.predict(schedule, steps)  # compiles, or loads what was compiled
    fast = best_of(5, lambda: law.predict(schedule, steps))
    if name not in ORACLES or set(law.amplitudes()) == {"L0", "A"}:
        return Row(name, fast, None, None)
    terms = ORACLES[name](law, schedule)
    picked = np.unique(np.linspace(0, steps.size - 1, sample).round().astype(np.int64))
    asked = steps[picked].tolist()
    found: list[dict[str, float]] = []
    slow = best_of(2, lambda: found.__setitem__(slice(None), [terms(t) for t in asked]))
    slow *= float(steps.sum() / np.sum(asked))
    expected = np.array([sum(each.values()) for each in found])
    signal = np.array([each["L0"] + each["A"] for each in found])
    error = np.abs(predicted[picked] - expected).max() / np.abs(expected - signal).max()
    return Row(name, fast, slow, float(error))


def table() -> str:
    """All laws on 72,000 updates at 999 points, and on a million at 999 points and at all."""
    parts: list[str] = []
    for horizon, count, sample in ((72_000, 999, 50), (10**6, 999, 10), (10**6, 10**6, 10)):
        schedule = cosine(peak=PEAK, horizon=horizon, warmup=WARMUP, final=PEAK / 10)
        # From the end of the warm-up, where fits begin too.
        steps = np.unique(np.linspace(WARMUP, horizon, count).round().astype(np.int64))
        if count == horizon:
            steps = np.arange(1, horizon + 1)
        rows: list[list[str]] = []
        for name in LAWS:
            row = measure(name, schedule, steps, sample)
            cells = ["no sum over the past", "", ""]
            if row.slow is not None and row.error is not None:
                cells = [seconds(row.slow), f"{row.slow / row.fast:,.0f}", f"{row.error:.0e}"]
            rows.append([row.law, seconds(row.fast), *cells])
        header = ["law", "one pass", f"double sum ({sample} points, scaled)", "ratio", "error"]
        title = f"### {horizon:,} updates, {steps.size:,} points"
        parts.append(f"{title}\n\n{markdown(header, rows)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(table())
