"""How a run of the kernel world ends, and by how much each of its rates moves that."""

from typing import ClassVar

import numpy as np

from losslaw.curves.objective import EXCESS, Measure, Objective
from losslaw.errors import InputError
from losslaw.kernel.asked import batch_sizes
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate import recursion
from losslaw.kernel.simulate.gradients import gradient
from losslaw.kernel.simulate.long_gradients import PieceSlopes, piece_slopes
from losslaw.kernel.stable_rates import StableRates
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.magnitudes import PEAK
from losslaw.schedules import Schedule
from losslaw.schedules.pieces import LongSchedule

# Smallest peak that a design tries, as a share of the largest one, or of the best rate of a single
# update where noise makes that one smaller.
LOWEST = 1e-3


class FinalRisk(StableRates, Objective):
    """A problem, and the exact mean excess risk at the end of a run, for `losslaw.design`."""

    name: ClassVar[str] = "kernel"
    title: ClassVar[str] = "kernel regression"
    measure: ClassVar[Measure] = EXCESS

    def peaks(self, batch: float, floor: float = 0.0) -> tuple[float, float]:
        """Peaks up to 0.9 of the largest stable one, down to where noise is no more than signal."""
        highest = self.highest_peak(batch)
        modes = self.kept_nodes(1.0)
        gain = batch * float(modes.rate @ modes.signal)
        cost = self.noise**2 * float(modes.noise.sum())
        lowest = LOWEST * (highest if gain >= highest * cost else gain / cost)
        return max(lowest, floor, PEAK.low), highest

    def final(self, schedule: Schedule) -> float:
        """Mean excess risk after the last update of a schedule.

        Raises:
            InputError: a learning rate that is not stable, or weight decay.
        """
        modes = self._checked(schedule)
        last = np.array([schedule.horizon])
        totals, _ = recursion.run(modes, schedule.lr, batch_sizes(schedule), last)
        return 0.5 * float(totals[0] + modes.unlearned)

    def quick(self, schedule: Schedule) -> float:
        """`final`, which is quicker than its gradient."""
        return self.final(schedule)

    def slope(self, schedule: Schedule, starts: IntArray | None = None) -> tuple[float, FloatArray]:
        """The same, and its derivative by each rate: exact, at the cost of about three runs.

        >>> from losslaw import KernelRegression
        >>> world = KernelRegression(source=1, capacity=2)
        >>> risk, by_rate = world.slope(Schedule([0.3] * 1000))
        >>> by_rate.shape, bool(by_rate[-1] > 0)
        ((1000,), True)
        """
        modes = self._checked(schedule)
        risk, by_rate, _ = gradient(modes, schedule.lr, batch_sizes(schedule))
        return risk, by_rate

    def piece_slopes(self, schedule: LongSchedule) -> tuple[float, tuple[PieceSlopes, ...]]:
        """Excess risk of a schedule of any horizon, and its derivatives by what is in each piece.

        At the cost of about three runs; within 5e-5, as `losslaw.kernel.simulate.long_gradients`
        says.

        Raises:
            InputError: a learning rate that is not stable.

        >>> from losslaw.kernel import KernelRegression, long_wsd
        >>> world = KernelRegression(source=0.5, capacity=4)
        >>> risk, (stable, fall) = world.piece_slopes(long_wsd(0.1, 10**12))
        >>> bool(stable.rate + fall.rate < 0)  # higher rates are better
        True
        """
        self.check_stable(schedule)
        return piece_slopes(self.kept_nodes(schedule.intrinsic_time), schedule)

    def _checked(self, schedule: Schedule) -> Modes:
        """The nodes on which a schedule runs, if it can."""
        if schedule.weight_decay is not None and schedule.weight_decay.any():
            raise InputError("the kernel world knows no weight decay: leave it out")
        self.check_stable(schedule)
        return self.kept_nodes(float(schedule.intrinsic_time[-1]))
