"""Intervals of gains, against draws of the parameters; and designs for unlucky parameters."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from scipy.optimize import brentq

import losslaw as ll
from losslaw.designing.gains import APART, Gains, LawGains, distance
from losslaw.fitting.uncertainty import Uncertainty, prediction_gradient
from losslaw.laws import Query

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
def curves():
    steps = np.arange(60, 601, 10)
    rng = np.random.default_rng(0)
    curves = [
        LAW.curve(schedule, steps, label)
        for label, schedule in {"flat": ll.constant(**KNOWN), "cosine": COSINE, "wsd": WSD}.items()
    ]
    return [c.with_(loss=c.loss * np.exp(1e-3 * rng.normal(size=len(c)))) for c in curves]


@pytest.fixture(scope="module")
def fit(curves):
    """Several laws that answer together."""
    return ll.fit(curves)


@pytest.fixture(scope="module")
def alone(curves):
    """One law."""
    return ll.fit(curves, "effective")


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
    deviation = LawGains(LAW, known).deviation(WSD, COSINE)
    assert deviation == pytest.approx(np.std(differences), rel=0.12)


def test_what_both_share_cancels():
    known = uncertainty_of([1e-6, 0.5, 1e-6, 1e-6])
    assert LawGains(LAW, known).deviation(WSD, COSINE) < 1e-5
    # The losses themselves are known to half a nat.
    query = ll.laws.Query.of(WSD, [600])
    assert known.deviation(LAW, query)[0] > 0.4


def test_the_law_s_own_error_grows_with_the_distance():
    gains = LawGains(LAW, uncertainty_of([1e-9] * 4, tau=0.003))
    near = ll.wsd(**KNOWN, cooldown=0.21)
    assert gains.deviation(WSD, WSD) == pytest.approx(0, abs=1e-9)
    assert 0 < gains.deviation(WSD, near) < 0.3 * gains.deviation(WSD, COSINE)
    apart = distance(WSD, COSINE)
    expected = 0.003 * np.sqrt(2 * (1 - np.exp(-apart / APART)))
    assert gains.deviation(WSD, COSINE) == pytest.approx(expected, rel=1e-3)
    assert expected < 0.003 * np.sqrt(2)


def test_what_was_never_seen_has_no_end():
    known = replace(uncertainty_of([1e-3] * 4), unknown=("N",))
    assert LawGains(LAW, known).deviation(WSD, COSINE) == np.inf


def test_a_design_says_which_gains_are_sure(fit, alone):
    design = ll.design(fit, 600)
    for item in design.baselines.values():
        assert item.interval.lower < item.gain < item.interval.upper
    assert design.baselines["constant"].surely_worse
    # Wider at a higher level, by the quantiles of a Gaussian, where one law answers.
    narrow, wide = (
        ll.design(alone, 600, level=level).baselines["cosine"].interval for level in (0.9, 0.99)
    )
    assert wide.half_width / narrow.half_width == pytest.approx(2.5758 / 1.6449, rel=1e-4)


def slowly(fit, design, other, level=0.9):
    """Gain and interval by the laws' own predictions, exact gradients and a root of the mixture."""
    ours = Query.of(design, [600])
    weights = fit.mixture.question(ours).weights
    gains, deviations = [], []
    for member in fit.mixture.members:
        law, known = member.law, member.known
        gains.append(law.predict(other, [600])[0] - law.predict(design, [600])[0])
        apart = prediction_gradient(law, known.names, ours)[0]
        apart = apart - prediction_gradient(law, known.names, Query.of(other, [600]))[0]
        share = np.abs(design.lr - other.lr).sum() / np.maximum(design.lr, other.lr).sum()
        own = 2 * known.tau**2 * (1 - np.exp(-share / APART))
        deviations.append(np.sqrt(apart @ known.covariance @ apart + own))

    def below(gain):
        each = [NormalDist(m, sd).cdf(gain) for m, sd in zip(gains, deviations, strict=True)]
        return float(weights @ each)

    ends = [
        brentq(lambda gain, at=at: below(gain) - at, -1.0, 1.0, xtol=1e-13)
        for at in (0.5 - level / 2, 0.5 + level / 2)
    ]
    return float(weights @ gains), ends


