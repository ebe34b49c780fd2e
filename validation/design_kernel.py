"""Free-form schedules in the kernel world: the search against the closed form, and exact dynamics.

The functional scaling law of power-law kernel regression is the law `convolution` with known
constants, so `losslaw design` can be asked what theory answers. *Closed form* is the minimiser of
``(1+T)^-s + int (1+u)^-(2-1/b) gamma(u) du`` over all rates up to a cap of 1
(`losslaw.kernel.theory.optimal`), *search* the free form found under the same law, which does not
know that shape: the ratio of their objectives (the law's ``T^-s`` for ``(1+T)^-s``), the peak and
the last rate of either, and the largest difference of the two schedules, relative to the peak.

*Exact dynamics* take the law with the constants of the problem (noise 1, batch 1, rates up to a
tenth of the largest stable one, infinitely many modes), and run what was found with the recursion
of the mean, which knows no law: excess risk predicted and exact, and the exact one of usual
schedules, each with its knobs set under the same law, and of the closed form's shape
``(1 - z)^(2b-1)`` with the best peak.
"""

import time

import numpy as np
from scipy.special import gamma

import losslaw as ll
from losslaw.kernel.theory import Exponents, optimal_schedule

PROBLEMS = ((1.0, 2.0), (1.0, 1.5), (0.5, 4.0), (0.3, 2.0))
HORIZONS = (1000, 10_000, 100_000)
SHARE = 0.1  # of the largest stable rate: the law leaves out what noise makes of noise


def bare(source: float, capacity: float) -> ll.Convolution:
    """The law with all constants 1 and label noise only."""
    return ll.Convolution(A=1.0, N=1.0, s=source, q=2 - 1 / capacity, c=1.0)


def dressed(source: float, capacity: float) -> ll.Convolution:
    """The law with the constants of the problem: ``e`` and ``K`` at large t, and a half."""
    q = 2 - 1 / capacity
    signal = gamma(source) / capacity * 2**-source
    kernel = gamma(q) / capacity
    return ll.Convolution(A=signal / 2, N=kernel / 2, M=kernel * signal / 2, s=source, q=q, c=2.0)


def against_closed_form() -> str:
    """A row a problem and horizon."""
    lines = [
        "| s, b | updates | objective over closed form | peak | closed | last | closed"
        " | largest difference | seconds |",
        "|---" * 9 + "|",
    ]
    for source, capacity in PROBLEMS:
        for horizon in HORIZONS:
            known = optimal_schedule(Exponents(source, capacity), horizon)
            begun = time.process_time()
            design = ll.design(bare(source, capacity), horizon, peak=1.0)
            seconds = time.process_time() - begun
            lr = design.schedule.lr
            closed = known.rate((np.arange(horizon) + 0.5) / horizon)
            ratio = (
                bare(source, capacity).predict(design.schedule, [horizon])[0]
                / (bare(source, capacity).predict(ll.Schedule(closed), [horizon])[0])
            )
            apart = np.abs(lr - closed).max() / closed.max()
            lines.append(
                f"| {source:g}, {capacity:g} | {horizon:,} | {ratio:.5f} | {lr.max():.4f}"
                f" | {known.peak:.4f} | {lr[-1]:.5f} | {closed[-1]:.5f} | {apart:.3f}"
                f" | {seconds:.1f} |"
            )
    return "\n".join(lines)


def exact(problem: ll.KernelRegression, schedule: ll.Schedule) -> float:
    """Excess risk after the last update, from the recursion of the mean."""
    return float(problem.mean_curve(schedule, steps=[schedule.horizon]).loss[-1] - 0.5)


def in_exact_dynamics(horizon: int = 10_000) -> str:
    """A row a problem."""
    families = ("cosine", "linear", "wsd", "wsd-1-sqrt")
    lines = [
        f"| s, b | predicted | exact | over it: {' | '.join(families)} | (1 - z)^(2b-1) |",
        "|---" * (4 + len(families)) + "|",
    ]
    for source, capacity in PROBLEMS:
        problem = ll.KernelRegression(source=source, capacity=capacity, modes=np.inf, noise=1.0)
        peak = SHARE * problem.largest_lr()
        law = dressed(source, capacity)
        design = ll.design(law, horizon, peak=peak)
        best = exact(problem, design.schedule)
        ratios: list[str] = []
        for family in families:
            other = ll.design(law, horizon, peak=(1e-3 * peak, peak), family=family)
            ratios.append(f"{exact(problem, other.schedule) / best:.3f}")
        shapes = [
            exact(problem, ll.power(peak=p, horizon=horizon, exponent=2 * capacity - 1))
            for p in np.geomspace(0.02, 1.0, 25) * peak
        ]
        lines.append(
            f"| {source:g}, {capacity:g} | {design.loss:.5f} | {best:.5f} | {' | '.join(ratios)}"
            f" | {min(shapes) / best:.3f} |"
        )
    return "\n".join(lines)


def table() -> str:
    """Both tables."""
    return (
        f"## Against the closed form\n\n{against_closed_form()}\n\n"
        f"## Exact dynamics, 10,000 updates\n\n{in_exact_dynamics()}\n"
    )
