"""Means over windows: a law is asked at a few steps of each, and answers for all of them."""

import numpy as np
import pytest
from helpers.fit_samples import law_of

from losslaw.errors import InputError
from losslaw.laws import LAWS, Query
from losslaw.schedules import cosine, twostage, wsd

RUNS = {
    "cosine": cosine(peak=1e-3, horizon=6000, warmup=100),
    "wsd": wsd(peak=1e-3, horizon=6000, warmup=100, cooldown=0.2),
    "a jump": twostage(peak=1e-3, horizon=6000, warmup=100, second=2e-4),
}


def means(losses, steps, window):
    """The mean over every update of each window, one by one."""
    return np.array([losses[s - w : s].mean() for s, w in zip(steps, window, strict=True)])


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", LAWS)
def test_the_mean_over_a_window_is_that_over_its_updates(name, run):
    law, schedule = law_of(name), RUNS[run]
    losses = law.predict(schedule)
    for width in (7, 100, 500):
        steps = np.arange(400 + width, 6001, width)
        window = np.full(steps.size, width)
        query = Query.of(schedule, steps, width)
        np.testing.assert_allclose(law.loss(query), means(losses, steps, window), atol=4e-5)
        assert query.nodes.query.steps.size <= max(2 * steps.size, 600) + 60


def test_windows_of_different_length_that_overlap():
    law, schedule = law_of("effective"), RUNS["a jump"]
    steps, window = np.array([900, 1000, 1001, 3000, 6000]), np.array([1, 400, 2, 3, 5500])
    query = Query.of(schedule, steps, window)
    expected = means(law.predict(schedule), steps, window)
    np.testing.assert_allclose(law.loss(query), expected, atol=2e-4)
    some = query.some(np.array([1, 3]))
    np.testing.assert_allclose(law.loss(some), expected[[1, 3]], atol=2e-4)
    np.testing.assert_allclose(law.loss(query.in_blocks(32)), expected, atol=1e-3)


@pytest.mark.parametrize("name", LAWS)
def test_a_window_of_one_update_is_none(name):
    law, schedule = law_of(name), RUNS["wsd"]
    steps = np.arange(200, 6001, 50)
    one = law.stacked(Query.of(schedule, steps, 1))
    np.testing.assert_array_equal(one, law.stacked(Query.of(schedule, steps)))


def test_short_windows_are_exact():
    """Two steps of each are all there are."""
    law, rough = law_of("momentum"), RUNS["cosine"].with_(spec=None)
    rates = rough.lr * np.random.default_rng(0).uniform(0.5, 1, 6000)
    rough = rough.with_(lr=rates)
    steps = np.arange(200, 6001, 10)
    query = Query.of(rough, steps, 10)
    expected = means(law.predict(rough), steps, np.full(steps.size, 10))
    # The rate jumps at nearly all updates, so that each is asked about.
    np.testing.assert_allclose(law.loss(query), expected, rtol=1e-4)
    pair = Query.of(RUNS["cosine"], steps, 2)
    expected = means(law.predict(RUNS["cosine"]), steps, np.full(steps.size, 2))
    np.testing.assert_allclose(law.loss(pair), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (0, "a window of 0 updates, expected whole numbers"),
        (2.5, r"a window of 2\.5 updates"),
        (20, "a mean over 20 updates at step 10, where fewer are done"),
        ([1, 2, 3], "3 windows for 2 losses"),
        ("ten", "expected numbers"),
    ],
)
def test_what_is_no_window(window, message):
    with pytest.raises(InputError, match=message):
        Query.of(RUNS["wsd"], [10, 100], window)
