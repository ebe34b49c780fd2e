"""The best schedule of all for a problem of the kernel world: every rate free, and converged.

The exact risk is quadratic in each rate by itself, so sweeps that set one rate after the other to
its best never raise it (`losslaw.kernel.simulate.gradients`). They begin at a schedule of the shape
that theory has for the problem, and stop when a sweep gains less than a share of the risk.
"""

from dataclasses import dataclass

import numpy as np

from losslaw.errors import InputError
from losslaw.kernel.asked import batch_sizes
from losslaw.kernel.kernel_regression import KernelRegression
from losslaw.kernel.simulate.gradients import gradient, sweep
from losslaw.numerics.arrays import check_positive
from losslaw.schedules import Schedule, ScheduleLike, schedule_of


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeOptimum:
    """A schedule whose rates are all free, and how near it is to the best one.

    Attributes:
        schedule: The rates.
        excess: Mean excess risk at the end.
        start: That of the schedule the search began with.
        gap: By how much, to first order, the rates that are not at a bound could still lower it:
            ``sum |dR/d lr| lr`` over them, as a share of the risk.
        sweeps: How often all rates were set.
    """

    schedule: Schedule
    excess: float
    start: float
    gap: float
    sweeps: int

    def __str__(self) -> str:
        saved = 1 - self.excess / self.start
        return (
            f"excess risk {self.excess:.6g}, {saved:.2%} below the start's {self.start:.6g};"
            f" peak {self.schedule.peak_lr:.4g}, last rate {self.schedule.lr[-1]:.4g};"
            f" {self.sweeps} sweeps, first-order gap {self.gap:.1e}"
        )


def free_optimum(
    world: KernelRegression,
    start: ScheduleLike,
    *,
    top: float | None = None,
    fixed: int = 0,
    tolerance: float = 1e-7,
    most: int = 2000,
) -> FreeOptimum:
    """The lowest exact risk over all rates of a run, its length and batches given.

    Args:
        world: The problem.
        start: Where the search begins; its batches stay.
        top: Largest rate; by default that of `KernelRegression.highest_peak` at the smallest batch.
        fixed: So many first updates stay as they are, such as a warm-up.
        tolerance: Stop when a sweep lowers the risk by less than this share.
        most: Sweeps at most.

    Raises:
        InputError: a number is out of range, or a start that is not stable.

    >>> from losslaw import power
    >>> world = KernelRegression(source=1.0, capacity=2.0)
    >>> found = free_optimum(world, power(peak=0.3, horizon=1000, exponent=3))
    >>> bool(found.excess < found.start), bool(found.gap < 1e-2)
    (True, True)
    """
    schedule = schedule_of(start)
    world.check_stable(schedule)
    if not 0 <= fixed < schedule.horizon:
        raise InputError(f"fixed is {fixed}, expected 0..{schedule.horizon - 1}")
    batch = batch_sizes(schedule)
    if top is None:
        top = world.highest_peak(float(batch.min()))
    check_positive(top=top, tolerance=tolerance)
    lr = schedule.lr.copy()
    lr[fixed:] = np.minimum(lr[fixed:], top)
    bounds = np.full(lr.size, float(top))
    bounds[:fixed] = 0.0
    # Rates may rise: nodes that are good until the end of a run at the largest rate throughout.
    modes = world.nodes(float(schedule.lr[:fixed].sum() + top * (lr.size - fixed)))
    first = risk = float(world.excess_risk(schedule)[0])
    sweeps = 0
    for _ in range(most):
        before, risk = risk, sweep(modes, lr, batch, bounds)
        sweeps += 1
        if before - risk < tolerance * risk:
            break
    _, by_lr, _ = gradient(modes, lr, batch)
    free = (bounds > 0) & ~((lr >= bounds) & (by_lr < 0))
    return FreeOptimum(
        schedule=schedule.with_(lr=lr),
        excess=risk,
        start=first,
        gap=float(np.abs(by_lr * lr)[free].sum() / risk),
        sweeps=sweeps,
    )
