"""Power-law kernel regression: the model world in which functional scaling laws are proved.

Features ``phi(x)`` have covariance ``H = diag(lambda_j)``, ``lambda_j = j^-capacity``. Labels are
``y = <phi(x), theta*> + noise * N(0, 1)``, ``lambda_j theta*_j^2 = j^-(1 + source * capacity)``.
The student ``f(x) = <v, W phi(x)>`` has ``modes`` parameters and learns by one-pass SGD from
``v = 0``: every batch is fresh. Its loss here is the risk ``E (f(x) - y)^2 / 2``, in which the
label noise keeps its share ``noise^2 / 2`` for ever. The methods of `KernelRegression` are
evaluators of one quantity, the risk along a schedule, and check each other.
"""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.curves.curve import checked_steps
from losslaw.drawing import Plotted
from losslaw.errors import InputError, expect_numbers
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate import averaged, continuous, recursion
from losslaw.kernel.simulate.fsl import Terms, power_terms, spectrum_terms
from losslaw.kernel.simulate.heavy_tails import heavy_tails_lr
from losslaw.kernel.simulate.integrator import integrate
from losslaw.kernel.simulate.momentum import Momentum, check_with_momentum
from losslaw.kernel.simulate.momentum import largest_lr as largest_lr_with
from losslaw.kernel.simulate.momentum import run as momentum_run
from losslaw.kernel.simulate.quadrature import HEAD, power_law_nodes
from losslaw.kernel.simulate.sampled import SampledRuns, sample
from losslaw.kernel.simulate.stability import Stability
from losslaw.kernel.spectrum import GivenSpectrum, PowerLawSpectrum, Projected, power_sum
from losslaw.numerics.arrays import FloatArray, IntArray, check_positive, finite_vector
from losslaw.numerics.magnitudes import LABEL_NOISE
from losslaw.schedules import Schedule, ScheduleLike, schedule_of
from losslaw.schedules.averages import AverageLike, Recursion, average_of
from losslaw.schedules.pieces import LongSchedule

Features = Literal["top", "random"]
Distribution = Literal["gaussian", "uniform", "laplace"]
MeanMethod = Literal["quadrature", "recursion", "sde", "volterra"]
Kernels = Literal["spectrum", "power"]

# E phi_j^4 / lambda_j^2 of the coordinates on offer.
KURTOSIS: dict[Distribution, float] = {"gaussian": 3.0, "uniform": 1.8, "laplace": 6.0}
# Modes the full recursion may hold: 10^7 of them take 5 ms an update.
MOST_MODES = 10**7
# Modes that quadrature takes one by one at most, where momentum makes them swing.
MOST_HEAD = 20_000
# Below so many there is nothing to save.
FEW_MODES = 32
# Eigenvalues that the stability condition adds one by one; the others enter by their moments.
STABILITY_HEAD = 512


