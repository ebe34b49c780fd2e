"""The best schedule of all for a number of samples: power decay, or stable and then decay.

Minimise over rates ``gamma(u)``, u the intrinsic time left, and over the whole time ``T``

    (1+T)^-s + sigma^2 int_0^T K(u) gamma(u) du,     K(u) = (1+u)^-(2 - 1/beta),
    subject to int_0^T du / gamma(u) = N samples and gamma <= cap.

With a multiplier mu for the samples, stationarity reads ``sigma^2 K = mu / gamma^2``, so

    gamma(u) = min(cap, c (1+u)^(1 - 1/(2 beta))),     mu = sigma^2 c^2,

and stationarity in T fixes c: ``s (1+T)^-(s+1) = sigma^2 K(T) gamma(T) + mu / gamma(T)``. In
samples left ``n``, the decay is ``c (1 + c n / (2 beta))^(2 beta - 1)``: the power
``(1 - z/N)^(2 beta - 1)`` down to a small final rate ``c``. Everything below is exact for this
objective; against real SGD its constants are off, its exponents are not.

A batch that grows at a constant learning rate solves the same problem, ``gamma = lr / batch``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.kernel.theory.powers import Power, checked_log
from losslaw.kernel.theory.records import DERIVED, OLR, Exponents, Relation, holds
from losslaw.numerics.arrays import FloatArray, check_positive

TH = f"{OLR}, Th 4.1"


@dataclass(frozen=True)
class OptimalSchedule:
    """The minimiser of the objective of this module, in closed form but for one number.

    Attributes:
        exponents: Source and capacity.
        samples: ``N``.
        cap: Largest admissible rate over batch.
        final: ``c``, the last rate over batch.
        intrinsic_time: ``T``.
        tail: Share of the samples below the cap: 1 if it is never reached, 0 if never left.
        risk: Value of the objective, the irreducible part left out.
    """

    exponents: Exponents
    samples: float
    cap: float
    final: float
    intrinsic_time: float
    tail: float
    risk: float

    @property
    def peak(self) -> float:
        """The first rate over batch, which is the largest."""
        return float(self.rate(0.0))

    def rate(self, z: ArrayLike) -> FloatArray:
        """``gamma`` when the share ``z`` of the samples is used up.

        ``min(cap, c (1 + c n / (2 beta))^(2 beta - 1))`` with ``n = (1 - z) N`` samples left.

        Args:
            z: Shares in [0, 1]. Any shape.

        Returns:
            Learning rate over batch. The shape of ``z``.

        Raises:
            InputError: a share outside [0, 1].
        """
        share = np.asarray(z, dtype=np.float64)
        if not ((share >= 0) & (share <= 1)).all():
            raise InputError("z is the share of the samples used up, expected values in [0, 1]")
        beta, c = self.exponents.capacity, self.final
        n = (1 - share) * self.samples
        # log1p and a clip in the log: (1 + ...)^(2 beta - 1) overflows long before the cap matters.
        growth = (2 * beta - 1) * np.log1p(c * n / (2 * beta))
        return c * np.exp(np.minimum(growth, math.log(self.cap / c)))

    def batch(self, z: ArrayLike, lr: float) -> FloatArray:
        """The batch schedule with the same risk at a constant learning rate: ``lr / gamma(z)``.

        Args:
            z: Shares of the samples in [0, 1]. Any shape.
            lr: The constant learning rate, > 0; ``lr / cap`` is the smallest batch.

        Returns:
            Batch sizes, not rounded. The shape of ``z``.

        Source: arXiv:2602.14208, the constant-rate objective.
        """
        return lr / self.rate(z)


def optimal_schedule(
    exponents: Exponents, samples: float, *, cap: float = 1.0, noise: float = 1.0
) -> OptimalSchedule:
    """The schedule of lowest risk for a number of samples.

    Easy regime: ``(1 - z/N)^(2 beta - 1)`` over the whole run, once N is large. Hard regime: at the
    cap for most of it, then a tail of that shape over a vanishing share.

    Args:
        exponents: Source and capacity.
        samples: ``N`` > 0.
        cap: Largest admissible learning rate over batch, > 0.
        noise: Label noise ``sigma`` > 0.

    Raises:
        InputError: a number is out of range.

    Source: arXiv:2602.06797, Th 4.1 (the two shapes); the cap in the KKT conditions, the
    exact final rate and time are derived here.

    >>> easy = optimal_schedule(Exponents(1.0, 2.0), 1e6)
    >>> easy.tail, bool(easy.peak < 0.1)
    (1.0, True)
    >>> hard = optimal_schedule(Exponents(0.3, 4.0), 1e8)
    >>> hard.peak, bool(hard.tail < 0.5)
    (1.0, True)
    """
    check_positive(samples=samples, cap=cap, noise=noise)
    s, beta = exponents.source, exponents.capacity
    variance = noise**2

    def reached(c: float) -> tuple[float, float, float]:
        """Samples of the tail below the cap, its intrinsic time, and the whole one."""
        # (1 + u*)^(1/(2 beta)) where c (1+u*)^(1 - 1/(2 beta)) meets the cap.
        root = (cap / c) ** (1 / (2 * beta - 1))
        tail = 2 * beta / c * (root - 1)
        if samples <= tail:
            T = math.expm1(2 * beta * math.log1p(c * samples / (2 * beta)))
            return samples, T, T
        start = root ** (2 * beta) - 1
        return tail, start, start + cap * (samples - tail)

    def stationarity(log_c: float) -> float:
        """log of ``s (1+T)^-(s+1)`` over ``sigma^2 [K(T) gamma(T) + c^2 / gamma(T)]``."""
        last = math.log1p(reached(math.exp(log_c))[2])
        log_gamma = min(math.log(cap), log_c + (1 - 1 / (2 * beta)) * last)
        gain = math.log(s) - (s + 1) * last
        forgotten, multiplier = log_gamma - (2 - 1 / beta) * last, 2 * log_c - log_gamma
        return gain - math.log(variance) - float(np.logaddexp(forgotten, multiplier))

    top = math.log(cap)
    if stationarity(top) >= 0:  # so few samples that even a rate at the cap all along is too slow
        c = cap
    else:
        bottom = top - 1
        while stationarity(bottom) < 0:
            bottom -= 5
        # Halving: 50 cheap evaluations, where importing a solver takes half a second.
        for _ in range(50):
            middle = (bottom + top) / 2
            bottom, top = (middle, top) if stationarity(middle) >= 0 else (bottom, middle)
        c = math.exp(bottom)
    tail, start, T = reached(c)
    spent = c * c * tail  # int K gamma over the tail, since K gamma = c^2 / gamma there
    if tail < samples:
        forget = 1 - 1 / beta
        spent += cap * ((1 + start) ** -forget - (1 + T) ** -forget) / forget
    return OptimalSchedule(
        exponents=exponents,
        samples=samples,
        cap=cap,
        final=c,
        intrinsic_time=T,
        tail=tail / samples,
        risk=(1 + T) ** -s + variance * spent,
    )


def optimal_relations(
    exponents: Exponents, samples: float, *, cap: float = 1.0
) -> tuple[Relation, ...]:
    """How the best schedule of all grows with its samples: shape, peak, tail, final rate, risk.

    Args:
        exponents: Source and capacity.
        samples: ``N``, above e.
        cap: Largest rate over batch that is stable; no peak is given above it.

    Raises:
        InputError: too few samples, or a cap that is not above 0.

    Source: arXiv:2602.06797, Th 4.1, and Th 6.3 (the risk is minimax optimal); the hard tail and
    both final rates are derived here.

    >>> [r.quantity for r in optimal_relations(Exponents(0.5, 4.0), 1e6)]
    ['shape', 'peak', 'tail', 'final', 'risk']
    """
    checked_log(samples)
    check_positive(cap=cap)
    s, beta = exponents.source, exponents.capacity
    N = Power(1)

    def relation(quantity: str, power: Power, formula: str, source: str = TH) -> Relation:
        return Relation(
            quantity=quantity,
            value=min(power.at(samples), cap) if quantity == "peak" else power.at(samples),
            power=power,
            formula=formula,
            source=source,
            validity=holds(exponents),
        )

    shape = Relation(
        quantity="shape",
        value=2 * beta - 1,
        power=None,
        formula="2*beta - 1",
        source=TH,
        validity="exponent of the decay (1 - z/N)^(2*beta - 1)"
        + ("" if exponents.easy else " of the tail; before it the largest admissible rate"),
    )
    if exponents.easy:
        return (
            shape,
            relation(
                "peak",
                N ** (-(1 + s * beta - beta) / (1 + s * beta)),
                "N^(-(1+s*beta-beta)/(1+s*beta))",
            ),
            relation("tail", Power(0), "1"),
            relation(
                "final",
                N ** (-(0.5 + s * beta) / (1 + s * beta)),
                "N^(-(1/2+s*beta)/(1+s*beta))",
                DERIVED,
            ),
            relation(
                "risk",
                N ** (-s * beta / (1 + s * beta)),
                "N^(-s*beta/(1+s*beta))",
                f"{OLR}, Th 4.1; minimax optimal, Th 6.3",
            ),
        )
    return (
        shape,
        relation("peak", Power(0), "1"),
        relation(
            "tail",
            N ** (-(1 - 1 / beta - s) / (2 - 1 / beta)),
            "N^(-(1-1/beta-s)/(2-1/beta))",
            DERIVED,
        ),
        relation("final", N ** (-(1 + s) / 2), "N^(-(1+s)/2)", DERIVED),
        relation("risk", N**-s, "N^(-s)"),
    )
