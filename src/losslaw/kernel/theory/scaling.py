"""Scaling relations: the best risk a budget buys, and the hyper-parameters that reach it.

One balance gives every entry. Write ``L`` for the logarithm of the budget. A schedule with peak
rate ``gamma`` (lr over batch) on ``D`` samples has

    T = gamma D L^-p                    intrinsic time; exponential decay pays p = 1
    noise = gamma T^-(1-1/alpha) L^m    effective capacity alpha; WSD pays m = 1 - 1/beta

so that ``noise = T^(1/alpha) L^(p+m) / D``. Signal ``T^-s``, approximation ``M^(-s beta)`` and
noise are then equal at the optimum; if that asks for a rate beyond the largest admissible one (hard
regime, ``s < 1 - 1/alpha``), the rate stays there and signal alone decides.

| schedule                | alpha           | p | m          |
|-------------------------|-----------------|---|------------|
| constant                | 1               | 0 | 0          |
| exponential decay       | beta            | 1 | 0          |
| stable, then exponential| beta            | 0 | 1 - 1/beta |
| power ``(1-z)^g``       | min(beta, g+1)  | 0 | 1 if g+1 = beta, else 0 |

The mean of the iterates of a constant rate over a share of the run, ``average``, forgets the noise
of ``T^(1/beta)`` modes as ``1/D``: the balance of the power decay, whatever beta.

A stable phase before a power tail, ``wsd-power``, has the exponents of the power decay, and one
more thing to tune: the share of the tail.

The formulas in `FORMULAS` are those of the papers, entry by entry; the tests hold them against this
balance, and the balance against numerical minima of the risks in `losslaw.kernel.theory.risk`.
"""

import math
from dataclasses import dataclass
from typing import Literal

from losslaw.errors import InputError
from losslaw.kernel.theory.powers import Power, checked_log
from losslaw.kernel.theory.records import DERIVED, FSL, OLR, Exponents, Relation, holds
from losslaw.kernel.theory.risk import saturation_gap
from losslaw.numerics.arrays import check_positive

Limited = Literal["data", "compute"]

SCHEDULES = (
    "constant",
    "exponential",
    "wsd",
    "wsd-power",
    "power",
    "linear",
    "1-sqrt",
    "cosine",
    "average",
)
# Exponent g of the last stretch, gamma ~ (1-z)^g, of shapes that people use.
SHAPES = {"linear": 1.0, "1-sqrt": 1.0, "cosine": 2.0}

ONE, N, LOG = Power(0), Power(1), Power(0, 1)


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """What a budget buys with one schedule.

    Attributes:
        schedule: Its name.
        limited: ``data``: the budget is samples D; ``compute``: modes times samples, C = M D.
        easy: Whether the peak falls with the budget, ``s >= 1 - 1/alpha``.
        effective_capacity: ``alpha``, what the schedule can use of the capacity.
        budget: D or C.
        risk: Final risk above the irreducible one.
        peak: Best ``gamma``, peak learning rate over batch.
        modes: Best M (data-limited: the fewest that do).
        samples: Best D.
        cooldown: Best share of the samples that decays; WSD only.
        notes: Sentences: what else is known.
    """

    schedule: str
    limited: Limited
    easy: bool
    effective_capacity: float
    budget: float
    risk: Relation
    peak: Relation
    modes: Relation
    samples: Relation
    cooldown: Relation | None
    notes: tuple[str, ...]

    @property
    def relations(self) -> tuple[Relation, ...]:
        """All relations, the risk first."""
        rows = (self.risk, self.peak, self.modes, self.samples)
        return rows if self.cooldown is None else (*rows, self.cooldown)


@dataclass(frozen=True)
class _Balance:
    """The optimum, as powers of the budget."""

    easy: bool
    alpha: float
    risk: Power
    peak: Power
    modes: Power
    samples: Power


def effective_capacity(exponents: Exponents, exponent: float) -> Relation:
    """Capacity that a decay ``(1-z)^g`` can use: ``alpha = min(beta, g + 1)``.

    With the shape fixed and only the peak tuned, the risk is ``N^-(s alpha/(1 + s alpha))`` if
    ``s >= 1 - 1/alpha`` and ``N^-s`` otherwise. Linear to zero has ``g = 1``, cosine to zero
    ``g = 2``; a final rate above zero has ``g = 0`` in the end.

    Args:
        exponents: Source and capacity.
        exponent: ``g`` >= 0.

    Raises:
        InputError: ``g`` is negative or not finite.

    Source: arXiv:2602.06797, Th 5.2-5.3 (shape-fixed schedules).

    >>> effective_capacity(Exponents(0.5, 4.0), 2.0).value
    3.0
    """
    if not (math.isfinite(exponent) and exponent >= 0):
        raise InputError(f"exponent is {exponent:g}, expected a finite number of 0 or above")
    return Relation(
        quantity="effective capacity",
        value=min(exponents.capacity, exponent + 1),
        power=None,
        formula="min(beta, g + 1)",
        source=f"{OLR}, Th 5.2-5.3",
        validity="only the peak is tuned; g + 1 = beta costs a logarithm",
    )


