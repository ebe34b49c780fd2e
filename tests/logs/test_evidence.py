"""Conventions that the arithmetic of the rates decides, against what a format usually has."""

import json

import numpy as np
import pytest

from losslaw.curves import read_curves

HORIZON = 1000
STEPS = np.arange(50, 1000, 50)


def line(done, warmup=0):
    return 2e-5 * (HORIZON - done) / (HORIZON - warmup)


def cosine(done):
    return 1e-5 * (1 + np.cos(np.pi * done / HORIZON))


def curve_of(tmp_path, rates, **arguments):
    history = [
        {"step": step, "loss": 2 + 1 / step, "learning_rate": rate}
        for step, rate in zip(STEPS.tolist(), rates.tolist(), strict=True)
    ]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": history, "max_steps": HORIZON}))
    (curve,) = read_curves(path, **arguments)
    return curve


def said(curve, words):
    return any(words in text for text in curve.assumptions)


@pytest.mark.parametrize("shape", [line, cosine])
@pytest.mark.parametrize(("late", "lr_is"), [(0, "next"), (1, "used")])
def test_a_line_or_a_cosine_tells_the_convention_and_that_there_was_no_warmup(
    tmp_path, shape, late, lr_is
):
    curve = curve_of(tmp_path, shape(STEPS - late))
    assert (curve.origin.lr_is, curve.schedule.warmup) == (lr_is, 0)
    assert said(curve, f"to the horizon {HORIZON}")
    assert said(curve, "there was no warm-up")
    assert curve.warnings == ()
    # Straight lines between rows bend away from a cosine by at most this, and before the first
    # row the rate is taken as level.
    exact = shape(np.arange(950))
    np.testing.assert_allclose(curve.schedule.lr[:950], exact, rtol=0, atol=0.007 * 2e-5)


def test_skipped_updates_are_counted(tmp_path):
    curve = curve_of(tmp_path, cosine(STEPS - 2 * (STEPS > 120) - (STEPS > 700)))
    assert (curve.origin.lr_is, curve.schedule.warmup) == ("next", 0)
    assert said(curve, "3 updates did not move the schedule")


def test_a_line_after_a_warmup_that_is_not_in_the_log(tmp_path):
    curve = curve_of(tmp_path, line(STEPS - 1, warmup=30))
    assert curve.origin.lr_is == "used"
    assert not said(curve, "no warm-up")
    assert "a linear warm-up over 50 updates is assumed" in curve.warnings[0]


def test_other_rates_and_declared_conventions_stay_what_they_are(tmp_path):
    curve = curve_of(tmp_path, line(STEPS) * (1 + 1e-5 * np.sin(STEPS)))
    assert curve.origin.lr_is == "next"
    assert said(curve, "as in Hugging Face's logs")
    curve = curve_of(tmp_path, line(STEPS - 1), lr_is="next", warmup=20)
    assert (curve.origin.lr_is, curve.schedule.warmup) == ("next", 20)