@dataclass(frozen=True, eq=False)
class KernelRegression(Plotted):
    """One-pass SGD on power-law kernel regression, in expectation and sample by sample.

    Args:
        source: Source exponent s > 0: how smooth the target is; large s is easy.
        capacity: Capacity exponent beta > 1: how fast the spectrum falls; large beta is low
            capacity.
        modes: Parameters M of the student, a whole number or ``math.inf``.
        noise: Standard deviation sigma >= 0 of the labels.
        features: ``top``: the student has the M leading features. ``random``: M Gaussian
            combinations of all features, rows of W with entries of variance 1/M, so that the
            eigenvalues of ``W H W'`` follow ``j^-beta``.
        distribution: Law of the independent coordinates of phi: ``gaussian``, ``uniform`` or
            ``laplace``, all hypercontractive.
        ambient: Number N of features there are, M <= N; a whole number or ``math.inf``.
        seed: Seed of the random features.
        spectrum: Eigenvalues lambda_j > 0 in place of a power law. Shape ``(N,)``.
        targets: Coefficients theta*_j that go with ``spectrum``. Shape ``(N,)``.

    Raises:
        InputError: a number is out of range.

    The same problem in other papers' symbols:

    ======================================== ================= ===================================
    paper                                    capacity beta     source s
    ======================================== ================= ===================================
    Li et al., arXiv:2509.19189              beta              s
    Caponnetto, De Vito 2007                 b                 c
    Cui et al., arXiv:2105.15004             alpha             2 r
    Bordelon et al., arXiv:2402.01092        b                 (a - 1) / b
    Paquette et al., arXiv:2405.15074        2 alpha           (2 alpha + 2 beta - 1) / (2 alpha)
    Lin et al., arXiv:2406.08466             a                 (b - 1) / a
    ======================================== ================= ===================================

    >>> from losslaw import KernelRegression, Schedule
    >>> world = KernelRegression(source=0.5, capacity=4.0, modes=1000, noise=1.0)
    >>> curve = world.mean_curve(Schedule([0.3] * 100), steps=[1, 10, 100])
    >>> curve.loss.round(4).tolist()
    [0.9881, 0.749, 0.6815]
    """

    source: float | None = None
    capacity: float | None = None
    modes: float = math.inf
    noise: float = 1.0
    features: Features = "top"
    distribution: Distribution = "gaussian"
    ambient: float = math.inf
    seed: int = 0
    spectrum: ArrayLike | None = field(default=None, repr=False)
    targets: ArrayLike | None = field(default=None, repr=False)
    # All features, those that the student does not see among them.
    _law: PowerLawSpectrum | GivenSpectrum = field(init=False, repr=False)

    def __post_init__(self):
        put = object.__setattr__
        if self.spectrum is None:
            if self.targets is not None:
                raise InputError("targets need the spectrum they belong to: give both")
            ambient = _count("ambient", self.ambient)
            law = PowerLawSpectrum.checked(self.source, self.capacity, ambient)
            given = {"source": law.source, "capacity": law.capacity}
        else:
            if self.source is not None or self.capacity is not None:
                raise InputError("give source and capacity, or spectrum and targets, not both")
            law = GivenSpectrum.checked(self.spectrum, self.targets)
            given = {"spectrum": law.eigenvalues, "targets": law.targets}
            if self.modes == math.inf:
                put(self, "modes", law.size)
        for name, value in {**given, "ambient": law.size, "_law": law}.items():
            put(self, name, value)
        put(self, "modes", _count("modes", self.modes))
        if self.modes > self.ambient:
            raise InputError(
                f"modes is {self.modes}, expected at most {self.ambient}, the ambient features"
            )
        if not (math.isfinite(self.noise) and self.noise >= 0):
            raise InputError(f"noise is {self.noise:g}, expected a standard deviation, 0 or above")
        LABEL_NOISE.check("noise", self.noise)
        if self.features not in get_args(Features):
            raise InputError(f"features {self.features!r}, expected top or random")
        if self.distribution not in KURTOSIS:
            raise InputError(
                f"distribution {self.distribution!r}, expected one of: {', '.join(KURTOSIS)}"
            )
        if self.features == "random":
            if self.modes == math.inf:
                raise InputError("random features need a finite number of modes")
            if self.distribution != "gaussian":
                raise InputError(
                    "random features mix the coordinates, and the mean dynamics closes only for"
                    " gaussian ones: choose distribution='gaussian' or features='top'"
                )

    # -- what the student can learn ---------------------------------------------------------------

    @cached_property
    def unlearned(self) -> float:
        """Twice the excess risk that remains with all modes learned, ``A``.

        Top features: ``sum_{j > M} lambda_j theta*_j^2 ~ M^-(s beta)``; random ones: the minimum
        over v of the same risk.
        """
        if self.features == "random":
            return self._projected[2]
        return self._law.signal_after(self.modes)

    @cached_property
    def true_modes(self) -> Modes:
        """Every mode by itself.

        Raises:
            InputError: there are infinitely many, or too many to hold.
        """
        if self.modes > MOST_MODES:
            raise InputError(
                f"{self.modes} modes one by one, expected at most {MOST_MODES:.0e};"
                " quadrature has no such limit"
            )
        if self.features == "random":
            rate, signal, _ = self._projected
        else:
            rate, signal = self._law.first(int(self.modes))
        return self._modes(rate, signal, rate**2)

    def nodes(self, time: float, head: int | None = None) -> Modes:
        """A few dozen nodes that stand for all modes until intrinsic time ``time``.

        The first ``head`` modes are nodes themselves, eight if not more are asked for. Spectra
        that are not a power law are their own nodes.
        """
        law = self._power_law
        if law is None or self.modes <= FEW_MODES:
            return self.true_modes
        return self._modes(*power_law_nodes(law.source, law.capacity, self.modes, time, head))

    def _modes(self, rate: FloatArray, signal: FloatArray, noise: FloatArray) -> Modes:
        return Modes(
            rate=rate,
            signal=signal,
            noise=noise,
            unlearned=self.unlearned,
            label_noise=self.noise**2,
            kurtosis=KURTOSIS[self.distribution],
        )

    @cached_property
    def _projected(self) -> Projected:
        return self._law.project(int(self.modes), self.seed)

    @property
    def _power_law(self) -> PowerLawSpectrum | None:
        """The power law that the eigenvalues of the student follow exactly, if they do."""
        law = self._law
        return law if isinstance(law, PowerLawSpectrum) and self.features == "top" else None

    # -- stability --------------------------------------------------------------------------------

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

        >>> round(KernelRegression(source=1, capacity=2).largest_lr(batch=8), 3)
        1.587
        """
        if not momentum:
            return self._stability.largest_lr(batch)
        Momentum.checked(momentum, nesterov, 1)
        check_positive(batch=batch)
        return largest_lr_with(self._stability, batch, momentum, nesterov=nesterov)

    def heavy_tails_lr(self, batch: float = 1) -> float:
        """The rate from which on the risk of a sampled run has no variance, at rest.

        Below `largest_lr` its mean exists all the same; but a mean of a few hundred runs is then
        not near it, and its standard error does not say so.

        Raises:
            InputError: the features are not Gaussian, or the batch is not above 0.

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
            for lr, batch in schedule.extremes():
                if lr > self.largest_lr(batch):
                    raise self._stability.unstable(lr, batch)

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

    def _nodes(self, schedule: Schedule, moves: Momentum | None, at: IntArray) -> Modes:
        """Nodes that are good until the last step that is asked about."""
        if moves is None or self.capacity is None:
            return self.nodes(float(schedule.intrinsic_time[at[-1] - 1]))
        # No mode has been moved further than by all gradients in full.
        time = float((schedule.lr / (1 - moves.rho))[: at[-1]].sum() * (1 + moves.rho.max()))
        swinging = moves.underdamped(schedule.lr, self.capacity)
        if swinging > MOST_HEAD:
            raise InputError(
                f"{swinging} modes are underdamped, too many for quadrature: lower the momentum,"
                " or take finitely many modes and method='recursion'"
            )
        return self.nodes(time, max(HEAD, swinging))

    def _check(self, schedule: Schedule, moves: Momentum | None) -> None:
        """Refuse what is not stable, momentum included."""
        if moves is None:
            self.check_stable(schedule)
        else:
            check_with_momentum(self._stability, schedule.lr, batch_sizes(schedule), moves)

    # -- evaluators -------------------------------------------------------------------------------

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

        >>> world = KernelRegression(source=1, capacity=2)
        >>> run = Schedule([0.3] * 1000)
        >>> last, mean = (world.mean_curve(run, [1000], average=average).loss[0]
        ...     for average in (None, "tail:start=500"))
        >>> bool(mean < last)
        True
        """
        schedule = schedule_of(schedule)
        kept = None if average is None else average_of(average).recursion(schedule.horizon)
        at = checked_steps(_all_steps(schedule, steps, kept), schedule.horizon, label)
        _check_average(kept, at)
        batch = batch_sizes(schedule)
        moves = self._moves(schedule, momentum, nesterov, average)
        if not allow_unstable:
            self._check(schedule, moves)
        if method not in get_args(MeanMethod):
            expected = ", ".join(get_args(MeanMethod))
            raise InputError(f"method {method!r}, expected one of: {expected}")
        modes = self.true_modes if method == "recursion" else self._nodes(schedule, moves, at)
        if moves is not None:
            if method not in ("quadrature", "recursion"):
                raise InputError(
                    f"method {method!r} knows no momentum: expected quadrature or recursion"
                )
            totals, diverged = momentum_run(modes, schedule.lr, batch, moves, at)
        elif kept is not None:
            if method not in ("quadrature", "recursion"):
                raise InputError(
                    f"method {method!r} knows no averages: expected quadrature or recursion"
                )
            totals, diverged = averaged.run(modes, schedule.lr, batch, kept, at)
        elif method in ("sde", "volterra"):
            own = method == "sde"
            totals, diverged = continuous.solve(modes, schedule.lr, batch, at, own_noise=own)
        else:
            totals, diverged = recursion.run(modes, schedule.lr, batch, at)
        warnings: tuple[str, ...] = ()
        if diverged is not None:
            whole = at < diverged
            smallest = float(batch.min())
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
            unit=None,
        )

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

        >>> world = KernelRegression(source=1, capacity=2, modes=20)
        >>> runs = world.sample(Schedule([0.1] * 50), steps=[10, 50], runs=20, seed=1)
        >>> runs.losses.shape, bool((runs.spread > 0).all())
        ((20, 2), True)
        """
        schedule = schedule_of(schedule)
        kept = None if average is None else average_of(average).recursion(schedule.horizon)
        at = checked_steps(_all_steps(schedule, steps, kept), schedule.horizon, "sampled")
        _check_average(kept, at)
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
            at = checked_steps(at, schedule.horizon, "kernel")
            moves = self._moves(schedule, momentum, nesterov, average)
            self._check(schedule, moves)
            modes = self._nodes(schedule, moves, at)
            sizes = batch_sizes(schedule)
            if moves is not None:
                totals, _ = momentum_run(modes, schedule.lr, sizes, moves, at)
            elif average is None:
                totals, _ = recursion.run(modes, schedule.lr, sizes, at)
            else:
                kept = average_of(average).recursion(schedule.horizon)
                _check_average(kept, at)
                totals, _ = averaged.run(modes, schedule.lr, sizes, kept, at)
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
        at = checked_steps(_all_steps(schedule, steps), schedule.horizon, "scaling law")
        batch = batch_sizes(schedule)
        if kernels == "spectrum":
            nodes = self.nodes(float(schedule.intrinsic_time[at[-1] - 1]))
            return spectrum_terms(nodes, schedule.lr, batch, at)
        if kernels != "power":
            raise InputError(f"kernels {kernels!r}, expected spectrum or power")
        if self.source is None or self.capacity is None:
            raise InputError("power-law kernels need source and capacity; this spectrum is given")
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
        at = checked_steps(_all_steps(schedule, steps), schedule.horizon, "gap")
        limit = self.largest_lr(float(batch_sizes(schedule).min())) / schedule.peak_lr
        gaps: list[float] = []
        for fraction in finite_vector("fractions", fractions):
            scaled = schedule.scaled(float(fraction) * limit)
            sgd = self.excess_risk(scaled, at)
            sde = self.mean_curve(scaled, at, method="sde").loss - 0.5 * self.noise**2
            gaps.append(float(np.abs(sde / sgd - 1).max()))
        return np.array(gaps)


