"""`losslaw.designing`: constraints, what is refused, what is said."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import losslaw as ll
from losslaw.designing.gains import Gains
from losslaw.designing.record import BestSchedule, shape_in_words
from losslaw.errors import FitError
from losslaw.files.json_text import plain
from losslaw.fitting.status import DIFFERENT
from losslaw.numerics.interval import Interval

LAW = ll.Effective(L0=2.5, A=0.3, N=47.0)
KNOWN = dict(horizon=600, peak=1e-3, warmup=30)


def runs_of(law, **changes):
    known = {**dict(peak=1e-3, horizon=600, warmup=30, weight_decay=0.1), **changes}
    schedules = {
        "flat": ll.constant(**known),
        "cosine": ll.cosine(**known),
        "wsd": ll.wsd(**known, cooldown=0.3),
    }
    steps = np.arange(60, 601, 10)
    return [law.curve(schedule, steps, label) for label, schedule in schedules.items()]


@pytest.fixture(scope="module")
def fit():
    return ll.fit(runs_of(LAW))


def test_a_design_is_of_the_fit(fit):
    design = ll.design(fit, 600)
    assert design.schedule.peak_lr == pytest.approx(1e-3)
    assert_allclose(design.schedule.lr[:30], 1e-3 * np.arange(1, 31) / 30)
    assert_array_equal(design.schedule.weight_decay, np.full(600, 0.1))
    # The loss is what all laws of the fit predict.
    prediction = fit.predict(design.schedule, [600])
    assert design.loss == prediction.final
    assert design.interval == prediction.interval
    assert design.trust == prediction.trust
    # So are those of the usual schedules, but for weights, which are those of the design.
    cosine = fit.predict(ll.cosine(peak=1e-3, horizon=600, warmup=30), [600]).final
    assert design.baselines["cosine"].loss == pytest.approx(cosine, abs=1e-4)
    assert design.baselines["cosine"].gain == pytest.approx(cosine - design.loss, abs=1e-4)
    assert design.gain == min(item.gain for item in design.baselines.values()) >= 0
    assert "warm-up of 30 updates, as in the fitted runs" in design.sentences


def test_a_design_by_one_law_is_that_law_s_alone():
    fit = ll.fit(runs_of(LAW), "effective")
    design = ll.design(fit, 600)
    assert design.loss == fit.predict(design.schedule, [600]).final
    cosine = fit.predict(ll.cosine(peak=1e-3, horizon=600, warmup=30), [600]).final
    assert design.baselines["cosine"].loss == pytest.approx(cosine, abs=1e-8)
    assert design.trust is None
    assert design.as_dict()["trust"] is None
    assert str(design).startswith("free form, 600 updates")


def test_what_stands_behind_a_design_is_said_first(fit):
    design = ll.design(fit, 600)
    lines = str(design).splitlines()
    assert lines[:2] == [fit.predict(design.schedule, [600]).trust.sentence, ""]
    assert lines[0].startswith("confirmed by these logs")
    assert design.as_dict()["trust"]["status"] == "confirmed"
    # Where the interval is too wide the design is shown all the same.
    wide = str(replace(design, trust=replace(design.trust, refused=True))).splitlines()
    assert wide[0] == lines[0]
    assert "too wide to choose by" in wide[1]
    assert "losslaw advise" in wide[1]
    assert wide[2:] == lines[1:]


def test_nothing_is_proposed_where_no_gain_is_known(fit, monkeypatch):
    open_ended = Interval(lower=-2499.0, upper=2499.0, level=0.9)
    monkeypatch.setattr(Gains, "interval", lambda *_: open_ended)
    mixed = replace(fit, status=replace(fit.status, sentences=(f"{DIFFERENT} (adamw, muon)",)))
    with pytest.raises(FitError, match=r"no best schedule: .*anything; .*\(adamw, muon\)"):
        ll.design(mixed, 600)


def test_a_schedule_that_does_not_train_is_not_proposed(fit, monkeypatch):
    idle = ll.Schedule([1e-9] + [0.0] * 599)
    best = BestSchedule(schedule=idle, loss=2.0, gap=None, evaluations=1, peak=1e-9)
    monkeypatch.setattr(sys.modules["losslaw.designing.design"], "_best", lambda *_: best)
    with pytest.raises(FitError, match="no best schedule"):
        ll.design(fit, 600, peak=1e-3, warmup=0)


def test_the_run_so_far_is_kept(fit):
    so_far = ll.constant(peak=1e-3, horizon=400, warmup=30)
    design = ll.design(fit, 600, prefix=so_far)
    assert_array_equal(design.schedule.lr[:400], so_far.lr)
    assert (np.diff(design.schedule.lr[399:]) <= 0).all()
    # With less time left no better than from the start.
    assert design.loss >= ll.design(fit, 600).loss - 1e-6


def test_a_run_still_warming_up_warms_up(fit):
    so_far = ll.constant(peak=1e-3, horizon=600, warmup=30).prefix(10).with_(warmup=10)
    design = ll.design(fit, 600, prefix=so_far, warmup=30, peak=1e-3)
    assert_array_equal(design.schedule.lr[:10], so_far.lr)
    assert design.schedule.lr[29] >= design.schedule.lr[9]


def test_batch_and_weight_decay_go_on_as_they_were():
    law = ll.Convolution(L0=2.5, A=0.3, N=5e3, M=500.0, s=0.6, q=1.3, c=100.0)
    so_far = ll.constant(peak=1e-3, horizon=300, batch=8.0, weight_decay=0.2)
    design = ll.design(law, 600, prefix=so_far)
    assert_array_equal(design.schedule.batch, np.full(600, 8.0))
    assert_array_equal(design.schedule.weight_decay, np.full(600, 0.2))
    larger = ll.design(law, 600, prefix=so_far, batch=16.0)
    assert_array_equal(larger.schedule.batch, np.repeat([8.0, 16.0], 300))
    assert larger.loss < design.loss


def test_tokens_are_updates_of_a_batch():
    design = ll.design(LAW, tokens=1e6, batch=4.0, sequence_length=500, peak=1e-3)
    assert design.schedule.horizon == 500


def test_a_free_peak_is_chosen_from_its_range():
    design = ll.design(LAW, 600, peak=(1e-4, 1e-1), warmup=30)
    peak = design.peak
    assert 1e-4 < peak < 1e-1
    assert_allclose(design.schedule.lr[:30], peak * np.arange(1, 31) / 30)
    # Every peak of a scan is worse.
    scan = [ll.design(LAW, 600, peak=p, warmup=30).loss for p in np.geomspace(1e-4, 1e-1, 4)]
    assert design.loss <= min(scan) + 1e-6


def test_json_form_keeps_the_contract(fit):
    design = ll.design(fit, 600, family="wsd")
    record = json.loads(json.dumps(plain(design.as_dict())))
    assert {"loss", "trust", "baselines", "gain", "schedule", "seconds"} <= set(record)
    assert {"cosine", "wsd", "linear"} <= set(record["baselines"])
    assert record["schedule"]["step"] == list(range(1, 601))
    assert_array_equal(record["schedule"]["lr"], design.schedule.lr)
    assert record["gain"] == pytest.approx(min(record["baselines"].values()) - record["loss"])
    assert_allclose(ll.parse_schedule(record["spec"]).lr, design.schedule.lr, rtol=1e-12)


def test_the_report_says_shape_loss_and_cost(fit):
    text = str(ll.design(fit, 600))
    assert "free form, 600 updates" in text
    assert "at 0.001 up to step" in text
    assert "90% interval" in text
    assert "cosine-10%" in text
    assert "2 of 2 starts end in this optimum" in text


@pytest.mark.parametrize(
    ("schedule", "given", "words"),
    [
        (ll.constant(peak=1e-3, horizon=100), 0, "at 0.001 to the end"),
        (
            ll.step(peak=1e-3, horizon=100, first=0.8, second=0.9, factor=10),
            0,
            "at 0.001 up to step 80, then 0.0001 after step 80, 1e-05 after step 90",
        ),
        (
            ll.linear(peak=1e-3, horizon=100, final=1e-4),
            0,
            "down over 100 updates (100.0 % of the run) to 0.0001 (10.1 %)",
        ),
        (
            ll.from_knots({1: 1e-3, 50: 1e-3, 80: 0.0, 100: 0.0}),
            0,
            "at 0.001 up to step 50, then down over 50 updates (50.0 % of the run) to 0 (0.0 %),"
            " reached 20 updates before the end",
        ),
        (  # one jump at once, then slower than a thousandth an update
            ll.constant(peak=1e-3, horizon=10).then(ll.from_knots({1: 5e-4, 2000: 1e-4})),
            10,
            "falls at once to 0.0005 after step 10, then down over 2000 updates (99.5 % of the run)"
            " to 0.0001 (10.0 %)",
        ),
        (
            ll.from_knots({1: 1e-3, 50: 5e-4, 100: 1e-3}),
            0,
            "up and down over 100 updates (100.0 % of the run) to 0.001 (100.0 %)",
        ),
    ],
)
def test_shapes_in_words(schedule, given, words):
    assert shape_in_words(schedule, given).endswith(words)


def test_laws_whose_optimum_is_an_artefact_say_so():
    momentum = ll.Momentum(L0=2.5, A=0.3, C=0.3, alpha=0.6)
    known = {**KNOWN, "horizon": 2500}
    design = ll.design(momentum, **known)
    assert "falls to the floor at once near the end" in design.sentences[0]
    assert "not let fall faster than over 250 updates" in design.sentences[1]
    steepest = np.abs(np.diff(design.schedule.lr[29:])).max()
    assert 1e-3 / 400 < steepest <= 1e-3 / 250 * (1 + 1e-9)
    # Asked for, the artefact itself: one jump down.
    steep = ll.design(momentum, **known, max_slope=1.0)
    assert np.abs(np.diff(steep.schedule.lr[29:])).max() > 3 * steepest
    assert steep.loss < design.loss
    power = ll.MultiPower(L0=2.6, A=0.55, B=400.0, alpha=0.5, beta=0.6, C=2.0, gamma=0.6)
    assert "staircase" in ll.design(power, **KNOWN).sentences[0]
    beyond = ll.design(power.with_(gamma=1.1), **KNOWN)
    assert "before any update is done there" in beyond.sentences[0]
    assert np.abs(np.diff(beyond.schedule.lr[29:])).max() <= 1e-3 / 60 * (1 + 1e-9)


def test_a_peak_outside_the_fitted_ones_is_said(fit):
    design = ll.design(fit, 600, peak=3e-3)
    said = "the peak learning rate 0.003 is outside the fitted 0.001"
    assert any(sentence.startswith(said) for sentence in design.sentences)


def so_far(n, peak=1e-3):
    return ll.constant(peak=peak, horizon=n)


BAD = {
    "no horizon": (dict(horizon=None), "how long is the run\\? give its updates"),
    "two horizons": (dict(tokens=1e9), "and not both"),
    "tokens alone": (dict(horizon=None, tokens=1e9), "batch is missing"),
    "tokens and batch": (dict(horizon=None, tokens=1e9, batch=4.0), "sequence_length is missing"),
    "few tokens": (
        dict(horizon=None, tokens=10.0, batch=4.0, sequence_length=100),
        "10 tokens are less than one update of 400",
    ),
    "no updates": (dict(horizon=0), "horizon is 0, expected a whole number of updates"),
    "warm-up": (dict(warmup=600), r"horizon \(600\) is not longer than the warmup \(600 updates\)"),
    "negative warm-up": (dict(warmup=-1), "warmup is -1"),
    "prefix": (dict(prefix=so_far(600)), "has 600 updates and the horizon is 600: nothing is left"),
    "no peak": (dict(peak=None), "no peak learning rate"),
    "zero peak": (dict(peak=0.0), "peak is 0, expected 1e-15"),
    "floor": (dict(floor=2e-3), "floor 0.002 is above the peak 0.001"),
    "negative floor": (dict(floor=-1.0), "floor is -1, expected a learning rate of 0 or above"),
    "prefix below the floor": (
        dict(prefix=so_far(10, 1e-4), floor=5e-4),
        "the run so far is at learning rate 0.0001, below the floor 0.0005",
    ),
    "slope": (dict(max_slope=0.0), "max_slope is 0, expected above 0"),
    "jump": (
        dict(prefix=so_far(10, 2e-3), max_slope=0.01),
        "above the peak 0.001: max_slope does not allow that jump",
    ),
    "peaks": (dict(peak=(2e-3, 1e-3)), "peaks from 0.002 to 0.001: expected the lower one first"),
    "peaks of a run": (dict(peak=(1e-4, 1e-3), prefix=so_far(10)), "the peak of a run under way"),
    "family": (dict(family="wds"), "unknown family 'wds'"),
    "rising family": (dict(family="wsd", rising=True), "rising is for the free form"),
    "slope of a family": (dict(family="wsd", max_slope=1.0), "max_slope is for the free form"),
    "batch": (dict(batch=0.0), "batch is 0, expected a number of sequences above 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_contradictions_are_refused(name):
    changes, words = BAD[name]
    with pytest.raises(ll.InputError, match=words):
        ll.design(LAW, **{**KNOWN, **changes})


def test_laws_that_cannot_tell_schedules_apart_are_refused():
    with pytest.raises(ll.InputError, match="does not see the learning rate"):
        ll.design(ll.Chinchilla(L0=2.5, A=4.0), **KNOWN)
    with pytest.raises(ll.InputError, match=r"does not know what a decay gains \(C\)"):
        ll.design(ll.Momentum(L0=2.5, A=0.3), **KNOWN)


def test_a_fit_that_saw_no_decay_is_refused():
    flat = ll.Momentum(L0=2.5, A=0.3, C=0.3).curve(
        ll.constant(peak=1e-3, horizon=600, warmup=30), range(60, 601, 10), "flat"
    )
    with pytest.raises(ll.InputError, match="no curve with a falling learning rate has shown it"):
        ll.design(ll.fit(flat, "momentum"), 600)


def test_several_fitted_peaks_leave_the_choice_open(fit):
    both = ll.fit([*runs_of(LAW), runs_of(LAW, peak=2e-3)[0].with_(label="high")])
    with pytest.raises(ll.InputError, match=r"2 peak learning rates, 0\.001 to 0\.002: say which"):
        ll.design(both, 600)
    assert ll.design(both, 600, peak=1e-3, family="wsd").loss > 2.5


ASK = """
import losslaw as ll
{first}
law = ll.Effective(L0=2.5, A=0.3, N=47.0)
print(ll.design(law, 100, peak=1e-3, family="linear").family)
"""


@pytest.mark.parametrize("first", ["import losslaw.designing"])
def test_design_can_be_called_whatever_was_imported_first(first):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(first=first)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "linear\n"


def test_a_warmup_may_be_a_share_of_the_horizon():
    law = ll.Effective(L0=2.0, A=0.5, N=47.0)
    one, other = (ll.design(law, 500, peak=1e-3, warmup=w, family="wsd") for w in (0.1, 50))
    assert one.schedule == other.schedule
