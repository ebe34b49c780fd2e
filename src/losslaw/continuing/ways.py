"""The ways on that are compared, and what one gains over another.

The loss of a run that stops is known: it is in the log. What the laws miss it by counts as error of
what is gained over it. A rate that rises again, and a peak other than the run's own, are questions
beside those that laws were fitted to:

    half-width^2 = (that of the laws)^2 + (z REHEATED L)^2 (h^2 + ln(peak / own peak)^2) + miss^2

with ``h`` 1 where the rate rises (between two such ways what is common cancels), ``L`` the level of
the loss and ``z`` the quantile of the level. In the lab the ends of eleven second phases, most
at .3, 1 and 2 times the first peak, were missed by .007 (root mean square), and their order was
right; rates that rose to 4 and 8 times their first ended .018 and .044 higher than said
(validation/results/second_phase.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from losslaw.continuing.record import Comparison, Kind, WayOn
from losslaw.continuing.second_phase import SAME, SecondPhase, decayed_later, peaks_of
from losslaw.fitting.final_loss import Difference, FinalLoss, difference
from losslaw.numerics.interval import Interval, Level
from losslaw.schedules import Schedule
from losslaw.schedules.agreement import same_rate

# Error where the rate rises again, and for each e-fold of a second peak from the first, relative to
# the loss: a standard deviation.
REHEATED = 4e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A way on, before it is answered; see `WayOn`.

    Attributes:
        another: Distance of its peak from the run's own, in e-folds; 0: it brings the rate to none.
        heated: Whether its rate rises again.
    """

    kind: Kind
    name: str
    schedule: Schedule
    peak: float | None = None
    rise: int = 0
    fall: int = 0
    another: float = 0.0
    heated: bool = False


def plans_of(
    done: Schedule, phase: SecondPhase, peaks: Sequence[float] | None, *, annealed: bool
) -> list[Plan]:
    """All ways on; the one that others are held against first.

    Raises:
        InputError: a peak that is not above the final rate.
    """
    rate, more = done.final_lr, phase.updates
    plans = [Plan(kind="stop", name="stop now", schedule=done)]
    if rate > phase.final:
        decay = Plan(
            kind="decay",
            name="decay from now on",
            schedule=phase.decayed(done),
            peak=rate,
            fall=more,
        )
        plans.insert(1 if annealed else 0, decay)
    if rate > 0:
        held = phase.held(done)
        plans.append(Plan(kind="stay", name=f"stay at {rate:.4g}", schedule=held, peak=rate))
    for peak in peaks_of(done, peaks, phase.final):
        rise = phase.rise(done, peak)
        there = rate > 0 and same_rate(peak, rate, SAME)
        plans.append(
            Plan(
                kind="peak",
                name=_named(peak, rate, there=there),
                schedule=phase.to_peak(done, peak),
                peak=peak,
                rise=rise,
                fall=phase.fall(done, rise),
                another=0.0 if there else math.log(peak / done.peak_lr),
                heated=rise > 0 and peak > rate,
            )
        )
    if annealed:
        later = decayed_later(done, more)
        name = f"a decay begun {more:,} updates later"
        plans.append(Plan(kind="later", name=name, schedule=later))
    return plans


def _named(peak: float, rate: float, *, there: bool) -> str:
    if there:
        return f"hold {rate:.4g}, then decay"
    return f"{'re-heat' if peak > rate else 'lower'} to {peak:.4g}"


def question_of(plans: Sequence[Plan]) -> Schedule:
    """The question by which laws are weighed: the peak nearest to the run's own."""
    through = [plan for plan in plans if plan.kind == "peak"]
    return min(through, key=lambda plan: abs(plan.another)).schedule


def reheat_error(distance: float, loss: float, level: float, *, rises: bool) -> float:
    """Half-width of what a rate that rises again, and another peak, cost an interval, in nats.

    Args:
        distance: Of the peak from the run's own, in e-folds.
        loss: Level of the loss, in nats.
        level: Share of cases that the interval is meant to hold.
        rises: Whether the rate rises again.
    """
    return Level(level).quantile * REHEATED * loss * math.hypot(rises, distance)


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """What is known of the end of a way on.

    Attributes:
        plan: The way.
        end: What the laws say.
        known: Its loss, where it is known because the run stops; else ``None``.
        level: Share of cases that intervals are meant to hold.
    """

    plan: Plan
    end: FinalLoss
    known: float | None
    level: float

    @property
    def loss(self) -> float:
        """In nats."""
        return self.end.loss if self.known is None else self.known

    @property
    def missed(self) -> float:
        """What the laws miss a known loss by."""
        return 0.0 if self.known is None else abs(self.known - self.end.loss)

    @property
    def interval(self) -> Interval | None:
        """Its interval; ``None`` where nothing is known of it, or the loss itself is."""
        found = self.end.interval(self.level)
        if found is None or self.known is not None:
            return None
        return _wider(
            found, self.loss, self.loss, self._reheated(self.plan.another, rises=self.plan.heated)
        )

    def gain(self, over: "Answer") -> Difference:
        """How much lower this ends than another way."""
        found = difference(over.end, self.end, self.level)
        gain = over.loss - self.loss
        if found.interval is None:
            return Difference(loss=gain, interval=None)
        beside = self._reheated(
            self.plan.another - over.plan.another, rises=self.plan.heated != over.plan.heated
        )
        missed = math.hypot(beside, self.missed, over.missed)
        return Difference(loss=gain, interval=_wider(found.interval, found.loss, gain, missed))

    def _reheated(self, distance: float, *, rises: bool) -> float:
        return reheat_error(distance, self.end.level, self.level, rises=rises)

    def against(self, first: "Answer") -> WayOn:
        """As it is reported, beside the way that all are held against."""
        plan = self.plan
        gain = Difference(loss=0.0, interval=None) if self is first else self.gain(first)
        return WayOn(
            kind=plan.kind,
            name=plan.name,
            peak=plan.peak,
            rewarmup=plan.rise,
            cooldown=plan.fall,
            steps=plan.schedule.horizon,
            loss=self.loss,
            interval=self.interval,
            gain=gain.loss,
            gain_interval=gain.interval,
        )

    def compared(self, other: "Answer") -> Comparison:
        """Beside one other way, as it is reported."""
        gain = self.gain(other)
        return Comparison(
            way=self.plan.name, over=other.plan.name, gain=gain.loss, interval=gain.interval
        )


def _wider(interval: Interval, old: float, new: float, error: float) -> Interval:
    """An interval about another centre, wider by an independent error of this half-width."""
    if not interval.bounded:
        return interval
    below, above = old - interval.lower, interval.upper - old
    return Interval(
        lower=new - math.hypot(below, error),
        upper=new + math.hypot(above, error),
        level=interval.level,
    )
