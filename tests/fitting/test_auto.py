"""What ``law="auto"`` chooses, on curves whose law is known."""

import numpy as np
import pytest
from helpers.fit_samples import PEAK, SCHEDULES, curves_of, law_of

import losslaw as ll
from losslaw.laws import Variety, variety
from losslaw.laws.effective import adamw, free_units
from losslaw.schedules import constant, cosine, wsd


def in_units(factor, names=("flat", "cosine", "two"), noise=5e-4):
    """Curves of the effective law with every rate ``factor`` times as large: the same losses."""
    law = law_of("effective")
    scaled = law.with_(
        A=law.A * factor**law.alpha,
        N=law.N * factor**-law.a,
        r=law.r / factor,
        kappa=law.kappa * factor**-law.p,
    )
    curves = []
    for i, name in enumerate(names):
        old = SCHEDULES[name]
        schedule = old.with_(lr=old.lr * factor, weight_decay=0.1 / factor, spec=None)
        steps = np.arange(15, 1501, 15)
        rng = np.random.default_rng(i)
        losses = scaled.predict(schedule, steps) + noise * rng.standard_normal(steps.size)
        curves.append(ll.LossCurve(schedule, steps, losses, name))
    return scaled, curves


def test_variety_counts_peaks_decays_and_sizes():
    curves = curves_of(law_of("effective"), ["flat", "cosine", "step"])
    seen = variety(curves)
    assert seen == Variety(1, 2, 0, 0, True, True)
    higher = constant(peak=2 * PEAK, horizon=100)
    other = ll.LossCurve(higher, [50, 100], [3.0, 2.9], "higher", model_size=1e6)
    seen = variety([*curves, other])
    assert seen == Variety(2, 2, 1, 0, False, False)


def test_a_decay_that_the_log_has_not_reached_is_not_seen():
    run = wsd(peak=PEAK, horizon=1000, cooldown=0.2)
    law = law_of("effective")
    early = law.curve(run, range(100, 801, 50), "early")
    assert variety([early]).decays == 0
    assert variety([law.curve(run, range(100, 1001, 50), "whole")]).decays == 1


@pytest.mark.parametrize(
    ("names", "free"),
    [
        (["flat"], ("alpha", "a")),
        (["flat", "cosine"], ("alpha", "a", "q")),
    ],
)
def test_what_is_searched_is_what_the_curves_show(names, free):
    recipe = adamw(curves_of(law_of("effective"), names))
    assert recipe.free == free


def test_two_peaks_open_the_growth_of_the_norm_and_not_the_forgetting():
    law = law_of("effective")
    runs = [cosine(peak=peak, horizon=1500, warmup=50) for peak in (1e-3, 2e-3)]
    curves = [law.curve(run, range(15, 1501, 15), str(i)) for i, run in enumerate(runs)]
    recipe = adamw(curves)
    assert recipe.free == ("alpha", "a", "p")
    # Their weight decay is not known, which the norm feels as another growth.
    assert recipe.priors["kappa"].sd > 0.3
    assert "alpha" not in recipe.priors


def test_what_is_not_known_of_a_run_widens_its_interval():
    law = law_of("effective")
    told = law.curve(SCHEDULES["cosine"], range(15, 1501, 15), "run")
    bare = told.with_(schedule=told.schedule.with_(weight_decay=None, warmup=0, spec=None))
    assert adamw([bare]).priors["alpha"].sd > 0.10
    widths = []
    for run in (told, bare):
        found = ll.fit(run, optimizer="adamw", skip=200)
        # A higher rate than any seen: there it matters how the norm grows.
        answer = found.predict(SCHEDULES["flat"].with_(lr=1.5 * SCHEDULES["flat"].lr), [1500])
        widths.append(float(answer.upper[0] - answer.lower[0]))
    assert widths[1] > 1.1 * widths[0]


def test_adamw_is_recognised_and_said_in_two_sentences():
    found = ll.fit(curves_of(law_of("effective"), ["flat", "cosine", "two"], noise=5e-4))
    assert found.law.name == "effective"
    assert found.parameters["r"] == 245.0
    assert len(found.choice) == 2
    assert found.choice[0].startswith("The 3 runs show one peak and 2 decays")
    assert "AdamW's constants" in found.choice[1]
    assert found.choice[0] in str(found)


