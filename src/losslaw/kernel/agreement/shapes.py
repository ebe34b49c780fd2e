"""The best schedule of all: the closed shape of the theory, and rates that are all free.

`losslaw.kernel.theory.optimal_schedule` minimises the functional scaling law; here the same shape,
and any other, meet the exact dynamics (arXiv:2602.06797).
"""

import math
from functools import lru_cache

import numpy as np

from losslaw.kernel.agreement.exponents import Pair, power_of, slope
from losslaw.kernel.agreement.optimum import (
    Optimum,
    cap,
    final_risk,
    long_schedule,
    lowest,
    world,
)
from losslaw.kernel.every_rate import free_optimum
from losslaw.kernel.long_free_form import FreeForm, long_optimum
from losslaw.kernel.theory import Exponents, optimal_relations, optimal_schedule
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules.pieces import LongSchedule, Piece

# Updates up to which every rate of the free optimum is free: a second.
WRITTEN_OUT = 100_000
# Places at which such a schedule is kept.
SEEN = 150


def kkt_run(exponents: Exponents, samples: float, final: float) -> LongSchedule:
    """The shape of `losslaw.kernel.theory.optimal_schedule`, with a final rate of one's own.

    ``min(cap, c (1 + c n / (2 beta))^(2 beta - 1))`` with n updates left: constants of the theory
    are off, so the final rate ``c`` is searched.
    """
    beta, c, top = exponents.capacity, final, cap(exponents)
    tail = 2 * beta / c * ((top / c) ** (1 / (2 * beta - 1)) - 1)
    n = round(min(samples, max(tail, 1.0)))

    def rate(z: FloatArray, y: FloatArray) -> FloatArray:
        growth = (2 * beta - 1) * np.log1p(c * n * y / (2 * beta))
        return c * np.exp(np.minimum(growth, math.log(top / c)))

    falling = Piece(n, 1.0, 0.0, rate)
    stable = (Piece(round(samples) - n, top),) if n < round(samples) else ()
    return LongSchedule((*stable, falling))


@lru_cache(maxsize=256)
def best_kkt(exponents: Exponents, samples: float) -> tuple[float, float]:
    """Risk and final rate of the best schedule of the KKT shape."""
    guess = math.log(optimal_schedule(exponents, samples, cap=cap(exponents)).final)
    top = math.log(cap(exponents)) - 1e-3

    def height(logs: FloatArray) -> float:
        at = min(float(logs[0]), top)
        return math.log(final_risk(exponents, kkt_run(exponents, samples, math.exp(at)))) + (
            float(logs[0]) - at
        )

    logs = lowest(height, np.array([guess]), precise=True)
    return math.exp(height(logs)), math.exp(logs[0])


def final_rate_pair(exponents: Exponents, budgets: tuple[float, float]) -> Pair:
    """Exponent of the last rate of the best schedule.

    ``-(1 + s)/2`` hard, ``-(1/2 + s beta)/(1 + s beta)`` easy; derived here.
    """
    power = power_of(optimal_relations(exponents, budgets[1]), "final")
    first, last = (best_kkt(exponents, n)[1] for n in budgets)
    return Pair(slope(budgets, (first, last), 0.0), power.exponent)


@lru_cache(maxsize=64)
def free_form(exponents: Exponents, samples: float) -> FreeForm:
    """The lowest risk over all schedules.

    Up to `WRITTEN_OUT` updates every rate is free, beyond rates at ever more places are
    (`losslaw.kernel.long_free_form`). It starts at the best schedule of the KKT shape, and knows
    nothing of it after that.
    """
    start = kkt_run(exponents, samples, best_kkt(exponents, samples)[1])
    if start.horizon > WRITTEN_OUT:
        return long_optimum(world(exponents), start, top=cap(exponents))
    return _every_rate(exponents, start, cap(exponents))


def freed(
    exponents: Exponents,
    schedule: str,
    found: Optimum,
    *,
    noise: float = 1.0,
    exponent: float | None = None,
    floor: float = 0.0,
) -> FreeForm:
    """The best schedule of any shape for the modes, samples and batch of a tuned one.

    Args:
        exponents: Source and capacity.
        schedule: The tuned one, as in `losslaw.kernel.agreement.long_schedule`; the search begins
            there.
        found: Its hyper-parameters.
        noise: Label noise sigma >= 0.
        exponent: Of the power decays.
        floor: Its final rate as a share of the peak; the free one may end lower.
    """
    shape = found.cooldown, exponent, floor, found.batch
    run = long_schedule(exponents, schedule, found.peak, found.samples, *shape)
    problem = world(exponents, found.modes, noise)
    return long_optimum(problem, run, top=cap(exponents, found.batch))


def _every_rate(exponents: Exponents, start: LongSchedule, top: float) -> FreeForm:
    """The best schedule with every rate free, seen at places equal in the log of updates left."""
    found = free_optimum(world(exponents), start.written_out(), top=top, tolerance=2e-8)
    lr = found.schedule.lr
    left = np.unique(np.round(np.geomspace(1, lr.size, SEEN)))
    rates = lr[np.maximum(lr.size - 1 - left.astype(np.int64), 0)]
    return FreeForm(risk=found.excess, left=left, rates=rates, top=top, gap=found.gap, gained=0.0)
