"""Fits recover what made the curves, and say in words what they could not."""

import numpy as np
import pytest
from helpers.fit_samples import PEAK, SCHEDULES, TRUTHS, curves_of, law_of
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.fitting import Note, fit
from losslaw.fitting.problem import PRIOR_WEIGHT, pose, usual_skip
from losslaw.fitting.search import BLOCK
from losslaw.laws import LAWS, Recipe
from losslaw.numerics.variable_projection import huber, minimise

FITTED = ["flat", "cosine", "two"]


@pytest.mark.parametrize("name", LAWS)
def test_noise_free_curves_give_back_the_law(name):
    truth = law_of(name)
    found = fit(curves_of(truth, FITTED), name, uncertainty=False)
    assert found.status.converged
    assert found.objective < 1e-9
    for asked in ("wsd", "step"):
        predicted = found.predict(SCHEDULES[asked], [500, 1200, 1500]).loss
        assert_allclose(predicted, truth.predict(SCHEDULES[asked], [500, 1200, 1500]), atol=2e-4)


@pytest.mark.parametrize("name", ["chinchilla", "instantaneous", "momentum", "lastiterate"])
def test_laws_of_few_parameters_give_back_each_of_them(name):
    truth = law_of(name)
    found = fit(curves_of(truth, FITTED), name, uncertainty=False).parameters
    for parameter, value in TRUTHS[name].items():
        assert found[parameter] == pytest.approx(value, rel=1e-4), parameter


def test_the_effective_law_gives_back_freed_constants_that_agree_with_their_priors():
    truth = law_of("effective")
    found = fit(
        curves_of(truth, FITTED), "effective", free=["alpha", "a", "q"], uncertainty=False
    ).parameters
    for name, value in truth.parameters.items():
        assert found[name] == pytest.approx(value, rel=2e-3), name


@pytest.mark.parametrize("name", ["momentum", "effective", "lastiterate"])
def test_noisy_curves_give_it_back_within_the_noise(name):
    truth = law_of(name)
    found = fit(curves_of(truth, FITTED, noise=1e-3, seed=1), name, uncertainty=False)
    predicted = found.predict(SCHEDULES["wsd"], [800, 1500]).loss
    # Offsets of 1e-3 a run: three of them leave less than 4e-3 of doubt anywhere between.
    assert_allclose(predicted, truth.predict(SCHEDULES["wsd"], [800, 1500]), atol=4e-3)


@pytest.mark.parametrize("name", ["momentum", "effective"])
def test_every_start_ends_in_the_same_optimum(name):
    problem = pose(Recipe(LAWS[name]), curves_of(law_of(name), FITTED, noise=1e-3)).separable()
    (only,) = pose(Recipe(LAWS[name]), curves_of(law_of(name), FITTED)).free
    ends = [
        minimise(problem, np.log([start]))[0].objective
        for start in (*LAWS[name].shapes()[only].starts, 0.1, 2.0)
    ]
    assert_allclose(ends, min(ends), rtol=1e-6)


def test_the_same_curves_give_the_same_fit_bit_for_bit(trio):
    one, two = (fit(trio, "multipower") for _ in range(2))
    assert one.parameters == two.parameters
    assert one.objective == two.objective
    assert one.uncertainty.covariance.tobytes() == two.uncertainty.covariance.tobytes()
    assert one.uncertainty.tau == two.uncertainty.tau
    assert str(one) == str(two)


def test_the_order_of_the_curves_does_not_matter(trio):
    one = fit(trio, "momentum", uncertainty=False)
    two = fit(trio[::-1], "momentum", uncertainty=False)
    for name, value in one.parameters.items():
        assert two.parameters[name] == pytest.approx(value, rel=1e-6)


def test_the_objective_is_the_sum_over_points_without_priors():
    curves = curves_of(law_of("effective"), FITTED, noise=2e-3)
    found = fit(curves, "effective", skip=100, uncertainty=False)
    residuals = [
        np.log(found.law.predict(curve.schedule, curve.steps) / curve.loss)[curve.steps >= 100]
        for curve in curves
    ]
    assert found.objective == pytest.approx(huber(np.concatenate(residuals)), rel=1e-9)


def test_a_prior_costs_its_weight_in_standard_deviations():
    problem = pose(Recipe(LAWS["effective"]), curves_of(law_of("effective"), FITTED)).separable()
    (row,) = problem.shape_rows(np.log([0.48 + 2 * 0.10]))
    assert row == pytest.approx(2 * PRIOR_WEIGHT)
    amplitudes = np.array([2.0, 0.3, 45.0 + 3 * 11.25])
    rows = problem.amplitude_rows
    assert rows.matrix @ amplitudes - rows.target == pytest.approx([3 * PRIOR_WEIGHT])


def test_a_search_on_blocks_begins_near_its_end(trio):
    problem = pose(Recipe(LAWS["momentum"]), trio)
    blocks, _ = minimise(problem.in_blocks(BLOCK).separable(), np.log([0.5]))
    exact, _ = minimise(problem.separable(), np.log([0.5]))
    assert_allclose(blocks.theta, exact.theta, atol=0.02)


