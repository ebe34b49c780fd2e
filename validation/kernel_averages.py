"""Averaging instead of decaying, in the kernel world: what is exact of it.

One-pass SGD on power-law kernel regression, all modes, label noise 1, batch 1. Risks are those
above the irreducible one, exact means (`KernelRegression.excess_risk`). Problems are (source,
capacity); easy ones have source >= 1 - 1/capacity. *Average* is the tail average of a run at a
constant rate; *linear* and *power* decay to 0, the power being 2 capacity - 1.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.optimize import minimize_scalar

from losslaw.fitting import fit
from losslaw.kernel import KernelRegression
from losslaw.merging.average_loss import NO_DRIFT, average_loss
from losslaw.schedules import Schedule, constant, wsd
from losslaw.schedules.averages import TailAverage, WeightedCheckpoints
from validation.page import markdown, sections

PROBLEMS = ((1.0, 2.0), (2.0, 2.0), (1.0, 4.0), (0.5, 4.0), (0.3, 2.0))
HORIZONS = (10**4, 10**5, 10**6)
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
# Updates, and the rate as a share of the largest, of runs that are not tuned.
N, RATES = 100_000, (0.5, 0.05)


@cache
def world(source: float, capacity: float) -> KernelRegression:
    """A problem."""
    return KernelRegression(source, capacity)


def _tuned(risk: Callable[[float], float], largest: float) -> float:
    """The lowest risk over the peak learning rate."""
    found = minimize_scalar(
        lambda log: risk(float(np.exp(log))),
        bounds=(np.log(1e-5 * largest), np.log(0.95 * largest)),
        method="bounded",
        options={"xatol": 0.03},
    )
    return float(found.fun)


@cache
def best(source: float, capacity: float, way: str, horizon: int) -> tuple[float, float]:
    """The lowest risk of a way to run, and the share of the run that is averaged or decays."""
    here = world(source, capacity)

    def risk(peak: float, share: float) -> float:
        if way in ("constant", "average"):
            run = Schedule(np.full(horizon, peak))
            tail = TailAverage(start=round(horizon * (1 - share)))
            average = tail if way == "average" else None
            return float(here.excess_risk(run, average=average)[0])
        decay = {"decay": way, "exponent": 2 * capacity - 1}
        return float(here.excess_risk(wsd(peak=peak, horizon=horizon, cooldown=share, **decay))[0])

    shares = (0.0,) if way == "constant" else SHARES
    largest = here.largest_lr()
    return min((_tuned(lambda p, s=share: risk(p, s), largest), share) for share in shares)


def tuned() -> list[str]:
    """Everything tuned, at equal data: risk, and the share that is averaged or decays

    `slope` is that of risk against updates from 10^5 to 10^6; theory: D^-(s b/(1 + s b)) for the
    average and the power in easy problems, with b at most 2 for the linear decay, D^-(s/(1 + s))
    for the constant rate; D^-s for all but the constant in hard ones.
    """
    body: list[list[str]] = []
    for source, capacity in PROBLEMS:
        easy = source >= 1 - 1 / capacity
        for way in ("constant", "average", "linear", "power"):
            risks = [best(source, capacity, way, horizon) for horizon in HORIZONS]
            slope = np.log10(risks[1][0] / risks[2][0])
            b = min(capacity, 2.0) if way == "linear" else capacity
            theory = source * b / (1 + source * b) if easy or source >= 1 - 1 / b else source
            theory = source / (1 + source) if way == "constant" else theory
            cells = [f"{risk:.3e}" + (f" ({share:g})" if share else "") for risk, share in risks]
            name = f"({source:g}, {capacity:g}) {'easy' if easy else 'hard'}"
            body.append([name, way, *cells, f"{slope:.3f}", f"{theory:.3f}"])
    head = (
        "problem",
        "way",
        *(f"{horizon:.0e} updates" for horizon in HORIZONS),
        "slope",
        "theory",
    )
    return markdown(head, body)


def one_run() -> list[str]:
    """One run of 10^5 updates: risk over that of its last iterate

    *all*: the average of every iterate of the last so many updates; *saved*: of those after every
    1,000th; *instead*: a linear decay over these updates, from the first of them on; *more*: over
    as many more, after the last.
    """
    body: list[list[str]] = []
    for source, capacity in PROBLEMS:
        here = world(source, capacity)
        for rate in RATES:
            run = Schedule(np.full(N, rate * here.largest_lr()))
            last = here.excess_risk(run)[0]
            row = [f"({source:g}, {capacity:g})", f"{rate:g}", f"{last:.3e}"]
            for share in (0.1, 0.2, 0.4):
                span = round(share * N)
                average = WeightedCheckpoints(range(N - span, N + 1, 1000))
                fall = run.lr[0] * np.arange(span - 1, -1, -1.0) / span
                risks = [
                    *(
                        here.excess_risk(run, average=each)[0]
                        for each in (TailAverage(start=N - span), average)
                    ),
                    *(
                        here.excess_risk(run.prefix(start).extended(fall))[0]
                        for start in (N - span, N)
                    ),
                ]
                row.append(" / ".join(f"{risk / last:.3f}" for risk in risks))
            body.append(row)
    spans = (f"last {share:.0%}: all / saved / instead / more" for share in (0.1, 0.2, 0.4))
    return markdown(("problem", "rate / largest", "last iterate", *spans), body)


def equivalence() -> list[str]:
    """Where the equivalence fails: the average over the end of its equivalent schedule

    The same runs; checkpoints over the last 40 %. Signal is what infinite batches leave, noise the
    rest: an average remembers more signal than the schedule (the mean of exp(-x) is above exp of
    the mean), and less noise of fast modes, which it has as it was along the run. `share` is the
    noise in the risk of the average.
    """
    body: list[list[str]] = []
    kinds = [(41, "uniform"), (41, "linear"), (41, "1-sqrt"), (6, "linear"), (3, "linear")]
    for source, capacity in PROBLEMS:
        here = world(source, capacity)
        for rate in RATES:
            run = Schedule(np.full(N, rate * here.largest_lr()), batch=1)
            for count, weights in kinds:
                steps = np.linspace(0.6 * N, N, count).round()
                average = WeightedCheckpoints(steps, weights)
                other = average.equivalent(run)
                both = [here.excess_risk(run, average=average)[0], here.excess_risk(other)[0]]
                quiet = [
                    here.excess_risk(run.with_(batch=1e15), average=average)[0],
                    here.excess_risk(other.with_(batch=1e15))[0],
                ]
                noise = [one - signal for one, signal in zip(both, quiet, strict=True)]
                name = f"({source:g}, {capacity:g})"
                ratios = (both, quiet, noise)
                cells = [f"{one / schedule:.3f}" for one, schedule in ratios]
                share = f"{noise[0] / both[0]:.0%}"
                body.append([name, f"{rate:g}", f"{count} {weights}", *cells, share])
    head = ("problem", "rate / largest", "checkpoints", "risk", "signal", "noise", "share")
    return markdown(head, body)


def laws() -> list[str]:
    """A law asked about averages: predicted minus exact, over what averaging gains

    The convolution form of the functional scaling law, fitted to the exact curves of a constant
    rate and of WSD (20,000 updates), is asked about averages of the constant run: *schedule* by the
    equivalent schedule alone, *pairs* as `losslaw.merge` answers, without drift.
    """
    body: list[list[str]] = []
    n = 20_000
    kinds = [(11, 0.2, "uniform"), (11, 0.4, "1-sqrt"), (5, 0.4, "1-sqrt"), (3, 0.1, "uniform")]
    for source, capacity in PROBLEMS:
        here = world(source, capacity)
        for rate in (0.3, 0.1):
            peak = rate * here.largest_lr()
            runs = {
                "constant": constant(peak=peak, horizon=n, batch=1),
                "wsd": wsd(peak=peak, horizon=n, cooldown=0.2, batch=1),
            }
            at = np.unique(np.geomspace(50, n, 80).round())
            curves = [here.mean_curve(run, at, label=name) for name, run in runs.items()]
            found = fit(curves, "convolution", uncertainty=False, skip=50)
            row = [f"({source:g}, {capacity:g})", f"{rate:g}"]
            last = curves[0].loss[-1]
            for count, span, weights in kinds:
                average = WeightedCheckpoints(np.linspace((1 - span) * n, n, count), weights)
                told = average_loss(found, runs["constant"], average, 0.9, NO_DRIFT)
                exact = here.mean_curve(runs["constant"], [n], average=average).loss[0]
                errors = (told.loss - told.correction - exact, told.loss - exact)
                row.append(" / ".join(f"{error / (last - exact):+.1%}" for error in errors))
            body.append(row)
    names = (f"{count} {weights}, last {span:.0%}" for count, span, weights in kinds)
    head = ("problem", "rate / largest", *(f"{name}: schedule / pairs" for name in names))
    return markdown(head, body)


def table() -> str:
    """All of it."""
    return sections((tuned, one_run, equivalence, laws), "kernel_averages")