def test_other_units_are_found_where_the_peak_is_none_of_adamw():
    law, curves = in_units(100.0)
    found = ll.fit(curves)
    assert "a peak of 0.1 is not one of AdamW" in found.choice[1].lower() or (
        "0.1 is not one of AdamW" in found.choice[1]
    )
    assert set(found.free) >= {"alpha", "r", "kappa"}
    # Prior to seeing them the units are open by e-folds; the curve of another schedule is not.
    asked = SCHEDULES["wsd"].with_(lr=100 * SCHEDULES["wsd"].lr, weight_decay=1e-3, spec=None)
    error = found.predict(asked, [1500]).loss - law.predict(asked, [1500])
    assert abs(error[0]) < 0.01


def test_other_units_are_found_where_the_constants_misfit():
    _, curves = in_units(12.0)
    assert max(curve.schedule.peak_lr for curve in curves) < 0.02
    found = ll.fit(curves)
    assert "free units" in found.choice[1]
    assert {"r", "kappa"} <= set(found.free)


def test_the_user_may_say_the_optimizer():
    curves = curves_of(law_of("effective"), ["flat", "cosine"], noise=5e-4)
    assert "r" in ll.fit(curves, optimizer="other").free
    assert "was given as AdamW" in ll.fit(in_units(100.0)[1], optimizer="adamw").choice[1]
    assert "is not AdamW" in ll.fit(curves, optimizer="Muon", uncertainty=False).choice[1]
    with pytest.raises(ll.InputError, match=r"optimizer is 'sdg', expected one of adamw"):
        ll.fit(curves, optimizer="sdg")


def test_the_curves_may_say_the_optimizer():
    curves = curves_of(law_of("effective"), ["flat", "cosine"], noise=5e-4)
    muon = [curve.with_(optimizer="muon") for curve in curves]
    assert "r" in ll.fit(muon, uncertainty=False).free
    # What the user says of them counts before.
    assert "r" not in ll.fit(muon, optimizer="adamw", uncertainty=False).free
    mixed = ll.fit([curves[0].with_(optimizer="adamw"), muon[1]], uncertainty=False)
    assert "r" in mixed.free
    assert any("different optimisers (adamw, muon)" in str(note) for note in mixed.notes)


def test_who_says_what_to_search_has_chosen():
    curves = curves_of(law_of("effective"), ["flat", "cosine"])
    found = ll.fit(curves, free=["alpha", "kappa"], fixed={"a": 1.9}, uncertainty=False)
    assert found.law.name == "effective"
    assert found.free == ("alpha", "kappa")
    assert found.parameters["a"] == 1.9
    assert found.choice == ()
    with pytest.raises(ll.InputError, match="no curves to fit"):
        ll.fit([])


def test_free_units_do_not_depend_on_the_units():
    # The same run told in two units of the learning rate gives the same prediction.
    one = ll.fit(in_units(1.0)[1], optimizer="other")
    two = ll.fit(in_units(1000.0)[1], optimizer="other")
    asked = SCHEDULES["wsd"]
    scaled = asked.with_(lr=1000 * asked.lr, weight_decay=1e-4, spec=None)
    steps = np.array([600, 1200, 1500])
    # The power of the growth is 2 in free units and 2.15 in the curves: not exactly the same law.
    np.testing.assert_allclose(
        one.predict(asked, steps).loss, two.predict(scaled, steps).loss, atol=3e-3
    )
    recipe = free_units(in_units(1000.0)[1])
    assert recipe.priors["r"].mean == pytest.approx(0.245)


def test_a_bad_misfit_lets_the_other_laws_try():
    # Curves of the multi-power law with falls that no convolution makes.
    law = law_of("multipower").with_(B=600.0)
    curves = curves_of(law, ["flat", "cosine", "two", "wsd", "step"], noise=5e-4)
    found = ll.fit(curves)
    if found.law.name != "effective":
        assert "predicts schedules left out best" in found.choice[1]
    assert max(curve.rmse for curve in found.curves) < 0.03
