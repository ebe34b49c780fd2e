"""The best schedule of all: the closed shape of the theory, and rates that are free at knots.

`losslaw.kernel.theory.optimal_schedule` minimises the functional scaling law; here the same shape,
and any other, meet the exact dynamics (arXiv:2602.06797).
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize

from losslaw.kernel.agreement.exponents import Pair, power_of, slope
from losslaw.kernel.agreement.optimum import cap, final_risk, lowest, world
from losslaw.kernel.every_rate import free_optimum
from losslaw.kernel.theory import Exponents, optimal_relations, optimal_schedule
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules.pieces import LongSchedule, Piece

# Updates up to which every rate of the free optimum is free: some seconds.
WRITTEN_OUT = 1_000_000
# Knots at the end between which rates fall.
LAST = 4
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


@dataclass(frozen=True, kw_only=True)
class FreeForm:
    """The best schedule of any shape, its rates free at knots.

    Attributes:
        risk: Excess risk at the end.
        left: Updates left at the knots, rising. Shape ``(k,)``.
        rates: Rates there. Shape ``(k,)``.
        top: Largest rate.
    """

    risk: float
    left: FloatArray
    rates: FloatArray
    top: float

    def rate(self, left: FloatArray) -> FloatArray:
        """Rate with so many updates left: a cubic spline in the logarithms."""
        spline = CubicSpline(np.log(self.left), np.log(self.rates))
        at = np.log(np.maximum(left, self.left[0]))
        return np.minimum(np.exp(np.asarray(spline(at))), self.top)

    @property
    def run(self) -> LongSchedule:
        """The schedule itself."""
        n = round(self.left[-1])
        return LongSchedule((Piece(n, 1.0, 0.0, lambda z, y: self.rate(n * y)),))

    def slope(self, after: float, before: float) -> float:
        """Slope of rate against intrinsic time left, least squares on the logarithms.

        Args:
            after: Smallest time left that counts.
            before: Largest one.
        """
        first, last = math.log(self.left[0]), math.log(self.left[-1])
        left = np.exp(np.linspace(first, last, 2000))
        rate = self.rate(left)
        parts = np.diff(left) * (rate[1:] + rate[:-1]) / 2
        u = np.cumsum(np.append(rate[0] * left[0], parts))
        inside = (u >= after) & (u <= before)
        return float(np.polyfit(np.log(u[inside]), np.log(rate[inside]), 1)[0])


@lru_cache(maxsize=64)
def free_form(exponents: Exponents, samples: float, per_decade: float = 1.2) -> FreeForm:
    """The lowest risk over all rates, or over rates at knots, equal in the log of time left.

    Up to `WRITTEN_OUT` updates every rate is free, and the search has converged; beyond, the rates
    at the knots are. It starts at the best schedule of the KKT shape, and knows nothing of it after
    that.
    """
    n, beta, top = round(samples), exponents.capacity, math.log(cap(exponents))
    power = 1 - 1 / (2 * beta)
    _, c = best_kkt(exponents, samples)
    # 1 + u = (1 + c n / (2 beta))^(2 beta) with n updates left, up to the cap or the whole run.
    whole = 2 * beta * math.log1p(c * n / (2 * beta))
    last = min(whole, (top - math.log(c)) / power)
    u = np.geomspace(0.3, math.expm1(last), math.ceil(per_decade * last / math.log(10)) + 2)
    left = 2 * beta / c * np.expm1(np.log1p(u) / (2 * beta))
    start = math.log(c) + power * np.log1p(u)
    if last < whole:
        left = np.append(left, left[-1] * (n / left[-1]) ** np.array([1 / 3, 2 / 3, 1.0]))
        start = np.append(start, np.full(3, top))
    left[-1] = n

    def form(logs: FloatArray) -> FreeForm:
        return FreeForm(risk=math.nan, left=left, rates=np.exp(logs), top=math.exp(top))

    if n <= WRITTEN_OUT:
        return _every_rate(exponents, form(np.minimum(start, top)).run, math.exp(top))

    def falling(logs: FloatArray) -> FloatArray:
        # The risk is flat in the last rates, which would swing: they fall, up to the last knot.
        last = np.minimum.accumulate(logs[:LAST][::-1])[::-1]
        return np.concatenate([last, logs[LAST:]])

    def height(logs: FloatArray) -> float:
        return math.log(final_risk(exponents, form(falling(logs)).run))

    def gradient(logs: FloatArray) -> FloatArray:
        # Wide central differences, for the integrator is smooth to 1e-6 only.
        h = 0.05
        step = np.minimum(h, top - logs)
        return np.array(
            [
                (height(logs + row * step) - height(logs - row * h)) / (h + (row * step).sum())
                for row in np.eye(logs.size)
            ]
        )

    result = minimize(
        height,
        np.minimum(start, top),
        jac=gradient,
        method="L-BFGS-B",
        bounds=[(None, top)] * left.size,
        options={"ftol": 1e-8, "gtol": 1e-6, "maxfun": 40},
    )
    return replace(form(falling(result.x)), risk=math.exp(result.fun))


def _every_rate(exponents: Exponents, start: LongSchedule, top: float) -> FreeForm:
    """The best schedule with every rate free, seen at places equal in the log of updates left."""
    found = free_optimum(world(exponents), start.written_out(), top=top, tolerance=2e-8)
    lr = found.schedule.lr
    left = np.unique(np.round(np.geomspace(1, lr.size, SEEN)))
    rates = lr[np.maximum(lr.size - 1 - left.astype(np.int64), 0)]
    return FreeForm(risk=found.excess, left=left, rates=rates, top=top)
