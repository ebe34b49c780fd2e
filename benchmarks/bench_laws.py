"""Laws: one pass over the schedule against the double sum of the formula.

`predict` of a cosine schedule, which is the hard case: every update has a fall of the rate and so a
source to remember. The oracle is the formula written with numpy, one sum over the past for each
point. It is timed and compared at a few of the points, and its time scaled to all of them by the
number of past updates summed over; the error is the largest difference at those points, relative
to the schedule term.

What limits the pass: arithmetic. Each update advances 40 to 60 exponentials, at some 3 ns each, and
the multi-power law weighs them anew at every update because its scale follows the rate.
`functional` and `convolution` carry two kinds of noise in one pass. With as many points as updates
the pass costs about the same. The momentum law is a one-pole filter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.clock import best_of, markdown, seconds
from losslaw.laws import LAWS, Law
from losslaw.schedules import Schedule, cosine

PEAK, WARMUP = 3e-4, 2160
AMPLITUDES = {
    "chinchilla": {"L0": 2.6, "A": 20.0},
    "instantaneous": {"L0": 2.6, "A": 0.5, "B": 300.0},
    "momentum": {"L0": 2.6, "A": 0.5, "C": 0.4},
    "multipower": {"L0": 2.6, "A": 0.5, "B": 400.0},
    "functional": {"L0": 2.6, "A": 0.5, "B": 300.0, "M": 100.0},
    "convolution": {"L0": 2.6, "A": 0.5, "N": 1e4, "M": 1e3},
    "lastiterate": {"L0": 2.6, "A": 0.5, "b": 100.0},
    "effective": {"L0": 2.6, "A": 0.5, "N": 47.0},
}


def drops(lr: np.ndarray) -> np.ndarray:
    """Falls of the rate after the warm-up."""
    falls = -np.diff(lr, prepend=0.0)
    falls[:WARMUP] = 0.0
    return falls


def momentum(law: Law, lr: np.ndarray) -> Callable[[int], float]:
    """``C sum d[k] (1 - lam^(t-k+1)) / (1 - lam)``."""
    fall, lam, k = drops(lr), law.parameters["lam"], np.arange(1, lr.size + 1)
    C = law.parameters["C"]
    return lambda t: -C * float(fall[:t] @ ((1 - lam ** (t - k[:t] + 1)) / (1 - lam)))


def multipower(law: Law, lr: np.ndarray) -> Callable[[int], float]:
    """``B sum d[k] (1 - (1 + C lr[k]^-gamma S_k(t))^-beta)``."""
    fall, before = drops(lr), np.cumsum(lr) - lr
    p = law.parameters

    def term(t: int) -> float:
        x = p["C"] * lr[:t] ** -p["gamma"] * (before[t - 1] + lr[t - 1] - before[:t])
        return -p["B"] * float(fall[:t] @ (1 - (1 + x) ** -p["beta"]))

    return term


def functional(law: Law, lr: np.ndarray) -> Callable[[int], float]:
    """``sum d[k] (B + M S(k)^-s) (1 - (1 + c (S(t) - S(k)))^-g)``."""
    fall, S = drops(lr), np.cumsum(lr)
    p = law.parameters
    weight = fall * (p["B"] + p["M"] * S ** -p["s"])
    return lambda t: -float(weight[:t] @ (1 - (1 + p["c"] * (S[t - 1] - S[:t])) ** -p["g"]))


def forgotten(S: np.ndarray, width: np.ndarray, t: int, c: float, q: float) -> np.ndarray:
    """Mean of ``(1 + c x)^-q`` over the ages that each update spans at step t."""
    later = 1 + c * (S[t - 1] - S[:t])
    earlier = later + c * width[:t]
    return (later ** (1 - q) - earlier ** (1 - q)) / ((q - 1) * c * width[:t])


def convolution(law: Law, lr: np.ndarray) -> Callable[[int], float]:
    """``sum lr[k]^2 (N + M S(k)^-s)`` times what is left of it."""
    S, p = np.cumsum(lr), law.parameters
    weight = lr**2 * (p["N"] + p["M"] * S ** -p["s"])
    return lambda t: float(weight[:t] @ forgotten(S, lr, t, p["c"], p["q"]))


def lastiterate(law: Law, lr: np.ndarray) -> Callable[[int], float]:
    """The bound as it is published."""
    b = law.parameters["b"]

    def term(t: int) -> float:
        left = np.cumsum(lr[:t][::-1])[::-1]
        squares = np.cumsum(lr[:t][::-1] ** 2)[::-1]
        sums = lr[: t - 1] / left[1:] / left[:-1] @ squares[:-1]
        return b * float(squares[0] / left[0] + sums) / 2

    return term


def effective(law: Law, lr: np.ndarray) -> Callable[[int], float]:
    """The convolution form on the rate relative to the norm, weight decay .1."""
    p, v = law.parameters, 1.0
    e = np.empty_like(lr)
    for k in range(lr.size):
        e[k] = lr[k] * v ** -p["h"]
        v = v * (1 - 2 * 0.1 * lr[k]) + p["kappa"] * lr[k] ** 2
    S = np.cumsum(e)
    weight = p["N"] * (1e3 * e) ** p["a"] / 1e3
    return lambda t: float(weight[:t] @ forgotten(S, e, t, p["r"] / p["q"], p["q"]))


ORACLES = {
    oracle.__name__: oracle
    for oracle in (momentum, multipower, functional, convolution, lastiterate, effective)
}


@dataclass(frozen=True)
class Row:
    """One law on one schedule."""

    law: str
    fast: float
    slow: float | None
    error: float | None


def measure(name: str, schedule: Schedule, steps: np.ndarray, sample: int) -> Row:
    """Both ways, the oracle at ``sample`` of the steps."""
    law = LAWS[name](**AMPLITUDES[name])
    predicted = law.predict(schedule, steps)  # compiles, or loads what was compiled
    fast = best_of(5, lambda: law.predict(schedule, steps))
    if name not in ORACLES:
        return Row(name, fast, None, None)
    term = ORACLES[name](law, schedule.lr)
    picked = np.unique(np.linspace(0, steps.size - 1, sample).round().astype(np.int64))
    asked = steps[picked].tolist()
    found: list[float] = []
    slow = best_of(2, lambda: found.__setitem__(slice(None), [term(t) for t in asked]))
    slow *= float(steps.sum() / np.sum(asked))
    signal = law.with_(**{key: 0.0 for key in AMPLITUDES[name] if key not in ("L0", "A")})
    got = (predicted - signal.predict(schedule, steps))[picked]
    return Row(name, fast, slow, float(np.abs(got - found).max() / np.abs(found).max()))


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
