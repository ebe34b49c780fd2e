"""One cell of a sweep: a kernel problem, a schedule, and its final risk."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Literal

from losslaw.kernel.kernel_regression import KernelRegression
from losslaw.kernel.measured import Spectrum
from losslaw.kernel.methods import evaluate, relative_plan
from losslaw.kernel.problem import Distribution, Features
from losslaw.schedules import LongSchedule, Schedule, parse_long_schedule, parse_schedule

# What the risk of a job is computed by (`losslaw.kernel.methods`).
SweepMethod = Literal["quadrature", "exact", "integrator", "sde", "volterra", "fsl"]

# The results of a job, in the order of the table.
COLUMNS = ("risk", "excess_risk", "sampled_risk", "sampled_error", "sampled_spread")


class NamedSpectrum:
    """A measured spectrum that goes with its jobs, since a worker elsewhere has no file to read.

    Args:
        name: Its file; what stands for it in a table.
        spectrum: What stood in the file.
    """

    def __init__(self, name: str, spectrum: Spectrum):
        self.name = name
        self.spectrum = spectrum
        numbers = spectrum.eigenvalues.tobytes() + spectrum.targets.tobytes()
        self.digest = hashlib.sha256(numbers).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedSpectrum) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{self.name} ({self.digest})"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class KernelJob:
    """A frozen record of everything a result depends on, so that it can be its key.

    Attributes:
        source: Source exponent s > 0; ``None`` where there is a spectrum.
        capacity: Capacity exponent beta > 1, or > 0 where ``ambient`` is finite; the same.
        modes: M, a whole number or infinity.
        noise: Label noise sigma, >= 0.
        features: ``top`` or ``random``.
        distribution: Law of the features: ``gaussian``, ``uniform`` or ``laplace``.
        ambient: N, all features there are, a whole number or infinity.
        spectrum: A measured one in place of exponents.
        schedule: Text of the schedule (`parse_schedule`).
        batch: Samples in each update; ``None``: what the schedule says, or 1.
        runs: Sampled runs; 0: the exact mean only.
        seed: Seed of samples and of random features.
        relative: Whether rates are fractions of the largest stable one.
        method: What computes the risk; ``integrator`` at any horizon.
        momentum: Of the steps, ``0 <= rho < 1``; ``None``: none.
        nesterov: Whether it is Nesterov's.
    """

    source: float | None = None
    capacity: float | None = None
    modes: float = math.inf
    noise: float = 1.0
    features: Features = "top"
    distribution: Distribution = "gaussian"
    ambient: float = math.inf
    spectrum: NamedSpectrum | None = None
    schedule: str = ""
    batch: float | None = None
    runs: int = 0
    seed: int = 0
    relative: bool = False
    method: SweepMethod = "quadrature"
    momentum: float | None = None
    nesterov: bool = False

    def problem(self) -> KernelRegression:
        """The kernel problem.

        Raises:
            InputError: a number is out of range.
        """
        law: dict[str, Any] = {
            "source": self.source,
            "capacity": self.capacity,
            "ambient": self.ambient,
        }
        if self.spectrum is not None:
            measured = self.spectrum.spectrum
            law = {"spectrum": measured.eigenvalues, "targets": measured.targets}
        return KernelRegression(
            modes=self.modes,
            noise=self.noise,
            features=self.features,
            distribution=self.distribution,
            seed=self.seed,
            **law,
        )

    def whole_schedule(self) -> Schedule | LongSchedule:
        """The schedule with its batch, its rates as they are written; in pieces for ``integrator``.

        Raises:
            InputError: the text makes no schedule, or the batch is not above 0.
        """
        if self.method == "integrator":
            run = parse_long_schedule(self.schedule)
            return run if self.batch is None else run.with_batch(self.batch)
        schedule = parse_schedule(self.schedule)
        return schedule if self.batch is None else schedule.with_(batch=self.batch)


def run_kernel_job(job: KernelJob) -> dict[str, float | None]:
    """Final risk of a job: exact mean, and mean and spread of sampled runs if there are any.

    Returns:
        ``risk``, the mean after the last update by the method of the job (by default the exact
        one), irreducible ``noise^2 / 2`` included; ``excess_risk`` without it; ``sampled_risk``,
        ``sampled_error`` (standard error of that mean) and ``sampled_spread`` (standard deviation
        of one run), ``None`` without sampled runs.

    Raises:
        InputError: the problem makes no sense, or a learning rate is not stable.

    >>> job = KernelJob(source=1.0, capacity=2.0, modes=50, schedule="constant:peak=0.1,horizon=9")
    >>> round(run_kernel_job(job)["risk"], 4)
    0.7007
    """
    world, schedule = job.problem(), job.whole_schedule()
    if job.relative:
        schedule = relative_plan(world, schedule, momentum=job.momentum, nesterov=job.nesterov)
    found = evaluate(
        world,
        schedule,
        method=job.method,
        points=1,
        momentum=job.momentum,
        nesterov=job.nesterov,
    )
    excess = float(found.excess[-1])
    results: dict[str, float | None] = dict.fromkeys(COLUMNS)
    results["risk"], results["excess_risk"] = excess + found.irreducible, excess
    if job.runs and isinstance(schedule, Schedule):
        last = [schedule.horizon]
        runs = world.sample(
            schedule,
            steps=last,
            runs=job.runs,
            seed=job.seed,
            momentum=job.momentum,
            nesterov=job.nesterov,
        )
        results["sampled_risk"] = float(runs.mean[-1])
        results["sampled_error"] = float(runs.standard_error[-1])
        results["sampled_spread"] = float(runs.spread[-1])
    return results
