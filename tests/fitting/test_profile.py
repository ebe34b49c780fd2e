"""Profile likelihoods: against the linearised errors, by brute force, and with open ends."""

import numpy as np
import pytest
from helpers.fit_samples import SCHEDULES, curves_of, law_of
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.fitting import fit
from losslaw.fitting.profile import profile
from losslaw.fitting.status import POINTS_A_RUN

NOISE = 5e-4


@pytest.fixture(scope="module")
def curves():
    return curves_of(law_of("momentum"), ["flat", "cosine", "wsd"], noise=NOISE)


@pytest.mark.parametrize("name", ["alpha", "L0", "C"])
def test_where_much_is_known_it_is_the_linearised_interval(curves, name):
    found = profile(curves, name, law="momentum")
    made = fit(curves, "momentum")
    sd = made.uncertainty.parameter_errors(made.law)[name]
    # 1.645 standard deviations to either side; Huber's loss counts outliers less: 15 %.
    assert found.interval.half_width == pytest.approx(1.6449 * sd, rel=0.15)
    assert found.interval.holds(found.best)
    assert found.values[np.argmin(found.rise)] == found.best
    assert found.rise.min() == 0
    assert found.sentences == ()


def test_the_rise_is_that_of_the_objective_with_the_parameter_fixed(curves):
    """By brute force: amplitudes by least squares at each alpha, in one run of known scale."""
    law = law_of("momentum")
    steps = np.arange(210, 1501, 15)
    # Small errors, which Huber's loss squares, in a pattern that no column follows.
    errors = 1e-4 * np.where(np.arange(steps.size) % 2, 1.0, -1.0)
    losses = law.predict(SCHEDULES["wsd"], steps) * np.exp(errors)
    curve = ll.LossCurve(SCHEDULES["wsd"], steps, losses, "run")
    found = profile(curve, "alpha", law="momentum", points=5, skip=0)
    # The scale is never below what repeated runs differ by, and a few points count.
    scale = 3e-4

    def cost(alpha):
        terms = law.with_(alpha=alpha, L0=1.0, A=1.0, C=1.0).decompose(SCHEDULES["wsd"], steps)
        columns = np.column_stack(list(terms.values())) / losses[:, None]
        solution = np.linalg.lstsq(columns, np.ones(steps.size), rcond=None)[0]
        return POINTS_A_RUN / steps.size * np.sum((columns @ solution - 1) ** 2) / scale**2

    costs = np.array([cost(alpha) for alpha in found.values])
    # The search goes by blocks of updates, and minimises logs instead of ratios.
    assert_allclose(found.rise, costs - costs.min(), rtol=0.05, atol=0.02)


def test_an_interval_grows_with_its_level(curves):
    widths = [
        profile(curves, "alpha", law="momentum", level=level).interval.half_width
        for level in (0.5, 0.9)
    ]
    assert widths[0] < widths[1]
    # Close to normal: in the ratio of the quantiles.
    assert widths[1] / widths[0] == pytest.approx(1.6449 / 0.6745, rel=0.1)


def test_a_prior_alone_holds_what_nothing_shows():
    """One constant run says little of N: its profile is that of the prior, 47 +- 12."""
    curve = law_of("effective").curve(SCHEDULES["flat"], range(15, 1501, 15), "run")
    found = profile(curve, "N", law="effective", points=7)
    prior = fit(curve, "effective").law.priors()["N"]
    assert found.interval.half_width <= 1.01 * 1.6449 * prior.sd
    assert found.interval.half_width > 0.25 * prior.sd


def test_an_open_end_is_said():
    """A few points of one short constant run: alpha may be as small as it likes."""
    curve = law_of("chinchilla").curve(SCHEDULES["flat"], [1200, 1300, 1400, 1500], "run")
    found = profile(curve, "alpha", law="chinchilla", points=5)
    assert found.interval.lower == -np.inf
    assert found.sentences[0].startswith("open below: even alpha = ")
    assert "the end of its range" in found.sentences[0]
    assert " open .. " in str(found)


def test_an_amplitude_that_may_be_nothing_is_open_at_zero():
    curves = curves_of(law_of("momentum").with_(C=0.001), ["flat", "cosine"], noise=2e-3)
    found = profile(curves, "C", law="momentum", points=7)
    assert found.interval.lower == -np.inf
    assert found.values.min() == 0
    assert found.interval.upper > 0


def test_a_shape_that_was_not_searched_can_be_asked(curves):
    runs = curves_of(law_of("effective"), ["flat", "cosine", "wsd"], noise=NOISE)
    found = profile(runs, "r", law="effective", points=5)
    assert found.fitted == 245.0
    assert found.interval.holds(245.0)
    assert set(found.others) >= {"alpha", "L0", "A", "N"}
    assert "r" not in found.others


def test_what_has_no_profile(curves):
    with pytest.raises(ll.InputError, match="momentum has no parameter 'beta': expected one of"):
        profile(curves, "beta", law="momentum")
    flat = curves_of(law_of("momentum"), ["flat"])
    with pytest.raises(ll.InputError, match="nothing in these curves depends on C"):
        profile(flat, "C", law="momentum")
    with pytest.raises(ll.InputError, match="points is 2, expected at least 3"):
        profile(curves, "C", law="momentum", points=2)
    with pytest.raises(ll.InputError, match="level is 90, expected a share"):
        profile(curves, "C", law="momentum", level=90)


def test_the_record_and_the_text(curves):
    found = profile(curves, "alpha", law="momentum", points=5)
    record = found.as_dict()
    assert list(record)[:4] == ["parameter", "law", "value", "rise"]
    assert len(found.values) == len(found.rise) == len(found.others["L0"])
    lines = str(found).splitlines()
    assert lines[0].startswith("alpha of the law 'momentum': best 0.")
    assert lines[2].split() == ["alpha", "rise", *found.others]
    assert len(lines) == 3 + len(found.values)
