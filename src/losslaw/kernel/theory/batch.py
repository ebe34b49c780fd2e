"""Batch schedules at a constant learning rate: when to pay for a larger batch.

With ``gamma = lr / b`` the objective ``t^-s + lr sigma^2 int K(t-u) / b(u) du`` under
``int b du = lr D`` is that of `losslaw.kernel.theory.optimal` word for word, so the best batch
grows as the best rate falls: ``b(t) ~ (T - t + 1)^(1/(2 beta) - 1)``. What is new is how late a
*single* switch may come, and how fast the run catches up with one that had the large batch from the
start.
"""

import math

from losslaw.errors import InputError
from losslaw.kernel.theory.powers import Power, checked_log
from losslaw.kernel.theory.records import DERIVED, OBS, Exponents, Relation, holds
from losslaw.kernel.theory.risk import Risk
from losslaw.numerics.arrays import check_positive

GROWTH, SWITCH = f"{OBS}, Th 3.1", f"{OBS}, Th 3.2"


def batch_relations(exponents: Exponents, samples: float) -> tuple[Relation, ...]:
    """Optimal batch growth and the best single switch, for a number of samples.

    * growth exponent: of ``b`` in the intrinsic time left, ``1/(2 beta) - 1``;
    * intrinsic time: ``T*``, so that ``T* / lr`` is the number of updates;
    * largest batch: ``B_max``, the last batch;
    * growing share: of the samples, in which the batch grows;
    * samples after switch: ``D - P*``, when one switch B1 -> B2 is best; in the easy regime all of
      them, ``P* = 0``;
    * catch-up exponent: of the gap to the always-large run in the time since the switch.

    Args:
        exponents: Source and capacity.
        samples: ``D``, above e.

    Raises:
        InputError: too few samples.

    Source: arXiv:2602.14208, Th 3.1 (growth) and Th 3.2 (one switch); ``B_max`` of the
    hard regime is derived here.

    >>> relations = {r.quantity: r for r in batch_relations(Exponents(0.5, 4.0), 1e6)}
    >>> relations["samples after switch"].formula
    'D^((1+s)/(2-1/beta))'
    """
    checked_log(samples)
    s, beta = exponents.source, exponents.capacity
    D = Power(1)

    def relation(quantity: str, power: Power, formula: str, source: str = GROWTH) -> Relation:
        return Relation(
            quantity=quantity,
            value=power.at(samples),
            power=power,
            formula=formula,
            source=source,
            validity=holds(exponents),
        )

    growth = Relation(
        quantity="growth exponent",
        value=1 / (2 * beta) - 1,
        power=None,
        formula="1/(2*beta) - 1",
        source=GROWTH,
        validity="b against 1 + intrinsic time left"
        + ("" if exponents.easy else "; before it the smallest batch"),
    )
    catch_up = catch_up_exponent(exponents)
    if exponents.easy:
        return (
            growth,
            relation("intrinsic time", D ** (beta / (1 + s * beta)), "D^(beta/(1+s*beta))"),
            relation(
                "largest batch",
                D ** ((0.5 + s * beta) / (1 + s * beta)),
                "D^((1/2+s*beta)/(1+s*beta))",
            ),
            relation("growing share", Power(0), "1"),
            relation("samples after switch", D, "D", SWITCH),
            catch_up,
        )
    return (
        growth,
        relation("intrinsic time", D, "D"),
        relation("largest batch", D ** ((1 + s) / 2), "D^((1+s)/2)", DERIVED),
        relation(
            "growing share",
            D ** (-(1 - 1 / beta - s) / (2 - 1 / beta)),
            "D^(-(1-1/beta-s)/(2-1/beta))",
        ),
        relation(
            "samples after switch",
            D ** ((1 + s) / (2 - 1 / beta)),
            "D^((1+s)/(2-1/beta))",
            SWITCH,
        ),
        catch_up,
    )


def catch_up_exponent(exponents: Exponents, *, late: bool = False) -> Relation:
    """How fast a run that switched to a large batch catches up with one that always had it.

    The noise it still remembers is ``int K`` over the first stage,
    ``(1 + t - t_s)^-(1-1/beta) - (1 + t)^-(1-1/beta)``: ``-(1 - 1/beta)`` as long as ``t - t_s`` is
    small against the switch time ``t_s``, and ``-(2 - 1/beta)`` once it is large.

    Args:
        exponents: Source and capacity.
        late: The exponent for ``t - t_s`` much larger than ``t_s``.

    Source: arXiv:2602.14208, fast catch-up; the late exponent is derived here.

    >>> catch_up_exponent(Exponents(0.5, 4.0)).value
    -0.75
    """
    beta = exponents.capacity
    return Relation(
        quantity="late catch-up exponent" if late else "catch-up exponent",
        value=-(2 - 1 / beta) if late else -(1 - 1 / beta),
        power=None,
        formula="-(2 - 1/beta)" if late else "-(1 - 1/beta)",
        source=DERIVED if late else OBS,
        validity="t - t_s >> t_s" if late else "1 << t - t_s << t_s",
    )


def two_stage_risk(
    exponents: Exponents,
    *,
    samples: float,
    switch: float,
    small: float,
    large: float,
    lr: float = 1.0,
    noise: float = 1.0,
) -> Risk:
    """Risk of a constant learning rate with batch ``B1``, and ``B2`` after ``P`` samples.

    ``T = lr (P/B1 + (D-P)/B2)``, ``tau = lr (D-P)/B2``,
    ``G(t) = int_0^t K = (1 - (1+t)^-(1-1/beta)) / (1-1/beta)`` and
    ``(1+T)^-s + sigma^2 lr [G(T)/B1 - G(tau) (1/B1 - 1/B2)]``.

    Args:
        exponents: Source and capacity.
        samples: ``D`` > 0.
        switch: ``P``, samples of the first stage, in [0, D].
        small: ``B1`` > 0.
        large: ``B2`` >= B1.
        lr: Learning rate, > 0.
        noise: Label noise ``sigma``, >= 0.

    Returns:
        ``floor`` is the noise of the large batch, ``noise`` what is still remembered of the small
        one.

    Raises:
        InputError: a number is out of range.

    Source: arXiv:2602.14208, the two-stage objective of Th 3.2.

    >>> hard = Exponents(0.5, 4.0)
    >>> early, late = (
    ...     two_stage_risk(hard, samples=1e6, switch=P, small=1, large=16).total
    ...     for P in (0.0, 0.9e6))
    >>> late < early
    True
    """
    check_positive(samples=samples, small=small, lr=lr)
    if not (math.isfinite(large) and large >= small):
        raise InputError(f"large batch is {large:g}, expected at least the small one, {small:g}")
    if not 0 <= switch <= samples:
        raise InputError(f"switch after {switch:g} samples, expected 0..{samples:g}")
    if not (math.isfinite(noise) and noise >= 0):
        raise InputError(f"noise is {noise:g}, expected a finite number of 0 or above")
    s, forget = exponents.source, 1 - 1 / exponents.capacity
    tau = lr * (samples - switch) / large
    T = lr * switch / small + tau

    def remembered(u: float) -> float:  # int_u^inf K
        return (1 + u) ** -forget / forget

    return Risk(
        approximation=0.0,
        signal=(1 + T) ** -s,
        floor=noise**2 * lr / large * (remembered(0) - remembered(tau)),
        noise=noise**2 * lr / small * (remembered(tau) - remembered(T)),
        formula="(1+T)^-s + sigma^2*lr*(int_0^tau K / B2 + int_tau^T K / B1)",
        source=f"{SWITCH}, two-stage objective",
        validity=holds(exponents),
    )
