"""A fit that misses its curves says so first, with the cause that was recognised."""

import re

import numpy as np
import pytest

import losslaw as ll
from losslaw.fitting.misfit import misfit_of

STEPS = np.arange(100, 6001, 50)
LAW = ll.Effective(L0=1.9, A=0.35, N=45.0)


def run(label="a", schedule=None, seed=0, noise=0.005):
    schedule = ll.cosine(peak=1e-3, horizon=6000, warmup=100) if schedule is None else schedule
    curve = LAW.curve(schedule, STEPS, label)
    errors = noise * np.random.default_rng(seed).normal(size=len(curve))
    return curve.with_(loss=curve.loss + errors)


def other():
    return run("b", ll.wsd(peak=1e-3, horizon=6000, warmup=100, cooldown=0.2), seed=1)


def spoilt(curve, at, by):
    loss = curve.loss.copy()
    loss[at] += by
    return curve.with_(loss=loss)


def test_a_sound_fit_misses_nothing():
    fit = ll.fit([run(), other()], "effective")
    assert (fit.status.misfit, fit.status.ended) == ("", "converged")


def test_noise_is_no_miss():
    assert ll.fit([run(noise=0.1)], "effective").status.misfit == ""


def unlogged_warmup():
    curve = LAW.curve(ll.cosine(peak=1e-3, horizon=6000, warmup=1500), STEPS, "a")
    return curve.with_(schedule=ll.constant(peak=1e-3, horizon=6000))


CASES = {
    "two runs": (lambda: [spoilt(run(), slice(60, None), 1.0)], "two runs or data sets in one log"),
    "spikes": (lambda: [spoilt(run(), [70, 71, 72, 90, 91], 3.0)], "5 of its points .*spikes"),
    "bits": (lambda: [run(), other().with_(loss=other().loss / np.log(2))], "bits"),
    "warm-up": (lambda: [unlogged_warmup()], "the beginning .* its log shows no warm-up"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_missed_is_said_first_and_why(case):
    curves, cause = CASES[case]
    fit = ll.fit(curves(), "effective", keep_all=True)
    assert fit.status.ended == "converged, but far from the curves"
    assert fit.status.doubts[0] == fit.status.misfit
    assert re.search(cause, fit.status.misfit)
    assert str(fit).splitlines()[2].startswith("  doubt: misses ")


def test_a_mixture_that_misses_its_curves_is_not_confirmed(tmp_path):
    fit = ll.fit([spoilt(run(), slice(60, None), 1.0)], keep_all=True)
    assert str(fit).startswith("not confirmed: the fit misses a by ")
    fit.save(tmp_path / "fit.json")
    again = ll.load_fit(tmp_path / "fit.json")
    assert (str(again), again.status.misfit) == (str(fit), fit.status.misfit)
    assert again.predict("cosine:peak=1e-3,horizon=6000", [6000]).trust.status == "not confirmed"


def test_rates_of_another_unit_and_rounded_rates_are_recognised():
    curve = run()
    error = [np.full(len(curve), 0.5)]
    small = other().with_(schedule=other().schedule.scaled(1e-3))
    said = misfit_of([curve, small], [0 * error[0], error[0]]).sentence
    assert "0.001 times those of the others (another unit?)" in said
    rounded = curve.with_(schedule=ll.Schedule(np.round(curve.schedule.lr, 4) + 1e-4, warmup=100))
    assert "go in steps of 0.0001" in misfit_of([rounded], error).sentence
