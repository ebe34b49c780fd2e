"""Why an answer is wide, in words: a sentence each, with the way out."""

import numpy as np
import pytest
from helpers.fit_samples import PEAK, SCHEDULES, curves_of, law_of

import losslaw as ll
from losslaw.fitting import fit
from losslaw.fitting.prediction import rises_again, warnings_for
from losslaw.fitting.status import told
from losslaw.laws import Query
from losslaw.schedules import constant, cosine, cyclic, from_knots, step, twostage, wsd


def sentences(found, schedule, model_size=None):
    query = Query(schedule, np.array([schedule.horizon]))
    return warnings_for(found.curves, found.law, found.uncertainty, query, model_size)


@pytest.fixture(scope="module")
def constant_only():
    return fit(curves_of(law_of("effective"), ["flat"], noise=1e-3), "effective")


@pytest.fixture(scope="module")
def varied():
    return fit(curves_of(law_of("effective"), ["flat", "cosine", "wsd"], noise=1e-3), "effective")


def test_what_is_like_the_fitted_runs_needs_no_words(varied):
    for schedule in SCHEDULES.values():
        assert sentences(varied, schedule) == ()


def test_steps_before_the_fitted_ones(varied):
    schedule, first = SCHEDULES["wsd"], varied.skip
    assert first > 1
    prediction = varied.predict(schedule)
    (text,) = prediction.warnings
    assert text == f"steps before {first} were not fitted, and the law has no meaning there"
    # The table begins later, and needs no such word.
    assert text not in str(prediction)
    assert varied.predict(schedule, range(first, schedule.horizon + 1)).warnings == ()
    assert varied.predict(schedule, [schedule.horizon]).warnings == ()


def test_no_decay_seen(constant_only, varied):
    (text,) = sentences(constant_only, SCHEDULES["wsd"])
    assert "no fitted run decays" in text
    assert "losslaw advise" in text
    assert sentences(constant_only, SCHEDULES["flat"]) == ()
    assert sentences(varied, SCHEDULES["wsd"]) == ()


def test_a_decay_that_the_law_cannot_know_is_said_once():
    found = fit(curves_of(law_of("momentum"), ["flat"]), "momentum")
    (text,) = sentences(found, SCHEDULES["wsd"])
    assert "depends on C" in text


def test_a_horizon_far_beyond(varied):
    def far(times):
        horizon = round(1500 * times)
        schedule = constant(peak=PEAK, horizon=horizon, warmup=50, weight_decay=0.1)
        return [text for text in sentences(varied, schedule) if "as far in intrinsic" in text]

    assert not far(1.9)
    # The warm-up is half lost to intrinsic time, in both.
    assert far(3.0)[0].startswith("the schedule goes 3.0 times as far")


def test_a_rise_after_a_fall(varied):
    schedule = cyclic(peak=PEAK, horizon=1500, warmup=50, cycles=2, weight_decay=0.1)
    (text,) = sentences(varied, schedule)
    assert "rises again after a fall" in text
    seen = fit(
        [
            *curves_of(law_of("effective"), ["wsd"]),
            law_of("effective").curve(schedule, [700, 1400]),
        ],
        "effective",
    )
    assert sentences(seen, schedule) == ()


def test_weight_decay_that_nobody_gave(varied):
    open_one = [
        curve.with_(schedule=curve.schedule.with_(weight_decay=None))
        for curve in curves_of(law_of("effective"), ["cosine"])
    ]
    found = fit(open_one, "effective")
    (text,) = sentences(found, SCHEDULES["cosine"])
    assert text.startswith("weight decay 0.1 is assumed for the fitted run: say what it was")
    # A law that does not read it is not wider for it.
    other = fit(open_one, "momentum")
    assert sentences(other, SCHEDULES["cosine"]) == ()


def test_a_model_size_between_those_fitted():
    law = law_of("effective")
    curves = [
        law.with_(L0=2.5 + shift).curve(SCHEDULES[name], range(15, 1501, 15), f"{name}{shift}")
        for shift in (0.0, 0.2)
        for name in ("flat", "wsd")
    ]
    sized = [
        curve.with_(model_size=size)
        for curve, size in zip(curves, [4e7, 4e7, 1e7, 1e7], strict=True)
    ]
    found = fit(sized, "effective")
    assert sentences(found, SCHEDULES["wsd"], 4e7) == ()
    (text,) = sentences(found, SCHEDULES["wsd"], 2e7)
    assert "no run of a model of 2e+07 parameters was fitted" in text


@pytest.mark.parametrize(
    ("schedule", "falls", "rises"),
    [
        (constant(peak=1.0, horizon=100, warmup=10), False, False),
        (cosine(peak=1.0, horizon=100, warmup=10), True, False),
        (wsd(peak=1.0, horizon=100, warmup=10), True, False),
        (step(peak=1.0, horizon=100), True, False),
        (twostage(peak=1.0, horizon=100, second=0.8), False, False),
        (cyclic(peak=1.0, horizon=100), True, True),
        (from_knots({0: 0.0, 10: 1.0, 50: 0.5, 100: 0.55}), True, False),
        (from_knots({0: 0.0, 10: 1.0, 50: 0.5, 100: 0.7}), True, True),
        # A dip of .05 on the way up is no fall.
        (from_knots({0: 0.0, 10: 0.8, 50: 0.75, 100: 1.0}), False, False),
        (constant(peak=1.0, horizon=1), False, False),
    ],
    ids=lambda value: getattr(value, "spec", None),
)
def test_falls_and_rises(schedule, falls, rises):
    assert schedule.decays() == falls
    assert rises_again(schedule.lr) == rises


def test_predictions_say_them(constant_only):
    """Through the one function that makes predictions."""
    from losslaw.fitting.prediction import predict

    made = predict(
        constant_only.law,
        constant_only.uncertainty,
        SCHEDULES["wsd"],
        None,
        0.9,
        curves=constant_only.curves,
    )
    assert "no fitted run decays" in made.warnings[0]
    assert isinstance(made, ll.Prediction)


def test_a_peak_fitted_without_a_decay_is_not_outside_but_its_decay_is_unseen():
    law = law_of("effective")
    steps = range(15, 1501, 15)
    flat = law.curve(constant(peak=1e-3, horizon=1500, warmup=50), steps, "flat")
    high = law.curve(cosine(peak=2e-3, horizon=1500, warmup=50), steps, "high")
    found = fit([flat, high], "effective")
    asked = wsd(peak=1e-3, horizon=1500, warmup=50, cooldown=0.3, weight_decay=0.1)
    said = found.predict(asked, [1500]).warnings
    assert any(text.startswith("no decay from the peak learning rate 0.001") for text in said)
    assert not any("outside the fitted" in text for text in said)
    held = found.predict(constant(peak=1e-3, horizon=1500, warmup=50), [1500]).warnings
    assert not any("peak learning rate" in text for text in held)


def test_a_guess_at_weight_decay_is_a_warning_wherever_it_is_told():
    unknown = [
        curve.with_(schedule=curve.schedule.with_(weight_decay=None))
        for curve in curves_of(law_of("effective"), ["cosine"])
    ]
    found = fit(unknown, "effective")
    assert "  warning: weight decay 0.1 is assumed for cosine: say what it was" in str(found)
    (guess,), others = told(found.notes)
    assert guess.startswith("weight decay 0.1 is assumed for cosine")
    assert not any("assumed" in each for each in others)
