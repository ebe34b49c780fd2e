"""Slopes between two budgets, their logarithms divided out, beside the theory's exponents.

Where theory has ``N^e (log N)^p``, the exponent is measured with the logarithm divided out, ::

    e = [log R(N2)/R(N1) - p log(log N2 / log N1)] / log(N2 / N1)

and the log power with the exponent divided out.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from losslaw.kernel.agreement.optimum import best, cap, final_risk
from losslaw.kernel.long_schedules import long_constant
from losslaw.kernel.theory import Exponents, Power, Relation, scaling
from losslaw.kernel.theory.scaling import Limited


class Pair(NamedTuple):
    """A measured number and what the theory has for it."""

    measured: float
    predicted: float

    @property
    def gap(self) -> float:
        """Measured minus predicted."""
        return self.measured - self.predicted


def slope(budgets: tuple[float, float], values: tuple[float, float], log_power: float) -> float:
    """Local slope of values against budgets, a power of the logarithm divided out.

    >>> round(slope((1e3, 1e4), (1e-3 * math.log(1e3), 1e-4 * math.log(1e4)), 1.0), 12)
    -1.0
    """
    (n1, n2), (y1, y2) = budgets, values
    logarithms = log_power * math.log(math.log(n2) / math.log(n1))
    return (math.log(y2 / y1) - logarithms) / math.log(n2 / n1)


def log_slope(budgets: tuple[float, float], values: tuple[float, float], exponent: float) -> float:
    """Power of the logarithm in values against budgets, a power of the budget divided out."""
    (n1, n2), (y1, y2) = budgets, values
    powers = exponent * math.log(n2 / n1)
    return (math.log(y2 / y1) - powers) / math.log(math.log(n2) / math.log(n1))


def power_of(relations: Sequence[Relation], quantity: str) -> Power:
    """Exponent and log power of a quantity among relations."""
    power = next(item.power for item in relations if item.quantity == quantity)
    assert power is not None
    return power


def scaling_pair(
    exponents: Exponents,
    schedule: str,
    budgets: tuple[float, float],
    *,
    limited: Limited = "data",
    quantity: str = "risk",
    logarithm: bool = False,
    cooldown: float | None = None,
    exponent: float | None = None,
    floor: float = 0.0,
) -> Pair:
    """Exponent of a scaling relation between two budgets: measured, and as the theory has it.

    Args:
        exponents: Source and capacity.
        schedule: As in `long_schedule`.
        budgets: D or C, the smaller first.
        limited: Which of the two.
        quantity: ``risk``, ``peak``, ``modes``, ``samples`` or ``cooldown``.
        logarithm: The power of the logarithm instead.
        cooldown: A fixed one for WSD.
        exponent: Of the power decay.
        floor: Final rate as a share of the peak.

    Source: arXiv:2509.19189, Sec. 5; arXiv:2602.06797; see `losslaw.kernel.theory.scaling`.

    >>> pair = scaling_pair(Exponents(1.0, 2.0), "constant", (1e11, 1e12))
    >>> round(pair.predicted, 3), bool(abs(pair.gap) < 0.002)
    (-0.5, True)
    """
    theory = scaling(
        exponents, schedule, budgets[1], limited=limited, exponent=exponent, floor=floor
    )
    power = power_of(theory.relations, quantity)
    first, last = (
        getattr(
            best(
                exponents,
                schedule,
                n,
                limited=limited,
                cooldown=cooldown,
                exponent=exponent,
                floor=floor,
                precise=quantity != "risk",
            ),
            quantity,
        )
        for n in budgets
    )
    if logarithm:
        return Pair(log_slope(budgets, (first, last), power.exponent), power.log_power)
    return Pair(slope(budgets, (first, last), power.log_power), power.exponent)


def risk_ratio(
    exponents: Exponents,
    schedule: str,
    other: str,
    budget: float,
    *,
    cooldown: float | None = None,
    limited: Limited = "data",
) -> float:
    """Lowest risk of a schedule over that of another one, at a budget of data or compute.

    >>> risk_ratio(Exponents(0.5, 4.0), "wsd", "exponential", 1e6) < 0.6
    True
    """
    share = cooldown if schedule.startswith("wsd") else None
    mine = best(exponents, schedule, budget, cooldown=share, limited=limited)
    return mine.risk / best(exponents, other, budget, limited=limited).risk


def noiseless_pair(
    exponents: Exponents,
    budgets: tuple[float, float],
    share: float = 0.5,
    *,
    batch: float = 1.0,
) -> Pair:
    """Exponent of the risk at a constant rate without label noise, ``min(s, 2 - 1/beta)``.

    What is left is signal, ``t^-s``, or the mini-batch noise that the signal made at first and that
    is forgotten as ``t^-(2 - 1/beta)``, whichever is more.

    Args:
        exponents: Source and capacity.
        budgets: Samples, the smaller number first.
        share: The rate, as a share of the largest one that is tried.
        batch: Samples in an update.

    Source: arXiv:2509.19189, Th 4.5 (there for s <= 2 - 1/beta).

    >>> pair = noiseless_pair(Exponents(2.0, 2.0), (1e5, 1e6))
    >>> round(pair.measured, 2), pair.predicted
    (-1.5, -1.5)
    """
    lr = share * cap(exponents, batch)
    runs = (long_constant(lr, max(1, round(n / batch)), batch) for n in budgets)
    first, last = (final_risk(exponents, run, noise=0.0) for run in runs)
    predicted = -min(exponents.source, 2 - 1 / exponents.capacity)
    return Pair(slope(budgets, (first, last), 0.0), predicted)


def onset(ratio: Callable[[float], float], *, decades: Sequence[int] = range(2, 16)) -> float:
    """The budget from which on a ratio stays below 1; 0 if it is below all along.

    Looked at from decade to decade and interpolated in the logarithms; infinite if the last decade
    is not below 1.

    >>> round(onset(lambda n: 1e5 / n))
    100000
    """
    heights = [math.log(ratio(10.0**k)) for k in decades]
    if heights[-1] >= 0:
        return math.inf
    points = list(zip(decades, heights, strict=True))
    for (k, high), (later, low) in reversed(list(pairwise(points))):
        if high >= 0:
            return 10.0 ** (k + high / (high - low) * (later - k))
    return 0.0


def flatness(exponents: Exponents, compute: float, above: float = 2.0, peaks: int = 6) -> float:
    """Highest over lowest risk of exponential decay, from the peak of the theory on.

    Compute-limited and easy. Up to the cap the noise ``a M / T`` does not depend on the peak,
    since ``T ~ a``, and the signal is learnt: the peak of the theory is only the lower edge of a
    plain. Modes are the best at each peak.

    Args:
        exponents: Source and capacity, easy.
        compute: C.
        above: How many times the peak of the theory (all constants one) to begin at.
        peaks: Number of peaks, up to the cap.
    """
    edge = scaling(exponents, "exponential", compute, limited="compute").peak.value
    risks = [
        best(exponents, "exponential", compute, limited="compute", peak=float(a)).risk
        for a in np.geomspace(above * edge, cap(exponents), peaks)
    ]
    return max(risks) / min(risks)
