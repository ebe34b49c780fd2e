"""Sampled runs in blocks: the same runs whatever was asked before, and none of another query."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from losslaw.errors import InputError
from losslaw.kernel import KernelRegression
from losslaw.kernel.sampled_blocks import BLOCK, sample_in_blocks
from losslaw.schedules import constant

WORLD = KernelRegression(source=0.5, capacity=4.0, modes=6)
SCHEDULE = constant(peak=0.1, horizon=20)


def sampled(runs, **changes):
    query = {"world": WORLD, "schedule": SCHEDULE, "steps": [5, 20], "seed": 3, **changes}
    return sample_in_blocks(
        query.pop("world"),
        query.pop("schedule"),
        query.pop("steps"),
        runs=runs,
        **query,
    ).losses


def test_the_first_runs_do_not_depend_on_how_many_there_are(tmp_path):
    many = sampled(2 * BLOCK + 3)
    assert_array_equal(sampled(BLOCK - 2), many[: BLOCK - 2])
    # Saved blocks that are too short for the query are made again, longer.
    for runs in (3, BLOCK + 1, 2 * BLOCK + 3, 2):
        assert_array_equal(sampled(runs, saved=tmp_path), many[:runs])


def test_blocks_differ_from_each_other():
    losses = sampled(2 * BLOCK)[:, -1]
    assert np.unique(losses).size == losses.size


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4},
        {"steps": [5, 19]},
        {"schedule": SCHEDULE.scaled(0.5)},
        {"schedule": SCHEDULE.with_(batch=2.0)},
        {"world": KernelRegression(source=0.5, capacity=4.0, modes=6, noise=0.5)},
        {"world": KernelRegression(source=0.6, capacity=4.0, modes=6)},
        {"world": KernelRegression(source=0.5, capacity=4.0, modes=6, distribution="uniform")},
    ],
    ids=str,
)
def test_another_question_finds_nothing_of_this_one(tmp_path, changes):
    first = sampled(3, saved=tmp_path)
    second = sampled(3, saved=tmp_path, **changes)
    assert_array_equal(second, sampled(3, **changes))
    assert not np.array_equal(first, second)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_block_is_made_again(tmp_path):
    whole = sampled(3, saved=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:50])
    assert_array_equal(sampled(3, saved=tmp_path), whole)


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(InputError, match="runs is 0"):
        sampled(0)
    with pytest.raises(InputError, match="a finite number of modes"):
        sampled(1, world=KernelRegression(source=0.5, capacity=4.0))
    with pytest.raises(InputError, match="the largest admissible rate"):
        sampled(1, schedule=constant(peak=1.0, horizon=20))
