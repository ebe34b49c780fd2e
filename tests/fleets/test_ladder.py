"""Ends of several model sizes, corrected to one cooldown, and the law of size through them."""

import csv
import io

import numpy as np
import pytest
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.annealing.cooldown import Cooldown
from losslaw.fitting.model_sizes import size_law
from losslaw.fitting.rungs import Annealing, rungs_of, unlike_cooldowns
from losslaw.fleets.ladder import common
from losslaw.laws.oneclock import NOISE_TREND

SIZES = (2.5e7, 1e8, 4e8)
N = 5000
COMMON = ll.wsd(peak=1e-3, horizon=N, warmup=200, cooldown=0.2, weight_decay=0.1)
SHORT = ll.wsd(peak=1e-3, horizon=N, warmup=200, cooldown=0.02, weight_decay=0.1)
FLAT = ll.constant(peak=1e-3, horizon=N, warmup=200, weight_decay=0.1)
COSINE = ll.cosine(peak=1e-3, horizon=N, warmup=200, final=1e-4, weight_decay=0.1)


def true_law(size):
    far = np.log(size / 1e8)
    return ll.Effective(
        L0=1.9 + 0.8 * np.exp(-0.25 * far),
        A=0.5 * np.exp(0.05 * far),
        N=45.0 * np.exp(NOISE_TREND * far),
        alpha=0.495 - 0.05 * far,
    )


def run(size, schedule, noise=5e-4, seed=0):
    law, steps = true_law(size), np.arange(50, schedule.horizon + 1, 50)
    draws = np.random.default_rng([seed, int(size)]).normal(0, noise, steps.size)
    loss = law.predict(schedule, steps) + draws
    return law.curve(schedule, steps, f"{size:g}").with_(model_size=size, loss=loss)


def runs(*schedules):
    return [run(size, schedule) for size, schedule in zip(SIZES, schedules, strict=True)]


def ends(schedule):
    """The mean of the last three logged losses, as the law has them."""
    steps = [N - 100, N - 50, N]
    return [float(true_law(size).predict(schedule, steps).mean()) for size in SIZES]


@pytest.mark.parametrize("schedules", [(FLAT, SHORT, COSINE), (FLAT, FLAT, SHORT)])
def test_ends_are_corrected_to_the_common_cooldown(schedules):
    result = ll.ladder(runs(*schedules), law="effective")
    raw = [rung.ended for rung in result.rungs]
    for rung, true in zip(result.rungs, ends(COMMON), strict=True):
        assert rung.corrected == pytest.approx(true, abs=0.01)
        assert rung.interval.holds(true)
        assert rung.updates == N
    assert raw[0] > result.rungs[0].corrected + 0.02


def test_the_correction_is_the_laws_difference():
    """Against the laws of the fit, asked directly."""
    curves = runs(FLAT, SHORT, COSINE)
    fit = ll.fit(curves, "effective")
    result = ll.ladder(curves, fit=fit)
    for rung, curve in zip(result.rungs, curves, strict=True):
        law = next(item.law for item in fit.sizes if item.model_size == rung.model_size)
        last = [N - 100, N - 50, N]
        change = law.predict(COMMON, last) - law.predict(curve.schedule, last)
        assert rung.corrected == pytest.approx(curve.final_loss + change.mean(), abs=1e-9)


def test_a_run_that_had_it_is_left_as_it_is():
    result = ll.ladder(runs(COMMON, COMMON, COMMON), law="effective")
    for rung in result.rungs:
        assert rung.corrected == pytest.approx(rung.ended, abs=1e-12)
    assert_allclose(result.after.loss(1e9), result.before.loss(1e9), atol=5e-3)
    # Two runs of one schedule differ by the floor: what is wider is the law's.
    assert all(rung.interval.half_width < 0.02 for rung in result.rungs)


def test_the_law_of_size_is_straightened():
    """True ends lie on L = E' + F' P^-b; as ended the smallest is too high, as it had no decay."""
    curves = runs(COMMON, SHORT, FLAT)
    result = ll.ladder(curves, law="effective")
    true = size_law(SIZES, ends(COMMON), 1e-8 * np.eye(3), 0.25)
    assert result.next_size == pytest.approx(1.6e9)
    off = [abs(law.loss(1.6e9) - true.loss(1.6e9)) for law in (result.before, result.after)]
    assert off[1] < 0.6 * off[0]
    assert result.after.interval(1.6e9, 0.9).holds(true.loss(1.6e9))


def test_the_size_law_recovers_a_law_and_its_errors_are_those_of_draws():
    sizes = np.array([1e7, 3e7, 1e8, 3e8, 1e9])
    exact = 2.0 + 0.9 * (sizes / 1e8) ** -0.3
    covariance = 2e-3**2 * (0.5 * np.eye(5) + 0.5)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        losses = rng.multivariate_normal(exact, covariance)
        law = size_law(sizes, losses, covariance, 0.25)
        interval = law.interval(3e9, 0.9)
        found.append((law.E, law.F, law.b, *law.errors, interval.holds(2 + 0.9 * 30**-0.3)))
    found = np.array(found)
    assert_allclose(found[:, :3].mean(axis=0), [2.0, 0.9, 0.3], atol=0.02)
    assert_allclose(found[:, :3].std(axis=0), found[:, 3:6].mean(axis=0), rtol=0.3)
    # Beyond the sizes the interval has a part that these draws have not.
    assert found[:, 6].mean() >= 0.88


