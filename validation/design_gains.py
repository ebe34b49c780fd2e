"""Gains of one schedule over another: predicted differences of final losses against observed ones.

Each law is fitted as in the protocols `public split` and `one peak`; then all pairs of runs of one
horizon and one peak learning rate, at most one of them fitted, are compared: by how much one ends
below the other (mean of the last three points), predicted and observed.

`error` is the root mean square of predicted minus observed difference, `size` that of the observed
difference, `order` the share of pairs whose better run is predicted; `held` the share inside the 90
% interval of `losslaw design` (parameters, and what two schedules do not share of the law's own
error), with what repeated runs differ by (0.001 nats each) added; `parameters only` the share
inside an interval of the parameters alone. The distance of two schedules is the share of the rates
that one has and the other has not; its scale 0.1 in the interval was chosen on these pairs, for
`effective`.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from losslaw.designing.gains import Gains, LawGains, distance
from losslaw.fitting import fit
from losslaw.fitting.uncertainty import REPEAT
from validation.protocols import one_peak, public_split

COMPARED = ("effective", "multipower", "convolution")
PROTOCOLS = {"public split": public_split, "one peak": one_peak}
EDGES = (0.0, 0.05, 0.1, 0.2, 0.35, 1.0)


@dataclass(frozen=True)
class Pair:
    """Two runs: what one gains on the other."""

    apart: float
    predicted: float
    observed: float
    half: float
    parameters: float

    @property
    def error(self) -> float:
        """Predicted minus observed gain."""
        return self.predicted - self.observed

    def held(self, half: float) -> bool:
        """Whether the interval of this half-width, for two single runs, holds what was observed."""
        return abs(self.error) <= np.hypot(half, 1.645 * np.sqrt(2) * REPEAT)


def pairs(law: str, protocol: str) -> list[Pair]:
    """All comparable pairs of a protocol."""
    out: list[Pair] = []
    for trial in PROTOCOLS[protocol]():
        result = fit(trial.fitted, law, skip=trial.skip)
        if result.uncertainty is None:
            continue
        heaviest = LawGains(result.law, result.uncertainty)
        runs = [(curve, False) for curve, _ in trial.held_out] + [(c, True) for c in trial.fitted]
        ends: list[tuple[float, float]] = []
        for curve, _ in runs:
            predicted = result.predict(curve.schedule, curve.steps[-3:]).loss
            ends.append((float(predicted.mean()), float(curve.loss[-3:].mean())))
        for i, j in itertools.combinations(range(len(runs)), 2):
            (a, known), (b, other) = runs[i], runs[j]
            same = a.schedule.horizon == b.schedule.horizon
            same &= abs(np.log(a.schedule.peak_lr / b.schedule.peak_lr)) < 0.01
            if not same or (known and other):
                continue
            first, second = (result.predict(c.schedule, c.steps[-1:]).schedule for c in (a, b))
            apart = heaviest.gradient(first) - heaviest.gradient(second)
            interval = Gains.of(result, first, 0.9).interval(first, second)
            assert interval is not None
            variance = apart @ result.uncertainty.covariance @ apart
            out.append(
                Pair(
                    distance(first, second),
                    ends[j][0] - ends[i][0],
                    ends[j][1] - ends[i][1],
                    interval.half_width,
                    1.645 * float(np.sqrt(max(variance, 0.0))),
                )
            )
    return out


def row(name: str, chosen: list[Pair]) -> str:
    """A row of a table."""
    error, size = (
        np.sqrt(np.mean([value**2 for value in values]))
        for values in ([p.error for p in chosen], [p.observed for p in chosen])
    )
    order = np.mean([p.predicted * p.observed > 0 for p in chosen])
    held = np.mean([p.held(p.half) for p in chosen])
    only = np.mean([p.held(p.parameters) for p in chosen])
    numbers = f"{size:.4f} | {error:.4f} | {order:.2f} | {held:.2f} | {only:.2f}"
    return f"| {name} | {len(chosen)} | {numbers} |"


def table() -> str:
    """By law and protocol, and by distance."""
    head = [
        "| pairs | size | error | order | held | parameters only |",
        "|---|---|---|---|---|---|",
    ]
    lines: list[str] = []
    for law in COMPARED:
        lines += [f"## `{law}`", "", f"| protocol {head[0]}", f"|---{head[1]}"]
        every: list[Pair] = []
        for protocol in PROTOCOLS:
            chosen = pairs(law, protocol)
            every += chosen
            if chosen:
                lines.append(row(protocol, chosen))
        lines += ["", f"| distance {head[0]}", f"|---{head[1]}"]
        for low, high in itertools.pairwise(EDGES):
            near = [p for p in every if low <= p.apart < high]
            if near:
                lines.append(row(f"{low:g} to {high:g}", near))
        lines.append("")
    return "\n".join(lines)
