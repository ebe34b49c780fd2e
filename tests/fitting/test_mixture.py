"""Several laws together: which there are, what each counts, and what they say; and their trust."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.fit_samples import PEAK, SCHEDULES, curves_of, law_of
from scipy.optimize import brentq
from scipy.stats import norm

import losslaw as ll
from losslaw.fitting import mixture as mixing
from losslaw.fitting.contest import contest
from losslaw.fitting.ground import Ground
from losslaw.fitting.members import candidates
from losslaw.laws import Query, Variety, effective, oneclock, variety
from losslaw.numerics.mixture import lognormal_quantile
from losslaw.schedules import constant, cosine, wsd


def in_units(factor, names=("flat", "cosine", "two"), noise=5e-4):
    """Curves of the law on one clock with every rate ``factor`` times as large: the same losses."""
    law = law_of("oneclock")
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


@pytest.fixture(scope="module")
def trio():
    return curves_of(law_of("effective"), ["flat", "cosine", "two"], noise=5e-4)


@pytest.fixture(scope="module")
def found(trio):
    return ll.fit(trio)


def weight_of(fit, name):
    return {member: weight for member, _, weight in fit.trust.members}[name]


# What the curves show.


def test_variety_counts_peaks_decays_and_sizes():
    curves = curves_of(law_of("effective"), ["flat", "cosine", "step"])
    seen = variety(curves)
    known = {"weight_decay_known": True, "warmup_known": True}
    one = {"peaks": 1, "decayed_peaks": 1, "wide": False}
    assert seen == Variety(**one, **known, decays=2, sizes=0, batches=0)
    higher = constant(peak=2 * PEAK, horizon=100)
    other = ll.LossCurve(higher, [50, 100], [3.0, 2.9], "higher", model_size=1e6)
    seen = variety([*curves, other])
    assert (seen.peaks, seen.decays, seen.sizes, seen.decayed_peaks) == (2, 2, 1, 1)
    assert not seen.wide
    far = ll.LossCurve(constant(peak=6 * PEAK, horizon=100), [50, 100], [3.0, 2.9], "far")
    assert variety([other, far]).wide is False
    assert variety([*curves, far]).wide
    assert not seen.weight_decay_known
    assert not seen.warmup_known


def test_a_decay_that_the_log_has_not_reached_is_not_seen():
    run = wsd(peak=PEAK, horizon=1000, cooldown=0.2)
    law = law_of("effective")
    early = law.curve(run, range(100, 801, 50), "early")
    assert variety([early]).decays == 0
    assert variety([law.curve(run, range(100, 1001, 50), "whole")]).decays == 1
    assert not Ground.of([early]).decays


@pytest.mark.parametrize(
    ("module", "names", "free"),
    [
        (oneclock, ["flat"], ("alpha", "a")),
        (oneclock, ["flat", "cosine"], ("alpha", "a", "q")),
        (effective, ["flat"], ("alpha", "a")),
        (effective, ["flat", "cosine"], ("alpha", "a")),
        (effective, ["flat", "cosine", "two"], ("alpha", "a", "q")),
    ],
)
def test_what_is_searched_is_what_the_curves_show(module, names, free):
    recipe = module.adamw(curves_of(law_of("effective"), names))
    assert recipe.free == free


def test_two_peaks_open_the_growth_of_the_norm_and_not_the_forgetting():
    law = law_of("oneclock")
    runs = [cosine(peak=peak, horizon=1500, warmup=50) for peak in (1e-3, 2e-3)]
    curves = [law.curve(run, range(15, 1501, 15), str(i)) for i, run in enumerate(runs)]
    recipe = oneclock.adamw(curves)
    assert recipe.free == ("alpha", "a", "p")
    assert effective.adamw(curves).free == ("alpha", "a")
    # Their weight decay is not known, which the norm feels as another growth.
    assert recipe.priors["kappa"].sd > 0.3
    assert "alpha" not in recipe.priors


# Which laws.


def test_the_laws_are_those_that_the_ground_calls_for(trio):
    def named(curves, optimizer=None):
        return {each.name: each for each in candidates(curves, Ground.of(curves, optimizer))}

    home, said, away = named(trio), named(trio, "adamw"), named(trio, "other")
    usual = ("AdamW's constants", "AdamW's constants, one clock")
    for each in (home, said, away):
        assert sum(one.prior for one in each.values()) == pytest.approx(1.0)
        assert "multi-power" in each
        assert "convolution" not in each
    shares = [sum(each[name].prior for name in usual) for each in (said, home, away)]
    assert shares == pytest.approx([0.97, 0.85, 0.20])
    # No fall was seen: no law that is blind to falls it has not seen.
    flat = trio[:1]
    assert "multi-power" not in named(flat)
    assert "convolution" in named(flat, "other")
    high = in_units(100.0)[1]
    assert sum(named(high)[name].prior for name in usual) == pytest.approx(0.04)


def test_other_units_are_found_where_the_peak_is_none_of_adamw():
    law, curves = in_units(100.0)
    fit = ll.fit(curves)
    assert weight_of(fit, "AdamW's constants") < 0.05
    free = {member.name: member for member in fit.mixture.members}["free units"]
    assert set(free.free) >= {"alpha", "r", "kappa"}
    asked = SCHEDULES["wsd"].with_(lr=100 * SCHEDULES["wsd"].lr, weight_decay=1e-3, spec=None)
    truth = law.predict(asked, [1500])[0]
    prediction = fit.predict(asked, [1500])
    assert abs(prediction.final - truth) < 0.01
    assert prediction.interval.holds(truth)


def test_the_user_may_say_the_optimizer(trio):
    assert weight_of(ll.fit(trio, optimizer="other"), "AdamW's constants") < weight_of(
        ll.fit(trio, optimizer="adamw"), "AdamW's constants"
    )
    with pytest.raises(ll.InputError, match="optimizer"):
        ll.fit(trio, optimizer="gradient descent by hand")


def test_who_says_what_to_search_has_chosen():
    curves = curves_of(law_of("effective"), ["flat", "cosine"])
    fit = ll.fit(curves, free=["alpha", "kappa"], fixed={"a": 1.9}, uncertainty=False)
    assert fit.law.name == "effective"
    assert fit.free == ("alpha", "kappa")
    assert fit.parameters["a"] == 1.9
    assert fit.mixture is None
    assert fit.trust is None
    assert fit.predict(SCHEDULES["wsd"], [1500]).trust is None
    with pytest.raises(ll.InputError, match="no curves to fit"):
        ll.fit([])


def test_free_units_do_not_depend_on_the_units():
    recipe = oneclock.free_units(in_units(1000.0)[1])
    assert recipe.priors["r"].mean == pytest.approx(0.245)
    one, two = (
        ll.fit(curves, oneclock.free_units(curves)) for curves in (in_units(k)[1] for k in (1, 1e3))
    )
    asked = SCHEDULES["wsd"]
    scaled = asked.with_(lr=1000 * asked.lr, weight_decay=1e-4, spec=None)
    steps = np.array([600, 1200, 1500])
    np.testing.assert_allclose(
        one.predict(asked, steps).loss, two.predict(scaled, steps).loss, atol=3e-3
    )


def test_a_law_with_more_parameters_than_points_is_left_out():
    curve = law_of("effective").curve(SCHEDULES["flat"], [300, 600, 900, 1200, 1500], "few")
    fit = ll.fit(curve, optimizer="other")
    names = {member.name for member in fit.mixture.members}
    assert "AdamW's constants" in names
    assert "free units" not in names


# What each counts.


def test_weights_are_their_formula(found):
    mixture = found.mixture
    gain = 0.05
    logs = []
    for k, member in enumerate(mixture.members):
        log = math.log(member.prior)
        log -= 0.5 * math.log(member.known.misfit**2 + mixture.floor**2)
        nu = 3.0 / max(len(mixture.tests), 3)
        for test in mixture.tests:
            share = min(1.0, (test.gain + 1e-6) / (gain + 1e-6))
            if test.squares[k] is None:
                log -= mixing.NO_TEST
                continue
            relevance = 0.2 + 0.8 * share
            log -= 0.5 * nu * relevance * math.log(test.squares[k] + mixture.floor**2)
        worst = max(test.surprises[k] or 0.0 for test in mixture.tests)
        if member.adamw:
            log -= min(8.0, 0.25 * max(worst - 6.0, 0.0))
        logs.append(log)
    expected = np.exp(np.array(logs) - max(logs))
    np.testing.assert_allclose(mixture.weights(gain), expected / expected.sum(), rtol=1e-12)


def test_a_law_that_foretold_nothing_loses_its_weight(found):
    mixture = found.mixture
    worse = tuple(
        replace(
            test,
            squares=(1.0, *test.squares[1:]),
            surprises=(400.0, *test.surprises[1:]),
        )
        for test in mixture.tests
    )
    bad = replace(mixture, tests=worse)
    assert bad.weights(0.05)[0] < 1e-3 * mixture.weights(0.05)[0]
    assert bad.scales[0] > mixture.scales[0]


def test_tests_keep_from_a_law_what_they_ask_it(trio):
    result = contest(trio)
    whats = [test.what for test in result.mixture.tests]
    assert whats == [
        "cosine left out",
        "two left out",
        "flat left out",
        "the last 33% of all logs",
    ]
    # Slow: a fit without the run, all of it, and its error where the schedule is its own.
    entrant = result.entrants[0]
    fit = ll.fit(trio[:1] + trio[2:], entrant.candidate.recipe, uncertainty=False)
    left = trio[1].after(50)
    error = fit.predict(left.schedule, left.steps).loss - left.loss
    mine = result.mixture.tests[0].squares[0] ** 0.5
    assert mine == pytest.approx(float(np.sqrt(np.mean(error**2))), abs=6e-4)


def test_one_run_is_cut_thrice(trio):
    whats = [test.what for test in contest(trio[:1]).mixture.tests]
    assert whats == [f"the last {share}% of the log" for share in (50, 33, 17)]


def test_a_peak_is_left_out_where_peaks_differ():
    law = law_of("effective")
    runs = [
        law.curve(wsd(peak=peak, horizon=1500, warmup=50, cooldown=0.3), range(15, 1501, 15), name)
        for peak, name in ((1e-3, "low"), (2e-3, "middle"), (4e-3, "high"))
    ]
    tests = contest(runs).mixture.tests
    assert [test.what for test in tests][-2:] == [
        "all runs at peak 0.001 left out",
        "all runs at peak 0.004 left out",
    ]
    assert [test.distance for test in tests][-2:] == pytest.approx([math.log(2)] * 2)


# What they say together.


def test_a_prediction_is_the_mean_of_the_laws_and_the_quantiles_of_their_mixture(found):
    asked = SCHEDULES["wsd"]
    prediction = found.predict(asked, [1000, 1500])
    question = found.mixture.question(Query.of(asked, [1000, 1500]))
    losses = np.array([member.law.predict(asked, [1000, 1500]) for member in found.mixture.members])
    np.testing.assert_allclose(prediction.loss, question.weights @ losses, rtol=1e-12)
    # Slow: the root of the distribution function of the mixture.
    centre = np.array([answer.loss[-1] for answer in question.answers])
    sd = question.deviations[:, -1]

    def below(x):
        return question.weights @ norm.cdf(np.log(x / centre) / (sd / centre))

    mean = question.weights @ centre
    for end, share in ((prediction.lower, 0.05), (prediction.upper, 0.95)):
        root = brentq(lambda x, share=share: below(x) - share, 0.5, 9.0)
        assert end[-1] / prediction.loss[-1] == pytest.approx(root / mean, rel=1e-9)


def test_quantiles_of_one_lognormal_and_of_two_apart():
    one = lognormal_quantile(0.95, np.ones(1), np.array([[2.0]]), np.array([[0.2]]))
    assert one[0] == pytest.approx(2 * math.exp(0.1 * norm.ppf(0.95)), rel=1e-9)
    far = np.array([[1.0], [3.0]])
    both = [
        lognormal_quantile(share, np.array([0.9, 0.1]), far, np.full((2, 1), 0.01))[0]
        for share in (0.05, 0.5, 0.95)
    ]
    assert both == pytest.approx([1.0, 1.0, 3.0], abs=0.03)
    wide = lognormal_quantile(0.05, np.ones(1), np.array([[1.0]]), np.array([[5.0]]))
    assert 0 < wide[0] < 0.01


def test_a_run_away_from_usual_peaks_is_less_sure_of_what_comes(trio, monkeypatch):
    one = Ground.of(trio[:1])
    low = replace(one, peaks=(1e-4,))
    assert low.from_home == pytest.approx(math.log(3))
    assert replace(one, peaks=(1e-4, 1e-3)).from_home == 0  # one of them is at home
    assert replace(one, peaks=(0.1,)).from_home == 0  # another optimiser's: nothing is known
    mixture, last = ll.fit(trio[0]).mixture, int(trio[0].steps[-1])
    query = Query.of(constant(peak=PEAK, horizon=4 * last), [last, 4 * last])

    def half(ground):
        lower, upper = replace(mixture, ground=ground).question(query, None).interval(0.9)
        return (upper - lower) / 2

    with_it = half(low)
    monkeypatch.setattr("losslaw.fitting.mixture.REACH_OFF_HOME", 0.0)
    assert half(low)[0] == pytest.approx(with_it[0], rel=1e-3)
    assert half(low)[1] < 0.9 * with_it[1]


def test_the_interval_widens_with_the_distance_of_the_peak_and_of_the_end(found):
    def half(schedule):
        return found.predict(schedule, [schedule.horizon]).interval.half_width

    spec = dict(horizon=1500, warmup=50, cooldown=0.3, weight_decay=0.1)
    near, far, farther = (half(wsd(peak=PEAK * factor, **spec)) for factor in (1.0, 1 / 3, 1 / 9))
    assert near < far < farther
    long = [half(wsd(peak=PEAK, **(spec | {"horizon": n}))) for n in (1500, 6000, 24000)]
    assert long == sorted(long)


def test_unseen_decays_are_wide_and_never_below_zero():
    curve = in_units(30.0, ["flat"])[1][0]
    fit = ll.fit(curve)
    asked = SCHEDULES["cosine"].with_(lr=30 * SCHEDULES["cosine"].lr, spec=None)
    prediction = fit.predict(asked, level=0.99)
    assert (prediction.lower > 0).all()
    assert fit.trust.status == "not confirmed"
    assert (
        prediction.interval.half_width
        > 10 * ll.fit(in_units(30.0)[1]).predict(asked, [1500]).interval.half_width
    )


def test_all_steps_say_what_some_steps_say(found):
    asked = SCHEDULES["wsd"]
    steps = np.array([300, 700, 1200, 1500])
    every, some = found.predict(asked), found.predict(asked, steps)
    # Weights feel, a little, at which steps the gain of the decay was looked at.
    np.testing.assert_allclose(every.loss[steps - 1], some.loss, rtol=1e-5)
    np.testing.assert_allclose(every.upper[steps - 1], some.upper, rtol=2e-4)


# Trust.


def test_confirmed_where_a_decay_was_foretold(found):
    assert found.trust.status == "confirmed"
    assert str(found.trust).startswith("confirmed by these logs: parts kept back are foretold to")
    assert str(found).splitlines()[0] == str(found.trust)
    assert sum(weight for _, _, weight in found.trust.members) == pytest.approx(1.0)
    prediction = found.predict(SCHEDULES["wsd"], [1500])
    assert prediction.trust.status == "confirmed"
    assert not prediction.trust.refused
    assert prediction.as_dict()["trust"]["status"] == "confirmed"


def test_assumed_where_nothing_decays_at_home(trio):
    fit = ll.fit(trio[0])
    assert str(fit.trust) == (
        "assumed, not confirmed: no rate in these logs has fallen much; a decay over 150"
        " updates would tell"
    )


def test_another_peak_is_assumed(found):
    asked = wsd(peak=PEAK / 4, horizon=1500, warmup=50, cooldown=0.3, weight_decay=0.1)
    trust = found.predict(asked, [1500]).trust
    assert trust.status == "assumed"
    assert "no run was fitted at a peak near 0.00025" in trust.sentence


def test_the_rest_of_one_log_confirms_nothing_away_from_home(trio):
    assert ll.fit(trio[1]).trust.status == "confirmed"
    trust = ll.fit(trio[1], optimizer="other").trust
    assert trust.status == "not confirmed"
    assert "only the rest of one log was foretold, to" in trust.sentence
    assert ll.fit(trio, optimizer="other").trust.status == "confirmed"


def test_what_is_missed_is_not_confirmed(found):
    mixture = found.mixture
    missed = tuple(
        replace(test, squares=tuple(0.01 for _ in test.squares), surprises=(50.0,) * 5)
        for test in mixture.tests
    )
    bad = replace(found, mixture=replace(mixture, tests=missed))
    trust = bad.predict(SCHEDULES["wsd"], [1500]).trust
    assert trust.status == "not confirmed"
    assert "parts kept back are missed by 0.1000 nats" in trust.sentence


# Saved.


def test_a_saved_mixture_predicts_as_it_did(found, tmp_path):
    path = tmp_path / "fit.json"
    found.save(path)
    again = ll.load_fit(path)
    one, two = (each.predict(SCHEDULES["wsd"], [700, 1500]) for each in (found, again))
    np.testing.assert_allclose(two.loss, one.loss, rtol=1e-12)
    np.testing.assert_allclose(two.upper, one.upper, rtol=1e-9)
    assert again.trust == found.trust
    data = json.loads(path.read_text())
    data["mixture"]["tests"][0]["squares"] = [0.1]
    path.write_text(json.dumps(data))
    with pytest.raises(ll.InputError, match="is not of 5 laws"):
        ll.load_fit(path)


def test_a_fit_saved_on_one_clock_predicts_as_it_did(tmp_path):
    law = law_of("oneclock")
    fit = ll.fit(curves_of(law, ["flat", "cosine"], noise=5e-4), "oneclock")
    data = fit.as_dict()
    path = tmp_path / "old.json"
    data["law"] = "effective"
    del data["mixture"], data["trust"]
    path.write_text(json.dumps(data, default=list))
    old = ll.load_fit(path)
    assert old.law.name == "effective"
    one, two = (each.predict(SCHEDULES["wsd"], [700, 1500]) for each in (fit, old))
    np.testing.assert_allclose(two.loss, one.loss, rtol=1e-12)
    assert old.trust is None
