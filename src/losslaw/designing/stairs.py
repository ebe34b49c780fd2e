"""Staircases: a few jumps down, their places and rates searched together.

A jump has no gradient by its place, so places and rates are searched by differences of the law's
own prediction, which is cheap where nothing happens between jumps. Places are searched as the log
of the updates left, each as a share of those before it, and rates as shares of the rate before.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from losslaw.designing.task import Task
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule

SCALE = 1e3


def best_stairs(task: Task, count: int) -> Schedule:
    """The best schedule of ``count`` jumps down, close to it for others than the law it is for.

    Args:
        task: The task; its peak is taken as it is.
        count: Number of jumps, at least 1.
    """
    count = min(count, task.free)
    places = logit(np.array([0.1, *[0.3] * (count - 1)]))
    rates = logit(np.full(count, 0.02 ** (1 / count)))

    def made(theta: FloatArray) -> Schedule:
        shares = np.asarray(expit(theta), dtype=np.float64)
        left = np.multiply.accumulate(shares[:count]) * task.free
        levels = np.multiply.accumulate(shares[count:])
        return stairs(task, left, task.floor + (task.start - task.floor) * levels)

    def objective(theta: FloatArray) -> float:
        return SCALE * task.loss(made(theta))

    best = minimize(
        objective,
        np.concatenate([places, rates]),
        method="L-BFGS-B",
        bounds=[(-12.0, 6.0)] * (2 * count),
        # Places are whole updates: steps of a hundredth see them move where that matters.
        options={"eps": 2e-2, "ftol": 1e-7, "maxiter": 60, "maxfun": 1500},
    )
    return made(np.asarray(best.x, dtype=np.float64))


def stairs(task: Task, left: FloatArray, rates: FloatArray) -> Schedule:
    """Jumps to ``rates`` when ``left`` updates are left, rounded to whole ones."""
    lr = np.full(task.free, task.start)
    for place, rate in zip(np.maximum(np.round(left), 1).astype(int), rates, strict=True):
        lr[task.free - place :] = rate
    return task.schedule(lr)
