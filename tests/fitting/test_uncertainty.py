"""What an interval is made of, each part by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.fit_samples import SCHEDULES, curves_of, law_of

from losslaw.fitting import fit
from losslaw.fitting.uncertainty import REPEAT, law_error
from losslaw.laws import Query

# A run whose intrinsic time ends a factor of e beyond what was fitted.
FAR = Query(SCHEDULES["flat"], np.array([1500]))


@pytest.fixture(scope="module")
def certain():
    """A law without doubts: no parameter may move, no error of the law, no peak is far."""
    made = fit(curves_of(law_of("momentum"), ["flat", "cosine"]), "momentum")
    uncertainty = replace(
        made.uncertainty,
        names=(),
        covariance=np.empty((0, 0)),
        tau=0.0,
        peak_error=0.0,
        misfit=0.0,
        noise=0.0,
        farthest=float(FAR.seen_time[-1]) / np.e,
    )
    return made.law, uncertainty


def late_part(law, uncertainty):
    """What the distance in intrinsic time adds: the rest is what repeated runs differ by."""
    floor = max(REPEAT, uncertainty.noise)
    return np.sqrt(uncertainty.deviation(law, FAR)[0] ** 2 - floor**2)


def test_what_was_fitted_well_is_as_sure_far_away(certain):
    assert late_part(*certain) == pytest.approx(0.0, abs=1e-9)


def test_a_misfit_triples_with_each_e_fold_of_intrinsic_time(certain):
    """.03 nats for .01: what a bundled run was off that went three times as far."""
    law, uncertainty = certain
    misfit = replace(uncertainty, misfit=0.01)
    assert late_part(law, misfit) == pytest.approx(0.03)


def test_a_misfit_under_a_quarter_of_the_noise_counts_as_that_quarter(certain):
    """It would not have been seen: .04 nats of noise may hide .01."""
    law, uncertainty = certain
    hidden = replace(uncertainty, noise=0.04, misfit=0.001)
    shown = replace(uncertainty, noise=0.04, misfit=0.01)
    assert late_part(law, hidden) == pytest.approx(late_part(law, shown))
    assert late_part(law, hidden) == pytest.approx(0.03)


def test_leaving_each_number_out_gives_back_their_variance():
    """The smallest law, a mean, known for no error. Each of ``n`` numbers is ``n / (n - 1)`` times
    as far from the mean of the others as from the mean of all, whose squares sum to ``(n - 1)
    variances``; the error known for counts as three numbers."""
    numbers = np.array([0.01, -0.02, 0.03, 0.005])
    others = (numbers.sum() - numbers) / 3
    tested = [SimpleNamespace(mean_square=error**2) for error in numbers - others]
    assert law_error(0.0, tested) ** 2 * (3 + 4) / 4 == pytest.approx(np.var(numbers, ddof=1))


@pytest.mark.parametrize("known", [0.0, 2e-3])
def test_with_nothing_left_out_the_law_errs_as_it_is_known_to(known):
    assert law_error(known, []) == known
