"""What of a log is fitted: dirt is left out and said, what the rate explains stays."""

import numpy as np
import pytest
from helpers.public_curves import FOLDER, LLAMA2, needs_public_curves

import losslaw as ll
from losslaw.curves import read_curves
from losslaw.fitting.cleaning import averaged, cleaned
from losslaw.fitting.problem import usual_skip

LAW = ll.Effective(L0=2.5, A=0.5, N=45.0)
HORIZON = 20_000
USUAL = {"peak": 1e-3, "horizon": HORIZON, "warmup": 300, "weight_decay": 0.1}
CONSTANT = ll.constant(**USUAL)
DECAYING = ll.wsd(cooldown=0.2, **USUAL)


def run(schedule=CONSTANT, every=100, noise=0.002, seed=0):
    """A law's own losses, with white noise."""
    curve = LAW.curve(schedule, range(every, HORIZON + 1, every), "run")
    drawn = np.random.default_rng(seed).standard_normal(len(curve))
    return curve.with_(loss=curve.loss + noise * drawn)


def dirty(curve, excess):
    """The curve with so much added where there is something, by index."""
    loss = curve.loss.copy()
    for at, more in excess.items():
        loss[at] += more
    return curve.with_(loss=loss)


def with_rates(change):
    lr = CONSTANT.lr.copy()
    change(lr)
    return CONSTANT.with_(lr=lr)


def raised(lr):
    lr[:10_000] /= 2


def restarted(lr):
    wave = np.arange(6000)
    for start in (2000, 8000, 14_000):
        lr[start : start + 6000] = 5e-4 * (1.05 + np.cos(np.pi * wave / 6000))


def kicked(lr):
    lr[12_000:12_400] *= 2


CLEAN = {
    "constant": CONSTANT,
    "cosine": ll.cosine(**USUAL),
    "linear cooldown": DECAYING,
    "short cooldown": ll.wsd(cooldown=0.02, **USUAL),
    "1-sqrt cooldown": ll.wsd(cooldown=0.3, decay="1-sqrt", **USUAL),
    "steps down": ll.parse_schedule(f"step:peak=1e-3,horizon={HORIZON},warmup=300"),
    "a jump upward": with_rates(raised),
    "warm restarts": with_rates(restarted),
    "a kick of the rate": with_rates(kicked),
}


@pytest.mark.parametrize("schedule", CLEAN.values(), ids=CLEAN)
@pytest.mark.parametrize("every", [10, 100, 400])
@pytest.mark.parametrize("noise", [0.0, 0.002, 0.04])
def test_nothing_is_left_out_of_clean_runs(schedule, every, noise):
    # Of 2,000 Gaussian losses none is 8 standard deviations off.
    clean = cleaned(run(schedule, every, noise), 1200)
    assert clean.left_out == ()
    assert clean.averaged == (clean.curve.steps.size > 0 and every == 10) * 1881


def test_a_spike_is_left_out_with_its_flanks():
    curve = dirty(run(), {120: 0.02, 121: 3.0, 122: 0.5, 123: 0.02, 150: 1.0})
    clean = cleaned(curve)
    assert clean.spikes == ((12_100, 12_400), (15_100, 15_100))
    assert [note.text for note in clean.notes] == [
        "5 points at steps 12,100-12,400, 15,100 left out: 2 spikes (up to +3.00 nats)"
    ]
    kept = np.isin(curve.steps, clean.curve.steps)
    assert np.array_equal(clean.curve.loss, curve.loss[kept])
    assert int((~kept).sum()) == 5


def test_early_losses_and_small_bumps_are_no_spikes():
    assert cleaned(dirty(run(), {10: 3.0})).left_out == ()
    assert cleaned(dirty(run(noise=1e-5), {120: 0.01})).left_out == ()


def test_too_many_spikes_are_said_and_fitted():
    often = dirty(run(), dict.fromkeys(range(30, 200, 10), 3.0))
    clean = cleaned(often)
    assert clean.left_out == ()
    assert len(clean.curve) == len(often)
    assert "17 points stand out" in clean.notes[0].text
    assert "all are fitted" in clean.notes[0].text