def _all_steps(
    schedule: Schedule, steps: ArrayLike | None, average: Recursion | None = None
) -> ArrayLike:
    first = 1 if average is None else average.first
    return np.arange(first, schedule.horizon + 1) if steps is None else steps


def _check_average(average: Recursion | None, at: IntArray) -> None:
    """Refuse to ask before all that is averaged is there."""
    if average is not None and at[0] < average.first:
        raise InputError(
            f"step {at[0]} is asked about, and the last checkpoint of the average is after"
            f" {average.first} updates"
        )


def _long_steps(steps: ArrayLike, horizon: int) -> FloatArray:
    at = finite_vector("steps", steps)
    if (np.diff(at) <= 0).any() or at[0] < 1 or at[-1] > horizon or (at != np.floor(at)).any():
        raise InputError(f"steps are increasing whole numbers in 1..{horizon}, got {at}")
    return at


def batch_sizes(schedule: Schedule) -> FloatArray:
    """Samples in each update; a batch that is not known counts as 1. Shape ``(n,)``."""
    return np.ones(schedule.horizon) if schedule.batch is None else schedule.batch


def _count(name: str, value: float) -> float:
    expect_numbers(**{name: value})
    if value == math.inf:
        return math.inf
    if not (math.isfinite(value) and float(value).is_integer() and value >= 1):
        raise InputError(f"{name} is {value:g}, expected a whole number, at least 1, or math.inf")
    return int(value)
