"""Final risk of one schedule, as the sum of its terms, every constant one.

The functional scaling law ``M^(-s beta) + (1+T)^-s + sigma^2 * int_0^T K(T-t) gamma(t) dt`` at the
end of a run, with ``K(u) = (1+u)^-(2-1/beta)`` cut off at ``u ~ M^beta``. In intrinsic time every
schedule here ends as ``gamma(u) = gamma_0 (u/T)^q``, ``u`` the time left, and that integral has a
closed form:

* constant: ``q = 0``, noise ``gamma``: the last unit of intrinsic time is never forgotten;
* exponential: rates that fall geometrically in updates fall *linearly* in intrinsic time,
  ``q = 1``;
* power ``(1-z)^g``: ``q = g/(g+1)``, so it forgets like a model of capacity ``min(beta, g+1)``.

Rates are ``gamma = lr / batch`` and lengths are samples ``D = batch * updates``: a constant batch
appears in no formula then, since ``T = sum(lr) = gamma * D``.
"""

import math
from dataclasses import dataclass, replace

from losslaw.errors import InputError
from losslaw.kernel.theory.records import DERIVED, FSL, OLR, Exponents, holds
from losslaw.numerics.arrays import check_positive


@dataclass(frozen=True, kw_only=True)
class Risk:
    """Terms of a final risk above the irreducible ``sigma^2 / 2``.

    Attributes:
        approximation: ``M^(-s beta)``, what the missing modes cost.
        signal: ``(1+T)^-s``, signal not yet learnt.
        floor: Noise of the final rate, which no decay removes.
        noise: Noise not yet forgotten.
        formula: The sum as text.
        source: Paper and place.
        validity: Where it holds.
    """

    approximation: float
    signal: float
    floor: float
    noise: float
    formula: str
    source: str
    validity: str

    @property
    def total(self) -> float:
        """The sum of the terms."""
        return self.approximation + self.signal + self.floor + self.noise


def constant_risk(
    exponents: Exponents,
    *,
    peak: float,
    samples: float,
    modes: float = math.inf,
    noise: float = 1.0,
) -> Risk:
    """Risk after a constant rate: ``M^(-s beta) + (1+T)^-s + gamma sigma^2``, ``T = gamma D``.

    Args:
        exponents: Source and capacity.
        peak: ``gamma``, learning rate over batch, > 0.
        samples: ``D``, batch times updates, > 0.
        modes: ``M``, >= 1; infinite by default.
        noise: Label noise ``sigma``, >= 0.

    Raises:
        InputError: a number is out of range.

    Source: arXiv:2509.19189, Th 5.2.

    >>> risk = constant_risk(Exponents(1.0, 2.0), peak=0.01, samples=1e4)
    >>> round(risk.total, 4)
    0.0199
    """
    s = exponents.source
    _check(peak=peak, samples=samples, modes=modes, noise=noise)
    return Risk(
        approximation=_approximation(exponents, modes),
        signal=(1 + peak * samples) ** -s,
        floor=noise**2 * peak,
        noise=0.0,
        formula="M^(-s*beta) + (1+T)^-s + sigma^2*gamma, T = gamma*D",
        source=f"{FSL}, Th 5.2",
        validity=holds(exponents),
    )


def exponential_risk(
    exponents: Exponents,
    *,
    peak: float,
    samples: float,
    modes: float = math.inf,
    final: float | None = None,
    noise: float = 1.0,
) -> Risk:
    """Risk after a geometric decay of the rate from ``a`` to ``b``.

    ``T = (a-b) D / log(a/b)`` and
    ``M^(-s beta) + (1+T)^-s + sigma^2 [b + (a-b) min(M, T^(1/beta)) / T]``.

    Args:
        exponents: Source and capacity.
        peak: ``a``, first learning rate over batch, > 0.
        samples: ``D``, > 0.
        modes: ``M``, >= 1.
        final: ``b``, last rate over batch, in (0, peak); ``peak / samples`` by default.
        noise: Label noise ``sigma``, >= 0.

    Raises:
        InputError: a number is out of range.

    Source: arXiv:2509.19189, Th 5.3.

    >>> exponential_risk(Exponents(1.0, 2.0), peak=0.1, samples=1e4).total < constant_risk(
    ...     Exponents(1.0, 2.0), peak=0.1, samples=1e4).total
    True
    """
    # WSD without a stable phase, T1 = 0.
    whole = wsd_risk(
        exponents, peak=peak, samples=samples, cooldown=1, modes=modes, final=final, noise=noise
    )
    return replace(
        whole,
        formula="M^(-s*beta) + (1+T)^-s + sigma^2*(b + (a-b)*min(M, T^(1/beta))/T),"
        " T = (a-b)*D/log(a/b)",
        source=f"{FSL}, Th 5.3",
    )


