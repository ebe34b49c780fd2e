"""The lowest mean risk a budget buys with a schedule, found in the exact discrete dynamics.

One run costs milliseconds at any horizon (`losslaw.kernel.simulate.integrator`), so peak, cooldown
and modes are searched by Nelder and Mead in their logarithms. Peaks go up to `SHARE` of the largest
stable rate: beyond, noise feeds on itself and no scaling law holds. Noise and batch are 1 where
nothing else is said.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize

from losslaw.errors import InputError
from losslaw.kernel.kernel_regression import KernelRegression
from losslaw.kernel.long_schedules import LongSchedule, long_constant, long_decay, long_wsd
from losslaw.kernel.simulate.integrator import integrate
from losslaw.kernel.theory import Exponents, Scaling, scaling
from losslaw.kernel.theory.scaling import Limited
from losslaw.numerics.arrays import FloatArray

# The decay that a stable phase of no updates leaves.
WHOLE = {"wsd": "exponential", "wsd-power": "power"}


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The lowest mean risk of a schedule for a budget, and where it is.

    Attributes:
        risk: Excess risk at the end, ``(X + A) / 2``.
        peak: Peak learning rate.
        modes: M; infinite if only data are limited.
        samples: D.
        cooldown: Share of the samples that decays; 1 for one decay, 0 for a constant rate.
        batch: Samples in an update.
    """

    risk: float
    peak: float
    modes: float
    samples: float
    cooldown: float
    batch: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is tuned, and what is not: the arguments of `best`."""

    exponents: Exponents
    schedule: str
    budget: float
    limited: Limited = "data"
    peak: float | None = None
    cooldown: float | None = None
    exponent: float | None = None
    floor: float = 0.0
    noise: float = 1.0
    batch: float = 1.0
    modes: float | None = None
    precise: bool = False

    @property
    def cap(self) -> float:
        """Largest peak that is tried."""
        return cap(self.exponents, self.batch)

    def theory(self) -> Scaling:
        """The closed form at a budget of ``D / sigma^2``, which is what noise makes of one."""
        return scaling(
            self.exponents,
            self.schedule,
            max(self.budget / max(self.noise, 1e-3) ** 2, 10.0),
            limited=self.limited,
            exponent=self.exponent,
            floor=self.floor,
        )

    def samples(self, modes: float) -> float:
        """D, which the modes leave of a budget of compute."""
        return max(1, round(self.budget / modes)) if self.limited == "compute" else self.budget

    def closed(self) -> tuple[float, float, float, float]:
        """Peak, modes, samples and cooldown of the closed form, all constants one.

        With noise the balance is ``T^-s = sigma^2 T^(1/alpha) / D``, so ``T`` and ``M`` are those
        of ``D / sigma^2`` samples, and the rate ``T / D`` is that one over ``sigma^2``. No rate is
        above the cap, and no ``M`` above the one that the cap can teach, ``C^(1/(1 + beta))``.
        """
        theory = self.theory()
        gamma = theory.peak.value / max(self.noise, 1e-3) ** 2
        modes = math.inf if self.modes is None else self.modes
        if self.limited == "compute" and self.modes is None:
            most = self.budget ** (1 / (1 + self.exponents.capacity))
            modes = max(1, round(min(theory.modes.value, most)))
        samples = self.samples(modes)
        share = 1.0 if theory.cooldown is None else theory.cooldown.value
        return min(gamma * self.batch, self.cap), modes, samples, share

    def at(self, *, peak: float, modes: float, samples: float, cooldown: float) -> Optimum:
        """The risk of one choice."""
        run = long_schedule(
            self.exponents,
            self.schedule,
            peak,
            samples,
            cooldown,
            self.exponent,
            self.floor,
            self.batch,
        )
        if self.schedule not in WHOLE:
            cooldown = 0.0 if self.schedule == "constant" else 1.0
        return Optimum(
            risk=final_risk(self.exponents, run, modes, self.noise),
            peak=peak,
            modes=modes,
            samples=samples,
            cooldown=cooldown,
            batch=self.batch,
        )


@lru_cache(maxsize=4096)
def world(exponents: Exponents, modes: float = math.inf, noise: float = 1.0) -> KernelRegression:
    """The problem with these exponents."""
    return KernelRegression(
        source=exponents.source, capacity=exponents.capacity, modes=modes, noise=noise
    )


@lru_cache(maxsize=64)
def cap(exponents: Exponents, batch: float = 1.0) -> float:
    """Largest peak that is tried: `SHARE` of the largest stable rate with all modes."""
    return world(exponents).highest_peak(batch)


def final_risk(
    exponents: Exponents, run: LongSchedule, modes: float = math.inf, noise: float = 1.0
) -> float:
    """Mean excess risk at the end of a run.

    As `KernelRegression.excess_risk`, with nodes kept from one run to the next: they are good
    until the next power of ten of the intrinsic time.

    >>> run = long_constant(0.1, 10**6)
    >>> exact = world(Exponents(1.0, 2.0)).excess_risk(run)[0]
    >>> bool(abs(final_risk(Exponents(1.0, 2.0), run) / exact - 1) < 1e-7)
    True
    """
    kept = world(exponents, modes, noise).kept_nodes(run.intrinsic_time)
    total = integrate(kept, run, np.array([float(run.horizon)]))[-1]
    return 0.5 * float(total + kept.unlearned)


def long_schedule(
    exponents: Exponents,
    schedule: str,
    peak: float,
    samples: float,
    cooldown: float = 0.2,
    exponent: float | None = None,
    floor: float = 0.0,
    batch: float = 1.0,
) -> LongSchedule:
    """A schedule by its name in the theory.

    Exponential decays, that of WSD included, end at the peak over the number of updates.

    Args:
        exponents: Power decays take their default exponent ``2 beta - 1`` from them.
        schedule: ``constant``, ``exponential``, ``wsd``, ``wsd-power``, ``power``, ``linear``,
            ``1-sqrt`` or ``cosine``.
        peak: Largest rate.
        samples: Number of samples.
        cooldown: Share of the updates that decays, for WSD.
        exponent: Of the power decays.
        floor: Final rate of a power, linear or cosine decay, as a share of the peak.
        batch: Samples in an update.
    """
    n = max(1, round(samples / batch))
    g = 2 * exponents.capacity - 1 if exponent is None else exponent
    if schedule == "constant":
        return long_constant(peak, n, batch)
    if schedule == "exponential":
        return long_decay(peak, n, peak / n, "exponential", batch=batch)
    if schedule == "wsd":
        return long_wsd(peak, n, cooldown, peak / n, "exponential", batch=batch)
    if schedule == "wsd-power":
        return long_wsd(peak, n, cooldown, floor * peak, "power", g, batch)
    if schedule == "power":
        return long_decay(peak, n, floor * peak, "power", g, batch)
    if schedule in ("linear", "1-sqrt", "cosine"):
        return long_decay(peak, n, floor * peak, schedule, batch=batch)
    raise InputError(f"schedule {schedule!r} is not one that can be measured here")


def schedule_text(
    exponents: Exponents,
    schedule: str,
    found: Optimum,
    exponent: float | None = None,
    floor: float = 0.0,
) -> str:
    """The schedule of an optimum as text, for `losslaw.schedules.parse_long_schedule`.

    >>> found = best(Exponents(0.5, 4.0), "power", 1e6)
    >>> schedule_text(Exponents(0.5, 4.0), "power", found)
    'power:peak=0.594272,horizon=1000000,exponent=7'
    """
    n = max(1, round(found.samples / found.batch))
    run = f"peak={found.peak:.6g},horizon={n}"
    g = 2 * exponents.capacity - 1 if exponent is None else exponent
    falls = f",final={found.peak * floor:.6g}" if floor else ""
    if schedule == "exponential" or (schedule == "wsd" and found.cooldown == 1):
        return f"exponential:{run},final={found.peak / n:.6g}"
    if schedule == "wsd":
        end = f"final={found.peak / n:.6g},decay=exponential"
        return f"wsd:{run},cooldown={found.cooldown:.6g},{end}"
    if schedule == "wsd-power":
        return f"wsd:{run},cooldown={found.cooldown:.6g}{falls},decay=power,exponent={g:g}"
    if schedule == "power":
        return f"power:{run}{falls},exponent={g:g}"
    if schedule == "1-sqrt":
        return f"wsd:{run},cooldown=1{falls},decay=1-sqrt"
    return f"{schedule}:{run}{falls}"


def best(
    exponents: Exponents,
    schedule: str,
    budget: float,
    *,
    limited: Limited = "data",
    peak: float | None = None,
    cooldown: float | None = None,
    exponent: float | None = None,
    floor: float = 0.0,
    noise: float = 1.0,
    batch: float = 1.0,
    modes: float | None = None,
    precise: bool = False,
) -> Optimum:
    """The lowest mean risk of a schedule for a budget: best peak, and best cooldown and modes.

    Args:
        exponents: Source and capacity.
        schedule: As in `long_schedule`.
        budget: Samples D, with infinitely many modes; or compute C = M D.
        limited: Which of the two, ``data`` or ``compute``.
        peak: A fixed one; ``None``: the best.
        cooldown: A fixed one for WSD; ``None``: the best.
        exponent: Of the power decays.
        floor: Final rate as a share of the peak.
        noise: Label noise sigma >= 0.
        batch: Samples in an update.
        modes: A fixed M; ``None``: the best if compute is limited, else infinitely many.
        precise: Hyper-parameters to three digits; the risk has them anyway, it is flat there.

    >>> optimum = best(Exponents(1.0, 2.0), "constant", 1e6)
    >>> optimum.modes, optimum.samples, bool(optimum.peak < 0.01)
    (inf, 1000000.0, True)
    """
    return _best(
        Question(
            exponents=exponents,
            schedule=schedule,
            budget=budget,
            limited=limited,
            peak=peak,
            cooldown=cooldown,
            exponent=exponent,
            floor=floor,
            noise=noise,
            batch=batch,
            modes=modes,
            precise=precise,
        )
    )


@lru_cache(maxsize=4096)
def _best(asked: Question) -> Optimum:
    easy = asked.theory().easy
    peak, most, _, share = asked.closed()
    top = math.log(asked.cap)
    # Logarithms of the peak, the modes and the odds r / (1 - r) of the cooldown: start, low, high.
    axes: dict[str, tuple[float, float, float]] = {}
    if asked.peak is None:
        guess = math.log(peak)
        axes["peak"] = guess, guess - 14.0, top
    if asked.limited == "compute" and asked.modes is None:
        axes["modes"] = math.log(most), 0.0, 0.9 * math.log(asked.budget)
    if asked.schedule in WHOLE and asked.cooldown is None:
        r = 0.75 if share == 1 else min(share, 0.5)
        axes["odds"] = math.log(r / (1 - r)), -20.0, 5.0
    start, low, high = np.array(list(axes.values())).reshape(-1, 3).T

    def optimum(logs: FloatArray) -> Optimum:
        at = dict(zip(axes, np.exp(np.clip(logs, low, high)).tolist(), strict=True))
        modes = max(1, round(at["modes"])) if "modes" in at else most
        return asked.at(
            peak=at.get("peak", asked.peak or 0.0),
            modes=modes,
            samples=asked.samples(modes),
            cooldown=at["odds"] / (1 + at["odds"]) if "odds" in at else (asked.cooldown or 0.0),
        )

    def height(logs: FloatArray) -> float:
        # Beyond a bound the risk of the bound, uphill: clipping would flatten the simplex.
        beyond = np.abs(logs - np.clip(logs, low, high)).sum()
        return math.log(optimum(logs).risk) + float(beyond)

    if not axes:
        return optimum(start)
    if asked.peak is None and (not easy or asked.noise < 1):
        # Hard, or hardly any noise: most optima sit at the cap, where no simplex is at ease.
        at_cap = _best(replace(asked, peak=asked.cap))
        inside = asked.at(
            peak=0.97 * at_cap.peak,
            modes=at_cap.modes,
            samples=at_cap.samples,
            cooldown=at_cap.cooldown,
        )
        if inside.risk > at_cap.risk:
            return at_cap
    if asked.precise:
        rough = _best(replace(asked, precise=False))
        if "odds" in axes and rough.cooldown == 1:
            return rough
        share = rough.cooldown if "odds" in axes else 0.0
        values = {"peak": rough.peak, "modes": rough.modes, "odds": share / (1 - share)}
        start = np.log([values[axis] for axis in axes])
        return optimum(lowest(height, start, width=0.1, precise=True))
    partial = optimum(lowest(height, start))
    if "odds" not in axes:
        return partial
    # WSD has a second minimum where all of the run decays.
    whole = _best(replace(asked, schedule=WHOLE[asked.schedule]))
    return partial if partial.risk <= whole.risk else whole


def lowest(
    height: Callable[[FloatArray], float],
    start: FloatArray,
    *,
    width: float = 1.0,
    precise: bool = False,
) -> FloatArray:
    """Where Nelder and Mead arrive: risks are smooth in logarithms, cheap, and noisy at 1e-6."""
    result = minimize(
        height,
        start,
        method="Nelder-Mead",
        options={
            "initial_simplex": np.array([start, *(start - width * np.eye(start.size))]),
            "xatol": 1e-3 if precise else 2e-2,
            "fatol": 1e-8 if precise else 1e-5,
            "maxfev": 400,
        },
    )
    return np.asarray(result.x)