def test_what_is_fixed_stays_and_what_is_free_is_found():
    truth = law_of("momentum").with_(lam=0.997)
    curves = curves_of(truth, FITTED)
    found = fit(curves, "momentum", free=["alpha", "lam"], uncertainty=False)
    assert found.parameters["lam"] == pytest.approx(0.997, rel=1e-5)
    held = fit(curves, "momentum", fixed={"alpha": 0.4, "lam": 0.997}, uncertainty=False)
    assert (held.parameters["alpha"], held.parameters["lam"], held.free) == (0.4, 0.997, ())


def test_the_ramp_inside_the_sum_is_a_setting():
    truth = law_of("momentum").with_(warmup_drops=True)
    curves = curves_of(truth, FITTED)
    inside = fit(curves, "momentum", fixed={"warmup_drops": True}, uncertainty=False)
    assert inside.parameters["C"] == pytest.approx(0.3, rel=1e-4)
    assert "warmup_drops = True" in str(inside)
    # The ramp is over soon and adds a constant to the area: L0 alone takes it up, nearly.
    outside = fit(curves, "momentum", uncertainty=False)
    assert abs(outside.parameters["L0"] - 2.5) > 0.01


@pytest.mark.parametrize("changes", [{"kappa": 0.0}, {"h": 0.0}])
def test_the_effective_law_at_its_limits(changes):
    truth = law_of("effective").with_(**changes)
    found = fit(curves_of(truth, FITTED), "effective", fixed=changes)
    assert found.parameters["alpha"] == pytest.approx(0.48, rel=1e-3)
    prediction = found.predict(SCHEDULES["wsd"], [1500])
    assert np.isfinite(prediction.upper).all()
    assert not set(changes) & set(found.uncertainty.names)


def test_early_losses_are_left_out_and_the_notes_say_so(trio):
    # Four warm-ups: a tenth of the run would be 150, but a short run leaves out up to 400.
    assert usual_skip(trio) == 200
    found = fit(trio, "momentum", uncertainty=False)
    assert found.skip == 200
    assert found.curves[0].first_step == 210
    assert Note(label="flat", text="13 points before step 200 left out") in found.notes
    every = fit(trio, "momentum", skip=0, uncertainty=False)
    assert (every.curves[0].first_step, every.notes) == (15, ())
    late = fit(trio, "momentum", skip=1000, uncertainty=False)
    assert (late.curves[0].first_step, late.curves[0].points) == (1005, 34)


