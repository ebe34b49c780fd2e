"""The band: healthy runs stay on it, wrong ones leave it, where they went wrong."""

import numpy as np
import pytest

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.fitting.prediction import Prediction
from losslaw.fitting.problem import usual_skip
from losslaw.forecasting import band as watch
from losslaw.forecasting.band import against, rolling, spikes_in, window_of
from losslaw.numerics.robust import white_noise

RUNS = {curve.label: curve for curve in ll.bundled_curves()}
STEPS = np.arange(100, 20_001, 100)
SCHEDULE = ll.constant(peak=1e-3, horizon=20_000, warmup=100)
SMOOTH = 3.0 + 10.0 * STEPS**-0.5


def prediction(schedule, steps, loss, lower, upper, level):
    return Prediction(
        schedule=schedule,
        steps=np.asarray(steps),
        loss=loss,
        lower=lower,
        upper=upper,
        level=level,
    )


class Known:
    """Predicts given losses with one half-width."""

    def __init__(self, losses, half):
        self.loss, self.half = losses, half

    def predict(self, schedule, steps=None, level=0.9, *, window=None):
        loss = np.interp(steps, STEPS, self.loss)
        bounds = (None, None) if self.half is None else (loss - self.half, loss + self.half)
        return prediction(schedule, steps, loss, *bounds, level)


def noisy(change=0.0, noise=0.002, seed=0):
    rng = np.random.default_rng(seed)
    losses = SMOOTH + noise * rng.normal(size=STEPS.size) + change
    return LossCurve(SCHEDULE, STEPS, losses, "run")


def late(size):
    return size * (STEPS > 12_000)


def test_noise_is_what_neighbours_differ_by_whatever_the_trend():
    # 200 points: the robust scale is known to about 8 %.
    assert white_noise(noisy(noise=0.01).loss) == pytest.approx(0.01, rel=0.25)
    assert white_noise(SMOOTH) < 1e-3


def test_a_departure_without_noise_is_dated_to_the_point():
    """The median of 21 points is out when 11 of them are: its window began ten points too early."""
    schedule, steps = ll.constant(peak=1e-3, horizon=630), np.arange(1, 631)
    run = ll.Momentum(L0=2.5, A=0.3, C=0.3, alpha=0.6).curve(schedule, steps, "run")
    fit = ll.fit(run, "momentum", skip=0)
    left = run.with_(loss=run.loss + 0.1 * (steps >= 400))
    assert window_of(left.loss) == 21
    assert against(left, fit, 0).since == 400


def test_a_noisy_log_is_judged_by_more_points():
    assert window_of(noisy(noise=1e-4).loss) == 6
    assert window_of(noisy(noise=0.5).loss) == 20


def test_noise_alone_is_on_the_band():
    """Of 200 noisy runs with an exact prediction of width zero: three standard errors of medians
    that must all be out; none is expected."""
    out = [against(noisy(seed=seed), Known(SMOOTH, 0.0), 0).state for seed in range(200)]
    assert set(out) == {"on"}


@pytest.mark.parametrize(("size", "state"), [(0.03, "above"), (-0.03, "below")])
def test_an_offset_is_seen_where_it_began(size, state):
    band = against(noisy(late(size)), Known(SMOOTH, 0.01), 0)
    assert band.state == state
    assert band.by == pytest.approx(size, abs=0.005)
    assert abs(band.since - 12_100) <= 300  # three points of six
    assert f"{state} its band since step" in str(band)
    assert not band.never


def test_an_offset_within_the_band_is_none():
    assert against(noisy(late(0.01)), Known(SMOOTH, 0.01), 0).state == "on"


@pytest.mark.parametrize(("size", "state"), [(0.05, "above"), (-0.05, "on")])
def test_an_interval_that_reaches_further_down_is_a_band_that_does(size, state):
    class Lopsided(Known):
        def predict(self, schedule, steps=None, level=0.9, *, window=None):
            loss = np.interp(steps, STEPS, SMOOTH)
            return prediction(schedule, steps, loss, loss - 0.1, loss + 0.01, level)

    assert against(noisy(late(size)), Lopsided(SMOOTH, None), 0).state == state


def test_a_departure_that_ended_is_over():
    there = 0.05 * ((STEPS > 8000) & (STEPS < 12_000))
    assert against(noisy(there), Known(SMOOTH, 0.01), 0).state == "on"


def test_a_run_stays_away_while_the_band_widens():
    """What is known of the far end is little: the offset is within that, but it is still there."""
    half = np.where(STEPS > 15_000, 0.1, 0.005)

    class Widening(Known):
        def predict(self, schedule, steps=None, level=0.9, *, window=None):
            loss = np.interp(steps, STEPS, SMOOTH)
            wide = np.interp(steps, STEPS, half)
            return prediction(schedule, steps, loss, loss - wide, loss + wide, level)

    assert against(noisy(late(0.03)), Widening(SMOOTH, None), 0).state == "above"


