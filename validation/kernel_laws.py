"""From the kernel world to the laws: when a fit recovers source and capacity, and when it does not.

Exact mean curves of one-pass SGD (infinitely many modes, noise 1, batch 1) are fitted by the two
forms of the functional scaling law as language-model curves are. Theory has ``q = 2 - 1/beta`` for
the convolution form and ``g = 1 - 1/beta`` for the drop form. A family of runs is one peak rate
over 100,000 updates: constant, cosine, WSD, a drop to a tenth half-way, a drop to a fifth after a
tenth. Fitted are points in which the laws are meant: after 50 units of intrinsic time (40 times the
rate by which the fastest mode forgets) and, after a drop, 10 units after it; sixty a stretch, equal
in the logarithm.

The laws hold to first order in the share ``F`` of its own noise that SGD feeds back, and neglect
that an update of finite size forgets faster: both bend the noise against the rate. So a small rate
is what they need, and ``F`` is given. The drop form sees noise only through falls of the rate;
*rise counted* (``warmup_drops``) lets it see the rise from 0 at the start as well.
*Recovered*: s within 5 %, q or g within 0.1 of theory.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import numpy as np

from losslaw import KernelRegression, Schedule
from losslaw.curves import LossCurve
from losslaw.fitting import Fit, fit
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import constant, cosine, wsd
from validation.page import markdown, sections

PROBLEMS = ((1.0, 2.0), (1.0, 1.5), (1.0, 4.0), (0.5, 4.0), (0.3, 2.0), (0.3, 4.0))
TWO = ((1.0, 2.0), (0.5, 4.0))
RATE, HORIZON = 0.02, 100_000
CONVOLUTION, DROPS, RISE = "convolution", "functional", "functional, rise counted"


def drop(peak: float, horizon: int, at: float, factor: float) -> Schedule:
    """A constant rate, and ``factor`` of it after the share ``at`` of the horizon."""
    lr = np.full(horizon, peak)
    lr[round(at * horizon) :] *= factor
    return Schedule(lr, warmup=0)


RUNS: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda peak, n: constant(peak=peak, horizon=n),
    "cosine": lambda peak, n: cosine(peak=peak, horizon=n, final=peak / 50),
    "wsd": lambda peak, n: wsd(peak=peak, horizon=n, cooldown=0.2, final=peak / 50),
    "late drop": lambda peak, n: drop(peak, n, 0.5, 0.1),
    "early drop": lambda peak, n: drop(peak, n, 0.1, 0.2),
}
FAMILY = tuple(RUNS)


def seen_steps(
    schedule: Schedule, begin: float = 50.0, lag: float = 10.0, each: int = 60
) -> IntArray:
    """Steps at which the laws are meant: late, and not just after a jump."""
    time, lr = schedule.intrinsic_time, schedule.lr
    jumps = [0, *(np.flatnonzero(lr[1:] < 0.7 * lr[:-1]) + 1).tolist(), schedule.horizon]
    steps: list[FloatArray] = []
    for start, end in pairwise(jumps):
        wait = (time[start - 1] + lag) if start else begin
        first = int(np.searchsorted(time, wait)) + 1
        if first < end:
            steps.append(start + np.geomspace(first - start, end - start, each))
    return np.unique(np.round(np.concatenate(steps))).astype(np.int64)


@lru_cache(maxsize=256)
def simulated(problem: tuple[float, float], run: str, peak: float, horizon: int) -> LossCurve:
    """One exact curve."""
    world = KernelRegression(source=problem[0], capacity=problem[1])
    schedule = RUNS[run](peak, horizon).with_(batch=1)
    return world.mean_curve(schedule, seen_steps(schedule), label=f"{run} {peak:g} {horizon}")


def curves(
    problem: tuple[float, float],
    runs: tuple[str, ...] = FAMILY,
    peaks: tuple[float, ...] = (RATE,),
    horizon: int = HORIZON,
    noise: float = 0.0,
) -> list[LossCurve]:
    """Curves of a family; ``noise`` is the relative error of every point."""
    rng = np.random.default_rng(0)
    result = [simulated(problem, run, peak, horizon) for peak in peaks for run in runs]
    return [
        curve.with_(loss=curve.loss * np.exp(noise * rng.standard_normal(len(curve))))
        for curve in result
    ]


def status_words(result: Fit) -> str:
    """The status in a few words."""
    words: list[str] = []
    for sentence in result.status.sentences:
        if "ended at" in sentence:
            words.append(f"{sentence.split()[0]} at bound")
        elif " is 0" in sentence:
            words.append(f"{sentence.split()[0]} = 0")
        elif sentence.startswith("not determined"):
            words.append("+".join(re.findall(r"(\w+) (?:up|down)", sentence)) + " open")
        else:
            words.append(f"{sentence.split()[0]} open")
    return ", ".join(words) if result.status.converged else "did not converge"


def cells(problem: tuple[float, float], law: str, fitted: list[LossCurve]) -> list[str]:
    """A fit, as cells of a row."""
    s, beta = problem
    name, theory = ("q", 2 - 1 / beta) if law == CONVOLUTION else ("g", 1 - 1 / beta)
    fixed = {"warmup_drops": True} if law == RISE else None
    result = fit(
        fitted, law.partition(",")[0], skip=1, uncertainty=False, fixed=fixed, keep_all=True
    )
    values = result.parameters
    right = (
        abs(values["s"] / s - 1) < 0.05,
        name in result.free and abs(values[name] - theory) < 0.1,
    )
    rmse = np.sqrt(np.mean([curve.rmse**2 for curve in result.curves]))
    return [
        law,
        f"{values['s']:.3f}",
        f"{name} = {values[name]:.3f}" if name in result.free else f"no {name}",
        f"{theory:.3f}",
        f"{rmse:.0e}",
        {(True, True): "both", (True, False): "s", (False, True): name}.get(right, "no"),
        status_words(result) or "converged",
    ]


HEAD = ("law", "s", "q or g", "theory", "rmse", "recovered", "status")


def pair(problem: tuple[float, float]) -> str:
    """``(s, beta)``."""
    return f"({problem[0]:g}, {problem[1]:g})"


def all_problems() -> list[str]:
    """The whole family at a small rate, 0.02"""
    body = [
        [pair(problem), *cells(problem, law, curves(problem))]
        for problem in PROBLEMS
        for law in (CONVOLUTION, DROPS, RISE)
    ]
    return markdown(("s, beta", *HEAD), body)


def rates() -> list[str]:
    """The whole family at larger rates"""
    body: list[list[str]] = []
    for problem in TWO:
        world = KernelRegression(source=problem[0], capacity=problem[1])
        for rate in (0.05, 0.1, 0.2):
            fitted = curves(problem, peaks=(rate,))
            share = world.noise_feedback(rate)
            for law in (CONVOLUTION, RISE):
                body.append(
                    [pair(problem), f"{rate:g}", f"{share:.2f}", *cells(problem, law, fitted)]
                )
    return markdown(("s, beta", "rate", "F", *HEAD), body)


def schedules() -> list[str]:
    """Parts of the family, and two peaks"""
    sets: list[tuple[str, tuple[str, ...], tuple[float, ...]]] = [
        ("constant", ("constant",), (RATE,)),
        ("constant, two peaks", ("constant",), (RATE, RATE / 2)),
        ("cosine", ("cosine",), (RATE,)),
        ("constant, WSD", ("constant", "wsd"), (RATE,)),
        ("late drop", ("late drop",), (RATE,)),
        ("constant, cosine, WSD", ("constant", "cosine", "wsd"), (RATE,)),
        ("all, two peaks", FAMILY, (RATE, RATE / 2)),
    ]
    body = [
        [pair(problem), title, *cells(problem, law, curves(problem, runs, peaks))]
        for problem in TWO
        for title, runs, peaks in sets
        for law in (CONVOLUTION, RISE, *([DROPS] if len(peaks) > 1 else []))
    ]
    return markdown(("s, beta", "runs", *HEAD), body)


def noisy() -> list[str]:
    """The whole family with relative errors of every point"""
    body = [
        [pair(problem), f"{noise:g}", *cells(problem, law, curves(problem, noise=noise))]
        for problem in TWO
        for noise in (1e-5, 1e-4, 1e-3)
        for law in (CONVOLUTION, DROPS)
    ]
    return markdown(("s, beta", "noise", *HEAD), body)


def table() -> str:
    """All sections, one after the other."""
    return sections((all_problems, rates, schedules, noisy), "kernel_laws")
