"""The ways a run can go on: what its rate does in the updates to come.

A rate is brought to the peak of a second phase in a straight line (up: a re-warm-up; down alike),
held there, and brought down. The rate of a run that is annealed has to rise again first; by
default over as many updates as its first warm-up took, but no more than a tenth of those to come:
the optimiser has its moments already, and what is spent on a rise is not spent at the peak. The
cooldown takes 20 % of all updates, those done included, as that of a stable run of this length
would, or all that the re-warm-up leaves where this is less.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from losslaw.annealing.cooldown import USUAL
from losslaw.errors import InputError, expect, expect_numbers
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule, decay_rates
from losslaw.schedules.agreement import same_rate
from losslaw.schedules.families import warmup_updates

# Of the updates to come: the most that a re-warm-up takes, if nothing is said.
LONGEST_RISE = 0.1
# Of its highest rate: where a run that has decayed has been annealed.
ANNEALED = 0.15
# Peaks that are asked about, as shares of the run's own.
PEAKS = (1.0, 0.5, 0.2)
# Rates this close, in the log, are one.
SAME = 0.02
# Of all updates: a rate at rest at its peak for so long is a stable phase.
STABLE = 0.02


@dataclass(frozen=True, kw_only=True)
class SecondPhase:
    """How a run goes on for so many updates.

    Attributes:
        updates: Updates to come, from 2.
        rewarmup: Of these, updates in which the rate goes to the peak, or below 1 a share of them;
            ``None``: see above.
        over: Length of the cooldown: updates, a whole number; or a share of all updates, those
            done included.
        shape: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        final: Learning rate at its end.

    Raises:
        InputError: a number out of range, or a shape that is none.

    >>> run = Schedule([1.0, 1.0, 0.5, 0.0])
    >>> SecondPhase(updates=4, rewarmup=1, over=2).to_peak(run, 0.8).lr.tolist()
    [1.0, 1.0, 0.5, 0.0, 0.8, 0.8, 0.4, 0.0]
    """

    updates: int
    rewarmup: float | None = None
    over: float = USUAL
    shape: str = "linear"
    final: float = 0.0

    def __post_init__(self) -> None:
        expect("updates", self.updates, Real, "how many updates are to come")
        expect("over", self.over, Real, "updates, as 2000, or a share, as 0.2")
        expect_numbers(rewarmup=self.rewarmup, final=self.final)
        if self.updates < 2:
            raise InputError(f"{self.updates} updates to come, expected at least 2")
        if self.rewarmup is not None and not 0 <= self.rewarmup < self.updates:
            raise InputError(
                f"re-warm-up over {self.rewarmup} updates, expected 0..{self.updates - 1}, fewer"
                " than are to come"
            )
        whole = isinstance(self.over, int)
        if not math.isfinite(self.over) or self.over <= 0 or (whole and self.over < 1):
            raise InputError(
                f"cooldown over {self.over:g}: expected updates, as 2000, or a share of all"
                " updates, as 0.2"
            )
        if not np.isfinite(self.final) or self.final < 0:
            raise InputError(f"final rate is {self.final:g}, expected 0 or above")
        decay_rates(max(self.final, 1.0), self.final, self.shape, 1)

    def rise(self, done: Schedule, peak: float) -> int:
        """Updates in which the rate of a run goes to a peak; 0 where it is there.

        Raises:
            InputError: the peak is not above the rate at the end.
        """
        expect_numbers(peak=peak)
        if not np.isfinite(peak) or peak <= self.final:
            raise InputError(f"peak {peak:g}: expected a rate above the final one, {self.final:g}")
        rate = done.final_lr
        if rate > 0 and same_rate(rate, peak, SAME):
            return 0
        if self.rewarmup is not None:
            # One update is left for the way down.
            return min(int(warmup_updates(self.rewarmup, self.updates)), self.updates - 1)
        most = max(round(LONGEST_RISE * self.updates), 1)
        return min(done.warmup or most, most)

    def fall(self, done: Schedule, after: int) -> int:
        """Updates of the cooldown, where ``after`` of those to come have passed."""
        over = self.over
        if not isinstance(over, int):
            over = round(over * (done.horizon + self.updates))
        return max(min(int(over), self.updates - after), 1)

    def to_peak(self, done: Schedule, peak: float) -> Schedule:
        """The run, its rate brought to a peak, held there and brought down.

        Raises:
            InputError: the peak is not above the rate at the end.
        """
        rate, rise = done.final_lr, self.rise(done, peak)
        way = rate + (peak - rate) * np.arange(1, rise + 1) / max(rise, 1)
        fall = self.fall(done, rise)
        held = np.full(self.updates - rise - fall, peak)
        return done.extended(np.concatenate([way, held, self._down(peak, fall)]))

    def held(self, done: Schedule) -> Schedule:
        """The run, its rate as it is to the end."""
        return done.extended(np.full(self.updates, done.final_lr))

    def decayed(self, done: Schedule) -> Schedule:
        """The run, its rate brought down from now on to the end."""
        return done.extended(self._down(done.final_lr, self.updates))

    def _down(self, peak: float, length: int) -> FloatArray:
        return decay_rates(peak, self.final, self.shape, length)


def annealed_at_end(done: Schedule) -> bool:
    """Whether a run ends with its rate brought down.

    >>> annealed_at_end(Schedule([1.0, 1.0, 0.1])), annealed_at_end(Schedule([1.0, 1.0, 0.5]))
    (True, False)
    """
    return done.decays() and done.final_lr <= ANNEALED * done.peak_lr


def decayed_later(done: Schedule, updates: int) -> Schedule:
    """What an annealed run could have done instead with as many updates in all.

    A stable phase is longer by ``updates`` and the decay the same; a run that has none, as a
    cosine, is stretched after its warm-up.

    >>> decayed_later(Schedule([1.0, 1.0, 0.5, 0.0], warmup=0), 2).lr.tolist()
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.0]
    """
    lr, first = done.lr, max(done.warmup, 1)
    highest = np.flatnonzero(lr >= lr.max() * (1 - 1e-9))
    last = int(highest[-1]) + 1
    if highest.size > max(STABLE * done.horizon, 1):
        held = np.full(updates, lr[last - 1])
        return done.prefix(last).extended(np.concatenate([held, lr[last:]]))
    after = lr[first - 1 :]
    at = np.linspace(0, after.size - 1, after.size + updates)
    return done.prefix(first).extended(np.interp(at, np.arange(after.size), after)[1:])


def peaks_of(done: Schedule, asked: Sequence[float] | None, final: float) -> list[float]:
    """The peaks that are compared, highest first; the present rate among them, if it is above 0.

    Raises:
        InputError: there are none.
    """
    peaks = list(asked or ())
    if asked is None:
        rate = done.final_lr
        peaks = [share * done.peak_lr for share in PEAKS]
        if rate > final:
            peaks = [peak for peak in peaks if not same_rate(peak, rate, SAME)] + [rate]
        peaks = [peak for peak in peaks if peak > final]
    if not peaks:
        raise InputError(f"no peak above the final rate {final:g}: give some (peaks=, --peaks)")
    return sorted(set(peaks), reverse=True)
