"""Forecasts of bundled runs from their beginnings, against how they went on."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import losslaw as ll
from losslaw.files.json_text import plain

RUNS = {curve.label: curve for curve in ll.bundled_curves()}
STABLE = RUNS["constant_peak3e-3_T12000"]
COSINE = RUNS["cosine_peak3e-3_T12000"]
SHORT = [
    RUNS["constant_peak3e-3_T4000"],
    RUNS["cosine_peak3e-3_T4000"],
    RUNS["wsd-linear-0.2_peak3e-3_T4000"],
]


def beginning(curve, now):
    part = curve.until(now)
    return part.with_(schedule=part.schedule.prefix(now))


@pytest.fixture(scope="module")
def stable():
    return ll.forecast(beginning(STABLE, 6000), 12_000, decay_over=[600, 2400, 8000])


@pytest.fixture(scope="module")
def saved():
    return ll.fit(SHORT, "effective")


@pytest.fixture(scope="module")
def mixed():
    return ll.fit(SHORT)


def forecast_of(curve, horizon=None, **options):
    """By the law whose name is given, which is fast; the choice of a law has its own tests."""
    if "fit" not in options:
        options.setdefault("law", "effective")
    return ll.forecast(curve, horizon, **options)


def by(forecast, when, over):
    return next(each for each in forecast.endings if (each.when, each.over) == (when, over))


def test_a_stable_run_held_to_the_horizon(stable):
    """The end as it came: in the interval, which is no wider than what a decay pays."""
    assert stable.final == pytest.approx(STABLE.final_loss, abs=0.02)
    assert stable.interval.holds(STABLE.final_loss)
    assert stable.interval.half_width < 0.07
    assert stable.band.state == "on"
    assert stable.label == STABLE.label
    assert (stable.step, stable.horizon) == (6000, 12_000)


def test_a_decay_now_and_later(stable):
    now, later = by(stable, "now", 2400), by(stable, "later", 2400)
    assert (now.start, now.steps, later.start, later.steps) == (6000, 8400, 9600, 12_000)
    # The bundled WSD leaves the same constant run at step 9600 for 2400 updates.
    truth = RUNS["wsd-linear-0.2_peak3e-3_T12000"].final_loss
    assert later.interval.holds(truth)
    assert now.gain > 0.08
    assert now.loss > later.loss
    assert by(stable, "now", 600).gain < now.gain


def test_the_gain_is_against_holding_for_the_same_steps(stable):
    """Held to the horizon: what the plan itself predicts, since the plan is to hold."""
    later = by(stable, "later", 2400)
    assert later.gain == pytest.approx(stable.final - later.loss, abs=1e-9)


def test_beyond_the_horizon_is_marked_and_never_best(stable):
    beyond = by(stable, "now", 8000)
    assert not beyond.within
    assert beyond.steps == 14_000
    assert [each for each in stable.endings if (each.when, each.over) == ("later", 8000)] == []
    assert stable.best == by(stable, "later", 2400)
    assert beyond.loss < stable.best.loss
    assert beyond not in stable.ties
    assert re.search(r"now +6,000 +8,000 +14,000 .* \*\n", str(stable))
    assert "*: beyond the horizon" in str(stable)


def test_the_report_answers_at_one_glance(stable):
    text = str(stable)
    assert text.startswith(
        "assumed, not confirmed: no rate in these logs has fallen much; a decay over 600"
    )
    lines = text.splitlines()
    run = 2  # the first line is too long for one
    assert " ".join(lines[run : run + 2]).split("; ") == [
        f"constant_peak3e-3_T12000 at step 6,000: loss {stable.loss:.4f}, the mean of the last"
        " three   logged"
    ]
    run += 1
    usual = by(stable, "now", 2400)
    assert stable.now == usual
    assert lines[run + 1].split("90%")[0].split() == ["decay", "now", "over", "2,400",
                                                      f"{usual.loss:.4f},"]  # fmt: skip
    assert f"plan to step 12,000   {stable.final:.4f}, 90% interval {stable.interval}" in text
    assert "the rate stays at 0.003" in text
    assert "best within the horizon, if the laws hold: hold to step 9,600, decay over" in text


def test_the_report_fits_a_terminal_and_says_nothing_twice(stable):
    lines = str(stable).splitlines()
    assert max(map(len, lines)) <= 80
    told = [line for line in lines if not line.startswith("note: ")]
    assert sum("no rate in these logs has fallen" in line for line in told) == 1
    assert not any("no fitted run decays" in line for line in told)


def test_the_optimiser_that_is_assumed_is_said_once_and_not_where_it_is_known():
    part = beginning(STABLE, 2000)
    asked = {"decay_over": [400], "horizon": 4000}
    (words,) = [each for each in ll.forecast(part, **asked).changes if "optimiser" in each]
    assert words.startswith("another optimiser (--optimizer): the constants of AdamW are assumed")
    muon = ll.forecast(part, **asked, optimizer="muon")
    for known in (ll.forecast(part, **asked, optimizer="adamw"), muon):
        assert not any("optimiser" in each for each in known.changes)
    away = ll.forecast(part.with_(schedule=part.schedule.scaled(30.0)), **asked)
    assert any(each.startswith("the name of the optimiser") for each in away.changes)
    assert muon.trust.status == "not confirmed"
    assert forecast_of(part, 4000, decay_over=[400]).changes == ()


def test_without_a_horizon_decays_that_begin_now_are_answered(stable):
    part = beginning(STABLE, 6000)
    forecast = ll.forecast(part, decay_over=[0.1, 2400, 8000])
    assert [(each.when, each.over, each.within) for each in forecast.endings] == [
        ("now", 600, None), ("now", 2400, None), ("now", 8000, None),
    ]  # fmt: skip
    for over in (600, 2400):  # as where there is one
        assert by(forecast, "now", over).loss == pytest.approx(by(stable, "now", over).loss)
    assert forecast.now.over == 2400
    assert (forecast.horizon, forecast.path, forecast.final, forecast.interval) == (None,) * 4
    assert forecast.best.over == 8000  # nothing forbids it
    record = json.loads(json.dumps(plain(forecast.as_dict())))
    assert set(record) == set(stable.as_dict())
    assert record["final"] == {"loss": None, "lower": None, "upper": None, "lr": None}
    assert [record[name] for name in ("horizon", "path", "plan_ties")] == [None] * 3
    text = str(forecast)
    assert "best of these, if the laws hold: decay now over 8,000" in text
    assert "plan      not known: nothing says how long the run is to be" in text
    assert "later" not in text
    assert "horizon." not in text


def test_where_the_rest_cannot_be_told_and_no_horizon_is_asked_for_decays_are_answered():
    run = RUNS["constant_peak3e-3_T4000"]
    cyclic = ll.cyclic(peak=3e-3, horizon=4000, warmup=100)
    part = beginning(run.with_(schedule=cyclic), 3000).with_(planned=4000)
    forecast = forecast_of(part)
    assert forecast.horizon is None
    assert "cannot be told from the log" in forecast.plan.sentence
    with pytest.raises(ll.InputError, match="cannot be told from the log"):
        forecast_of(part, 4000)


def test_a_run_that_has_ended_at_a_rate_may_decay():
    part = beginning(RUNS["constant_peak3e-3_T4000"], 4000).with_(planned=4000)
    forecast = forecast_of(part)
    assert forecast.plan.sentence == "the run has ended: 4,000 updates were planned"
    assert {each.when for each in forecast.endings} == {"now"}
    ended = beginning(COSINE, 12_000)
    with pytest.raises(ll.InputError, match="there is nothing to ask"):
        forecast_of(ended, final=float(ended.schedule.final_lr))
    # The last update of a cosine may be a little above 0: there is nothing to bring down.
    whole = ll.cosine(peak=3e-3, horizon=4000, warmup=100, final=1e-9)
    curve = ll.OneClock(L0=1.0, A=0.15, N=45.0).curve(whole, range(50, 4001, 50), "annealed")
    with pytest.raises(ll.InputError, match=r"nothing to ask.*losslaw continue"):
        forecast_of(curve)
    near = forecast_of(beginning(curve, 3950).with_(planned=4000))
    assert near.endings == ()
    assert near.horizon == 4000


def test_at_most_three_are_named_as_no_worse_the_shortest_decays_first():
    lengths = range(2000, 2007)
    forecast = forecast_of(beginning(STABLE, 6000), decay_over=lengths)
    assert len(forecast.ties) == 6
    assert [each.over for each in forecast.ties] == sorted(each.over for each in forecast.ties)
    text = " ".join(str(forecast).split())
    assert (
        "not significantly different: decay now over 2,000; decay now over 2,001; decay now over"
        " 2,002; and 3 more"
    ) in text


def test_the_loss_of_a_dense_log_is_a_mean_of_more_than_three():
    part = beginning(STABLE, 6000)
    steps = np.arange(100, 6001, 5)
    noise = 0.05 * np.random.default_rng(0).standard_normal(steps.size)
    loss = np.interp(steps, part.steps, part.loss) + noise
    forecast = forecast_of(part.with_(steps=steps, loss=loss))
    assert forecast.averaged > 20
    assert forecast.loss == pytest.approx(part.final_loss, abs=4 * 0.05 / forecast.averaged**0.5)
    assert f"the mean of the last {forecast.averaged} logged" in " ".join(str(forecast).split())
    assert forecast.as_dict()["averaged"] == forecast.averaged


def test_a_fit_that_holds_this_very_run_is_not_told_it_twice(tmp_path):
    """Its losses were not foretold by a fit of them; only what came later was."""
    part = beginning(STABLE, 4000)
    spiked = part.loss + 0.4 * (part.steps == 2500)
    for run in (part, part.with_(loss=spiked)):
        ll.fit([*SHORT, run], "effective").save(tmp_path / "fit.json")
        fit = ll.load_fit(tmp_path / "fit.json")
        same = forecast_of(run, 12_000, fit=fit, decay_over=[600])
        assert "a saved fit of 4 runs, this one among them up to step 4,000" in same.basis
        assert same.band.state == "unknown"
        assert by(same, "now", 600).loss == pytest.approx(
            fit.predict(part.schedule.extended(np.linspace(3e-3, 0, 601)[1:])).final
        )
    grown = forecast_of(beginning(STABLE, 8000), 12_000, fit=ll.fit([*SHORT, part], "effective"))
    assert "this one among them up to step 4,000, brought up to date" in grown.basis
    assert grown.band.checked == 4000
    other = part.with_(loss=part.loss + 0.002 * np.random.default_rng(0).normal(size=len(part)))
    assert "among them" not in forecast_of(other, 12_000, fit=fit).basis


def test_default_lengths_are_shares_of_the_steps_so_far():
    forecast = forecast_of(beginning(STABLE, 2000), 2600)
    lengths = {each.over for each in forecast.endings}
    assert lengths == {100, 200, 300, 400, 600}  # 800 would end beyond the horizon
    assert all(each.within for each in forecast.endings)
    # A decay over all that is left is the same now and later.
    assert [each.when for each in forecast.endings if each.over == 600] == ["now"]


def test_a_cosine_in_progress_is_continued():
    forecast = forecast_of(beginning(COSINE, 6000), 12_000, decay_over=[1000])
    assert "cosine" in forecast.plan.sentence
    assert forecast.interval.holds(COSINE.final_loss)
    assert abs(forecast.final - COSINE.final_loss) < 0.04


def test_earlier_runs_and_a_saved_fit_make_it_surer(stable, saved):
    part = beginning(STABLE, 6000)
    alone = by(stable, "later", 2400)
    truth = RUNS["wsd-linear-0.2_peak3e-3_T12000"].final_loss
    for basis in ({"earlier": SHORT}, {"fit": saved}):
        forecast = forecast_of(part, 12_000, decay_over=[2400], **basis)
        later = by(forecast, "later", 2400)
        assert later.interval.half_width < 0.8 * alone.interval.half_width
        assert abs(later.loss - truth) < 0.04
        assert forecast.band.state == "on"
        assert "3 runs" in forecast.basis


def test_a_run_of_another_model_keeps_the_shapes_only(saved):
    """The same losses, half a nat higher: never where the fit said, and forecast all the same."""
    part = beginning(STABLE, 6000)
    shifted = part.with_(loss=part.loss + 0.5)
    forecast = forecast_of(shifted, 12_000, fit=saved, decay_over=[2400])
    assert forecast.basis.startswith("the shapes of the saved fit")
    assert any("never where the saved fit said" in sentence for sentence in forecast.warnings)
    assert forecast.final == pytest.approx(STABLE.final_loss + 0.5, abs=0.03)


def test_another_model_size_is_said(saved):
    part = beginning(STABLE, 6000).with_(model_size=1e6)
    forecast = forecast_of(part, 12_000, fit=saved, decay_over=[2400])
    assert any("1e+06 parameters" in sentence for sentence in forecast.warnings)


def test_earlier_runs_of_two_sizes_know_which_size_is_asked():
    """The loss of the second size is half a nat higher throughout; the run is of the second."""
    small = [run.with_(model_size=1e5) for run in SHORT]
    large = [
        run.with_(model_size=2e5, loss=run.loss + 0.5, label=f"{run.label} large") for run in SHORT
    ]
    part = beginning(STABLE, 4000)
    part = part.with_(loss=part.loss + 0.5, model_size=2e5)
    forecast = forecast_of(part, 12_000, earlier=[*small, *large], decay_over=[1000])
    assert "6 runs before it" in forecast.basis
    assert forecast.final == pytest.approx(STABLE.final_loss + 0.5, abs=0.04)
    with pytest.raises(ll.InputError, match="model size"):
        forecast_of(part.with_(model_size=None), 12_000, earlier=[*small, *large])


def test_another_peak_is_said(mixed):
    run = RUNS["constant_peak6e-3_T4000"]
    forecast = ll.forecast(beginning(run, 2000), 4000, fit=mixed, decay_over=[400])
    assert any("0.006" in sentence for sentence in forecast.warnings)
    assert forecast.trust.status == "assumed"
    assert "no run was fitted at a peak near 0.006" in str(forecast).splitlines()[0]


def test_a_run_that_left_its_band_is_warned_about(saved):
    part = beginning(STABLE, 9000)
    wrong = part.with_(loss=part.loss + 0.1 * (part.steps > 6000))
    forecast = forecast_of(wrong, 12_000, fit=saved, decay_over=[1000])
    assert forecast.band.state == "above"
    assert abs(forecast.band.since - 6000) <= 300
    assert any("above its band since step" in sentence for sentence in forecast.warnings)


def test_endings_that_differ_by_less_than_their_errors_are_ties():
    """Decays that differ by one update cannot be told apart; plan and decay of a WSD are one."""
    run = RUNS["wsd-linear-0.2_peak3e-3_T12000"]
    forecast = forecast_of(run.until(6000), decay_over=[2400, 2401])  # its schedule is its plan
    assert forecast.plan.schedule.horizon == 12_000
    assert forecast.plan_ties
    assert len(forecast.ties) >= 1
    assert by(forecast, "later", 2400).loss == pytest.approx(forecast.final, abs=1e-4)
    assert "not significantly different" in str(forecast)


def test_nothing_is_offered_where_the_rate_is_at_its_end():
    run = RUNS["cosine_peak3e-3_T4000"]
    part = run.with_(schedule=run.schedule)
    forecast = forecast_of(part, 5000, final=float(run.schedule.final_lr))
    assert forecast.endings == ()
    assert forecast.best is None
    assert "Decay" not in str(forecast)


def test_the_json_form_is_json_and_has_its_keys(stable):
    record = json.loads(json.dumps(plain(stable.as_dict())))
    assert list(record) == [
        "label", "trust", "step", "loss", "averaged", "lr", "horizon", "level", "unit", "law",
        "knowledge", "plan", "final", "band", "decay", "endings", "best", "ties", "plan_ties",
        "path", "now", "changes", "notes", "warnings", "diverged",
    ]  # fmt: skip
    assert set(record["final"]) == {"loss", "lower", "upper", "lr"}
    assert set(record["band"]) == {"state", "since", "by", "checked", "spikes", "never", "unit"}
    assert set(record["endings"][0]) == {
        "when", "start", "over", "steps", "loss", "lower", "upper", "gain", "within",
    }  # fmt: skip
    assert record["path"]["step"][-1] == 12_000


@pytest.mark.parametrize(
    ("now", "options", "words"),
    [
        (200, {}, r"4 losses after step 100 \(warm-up or skip\), expected at least 8; possible"),
        (3000, {"skip": 2900}, "4 losses after step 2900"),
        (3000, {"level": 1.0}, "level is 1"),
        (3000, {"decay_over": [0]}, "at least 1 update"),
        (3000, {"decay_over": []}, "at least 1 update"),
        (3000, {"decay_shape": "round"}, "decay 'round', expected one of"),
        (3000, {"decay_shape": "exponential"}, "cannot end at 0"),
        (3000, {"final": 1.0}, "above the rate 0.003 at step 3000"),
        (3000, {"final": -1.0}, "expected 0 or above"),
        (3000, {"schedule": "round:peak=1"}, "unknown schedule"),
        (3000, {"law": "round"}, "unknown law"),
    ],
)
def test_bad_questions_are_refused_in_one_line(now, options, words):
    with pytest.raises(ll.InputError, match=words) as caught:
        forecast_of(beginning(STABLE, now), 12_000, **options)
    assert "\n" not in str(caught.value)


def test_a_fit_and_earlier_runs_are_too_much(saved):
    part = beginning(STABLE, 3000)
    with pytest.raises(ll.InputError, match="choose one"):
        ll.forecast(part, 12_000, fit=saved, earlier=SHORT)
    with pytest.raises(ll.InputError, match="choose one"):
        ll.forecast(part, 12_000, fit=saved, law="effective")


def test_the_default_law_is_that_of_fit():
    forecast = ll.forecast(beginning(STABLE, 2000), 4000, decay_over=[400])
    assert forecast.law == ll.fit(beginning(STABLE, 2000)).law.name


def test_too_little_log_says_from_when_on_and_keeps_its_word():
    with pytest.raises(ll.InputError, match="from about step 300 on"):
        forecast_of(beginning(STABLE, 275), 12_000)
    assert np.isfinite(forecast_of(beginning(STABLE, 300), 12_000).final)


def test_all_endings_are_answered_with_the_weights_of_one_question(stable):
    """That of the middle decay, 2,400 updates from now: of two lengths within, the longer."""
    part = beginning(STABLE, 6000)
    fit = ll.fit(part)
    decay = np.linspace(3e-3, 0.0, 2401)[1:]
    reference = part.schedule.extended(decay)
    settled = fit.settled(reference)
    assert by(stable, "now", 2400).loss == pytest.approx(fit.predict(reference).final, abs=1e-5)
    assert by(stable, "now", 2400).loss == settled.predict(reference).final
    held = part.schedule.extended(np.full(6000, 3e-3))
    assert stable.final == settled.predict(held).final
    # By itself the plan, which does not decay, would be answered with other weights.
    assert abs(stable.final - fit.predict(held).final) > 1e-5


def test_weights_settled_by_a_question_can_be_settled_by_another(mixed):
    short, long = (ll.wsd(peak=3e-3, horizon=n, warmup=100) for n in (4000, 40_000))
    once = mixed.settled(short)
    assert once.mixture.settled != mixed.settled(long).mixture.settled
    assert once.settled(long).mixture.settled == mixed.settled(long).mixture.settled
    assert ll.fit(SHORT[0], "effective").settled(short).mixture is None


def test_a_plan_that_decays_is_what_is_to_be_trusted():
    forecast = ll.forecast(beginning(COSINE, 9000), 12_000, decay_over=[1000])
    assert forecast.trust.status == "confirmed"
    assert forecast.trust.sentence == forecast.path.trust.sentence
    text = str(forecast)
    assert text.startswith("confirmed by these logs: parts kept back are foretold to ")
    assert "best within the horizon: " in text
    assert "not the end" not in text
    assert forecast.as_dict()["trust"]["status"] == "confirmed"


def test_being_on_the_band_does_not_confirm_the_end(stable):
    assert stable.band.state == "on"
    lines = str(stable).splitlines()
    band = next(i for i, line in enumerate(lines) if line.startswith("  band "))
    assert lines[band + 2].strip() == "(this confirms what came so far, not the end: see above)"


@pytest.fixture(scope="module")
def strange():
    """A constant run at a rate that no optimiser with known constants has: its decay is a guess."""
    steps = np.arange(20, 2001, 20)
    noise = 0.01 * np.random.default_rng(0).normal(size=steps.size)
    loss = 3.0 + 40.0 * (steps + 50.0) ** -0.7 + noise
    return ll.LossCurve(ll.constant(peak=0.2, horizon=2000), steps, loss, "strange")


def test_where_the_interval_is_of_no_use_no_decay_is_recommended(strange):
    forecast = ll.forecast(strange, 8000, decay_over=[1000])
    assert forecast.refused
    assert forecast.trust.status == "not confirmed"
    assert (forecast.endings, forecast.best, forecast.ties) == ((), None, ())
    text = str(forecast)
    assert text.startswith(
        "not confirmed: no rate in these logs has fallen much; a decay over 200 updates"
    )
    assert "% interval" in text
    assert "Decays are not compared: half the interval is more than 8% of the loss" in text
    assert "losslaw advise RUNS --for SPEC" in text
    assert "best within" not in text
    record = forecast.as_dict()
    assert record["trust"]["refused"] is True
    assert (record["endings"], record["best"]) == ([], None)
    assert record["final"]["lower"] >= 0


def test_whether_an_interval_is_of_use_does_not_depend_on_the_level_asked(strange, stable):
    assert ll.forecast(strange, 8000, decay_over=[1000], level=0.1).refused
    assert not stable.refused
    wide = ll.forecast(beginning(STABLE, 6000), 12_000, decay_over=[2400], level=1 - 2e-6)
    assert by(wide, "now", 2400).interval.half_width > 0.08 * wide.final
    assert not wide.refused


def test_the_plan_of_a_refused_forecast_is_answered_for_itself(strange):
    """The law that is heaviest for a decay may say anything of a rate that is held."""
    held = strange.schedule.extended(np.full(6000, 0.2))
    forecast = ll.forecast(strange, 8000, decay_over=[1000])
    assert forecast.final == pytest.approx(ll.fit(strange).predict(held, [8000]).final, abs=1e-9)


def test_what_the_fit_notes_of_its_constants_is_handed_on():
    part = beginning(STABLE, 2000).with_(optimizer="muon")
    part = part.with_(schedule=part.schedule.with_(weight_decay=None))
    notes = ll.forecast(part, 4000, decay_over=[400]).notes
    assert set(map(str, ll.fit(part).notes)) <= set(notes)


def test_a_run_of_another_model_is_not_confirmed(mixed):
    part = beginning(STABLE, 4000)
    forecast = ll.forecast(part.with_(loss=part.loss + 0.5), 12_000, fit=mixed, decay_over=[400])
    assert str(forecast).startswith("not confirmed: this run was never where the saved fit said")


def test_new_data_widen_the_interval_and_move_nothing(mixed):
    part = beginning(STABLE, 6000)
    one, other = (
        ll.forecast(part, 12_000, fit=mixed, decay_over=[600], new_data=new) for new in (0, 1)
    )
    assert other.interval.half_width > 1.005 * one.interval.half_width
    assert by(other, "now", 600).interval.half_width > by(one, "now", 600).interval.half_width
    with pytest.raises(ll.InputError, match="new data are data that other runs did not have"):
        ll.forecast(part, 12_000, new_data=True)


def test_a_run_that_has_diverged_is_not_told_to_decay():
    law = ll.Effective(L0=2.0, A=0.5, N=40.0)
    run = law.curve(ll.constant(peak=1e-3, horizon=4000, warmup=100), range(20, 4001, 20), "run")
    loss = run.loss + 0.002 * np.random.default_rng(0).standard_normal(len(run))
    loss[180:] += np.linspace(0.3, 2.0, 20)
    forecast = ll.forecast(run.with_(loss=loss), 6000)
    assert forecast.diverged == pytest.approx(3620, abs=60)
    assert forecast.endings == ()
    assert forecast.best is None
    assert "The run has diverged from step 3," in str(forecast)
    assert forecast.as_dict()["diverged"] == forecast.diverged
    assert ll.forecast(run, 6000).diverged is None


def test_where_no_decay_gains_holding_is_said_to_end_lower(stable):
    assert "to end lower" not in " ".join(str(stable).split())
    worse = tuple(replace(each, gain=-0.01) for each in stable.endings)
    assert "to end lower, at" in " ".join(str(replace(stable, endings=worse)).split())
    assert "loss 0.000123," in str(replace(stable, loss=1.23e-4))