def floor_onset(exponents: Exponents, exponent: float, floor: float) -> Relation:
    """Samples beyond which a final rate above zero decides the risk.

    A floor of ``f`` times the peak leaves noise ``gamma f``. It equals the risk of the schedule
    without a floor at ``D = f^-((1 + s alpha)/(alpha - 1))`` if ``s >= 1 - 1/alpha``, else at
    ``D = f^(-1/s)``; from there on the schedule scales like a constant one.

    Args:
        exponents: Source and capacity.
        exponent: ``g`` > 0 of the decay above the floor.
        floor: ``f``, the final rate as a share of the peak, in (0, 1).

    Raises:
        InputError: a number is out of range.

    Source: derived here. The constants are large: in exact dynamics a floor of 1 % is felt beyond
    1e5 (beta = 4) to 1e9 (beta = 2) updates, one of 10 % beyond 1e5 to 1e7.

    >>> round(floor_onset(Exponents(1.0, 2.0), 1.0, 0.01).value)
    1000000
    """
    if not 0 < floor < 1:
        raise InputError(f"floor is {floor:g}, expected a share of the peak in (0, 1)")
    check_positive(exponent=exponent)
    s, alpha = exponents.source, effective_capacity(exponents, exponent).value
    easy = _is_easy(exponents, alpha)
    power = (1 + s * alpha) / (alpha - 1) if easy else 1 / s
    decades = -power * math.log10(floor)
    return Relation(
        quantity="floor onset",
        value=10**decades if decades < 300 else math.inf,
        power=None,
        formula="f^(-(1 + s*alpha)/(alpha - 1))" if easy else "f^(-1/s)",
        source=DERIVED,
        validity="only up to a constant, which exact dynamics show to be 10 to 10^4",
    )


def scaling(
    exponents: Exponents,
    schedule: str,
    budget: float,
    *,
    limited: Limited = "data",
    exponent: float | None = None,
    floor: float = 0.0,
    cap: float = 1.0,
) -> Scaling:
    """The best risk and hyper-parameters for a budget, with their formulas.

    Args:
        exponents: Source and capacity.
        schedule: ``constant``, ``exponential``, ``wsd`` (exponential tail), ``wsd-power`` (stable,
            then a power tail), ``power``, and the fixed shapes ``linear``, ``1-sqrt`` (g = 1) and
            ``cosine`` (g = 2); ``average``: the tail average of a constant rate.
        budget: Samples D if ``limited`` is ``data``, else compute C = M D; above e.
        limited: What the budget counts.
        exponent: ``g`` of ``power`` and ``wsd-power``; ``2 beta - 1`` by default, the optimal
            shape.
        floor: Final rate of a power, linear or cosine decay, as a share of the peak.
        cap: Largest rate over batch that is stable; no peak is given above it. Constants are one
            here, so it is the theory's "1" that it replaces.

    Raises:
        InputError: an unknown schedule, a number out of range, or an exponent or floor for a
            schedule that has none.

    Source: arXiv:2509.19189, Th 5.2 (constant), 5.3 (exponential), 5.4 (WSD) and what follows from
    them; arXiv:2602.06797, Th 4.1 and 5.2-5.3 (power). Each relation names its own.

    >>> result = scaling(Exponents(1.0, 2.0), "constant", 1e6)
    >>> result.risk.formula, round(result.risk.value, 6)
    ('D^(-s/(1+s))', 0.001)
    """
    checked_log(budget)
    check_positive(cap=cap)
    if limited not in ("data", "compute"):
        raise InputError(f"limited is {limited!r}, expected data or compute")
    shape = _shape(exponents, schedule, exponent, floor)
    g = 0.0 if floor else shape  # a floor forgets like a constant rate, in the end
    balance = _balance(exponents, *_alpha_p_m(exponents, schedule, g), limited)
    formulas, source = _formulas(exponents, schedule, g, balance, limited)

    def relation(quantity: str, power: Power, validity: str) -> Relation:
        return Relation(
            quantity=quantity,
            value=min(power.at(budget), cap) if quantity == "peak" else power.at(budget),
            power=power,
            formula=formulas[quantity],
            source=source,
            validity=validity,
        )

    everywhere = holds(exponents)
    at_the_cap = "the largest admissible rate, a constant; " + everywhere
    enough = "as many or more; " + everywhere
    cooldown = None
    if schedule == "wsd" or (schedule == "wsd-power" and not exponents.easy):
        tail = "exponential" if schedule == "wsd" else "power"
        cooldown = decay_fraction(exponents, budget, limited=limited, tail=tail)
    return Scaling(
        schedule=schedule,
        limited=limited,
        easy=balance.easy,
        effective_capacity=balance.alpha,
        budget=budget,
        risk=relation("risk", balance.risk, everywhere),
        peak=relation("peak", balance.peak, everywhere if balance.easy else at_the_cap),
        modes=relation("modes", balance.modes, enough if limited == "data" else everywhere),
        samples=relation("samples", balance.samples, everywhere),
        cooldown=cooldown,
        notes=_notes(exponents, schedule, shape, floor, balance, limited),
    )


