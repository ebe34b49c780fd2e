"""The risk of one-pass SGD on drawn samples, run by run."""

from dataclasses import replace
from functools import cached_property

from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.kernel.asked import asked_steps, batch_sizes
from losslaw.kernel.simulate.heavy_tails import heavy_tails_lr
from losslaw.kernel.simulate.sampled import SampledRuns, sample
from losslaw.kernel.stable_rates import StableRates
from losslaw.schedules import Schedule, ScheduleLike, schedule_of
from losslaw.schedules.averages import AverageLike


class SampledRisk(StableRates):
    """A problem, and the risks of runs that are drawn."""

    def sample(
        self,
        schedule: ScheduleLike,
        steps: ArrayLike | None = None,
        *,
        runs: int,
        seed: int,
        average: AverageLike | None = None,
        momentum: ArrayLike | None = None,
        nesterov: bool = False,
        allow_unstable: bool = False,
    ) -> SampledRuns:
        """One-pass SGD on drawn samples, ``runs`` times: mean, standard error and spread.

        Args:
            schedule: Learning rates, and batch sizes in whole numbers; one not known counts as 1.
            steps: Updates done when the risk is wanted, increasing, in 1..horizon. ``None``: all.
            runs: Number of runs.
            seed: Seed of the samples; run i is the same whatever ``runs`` is.
            average: Of the iterates, as in `mean_curve`.
            momentum: As in `mean_curve`.
            nesterov: As in `mean_curve`.
            allow_unstable: Run rates above the largest stable one.

        Raises:
            InputError: infinitely many modes, or a learning rate that is not stable.

        >>> from losslaw import KernelRegression
        >>> world = KernelRegression(source=1, capacity=2, modes=20)
        >>> runs = world.sample(Schedule([0.1] * 50), steps=[10, 50], runs=20, seed=1)
        >>> runs.losses.shape, bool((runs.spread > 0).all())
        ((20, 2), True)
        """
        schedule = schedule_of(schedule)
        at, kept = asked_steps(schedule, steps, "sampled", average)
        moves = self._moves(schedule, momentum, nesterov, average)
        if not allow_unstable:
            self._check(schedule, moves)
        sizes = batch_sizes(schedule)
        sampled = sample(
            self.true_modes, self.distribution, schedule, sizes, at, runs, seed, kept, moves
        )
        if moves is not None:
            return sampled
        return replace(sampled, warnings=self.tail_warnings(schedule))

    def tail_warnings(self, schedule: Schedule) -> tuple[str, ...]:
        """A warning if the standard errors of sampled runs mislead; see `heavy_tails_lr`."""
        if self.distribution != "gaussian":
            return ()
        smallest = float(batch_sizes(schedule).min())
        limit = self.heavy_tails_lr(smallest)
        if schedule.peak_lr < limit:
            return ()
        return (
            f"from a rate of {limit:.3g} on (batch {smallest:g}) the risk of a run has no variance"
            f" at rest, and the peak is {schedule.peak_lr:.3g}: standard errors are too small, and"
            " means of some hundred runs lie below the exact one",
        )

    def heavy_tails_lr(self, batch: float = 1) -> float:
        """The rate from which on the risk of a sampled run has no variance, at rest.

        Below `largest_lr` its mean exists all the same; but a mean of a few hundred runs is then
        not near it, and its standard error does not say so.

        Raises:
            InputError: the features are not Gaussian, or the batch is not above 0.

        >>> from losslaw import KernelRegression
        >>> world = KernelRegression(source=1, capacity=2)
        >>> round(world.heavy_tails_lr() / world.largest_lr(), 2)
        0.62
        """
        if self.distribution != "gaussian":
            raise InputError(f"the tails of {self.distribution} features are not known")
        if batch not in self._tails:
            largest = self.largest_lr(batch)
            self._tails[batch] = heavy_tails_lr(self.nodes(100.0 / largest), largest, batch)
        return self._tails[batch]

    @cached_property
    def _tails(self) -> dict[float, float]:
        return {}
