"""One-pass SGD with real samples, run after run: what the mean dynamics is the mean of.

In the eigenbasis of the student's covariance a feature is ``sqrt(lambda_j) g_j`` with independent
``g_j`` of mean 0 and variance 1. With ``u_j = sqrt(lambda_j) (v*_j - v_j)`` a sample has the
residual ``r = sum_j g_j u_j + xi``, and a batch of B of them moves ::

    u_j <- u_j - eta/B sum lambda_j g_j r,        risk = (sum_j u_j^2 + A + sigma^2) / 2

Gaussian features need one normal vector an update, whatever B. Along ``u / |u|`` the features of a
sample are a normal number c, with ``r = |u| c + xi``; across it they are independent of r, so that
the sum of ``r g`` across is ``sqrt(sum r^2)`` times one normal vector: exact in law. With R the
standard deviation of r, and xi / R and |u| / R the cosine and the sine of a turn, r and c are made
of two independent normal numbers n and m: ``r = R n``, ``c = (|u| n + sd(xi) m) / R``; of large
batches only ``sum n^2``, a chi-square number, and ``sum n m``, normal given it, are drawn.

``xi`` has variance ``A + sigma^2``: label noise, and all that the student cannot see. Only its
variance enters the mean dynamics; it is drawn as a Gaussian.
"""

from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import RISK
from losslaw.errors import InputError
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.draws import (
    State,
    check_runs,
    check_seed,
    chi_square,
    fill,
    new_state,
    normal,
)
from losslaw.kernel.simulate.momentum import Momentum
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled
from losslaw.schedules import Schedule
from losslaw.schedules.averages import Recursion, TailAverage

# Codes of the compiled loop.
DISTRIBUTIONS = {"gaussian": 0, "uniform": 1, "laplace": 2}
# Samples of a Gaussian batch that are drawn one by one; of a larger one their sums are.
ONE_BY_ONE = 1024
# Numbers a run draws at most: hours.
MOST_DRAWS = 1e12


@dataclass(frozen=True, eq=False)
class SampledRuns:
    """Risks of many runs of one schedule that differ in their samples only.

    Args:
        schedule: What every run did.
        steps: Updates done when the risks were taken. Shape ``(m,)``.
        losses: Risk of each run, or of an average of its iterates, label noise included.
            Shape ``(runs, m)``.
        warnings: Why its standard errors are not to be trusted, if so.
    """

    schedule: Schedule
    steps: IntArray
    losses: FloatArray
    warnings: tuple[str, ...] = ()

    @property
    def mean(self) -> FloatArray:
        """Mean over the runs. Shape ``(m,)``."""
        return self.losses.mean(axis=0)

    @property
    def spread(self) -> FloatArray:
        """Standard deviation of one run; 0 if there is only one. Shape ``(m,)``."""
        runs = self.losses.shape[0]
        deviations = self.losses - self.mean
        return np.sqrt((deviations**2).sum(axis=0) / max(runs - 1, 1))

    @property
    def standard_error(self) -> FloatArray:
        """Standard error of the mean. Shape ``(m,)``."""
        return self.spread / np.sqrt(self.losses.shape[0])

    def curve(self, label: str = "sampled") -> LossCurve:
        """The mean as a loss curve."""
        return LossCurve(
            self.schedule, self.steps, self.mean, label, warnings=self.warnings, unit=RISK
        )


