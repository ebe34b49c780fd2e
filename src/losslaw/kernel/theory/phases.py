"""The 4 + 3 phases: what limits a noiseless constant rate when compute is spent best.

Random features, no label noise, SGD at a constant rate near the largest stable one, ambient
dimension a finite multiple of the number of modes M. Then also ``capacity <= 1`` makes sense: the
largest rate falls as ``M^(beta-1)``. With intrinsic time ``T`` (the sum of the rates), the excess
risk is, up to constants, the largest of four terms:

| term       | size                    | it is there if    | what it is                            |
|------------|-------------------------|-------------------|----------------------------------------|
| limit      | ``M^(-beta min(s, 1))`` | always            | what M features cannot learn          |
| signal     | ``T^-s``                | always            | signal still to learn                 |
| distortion | ``T^(1/beta-1) / M``    | s > 1, beta > 1   | signal moved to slow modes by mixing  |
| noise      | ``gamma T^(1/beta-2)``  | s > 1, beta > 1/2 | mini-batch noise of what is learnt    |

with ``gamma ~ M^min(0, beta-1)``, the rate. Compute is ``C = M * updates``: ``T = gamma C / M``.
The best M balances the two terms that are largest there; which two, is the phase. In the symbols
of the paper, its alpha and beta, ``capacity = 2 alpha`` and ``source * capacity = 2 alpha +
2 beta - 1``.

Source: Paquette, Paquette, Xiao, Pennington, "4+3 Phases of Compute-Optimal Neural Scaling Laws",
arXiv:2405.15074. The terms and all exponents are derived here again, from the deterministic
equivalent of the features' resolvent; the tests hold the closed forms against `balanced`, which
knows only the terms.
"""

import math
from dataclasses import dataclass

from losslaw.kernel.theory.powers import Power
from losslaw.numerics.arrays import check_positive

PHASES = "arXiv:2405.15074"
# Above this capacity the noise term, at the largest stable rate, grows with M and ends phase IVb:
# the zero of beta^2 - 4 beta + 2. In the paper's symbol 1 - 1/sqrt(2) = .293.
TURN = 2 - math.sqrt(2)


