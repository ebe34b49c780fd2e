"""The compute-optimal frontier of the 4 + 3 phases, measured in the exact mean dynamics.

Random features without label noise, constant rate, compute ``C = M * updates`` at batch 1. Features
are those of the limit of many (`losslaw.kernel.simulate.random_features`), so that any size costs
milliseconds and exponents can be measured where they have settled, at 10^16 as at 10^8.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from losslaw.errors import InputError
from losslaw.kernel.agreement.exponents import Pair
from losslaw.kernel.long_schedules import long_constant
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.integrator import integrate
from losslaw.kernel.simulate.random_features import MOST, random_feature_modes
from losslaw.kernel.theory import Phase, phase
from losslaw.numerics.arrays import FloatArray, check_positive

# Ambient features for each of the student's, and the rate as a share of the largest stable one.
AMBIENT, SHARE = 4, 0.5
# Above, spectra are too long: seconds a size.
MOST_CAPACITY = 5.0
# Sizes that are tried: the smallest, and the factor from one to the next.
SMALLEST, FACTOR = 16.0, 1.35


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """Local exponents of the compute-optimal frontier, between two amounts of compute.

    Attributes:
        phase: Where the problem lies.
        compute: The two amounts.
        modes: Best M at each.
        excess: Excess risk there.
        risk: Power of compute in the excess risk: measured, and in theory.
        size: Power of compute in the best M: measured, and in theory.
    """

    phase: Phase
    compute: tuple[float, float]
    modes: tuple[float, float]
    excess: tuple[float, float]
    risk: Pair
    size: Pair


def frontier(source: float, capacity: float, compute: tuple[float, float]) -> Frontier:
    """Local slopes of risk and best size against compute, beside those of theory.

    Args:
        source: Source exponent s > 0.
        capacity: Capacity exponent beta > 0.
        compute: Two amounts of compute C = M * updates, the smaller first.

    Raises:
        InputError: an exponent out of range, or compute too small to have a best size.

    Source: arXiv:2405.15074; see `losslaw.kernel.theory.phases`.

    >>> found = frontier(2.0, 1.5, (1e13, 1e14))
    >>> found.phase.name, round(found.risk.measured, 3), round(found.risk.predicted, 3)
    ('III', -0.665, -0.667)
    >>> round(found.size.measured, 2), found.size.predicted
    (0.5, 0.5)
    """
    theory = phase(source, capacity)
    (low, m1), (high, m2) = (best_size(source, capacity, amount) for amount in compute)
    length = math.log(compute[1] / compute[0])
    return Frontier(
        phase=theory,
        compute=compute,
        modes=(m1, m2),
        excess=(low, high),
        risk=Pair(math.log(high / low) / length, theory.risk.exponent),
        size=Pair(math.log(m2 / m1) / length, theory.modes.exponent),
    )


def best_size(source: float, capacity: float, compute: float) -> tuple[float, float]:
    """Lowest excess risk that an amount of compute buys at a constant rate, and the M that does.

    Sizes in steps of `FACTOR` are tried; between them the logarithm of the risk is a polynomial.

    Raises:
        InputError: an exponent out of range, or compute too small or large to have a best size.
    """
    theory = phase(source, capacity)
    if capacity > MOST_CAPACITY:
        raise InputError(
            f"capacity is {capacity:g}, expected up to {MOST_CAPACITY:g} where the best size is"
            " searched"
        )
    small = InputError(f"compute of {compute:g} is too small to have a best size")
    check_positive(compute=compute)
    heights: dict[int, float] = {}

    def at(step: int) -> float:
        if step not in heights:
            modes = _size(step)
            if modes > compute:
                raise small
            if AMBIENT * modes > MOST:
                raise InputError(
                    f"compute of {compute:g} is too large: its best size is beyond"
                    f" {MOST / AMBIENT:.0e} modes, the most that are measured"
                )
            heights[step] = math.log(noiseless_risk(source, capacity, modes, compute / modes))
        return heights[step]

    step = max(round(math.log(compute**theory.modes.exponent / SMALLEST, FACTOR)), 2)
    while at(step + 1) < at(step):
        step += 1
    while step > 2 and at(step - 1) < at(step):
        step -= 1
    around = range(step - 2, step + 3)
    x = np.log([_size(k) for k in around])
    curve = np.polynomial.Polynomial.fit(x, [at(k) for k in around], 4)
    fine: FloatArray = np.linspace(float(x[0]), float(x[-1]), 4001)
    lowest = int(np.argmin(curve(fine)))
    modes = math.exp(float(fine[lowest]))
    time = SHARE * _world(source, capacity, _size(step))[1] * compute / modes
    if not (0 < lowest < fine.size - 1 and time > 1):  # else nothing is learnt at that size
        raise small
    return math.exp(float(curve(fine[lowest]))), modes


def _size(step: int) -> int:
    return round(SMALLEST * FACTOR**step)


def noiseless_risk(source: float, capacity: float, modes: int, updates: float) -> float:
    """Mean excess risk at half the largest stable rate, batch 1, without label noise.

    Args:
        source: Source exponent s > 0.
        capacity: Capacity exponent beta > 0.
        modes: M of the student, with random features out of 4 M.
        updates: Number of updates, 1 or more; between whole ones the risk is a power law.

    Raises:
        InputError: a number is out of range.
    """
    if not updates >= 1:
        raise InputError(f"updates is {updates:g}, expected 1 or more")
    nodes, largest = _world(source, capacity, modes)
    done = math.floor(updates)
    steps = np.array([done, done + 1.0])
    totals = integrate(nodes, long_constant(SHARE * largest, done + 1), steps) + nodes.unlearned
    share = math.log(updates / done) / math.log1p(1 / done)
    return 0.5 * float(totals[0] ** (1 - share) * totals[1] ** share)


@lru_cache(maxsize=256)
def _world(source: float, capacity: float, modes: int) -> tuple[Modes, float]:
    nodes = random_feature_modes(source, capacity, modes, AMBIENT * modes)
    return nodes, largest_rate(nodes)


def largest_rate(nodes: Modes) -> float:
    """The largest stable rate at batch 1, from nodes: ``F = 1``, see `simulate.stability`."""
    from scipy.optimize import brentq

    count: FloatArray = nodes.noise / nodes.rate**2
    curve = 1 + nodes.own_noise

    def feedback(lr: float) -> float:
        speed = lr * nodes.rate
        return float((count * speed / (2 - curve * speed)).sum()) - 1

    trace = float((count * nodes.rate).sum())
    top = min(2 / trace, (2 - 1e-9) / (curve * float(nodes.rate.max())))
    return float(brentq(feedback, 0.0, top, xtol=1e-300, rtol=1e-13))