def ranking(
    exponents: Exponents,
    budget: float,
    *,
    limited: Limited = "data",
    schedules: tuple[str, ...] | None = None,
    cap: float = 1.0,
) -> tuple[Scaling, ...]:
    """Schedules from the best to the worst, by risk exponent, then by log power.

    This is the order for large enough budgets, and ties are left as they came: in the hard regime
    ``wsd-power``, ``wsd`` and ``power`` all have ``D^-s`` (in the easy one the best power tail is
    the whole run, so ``wsd-power`` is left out by default). Which of them is lower, and from which
    budget on the order holds, only the exact dynamics can say: `losslaw.kernel.agreement.ranking`.

    Raises:
        InputError: as `scaling`.

    >>> [result.schedule for result in ranking(Exponents(1.0, 2.0), 1e6)]
    ['power', 'wsd', 'exponential', 'constant']
    """
    if schedules is None:
        schedules = ("wsd-power", "wsd", "power", "exponential", "constant")[exponents.easy :]
    results = [scaling(exponents, name, budget, limited=limited, cap=cap) for name in schedules]

    def order(result: Scaling) -> tuple[float, float]:
        power = result.risk.power
        assert power is not None
        return round(power.exponent, 12), power.log_power

    return tuple(sorted(results, key=order))


def decay_fraction(
    exponents: Exponents,
    budget: float,
    *,
    limited: Limited = "data",
    sufficient: bool = False,
    tail: str = "exponential",
) -> Relation:
    """Best share of the samples that WSD spends on its decay.

    With an exponential tail:

    * easy: ``r -> 1 - 1/beta``: ``(1-r)^-s`` against ``r^-(1-1/beta)``, at the best peak for each
      r;
    * hard: ``D^-((1-1/beta-s)/(2-1/beta)) L^((1-1/beta)/(2-1/beta))``: what the signal loses,
      ``s r D^-s``, against noise, ``(r D/L)^-(1-1/beta)``. A fraction as small as
      ``D^-((beta-1-s beta)/(beta-1)) L`` is *sufficient* for the rate.

    With a power tail ``(1-x)^(2 beta - 1)``: the whole run in the easy regime, and
    ``D^-((1-1/beta-s)/(2-1/beta))`` in the hard one.

    Args:
        exponents: Source and capacity.
        budget: D, or C if ``limited`` is ``compute``.
        limited: What the budget counts.
        sufficient: The smallest fraction that keeps the rate (hard regime, exponential tail)
            instead of the best.
        tail: ``exponential`` or ``power``.

    Raises:
        InputError: the budget is too small, or a sufficient fraction is asked for in the easy
            regime, where any constant one will do.

    Source: the sufficient one arXiv:2509.19189, after Th 5.4; the best ones derived here. The easy
    limit is reached slowly: exact dynamics at (1, 2) have .69 at 1e4 and .58 at 1e12 samples, and
    the risk has a second minimum at r = 1, so scan r.

    >>> decay_fraction(Exponents(1.0, 2.0), 1e6).value
    0.5
    """
    checked_log(budget)
    s, beta = exponents.source, exponents.capacity
    if tail not in ("exponential", "power"):
        raise InputError(f"tail {tail!r}, expected exponential or power")
    if exponents.easy:
        if tail == "power":
            return Relation(
                quantity="cooldown",
                value=1.0,
                power=ONE,
                formula="1",
                source=f"{OLR}, Th 4.1",
                validity="the power decay itself; any constant fraction keeps the rate",
            )
        if sufficient:
            raise InputError(
                "in the easy regime every constant decay fraction keeps the rate; only in the hard"
                " regime is there a smallest one"
            )
        return Relation(
            quantity="cooldown",
            value=1 - 1 / beta,
            power=ONE,
            formula="1 - 1/beta",
            source=DERIVED,
            validity="approached slowly, from above; any constant fraction keeps the rate",
        )
    in_budget = "D" if limited == "data" else "(C^(beta/(1+beta)))"
    D = N if limited == "data" else N ** (beta / (1 + beta))
    if sufficient:
        power = D ** (-(beta - 1 - s * beta) / (beta - 1)) * LOG
        return Relation(
            quantity="cooldown",
            value=min(1.0, power.at(budget)),
            power=power,
            formula=f"{in_budget}^(-(beta-1-s*beta)/(beta-1)) * L",
            source=f"{FSL}, after Th 5.4",
            validity="this much or more keeps the rate; hard regime, large budgets",
        )
    log_power, logarithm = ONE, ""
    if tail == "exponential":
        log_power, logarithm = LOG ** (1 - 1 / beta), " * L^((1-1/beta)/(2-1/beta))"
    power = (D ** (s - 1 + 1 / beta) * log_power) ** (1 / (2 - 1 / beta))
    return Relation(
        quantity="cooldown",
        value=min(1.0, power.at(budget)),
        power=power,
        formula=f"{in_budget}^(-(1-1/beta-s)/(2-1/beta)){logarithm}",
        source=DERIVED,
        validity=f"{tail} tail, hard regime, large budgets; the value is cut at 1",
    )


