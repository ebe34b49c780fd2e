"""The 4 + 3 phases of compute-optimal training, measured.

Random features out of four times as many, no label noise, batch 1, half the largest stable rate;
compute C = modes * updates. Slopes of the lowest exact risk, and of the size that has it, between C
and a tenth of it, minus the exponents of `losslaw.kernel.theory.phase` (arXiv:2405.15074). Features
are those of the limit of many (`losslaw.kernel.simulate.random_features`), so that no draw of them
blurs an exponent; the last table holds them against drawn ones.
"""

from functools import cache

import numpy as np

from losslaw.kernel import KernelRegression
from losslaw.kernel.agreement import Frontier, frontier, noiseless_risk
from losslaw.kernel.agreement.phases import AMBIENT, SHARE, best_size
from losslaw.kernel.figures.phases import Phases
from losslaw.kernel.long_schedules import long_constant
from losslaw.kernel.theory import phase
from validation.page import markdown, sections

# Source and capacity of one problem in each phase.
PROBLEMS = Phases().problems
COMPUTE = (1e8, 1e12, 1e16, 1e20)
# The plane is looked at later: where capacities are small, little compute learns nothing.
ALL_OVER = (1e10, 1e13, 1e16)
CAPACITIES = (0.25, 0.35, 0.45, 0.52, 0.56, 0.65, 0.8, 0.95, 1.1, 1.4, 2.0, 3.0)
SOURCES = (0.2, 0.5, 0.8, 1.15, 1.4, 2.0, 3.0)
# Modes of drawn students, and how many are drawn.
DRAWN = ((100, 64), (400, 16), (1600, 1))


@cache
def measured(source: float, capacity: float, compute: float) -> Frontier:
    """Exponents up to an amount of compute."""
    return frontier(source, capacity, (0.1 * compute, compute))


def seven() -> list[str]:
    """One problem in each phase

    *Risk* and *modes*: theory, then measured minus theory up to each amount of compute.
    """
    body: list[list[str]] = []
    for problem in PROBLEMS:
        theory = phase(*problem)
        row = [theory.name, f"({problem[0]:g}, {problem[1]:g})"]
        for power, name in ((theory.risk, "risk"), (theory.modes, "size")):
            row.append(f"{power.exponent:.4f}")
            row += [f"{getattr(measured(*problem, c), name).gap:+.4f}" for c in COMPUTE]
        body.append(row)
    amounts = [f"C = {c:.0e}" for c in COMPUTE]
    head = ("phase", "(source, capacity)", "risk: C^", *amounts, "modes: C^", *amounts)
    return markdown(head, body)


def plane() -> list[str]:
    """All over the plane, by phase: how far the risk's exponent is from theory

    Sources .2 to 3, capacities .25 to 3; median and worst of |measured - theory| up to each amount
    of compute, and where the last worst one is. Near a boundary a third term is as large as the two
    that meet, and exponents arrive late.
    """
    body: list[list[str]] = []
    by_phase: dict[str, list[tuple[float, float]]] = {}
    for capacity in CAPACITIES:
        for source in SOURCES:
            by_phase.setdefault(phase(source, capacity).name, []).append((source, capacity))
    for name, problems in sorted(by_phase.items()):
        row = [name, str(len(problems))]
        for c in ALL_OVER:
            gaps = {p: abs(measured(*p, c).risk.gap) for p in problems}
            row.append(f"{np.median(list(gaps.values())):.4f} / {max(gaps.values()):.4f}")
        worst = max(problems, key=lambda p: abs(measured(*p, ALL_OVER[-1]).risk.gap))
        body.append([*row, f"({worst[0]:g}, {worst[1]:g})"])
    head = ("phase", "problems", *(f"C = {c:.0e}: median / worst" for c in ALL_OVER))
    return markdown((*head, "worst at"), body)


def optimum() -> list[str]:
    """What compute buys: best modes and lowest excess risk

    The best number of modes, the updates that are left for it, and the excess risk.
    """
    body: list[list[str]] = []
    for problem in PROBLEMS:
        row = [phase(*problem).name, f"({problem[0]:g}, {problem[1]:g})"]
        for c in COMPUTE[:3]:
            risk, modes = best_size(*problem, c)
            row.append(f"{modes:.3g} x {c / modes:.3g}: {risk:.3e}")
        body.append(row)
    return markdown(("phase", "(source, capacity)", *(f"C = {c:.0e}" for c in COMPUTE[:3])), body)


def drawn() -> list[str]:
    """Drawn features against those of the limit

    Excess risk after 10^7 / M updates: mean over the draws, over the one of the limit; in brackets
    the standard error of the mean, or for a single draw nothing. A draw differs by the order of
    1/sqrt(M), the mean by that of 1/M.
    """
    body: list[list[str]] = []
    for problem in PROBLEMS:
        row = [phase(*problem).name, f"({problem[0]:g}, {problem[1]:g})"]
        for modes, draws in DRAWN:
            updates = round(1e7 / modes)
            limit = noiseless_risk(*problem, modes, updates)
            ratios: list[float] = []
            for seed in range(draws):
                world = KernelRegression(
                    *problem,
                    modes=modes,
                    ambient=AMBIENT * modes,
                    noise=0,
                    features="random",
                    seed=seed,
                )
                run = long_constant(SHARE * world.largest_lr(), updates)
                ratios.append(float(world.excess_risk(run)[0]) / limit)
            error = f" ({np.std(ratios, ddof=1) / np.sqrt(draws):.3f})" if draws > 1 else ""
            row.append(f"{np.mean(ratios):.3f}{error}")
        body.append(row)
    head = (f"M = {modes}, {draws} drawn" for modes, draws in DRAWN)
    return markdown(("phase", "(source, capacity)", *head), body)


def table() -> str:
    """All of it."""
    return sections((seven, plane, optimum, drawn), "kernel_phases")
