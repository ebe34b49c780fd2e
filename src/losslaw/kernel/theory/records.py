"""What the theory speaks about, ``Exponents``, and what it answers, a ``Relation``.

A closed form is worth as much as its provenance: every answer carries its formula, the place in
the papers it stands in (or that it was derived here), and where it holds. Formulas are plain text
that Python can read once ``^`` is ``**``; the tests read them, so text and number cannot differ.

Papers, by short name:

* FSL: Li et al., "Functional Scaling Laws in Kernel Regression", arXiv:2509.19189;
* OLR: Li et al., "Optimal Learning-Rate Schedules under Functional Scaling Laws",
  arXiv:2602.06797;
* OBS: Wang et al., "Fast Catch-Up, Late Switching: Optimal Batch Size Scheduling via Functional
  Scaling Laws", arXiv:2602.14208.
"""

import math
from dataclasses import dataclass

from losslaw.errors import InputError
from losslaw.kernel.theory.powers import Power
from losslaw.numerics.arrays import check_positive

FSL = "arXiv:2509.19189"
OLR = "arXiv:2602.06797"
OBS = "arXiv:2602.14208"
DERIVED = "derived here"


@dataclass(frozen=True)
class Exponents:
    """The two numbers of a power-law kernel regression.

    ``lambda_j = j^-capacity`` and ``lambda_j theta_j^2 = j^-(1 + source * capacity)``.

    Args:
        source: ``s`` > 0: how fast the signal is learnt, ``t^-s`` in intrinsic time ``t``.
        capacity: ``beta`` > 1: how fast noise is forgotten, ``t^-(2 - 1/beta)``. A small beta is a
            model of high capacity.

    Raises:
        InputError: source not above 0, capacity not above 1, or not finite.

    >>> Exponents(source=0.5, capacity=4).easy
    False
    >>> Exponents.at_difficulty(0.6, capacity=2)
    Exponents(source=0.3, capacity=2)
    """

    source: float
    capacity: float

    def __post_init__(self) -> None:
        check_positive(source=self.source)
        if not (math.isfinite(self.capacity) and self.capacity > 1):
            raise InputError(
                f"capacity is {self.capacity:g}, expected a finite number above 1:"
                " with capacity 1 or less the eigenvalues have no finite sum (without label noise"
                " there are phases: --noise 0)"
            )

    @classmethod
    def at_difficulty(cls, difficulty: float, capacity: float) -> "Exponents":
        """The exponents of one fixed target at a capacity: ``s = alpha / beta``.

        The target is the same for all capacities if its intrinsic difficulty ``alpha = s beta``
        is: then ``lambda_j theta_j^2 = j^-(1 + alpha)`` whatever beta, and so is the risk
        ``M^-alpha`` that M modes leave. A source is a difficulty in units of the capacity.

        Raises:
            InputError: a difficulty or capacity out of range.

        Source: arXiv:2509.19189, Sec. 5 (higher capacity is more efficient at a fixed target).
        """
        return cls(source_at(difficulty, capacity), capacity)

    @property
    def difficulty(self) -> float:
        """``alpha = s beta``, the intrinsic difficulty of the target; small is difficult."""
        return self.source * self.capacity

    @property
    def boundary(self) -> float:
        """The source exponent ``1 - 1/beta`` at which easy begins."""
        return 1 - 1 / self.capacity

    @property
    def at_boundary(self) -> bool:
        """Whether the source is ``1 - 1/beta`` but for rounding."""
        return math.isclose(self.source, self.boundary, rel_tol=1e-12)

    @property
    def easy(self) -> bool:
        """``s >= 1 - 1/beta``; the boundary counts as easy."""
        return self.at_boundary or self.source > self.boundary


def source_at(difficulty: float, capacity: float) -> float:
    """The source exponent of a target of intrinsic difficulty ``alpha``: ``s = alpha / beta``.

    Raises:
        InputError: a difficulty or a capacity not above 0.

    >>> source_at(0.6, 1.2)
    0.5
    """
    check_positive(difficulty=difficulty, capacity=capacity)
    return difficulty / capacity


