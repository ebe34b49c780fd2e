"""A fit that is saved and loaded is the same fit. (Damaged files: tests/cli/test_bad_input.py.)"""

import json

import numpy as np
import pytest
from helpers.fit_samples import SCHEDULES, curves_of, law_of
from hypothesis import given, settings
from hypothesis import strategies as st

import losslaw as ll
from losslaw.fitting import fit, load_fit, score
from losslaw.fitting.saved import knots
from losslaw.laws import LAWS
from losslaw.schedules.agreement import departure

STEPS = [200, 700, 1100, 1500]


@pytest.mark.parametrize("name", LAWS)
def test_predictions_survive(name, tmp_path):
    curves = curves_of(law_of(name), ["flat", "cosine"], noise=1e-3)
    found = fit(curves, name, uncertainty=name in ("momentum", "effective"))
    found.save(str(tmp_path / "fit.json"))
    again = load_fit(tmp_path / "fit.json")
    assert again.law == found.law
    assert (again.free, again.objective, again.status, again.notes, again.skip) == (
        found.free, found.objective, found.status, found.notes, found.skip,
    )  # fmt: skip
    for asked in ("two", "wsd"):
        one, two = (item.predict(SCHEDULES[asked], STEPS) for item in (found, again))
        np.testing.assert_allclose(two.loss, one.loss, rtol=1e-12)
        if one.lower is not None:
            np.testing.assert_allclose(two.lower, one.lower, rtol=1e-12)
            np.testing.assert_allclose(two.upper, one.upper, rtol=1e-12)
    assert str(again) == str(found)


def test_settings_survive(tmp_path):
    law = law_of("momentum").with_(warmup_drops=True)
    found = fit(
        curves_of(law, ["flat", "cosine"]), "momentum", fixed={"warmup_drops": True},
        uncertainty=False,
    )  # fmt: skip
    found.save(str(tmp_path / "fit.json"))
    assert load_fit(tmp_path / "fit.json").law.warmup_drops is True


def test_a_power_law_in_steps_of_version_0_1_loads(tmp_path):
    """It had a term ``B P^-beta``, which counted only where several sizes were fitted."""
    found = fit(curves_of(law_of("chinchilla"), ["flat", "cosine"]), "chinchilla")
    record = found.as_dict()
    del record["recipe"]
    record["parameters"] |= {"beta": 0.3, "B": 0.0}
    record["uncertainty"]["unknown"] = ["B"]
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(record))
    again = load_fit(path)
    one, two = (item.predict(SCHEDULES["wsd"], STEPS) for item in (found, again))
    assert two.lower.tolist() == one.lower.tolist()
    record["parameters"]["B"] = 3.0
    path.write_text(json.dumps(record))
    with pytest.raises(
        ll.InputError, match=r"fit.json: damaged: chinchilla no longer has .*; fit again"
    ):
        load_fit(path)


def test_the_recipe_survives(tmp_path):
    found = fit(curves_of(law_of("effective"), ["flat", "cosine"]))
    found.save(str(tmp_path / "fit.json"))
    assert load_fit(tmp_path / "fit.json").recipe == found.recipe == "adamw"


def test_departures_and_scores_survive(tmp_path):
    curves = curves_of(law_of("momentum"), SCHEDULES, noise=1e-3)
    found = fit(curves[:2], "momentum")
    found.save(str(tmp_path / "fit.json"))
    again = load_fit(tmp_path / "fit.json")
    for curve in curves:
        one, two = (
            departure(curve.schedule, [(item.schedule, item.last_step) for item in which.curves])
            for which in (found, again)
        )
        assert one == two
    one, two = (score(which, curves, unseen=True) for which in (found, again))
    assert one.skipped == two.skipped
    for a, b in zip(one.curves, two.curves, strict=True):
        assert a.rmse == pytest.approx(b.rmse, rel=1e-9)
        assert a.coverage == b.coverage


@pytest.mark.parametrize("name", ["convolution", "effective"])
def test_what_the_runs_know_besides_the_rate_survives(name, tmp_path):
    batch = np.where(np.arange(1500) < 700, 8.0, 32.0)
    decay = np.where(np.arange(1500) < 900, 0.1, 0.3)
    curves = [
        curve.with_(schedule=curve.schedule.with_(batch=batch, weight_decay=decay))
        for curve in curves_of(law_of(name), ["flat", "cosine"])
    ]
    found = fit(curves, name, uncertainty=False)
    found.save(str(tmp_path / "fit.json"))
    for curve in load_fit(tmp_path / "fit.json").curves:
        assert curve.schedule.batch.tolist() == batch.tolist()
        assert curve.schedule.weight_decay.tolist() == decay.tolist()


@pytest.mark.parametrize("variance", [-0.5, -1e-12, float("nan")])
def test_a_variance_is_no_less_than_nothing(trio, tmp_path, variance):
    record = fit(trio, "momentum").as_dict()
    record["uncertainty"]["covariance"][1][1] = variance
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(record))
    with pytest.raises(ll.InputError, match="negative variance" if variance < 0 else "is nan"):
        load_fit(path)


def test_a_first_version_of_the_file_is_read(trio, tmp_path):
    """What was added to the format since may be missing, and what it never had may be there."""
    found = fit(trio, "momentum")
    record = found.as_dict()
    for name in ("status", "errors", "choice", "sizes"):
        del record[name]
    del record["uncertainty"]["noise"]
    record["curves"][0].pop("model_size")
    record["author"] = {"name": ["somebody", float("nan")]}
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(record))
    again = load_fit(path)
    assert (again.law, again.curves[0].label) == (found.law, found.curves[0].label)
    assert again.uncertainty.noise == 0.0


def test_saving_in_a_folder_that_is_not_there(trio):
    found = fit(trio, "momentum", uncertainty=False)
    with pytest.raises(ll.InputError, match="the folder nowhere does not exist"):
        found.save("nowhere/fit.json")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=80), st.booleans())
def test_knots_follow_the_rates_to_the_promised_share(rates, smooth):
    lr = np.array([*rates, 1.0])
    lr = np.cumsum(lr) if smooth else lr
    at = knots(lr)
    line = np.interp(np.arange(1, lr.size + 1), at, lr[at - 1])
    assert np.abs(line - lr).max() <= 2.1e-7 * lr.max()
    assert at[0] == 1
    assert at[-1] == lr.size


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("parameters", "L0"), 1e30, r"the loss of flat by these parameters is 1e\+30"),
        (("parameters", "A"), 1e300, "the loss of flat by these parameters is"),
        (("curves", 0, "model_size"), -5.0, r"curves\[0\].model_size is -5"),
    ],
)
def test_parameters_that_no_curve_can_have_are_refused(tmp_path, where, value, said):
    path = tmp_path / "fit.json"
    fit(curves_of(law_of("momentum"), ["flat", "cosine"]), "momentum").save(str(path))
    saved = json.loads(path.read_text())
    *way, last = where
    at = saved
    for step in way:
        at = at[step]
    at[last] = value
    path.write_text(json.dumps(saved))
    with pytest.raises(ll.InputError, match=said):
        load_fit(path)


def test_losses_no_model_has_are_refused_where_a_fit_begins():
    (curve,) = curves_of(law_of("momentum"), ["flat"])
    for factor in (1e300, 1e-300):
        with pytest.raises(ll.InputError, match=r"one of the losses is .*, expected 1e-15"):
            fit([curve.with_(loss=curve.loss * factor)], "momentum")
