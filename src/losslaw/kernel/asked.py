"""What is asked of a run: the batch of every update, steps, and an average of its iterates."""

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves.curve import checked_steps
from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule
from losslaw.schedules.averages import AverageLike, Recursion, average_of


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
