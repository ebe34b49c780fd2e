"""The compute-optimal frontier in exact dynamics, against the exponents of all seven phases."""

import pytest

from losslaw.errors import InputError
from losslaw.kernel.agreement import best_size, frontier, noiseless_risk

# One problem in each phase, and how far local slopes at 10^15 to 10^16 may be from their limit:
# corrections die as a small power of compute, in IVb as its -.03rd.
PHASES = {
    "Ia": (0.5, 1.5, 0.001, 0.002),
    "Ib": (0.5, 0.8, 0.002, 0.002),
    "Ic": (2.0, 0.4, 0.006, 0.005),
    "II": (1.2, 1.5, 0.002, 0.007),
    "III": (2.0, 1.5, 0.002, 0.002),
    "IVa": (2.0, 0.8, 0.001, 0.002),
    "IVb": (2.0, 0.55, 0.02, 0.01),
}


@pytest.mark.parametrize("name", PHASES)
def test_measured_exponents_are_those_of_the_phase(name):
    source, capacity, risk, size = PHASES[name]
    found = frontier(source, capacity, (1e15, 1e16))
    assert found.phase.name == name
    assert abs(found.risk.gap) < risk
    assert abs(found.size.gap) < size


def test_the_best_size_is_the_lowest_of_all():
    risk, modes = best_size(2.0, 0.8, 1e9)
    for factor in (0.5, 0.9, 1.1, 2.0):
        other = round(modes * factor)
        assert noiseless_risk(2.0, 0.8, other, 1e9 / other) > risk * (1 - 2e-5)
    here = round(modes)
    assert noiseless_risk(2.0, 0.8, here, 1e9 / here) == pytest.approx(risk, rel=2e-5)


def test_little_compute_has_no_best_size():
    for compute in (10.0, 50.0):
        with pytest.raises(InputError, match="too small to have a best size"):
            best_size(2.0, 0.8, compute)
    with pytest.raises(InputError, match="compute is nan, expected"):
        best_size(2.0, 0.8, float("nan"))
    with pytest.raises(InputError, match=r"compute of 1e\+30 is too large: its best size"):
        best_size(2.0, 0.8, 1e30)
    with pytest.raises(InputError, match=r"updates is 0\.5, expected 1 or more"):
        noiseless_risk(2.0, 0.8, 100, 0.5)
