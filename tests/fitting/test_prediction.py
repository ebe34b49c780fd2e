"""Predictions and their intervals."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.fit_samples import PEAK, SCHEDULES, curves_of, law_of

import losslaw as ll
from losslaw.fitting import fit
from losslaw.fitting.prediction import predict
from losslaw.schedules import constant, cosine, wsd

STEPS = [300, 750, 1200, 1500]


@pytest.fixture(scope="module")
def found():
    return fit(curves_of(law_of("momentum"), ["flat", "cosine"], noise=1e-3), "momentum")


def test_the_loss_is_that_of_the_law(found):
    prediction = found.predict(SCHEDULES["wsd"], STEPS)
    assert prediction.loss.tolist() == found.law.predict(SCHEDULES["wsd"], STEPS).tolist()
    assert prediction.final == prediction.loss[-1]
    assert prediction.curve("asked").loss.tolist() == prediction.loss.tolist()


def test_every_step_is_asked_about_unless_told_otherwise(found):
    assert found.predict(SCHEDULES["wsd"]).steps.tolist() == list(range(1, 1501))


def test_an_interval_grows_with_its_level_around_the_loss(found):
    widths = []
    for level in (0.1, 0.5, 0.9, 0.99, 0.999):
        prediction = found.predict(SCHEDULES["wsd"], STEPS, level)
        middle = (prediction.lower + prediction.upper) / 2
        np.testing.assert_allclose(middle, prediction.loss, rtol=1e-12)
        widths.append(prediction.upper - prediction.lower)
    assert (np.diff(widths, axis=0) > 0).all()


@pytest.mark.parametrize("level", [0, 1, -0.5, 90, np.nan])
def test_a_level_that_is_no_share_is_refused(found, level):
    with pytest.raises(ll.InputError, match="expected a share between 0 and 1"):
        found.predict(SCHEDULES["wsd"], STEPS, level)


def test_an_interval_widens_with_the_distance_of_the_peak(found):
    widths = []
    for factor in (1.0, 1.5, 3.0, 10.0):
        schedule = wsd(peak=PEAK * factor, horizon=1500, warmup=50, cooldown=0.3)
        prediction = found.predict(schedule, [900])
        widths.append(float(prediction.upper[0] - prediction.lower[0]))
        outside = [text for text in prediction.warnings if "outside the fitted 0.001" in text]
        assert len(outside) == (factor > 1)
    assert widths == sorted(widths)
    assert widths[-1] > 3 * widths[0]


def test_a_known_error_by_hand(found):
    # With no parameter in doubt what is left adds up in squares.
    made = found.uncertainty
    nothing = np.empty((0, 0))
    sure = replace(
        made, names=(), covariance=nothing, tau=3e-3, peak_error=0.02, misfit=0.0, noise=0.0
    )
    twice = wsd(peak=2 * PEAK, horizon=700, warmup=50, cooldown=0.3)
    prediction = predict(found.law, sure, twice, [600], 0.9)
    sd = np.sqrt(3e-3**2 + 1e-3**2 + (0.02 * np.log(2)) ** 2)
    assert prediction.upper[0] - prediction.loss[0] == pytest.approx(1.6448536 * sd, rel=1e-6)


def test_parameter_errors_shrink_with_what_is_seen():
    law = law_of("momentum")
    # Without noise: both are then worth as much a point.
    few = fit(curves_of(law, ["flat", "cosine"]), "momentum")
    many = fit(curves_of(law, SCHEDULES), "momentum")
    a, b = (item.uncertainty.parameter_errors(item.law) for item in (few, many))
    assert b["L0"] < a["L0"]
    assert b["alpha"] < a["alpha"]


def test_intervals_hold_about_as_often_as_they_say():
    # Noise and offsets of 1e-3 a run; the law is right, so intervals may be too wide, not too
    # narrow: of 20 runs at 90 % fewer than 14 inside would be 3 standard errors.
    law, inside, asked = law_of("momentum"), 0, [600, 1150, 1300, 1500]
    for seed in range(20):
        curves = curves_of(law, ["flat", "cosine", "wsd"], noise=1e-3, seed=seed, every=50)
        found = fit(curves[:2], "momentum")
        prediction = found.predict(SCHEDULES["wsd"], asked, 0.9)
        seen = curves[2].loss[np.searchsorted(curves[2].steps, asked)]
        inside += np.mean((seen >= prediction.lower) & (seen <= prediction.upper))
    assert inside >= 14


def test_weight_decay_left_open_is_that_of_the_fitted_runs():
    law = law_of("effective")
    schedule = SCHEDULES["cosine"].with_(weight_decay=5.0)
    curve = law.curve(schedule, range(15, 1501, 15), "run")
    found = fit(curve, "effective", uncertainty=False)
    assert found.usual_weight_decay == 5.0
    open_one = found.predict(SCHEDULES["wsd"].with_(weight_decay=None), [1500]).loss
    assert open_one == found.predict(SCHEDULES["wsd"].with_(weight_decay=5.0), [1500]).loss
    assert open_one != found.predict(SCHEDULES["wsd"].with_(weight_decay=0.1), [1500]).loss


def batched(batch, names=("flat", "cosine")):
    law = law_of("convolution").with_(N=4e4, M=4e3)
    return [
        law.curve(SCHEDULES[name].with_(batch=batch), range(15, 1501, 15), name) for name in names
    ]


def test_a_batch_left_open_is_that_of_the_fitted_runs():
    found = fit(batched(8.0), "convolution", uncertainty=False)
    assert found.usual_batch == 8.0
    plain = found.predict(SCHEDULES["wsd"], STEPS).loss
    assert plain.tolist() == found.predict(SCHEDULES["wsd"].with_(batch=8), STEPS).loss.tolist()
    (curve,) = batched(8.0, ["wsd"])
    np.testing.assert_allclose(plain, curve.loss[np.array(STEPS) // 15 - 1], atol=1e-3)
    # A larger batch makes less noise.
    assert (found.predict(SCHEDULES["wsd"].with_(batch=64), STEPS).loss < plain).all()


def test_a_batch_does_not_count_where_those_of_the_fitted_runs_are_not_known():
    curves = curves_of(law_of("convolution"), ["flat", "cosine"])
    found = fit(curves, "convolution", uncertainty=False)
    plain = found.predict(SCHEDULES["wsd"], STEPS).loss
    assert plain.tolist() == found.predict(SCHEDULES["wsd"].with_(batch=64), STEPS).loss.tolist()


def test_a_batch_left_open_between_several_is_asked_for():
    one, two = batched(8.0)
    other = law_of("convolution").curve(SCHEDULES["two"].with_(batch=32), range(15, 1501, 15), "b")
    found = fit([one, two, other], "convolution", uncertainty=False)
    with pytest.raises(ll.InputError, match="several batch sizes: say which"):
        found.predict(SCHEDULES["wsd"], STEPS)
    assert np.isfinite(found.predict(SCHEDULES["wsd"].with_(batch=8), STEPS).loss).all()


def test_a_model_size_left_open_between_several_is_asked_for():
    law = ll.Chinchilla(L0=2.0, A=4.0, alpha=0.6)
    sizes = (1e6, 4e6, 16e6)
    curves = [
        law.with_(L0=2.0 + 100 * size**-0.4)
        .curve(SCHEDULES["flat"], range(15, 1501, 15), f"{size:g}")
        .with_(model_size=size)
        for size in sizes
    ]
    found = fit(curves, "chinchilla")
    with pytest.raises(ll.InputError, match="several model sizes: say which"):
        found.predict(SCHEDULES["flat"], [1500])
    for curve, size in zip(curves, sizes, strict=True):
        predicted = found.predict(SCHEDULES["flat"], [1500], model_size=size)
        assert predicted.loss[0] == pytest.approx(curve.loss[-1], abs=1e-4)
        assert predicted.upper[0] - predicted.lower[0] < 0.5


def test_rates_out_of_all_reach_are_refused():
    found = fit(curves_of(law_of("effective"), ["flat"]), "effective", uncertainty=False)
    with pytest.raises(ll.InputError, match=r"rate is 1e\+300, expected .* 1e\+09"):
        found.predict(constant(peak=1e300, horizon=9), [9])


def test_steps_before_the_fitted_ones_are_marked_and_left_out_of_tables(found):
    prediction = found.predict(SCHEDULES["wsd"])
    first = max(found.skip, SCHEDULES["wsd"].warmup)
    assert prediction.outside.sum() == first - 1 > 0
    lines = prediction.csv().splitlines()
    assert lines[1].startswith(f"{first},")
    assert prediction.as_dict()["step"][0] == first == prediction.to_frame()["step"][0]
    assert prediction.csv(all_steps=True).splitlines()[1].startswith("1,")
    assert prediction.as_dict(all_steps=True)["step"][0] == 1
    assert prediction.to_frame(all_steps=True)["step"][0] == 1
    assert (prediction.lower >= 0).all()


def test_the_table_of_a_prediction(found):
    prediction = found.predict(SCHEDULES["wsd"], [10, 1500])
    lines = prediction.csv(all_steps=True).splitlines()
    assert lines[0] == "step,lr,loss,lower,upper"
    assert lines[2].startswith("1500,0,")
    record = prediction.as_dict()
    assert list(record) == ["step", "loss", "lower", "upper", "level", "unit", "warnings", "trust"]


def test_without_uncertainty_there_is_no_interval():
    found = fit(curves_of(law_of("momentum"), ["cosine"]), "momentum", uncertainty=False)
    prediction = found.predict(cosine(peak=PEAK, horizon=100))
    assert (prediction.lower, prediction.upper) == (None, None)
    assert prediction.csv().startswith("step,lr,loss\n")


def test_records_are_json_as_they_are():
    curves = ll.bundled_curves(["constant_peak3e-3_T4000", "cosine_peak3e-3_T4000"])
    found = ll.fit(curves, "momentum")
    prediction = found.predict("cosine:peak=3e-3,horizon=500", [100, 500])
    shown = json.loads(json.dumps(prediction.as_dict(all_steps=True)))
    assert shown["step"] == [100, 500]
    assert shown["loss"] == prediction.loss.tolist()
    profile = ll.profile(curves, "alpha", law="momentum", points=4)
    assert json.loads(json.dumps(profile.as_dict()))["value"] == profile.values.tolist()
    forecast = ll.forecast(curves[1].until(2000), law="momentum")
    assert json.loads(json.dumps(forecast.as_dict()))["path"]["step"][-1] == 4000
    design = ll.design(found, 500)
    assert len(json.loads(json.dumps(design.as_dict()))["schedule"]["lr"]) == 500