def _is_easy(exponents: Exponents, alpha: float) -> bool:
    edge = 1 - 1 / alpha
    return exponents.source > edge or math.isclose(exponents.source, edge, rel_tol=1e-12)


def _shape(
    exponents: Exponents, schedule: str, exponent: float | None, floor: float
) -> float | None:
    """The exponent g of a power-like schedule, ``None`` for the others; checks the arguments."""
    if schedule not in SCHEDULES:
        raise InputError(f"unknown schedule {schedule!r}, expected one of: {', '.join(SCHEDULES)}")
    if exponent is not None and schedule not in ("power", "wsd-power"):
        raise InputError(f"exponent is for the power schedule, and this one is {schedule}")
    if schedule in ("constant", "exponential", "wsd", "average"):
        if floor:
            raise InputError(
                f"floor is for power, linear and cosine decays, and this one is {schedule}"
            )
        return None
    g = SHAPES.get(schedule, 2 * exponents.capacity - 1 if exponent is None else exponent)
    check_positive(exponent=g)
    if not 0 <= floor < 1:
        raise InputError(f"floor is {floor:g}, expected a share of the peak in [0, 1)")
    return g


def _alpha_p_m(exponents: Exponents, schedule: str, g: float | None) -> tuple[float, float, float]:
    """Effective capacity, and the log powers of time and noise: the table of the module."""
    beta = exponents.capacity
    if schedule == "constant":
        return 1.0, 0.0, 0.0
    if schedule == "exponential":
        return beta, 1.0, 0.0
    if schedule == "wsd":
        return beta, 0.0, 1 - 1 / beta
    if schedule == "average":
        return beta, 0.0, 0.0
    assert g is not None
    return min(beta, g + 1), 0.0, float(saturation_gap(exponents, g) == 0)


def _balance(exponents: Exponents, alpha: float, p: float, m: float, limited: Limited) -> _Balance:
    easy = _is_easy(exponents, alpha)
    solve = _data_optimum if limited == "data" else _compute_optimum
    T, M, D = solve(exponents, alpha, p, m, easy)
    risk, gamma = T**-exponents.source, T * LOG**p / D
    return _Balance(easy=easy, alpha=alpha, risk=risk, peak=gamma, modes=M, samples=D)


def _data_optimum(
    exponents: Exponents, alpha: float, p: float, m: float, easy: bool
) -> tuple[Power, Power, Power]:
    """``T, M, D`` at a budget of D: ``T^-s = T^(1/alpha) L^(p+m) / D``, or ``gamma = 1``."""
    s, beta = exponents.source, exponents.capacity
    D = N
    T = (D / LOG ** (p + m)) ** (1 / (s + 1 / alpha)) if easy else D / LOG**p
    return T, T ** (1 / beta), D


