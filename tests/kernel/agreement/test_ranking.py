"""The order of schedules, and the exact optimum beside the closed form."""

import math

import pytest

from losslaw.kernel import agreement
from losslaw.kernel.agreement.optimum import long_schedule, schedule_text
from losslaw.kernel.theory import SCHEDULES, Exponents, scaling
from losslaw.schedules import parse_long_schedule


@pytest.mark.parametrize("limited", ["data", "compute"])
@pytest.mark.parametrize(("s", "beta"), [(0.5, 4.0), (0.3, 2.0), (0.2, 1.5)])
def test_hard_ties_go_to_the_stable_phase(s, beta, limited):
    order = agreement.ranking(Exponents(s, beta), 1e8, limited=limited)
    assert order[0].schedule == "wsd-power"
    if (s, limited) != (0.2, "compute"):  # 10^5 samples there: power decay leads by 2 % still
        assert [rank.schedule for rank in order[1:3]] == ["wsd", "power"]
    risks = [rank.exact.risk for rank in order[:3]]
    assert risks == sorted(risks)


def test_the_stable_phase_with_a_power_tail_has_the_power_decay_in_it():
    for exponents in (Exponents(1.0, 2.0), Exponents(0.5, 4.0)):
        with_tail = agreement.best(exponents, "wsd-power", 1e6)
        assert with_tail.risk <= agreement.best(exponents, "power", 1e6).risk * (1 + 1e-4)
    assert agreement.best(Exponents(1.0, 2.0), "wsd-power", 1e6).cooldown > 0.95


def test_tail_of_the_power_shape_vanishes_as_theory_has_it():
    pair = agreement.scaling_pair(Exponents(0.5, 4.0), "wsd-power", (1e15, 1e18),
                                  quantity="cooldown")  # fmt: skip
    assert abs(pair.gap) < 0.005


def test_optimum_of_the_audit():
    found = agreement.exact_optimum(Exponents(0.5, 2.0), "wsd", 1e12, limited="compute")
    assert found.exact.risk == pytest.approx(1.5633e-4, rel=1e-4)
    assert found.exact.modes == pytest.approx(5355, rel=0.02)
    assert found.exact.peak == pytest.approx(0.151, rel=0.01)
    assert found.exact.cooldown == pytest.approx(0.57, abs=0.005)
    assert found.cost == pytest.approx(0.0208, abs=0.001)


@pytest.mark.parametrize("noise", [0.0, 0.1, 10.0])
def test_noise_is_worth_samples(noise):
    """No point of a coarse grid is below the optimum, at any noise."""
    e = Exponents(0.5, 2.0)
    found = agreement.best(e, "wsd", 1e8, limited="compute", noise=noise)
    for factor in (0.6, 1.6):
        modes = round(found.modes * factor)
        other = agreement.final_risk(
            e, long_schedule(e, "wsd", found.peak, 1e8 / modes, found.cooldown), modes, noise
        )
        assert other > found.risk
        for axis in ("peak", "cooldown"):
            moved = {"peak": found.peak, "cooldown": found.cooldown}
            moved[axis] *= factor
            if moved["peak"] > agreement.cap(e) or moved["cooldown"] > 1:
                continue
            run = long_schedule(e, "wsd", moved["peak"], found.samples, moved["cooldown"])
            assert agreement.final_risk(e, run, found.modes, noise) > found.risk * (1 - 1e-6)


def test_a_larger_batch_never_helps_the_samples():
    e = Exponents(0.5, 2.0)
    risks = [agreement.best(e, "power", 1e8, batch=b).risk for b in (1, 4, 16)]
    assert risks == sorted(risks)


def test_one_decay_has_a_cooldown_of_one():
    e = Exponents(1.0, 2.0)
    assert agreement.best(e, "exponential", 1e5).cooldown == 1
    assert agreement.best(e, "power", 1e5, precise=True).cooldown == 1
    assert agreement.best(e, "constant", 1e5).cooldown == 0


@pytest.mark.parametrize("schedule", [each for each in SCHEDULES if each != "average"])
def test_simulation_takes_the_text_that_theory_prints(schedule):
    e = Exponents(0.5, 4.0)
    theory = scaling(e, schedule, 1e6, cap=agreement.cap(e))
    assert theory.peak.value <= agreement.cap(e)
    found = agreement.best(e, schedule, 1e6)
    run = parse_long_schedule(schedule_text(e, schedule, found))
    assert agreement.final_risk(e, run) == pytest.approx(found.risk, rel=1e-5)


def test_onsets_are_measured():
    order = agreement.ranking(Exponents(0.5, 4.0), 1e6, onsets=True)
    assert order[-1].ahead_from is None
    assert all(rank.ahead_from < math.inf for rank in order[:-1])
    assert order[0].ahead_from == pytest.approx(1.9e5, rel=0.1)
