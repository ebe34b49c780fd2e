"""The lowest mean risk a budget buys with a schedule, found in the exact discrete dynamics.

One run costs milliseconds at any horizon (`losslaw.kernel.simulate.integrator`), so peak, cooldown
and modes are searched by Nelder and Mead in their logarithms. Batch 1, noise 1, and peaks up to
`SHARE` of the largest stable rate: beyond, noise feeds on itself and no scaling law holds.
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
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.integrator import integrate
from losslaw.kernel.theory import Exponents, scaling
from losslaw.kernel.theory.scaling import Limited
from losslaw.numerics.arrays import FloatArray

# Largest peak that is tried, as a share of the largest stable rate.
SHARE = 0.9


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The lowest mean risk of a schedule for a budget, and where it is.

    Attributes:
        risk: Excess risk at the end, ``(X + A) / 2``.
        peak: Peak learning rate (the batch is 1).
        modes: M; infinite if only data are limited.
        samples: D.
        cooldown: Share of the samples that decays; 1 for one decay, 0 for a constant rate.
    """

    risk: float
    peak: float
    modes: float
    samples: float
    cooldown: float


@lru_cache(maxsize=4096)
def world(exponents: Exponents, modes: float = math.inf) -> KernelRegression:
    """The problem with these exponents, noise 1."""
    return KernelRegression(source=exponents.source, capacity=exponents.capacity, modes=modes)


@lru_cache(maxsize=4096)
def _nodes(exponents: Exponents, modes: float, decades: int) -> Modes:
    return world(exponents, modes).nodes(10.0**decades)


@lru_cache(maxsize=64)
def cap(exponents: Exponents, batch: float = 1.0) -> float:
    """Largest peak that is tried: `SHARE` of the largest stable rate with all modes."""
    return SHARE * world(exponents).largest_lr(batch)


def final_risk(exponents: Exponents, run: LongSchedule, modes: float = math.inf) -> float:
    """Mean excess risk at the end of a run.

    As `KernelRegression.excess_risk`, with nodes kept from one run to the next: they are good
    until the next power of ten of the intrinsic time.

    >>> run = long_constant(0.1, 10**6)
    >>> exact = world(Exponents(1.0, 2.0)).excess_risk(run)[0]
    >>> bool(abs(final_risk(Exponents(1.0, 2.0), run) / exact - 1) < 1e-7)
    True
    """
    decades = math.ceil(math.log10(run.intrinsic_time) + 0.01)
    modes_kept = _nodes(exponents, modes, decades)
    total = integrate(modes_kept, run, np.array([float(run.horizon)]))[-1]
    return 0.5 * float(total + modes_kept.unlearned)


def long_schedule(
    exponents: Exponents,
    schedule: str,
    peak: float,
    samples: float,
    cooldown: float = 0.2,
    exponent: float | None = None,
    floor: float = 0.0,
) -> LongSchedule:
    """A schedule by its name in the theory, batch 1.

    Exponential decays, that of WSD included, end at ``peak / samples``.

    Args:
        exponents: The power decay takes its default exponent ``2 beta - 1`` from them.
        schedule: ``constant``, ``exponential``, ``wsd``, ``power``, ``linear`` or ``cosine``.
        peak: Largest rate.
        samples: Number of updates.
        cooldown: Share of the updates that decays, for WSD.
        exponent: Of the power decay.
        floor: Final rate of a power, linear or cosine decay, as a share of the peak.
    """
    n = round(samples)
    if schedule == "constant":
        return long_constant(peak, n)
    if schedule == "exponential":
        return long_decay(peak, n, peak / n, "exponential")
    if schedule == "wsd":
        return long_wsd(peak, n, cooldown, peak / n, "exponential")
    if schedule == "power":
        g = 2 * exponents.capacity - 1 if exponent is None else exponent
        return long_decay(peak, n, floor * peak, "power", g)
    if schedule in ("linear", "cosine"):
        return long_decay(peak, n, floor * peak, schedule)
    raise InputError(f"schedule {schedule!r} is not one that can be measured here")


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
        exponent: Of the power decay.
        floor: Final rate as a share of the peak.
        precise: Hyper-parameters to three digits; the risk has them anyway, it is flat there.

    >>> optimum = best(Exponents(1.0, 2.0), "constant", 1e6)
    >>> optimum.modes, optimum.samples, bool(optimum.peak < 0.01)
    (inf, 1000000.0, True)
    """
    return _best(exponents, schedule, budget, limited, peak, cooldown, exponent, floor, precise)


@lru_cache(maxsize=4096)
def _best(
    exponents: Exponents,
    schedule: str,
    budget: float,
    limited: Limited,
    peak: float | None,
    cooldown: float | None,
    exponent: float | None,
    floor: float,
    precise: bool,
) -> Optimum:
    theory = scaling(exponents, schedule, budget, limited=limited, exponent=exponent, floor=floor)
    top = math.log(cap(exponents))
    # Logarithms of the peak, the modes and the odds r / (1 - r) of the cooldown: start, low, high.
    axes: dict[str, tuple[float, float, float]] = {}
    if peak is None:
        guess = min(math.log(theory.peak.value), top)
        axes["peak"] = guess, guess - 14.0, top
    if limited == "compute":
        axes["modes"] = math.log(theory.modes.value), 0.0, 0.9 * math.log(budget)
    if theory.cooldown is not None and cooldown is None:
        r = min(theory.cooldown.value, 0.5)
        axes["odds"] = math.log(r / (1 - r)), -20.0, 5.0
    start, low, high = np.array(list(axes.values())).reshape(-1, 3).T

    def optimum(logs: FloatArray) -> Optimum:
        at = dict(zip(axes, np.exp(np.clip(logs, low, high)).tolist(), strict=True))
        lr = at.get("peak", peak or 0.0)
        modes = max(1, round(at["modes"])) if "modes" in at else math.inf
        samples = max(1, round(budget / modes)) if "modes" in at else budget
        share = at["odds"] / (1 + at["odds"]) if "odds" in at else (cooldown or 0.0)
        run = long_schedule(exponents, schedule, lr, samples, share, exponent, floor)
        return Optimum(
            risk=final_risk(exponents, run, modes),
            peak=lr,
            modes=modes,
            samples=samples,
            cooldown=share,
        )

    def height(logs: FloatArray) -> float:
        # Beyond a bound the risk of the bound, uphill: clipping would flatten the simplex.
        beyond = np.abs(logs - np.clip(logs, low, high)).sum()
        return math.log(optimum(logs).risk) + float(beyond)

    if not axes:
        return optimum(start)
    if peak is None and not theory.easy:
        # Hard: most optima sit at the cap, where no simplex is at ease.
        at_cap = _best(
            exponents, schedule, budget, limited, cap(exponents), cooldown, exponent, floor, precise
        )
        run = long_schedule(
            exponents,
            schedule,
            0.97 * at_cap.peak,
            at_cap.samples,
            at_cap.cooldown,
            exponent,
            floor,
        )
        if final_risk(exponents, run, at_cap.modes) > at_cap.risk:
            return at_cap
    if precise:
        rough = _best(exponents, schedule, budget, limited, peak, cooldown, exponent, floor, False)
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
    whole = best(exponents, "exponential", budget, limited=limited, peak=peak)
    return partial if partial.risk <= whole.risk else replace(whole, cooldown=1.0)


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