@pytest.mark.parametrize("to", [0.5, 3.0])
def test_a_divergence_is_cut_where_it_begins(to):
    curve = dirty(run(), {190 + i: to * (i + 1) / 10 for i in range(10)})
    curve = dirty(curve, {180 + i: to for i in range(10)})
    clean = cleaned(curve)
    assert clean.diverged == (18_100, 20_000)
    assert clean.last_step == clean.curve.steps[-1] == 18_000
    assert clean.notes[0].text.startswith("20 points from step 18,100 on left out: the run div")


def test_a_divergence_after_the_rate_has_risen_is_cut():
    curve = run(with_rates(raised))
    diverged = dirty(curve, dict.fromkeys(range(180, 200), 0.5))
    assert cleaned(diverged).diverged == (18_100, 20_000)


def test_sparse_logs_stay_as_they_are():
    sparse = dirty(run(every=1100), {12: 3.0})
    assert len(sparse) == 18
    assert cleaned(sparse).curve is sparse


def test_dense_logs_are_averaged():
    curve = run(every=1, noise=0.04)
    clean = cleaned(curve, 1200)
    blocks = clean.curve.steps >= 1200
    assert 110 <= int(blocks.sum()) <= 140
    assert clean.notes[0].text == f"18,801 points averaged in {blocks.sum()} blocks"
    assert clean.counts.sum() == len(curve)
    assert clean.averaged == 18_801
    # Noise of a mean: four standard errors of a standard deviation of 150 of them.
    error = (clean.curve.loss - LAW.predict(CONSTANT, clean.curve.steps))[blocks]
    assert np.std(error / clean.variance[blocks] ** 0.5) == pytest.approx(1, abs=4 / 300**0.5)
    assert clean.noise == pytest.approx(0.04, rel=0.05)


LAWS = (LAW, ll.MultiPower(L0=2.5, A=0.5, B=200.0), ll.Momentum(L0=2.5, A=0.5, C=0.2))


@pytest.mark.parametrize("schedule", CLEAN.values(), ids=CLEAN)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_mean_is_the_loss_at_the_mean_step(law, schedule):
    every = law.curve(schedule, range(1, HORIZON + 1), "run")
    for skip in (0, 1000):
        means = averaged(every, skip)
        assert len(means) < 300 + max(skip, 300)
        # While its ramp lasts the effective-rate law bends more than a power of the updates.
        most = 3e-4 if law is LAW else 2e-4
        assert np.abs(means.loss - law.predict(schedule, means.steps)).max() < most


def test_no_block_reaches_over_a_jump_or_into_the_warmup():
    lr = CONSTANT.lr.copy()
    lr[9_999:] /= 3
    curve = run(CONSTANT.with_(lr=lr), every=1, noise=0.0)
    marked = curve.with_(loss=1.0 + (curve.steps > 300) + (curve.steps >= 10_000))
    assert set(averaged(marked).loss) == {1.0, 2.0, 3.0}


def test_what_is_hidden_in_the_noise_of_a_dense_log_is_found_in_its_blocks():
    curve = run(every=1, noise=0.04)
    bump = 0.15 * np.exp(-np.maximum(curve.steps - 12_000, 0) / 300) * (curve.steps >= 12_000)
    clean = cleaned(curve.with_(loss=curve.loss + bump), 1200)
    ((first, last),) = clean.spikes
    assert 11_800 < first <= 12_000
    assert 12_300 < last < 13_500


def test_a_tenth_is_skipped_where_no_warmup_is_known():
    unknown = ll.constant(peak=1e-3, horizon=HORIZON)
    curves = [LAW.curve(unknown, range(100, HORIZON + 1, 100), "long")]
    assert usual_skip(curves) == 2000
    assert usual_skip(curves, keep_all=True) == 0
    assert usual_skip([*curves, LAW.curve(unknown, range(100, 4001, 100), "short")]) == 1000
    assert usual_skip([LAW.curve(unknown, range(100, 5001, 100), "short")]) == 0
    assert usual_skip([run()]) == 1200


DIRT = {
    "six points": dict.fromkeys((60, 80, 100, 120, 140, 160), 3.0),
    "six in a row": dict.fromkeys(range(120, 126), 3.0),
    "one point": {150: 1.0},
    "a bump": {120 + i: 0.05 * 0.8**i for i in range(10)},
    "divergence": {190 + i: 0.3 * i for i in range(10)},
}