def _compute_optimum(
    exponents: Exponents, alpha: float, p: float, m: float, easy: bool
) -> tuple[Power, Power, Power]:
    """``T, M, D`` at a budget ``C = M D``: the same two conditions with ``M = T^(1/beta)``."""
    s, beta = exponents.source, exponents.capacity
    C = N
    T = (
        (C / LOG ** (p + m)) ** (1 / (s + 1 / alpha + 1 / beta))
        if easy
        else (C / LOG**p) ** (1 / (1 + 1 / beta))
    )
    M = T ** (1 / beta)
    return T, M, C / M


Entry = dict[str, str]

# Of arXiv:2509.19189: the final risk of each, which the balance starts from.
THEOREMS = {"constant": "Th 5.2", "exponential": "Th 5.3", "wsd": "Th 5.4"}

# (schedule, limited, easy) -> formulas as the papers have them, with the corrections derived here.
FORMULAS: dict[tuple[str, Limited, bool], Entry] = {
    ("constant", "data", True): {
        "risk": "D^(-s/(1+s))",
        "peak": "D^(-s/(1+s))",
        "modes": "D^(1/((1+s)*beta))",
        "samples": "D",
    },
    ("constant", "compute", True): {
        "risk": "C^(-s*beta/(1+s*beta+beta))",
        "peak": "C^(-s*beta/(1+(s+1)*beta))",
        "modes": "C^(1/(1+(s+1)*beta))",
        "samples": "C^((s+1)*beta/(1+(s+1)*beta))",
    },
    ("exponential", "data", True): {
        "risk": "(D/L)^(-s*beta/(1+s*beta))",
        "peak": "(D/L)^(-(1+s*beta-beta)/(1+s*beta))",
        "modes": "(D/L)^(1/(1+s*beta))",
        "samples": "D",
    },
    ("exponential", "data", False): {
        "risk": "(D/L)^(-s)",
        "peak": "1",
        "modes": "(D/L)^(1/beta)",
        "samples": "D",
    },
    ("exponential", "compute", True): {
        "risk": "(C/L)^(-s*beta/(2+s*beta))",
        "peak": "(C/L)^(-(1+s*beta-beta)/(2+s*beta))",
        "modes": "(C/L)^(1/(2+s*beta))",
        "samples": "C^((1+s*beta)/(2+s*beta)) * L^(1/(2+s*beta))",
    },
    ("exponential", "compute", False): {
        "risk": "(C/L)^(-s*beta/(1+beta))",
        "peak": "1",
        "modes": "(C/L)^(1/(1+beta))",
        "samples": "C^(beta/(1+beta)) * L^(1/(1+beta))",
    },
    ("wsd", "data", True): {
        "risk": "D^(-s*beta/(1+s*beta)) * L^((s*beta-s)/(1+s*beta))",
        "peak": "D^(-(1+s*beta-beta)/(1+s*beta)) * L^(-(beta-1)/(1+s*beta))",
        "modes": "D^(1/(1+s*beta)) * L^(-(1-1/beta)/(1+s*beta))",
        "samples": "D",
    },
    ("wsd", "data", False): {
        "risk": "D^(-s)",
        "peak": "1",
        "modes": "D^(1/beta)",
        "samples": "D",
    },
    ("wsd", "compute", True): {
        "risk": "C^(-s*beta/(2+s*beta)) * L^((s*beta-s)/(2+s*beta))",
        "peak": "C^(-(1+s*beta-beta)/(2+s*beta)) * L^(-(beta-1/beta)/(2+s*beta))",
        "modes": "C^(1/(2+s*beta)) * L^(-(1-1/beta)/(2+s*beta))",
        "samples": "C^((1+s*beta)/(2+s*beta)) * L^((1-1/beta)/(2+s*beta))",
    },
    ("wsd", "compute", False): {
        "risk": "C^(-s*beta/(1+beta))",
        "peak": "1",
        "modes": "C^(1/(1+beta))",
        "samples": "C^(beta/(1+beta))",
    },
    # Powers that saturate, alpha = g + 1 < beta.
    ("power", "data", True): {
        "risk": "D^(-s*alpha/(1+s*alpha))",
        "peak": "D^(-(1+s*alpha-alpha)/(1+s*alpha))",
        "modes": "D^(alpha/((1+s*alpha)*beta))",
        "samples": "D",
    },
    ("power", "data", False): {
        "risk": "D^(-s)",
        "peak": "1",
        "modes": "D^(1/beta)",
        "samples": "D",
    },
    ("power", "compute", True): {
        "risk": "C^(-s*alpha*beta/(alpha+beta+s*alpha*beta))",
        "peak": "C^(-(1+s*alpha-alpha)*beta/(alpha+beta+s*alpha*beta))",
        "modes": "C^(alpha/(alpha+beta+s*alpha*beta))",
        "samples": "C^((1+s*alpha)*beta/(alpha+beta+s*alpha*beta))",
    },
    ("power", "compute", False): {
        "risk": "C^(-s*beta/(1+beta))",
        "peak": "1",
        "modes": "C^(1/(1+beta))",
        "samples": "C^(beta/(1+beta))",
    },
    # The power that just saturates, g + 1 = beta, pays a logarithm.
    ("edge power", "data", True): {
        "risk": "(D/L)^(-s*beta/(1+s*beta))",
        "peak": "D^(-(1+s*beta-beta)/(1+s*beta)) * L^(-beta/(1+s*beta))",
        "modes": "(D/L)^(1/(1+s*beta))",
        "samples": "D",
    },
    ("edge power", "compute", True): {
        "risk": "(C/L)^(-s*beta/(2+s*beta))",
        "peak": "C^(-(1+s*beta-beta)/(2+s*beta)) * L^(-(1+beta)/(2+s*beta))",
        "modes": "(C/L)^(1/(2+s*beta))",
        "samples": "C^((1+s*beta)/(2+s*beta)) * L^(1/(2+s*beta))",
    },
    # The power (1-z)^(2 beta - 1), or any that leaves the full capacity and no logarithm.
    ("full power", "data", True): {
        "risk": "D^(-s*beta/(1+s*beta))",
        "peak": "D^(-(1+s*beta-beta)/(1+s*beta))",
        "modes": "D^(1/(1+s*beta))",
        "samples": "D",
    },
    ("full power", "compute", True): {
        "risk": "C^(-s*beta/(2+s*beta))",
        "peak": "C^(-(1+s*beta-beta)/(2+s*beta))",
        "modes": "C^(1/(2+s*beta))",
        "samples": "C^((1+s*beta)/(2+s*beta))",
    },
}


