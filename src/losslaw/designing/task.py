"""What a design has to do: what it lowers, what is fixed, and the constraints on what is free.

A schedule of ``horizon`` updates begins with what is given: the run so far (``prefix``), or a
linear warm-up to the peak. The updates after it are free, each rate between the floor and the peak,
no rate above the one before it (unless ``rising``), and no change from one update to the next of
more than ``max_slope`` peaks.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from losslaw.curves.objective import Objective
from losslaw.errors import InputError
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.horizon import check_horizon
from losslaw.numerics.magnitudes import PEAK
from losslaw.schedules import Schedule
from losslaw.schedules.families import warmup_updates

# Updates of a schedule that is designed, at most.
LONGEST_DESIGNED = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """What a schedule has to meet, as a caller says it.

    Attributes:
        horizon: Updates in all.
        peak: Largest rate, or a lowest and a highest one to choose from; ``None``: that of the run
            so far.
        warmup: Updates of linear warm-up to the peak, or below 1 a share of the horizon.
        floor: Smallest rate of a free update.
        prefix: The run so far.
        rising: Whether rates may rise again.
        max_slope: Largest change from one update to the next, in peaks; ``None``: any.
        batch: Sequences in each update, if known.
        weight_decay: Decoupled weight decay, if known.
    """

    horizon: int
    peak: float | tuple[float, float] | None = None
    warmup: float = 0
    floor: float = 0.0
    prefix: Schedule | None = None
    rising: bool = False
    max_slope: float | None = None
    batch: float | None = None
    weight_decay: float | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """A final loss to be minimised over the free updates of a schedule.

    Attributes:
        law: What says it: a law, or a problem of the kernel world.
        template: A schedule of the right horizon that says all but the free rates.
        given: Updates that are given: the run so far, or the warm-up.
        peak: Largest rate.
        floor: Smallest rate of a free update, 0..peak.
        rising: Whether rates may rise again.
        max_slope: Largest change from one update to the next, in peaks; ``None``: any.
        lowest_peak: The peak may be chosen from ``lowest_peak..peak``, the warm-up along with it;
            ``None``: the peak is fixed.
    """

    law: Objective
    template: Schedule
    given: int
    peak: float
    floor: float = 0.0
    rising: bool = False
    max_slope: float | None = None
    lowest_peak: float | None = None

    @property
    def horizon(self) -> int:
        """Number of updates."""
        return self.template.horizon

    @property
    def free(self) -> int:
        """Number of updates whose rates are searched."""
        return self.horizon - self.given

    @property
    def start(self) -> float:
        """The rate that the free part departs from: that of the last update given, or the peak."""
        return min(float(self.template.lr[self.given - 1]), self.peak) if self.given else self.peak

    @property
    def top(self) -> float:
        """Largest rate that a free update may have."""
        return self.peak if self.rising else self.start

    @property
    def peaks(self) -> list[float]:
        """Peaks to begin from: the one that is fixed, or two in every power of ten, falling."""
        if self.lowest_peak is None:
            return [self.peak]
        decades = np.log10(self.peak / self.lowest_peak)
        return np.geomspace(self.peak, self.lowest_peak, int(2 * decades) + 2).tolist()

    def at_peak(self, peak: float) -> "Task":
        """The same task with the peak fixed: the warm-up is that to ``peak``."""
        lr = self.template.lr * (peak / self.peak)
        return replace(self, template=self.template.with_(lr=lr), peak=peak, lowest_peak=None)

    def schedule(self, rates: FloatArray) -> Schedule:
        """The whole schedule, from the rates of the free updates. Shape ``(free,)``."""
        return self.template.with_(lr=np.concatenate([self.template.lr[: self.given], rates]))

    @property
    def constraints(self) -> dict[str, Any]:
        """What a schedule has to meet, by name."""
        return {
            "horizon": self.horizon,
            "given": self.given,
            "warmup": self.template.warmup,
            "peak": self.peak,
            "lowest_peak": self.lowest_peak,
            "highest_peak": self.peak,
            "floor": self.floor,
            "rising": self.rising,
            "max_slope": self.max_slope,
        }

    def gap(self, schedule: Schedule) -> float | None:
        """How much lower the final loss could be, to first order: the Frank-Wolfe gap.

        ``max over admissible schedules of gradient . (rates - other rates)``, rate by rate: 0 at an
        optimum, a bound on what is left where the loss is convex. Limits to the slope are not
        counted: with them it is too large. ``None`` where the law does not say its gradient.
        """
        if not self.law.smooth:
            return None
        gradient = self.law.slope(schedule)[1][self.given :]
        rates = schedule.lr[self.given :]
        if self.rising:
            ends = np.minimum(gradient * self.floor, gradient * self.peak)
            return max(dot(gradient, rates) - float(ends.sum()), 0.0)
        # The corners of what is admissible are the top up to some update, and then the floor.
        past = np.concatenate([[0.0], np.cumsum(gradient)])
        lowest = float((self.start * past + self.floor * (past[-1] - past)).min())
        return max(dot(gradient, rates) - lowest, 0.0)


def pose(law: Objective, constraints: Constraints) -> Task:
    """A `Task`, checked.

    Raises:
        InputError: a horizon that leaves nothing free, a floor above the peak, and the like.
    """
    horizon, warmup, floor = constraints.horizon, constraints.warmup, constraints.floor
    prefix, max_slope = constraints.prefix, constraints.max_slope
    peaks = constraints.peak
    lowest_peak, peak = peaks if isinstance(peaks, tuple) else (None, peaks)
    if prefix is not None:
        warmup = prefix.warmup if prefix.horizon >= prefix.warmup else warmup
    if horizon < 1 or int(horizon) != horizon:
        raise InputError(f"horizon is {horizon:g}, expected a whole number of updates, at least 1")
    if prefix is not None and prefix.horizon >= horizon:
        raise InputError(
            f"the run so far has {prefix.horizon} updates and the horizon is {horizon}: nothing is"
            " left to design; give a longer horizon"
        )
    warmup = warmup_updates(warmup, horizon)
    if warmup < 0 or int(warmup) != warmup:
        raise InputError(f"warmup is {warmup:g}, expected a whole number of updates, at least 0")
    if warmup >= horizon:
        raise InputError(f"horizon ({horizon}) is not longer than the warmup ({warmup} updates)")
    if peak is None:
        if prefix is None:
            raise InputError("no peak learning rate: give peak, as in peak=3e-4")
        peak = prefix.peak_lr
    for name, value in (("peak", peak), ("lowest peak", lowest_peak)):
        if value is not None and not np.isfinite(value):
            raise InputError(f"{name} is {value:g}, expected a learning rate in {PEAK}")
        if value is not None:
            PEAK.check(name, value)
    if not (np.isfinite(floor) and floor >= 0):
        raise InputError(f"floor is {floor:g}, expected a learning rate of 0 or above")
    if floor > peak:
        raise InputError(f"floor {floor:g} is above the peak {peak:g}: lower it")
    if max_slope is not None and not max_slope > 0:
        raise InputError(f"max_slope is {max_slope:g}, expected above 0 (in peaks per update)")
    if lowest_peak is not None:
        if prefix is not None:
            raise InputError("the peak of a run under way is known: give one peak, or no prefix")
        if not floor <= lowest_peak < peak:
            raise InputError(
                f"peaks from {lowest_peak:g} to {peak:g}: expected the lower one first, and none"
                f" below the floor {floor:g}"
            )
    check_horizon(horizon)
    lr, given = _given_rates(int(horizon), peak, int(warmup), prefix)
    if prefix is not None and lr[given - 1] < floor and not constraints.rising:
        raise InputError(
            f"the run so far is at learning rate {lr[given - 1]:g}, below the floor {floor:g}:"
            " lower the floor, or allow rates to rise"
        )
    if max_slope is not None and given and lr[given - 1] > peak * (1 + max_slope):
        raise InputError(
            f"the run so far is at learning rate {lr[given - 1]:g}, above the peak {peak:g}:"
            " max_slope does not allow that jump"
        )
    return Task(
        law=law,
        template=Schedule(lr, constraints.batch, constraints.weight_decay, int(warmup)),
        given=given,
        peak=float(peak),
        floor=floor,
        rising=constraints.rising,
        max_slope=max_slope,
        lowest_peak=lowest_peak,
    )


def refuse_blind(law: Objective, uncertainty: Uncertainty | None) -> None:
    """Refuse a law that cannot tell a good schedule from a bad one.

    Raises:
        InputError: every schedule is as good as any other, what a decay gains is not known, or
            there is nothing to learn.
    """
    if law.blind_to_rates:
        raise InputError(
            f"the {law.title} does not see the learning rate: every schedule ends at the same loss;"
            " fit another law, such as effective"
        )
    # Without a unit, a risk that only noise has a share in is 0 at rates near 0.
    if law.measure.relative and (
        law.final(Schedule([10 * PEAK.low])) >= 10 * law.final(Schedule([PEAK.low]))
    ):
        raise InputError(
            f"the {law.measure.name} is 0 before the first update: there is nothing to learn, and"
            " no schedule to design"
        )
    acting = law.acting
    unknown = () if uncertainty is None else uncertainty.unknown
    if acting and (acting.keys() <= {*unknown} or not any(acting.values())):
        names = ", ".join(acting)
        raise InputError(
            f"this fit does not know what a decay gains ({names}): no curve with a falling learning"
            " rate has shown it; fit one, or use a law with a prior (effective)"
        )


def _given_rates(
    horizon: int, peak: float, warmup: int, prefix: Schedule | None
) -> tuple[FloatArray, int]:
    """Rates of the constant schedule, and how many of them are given."""
    lr = np.full(horizon, float(peak))
    lr[:warmup] = peak * np.arange(1, warmup + 1) / max(warmup, 1)
    if prefix is None:
        return lr, warmup
    done = prefix.horizon
    lr[:done] = prefix.lr
    given = max(done, warmup)
    lr[given:] = min(float(lr[given - 1]), peak)
    return lr, given
