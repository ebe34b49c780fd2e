"""Fits on a measured norm of the weights, and what is computed from it for other schedules."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.curves import MeasuredNorm
from losslaw.fitting.norms import fitted_growth
from losslaw.laws import Effective, Query

STEPS = np.arange(40, 3001, 40)
ROWS = np.arange(0, 3000, 10)
RUN = {"peak": 1e-3, "horizon": 3000, "warmup": 200, "weight_decay": 0.1}
SCHEDULES = {
    "flat": ll.constant(**RUN),
    "cosine": ll.cosine(**RUN),
    "wsd": ll.wsd(**RUN, cooldown=0.3),
}
ASKED = ll.wsd(**{**RUN, "horizon": 9000, "peak": 2e-3}, cooldown=0.2)
# Weights that grow far faster than AdamW's in standard parametrisation do.
LAW = Effective(L0=2.0, A=0.6, N=45.0, kappa=30_000.0)


def curves(norm_of, *, first=0, measured=True):
    """Runs with losses on the norm of each, which their logs have from some step on."""
    runs = []
    for i, (label, schedule) in enumerate(SCHEDULES.items()):
        norm = norm_of(schedule)
        noise = 3e-4 * np.random.default_rng(i).standard_normal(STEPS.size)
        loss = LAW.loss(Query(schedule, STEPS, norm=norm)) + noise
        rows = ROWS[first <= ROWS]
        logged = MeasuredNorm(steps=rows, squared=norm[rows] / norm[rows[0]], source="'norm'")
        runs.append(ll.LossCurve(schedule, STEPS, loss, label, norm=logged if measured else None))
    return runs


def computed(schedule):
    return LAW.squared_norm(Query(schedule, STEPS).blocks)


def rescaled(schedule):
    """What no growth makes: half way the weights are made twice as large."""
    norm = computed(schedule)
    return np.where(np.arange(norm.size) < 1500, norm, 4 * norm)


@pytest.mark.parametrize("first", [0, 150])
def test_the_growth_is_that_of_the_measured_norm(first):
    kappa, off = fitted_growth(Effective(), curves(computed, first=first))
    assert kappa == pytest.approx(LAW.kappa, rel=1e-3)
    assert off < 1e-3
    assert fitted_growth(Effective(), curves(computed, measured=False)) is None
    assert fitted_growth(ll.Momentum(), curves(computed)) is None


def test_a_schedule_that_was_not_run_is_predicted_by_that_growth():
    exact = LAW.predict(ASKED, [9000])[0]
    errors = [
        abs(ll.fit(runs, "effective", uncertainty=False).predict(ASKED, [9000]).loss[0] - exact)
        for runs in (curves(computed, first=150), curves(computed, measured=False))
    ]
    assert errors[0] < 1e-3
    assert errors[1] > 1e-2
    found = ll.fit(curves(computed), "effective", uncertainty=False)
    (note,) = [str(each) for each in found.notes if "norm" in str(each)]
    assert note.startswith("the effective rate of cosine, flat, wsd is that of the norm in the log")
    assert "with kappa 30000 fitted to that norm" in note


def test_only_the_measured_clock_follows_a_norm_that_no_growth_makes():
    misfit = [
        max(curve.rmse for curve in ll.fit(runs, "effective", uncertainty=False).curves)
        for runs in (curves(rescaled), curves(rescaled, measured=False))
    ]
    assert misfit[0] < 5e-4
    assert misfit[1] > 3e-3


def test_free_units_and_auto_hold_the_growth_too():
    found = ll.fit(curves(computed), optimizer="muon", uncertainty=False)
    assert "kappa" not in found.free
    assert found.parameters["kappa"] == pytest.approx(LAW.kappa, rel=0.1)


def test_who_holds_the_growth_has_chosen():
    runs = curves(computed)
    found = ll.fit(runs, "effective", fixed={"kappa": 2000.0}, uncertainty=False)
    assert found.parameters["kappa"] == 2000.0


def test_a_saved_fit_predicts_the_same(tmp_path):
    found = ll.fit(curves(computed), "effective", uncertainty=False)
    found.save(tmp_path / "fit.json")
    again = ll.load_fit(tmp_path / "fit.json").predict(ASKED, [9000])
    assert_allclose(again.loss, found.predict(ASKED, [9000]).loss, rtol=1e-12)