# Of each phase: its region, the two terms that are equal at the best M, and the powers of compute
# in risk and M.
PLANE: dict[str, tuple[str, tuple[str, str], str, str]] = {
    "Ia": ("s <= 1, beta > 1", ("signal", "limit"), "-s beta/(1 + beta)", "1/(1 + beta)"),
    "Ib": ("s <= 1, beta <= 1", ("signal", "limit"), "-s beta/2", "1/2"),
    "Ic": (
        "s > 1, beta <= 1/2",
        ("signal", "limit"),
        "-s beta/(beta + (2 - beta) s)",
        "s/(beta + (2 - beta) s)",
    ),
    "II": (
        "1 < s <= 2 - 1/beta, beta > 1",
        ("signal", "distortion"),
        "-s beta/(1 + s beta)",
        "(1 + s beta - beta)/(1 + s beta)",
    ),
    "III": ("s > 2 - 1/beta, beta > 1", ("noise", "distortion"), "1/(2 beta) - 1", "1/2"),
    "IVa": ("s > 1, 2 - sqrt(2) < beta <= 1", ("noise", "limit"), "-beta/2", "1/2"),
    "IVb": (
        "s > 1, 1/2 < beta <= 2 - sqrt(2)",
        ("signal", "noise"),
        "-s (1 - beta)/(1 - beta + (2 - beta)(s - 2 + 1/beta))",
        "(s - 2 + 1/beta)/(1 - beta + (2 - beta)(s - 2 + 1/beta))",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Term:
    """One of the four terms of the risk, ``M^modes * T^time`` but for a constant.

    Attributes:
        name: ``limit``, ``signal``, ``distortion`` or ``noise``.
        modes: Power of the number of modes M, the rate's own power of M included.
        time: Power of intrinsic time T.
        formula: The two, as text.
    """

    name: str
    modes: float
    time: float
    formula: str


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Where a problem lies among the 4 + 3 phases, and what compute buys there.

    Attributes:
        name: ``Ia``, ``Ib``, ``Ic``, ``II``, ``III``, ``IVa`` or ``IVb``.
        region: Which exponents belong to it.
        balance: The two terms that are equal at the best M.
        risk: Power of compute C in the risk at the best M; negative.
        modes: Power of C in the best M.
        risk_formula: The first, as text.
        modes_formula: The second.
        source: Paper.
        validity: Where it holds, and what is proved.
    """

    name: str
    region: str
    balance: tuple[str, str]
    risk: Power
    modes: Power
    risk_formula: str
    modes_formula: str
    source: str
    validity: str

    def __str__(self) -> str:
        return (
            f"phase {self.name} ({self.region}): {self.balance[0]} meets {self.balance[1]},"
            f" risk ~ {self.risk_formula} = C^{self.risk.exponent:.4g},"
            f" modes ~ {self.modes_formula} = C^{self.modes.exponent:.4g}"
        )


def phase_terms(source: float, capacity: float) -> tuple[Term, ...]:
    """The terms of the noiseless risk at a constant rate that these exponents have.

    Args:
        source: Source exponent s > 0.
        capacity: Capacity exponent beta > 0; 1 or less with finite ambient dimension.

    Raises:
        InputError: an exponent is out of range.

    Source: arXiv:2405.15074, its functions F0, Fpp, Fac and Kpp.

    >>> [(term.name, term.formula) for term in phase_terms(2.0, 2.0)][2:]
    [('distortion', 'M^(-1) T^(1/beta - 1)'), ('noise', 'T^(1/beta - 2)')]
    """
    check_positive(source=source, capacity=capacity)
    s, beta = source, capacity
    limit = "M^(-s beta)" if s <= 1 else "M^(-beta)"
    terms = [
        Term(name="limit", modes=-beta * min(s, 1.0), time=0.0, formula=limit),
        Term(name="signal", modes=0.0, time=-s, formula="T^(-s)"),
    ]
    if s > 1 and beta > 1:
        terms += [
            Term(name="distortion", modes=-1, time=1 / beta - 1, formula="M^(-1) T^(1/beta - 1)"),
            Term(name="noise", modes=0.0, time=1 / beta - 2, formula="T^(1/beta - 2)"),
        ]
    elif s > 1 and beta > 0.5:
        formula = "M^(beta - 1) T^(1/beta - 2)"
        terms.append(Term(name="noise", modes=beta - 1, time=1 / beta - 2, formula=formula))
    return tuple(terms)


def phase(source: float, capacity: float) -> Phase:
    """The phase of a noiseless problem, and how risk and best size go with compute.

    On a boundary the exponents of both sides are equal; the phase named is then one of them.

    Args:
        source: Source exponent s > 0.
        capacity: Capacity exponent beta > 0; 1 or less with finite ambient dimension.

    Raises:
        InputError: an exponent is out of range.

    Source: arXiv:2405.15074 (below capacity 1/2 not proved there). Derived here again: the numbers
    are those of `balanced`, and the tests read the formulas.

    >>> found = phase(2.0, 2.0)
    >>> found.name, found.risk.exponent, found.modes.exponent
    ('III', -0.75, 0.5)
    """
    check_positive(source=source, capacity=capacity)
    s, beta = source, capacity
    name = _name(s, beta)
    risk, modes = balanced(s, beta)
    proved = "not proved for beta <= 1/2" if beta <= 0.5 else "proved"
    region, balance, risk_formula, modes_formula = PLANE[name]
    return Phase(
        name=name,
        region=region,
        balance=balance,
        risk=Power(risk),
        modes=Power(modes),
        risk_formula=f"C^({risk_formula})",
        modes_formula=f"C^({modes_formula})",
        source=PHASES,
        validity=(
            "random features, no label noise, constant rate near the largest stable one, constant"
            f" batch, ambient dimension a finite multiple of M; {proved}"
        ),
    )


def _name(s: float, beta: float) -> str:
    if s <= 1:
        return "Ia" if beta > 1 else "Ib"
    if beta > 1:
        return "II" if s <= 2 - 1 / beta else "III"
    if beta <= 0.5:
        return "Ic"
    return "IVa" if beta > TURN else "IVb"


def balanced(source: float, capacity: float) -> tuple[float, float]:
    """Powers of compute in the best risk and in the best M, from the terms alone.

    With ``M = C^x`` every term is a power of C that is linear in x; the risk is the largest of
    them, and its minimum over x a linear program in two unknowns, solved here by trying where two
    terms cross.

    Args:
        source: Source exponent s > 0.
        capacity: Capacity exponent beta > 0.

    Raises:
        InputError: an exponent is out of range.

    >>> balanced(2.0, 2.0)
    (-0.75, 0.5)
    """
    check_positive(source=source, capacity=capacity)
    s, beta = source, capacity
    # T = gamma C / M = C^(1 - reach x); it is 1 or more for x <= 1 / reach.
    reach = 2 - min(beta, 1.0)
    lines = [(term.modes - term.time * reach, term.time) for term in phase_terms(s, beta)]

    def height(x: float) -> float:
        return max(slope * x + start for slope, start in lines)

    crossings = [
        (b - d) / (c - a)
        for i, (a, b) in enumerate(lines)
        for c, d in lines[i + 1 :]
        if not math.isclose(a, c)
    ]
    best = min((x for x in (0.0, *crossings, 1 / reach) if 0 <= x <= 1 / reach), key=height)
    return height(best), best