def wsd_risk(
    exponents: Exponents,
    *,
    peak: float,
    samples: float,
    cooldown: float,
    modes: float = math.inf,
    final: float | None = None,
    noise: float = 1.0,
) -> Risk:
    """Risk after a stable phase and a geometric decay over the share ``r`` of the samples.

    ``T1 = a (1-r) D``, ``T2 = (a-b) r D / log(a/b)`` and
    ``M^(-s beta) + (1+T1+T2)^-s + sigma^2 [b + (a-b) min(M, T2^(1/beta)) / T2]``.

    Args:
        exponents: Source and capacity.
        peak: ``a``, stable learning rate over batch, > 0.
        samples: ``D``, > 0.
        cooldown: ``r``, the share that decays, in (0, 1].
        modes: ``M``, >= 1.
        final: ``b``, last rate over batch, in (0, peak); ``peak / samples`` by default.
        noise: Label noise ``sigma``, >= 0.

    Raises:
        InputError: a number is out of range.

    Source: arXiv:2509.19189, Th 5.4.

    >>> risk = wsd_risk(Exponents(1.0, 2.0), peak=0.1, samples=1e4, cooldown=0.5)
    >>> round(risk.signal, 5), round(risk.noise, 5)
    (0.0018, 0.01357)
    """
    s, beta = exponents.source, exponents.capacity
    _check(peak=peak, samples=samples, modes=modes, noise=noise)
    if not 0 < cooldown <= 1:
        raise InputError(f"cooldown is {cooldown:g}, expected a share in (0, 1]")
    a, b = peak, peak / samples if final is None else final
    if not 0 < b < a:
        raise InputError(f"final rate is {b:g}, expected above 0 and below the peak {a:g}")
    T1 = a * (1 - cooldown) * samples
    T2 = (a - b) * cooldown * samples / math.log(a / b)
    # The linear-in-time tail integrates to (a-b) T2^(1/beta) / T2 once T2 > 1; a shorter decay
    # forgets nothing, and its noise is that of the peak. The papers assume T2 >> 1.
    reach = min(modes, max(T2, 1.0) ** (1 / beta)) / max(T2, 1.0)
    return Risk(
        approximation=_approximation(exponents, modes),
        signal=(1 + T1 + T2) ** -s,
        floor=noise**2 * b,
        noise=noise**2 * (a - b) * reach,
        formula="M^(-s*beta) + (1+T1+T2)^-s + sigma^2*(b + (a-b)*min(M, T2^(1/beta))/T2),"
        " T1 = a*(1-r)*D, T2 = (a-b)*r*D/log(a/b)",
        source=f"{FSL}, Th 5.4",
        validity=holds(exponents),
    )


def power_risk(
    exponents: Exponents,
    *,
    peak: float,
    samples: float,
    exponent: float | None = None,
    modes: float = math.inf,
    floor: float = 0.0,
    noise: float = 1.0,
) -> Risk:
    """Risk after ``gamma (1 - z)^g`` over the whole run, ``z`` the share of samples done.

    ``T = gamma D / (g+1)``, ``q = g/(g+1)``, ``X = min(T, M^beta)`` and
    ``M^(-s beta) + (1+T)^-s + sigma^2 gamma [floor + T^-q * J]``, where
    ``J ~ int_1^X u^(q-2+1/beta) du``: ``X^(1/beta - 1/(g+1))`` for ``g+1 > beta``, ``1`` for
    ``g+1 < beta``, ``1 + log X`` in between.

    Args:
        exponents: Source and capacity.
        peak: ``gamma``, first learning rate over batch, > 0.
        samples: ``D``, > 0.
        exponent: ``g`` > 0; ``2 beta - 1`` by default, the optimal shape of the easy regime.
        modes: ``M``, >= 1.
        floor: Final rate as a share of the peak, in [0, 1).
        noise: Label noise ``sigma``, >= 0.

    Raises:
        InputError: a number is out of range.

    Source: arXiv:2602.06797, Th 5.2-5.3, for infinite modes; the cut at finite modes is
    derived here.

    >>> hard = Exponents(0.5, 4.0)
    >>> round(power_risk(hard, peak=1.0, samples=1e6).total / 1e6**-0.5, 1)
    3.0
    """
    s, beta = exponents.source, exponents.capacity
    g = 2 * beta - 1 if exponent is None else exponent
    _check(peak=peak, samples=samples, modes=modes, noise=noise, exponent=g)
    if not 0 <= floor < 1:
        raise InputError(f"floor is {floor:g}, expected a share of the peak in [0, 1)")
    T = peak * samples * (1 / (g + 1) + floor * g / (g + 1))
    q = g / (g + 1)
    log_reach = max(min(math.log(T), beta * math.log(modes)), 0.0)  # of min(T, M^beta)
    if saturation_gap(exponents, g) == 0:
        kept = 1 + log_reach
    else:
        kept = math.exp(max(1 / beta - 1 / (g + 1), 0.0) * log_reach)
    return Risk(
        approximation=_approximation(exponents, modes),
        signal=(1 + T) ** -s,
        floor=noise**2 * peak * floor,
        noise=noise**2 * peak * max(T, 1.0) ** -q * kept,
        formula="M^(-s*beta) + (1+T)^-s + sigma^2*gamma*(floor + T^(-g/(g+1)) * J),"
        " T = gamma*D/(g+1), J = min(T, M^beta)^max(1/beta - 1/(g+1), 0),"
        " a logarithm at g+1 = beta",
        source=f"{OLR}, Th 5.2-5.3; finite modes {DERIVED}",
        validity=holds(exponents),
    )


def saturation_gap(exponents: Exponents, exponent: float) -> float:
    """``g + 1 - beta``, exactly zero where the two are equal but for rounding."""
    gap = exponent + 1 - exponents.capacity
    return 0.0 if abs(gap) <= 1e-12 * exponents.capacity else gap


def _approximation(exponents: Exponents, modes: float) -> float:
    return modes ** (-exponents.source * exponents.capacity)


def _check(*, modes: float, noise: float, **positive: float) -> None:
    check_positive(**positive)
    if not modes >= 1:
        raise InputError(f"modes is {modes:g}, expected 1 or more (inf for all of them)")
    if not (math.isfinite(noise) and noise >= 0):
        raise InputError(f"noise is {noise:g}, expected a finite number of 0 or above")
