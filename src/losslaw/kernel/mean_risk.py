"""The mean risk of one-pass SGD along a schedule, by evaluators that check each other."""

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.curves.curve import RISK
from losslaw.errors import InputError
from losslaw.kernel.asked import asked_steps, batch_sizes
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate import averaged, continuous, recursion
from losslaw.kernel.simulate.fsl import Terms, power_terms, spectrum_terms
from losslaw.kernel.simulate.integrator import integrate
from losslaw.kernel.simulate.momentum import Momentum
from losslaw.kernel.simulate.momentum import run as momentum_run
from losslaw.kernel.simulate.quadrature import HEAD
from losslaw.kernel.stable_rates import StableRates
from losslaw.numerics.arrays import FloatArray, IntArray, finite_vector
from losslaw.schedules import Schedule, ScheduleLike, schedule_of
from losslaw.schedules.averages import AverageLike, Recursion
from losslaw.schedules.pieces import LongSchedule

MeanMethod = Literal["quadrature", "recursion", "sde", "volterra"]
Kernels = Literal["spectrum", "power"]

# Modes that quadrature takes one by one at most, where momentum makes them swing.
MOST_HEAD = 20_000


class MeanRisk(StableRates):
    """A problem, and the risk of its runs in expectation."""

    def mean_curve(
        self,
        schedule: ScheduleLike,
        steps: ArrayLike | None = None,
        *,
        average: AverageLike | None = None,
        momentum: ArrayLike | None = None,
        nesterov: bool = False,
        method: MeanMethod = "quadrature",
        allow_unstable: bool = False,
        label: str = "kernel",
    ) -> LossCurve:
        """Mean risk of one-pass SGD along a schedule, exact for the discrete updates.

        Args:
            schedule: Learning rates, and batch sizes; a batch that is not known counts as 1.
            steps: Updates done when the risk is wanted, increasing, in 1..horizon. ``None``: all.
            average: Not the risk of the iterates but of an average of them: `TailAverage`, `Ema`,
                `WeightedCheckpoints`, or a text such as ``tail:start=5000`` or ``ema:0.999``. By
                the first two methods, as exact.
            momentum: Of heavy ball, ``v <- momentum v + g``, ``u <- u - lr v``: a number in [0, 1),
                or one for each update. By the first two methods, as exact.
            nesterov: Nesterov's momentum instead, ``u <- u - lr (g + momentum v)``.
            method: ``quadrature``: on a few dozen nodes, within 1e-8 of the excess risk.
                ``recursion``: on every mode, exact, at the cost of modes times updates.
                ``sde``: moments of the papers' stochastic differential equation. ``volterra``:
                their Volterra equation. Both differ from SGD by the order of ``F(eta)``.
            allow_unstable: Run rates above the largest stable one. If the run then diverges, the
                curve ends before and a warning says where.
            label: Name of the curve.

        Raises:
            InputError: steps outside the schedule, or before the average is one, or a learning
                rate that is not stable.

        >>> from losslaw import KernelRegression
        >>> world = KernelRegression(source=1, capacity=2)
        >>> run = Schedule([0.3] * 1000)
        >>> last, mean = (world.mean_curve(run, [1000], average=average).loss[0]
        ...     for average in (None, "tail:start=500"))
        >>> bool(mean < last)
        True
        """
        schedule = schedule_of(schedule)
        at, kept = asked_steps(schedule, steps, label, average)
        moves = self._moves(schedule, momentum, nesterov, average)
        if not allow_unstable:
            self._check(schedule, moves)
        if method not in get_args(MeanMethod):
            expected = ", ".join(get_args(MeanMethod))
            raise InputError(f"method {method!r}, expected one of: {expected}")
        modes, totals, diverged = self._run(schedule, at, kept, moves, method)
        warnings: tuple[str, ...] = ()
        if diverged is not None:
            whole = at < diverged
            smallest = float(batch_sizes(schedule).min())
            warnings = (self._stability.divergence(diverged, schedule.peak_lr, smallest),)
            if not whole.any():
                raise InputError(warnings[0])
            at, totals = at[whole], totals[whole]
        assumptions = () if schedule.batch is not None else ("batch size taken as 1",)
        return LossCurve(
            schedule,
            at,
            modes.risk(totals),
            label,
            float(self.modes) if math.isfinite(self.modes) else None,
            assumptions,
            warnings,
            unit=RISK,
        )

    def excess_risk(
        self,
        schedule: ScheduleLike | LongSchedule,
        steps: ArrayLike | None = None,
        *,
        average: AverageLike | None = None,
        momentum: ArrayLike | None = None,
        nesterov: bool = False,
    ) -> FloatArray:
        """Mean risk above the irreducible ``noise^2 / 2``, at any horizon.

        Late in a long run the risk and ``noise^2 / 2`` agree in all digits; this one keeps its own.

        Args:
            schedule: Every update (within 1e-8, at the cost of the horizon), or smooth pieces
                (`LongSchedule`: within 3e-5, at the cost of its logarithm).
            steps: Updates done when the risk is wanted, increasing, in 1..horizon. ``None``: the
                end only.
            average: Of the iterates, as in `mean_curve`; with every update only.
            momentum: As in `mean_curve`; with every update only.
            nesterov: As in `mean_curve`.

        Returns:
            Excess risk ``(X + A) / 2`` at the steps, shape ``(m,)``.

        Raises:
            InputError: steps outside the schedule, or a learning rate that is not stable.

        >>> from losslaw import KernelRegression
        >>> from losslaw.kernel import long_wsd
        >>> world = KernelRegression(source=0.5, capacity=4)
        >>> excess = world.excess_risk(long_wsd(0.5, horizon=10**12))[0]
        >>> bool(5e-7 < excess < 5e-6)
        True
        """
        if not isinstance(schedule, LongSchedule):
            schedule = schedule_of(schedule)
        at = [schedule.horizon] if steps is None else steps
        if isinstance(schedule, LongSchedule):
            if average is not None or momentum is not None:
                raise InputError(
                    "averages and momentum need every update: give a schedule that is written out"
                )
            self.check_stable(schedule)
            modes = self.nodes(schedule.intrinsic_time)
            totals = integrate(modes, schedule, _long_steps(at, schedule.horizon))
        else:
            at, kept = asked_steps(schedule, at, "kernel", average)
            moves = self._moves(schedule, momentum, nesterov, average)
            self._check(schedule, moves)
            modes, totals, _ = self._run(schedule, at, kept, moves)
        return 0.5 * (totals + modes.unlearned)

    def scaling_law(
        self,
        schedule: ScheduleLike,
        steps: ArrayLike | None = None,
        *,
        kernels: Kernels = "spectrum",
        constants: bool = True,
        momentum: ArrayLike | None = None,
        nesterov: bool = False,
    ) -> Terms:
        """The functional scaling law of a schedule, every term by itself.

        Args:
            schedule: Learning rates, and batch sizes; a batch that is not known counts as 1.
            steps: Updates done when the risk is wanted, increasing, in 1..horizon. ``None``: all.
            kernels: ``spectrum``: forgetting and learning kernels of this problem, finite or
                infinite. ``power``: the power laws that they tend to.
            constants: With power laws, whether to put their constants in; else all are 1.
            momentum: As in `mean_curve`: the law of plain SGD at the effective rates, about
                ``lr / (1 - momentum)``; see `losslaw.kernel.simulate.momentum` for its limits.
            nesterov: As in `mean_curve`.

        Raises:
            InputError: steps outside the schedule, or power-law kernels of a spectrum that has no
                exponents.

        >>> from losslaw import KernelRegression
        >>> world = KernelRegression(source=0.5, capacity=4, modes=1000)
        >>> schedule = Schedule([0.01] * 1000)
        >>> law, exact = world.scaling_law(schedule).risk, world.mean_curve(schedule).loss
        >>> bool(abs(law / exact - 1).max() < 0.001)
        True
        """
        schedule = schedule_of(schedule)
        moves = self._moves(schedule, momentum, nesterov, None)
        if moves is not None:
            schedule = schedule.with_(lr=moves.effective(schedule.lr))
        at, _ = asked_steps(schedule, steps, "scaling law")
        batch = batch_sizes(schedule)
        if kernels == "spectrum":
            nodes = self.nodes(float(schedule.intrinsic_time[at[-1] - 1]))
            return spectrum_terms(nodes, schedule.lr, batch, at)
        if kernels != "power":
            raise InputError(f"kernels {kernels!r}, expected spectrum or power")
        if self.source is None or self.capacity is None:
            raise InputError("power-law kernels need source and capacity; this spectrum is given")
        if self.capacity <= 1:
            raise InputError(
                f"power-law kernels need a capacity above 1, this one is {self.capacity:g}:"
                " choose kernels='spectrum'"
            )
        return power_terms(
            self.source,
            self.capacity,
            self.modes,
            self.unlearned,
            self.noise**2,
            schedule.lr,
            batch,
            at,
            constants=constants,
        )

    def sde_gap(
        self, schedule: ScheduleLike, fractions: ArrayLike, steps: ArrayLike | None = None
    ) -> FloatArray:
        """How far the SDE is from SGD as the learning rate grows.

        Args:
            schedule: Any schedule; only its shape counts.
            fractions: Peak learning rates, as fractions of the largest stable one, in (0, 1).
            steps: Where to look. ``None``: everywhere.

        Returns:
            Largest relative difference of the excess risk over the steps, one a fraction.
        """
        schedule = schedule_of(schedule)
        at, _ = asked_steps(schedule, steps, "gap")
        limit = self.largest_lr(float(batch_sizes(schedule).min())) / schedule.peak_lr
        gaps: list[float] = []
        for fraction in finite_vector("fractions", fractions):
            scaled = schedule.scaled(float(fraction) * limit)
            sgd = self.excess_risk(scaled, at)
            sde = self.mean_curve(scaled, at, method="sde").loss - 0.5 * self.noise**2
            gaps.append(float(np.abs(sde / sgd - 1).max()))
        return np.array(gaps)

    def _run(
        self,
        schedule: Schedule,
        at: IntArray,
        kept: Recursion | None,
        moves: Momentum | None,
        method: MeanMethod = "quadrature",
    ) -> tuple[Modes, FloatArray, int | None]:
        """The modes that ran, their ``X`` at the steps, and the update at which they diverged."""
        if method in ("sde", "volterra") and not kept is moves is None:
            what = "averages" if moves is None else "momentum"
            raise InputError(f"method {method!r} knows no {what}: expected quadrature or recursion")
        modes = self.true_modes if method == "recursion" else self._nodes(schedule, moves, at)
        lr, batch = schedule.lr, batch_sizes(schedule)
        if method in ("sde", "volterra"):
            own = method == "sde"
            return modes, *continuous.solve(modes, lr, batch, at, own_noise=own)
        if moves is not None:
            return modes, *momentum_run(modes, lr, batch, moves, at)
        if kept is not None:
            return modes, *averaged.run(modes, lr, batch, kept, at)
        return modes, *recursion.run(modes, lr, batch, at)

    def _nodes(self, schedule: Schedule, moves: Momentum | None, at: IntArray) -> Modes:
        """Nodes that are good until the last step that is asked about."""
        if moves is None or self.capacity is None:
            return self.nodes(float(schedule.intrinsic_time[at[-1] - 1]))
        # No mode has been moved further than by all gradients in full.
        time = float((schedule.lr / (1 - moves.rho))[: at[-1]].sum() * (1 + moves.rho.max()))
        swinging = moves.underdamped(schedule.lr, self.capacity, self.modes)
        if swinging > MOST_HEAD:
            raise InputError(
                f"{swinging:g} modes are underdamped, and quadrature takes up to {MOST_HEAD} of"
                " them: lower the momentum, or take finitely many modes and method='recursion'"
            )
        return self.nodes(time, max(HEAD, int(swinging)))


def _long_steps(steps: ArrayLike, horizon: int) -> FloatArray:
    at = finite_vector("steps", steps)
    if (np.diff(at) <= 0).any() or at[0] < 1 or at[-1] > horizon or (at != np.floor(at)).any():
        raise InputError(f"steps are increasing whole numbers in 1..{horizon}, got {at}")
    return at
