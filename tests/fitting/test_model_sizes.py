"""Several model sizes: shared shapes, amplitudes of their own, sizes between and beyond."""

import numpy as np
import pytest
from helpers.fit_samples import SCHEDULES

import losslaw as ll
from losslaw.fitting.problem import pose
from losslaw.laws import Effective, Recipe
from losslaw.laws.effective import adamw
from losslaw.laws.oneclock import NOISE_TREND

STEPS = np.arange(15, 1501, 15)


def truth(size):
    """Effective laws along the trends the law knows, with ``L0 = 1.7 + .97 (P / 100M)^-.25``."""
    far = np.log(size / 1e8)
    return Effective(
        L0=1.7 + 0.97 * np.exp(-0.25 * far),
        A=0.3 * np.exp(0.05 * far),
        N=45.0 * np.exp(NOISE_TREND * far),
        alpha=0.495 - 0.05 * far,
    )


def runs(sizes, names=("flat", "cosine"), noise=0.0):
    rng = np.random.default_rng(1)
    return [
        truth(size)
        .curve(SCHEDULES[name], STEPS, f"{name} {size:g}")
        .with_(
            model_size=size,
            loss=truth(size).predict(SCHEDULES[name], STEPS)
            + noise * rng.standard_normal(STEPS.size),
        )
        for size in sizes
        for name in names
    ]


def test_shapes_are_shared_and_amplitudes_are_not():
    found = ll.fit(runs([2.5e7, 1e8, 4e8]), "effective", uncertainty=False)
    assert [item.model_size for item in found.sizes] == [2.5e7, 1e8, 4e8]
    for item in found.sizes:
        expected = truth(item.model_size)
        for name in ("L0", "A", "N", "alpha"):
            assert getattr(item.law, name) == pytest.approx(getattr(expected, name), rel=2e-3)
    assert found.law is found.sizes[-1].law
    assert "amplitudes of each model size" in str(found)


def test_a_size_with_a_constant_run_only_takes_its_noise_from_the_others():
    curves = [*runs([2.5e7, 1e8]), *runs([4e8], ["flat"])]
    found = ll.fit(curves, "effective")
    asked = found.predict(SCHEDULES["wsd"], [1500], model_size=4e8)
    assert asked.loss[0] == pytest.approx(truth(4e8).predict(SCHEDULES["wsd"], [1500])[0], abs=2e-3)


def test_sizes_between_and_beyond_follow_their_trend_with_a_wider_interval():
    found = ll.fit(runs([2.5e7, 1e8, 4e8], noise=3e-4))
    widths = {}
    for size in (1e8, 2e8, 1.6e9, 1e10):
        answer = found.predict(SCHEDULES["wsd"], [1500], model_size=size)
        expected = truth(size).predict(SCHEDULES["wsd"], [1500])[0]
        assert answer.lower[0] <= expected <= answer.upper[0]
        widths[size] = answer.upper[0] - answer.lower[0]
    assert list(widths.values()) == sorted(widths.values())


def test_which_size_must_be_said_and_be_near():
    found = ll.fit(runs([2.5e7, 1e8]), uncertainty=False)
    with pytest.raises(ll.InputError, match="of several model sizes: say which"):
        found.predict(SCHEDULES["wsd"])
    with pytest.raises(ll.InputError, match="too far from the fitted"):
        found.predict(SCHEDULES["wsd"], model_size=1e13)
    with pytest.raises(ll.InputError, match="model size is -1"):
        found.predict(SCHEDULES["wsd"], model_size=-1)


def test_sizes_survive_being_saved(tmp_path):
    found = ll.fit(runs([2.5e7, 1e8], noise=3e-4))
    found.save(str(tmp_path / "fit.json"))
    again = ll.load_fit(str(tmp_path / "fit.json"))
    for size in (2.5e7, 1e8, 2e8):
        one = found.predict(SCHEDULES["wsd"], [700, 1500], model_size=size)
        two = again.predict(SCHEDULES["wsd"], [700, 1500], model_size=size)
        np.testing.assert_allclose(two.loss, one.loss, rtol=1e-12)
        np.testing.assert_allclose(two.lower, one.lower, rtol=1e-9)
    assert again.trust == found.trust
    assert again.as_dict() == found.as_dict()


def test_a_prior_is_shared_by_the_sizes_as_its_matrix_says():
    problem = pose(adamw(runs([2.5e7, 1e8])), runs([2.5e7, 1e8]))
    mean, root = problem.pooled("N")
    covariance = np.linalg.inv(root.T @ root)
    sd = problem.priors["N"].sd * mean / problem.priors["N"].mean
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), sd, rtol=1e-9)
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert correlation == pytest.approx(0.8)
    # The means follow the trend of the noise.
    assert mean[1] / mean[0] == pytest.approx(4**NOISE_TREND, rel=1e-6)


def test_one_size_lends_its_trend_to_the_priors():
    one = pose(adamw(runs([4e8])), runs([4e8]))
    assert one.priors["N"].mean == pytest.approx(45 * 4**NOISE_TREND)
    assert one.priors["alpha"].mean == pytest.approx(0.495 - 0.05 * np.log(4))


def test_a_log_of_every_update_weighs_as_one_of_every_tenth():
    law = truth(1e8)
    dense = law.curve(SCHEDULES["cosine"], range(1, 1501), "dense")
    thin = law.curve(SCHEDULES["cosine"], range(5, 1501, 5), "thin")
    recipe = Recipe(Effective)
    weights = [float(pose(recipe, [each], skip=1).weights.sum()) for each in (dense, thin)]
    assert weights == pytest.approx([300.0, 300.0])