def test_gains_of_several_laws_are_those_of_a_slow_direct_computation(fit):
    design = ll.design(fit, 600)
    assert (fit.mixture.question(Query.of(design.schedule, [600])).weights > 0.01).sum() > 1
    for item in design.baselines.values():
        gain, ends = slowly(fit, design.schedule, item.schedule)
        # Final losses are right to 1e-8.
        assert item.gain == pytest.approx(gain, abs=3e-8)
        assert [item.interval.lower, item.interval.upper] == pytest.approx(ends, abs=1e-7)
        assert item.loss == design.loss + item.gain
    # Not what the law that was minimised says by itself.
    heaviest = LawGains(fit.law, fit.uncertainty).gain(design.schedule, item.schedule)
    assert abs(item.gain - heaviest) > 1e-6


def test_laws_that_differ_make_an_interval_lop_sided():
    laws = tuple(LawGains(law, uncertainty_of([1e-3] * 4)) for law in (LAW, LAW.with_(N=20.0)))
    each = [law.gain(WSD, COSINE) for law in laws]
    gains = Gains(laws, np.array([0.9, 0.1]), np.array([0.9, 0.1]), 0.9)
    assert gains.gain(WSD, COSINE) == pytest.approx(0.9 * each[0] + 0.1 * each[1])
    interval = gains.interval(WSD, COSINE)
    middle, half = each[0], 1.645 * laws[0].deviation(WSD, COSINE)
    near, far = sorted([middle - interval.lower, interval.upper - middle])
    assert near < 1.1 * half
    assert far > 0.5 * abs(each[1] - each[0])


def test_one_law_without_an_end_leaves_the_mixture_without_one():
    blind = replace(uncertainty_of([1e-3] * 4), unknown=("N",))
    laws = (LawGains(LAW, uncertainty_of([1e-3] * 4)), LawGains(LAW, blind))
    assert (
        not Gains(laws, np.array([0.9, 0.1]), np.array([0.9, 0.1]), 0.9)
        .interval(WSD, COSINE)
        .bounded
    )


def test_gradients_in_blocks_are_those_of_single_updates():
    known = dict(peak=1e-3, horizon=24_000, warmup=500, weight_decay=0.1)
    a, b = ll.wsd(**known, cooldown=0.2), ll.cosine(**known)
    uncertainty = uncertainty_of([0.02, 0.01, 0.01, 2.0], correlation=0.4)
    apart = np.subtract(
        *[prediction_gradient(LAW, NAMES, Query.of(each, [24_000]))[0] for each in (a, b)]
    )
    expected = np.sqrt(apart @ uncertainty.covariance @ apart)
    # To a few thousandths: far less than the deviation is known to.
    assert LawGains(LAW, uncertainty).deviation(a, b) == pytest.approx(expected, rel=5e-3)


def test_the_simplest_schedule_that_is_as_good(fit, alone):
    for each in (fit, alone):
        design = ll.design(each, 600)
        simple = design.simple
        assert simple.cost <= max(simple.half, 1e-4)
        assert simple.cost == pytest.approx(simple.loss - design.loss, abs=1e-12)
        assert f"{simple.name}" in str(design)
        # Several laws count for the design as they would for the simpler one, nearly.
        predicted = each.predict(simple.schedule, [600]).final
        assert simple.loss == pytest.approx(predicted, abs=1e-7 if each is alone else 1e-4)
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
    gains = LawGains(LAW, known)
    spread = np.sqrt(gains.gradient(WSD) @ known.covariance @ gains.gradient(WSD))
    worse = gains.unlucky(WSD, 0.9).predict(WSD, [600])[0] - LAW.predict(WSD, [600])[0]
    # To first order in the parameters; the second is some percent here.
    assert worse == pytest.approx(1.2816 * spread, rel=0.03)
    middle = gains.unlucky(WSD, 0.5)
    assert middle.parameters == pytest.approx(LAW.parameters)


def test_a_cautious_design_is_better_where_it_is_unlucky(fit):
    bold, cautious = ll.design(fit, 600), ll.design(fit, 600, quantile=0.95)
    gains = LawGains(fit.law, fit.uncertainty)
    law = gains.unlucky(cautious.schedule, 0.95)
    ends = [law.predict(design.schedule, [600])[0] for design in (bold, cautious)]
    assert ends[1] <= ends[0] + 1e-7
    losses = [fit.law.predict(design.schedule, [600])[0] for design in (bold, cautious)]
    assert losses[1] >= losses[0] - 1e-7
    assert "as bad for it as the 95% quantile" in cautious.sentences[-1]


def test_quantiles_that_make_no_sense_are_refused(fit):
    with pytest.raises(ll.InputError, match=r"quantile is 0\.2, expected 0\.5 or above"):
        ll.design(fit, 600, quantile=0.2)
    with pytest.raises(ll.InputError, match="needs the uncertainty of a fit"):
        ll.design(LAW, 600, peak=1e-3, quantile=0.9)