@dataclass(frozen=True, kw_only=True)
class Relation:
    """One closed form, evaluated.

    Attributes:
        quantity: What it is: risk, peak, modes, samples, cooldown, ...
        value: The number at the given budget, every unknown constant set to one.
        power: Its exponent and log power in the budget; ``None`` where it is not a power.
        formula: The formula, as text.
        source: Paper and place, or "derived here".
        validity: Where it holds.
    """

    quantity: str
    value: float
    power: Power | None
    formula: str
    source: str
    validity: str

    def __str__(self) -> str:
        return (
            f"{self.quantity} {self.value:.4g} = {self.formula}  [{self.source}; {self.validity}]"
        )


@dataclass(frozen=True, kw_only=True)
class Regime:
    """Easy or hard, and how far from the boundary.

    Attributes:
        name: ``easy`` or ``hard``.
        boundary: ``1 - 1/beta``.
        at_boundary: Whether the source is at the boundary.
        wsd_log_power: Power of log D in the WSD risk, which jumps at the boundary: ``s^2`` there,
            and 0 below.
        formula: The condition.
        source: Paper and place.
        meaning: A sentence.
    """

    name: str
    boundary: float
    at_boundary: bool
    wsd_log_power: float
    formula: str
    source: str
    meaning: str


def regime(exponents: Exponents) -> Regime:
    """Whether the signal is learnt faster (easy) or slower (hard) than noise is forgotten.

    Easy means ``s >= 1 - 1/beta``. The optimal peak rate falls with the budget in the easy regime
    and stays at the largest admissible one in the hard regime. At the boundary every power of the
    budget is continuous, but logarithms are not: exponential decay keeps ``L^s`` on both sides, and
    WSD has ``L^(s^2)`` at the boundary (its easy formula, with ``s = 1 - 1/beta``) and no logarithm
    below it, so just below it hides in the constant.

    Source: arXiv:2509.19189, Sec. 5; the logarithm at the boundary is derived here.

    >>> regime(Exponents(source=0.5, capacity=4)).name
    'hard'
    >>> regime(Exponents(source=0.75, capacity=4)).wsd_log_power
    0.5625
    """
    s, beta = exponents.source, exponents.capacity
    easy = exponents.easy
    log_power = (s * beta - s) / (1 + s * beta) if easy else 0.0
    if exponents.at_boundary:
        meaning = "at the boundary: the easy formulas hold, WSD pays log(D)^(s^2)"
    elif easy:
        meaning = "signal is learnt faster than noise is forgotten: the peak falls with the budget"
    else:
        meaning = "noise is forgotten faster than signal is learnt: stay at the largest rate"
    return Regime(
        name="easy" if easy else "hard",
        boundary=exponents.boundary,
        at_boundary=exponents.at_boundary,
        wsd_log_power=log_power,
        formula="s >= 1 - 1/beta" if easy else "s < 1 - 1/beta",
        source=f"{FSL}, Sec. 5; the logarithm at the boundary {DERIVED}",
        meaning=meaning,
    )


def holds(exponents: Exponents) -> str:
    """Which theorems carry the functional scaling law, and so its consequences, at these exponents.

    Source: arXiv:2509.19189: Th 4.2 (top-M, s <= 1 - 1/beta, any noise), Th 4.4 (top-M, any s,
    label noise ~ 1 or more), Th 4.6 (random-M, s <= 1, with high probability).

    >>> holds(Exponents(0.5, 4.0))
    'large budgets, label noise ~ 1; top-M by Th 4.2, random-M by Th 4.6 (arXiv:2509.19189)'
    """
    hard = not exponents.easy or exponents.at_boundary
    top = "Th 4.2" if hard else "Th 4.4"
    random = "random-M by Th 4.6" if exponents.source <= 1 else "random-M open for s > 1"
    return f"large budgets, label noise ~ 1; top-M by {top}, {random} ({FSL})"