@pytest.mark.parametrize(
    ("horizon", "warmup", "expected"),
    [
        (24_000, 2160, 2400),  # a tenth
        (24_000, 300, 1200),  # four warm-ups
        (2000, 300, 400),  # a short run
        (400, 50, 100),  # a quarter of a very short one
        (400, 200, 200),  # never less than the warm-up
    ],
)
def test_how_many_early_losses_are_left_out(horizon, warmup, expected):
    run = ll.constant(peak=PEAK, horizon=horizon, warmup=warmup)
    curve = ll.LossCurve(run, [horizon // 2, horizon], [3.0, 2.9], "run")
    assert usual_skip([curve]) == expected


def test_an_assumed_weight_decay_is_noted():
    curves = [
        curve.with_(schedule=curve.schedule.with_(weight_decay=None))
        for curve in curves_of(law_of("effective"), FITTED)
    ]
    found = fit(curves, "effective", uncertainty=False)
    assert any(str(note).startswith("weight decay 0.1 is assumed for ") for note in found.notes)
    assert fit(curves, "momentum", uncertainty=False).notes[-1].text.endswith("left out")


def test_a_batch_known_for_some_curves_is_not_used_and_noted():
    one, two, three = curves_of(law_of("convolution"), FITTED)
    mixed = [one.with_(schedule=one.schedule.with_(batch=8)), two, three]
    found = fit(mixed, "convolution", uncertainty=False)
    assert "batch sizes are known for some curves only, so none are used" in map(str, found.notes)
    assert found.objective < 1e-9


def test_a_size_that_only_some_curves_say_is_noted(trio):
    sizes = [1e6, 2e6, None]
    mixed = [curve.with_(model_size=size) for curve, size in zip(trio, sizes, strict=True)]
    found = fit(mixed, "momentum", uncertainty=False)
    assert any("do not say their model size" in note.text for note in found.notes)
    assert found.sizes == ()


# Status.


def test_a_shape_at_its_bound_is_said():
    truth = law_of("chinchilla").with_(alpha=3.0, A=5e5)
    curves = curves_of(truth.with_(alpha=5.0, A=1e10), FITTED)
    found = fit(curves, "chinchilla", uncertainty=False)
    assert any("alpha ended at its upper bound, 3" in text for text in found.status.sentences)
    assert "doubt: alpha ended at its upper bound" in str(found)


def test_an_amplitude_at_zero_is_said():
    # The loss rises where the rate falls: no gain is seen.
    curves = curves_of(law_of("chinchilla"), FITTED)
    rising = [
        curve.with_(loss=curve.loss + 30 * (PEAK - curve.schedule.lr[curve.steps - 1]))
        for curve in curves
    ]
    found = fit(rising, "instantaneous", uncertainty=False)
    assert found.parameters["B"] == 0
    assert any(
        text.startswith("B (gain for each unit") and text.endswith("these curves show none")
        for text in found.status.sentences
    )


def test_a_constant_run_does_not_determine_the_gain_of_decays():
    (flat,) = curves_of(law_of("multipower"), ["flat"])
    found = fit(flat, "multipower")
    assert any(
        text.startswith("B (") and "not determined: nothing in these curves" in text
        for text in found.status.sentences
    )
    assert {"beta", "gamma", "C"}.isdisjoint(found.free)
    assert any(note.text.startswith("beta does not act on these curves") for note in found.notes)
    prediction = found.predict(SCHEDULES["wsd"], [1000, 1050, 1051, 1500])
    assert np.isfinite(prediction.upper[:2]).all()
    assert np.isinf(prediction.upper[2:]).all()
    assert np.isinf(prediction.lower[2:]).all()
    (sentence,) = prediction.warnings
    assert sentence.startswith("from step 1051 on the answer depends on B")
    assert "effective" in sentence


def test_a_constant_run_is_enough_for_a_law_with_a_prior():
    (flat,) = curves_of(law_of("effective"), ["flat"], noise=5e-4)
    prediction = fit(flat, "effective").predict(SCHEDULES["wsd"], [1500])
    assert np.isfinite(prediction.upper).all()
    (only,) = prediction.warnings
    assert only.startswith("no fitted run decays, so what this decay gains rests on the prior")


def test_a_direction_left_open_is_named():
    # At one rate C and gamma act through C * lr^-gamma only.
    curves = curves_of(law_of("multipower"), ["flat", "two"], noise=1e-3)
    found = fit(curves, "multipower", uncertainty=False)
    open_ones = [text for text in found.status.sentences if "not determined" in text]
    assert open_ones
    assert any("gamma" in text or "C " in text for text in open_ones)


# What cannot be fitted.


def test_what_cannot_be_fitted_is_refused(trio):
    with pytest.raises(ll.InputError, match="no curves to fit"):
        fit([], "momentum")
    with pytest.raises(ll.InputError, match="two curves are called 'flat'"):
        fit([trio[0], trio[0]], "momentum")
    with pytest.raises(ll.InputError, match="lam is both free and fixed"):
        fit(trio, "momentum", free=["lam"], fixed={"lam": 0.99})
    with pytest.raises(ll.InputError, match=r"alpha is fixed at 40, expected 0\.02\.\.3"):
        fit(trio, "momentum", fixed={"alpha": 40})
    with pytest.raises(ll.InputError, match="warmup_drops is fixed at 1, expected true or false"):
        fit(trio, "momentum", fixed={"warmup_drops": 1})
    with pytest.raises(ll.InputError, match=r"alpha is fixed at True, expected a number"):
        fit(trio, "momentum", fixed={"alpha": True})
    few = trio[0].with_(steps=trio[0].steps[-3:], loss=trio[0].loss[-3:])
    with pytest.raises(ll.InputError, match="3 points cannot fit the 4 parameters"):
        fit(few, "momentum")


def test_the_report_says_the_doubts_before_the_parameters(trio):
    text = str(fit(trio, "multipower"))
    assert text.index("status:") < text.index("parameters") < text.index("objective")
    assert "error of the law on schedules left out" in text


def test_no_law_is_auto_and_what_is_none_is_refused():
    curves = curves_of(law_of("momentum"), ["flat", "cosine"], noise=1e-3)
    found = fit(curves, None, uncertainty=False)
    assert found.mixture is not None
    with pytest.raises(ll.InputError, match=r"law is 3, expected a name, a class of losslaw.LAWS"):
        fit(curves, 3)


def test_as_many_points_as_parameters_test_nothing_and_that_is_said_first():
    law = ll.MultiPower(L0=2.0, A=0.5, B=400.0, alpha=0.5, beta=0.4, gamma=0.5, C=1.0)
    run = ll.wsd(peak=1e-3, horizon=2000, warmup=50, cooldown=0.3)
    shapes = {"alpha": 0.5, "beta": 0.4, "gamma": 0.5, "C": 1.0}
    made = ll.fit([law.curve(run, [300, 1200, 2000])], "multipower", skip=0, fixed=shapes)
    assert made.status.ended == "not tested: no more points than parameters"
    assert made.status.doubts[0].startswith("3 points for 3 parameters")
    assert "3 points for 3 parameters" in str(made).partition("parameters at")[0]
    more = ll.fit([law.curve(run, [300, 800, 1200, 2000])], "multipower", skip=0, fixed=shapes)
    assert "nothing tests it" not in str(more)
