"""Intervals of gains, against draws of the parameters; and designs for unlucky parameters."""

from dataclasses import replace

import numpy as np
import pytest

import losslaw as ll
from losslaw.designing.gains import APART, Gains, distance
from losslaw.fitting.uncertainty import Uncertainty

LAW = ll.Effective(L0=2.5, A=0.3, N=47.0)
KNOWN = dict(peak=1e-3, horizon=600, warmup=30, weight_decay=0.1)
WSD = ll.wsd(**KNOWN, cooldown=0.2)
COSINE = ll.cosine(**KNOWN)
NAMES = ("alpha", "L0", "A", "N")


def uncertainty_of(sd, correlation=0.0, tau=0.0):
    sd = np.array(sd)
    matrix = np.full((4, 4), correlation) + (1 - correlation) * np.eye(4)
    return Uncertainty(
        names=NAMES,
        covariance=matrix * np.outer(sd, sd),
        tau=tau,
        peak_error=0.01,
        peaks=(1e-3,),
        misfit=1e-3,
        farthest=1.0,
    )


@pytest.fixture(scope="module")
def fit():
    steps = np.arange(60, 601, 10)
    rng = np.random.default_rng(0)
    curves = [
        LAW.curve(schedule, steps, label)
        for label, schedule in {"flat": ll.constant(**KNOWN), "cosine": COSINE, "wsd": WSD}.items()
    ]
    noisy = [c.with_(loss=c.loss * np.exp(1e-3 * rng.normal(size=len(c)))) for c in curves]
    return ll.fit(noisy)


def test_deviation_of_a_difference_is_that_of_draws():
    """500 draws of the parameters; three standard errors of their deviation are 9 %.

    The formula is linear in the parameters, the draws are not: another 3 % at these deviations.
    """
    known = uncertainty_of([0.02, 0.01, 0.01, 2.0], correlation=0.4)
    rng = np.random.default_rng(1)
    moves = rng.multivariate_normal(np.zeros(4), known.covariance, size=500)
    differences = []
    for alpha, L0, A, N in moves:
        law = LAW.with_(alpha=LAW.alpha * np.exp(alpha), L0=2.5 + L0, A=0.3 + A, N=47 + N)
        ends = [law.predict(schedule, [600])[0] for schedule in (WSD, COSINE)]
        differences.append(ends[0] - ends[1])
    deviation = Gains(LAW, known, 0.9).deviation(WSD, COSINE)
    assert deviation == pytest.approx(np.std(differences), rel=0.12)


def test_what_both_share_cancels():
    known = uncertainty_of([1e-6, 0.5, 1e-6, 1e-6])
    assert Gains(LAW, known, 0.9).deviation(WSD, COSINE) < 1e-5
    # The losses themselves are known to half a nat.
    query = ll.laws.Query.of(WSD, [600])
    assert known.deviation(LAW, query)[0] > 0.4


def test_the_law_s_own_error_grows_with_the_distance():
    gains = Gains(LAW, uncertainty_of([1e-9] * 4, tau=0.003), 0.9)
    near = ll.wsd(**KNOWN, cooldown=0.21)
    assert gains.deviation(WSD, WSD) == pytest.approx(0, abs=1e-9)
    assert 0 < gains.deviation(WSD, near) < 0.3 * gains.deviation(WSD, COSINE)
    apart = distance(WSD, COSINE)
    expected = 0.003 * np.sqrt(2 * (1 - np.exp(-apart / APART)))
    assert gains.deviation(WSD, COSINE) == pytest.approx(expected, rel=1e-3)
    assert expected < 0.003 * np.sqrt(2)


def test_what_was_never_seen_has_no_end():
    known = replace(uncertainty_of([1e-3] * 4), unknown=("N",))
    assert Gains(LAW, known, 0.9).deviation(WSD, COSINE) == np.inf


def test_a_design_says_which_gains_are_sure(fit):
    design = ll.design(fit, 600)
    for item in design.baselines.values():
        assert item.interval.lower < item.gain < item.interval.upper
    assert design.baselines["constant"].surely_worse
    # Wider at a higher level, by the quantiles of a Gaussian.
    wide = ll.design(fit, 600, level=0.99).baselines["cosine"]
    ratio = wide.interval.half_width / design.baselines["cosine"].interval.half_width
    assert ratio == pytest.approx(2.5758 / 1.6449, rel=1e-3)


def test_the_simplest_schedule_that_is_as_good(fit):
    design = ll.design(fit, 600)
    simple = design.simple
    assert simple.cost <= max(simple.half, 1e-4)
    assert simple.loss == pytest.approx(fit.predict(simple.schedule, [600]).final, abs=1e-7)
    assert simple.cost == pytest.approx(simple.loss - design.loss, abs=1e-7)
    assert f"{simple.name}" in str(design)
    # A law without uncertainty knows that nothing else is as good.
    assert ll.design(LAW, 600, peak=1e-3, warmup=30).simple is None


def test_where_nothing_is_gained_a_usual_schedule_is_as_good():
    """Next to no noise, so that staying at the peak is best: the constant schedule."""
    law = ll.Convolution(L0=2.5, A=0.3, N=1e-6, s=0.6)
    design = ll.design(law, 600, peak=1e-3, warmup=30)
    assert design.simple.name == "constant"
    assert "no significant gain over constant" in str(design)


def test_unlucky_parameters_are_the_quantile_of_the_loss():
    known = uncertainty_of([0.02, 0.01, 0.01, 2.0])
    gains = Gains(LAW, known, 0.9)
    spread = np.sqrt(gains.gradient(WSD) @ known.covariance @ gains.gradient(WSD))
    worse = gains.unlucky(WSD, 0.9).predict(WSD, [600])[0] - LAW.predict(WSD, [600])[0]
    # To first order in the parameters; the second is some percent here.
    assert worse == pytest.approx(1.2816 * spread, rel=0.03)
    middle = gains.unlucky(WSD, 0.5)
    assert middle.parameters == pytest.approx(LAW.parameters)


def test_a_cautious_design_is_better_where_it_is_unlucky(fit):
    bold, cautious = ll.design(fit, 600), ll.design(fit, 600, quantile=0.95)
    gains = Gains(fit.law, fit.uncertainty, 0.9)
    law = gains.unlucky(cautious.schedule, 0.95)
    ends = [law.predict(design.schedule, [600])[0] for design in (bold, cautious)]
    assert ends[1] <= ends[0] + 1e-7
    assert cautious.loss >= bold.loss - 1e-7
    assert "as bad for it as the 95% quantile" in cautious.sentences[-1]


def test_quantiles_that_make_no_sense_are_refused(fit):
    with pytest.raises(ll.InputError, match=r"quantile is 0\.2, expected 0\.5 or above"):
        ll.design(fit, 600, quantile=0.2)
    with pytest.raises(ll.InputError, match="needs the uncertainty of a fit"):
        ll.design(LAW, 600, peak=1e-3, quantile=0.9)
