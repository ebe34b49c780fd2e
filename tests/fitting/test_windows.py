"""Losses logged as means over many updates are fitted, scored and foretold as such."""

from functools import lru_cache

import numpy as np
import pytest
from helpers.fit_samples import law_of

import losslaw as ll

HORIZON = 12_000
FITTED = ll.cosine(peak=1e-3, horizon=HORIZON, warmup=300, weight_decay=0.1)
UNSEEN = ll.wsd(peak=1e-3, horizon=HORIZON, warmup=300, cooldown=0.2, weight_decay=0.1)


def logged(law, schedule, window, label="run", noise=0.0):
    """The run as a trainer logs it that prints the mean since the row before."""
    steps = np.arange(window, schedule.horizon + 1, window)
    losses = law.predict(schedule).reshape(-1, window).mean(axis=1)
    losses = losses + noise * np.random.default_rng(0).normal(size=losses.size)
    return ll.LossCurve(schedule, steps, losses, label, loss_is="mean")


def ends(fit):
    """The predicted final losses of the run that was fitted, and of one that was not."""
    return np.array([fit.predict(each, [HORIZON]).final for each in (FITTED, UNSEEN)])


@lru_cache
def instant_ends(name):
    """What is fitted to losses of single updates."""
    return ends(ll.fit(law_of(name).curve(FITTED, range(100, HORIZON + 1, 100)), name))


@pytest.mark.parametrize("window", [10, 100, 250, 500])
@pytest.mark.parametrize("name", ["effective", "oneclock", "multipower"])
def test_means_are_fitted_as_well_as_losses_of_single_updates(name, window):
    found = ends(ll.fit(logged(law_of(name), FITTED, window), name))
    np.testing.assert_allclose(found, instant_ends(name), atol=2e-4)


def test_read_as_instant_they_mislead():
    curve = logged(law_of("effective"), FITTED, 500)
    wrong = ends(ll.fit(curve.with_(loss_is="instant"), "effective"))
    assert np.abs(wrong - instant_ends("effective")).max() > 4e-3


def test_a_mixture_compares_means_too():
    fit = ll.fit(logged(law_of("effective"), FITTED, 500))
    by_steps = law_of("effective").curve(FITTED, range(500, HORIZON + 1, 500))
    np.testing.assert_allclose(ends(fit), ends(ll.fit(by_steps)), atol=2e-3)
    said = "losses of run are means over 500 updates, compared with the law's mean over them"
    assert said in [note.text for note in fit.notes]


def test_means_are_scored_against_means():
    law = law_of("effective")
    fit = ll.fit(logged(law, FITTED, 500), "effective")
    assert fit.curves[0].rmse < 1e-4
    unseen = logged(law, UNSEEN, 500, "unseen")
    (right,) = ll.score(fit, [unseen], unseen=True).curves
    (wrong,) = ll.score(fit, [unseen.with_(loss_is="instant")], unseen=True).curves
    assert right.rmse < 1e-3 < 5e-3 < wrong.rmse
    prediction = fit.predict(UNSEEN, unseen.steps, window=unseen.window)
    np.testing.assert_array_equal(prediction.curve().window, unseen.window)


def test_windows_that_begin_too_early_are_left_out():
    fit = ll.fit(logged(law_of("effective"), FITTED, 500), "effective", skip=1200)
    assert fit.curves[0].first_step == 2000
    assert "3 points with updates before step 1200 left out" in [note.text for note in fit.notes]


def test_a_block_of_means_is_a_mean_over_all_their_updates():
    from losslaw.fitting.cleaning import cleaned

    curve = logged(law_of("effective"), FITTED, 10)
    part = cleaned(curve, 1200).curve
    assert part.window.max() == 100
    late = part.after(1200)
    np.testing.assert_array_equal(late.begins[1:], late.steps[:-1] + 1)
    full = law_of("effective").predict(FITTED)
    expected = [full[s - w : s].mean() for s, w in zip(late.steps, late.window, strict=True)]
    np.testing.assert_allclose(late.loss, expected, rtol=1e-12)


def test_left_out_runs_are_foretold_as_means():
    law = law_of("effective")
    curves = [logged(law, each, 500, name) for each, name in ((FITTED, "a"), (UNSEEN, "b"))]
    (best,) = ll.compare(curves, ["effective"])
    assert best.rmse < 2e-3


def test_a_forecast_judges_means_by_means():
    law = law_of("effective")
    run = logged(law, UNSEEN, 100, noise=1e-3)
    forecast = ll.forecast(run.until(9000), law="effective")
    assert forecast.band.state == "on"
    assert forecast.final == pytest.approx(law.predict(UNSEEN, [HORIZON])[0], abs=0.02)
    fit = ll.fit(logged(law, FITTED, 500), "effective")
    updated = ll.forecast(run.until(9000), fit=fit)
    assert updated.band.state == "on"
    assert updated.final == pytest.approx(law.predict(UNSEEN, [HORIZON])[0], abs=2e-3)


def test_trunks_are_compared_where_their_means_are_of_the_same_updates():
    from losslaw.fitting.trunks import other_trunks

    one = logged(law_of("effective"), FITTED, 500, "one")
    other = law_of("effective").curve(FITTED, one.steps, "other")
    assert other_trunks([one, other], 400) is None
    assert other_trunks([one, one.with_(label="other", loss=one.loss + 0.1)], 400) is not None
