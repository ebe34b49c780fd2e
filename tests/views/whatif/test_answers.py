"""What the page shows is what `Fit.predict` says, to the digits that are shown."""

import time
from dataclasses import replace

import numpy as np
import pytest
from helpers import answers
from helpers.live_page import mixture
from numpy.testing import assert_allclose

from losslaw.views.whatif.answers import ask, compare
from losslaw.views.whatif.presets import BESIDE, DESIGNED, Designer, preset
from losslaw.views.whatif.state import State


@pytest.fixture(scope="module", params=["one law", "mixture"])
def fit(request):
    return answers.fit() if request.param == "one law" else mixture()


@pytest.mark.parametrize("horizon", [4000, 72_000])
def test_blocks_move_no_digit_that_is_shown(fit, horizon):
    state = replace(State.usual(fit), horizon=horizon)
    along = ask(fit, state)
    exact = fit.predict(state.schedule, along.prediction.steps)
    late = along.prediction.steps > horizon // 10
    assert_allclose(along.prediction.loss[-1], exact.loss[-1], atol=5e-5)
    assert_allclose(along.prediction.loss[late], exact.loss[late], atol=5e-4)
    assert_allclose(along.prediction.lower[-1], exact.lower[-1], atol=1e-4)
    assert_allclose(along.prediction.upper[-1], exact.upper[-1], atol=1e-4)


def test_the_doubts_of_a_far_schedule_are_said():
    state = State.usual(mixture())
    near, far = (
        ask(mixture(), replace(state, horizon=horizon)).numbers for horizon in (4000, 72_000)
    )
    assert near["status"] == "confirmed"
    assert near["warnings"] == []
    assert far["status"] != "confirmed"
    assert "times as far in intrinsic time" in " ".join(far["warnings"])


def test_columns_hold_numbers_only():
    columns = ask(answers.fit(), State.usual(answers.fit())).columns
    for column in columns.values():
        for values in column.values():
            assert np.isfinite(values).all()
    assert columns["rates"]["step"][-1] == 4000


def test_schedules_are_compared_with_the_interval_of_the_difference(fit):
    state = State.usual(fit)
    rows = compare(fit, state, {name: preset(name, state) for name in BESIDE})
    cosine, same = rows
    assert [row["name"] for row in rows] == [*BESIDE]
    own = fit.predict(state.schedule, [4000]).final
    other = fit.predict(preset("cosine", state).schedule, [4000]).final
    assert_allclose(cosine["gain"], other - own, atol=2e-4)
    assert cosine["gain_lower"] < cosine["gain"] < cosine["gain_upper"]
    # Two runs share what is uncertain of both.
    assert cosine["gain_upper"] - cosine["gain_lower"] < 1.5 * (cosine["upper"] - cosine["lower"])
    assert same["gain"] == 0


def test_a_design_is_made_once_and_ends_lowest():
    fit = answers.fit()
    state = State.usual(fit)
    designer, words = Designer(fit), []
    assert designer.known(state) is None
    found = designer.find(state, words.append)
    assert words
    assert designer.known(replace(state, shape="cosine")) == found
    rows = compare(fit, found, {"WSD linear": state, DESIGNED: found})
    assert rows[0]["gain"] > 0


def test_a_design_that_cannot_be_made_says_why():
    fit = answers.fit()
    assert "warm" in Designer(fit).find(replace(State.usual(fit), horizon=20, warmup=21))


def test_a_move_is_worked_out_fast():
    """At 72,000 updates: about 20 ms of one processor; here with room for slow machines."""
    fit, state = mixture(), replace(State.usual(mixture()), horizon=72_000)
    ask(fit, state)
    begun = time.process_time()
    for i in range(5):
        ask(fit, replace(state, peak=state.peak * (1 - 0.01 * i)))
    assert (time.process_time() - begun) / 5 < 0.1
