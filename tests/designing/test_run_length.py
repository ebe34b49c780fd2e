"""Lengths for a loss and sizes for a budget, against closed forms."""

import math

import numpy as np
import pytest

import losslaw as ll
from losslaw.designing.run_length import best_pair, compute_optimal, horizon_for
from losslaw.kernel.theory import Exponents, constant_risk

KNOWN = dict(peak=1e-3, horizon=1500, warmup=50, weight_decay=0.1)
STEPS = np.arange(100, 1501, 20)


@pytest.fixture(scope="module")
def fit():
    law = ll.Momentum(L0=2.5, A=0.3, C=0.3, alpha=0.6)
    schedules = {"flat": ll.constant(**KNOWN), "cosine": ll.cosine(**KNOWN)}
    return ll.fit([law.curve(s, STEPS, label) for label, s in schedules.items()], "momentum")


@pytest.mark.parametrize("loss", [2.9, 2.75, 2.6])
def test_length_of_a_constant_run_has_a_closed_form(fit, loss):
    """``L0 + A S^-alpha`` with ``S = peak (n - (W - 1) / 2)`` after a warm-up of W updates."""
    run = horizon_for(fit, loss, family="constant", warmup=50)
    law = fit.law
    time = ((loss - law.L0) / law.A) ** (-1 / law.alpha)
    # Lengths are searched to 1e-5 of their log, and rounded up to whole updates.
    assert run.updates == pytest.approx(time / 1e-3 + 49 / 2, rel=5e-5, abs=1)
    assert run.schedule.horizon == run.updates


@pytest.mark.parametrize(("family", "tuned"), [("wsd", False), ("cosine", False)])
def test_the_length_is_the_first_that_reaches_the_loss(fit, family, tuned):
    run = horizon_for(fit, 2.7, family=family, tuned=tuned, warmup=50)
    assert fit.predict(run.schedule, [run.updates]).final <= 2.7
    shorter = horizon_for(fit, 2.7005, family=family, tuned=tuned, warmup=50)
    assert shorter.updates < run.updates
    assert run.shortest <= run.updates <= run.longest
    # At the ends of the interval of lengths, the loss is at the ends of its own.
    if not tuned and math.isfinite(run.longest):
        late = horizon_for(fit, 2.7, family=family, warmup=50).longest
        schedule = ll.wsd(peak=1e-3, horizon=late, warmup=50) if family == "wsd" else None
        if schedule is not None:
            upper = fit.predict(schedule, [late]).upper[0]
            assert upper == pytest.approx(2.7, abs=1e-4)


def test_a_better_schedule_needs_fewer_updates(fit):
    usual = horizon_for(fit, 2.7, family="wsd", warmup=50)
    assert horizon_for(fit, 2.7, family="wsd", tuned=True, warmup=50).updates <= usual.updates


def test_losses_out_of_reach_are_refused(fit, monkeypatch):
    monkeypatch.setattr("losslaw.designing.run_length.LONGEST_DESIGNED", 100_000)
    with pytest.raises(ll.InputError, match="no run of up to 100,000 updates reaches a loss of"):
        horizon_for(fit, fit.law.L0 + 1e-3, family="constant")
    with pytest.raises(ll.InputError, match="unknown schedule 'wds'"):
        horizon_for(fit, 2.7, family="wds")


def test_a_loss_below_the_irreducible_one_is_refused_at_once(sizes, fit):
    law = sizes.at_size(1e8)[0]
    with pytest.raises(ll.InputError, match=f"irreducible loss L0 of this fit is {law.L0:.4f}"):
        horizon_for(sizes, law.L0 - 0.01, model_size=1e8)
    # Where a decay is a gain, the law goes below its L0.
    below = horizon_for(fit, fit.law.L0 - 0.01, warmup=50)
    assert fit.predict(below.schedule, [below.updates]).final <= fit.law.L0 - 0.01


