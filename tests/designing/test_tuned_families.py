"""Few-knob families: the best setting against scans, and the text that says it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import losslaw as ll
from losslaw.designing import FAMILIES, baselines
from losslaw.designing.task import Constraints, pose
from losslaw.designing.tuned_families import best_setting, family_named
from losslaw.errors import InputError
from losslaw.laws import Effective, Law, Momentum

LAW = Effective(L0=2.5, A=0.3, N=47.0)
KNOWN = dict(peak=1e-3, horizon=1500, warmup=50)


def task_of(law=LAW, **limits):
    return pose(law, Constraints(**{**KNOWN, **limits}))


def test_no_cooldown_and_final_rate_of_a_scan_is_better():
    task = task_of()
    best = best_setting(task, FAMILIES["wsd"])
    scan = [
        LAW.predict(ll.wsd(**KNOWN, cooldown=cooldown, final=final), [1500])[0]
        for cooldown in np.linspace(0.02, 0.96, 48)
        for final in (0.0, 1e-5, 2e-5, 4e-5, 6e-5, 8e-5)
    ]
    assert best.loss <= min(scan) + 1e-7
    # The scan is fine enough to come close.
    assert best.loss >= min(scan) - 1e-4


def test_no_places_of_steps_of_a_scan_are_better():
    best = best_setting(task_of(), FAMILIES["step"])
    scan = [
        LAW.predict(ll.step(**KNOWN, first=first, second=second, factor=factor), [1500])[0]
        for first in np.linspace(0.5, 0.95, 10)
        for second in np.linspace(0.6, 0.99, 9)
        if second >= first
        for factor in (2.0, 3.0, 4.0, 6.0)
    ]
    # Places are searched by differences over half a percent of the run.
    assert best.loss <= min(scan) + 2e-4


def test_more_knobs_cost_nothing():
    """Families that contain others are at least as good."""
    task = task_of()
    loss = {name: best_setting(task, family).loss for name, family in FAMILIES.items()}
    tiny = 1e-6
    assert loss["wsd-power"] <= loss["wsd"] + tiny
    assert loss["wsd-1-power"] <= min(loss["wsd"], loss["wsd-1-sqrt"]) + tiny
    assert loss["power"] <= loss["linear"] + tiny
    assert loss["wsd"] <= loss["linear"] + tiny
    assert loss["linear"] <= loss["constant"] + tiny


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"wsd-1-power"}))
def test_the_text_of_a_setting_makes_its_schedule(name):
    best = best_setting(task_of(weight_decay=0.1), FAMILIES[name])
    again = ll.parse_schedule(best.schedule.spec)
    assert_allclose(again.lr, best.schedule.lr, rtol=1e-12, atol=0)
    assert_array_equal(again.weight_decay, best.schedule.weight_decay)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_settings_meet_floor_and_run_so_far(name):
    run = ll.constant(peak=1e-3, horizon=1000, warmup=50)
    task = task_of(prefix=run, floor=5e-5)
    best = best_setting(task, FAMILIES[name])
    assert_array_equal(best.schedule.lr[:1000], run.lr)
    assert best.schedule.lr[1000:].min() >= 5e-5
    assert best.schedule.lr.max() <= 1e-3


def test_the_peak_is_a_knob_where_it_is_free():
    """Against each of eleven peaks, fixed."""
    best = best_setting(task_of(peak=(2e-4, 1e-2)), FAMILIES["wsd"])
    fixed = [
        best_setting(task_of(peak=peak), FAMILIES["wsd"]).loss
        for peak in np.geomspace(2e-4, 1e-2, 11)
    ]
    assert best.loss <= min(fixed) + 1e-6
    assert 2e-4 < best.knobs["peak"] <= 1e-2
    assert best.schedule.peak_lr == pytest.approx(best.knobs["peak"])


def test_a_law_without_gradient_is_searched_by_differences():
    class Mine(Momentum):
        final_loss = Law.final_loss

    law = Mine(L0=2.5, A=0.3, C=0.3, alpha=0.6)
    known = Momentum(**law.parameters)
    mine = best_setting(task_of(law), FAMILIES["linear"])
    assert mine.loss == pytest.approx(best_setting(task_of(known), FAMILIES["linear"]).loss)


def test_usual_schedules_are_those_of_the_families():
    task = task_of(weight_decay=0.1)
    usual = baselines(task)
    expected = {
        "constant": ll.constant(**KNOWN),
        "cosine": ll.cosine(**KNOWN),
        "cosine-10%": ll.cosine(**KNOWN, final=1e-4),
        "linear": ll.linear(**KNOWN),
        "wsd": ll.wsd(**KNOWN, cooldown=0.2),
        "wsd-10%": ll.wsd(**KNOWN, cooldown=0.1),
        "wsd-1-sqrt": ll.wsd(**KNOWN, cooldown=0.2, decay="1-sqrt"),
        "wsd-1-sqrt-10%": ll.wsd(**KNOWN, cooldown=0.1, decay="1-sqrt"),
    }
    assert set(usual) == set(expected)
    for name, schedule in expected.items():
        assert_allclose(usual[name].lr, schedule.lr, rtol=1e-12, atol=1e-18)
        assert_array_equal(usual[name].weight_decay, np.full(1500, 0.1))
        assert_allclose(ll.parse_schedule(usual[name].spec).lr, schedule.lr, rtol=1e-12, atol=1e-18)


def test_usual_schedules_go_on_from_the_run_so_far():
    run = ll.constant(peak=1e-3, horizon=1400, warmup=50)
    for schedule in baselines(task_of(prefix=run)).values():
        assert_array_equal(schedule.lr[:1400], run.lr)
    # 20 % of the horizon are more than the 100 updates left: all of them decay.
    assert baselines(task_of(prefix=run))["wsd"].lr[1400] == pytest.approx(0.99e-3)


def test_unknown_families_are_refused():
    with pytest.raises(InputError, match="unknown family 'wds': expected one of constant, linear"):
        family_named("wds")


def test_a_logged_peak_is_written_as_people_write_it():
    logged = 0.00030000000003875993
    best = best_setting(task_of(peak=logged, floor=0.9 * logged), FAMILIES["cosine"])
    assert best.schedule.spec == "cosine:peak=0.0003,horizon=1500,warmup=50,final=0.00027"
    assert_allclose(best.schedule.lr[49], logged, rtol=3e-10)
