"""Runs of one schedule whose losses differ have other data, and are found by that."""

import numpy as np
import pytest

import losslaw as ll
from losslaw.fitting.trunks import DIFFERENT, other_trunks

LAW = ll.Effective(L0=2.0, A=0.5, N=40.0)
STEPS = np.arange(40, 4001, 40)
FLAT = LAW.curve(ll.constant(peak=1e-3, horizon=4000, warmup=100), STEPS, "flat")
WSD = LAW.curve(ll.wsd(peak=1e-3, horizon=4000, warmup=100, cooldown=0.25), STEPS, "wsd")
LEVEL = float(np.median(FLAT.loss))


def moved(run, by, noise=0.0, seed=0):
    return run.with_(loss=run.loss + by + noise * np.random.default_rng(seed).normal(size=100))


def test_one_trunk_is_no_other():
    """To the last digit; and by noise alone, however large."""
    assert other_trunks([FLAT, WSD], 400) is None
    assert other_trunks([moved(FLAT, 0, 0.02, 1), moved(WSD, 0, 0.02, 2)], 400) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_another_trunk_is_found_from_where_two_seeds_of_one_differ_on(sign):
    assert other_trunks([FLAT, moved(WSD, sign * 0.9 * DIFFERENT * LEVEL)], 400) is None
    note = other_trunks([FLAT, moved(WSD, sign * 1.1 * DIFFERENT * LEVEL)], 400)
    assert note.label == ""
    assert "flat and wsd have one schedule up to step 3,000, but differ by 0.00" in note.text


def logged(every, by=0.0, noise=0.0, mean=False, seed=0):
    """The flat run, logged more or less often, its losses means or not."""
    steps = np.arange(every, 4001, every)
    run = LAW.curve(FLAT.schedule, np.arange(1, 4001), f"every {every}")
    loss = run.loss[steps - 1]
    if mean:
        loss = np.add.reduceat(run.loss, steps - every) / every
    loss = loss + by + noise * np.random.default_rng(seed).normal(size=steps.size)
    window = np.full(steps.size, every) if mean else None
    return run.with_(steps=steps, loss=loss, window=window, loss_is="mean" if mean else "instant")


@pytest.mark.parametrize(
    "pair",
    [
        (dict(every=40, noise=2e-3), dict(every=70, noise=2e-3)),
        (dict(every=1, noise=0.05), dict(every=300, noise=2e-3)),
        (dict(every=40, noise=2e-3), dict(every=200, noise=2e-3, mean=True)),
        (dict(every=250, mean=True), dict(every=200, noise=2e-3)),
    ],
)
def test_runs_that_were_logged_at_other_steps_are_compared_all_the_same(pair):
    one, other = pair
    for seed in range(5):
        run = logged(**one, seed=seed)
        assert other_trunks([run, logged(**other, seed=seed + 9)], 400) is None
        note = other_trunks([run, logged(**other, seed=seed + 9, by=0.02)], 400)
        assert "differ by 0.0" in note.text


def test_an_average_over_nobody_knows_what_is_compared_with_nothing_else():
    late = logged(70, by=0.3).with_(loss_is="average")
    assert other_trunks([FLAT, late], 400) is None


def test_what_is_early_or_of_another_size_or_schedule_says_nothing():
    early = FLAT.with_(loss=FLAT.loss + 0.3 * (FLAT.steps < 400))
    assert other_trunks([early, WSD], 400) is None
    assert other_trunks([early, WSD], 0) is None  # a tenth of the losses: the median knows better
    far = moved(WSD, 0.3)
    assert other_trunks([FLAT.with_(model_size=1e6), far.with_(model_size=2e6)], 400) is None
    other = LAW.curve(ll.constant(peak=2e-3, horizon=4000, warmup=100), STEPS, "other")
    assert other_trunks([FLAT, moved(other, 0.3)], 400) is None


def test_the_fit_says_so_and_its_intervals_are_wider():
    noisy = [moved(run, 0.0, 2e-3, i) for i, run in enumerate((FLAT, WSD))]
    one, two = ll.fit(noisy), ll.fit([noisy[0], moved(noisy[1], 0.02)])
    assert (one.mixture.other_data, two.mixture.other_data) == (False, True)
    assert not any("other data" in str(note) for note in one.notes)
    assert any("flat and wsd have one schedule" in str(note) for note in two.notes)
    asked = ll.cosine(peak=1e-3, horizon=4000, warmup=100)
    wide = one.for_new_data().predict(asked)
    assert wide.final == one.predict(asked).final
    assert wide.interval.half_width > 1.05 * one.predict(asked).interval.half_width


def test_one_law_knows_nothing_of_other_data():
    with pytest.raises(ll.InputError, match="'effective' was fitted alone: fit without naming"):
        ll.fit(FLAT, "effective").for_new_data()


def test_a_saved_fit_knows_that_it_is_for_other_data(tmp_path):
    fit = ll.fit([FLAT, moved(WSD, 0.02)])
    fit.save(tmp_path / "fit.json")
    assert ll.load_fit(tmp_path / "fit.json").mixture.other_data