def test_the_interval_of_a_length_says_so(fit):
    assert "90% interval of the length: " in str(horizon_for(fit, 2.7, warmup=50))


B, BETA = 300.0, 0.32  # of the loss that a larger model removes, B P^-beta


@pytest.fixture(scope="module")
def sizes():
    law = ll.Chinchilla(L0=1.7, A=20.0, alpha=0.35)
    schedule = ll.cosine(peak=1e-3, horizon=4000, batch=64)
    curves = [
        law.with_(L0=1.7 + B * size**-BETA)
        .curve(schedule, range(400, 4001, 100), f"{size:g}")
        .with_(model_size=size)
        for size in (2e7, 1e8, 4e8)
    ]
    return ll.fit(curves, "chinchilla")


def test_the_best_size_is_that_of_the_closed_form(sizes):
    """Minimum of ``A t^-alpha + B P^-beta`` along ``6 P (64 * 512 / 64) t = C``, t sequences."""
    law, length = sizes.law, 512
    compute = 6 * 1e8 * 64 * length * 3000
    pair = compute_optimal(
        sizes, compute, batch=64, sequence_length=length, family="constant", peak=1e-3
    )
    sequences = compute / (6 * length)  # times sizes
    ratio = law.alpha * law.A / (BETA * B) * sequences**-law.alpha
    best = ratio ** (-1 / (law.alpha + BETA))
    # Whole updates, of which there are 3,000, cost up to 2e-4; and the valley is flat.
    assert pair.model_size == pytest.approx(best, rel=0.02)
    bottom = 1.7 + law.A * (sequences / best) ** -law.alpha + B * best**-BETA
    # The exponent of the sizes is read off three of them, and held near the .25 that it usually is.
    assert pair.loss == pytest.approx(bottom, abs=5e-4)
    assert not pair.at_edge


def test_sizes_have_edges(sizes):
    pair = compute_optimal(
        sizes, 2e17, batch=64, sequence_length=512, family="constant", sizes=(2e7, 4e7)
    )
    assert pair.at_edge
    assert pair.model_size == pytest.approx(4e7, rel=1e-2)
    assert "outside the fitted" not in str(pair)


def test_sizes_outside_the_fitted_ones_say_so(sizes):
    pair = compute_optimal(
        sizes, 1e18, batch=64, sequence_length=512, family="constant", sizes=(8e8, 1.2e9)
    )
    assert "note: the size is outside the fitted 2e+07 .. 4e+08" in str(pair)


def test_one_size_has_no_best_size(fit):
    with pytest.raises(ll.InputError, match="needs a fit over several model sizes"):
        compute_optimal(fit, 1e18, batch=64, sequence_length=512)


def test_budgets_too_small_are_refused(sizes):
    with pytest.raises(ll.InputError, match="are less than a run of"):
        compute_optimal(sizes, 1e9, batch=64, sequence_length=512)
    with pytest.raises(ll.InputError, match="are more than 2,000,000 updates"):
        compute_optimal(sizes, 1e25, batch=64, sequence_length=512)


@pytest.fixture(scope="module")
def mixed():
    """Several laws that answer together, of two sizes."""
    law = ll.Effective(L0=2.5, A=0.3, N=45.0)
    return ll.fit(
        [
            law.with_(L0=2.0 + B * size**-BETA)
            .curve(schedule, STEPS, f"{label} {size:g}")
            .with_(model_size=size)
            for size in (2e7, 1e8)
            for label, schedule in {"flat": ll.constant(**KNOWN), "wsd": ll.wsd(**KNOWN)}.items()
        ]
    )


