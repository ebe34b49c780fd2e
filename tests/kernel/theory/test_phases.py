"""The 4 + 3 phases: printed formulas against the balance of the terms, and the terms with names."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.errors import InputError
from losslaw.kernel.theory import balanced, phase, phase_terms

# One problem (source, capacity) in each phase.
INSIDE = {
    "Ia": (0.5, 1.5),
    "Ib": (0.5, 0.8),
    "Ic": (2.0, 0.4),
    "II": (1.2, 1.5),
    "III": (2.0, 1.5),
    "IVa": (2.0, 0.8),
    "IVb": (2.0, 0.55),
}


def written(formula, s, beta):
    """The exponent in ``C^(...)``, as Python reads it."""
    for old, new in {"s beta": "s*beta", "s (": "s*(", ")(": ")*(", ") s": ")*s"}.items():
        formula = formula.replace(old, new)
    formula = formula.replace("(2 beta)", "(2*beta)")
    return eval(formula.removeprefix("C^"), {"s": s, "beta": beta, "sqrt": math.sqrt})


def test_each_phase_is_where_it_is_said_to_be():
    for name, problem in INSIDE.items():
        found = phase(*problem)
        assert found.name == name
        assert f"phase {name} (" in str(found)


def test_closed_forms_are_the_balance_everywhere():
    rng = np.random.default_rng(0)
    seen = set()
    for s, beta in np.exp(rng.uniform(np.log(0.05), np.log(5.0), (800, 2))).tolist():
        found = phase(s, beta)
        seen.add(found.name)
        risk, modes = balanced(s, beta)
        assert_allclose(written(found.risk_formula, s, beta), risk, rtol=1e-9)
        assert_allclose(written(found.modes_formula, s, beta), modes, rtol=1e-9)
        # At the best size the two terms that the phase names are equal, and the largest.
        time = min(beta, 1.0) * modes - 2 * modes + 1
        heights = {t.name: t.modes * modes + t.time * time for t in phase_terms(s, beta)}
        named = [heights[name] for name in found.balance]
        assert_allclose(named, max(heights.values()), rtol=1e-9, atol=1e-12)
    assert seen == set(INSIDE)


def paper(a, b):
    """The same exponents in alpha and beta, the symbols of the paper."""
    if b < 0.5:
        return (
            ((2 * a + 2 * b - 1) / (2 * a + 1), 1 / (2 * a + 1)) if a > 0.5 else (a + b - 0.5, 0.5)
        )
    if a > 0.5:
        if b > a:
            return (4 * a - 1) / (4 * a), 0.5
        return (2 * a + 2 * b - 1) / (2 * (a + b)), (b / a) / (1 + b / a)
    if a < 0.25:
        below = a * (2 * b - 3) - 2 * b + 1
        return -a * (2 * a + 2 * b - 1) / below, (1 - 2 * (a + b)) / (2 * below)
    if a > 1 - 1 / math.sqrt(2):
        return a, 0.5
    below = 2 * a * b + a - 2 * b
    return -(1 - 2 * a) * (2 * a + 2 * b - 1) / (2 * below), (a - b) / below


def test_exponents_in_the_symbols_of_the_paper():
    rng = np.random.default_rng(1)
    for a, b in rng.uniform(0.02, 1.5, (1000, 2)).tolist():
        if a + b > 0.5:
            found = phase((2 * a + 2 * b - 1) / (2 * a), 2 * a)
            assert_allclose((-found.risk.exponent, found.modes.exponent), paper(a, b), rtol=1e-9)


def test_exponents_are_continuous_across_boundaries():
    near = 1e-9
    for s, beta in [(1, 1.5), (1, 0.8), (1, 0.3), (1.5, 2), (0.5, 1), (2, 1), (2, 0.5)]:
        below, above = (balanced(s + d, beta + d) for d in (-near, near))
        assert_allclose(below, above, atol=1e-6)


@pytest.mark.parametrize(("s", "beta"), [(0, 1), (1, 0), (-1, 1), (math.inf, 1), (1, math.nan)])
def test_what_is_no_exponent_is_refused(s, beta):
    with pytest.raises(InputError, match="expected a finite number above 0"):
        phase(s, beta)
