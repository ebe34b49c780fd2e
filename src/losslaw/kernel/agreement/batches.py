"""Batch schedules at a constant rate: late switching, growing batches, fast catch-up.

Relations of arXiv:2602.14208 (`losslaw.kernel.theory.batch`) in the exact dynamics. The rate is the
largest that is tried with the smallest batch.
"""

import math

import numpy as np

from losslaw.kernel.agreement.exponents import Pair, power_of, slope
from losslaw.kernel.agreement.optimum import cap, final_risk, lowest, world
from losslaw.kernel.theory import Exponents, batch_relations, catch_up_exponent
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules.pieces import LongSchedule, Piece


def two_stage_run(lr: float, samples: float, switch: float, small: int, large: int) -> LongSchedule:
    """A constant rate with batch ``small``, and ``large`` after ``switch`` samples."""
    stages = ((switch, small), (samples - switch, large))
    pieces = [Piece(round(part / batch), lr, batch=batch) for part, batch in stages if part > batch]
    return LongSchedule(tuple(pieces))


def switch_pair(
    exponents: Exponents, budgets: tuple[float, float], small: int = 1, large: int = 16
) -> Pair:
    """Exponent of the samples after the best single switch, ``(1+s)/(2-1/beta)`` if hard.

    Source: arXiv:2602.14208, late switching.
    """
    power = power_of(batch_relations(exponents, budgets[1]), "samples after switch")
    lr = cap(exponents, small)

    def after(samples: float) -> float:
        def height(logs: FloatArray) -> float:
            share = math.exp(min(float(logs[0]), 0.0))
            run = two_stage_run(lr, samples, samples * (1 - share), small, large)
            return math.log(final_risk(exponents, run)) + max(float(logs[0]), 0.0)

        guess = math.log(power.at(samples) / samples)
        return samples * math.exp(lowest(height, np.array([guess]), precise=True)[0])

    first, last = (after(n) for n in budgets)
    return Pair(slope(budgets, (first, last), 0.0), power.exponent)


def growing_run(exponents: Exponents, lr: float, samples: float, largest: float) -> LongSchedule:
    """A constant rate with batches ``max(1, largest (1 + lr n)^(1/(2 beta) - 1))``, n updates left.

    The KKT shape of arXiv:2602.14208: as many updates as the samples pay for.
    """
    beta = exponents.capacity
    power = 1 - 1 / (2 * beta)

    def spent(n: float) -> float:  # samples in the last n updates
        return largest * 2 * beta / lr * math.expm1(math.log1p(lr * n) / (2 * beta))

    grown = (largest ** (1 / power) - 1) / lr
    if spent(grown) > samples:
        grown = math.expm1(2 * beta * math.log1p(samples * lr / (2 * beta * largest))) / lr
    n = max(round(grown), 1)

    def batch(z: FloatArray, y: FloatArray) -> FloatArray:
        return largest * (1 + lr * n * y) ** -power

    rest = round(samples - spent(grown))
    stable = (Piece(rest, lr),) if rest > 0 else ()
    return LongSchedule((*stable, Piece(n, lr, batch=batch)))


def largest_batch_pair(exponents: Exponents, budgets: tuple[float, float]) -> Pair:
    """Exponent of the last batch of the best growing schedule, at a constant rate.

    ``(1/2 + s beta)/(1 + s beta)`` easy, arXiv:2602.14208; ``(1 + s)/2`` hard, derived here.
    """
    power = power_of(batch_relations(exponents, budgets[1]), "largest batch")
    lr = cap(exponents)

    def largest(samples: float) -> float:
        def height(logs: FloatArray) -> float:
            at = max(float(logs[0]), 0.1)
            run = growing_run(exponents, lr, samples, math.exp(at))
            return math.log(final_risk(exponents, run)) + at - float(logs[0])

        guess = math.log(power.at(samples))
        return math.exp(lowest(height, np.array([guess]), precise=True)[0])

    first, last = (largest(n) for n in budgets)
    return Pair(slope(budgets, (first, last), 0.0), power.exponent)


def catch_up_pair(
    exponents: Exponents,
    switch: int,
    after: tuple[int, int],
    *,
    small: int = 1,
    large: int = 16,
    late: bool = False,
) -> Pair:
    """Slope of the gap to the run that always had the large batch, in updates since the switch.

    Args:
        exponents: Source and capacity.
        switch: Updates with the small batch.
        after: Updates after the switch at which the gap is measured.
        small: First batch.
        large: Second batch.
        late: Whether ``after`` is long against ``switch``; see `catch_up_exponent`.

    Source: arXiv:2602.14208, fast catch-up; the late exponent is derived here.
    """
    lr = cap(exponents, small)
    steps = np.array([float(switch + k) for k in after])
    both: list[FloatArray] = []
    for first in (small, large):
        # The same pieces: the runs differ by a linear, noiseless recursion, to rounding.
        run = LongSchedule((Piece(switch, lr, batch=first), Piece(after[1], lr, batch=large)))
        both.append(world(exponents).excess_risk(run, steps))
    gaps = both[0] - both[1]
    measured = math.log(gaps[1] / gaps[0]) / math.log(after[1] / after[0])
    return Pair(measured, catch_up_exponent(exponents, late=late).value)