def test_of_several_laws_all_say_how_long_a_run_is(mixed):
    loss = mixed.predict(ll.wsd(**{**KNOWN, "horizon": 3000}), [3000], 0.9, 2e7).final
    run = horizon_for(mixed, loss, model_size=2e7)
    assert run.updates == pytest.approx(3000, abs=1)
    end = mixed.predict(run.schedule, [run.updates], 0.9, 2e7)
    assert run.trust == end.trust
    assert str(run).startswith(f"{end.trust.sentence}\n")
    assert run.as_dict()["trust"]["status"] == end.trust.status
    # The interval of all laws reaches the loss where the run may be as short as that.
    shortest = ll.wsd(**{**KNOWN, "horizon": run.shortest})
    ends = mixed.predict(shortest, [run.shortest], 0.9, 2e7)
    assert ends.interval.lower == pytest.approx(loss, abs=1e-3)


def test_of_several_laws_the_heaviest_finds_a_size_and_all_say_its_loss(mixed):
    budget = dict(batch=32, sequence_length=512, sizes=(2e7, 1e8))
    pair = compute_optimal(mixed, 6 * 5e7 * 32 * 512 * 2000, **budget)
    schedule = ll.wsd(**{**KNOWN, "horizon": pair.updates})
    end = mixed.predict(schedule, [pair.updates], 0.9, pair.model_size)
    # One update more or less where the budget is rounded.
    assert pair.loss == pytest.approx(end.final, abs=1e-3)
    assert str(pair).startswith(end.trust.status)

    def heaviest(size):
        horizon = int(6 * 5e7 * 32 * 512 * 2000 / (6 * size * 32 * 512))
        law = mixed.at_size(size)[0]
        return law.predict(ll.wsd(**{**KNOWN, "horizon": horizon}), [horizon])[0]

    others = [heaviest(size) for size in np.geomspace(2e7, 1e8, 15)]
    assert heaviest(pair.model_size) <= min(others) + 1e-4


@pytest.mark.parametrize(("s", "beta"), [(1.0, 2.0), (0.5, 1.5), (0.5, 4.0)])
def test_best_pairs_of_the_kernel_world_scale_as_its_theory(s, beta):
    """Constant rate: ``M ~ C^(1/(1+(s+1)beta))``, risk ``C^-(s beta/(1+s beta+beta))``."""
    exponents = Exponents(s, beta)

    def risk(modes, samples):
        peaks = np.geomspace(1e-8, 1.0, 400)
        return min(
            constant_risk(exponents, peak=peak, samples=samples, modes=modes).total
            for peak in peaks
        )

    low, high = (best_pair(risk, 6 * C, 2.0, 1e8) for C in (1e14, 1e17))
    decades = math.log(1e3)
    size = math.log(high.model_size / low.model_size) / decades
    fall = -math.log(high.loss / low.loss) / decades
    # Local exponents at finite compute, peaks on a grid of 5 %.
    assert size == pytest.approx(1 / (1 + (s + 1) * beta), abs=0.01)
    assert fall == pytest.approx(s * beta / (1 + s * beta + beta), abs=0.01)


@pytest.mark.parametrize("loss", [math.nan, math.inf, 0.0, -1.0])
def test_a_loss_that_is_no_loss_is_refused(fit, loss):
    with pytest.raises(ll.InputError, match="expected a finite number above 0"):
        horizon_for(fit, loss)


@pytest.mark.parametrize(
    "numbers",
    [(math.nan, 128, 512), (1e20, 0, 512), (1e20, -128, 512), (1e20, 128, -1)],
)
def test_a_budget_of_impossible_numbers_is_refused(sizes, numbers):
    compute, batch, sequence_length = numbers
    with pytest.raises(ll.InputError, match="expected a finite number above 0"):
        compute_optimal(sizes, compute, batch=batch, sequence_length=sequence_length)


def test_a_warmup_may_be_a_share_of_the_run_that_is_searched(fit, sizes):
    run = horizon_for(fit, 3.2, warmup=0.1)
    assert run.schedule.warmup == round(0.1 * run.updates)
    again = horizon_for(fit, 3.2, warmup=run.schedule.warmup)
    assert abs(again.updates - run.updates) <= 2
