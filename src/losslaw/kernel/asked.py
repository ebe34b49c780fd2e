"""What is asked of a run: batches, steps, an average of its iterates; seeds and sampled runs."""

import math

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves.curve import checked_steps
from losslaw.errors import InputError, expect_numbers
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule
from losslaw.schedules.averages import AverageLike, Recursion, average_of

# Sampled runs of one schedule: more than any spread asks for, and their risks are all held.
MOST_RUNS = 10**7


def check_runs(runs: int) -> None:
    """Check a number of sampled runs.

    Raises:
        InputError: it is below 1, or more than can be held.
    """
    if runs < 1:
        raise InputError(f"runs is {runs}, expected at least 1")
    if runs > MOST_RUNS:
        raise InputError(f"runs is {runs:g}, expected at most {MOST_RUNS:.0e}")


def check_seed(seed: int) -> None:
    """Check the seed of what is drawn.

    Raises:
        InputError: it is not a whole number of 0 or above.
    """
    expect_numbers(seed=seed)
    if not (math.isfinite(seed) and seed >= 0 and seed == int(seed)):
        raise InputError(f"seed is {seed:.17g}, expected a whole number, 0 or above")


def batch_sizes(schedule: Schedule) -> FloatArray:
    """Samples in each update; a batch that is not known counts as 1. Shape ``(n,)``."""
    return np.ones(schedule.horizon) if schedule.batch is None else schedule.batch


def asked_steps(
    schedule: Schedule, steps: ArrayLike | None, label: str, average: AverageLike | None = None
) -> tuple[IntArray, Recursion | None]:
    """The steps that are asked about, all there are if ``None``, and the average as a recursion.

    Raises:
        InputError: a step outside the schedule, or before all that is averaged is there.
    """
    kept = None if average is None else average_of(average).recursion(schedule.horizon)
    first = 1 if kept is None else kept.first
    at = checked_steps(
        np.arange(first, schedule.horizon + 1) if steps is None else steps, schedule.horizon, label
    )
    if at[0] < first:
        raise InputError(
            f"step {at[0]} is asked about, and the last checkpoint of the average is after"
            f" {first} updates"
        )
    return at, kept
