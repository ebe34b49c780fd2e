"""What would tell two runs apart: the advice comes true, and agrees with what advising expects."""

import re
from dataclasses import replace

import numpy as np
import pytest

import losslaw as ll
from losslaw.advising.candidate_runs import Candidate
from losslaw.advising.expected_interval import ExpectedIntervals
from losslaw.fitting.final_loss import FinalLoss, difference
from losslaw.fitting.mixture import FLOOR
from losslaw.schedules import decay_rates

LAW = ll.Effective(L0=2.5, A=0.55, N=45.0)


def logged(schedule, label, seed=0):
    curve = LAW.curve(schedule, np.arange(50, schedule.horizon + 1, 50), label)
    draws = np.random.default_rng(seed).normal(0, 0.002, len(curve))
    return curve.with_(loss=curve.loss + draws)


def stable(label, peak, n, seed):
    known = {"warmup": 200, "weight_decay": 0.1}
    return logged(ll.constant(peak=peak, horizon=n, **known), label, seed)


def decayed(curve, over):
    rates = decay_rates(curve.schedule.final_lr, 0.0, "linear", over)
    return curve.schedule.prefix(int(curve.steps[-1])).extended(rates)


def test_a_decay_of_one_tells_as_foretold():
    runs = [stable("a", 1e-3, 6000, 0), stable("b", 1.2e-3, 4000, 1)]
    (pair,) = ll.annealed(runs, law="effective").pairs
    found = re.fullmatch(r"a decay over (\d+) updates of (a|b)", pair.needs)
    assert found is not None
    assert pair.interval.half_width > abs(pair.difference)
    one = next(run for run in runs if run.label == found[2])
    at = dict(zip("ab", pair.at, strict=True))[one.label]
    made = logged(decayed(one.until(at), int(found[1])), "made", 5)
    (after,) = ll.annealed(runs, earlier=made, law="effective").pairs
    assert after.interval.half_width < pair.interval.half_width
    assert after.interval.half_width == pytest.approx(abs(pair.difference), rel=0.1)


def test_decays_of_both_leave_the_noise_as_advising_expects():
    """Runs that end alike, between which no law errs: the closed form is all there is."""
    known = {"peak": 1e-3, "horizon": 6000, "warmup": 200, "weight_decay": 0.1}
    steps = ll.constant(**known)
    lower = 0.5 * steps.lr
    dip = steps.with_(lr=np.where(np.arange(6000) // 1500 == 1, lower, steps.lr), spec=None)
    runs = [logged(steps, "a"), logged(dip, "b", 1)]
    ends = [decayed(run, 1200) for run in runs]
    fit = ll.fit(runs, "effective")
    a, b = (FinalLoss.of(fit, end) for end in ends)
    noise = FLOOR * max(a.level, b.level)
    before = difference(a, b, 0.9, noise).interval.half_width
    first = LAW.curve(ends[0], range(50, 7201, 50), "first")
    expected = ExpectedIntervals.of(fit, [*runs, first], "effective", None)
    second = Candidate(schedule=ends[1], begins=6000, trunk="b", words="", spec="")
    alone = ExpectedIntervals.of(fit, runs, "effective", None)
    now = alone.variance_between(alone.now, *ends)
    left = expected.variance_between(expected.after(second, 50), *ends) / now
    narrowed = [
        replace(
            worth, known=(replace(worth.known[0], covariance=left * worth.known[0].covariance),)
        )
        for worth in (a, b)
    ]
    after = difference(*narrowed, 0.9, noise).interval.half_width
    closed = 1.6449 * np.sqrt(2) * noise
    assert closed <= after <= 1.25 * closed
    assert after < before


def test_a_saved_fit_knows_no_runs_and_asks_for_decays_of_both():
    runs = [stable("a", 1e-3, 6000, 0), stable("b", 1.2e-3, 4000, 1)]
    (pair,) = ll.annealed(runs, fit=ll.fit(runs, "effective")).pairs
    assert pair.verdict == "not told apart"
    assert pair.needs.endswith("updates of both")
