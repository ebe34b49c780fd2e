"""The ways a run can go on: rates update by update."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.continuing.second_phase import (
    SecondPhase,
    annealed_at_end,
    decayed_later,
    peaks_of,
)

WSD = ll.wsd(peak=1e-3, horizon=1000, warmup=100, cooldown=0.2, batch=32, weight_decay=0.1)
STABLE = ll.constant(peak=1e-3, horizon=1000, warmup=100)


def test_an_annealed_run_is_warmed_up_again_held_and_brought_down():
    whole = SecondPhase(updates=500, rewarmup=50, over=100).to_peak(WSD, 5e-4)
    ahead = whole.lr[1000:]
    assert whole.horizon == 1500
    assert_allclose(ahead[:50], 5e-4 * np.arange(1, 51) / 50)
    assert_allclose(ahead[50:400], 5e-4)
    assert_allclose(ahead[400:], 5e-4 * (1 - np.arange(1, 101) / 100), atol=1e-18)
    assert_allclose(whole.lr[:1000], WSD.lr)
    assert (whole.batch[-1], whole.weight_decay[-1], whole.warmup) == (32, 0.1, 100)


def test_the_usual_lengths():
    # The first warm-up had 100 updates, a tenth of those to come is 50; 20 % of all are 300.
    phase = SecondPhase(updates=500)
    assert (phase.rise(WSD, 1e-3), phase.fall(WSD, 50)) == (50, 300)
    assert SecondPhase(updates=5000).rise(WSD, 1e-3) == 100
    # No more than the re-warm-up leaves.
    assert SecondPhase(updates=100).fall(WSD, 10) == 90
    assert SecondPhase(updates=500, over=0.1).fall(WSD, 50) == 150
    # A rate that is there needs no rise, and one warm-up is unknown.
    assert phase.rise(STABLE, 1e-3) == 0
    assert phase.rise(STABLE.with_(warmup=0), 2e-3) == 50


def test_a_stable_run_goes_on_decays_or_changes_its_rate():
    phase = SecondPhase(updates=200, over=100, rewarmup=20, final=1e-5)
    assert_allclose(phase.held(STABLE).lr[1000:], 1e-3)
    assert_allclose(phase.to_peak(STABLE, 1e-3).lr[1000:1100], 1e-3)
    down = phase.decayed(STABLE).lr[1000:]
    assert (down[-1], down.size) == (pytest.approx(1e-5), 200)
    lower = phase.to_peak(STABLE, 4e-4).lr[1000:]
    assert_allclose(lower[:20], 1e-3 - 6e-4 * np.arange(1, 21) / 20)
    assert lower[-1] == pytest.approx(1e-5)


def test_one_update_of_each_kind():
    ahead = SecondPhase(updates=2, rewarmup=1).to_peak(WSD, 1e-3).lr[1000:]
    assert_allclose(ahead, [1e-3, 0.0])
    ahead = SecondPhase(updates=2, rewarmup=0, over=1).to_peak(WSD, 1e-3).lr[1000:]
    assert_allclose(ahead, [1e-3, 0.0])


def test_a_decay_begun_later():
    later = decayed_later(WSD, 300)
    assert_allclose(later.lr[:800], WSD.lr[:800])
    assert_allclose(later.lr[800:1100], 1e-3)
    assert_allclose(later.lr[1100:], WSD.lr[800:])
    # A cosine has no stable phase: it is the cosine of the longer horizon.
    cosine = ll.cosine(peak=1e-3, horizon=1000, warmup=100, final=1e-4)
    longer = ll.cosine(peak=1e-3, horizon=1300, warmup=100, final=1e-4)
    assert_allclose(decayed_later(cosine, 300).lr, longer.lr, rtol=1e-4)


def test_where_a_run_is_annealed():
    assert annealed_at_end(WSD)
    assert annealed_at_end(ll.cosine(peak=1e-3, horizon=1000, warmup=100, final=1e-4))
    assert not annealed_at_end(STABLE)
    assert not annealed_at_end(WSD.prefix(900))
    # A warm-up that has only begun is no decay.
    assert not annealed_at_end(STABLE.prefix(5))


def test_the_peaks_that_are_compared():
    assert_allclose(peaks_of(WSD, None, 0.0), [1e-3, 5e-4, 2e-4])
    half = WSD.prefix(900)
    assert_allclose(peaks_of(half, None, 0.0), [1e-3, half.final_lr, 2e-4])
    assert_allclose(peaks_of(half, [3e-4, 1e-3], 0.0), [1e-3, 3e-4])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"updates": 1}, "1 updates to come, expected at least 2"),
        ({"updates": 10, "rewarmup": 10}, "re-warm-up over 10 updates, expected 0..9"),
        ({"updates": 10, "over": 0}, "cooldown over 0"),
        ({"updates": 10, "over": float("nan")}, "cooldown over nan"),
        ({"updates": 10, "final": -1.0}, "final rate is -1"),
        ({"updates": 10, "shape": "round"}, "round"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(ll.InputError, match=words):
        SecondPhase(**arguments)


def test_a_peak_below_the_final_rate():
    phase = SecondPhase(updates=100, final=1e-4)
    for peak in (1e-4, float("inf")):
        with pytest.raises(ll.InputError, match="expected a rate above the final one"):
            phase.to_peak(WSD, peak)
    for asked, final in (([], 0.0), (None, 1e-2)):
        with pytest.raises(ll.InputError, match="no peak above the final rate"):
            peaks_of(WSD, asked, final)


def test_a_rise_may_be_a_share_of_the_updates_to_come():
    run = ll.linear(peak=1.0, horizon=50)
    one, other = (SecondPhase(updates=200, rewarmup=w).to_peak(run, 0.8) for w in (0.05, 10))
    assert one == other
