"""Exact dynamics against closed forms: a quick part of `validation/kernel.py`.

Every test compares a *(measured, predicted)* pair. The tolerances are those of the whole table:
.01 for risk exponents at 10^11 to 10^12 updates, .02 for WSD in the hard regime, whose corrections
die slowest.
"""

import math

import numpy as np
import pytest

from losslaw import KernelRegression, wsd
from losslaw.kernel import agreement
from losslaw.kernel.theory import Exponents

EASY, HARD = Exponents(1.0, 2.0), Exponents(0.5, 4.0)
LATE = (1e11, 1e12)
SCHEDULES = ("constant", "exponential", "wsd", "power")


@pytest.mark.parametrize("exponents", [EASY, HARD], ids=["easy", "hard"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_risk_exponents_of_data(exponents, schedule):
    pair = agreement.scaling_pair(exponents, schedule, LATE)
    assert abs(pair.gap) < (0.02 if schedule == "wsd" and not exponents.easy else 0.01)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_risk_exponents_of_compute(schedule):
    pair = agreement.scaling_pair(EASY, schedule, (1e18, 1e20), limited="compute")
    assert abs(pair.gap) < 0.01


def test_a_logarithm_left_in_would_show():
    """The exponential decay of the easy regime: .01 is less than what its logarithm is worth."""
    risks = [agreement.best(EASY, "exponential", n).risk for n in LATE]
    pair = agreement.scaling_pair(EASY, "exponential", LATE)
    assert abs(agreement.slope(LATE, (risks[0], risks[1]), 0.0) - pair.predicted) > 0.02
    assert abs(pair.gap) < 0.001


def test_log_power_of_exponential_decay():
    pair = agreement.scaling_pair(EASY, "exponential", LATE, logarithm=True)
    assert pair == pytest.approx((pair.predicted, pair.predicted), abs=0.003)


def test_nodes_kept_from_run_to_run_change_nothing():
    run = agreement.long_schedule(HARD, "wsd", 0.5, 1e9, 0.1)
    exact = KernelRegression(source=0.5, capacity=4.0).excess_risk(run)[0]
    assert agreement.final_risk(HARD, run) == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize("exponents", [EASY, Exponents(0.3, 2.0)], ids=["easy", "hard"])
def test_no_cooldown_on_a_grid_beats_the_one_found(exponents):
    """At the small budget the risk has more than one minimum in the cooldown."""
    found = agreement.best(exponents, "wsd", 1e5)
    for cooldown in (0.05, 0.15, 0.3, 0.5, 0.7, 0.9, 0.99):
        other = agreement.best(exponents, "wsd", 1e5, cooldown=cooldown)
        assert found.risk < other.risk * (1 + 1e-4)


def test_one_decay_all_along_is_a_wsd():
    """At (1, 4) and 10^5 updates no stable phase pays: WSD is the exponential decay."""
    exponents = Exponents(1.0, 4.0)
    whole = agreement.best(exponents, "exponential", 1e5)
    found = agreement.best(exponents, "wsd", 1e5)
    assert found.cooldown == 1.0
    assert found.risk == whole.risk


def test_peaks_stay_below_the_cap_and_reach_it_when_hard():
    cap = agreement.cap(HARD)
    assert cap == pytest.approx(0.9 * KernelRegression(source=0.5, capacity=4.0).largest_lr())
    for schedule in ("exponential", "power"):
        peak = agreement.best(HARD, schedule, 1e8).peak
        assert 0.95 * cap < peak <= cap * (1 + 1e-12)


def test_ranking_is_asymptotic_at_a_fixed_cooldown():
    """At (1, 2), cooldown .2: WSD loses to exponential decay until about 10^9.5 updates."""

    def ratio(samples: float) -> float:
        return agreement.risk_ratio(EASY, "wsd", "exponential", samples, cooldown=0.2)

    assert [round(ratio(n), 2) for n in (1e4, 1e6, 1e9, 1e12)] == pytest.approx(
        [1.19, 1.13, 1.02, 0.93], abs=0.011
    )
    assert agreement.risk_ratio(EASY, "wsd", "exponential", 1e4) < 1


def test_onset_is_where_the_last_crossing_is():
    assert agreement.onset(lambda n: 0.5) == 0
    assert agreement.onset(lambda n: 2.0) == math.inf
    wavy = {2: 0.5, 3: 2.0, 4: 0.5, 5: 2.0, 6: 0.5, 7: 0.25}
    at = agreement.onset(lambda n: wavy[round(math.log10(n))], decades=range(2, 8))
    assert at == pytest.approx(10**5.5)


@pytest.mark.parametrize("exponents", [EASY, HARD], ids=["easy", "hard"])
def test_final_rate_of_the_best_schedule(exponents):
    assert abs(agreement.final_rate_pair(exponents, (1e12, 1e15)).gap) < 0.005


def test_late_switching_and_fast_catch_up():
    assert abs(agreement.switch_pair(Exponents(0.3, 4.0), (1e12, 1e15)).gap) < 0.002
    assert abs(agreement.catch_up_pair(HARD, 10**9, (10**4, 10**5)).gap) < 0.002
    assert abs(agreement.catch_up_pair(HARD, 10**4, (10**7, 10**8), late=True).gap) < 0.002


@pytest.mark.parametrize("exponents", [EASY, HARD], ids=["easy", "hard"])
def test_largest_batch(exponents):
    assert abs(agreement.largest_batch_pair(exponents, (1e12, 1e15)).gap) < 0.005


def test_batches_spend_the_samples_they_are_given():
    """To half of the largest batch, the difference of a sum and its integral."""
    for largest in (10.0, 1e4):
        run = agreement.growing_run(HARD, 0.5, 1e6, largest)
        schedule = run.written_out()
        assert schedule.batch is not None
        assert schedule.batch.sum() == pytest.approx(1e6, abs=0.6 * largest + 2)
        assert schedule.batch[-1] == pytest.approx(largest, rel=1e-9)


def test_free_form_is_no_worse_than_the_closed_form():
    """And not much better: 1.05 at 10^4 updates, 1.003 at 10^12."""
    ratio = agreement.best_kkt(EASY, 1e4)[0] / agreement.free_form(EASY, 1e4).risk
    assert 1.03 < ratio < 1.07


@pytest.mark.parametrize(
    ("s", "beta"), [(0.5, 2.0), (1.0, 2.0), (1.5, 2.0), (2.0, 2.0), (2.0, 4.0), (3.0, 4.0)]
)
def test_without_label_noise_signal_or_its_own_noise_decides(s, beta):
    """Th 4.5 of the functional scaling law."""
    pair = agreement.noiseless_pair(Exponents(s, beta), (1e7, 1e8))
    assert abs(pair.gap) < 0.02


@pytest.mark.parametrize("s", [0.3, 1.0])
def test_the_law_holds_for_random_features(s):
    """Th 4.6: s of at most 1, with the kernels of the drawn spectrum; the error is about F."""
    world = KernelRegression(source=s, capacity=2.0, modes=100, features="random", seed=3)
    schedule = wsd(peak=0.02 * world.largest_lr(), horizon=20_000)
    steps = [200, 2000, 16_000, 20_000]
    law = world.scaling_law(schedule, steps).excess
    exact = world.excess_risk(schedule, steps)
    assert np.abs(law / exact - 1).max() < 2 * world.noise_feedback(schedule.peak_lr)
    # M random features leave about M^-(s beta), as top ones do.
    left = [KernelRegression(source=s, capacity=2.0, modes=m, features="random").unlearned
            for m in (50, 400)]  # fmt: skip
    assert np.log(left[0] / left[1]) / np.log(8) == pytest.approx(2 * s, rel=0.15)