@pytest.fixture(scope="module")
def reference():
    return ll.fit(run()).predict(DECAYING, [HORIZON])


@pytest.mark.parametrize("excess", DIRT.values(), ids=DIRT)
def test_dirt_hardly_widens_an_interval(excess, reference):
    fit = ll.fit(dirty(run(), excess))
    prediction = fit.predict(DECAYING, [HORIZON])
    assert prediction.interval.half_width < 1.2 * reference.interval.half_width
    assert prediction.final == pytest.approx(reference.final, abs=0.002)
    assert "left out: " in str(fit.notes[0])
    assert fit.curves[0].left_out


def test_keep_all_fits_everything():
    curve = dirty(run(), DIRT["six points"])
    fit = ll.fit(curve, keep_all=True)
    assert fit.curves[0].points == int((curve.steps >= fit.skip).sum())
    assert fit.curves[0].left_out == ()
    assert fit.curves[0].rmse > 0.4
    assert not any("left out: " in str(note) for note in fit.notes)


def test_a_fit_remembers_what_was_left_out(tmp_path):
    fit = ll.fit(dirty(run(every=10), {1200: 3.0}))
    assert fit.curves[0].left_out == ((12_010, 12_010),)
    assert fit.curves[0].averaged == 1880
    assert fit.curves[0].last_step == HORIZON
    assert "(means of 1,880 losses)" in str(fit)
    fit.save(tmp_path / "fit.json")
    assert ll.load_fit(tmp_path / "fit.json").curves[0].left_out == fit.curves[0].left_out


def test_scores_of_a_fit_of_means_are_of_means():
    fit = ll.fit(run(every=10, noise=0.02))
    (score,) = ll.score(fit, [run(DECAYING, 10, 0.02, seed=1)], unseen=True).curves
    assert score.points == 100  # of 400
    assert score.rmse < 0.015


def test_a_forecast_cleans_and_its_band_sees_the_spikes():
    curve = dirty(run(noise=0.003), {120: 3.0})
    found = ll.forecast(curve, 2 * HORIZON)
    assert [spike.step for spike in found.band.spikes] == [12_100]
    assert any("at step 12,100 left out: a spike" in note for note in found.notes)
    kept = ll.forecast(curve, 2 * HORIZON, keep_all=True)
    assert kept.final != found.final
    assert not any("a spike" in note for note in kept.notes)


def test_a_saved_fit_is_brought_up_to_date_by_the_clean_run():
    fit = ll.fit([run(), run(DECAYING).with_(label="decaying")])
    new = run(seed=1).until(16_000)
    spiky = dirty(new, dict.fromkeys((110, 120, 130), 3.0))
    clean, found = (ll.forecast(each, HORIZON, fit=fit) for each in (new, spiky))
    assert found.final == pytest.approx(clean.final, abs=1e-3)
    assert any("3 spikes" in note for note in found.notes)


def test_advice_comparisons_and_profiles_are_of_clean_runs():
    runs = [run(), run(DECAYING).with_(label="decaying")]
    spiky = [dirty(runs[0], {120: 3.0}), runs[1]]
    said = "run: 1 point at step 12,100 left out: a spike (+3.00 nats)"
    advice = ll.advise(spiky, DECAYING, max_updates=5000)
    assert said in advice.sentences
    compared = ll.compare(spiky, ["effective"])
    assert said in str(compared)
    assert compared.laws[0].rmse < 0.05
    assert said in ll.profile(spiky, "alpha", points=3).sentences


@needs_public_curves
def test_clean_public_runs_speak_of_few_points():
    """One spike in a trunk that three runs share here, and one in another set."""
    said = []
    reading = {"schaipp_llama_val": {"warmup": 300, "lr_is": "next"}, "gemstones": {}}
    for folder, how in {LLAMA2.name: {"warmup": 2160}, **reading}.items():
        for path in sorted((FOLDER / folder).glob("*.csv")):
            (curve,) = read_curves(str(path), **how)
            clean = cleaned(curve, usual_skip([curve]))
            assert clean.diverged is None
            said += [(path.stem, clean.spikes)] if clean.spikes else []
    assert {spikes for _, spikes in said} <= {((13_600, 13_600),), ((28_620, 28_620),)}
    assert len(said) <= 6