def test_a_run_that_was_never_there_is_told_from_one_that_left():
    band = against(noisy(0.5), Known(SMOOTH, 0.01), 0)
    assert band.never
    assert band.since == STEPS[0]


def test_without_an_interval_or_points_nothing_is_judged():
    assert against(noisy(), Known(SMOOTH, None), 0).state == "unknown"
    assert against(noisy(), Known(SMOOTH, 0.01), 19_800).state == "unknown"
    assert "not judged yet" in str(against(noisy(), Known(SMOOTH, None), 0))


def test_spikes_are_seen_with_their_height_and_end():
    losses = noisy().loss.copy()
    losses[100:102] += (0.5, 0.2)
    losses[-1] += 1.0
    curve = noisy().with_(loss=losses)
    first, second = spikes_in(curve, SMOOTH)
    assert (first.step, first.last) == (10_100, 10_200)
    assert first.height == pytest.approx(0.5, abs=0.02)
    assert (second.step, second.last) == (20_000, 20_000)
    assert against(curve, Known(SMOOTH, 0.01), 0).state == "on"  # a spike is no departure


def test_a_fall_of_the_rate_is_no_spike():
    steps = np.r_[np.zeros(100), -0.2 * np.ones(100)]
    curve = noisy(steps)
    assert spikes_in(curve, SMOOTH + steps) == ()


PEAKED = {"peak": 3e-3, "horizon": 12_000, "warmup": 100}


def rate(*parts):
    """A schedule of knots, as ``(step, share of the peak)``."""
    steps, shares = zip(*parts, strict=True)
    return ll.Schedule(3e-3 * np.interp(np.arange(1, 12_001), steps, shares), warmup=100)


RISING = {
    "two stages up": rate((1, 0.01), (100, 0.3), (6000, 0.3), (6001, 1), (12_000, 1)),
    "heated again": rate((1, 0.01), (100, 1), (4000, 1), (6000, 0.01), (6200, 1), (12_000, 1)),
    "jumps again": rate((1, 0.01), (100, 1), (4000, 1), (6000, 0), (6001, 0.5), (12_000, 0.5)),
    "cyclic": ll.cyclic(**PEAKED),
}


@pytest.mark.parametrize("name", RISING)
@pytest.mark.parametrize("truth", ["effective", "momentum"])
def test_a_rise_with_the_rate_is_no_spike_and_is_fitted(name, truth):
    """Nor where the law that is fitted misses a part of it: it knows nothing of `momentum`."""
    laws = {
        "effective": ll.Effective(L0=2.5, A=0.02, N=40.0),
        "momentum": ll.Momentum(L0=2.5, A=0.35, C=0.3, alpha=0.5),
    }
    run = laws[truth].curve(RISING[name], range(100, 12_001, 100), name)
    noise = 0.001 * np.random.default_rng(0).standard_normal(len(run))
    run = run.with_(loss=run.loss + noise)
    fit = ll.fit(run, "effective")
    assert fit.curves[0].left_out == ()
    part = run.after(400)
    assert spikes_in(part, fit.predict(part.schedule, part.steps).loss) == ()
    spiked = run.loss + 0.6 * (run.steps == 9000)
    fit = ll.fit(run.with_(loss=spiked), "effective")
    part = part.with_(loss=spiked[run.steps > 400])
    (spike,) = spikes_in(part, fit.predict(part.schedule, part.steps).loss)
    assert spike.step == 9000
    if name != "cyclic":  # whose rate has always risen lately
        assert fit.curves[0].left_out == ((9000, 9000),)


def judged(curve):
    return rolling(curve, usual_skip([curve]), ll.fit)


@pytest.mark.parametrize("label", [label for label in RUNS if "T12000" in label or "step" in label])
def test_healthy_bundled_runs_are_on_their_band(label):
    """All bundled and public runs: ``python -m validation progress``."""
    assert judged(RUNS[label]).state == "on"


@pytest.mark.parametrize("size", [0.1, -0.1])
def test_an_offset_of_a_bundled_run_is_seen(size):
    run = RUNS["cosine_peak3e-3_T12000"]
    band = judged(run.with_(loss=run.loss + size * (run.steps > 7200)))
    assert band.state == ("above" if size > 0 else "below")
    assert abs(band.since - 7200) <= 600  # 5 % of the run


def test_a_slow_divergence_of_a_bundled_run_is_seen():
    run = RUNS["constant_peak3e-3_T12000"]
    drift = 0.15 * np.clip((run.steps - 7200) / 4800, 0, None)
    band = judged(run.with_(loss=run.loss + drift))
    assert band.state == "above"
    assert 7200 <= band.since <= 10_500


def test_judgements_do_not_change_as_the_log_grows():
    """Beginnings end at the same steps whatever the length of the run, from its quarter on."""
    run = RUNS["constant_peak3e-3_T12000"]
    assert watch.origins(run.until(7000), 400) == [2048, 4096]
    assert watch.origins(run.until(8100), 400) == [2048, 4096]
    assert watch.origins(run, 400) == [4096, 8192]