def _formulas(
    exponents: Exponents, schedule: str, g: float | None, balance: _Balance, limited: Limited
) -> tuple[Entry, str]:
    if schedule == "average":
        kind = "full power" if balance.easy else "power"
        return FORMULAS[kind, limited, balance.easy], DERIVED
    if g is None:
        source = f"{FSL}, {THEOREMS[schedule]}"
        if schedule == "wsd" and balance.easy:
            source += "; log powers " + DERIVED
        return FORMULAS[schedule, limited, balance.easy], source
    source = f"{OLR}, Th 5.2-5.3"
    if schedule in ("power", "wsd-power") and g == 2 * exponents.capacity - 1:
        source = f"{OLR}, Th 4.1"
    if limited == "compute":
        source += f", infinite modes; compute-limited {DERIVED}"
    gap = saturation_gap(exponents, g)
    if not balance.easy or gap < 0:
        return FORMULAS["power", limited, balance.easy], source
    if gap == 0:
        return FORMULAS["edge power", limited, True], f"{source}; logarithm {DERIVED}"
    return FORMULAS["full power", limited, True], source


def _notes(
    exponents: Exponents,
    schedule: str,
    shape: float | None,
    floor: float,
    balance: _Balance,
    limited: Limited,
) -> tuple[str, ...]:
    notes: list[str] = []
    if exponents.at_boundary:
        notes.append("at the boundary s = 1 - 1/beta: powers are continuous, log powers are not")
    if schedule == "exponential" and balance.easy and limited == "compute":
        notes.append(
            "the peak is only the lower edge: the risk is flat from there to the stability limit"
        )
    if not schedule.startswith("wsd") and not balance.easy:
        notes.append("the best peak sits at the stability limit at every horizon")
    if schedule == "wsd" and balance.easy:
        notes.append("the risk has a second minimum at cooldown 1: scan the fraction")
    if shape is not None and balance.alpha < exponents.capacity:
        notes.append(
            f"this shape uses capacity {balance.alpha:g} of {exponents.capacity:g}:"
            " alpha = min(beta, g+1)"
        )
    if shape is not None and floor:
        onset = floor_onset(exponents, shape, floor)
        notes.append(
            f"the floor decides only beyond about {onset.value:.0e} samples, times a large constant"
        )
    return tuple(notes)