def sample(
    modes: Modes,
    distribution: str,
    schedule: Schedule,
    batch: FloatArray,
    steps: IntArray,
    runs: int,
    seed: int,
    average: Recursion | None = None,
    momentum: Momentum | None = None,
) -> SampledRuns:
    """Run SGD ``runs`` times, with momentum and an average of its iterates if they are given.

    Each run has a random stream of its own, derived from ``seed`` and its number: more runs leave
    the first ones as they were.

    Raises:
        InputError: a batch is not a whole number, no runs, or a run that diverges.
    """
    check_runs(runs)
    check_seed(seed)
    sizes = batch.astype(np.int64)
    if not np.array_equal(sizes, batch):
        first = int(np.argmax(sizes != batch))
        raise InputError(
            f"samples come in whole numbers: batch of update {first + 1} is {batch[first]:g}"
        )
    vectors = float(batch.size if distribution == "gaussian" else batch.sum())
    if vectors * modes.rate.size > MOST_DRAWS:
        raise InputError(
            f"a run of {vectors:g} samples of {modes.rate.size} modes draws"
            f" {vectors * modes.rate.size:.1e} numbers, expected up to {MOST_DRAWS:.0e}: lower"
            " batch, updates or modes, or take the exact mean, without samples"
        )
    start = np.sqrt(modes.signal)
    # Without an average: one that holds the last iterate alone.
    kept = TailAverage(start=schedule.horizon).recursion(0) if average is None else average
    rho = np.zeros(0) if momentum is None else momentum.rho
    totals = np.empty((runs, steps.size))
    streams = np.random.SeedSequence(seed).spawn(runs)
    for run, stream in enumerate(streams):
        totals[run] = _run(
            new_state(stream),
            DISTRIBUTIONS[distribution],
            modes.rate,
            start.copy(),
            np.sqrt(modes.floor),
            schedule.lr,
            sizes,
            kept.begin * start,
            kept.keep,
            kept.add,
            rho,
            momentum is not None and momentum.nesterov,
            steps,
        )
    if not np.isfinite(totals).all():
        run, row = (int(i[0]) for i in np.nonzero(~np.isfinite(totals)))
        raise InputError(f"run {run} diverges before update {steps[row]}: lower the learning rate")
    return SampledRuns(schedule, steps, modes.risk(totals))


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _gaussian_batch(
    state: State, u: FloatArray, residual_sd: float, size: int, g: FloatArray, move: FloatArray
) -> None:
    """``sum g r`` over a batch of Gaussian samples into ``move``."""
    n = u.size
    length = 0.0
    for j in range(n):
        length += u[j] * u[j]
    length = np.sqrt(length)
    along = power = 0.0
    if size > ONE_BY_ONE:
        total = np.sqrt(length * length + residual_sd * residual_sd)
        squares = chi_square(state, size)
        along = length * squares + residual_sd * np.sqrt(squares) * normal(state)
        power = total * total * squares
    for _ in range(size if size <= ONE_BY_ONE else 0):
        c = normal(state)
        r = length * c + residual_sd * normal(state)
        along += r * c
        power += r * r
    fill(state, 0, g)
    share = 0.0
    for j in range(n):
        share += g[j] * u[j]
    across = np.sqrt(power)
    if length > 0.0:
        along = along / length - across * share / (length * length)
    else:
        along = 0.0
    for j in range(n):
        move[j] = along * u[j] + across * g[j]


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _run(
    state: State,
    distribution: int,
    rate: FloatArray,
    u: FloatArray,
    residual_sd: float,
    lr: FloatArray,
    batch: IntArray,
    average: FloatArray,
    keep: FloatArray,
    add: FloatArray,
    rho: FloatArray,
    nesterov: bool,
    steps: IntArray,
) -> FloatArray:
    n = rate.size
    velocity = np.zeros(n)
    averaged = keep.size > 0
    g = np.empty(n)
    move = np.empty(n)
    out = np.empty(steps.size)
    row = 0
    for k in range(steps[-1]):
        if distribution == 0:
            _gaussian_batch(state, u, residual_sd, batch[k], g, move)
        else:
            move[:] = 0.0
        for _ in range(batch[k] if distribution > 0 else 0):
            fill(state, distribution, g)
            r = residual_sd * normal(state)
            for j in range(n):
                r += g[j] * u[j]
            for j in range(n):
                move[j] += r * g[j]
        factor = lr[k] / batch[k]
        if rho.size == 0:
            for j in range(n):
                u[j] -= factor * rate[j] * move[j]
        else:
            for j in range(n):
                gradient = rate[j] * move[j] / batch[k]
                velocity[j] = rho[k] * velocity[j] + gradient
                if nesterov:
                    u[j] -= lr[k] * (gradient + rho[k] * velocity[j])
                else:
                    u[j] -= lr[k] * velocity[j]
        if averaged:
            for j in range(n):
                average[j] = keep[k] * average[j] + add[k] * u[j]
        if steps[row] == k + 1:
            seen = average if averaged else u
            total = 0.0
            for j in range(n):
                total += seen[j] * seen[j]
            out[row] = total
            row += 1
    return out