def test_two_sizes_take_the_usual_power():
    law = size_law([1e7, 1e9], [3.0, 2.5], 1e-6 * np.eye(2), 0.25)
    assert law.b == pytest.approx(0.25, abs=1e-3)
    assert law.errors[2] == pytest.approx(0.1, rel=0.1)
    assert_allclose([law.loss(1e7), law.loss(1e9)], [3.0, 2.5], atol=1e-9)
    with pytest.raises(ll.InputError, match="at least two sizes, got 1"):
        size_law([1e7], [3.0], np.eye(1), 0.25)


def test_the_common_schedule_keeps_all_but_the_rates():
    curve = run(1e8, COSINE).until(4000)
    wanted = common(curve, Cooldown(over=500, shape="1-sqrt", final=1e-5))
    assert wanted.horizon == 4000
    assert wanted.warmup == 200
    assert_allclose(wanted.lr[:200], COSINE.lr[:200])
    assert_allclose(wanted.lr[200:3500], 1e-3)
    assert wanted.lr[-1] == pytest.approx(1e-5)
    assert_allclose(wanted.weight_decay, 0.1)


def test_rungs_and_how_they_were_annealed():
    long = ll.constant(peak=1e-3, horizon=2 * N, warmup=200)
    decayed = ll.wsd(peak=1e-3, horizon=2 * N - 100, warmup=200, cooldown=0.3, final=1e-4)
    curves = [run(1e8, COMMON), run(1e8, long), run(1e8, decayed), run(4e8, FLAT)]
    curves[2] = curves[2].with_(label="decayed")
    assert {size: curve.label for size, curve in rungs_of(curves).items()} == {
        1e8: "decayed",
        4e8: "4e+08",
    }
    assert str(Annealing.of(curves[2])) == "2,970 (30%) to 10%"
    assert str(Annealing.of(curves[0])) == "1,000 (20%)"
    assert str(Annealing.of(curves[3])) == "none"


@pytest.mark.parametrize(
    ("schedules", "words"),
    [
        ((COMMON, COMMON, COMMON), None),
        ((FLAT, FLAT, FLAT), "were not annealed"),
        ((COMMON, SHORT, COMMON), "were annealed unlike each other"),
        ((COMMON, FLAT, COMMON), "1e+08: none"),
    ],
)
def test_a_fit_of_several_sizes_says_so(schedules, words):
    note = unlike_cooldowns(runs(*schedules))
    if words is None:
        assert note is None
    else:
        assert words in note.text
        assert "losslaw ladder corrects" in note.text
    fit = ll.fit(runs(*schedules), "effective", uncertainty=False)
    assert (words is not None) == any("losslaw ladder" in str(each) for each in fit.notes)


def test_one_size_is_no_ladder_and_no_note():
    assert unlike_cooldowns([run(1e8, FLAT)]) is None
    assert unlike_cooldowns([run(1e8, FLAT).with_(model_size=None)]) is None


def test_ends_of_several_optimisers_are_no_law_of_size():
    each = [
        run.with_(optimizer=optimizer)
        for run, optimizer in zip(
            runs(COMMON, COMMON, COMMON), ("adamw", "muon", "adamw"), strict=True
        )
    ]
    (warning,) = [text for text in ll.ladder(each, law="effective").warnings if "ends are" in text]
    assert "different optimisers (adamw, muon)" in warning


def test_the_report_and_its_forms():
    result = ll.ladder(runs(FLAT, SHORT, COSINE), law="effective", next_size=1e9)
    text = str(result)
    assert "ends corrected to one cooldown (linear to 0 over the last 20 % of all updates)" in text
    assert "L(P) = E + F (P / 100M)^-b" in text
    assert "next: 1B" in text
    assert "losslaw ladder" not in text
    rows = list(csv.DictReader(io.StringIO(result.csv())))
    assert [float(row["model_size"]) for row in rows] == list(SIZES)
    assert [row["cooldown"] for row in rows][:2] == ["0", "100"]
    answer = result.as_dict()
    assert answer["after"]["next"]["model_size"] == 1e9
    assert answer["rungs"][0]["lower"] < answer["rungs"][0]["corrected"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": 1.5}, "expected a share below 1"),
        ({"over": 4900}, "a cooldown over 4,900 is too long for it"),
        ({"final": 1e-2}, "the peak of '2.5e\\+07' is 0.001"),
        ({"next_size": -1.0}, "next size is -1, expected 1 .. 1e"),
        ({"shape": "zigzag"}, "zigzag"),
        ({"level": 0.0}, "level is 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, message):
    with pytest.raises(ll.InputError, match=message):
        ll.ladder(runs(FLAT, FLAT, FLAT), law="effective", **options)


def test_sizes_have_to_be_known():
    curves = runs(FLAT, FLAT, FLAT)
    with pytest.raises(ll.InputError, match="the model size of '1e\\+08' is not known") as told:
        ll.ladder([curves[0], curves[1].with_(model_size=None)])
    assert '{"runs": {"1e+08": {"params": 1.2e8}, ...}}' in str(told.value)
    with pytest.raises(ll.InputError, match="2 runs, all of one model size"):
        ll.ladder([curves[0], curves[0].with_(label="again")])


def test_a_law_of_size_below_zero_is_warned_of():
    """Ends that fall faster with the logarithm of the size than any law with a floor does."""
    curves = runs(COMMON, COMMON, COMMON)
    fallen = [
        each.with_(loss=each.loss - drop)
        for each, drop in zip(curves, (0.0, 0.2, 0.9), strict=True)
    ]
    result = ll.ladder(fallen, law="effective")
    assert result.before.E < 0
    assert "below 0, which no loss is" in result.warnings[0]
    assert not ll.ladder(curves, law="effective").warnings
