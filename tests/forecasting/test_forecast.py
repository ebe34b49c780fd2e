"""Forecasts of bundled runs from their beginnings, against how they went on."""

import json
import re

import numpy as np
import pytest

import losslaw as ll
from losslaw.cli.output import plain

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
    assert text.startswith("constant_peak3e-3_T12000 at step 6,000: loss 1.5")
    assert f"forecast  {stable.final:.4f} at step 12,000, 90% interval" in text
    assert "the rate stays at 0.003" in text
    assert "best within the horizon: hold to step 9,600, decay over 2,400" in text
    rows = text[text.index("begin") : text.index("gain:")]
    assert max(map(len, text.splitlines()[:18])) <= 100
    assert max(map(len, rows.splitlines())) <= 80


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


def test_another_peak_is_said(saved):
    run = RUNS["constant_peak6e-3_T4000"]
    forecast = forecast_of(beginning(run, 2000), 4000, fit=saved, decay_over=[400])
    assert any("0.006" in sentence for sentence in forecast.warnings)


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
        "label", "step", "loss", "lr", "horizon", "level", "law", "knowledge", "plan", "final",
        "band", "decay", "endings", "best", "ties", "plan_ties", "path", "notes", "warnings",
    ]  # fmt: skip
    assert set(record["final"]) == {"loss", "lower", "upper", "lr"}
    assert set(record["band"]) == {"state", "since", "by", "checked", "spikes", "never"}
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
