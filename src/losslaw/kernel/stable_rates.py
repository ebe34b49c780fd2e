"""Which learning rates a problem of the kernel world stands, with momentum and without."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.kernel.asked import batch_sizes
from losslaw.kernel.problem import KURTOSIS, Problem
from losslaw.kernel.simulate.momentum import Momentum, check_with_momentum
from losslaw.kernel.simulate.momentum import largest_lr as largest_lr_with
from losslaw.kernel.simulate.stability import Stability
from losslaw.numerics.arrays import check_positive
from losslaw.numerics.power_sums import power_sum
from losslaw.schedules import Schedule
from losslaw.schedules.averages import AverageLike
from losslaw.schedules.pieces import LongSchedule

# Eigenvalues that the stability condition adds one by one; the others enter by their moments.
STABILITY_HEAD = 512
# Share of the largest stable rate up to which rates are tried, if nothing else is said: beyond,
# noise feeds on itself.
SHARE = 0.9


class StableRates(Problem):
    """A problem, and the learning rates at which its risk stays bounded."""

    @cached_property
    def _stability(self) -> Stability:
        own_noise = KURTOSIS[self.distribution] - 2
        law = self._power_law
        if law is None or self.modes <= STABILITY_HEAD:
            return Stability(self.true_modes.rate, own_noise=own_noise)
        # eta lambda < 2/512^beta in the tail: eight powers leave less than one rounding.
        powers = (p * law.capacity for p in range(1, 9))
        tail = tuple(power_sum(power, STABILITY_HEAD, self.modes) for power in powers)
        return Stability(law.first(STABILITY_HEAD)[0], tail, own_noise)

    def noise_feedback(self, lr: float, batch: float = 1) -> float:
        """``F(eta)``, the share of its own noise that SGD feeds back; stable below 1.

        ``F = sum_j eta lambda_j / (B [2 - (1 + 1/B) eta lambda_j])`` for Gaussian features; at a
        constant rate the excess risk, above its unlearned part, tends to
        ``(A + sigma^2) / 2 * F / (1 - F)``.
        """
        return self._stability.noise_feedback(lr, batch)

    def largest_lr(
        self, batch: float = 1, *, momentum: float = 0.0, nesterov: bool = False
    ) -> float:
        """Largest stable learning rate at a constant batch: the root of ``F(eta) = 1``.

        Args:
            batch: Samples in an update.
            momentum: How much of its velocity an update keeps, in [0, 1); see
                `losslaw.kernel.simulate.momentum`.
            nesterov: Whether the step looks ahead.

        Raises:
            InputError: the batch is not above 0, or the momentum is out of range.

        >>> from losslaw import KernelRegression
        >>> round(KernelRegression(source=1, capacity=2).largest_lr(batch=8), 3)
        1.587
        """
        if not momentum:
            return self._stability.largest_lr(batch)
        Momentum.checked(momentum, nesterov, 1)
        check_positive(batch=batch)
        return largest_lr_with(self._stability, batch, momentum, nesterov=nesterov)

    def highest_peak(self, batch: float = 1.0) -> float:
        """The largest rate that is tried where a schedule is searched: 0.9 of `largest_lr`."""
        return SHARE * self.largest_lr(batch)

    def check_stable(
        self,
        schedule: Schedule | LongSchedule,
        *,
        momentum: ArrayLike | None = None,
        nesterov: bool = False,
    ) -> None:
        """Refuse a schedule with a rate above the largest stable one of its batch and momentum.

        Raises:
            InputError: there is one; the line names it, and the largest admissible rate.
        """
        if momentum is not None and isinstance(schedule, Schedule):
            self._check(schedule, Momentum.checked(momentum, nesterov, schedule.horizon))
        elif isinstance(schedule, Schedule):
            self._stability.check(schedule.lr, batch_sizes(schedule))
        else:
            pairs = np.array(sorted(schedule.extremes()))
            self._stability.check(pairs[:, 0], pairs[:, 1], numbered=False)

    def _moves(
        self,
        schedule: Schedule,
        momentum: ArrayLike | None,
        nesterov: bool,
        average: AverageLike | None,
    ) -> Momentum | None:
        if momentum is None:
            if nesterov:
                raise InputError("nesterov needs a momentum")
            return None
        if average is not None:
            raise InputError("averages of runs with momentum are not known: leave one of them out")
        return Momentum.checked(momentum, nesterov, schedule.horizon)

    def _check(self, schedule: Schedule, moves: Momentum | None) -> None:
        """Refuse what is not stable, momentum included."""
        if moves is None:
            self.check_stable(schedule)
        else:
            check_with_momentum(self._stability, schedule.lr, batch_sizes(schedule), moves)
