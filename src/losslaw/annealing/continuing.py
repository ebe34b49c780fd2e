"""Where a run ends if it goes on, re-heated or as it is, and whether that is worth it.

`continue_run` fits the run, with earlier ones where there are some, and asks for the ends of ways
on (`losslaw.annealing.second_phase`): at the rate as it is, decaying from now on, and through each
of several peaks. An annealed run is held against stopping now, with what it could have had by a
decay begun later beside it; any other against decaying from now on. All answers have the weights of
one question, and gains have intervals of their own, in which what two ways share cancels
(`losslaw.fitting.final_loss`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from losslaw.annealing.continued import Continued, Kind, Reheating, WayOn
from losslaw.annealing.cooldown import USUAL, Cooldown
from losslaw.annealing.models import Model
from losslaw.annealing.second_phase import (
    SAME,
    SecondPhase,
    annealed_at_end,
    decayed_later,
    peaks_of,
)
from losslaw.annealing.standing import Rules, fitted
from losslaw.curves import Runs
from losslaw.errors import InputError
from losslaw.fitting.cleaning import cleaned_runs
from losslaw.fitting.final_loss import FinalLoss, difference
from losslaw.fitting.optimizer import all_by
from losslaw.fitting.record import Fit
from losslaw.fitting.status import together
from losslaw.fitting.trust import useless
from losslaw.laws import Law, Recipe
from losslaw.numerics.interval import Level
from losslaw.progress import Progress, silent
from losslaw.schedules import Schedule
from losslaw.schedules.agreement import same_rate

# Of other data the law knows nothing.
NEW_DATA = (
    "data that the run has not seen are outside the law: it goes on as if they were like the old"
    " ones"
)


def continue_run(
    curve: Runs,
    updates: int,
    *,
    peaks: Sequence[float] | None = None,
    rewarmup: int | None = None,
    over: float = USUAL,
    shape: str = "linear",
    final: float = 0.0,
    earlier: Runs = (),
    fit: Fit | None = None,
    law: str | type[Law] | Recipe = "auto",
    optimizer: str | None = None,
    level: float = 0.9,
    skip: int | None = None,
    keep_all: bool = False,
    new_data: bool = False,
    progress: Progress = silent,
) -> Continued:
    """Where a run would end after so many updates more, by each of several ways on.

    Args:
        curve: The run, annealed or not: a curve, or what `losslaw.read_curves` reads.
        updates: Updates to come.
        peaks: Learning rates to go on at; ``None``: the run's own peak, 1/2 and 1/5 of it, and the
            rate that it has now.
        rewarmup: Updates in which the rate goes to each; ``None``: as many as the warm-up of the
            run had, at most a tenth of those to come.
        over: Length of the cooldown at the end: updates (a whole number) or a share of all updates.
        shape: Its shape: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        final: Learning rate at its end.
        earlier: Earlier runs of the same model, fitted together with this one; decays among them
            make the answer much surer.
        fit: A saved fit of such runs, which answers as it is.
        law: As in `losslaw.fit`.
        optimizer: As in `losslaw.fit`.
        level: Share of cases the intervals are meant to hold, in (0, 1).
        skip: Leave out points before this step; ``None``: as in `losslaw.fit`.
        keep_all: Fit all points as they are; see `losslaw.fit`.
        new_data: Whether other data are to come than the run has seen: wider intervals
            (`Fit.for_new_data`).
        progress: Called with words as the work goes on.

    Raises:
        InputError: numbers out of range, several runs, or a run that cannot be fitted.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> runs = {curve.label: curve for curve in ll.bundled_curves()}
    >>> done = runs["wsd-linear-0.2_peak3e-3_T4000"]
    >>> result = ll.continue_run(done, 2000, law="effective")
    >>> result.annealed, [way.kind for way in result.ways]
    (True, ['stop', 'peak', 'peak', 'peak', 'later'])
    """
    Level(level)
    phase = SecondPhase(updates=updates, rewarmup=rewarmup, over=over, shape=shape, final=final)
    runs, others = all_by(curve, optimizer), all_by(earlier, optimizer)
    if len(runs) != 1:
        raise InputError(f"{len(runs)} runs are to go on, expected one")
    if any(np.array_equal(other.loss, runs[0].loss) for other in others):
        raise InputError(
            f"{runs[0].label!r} is among the earlier runs as well (--with): name only other runs"
            " there"
        )
    if fit is not None and (others or law != "auto"):
        raise InputError("a saved fit and earlier runs or a law are both given: choose one")
    progress("fitting")
    start = cleaned_runs([*runs, *others], skip, keep_all=keep_all).skip
    rules = Rules(law=law, skip=start, keep_all=keep_all, new_data=new_data)
    model = Model(name=runs[0].label, runs=tuple(runs))
    made = fitted(model, others, fit, rules, Cooldown(shape=shape, final=final))
    (run,) = made.standings.values()
    at = run.checked(run.last)
    done = run.curve.schedule.prefix(at)
    size, known = run.curve.model_size, annealed_at_end(done)
    plans = _plans(done, phase, peaks, annealed=known)
    progress("comparing")
    question = _question(plans, done.peak_lr)
    settled = made.fit.settled(question, size)
    asked = FinalLoss.of(settled, question, size)
    ends = [FinalLoss.of(settled, plan.schedule, size) for plan in plans]
    interval, trust = asked.interval(level), asked.trust
    if trust is not None and interval is not None:
        trust = replace(trust, refused=useless(interval, asked.loss))
    warnings = [*runs[0].warnings, run.warning, *([] if new_data else [NEW_DATA])]
    return Continued(
        label=run.label,
        at=at,
        raw=run.raw(at),
        rate=done.final_lr,
        annealed=known,
        phase=phase,
        ways=tuple(_way(plan, end, ends[0], level) for plan, end in zip(plans, ends, strict=True)),
        reheating=_reheating(plans, ends, done.final_lr, level),
        level=level,
        trust=trust,
        notes=together(made.notes),
        warnings=tuple(dict.fromkeys(each for each in warnings if each)),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Plan:
    """A way on, before it is answered; see `WayOn`."""

    kind: Kind
    name: str
    schedule: Schedule
    peak: float | None = None
    rise: int = 0
    fall: int = 0


def _plans(
    done: Schedule, phase: SecondPhase, peaks: Sequence[float] | None, *, annealed: bool
) -> list[_Plan]:
    """All ways on; the one that others are held against first."""
    rate, more = done.final_lr, phase.updates
    stop = _Plan(kind="stop", name="stop now", schedule=done)
    plans = [stop]
    if rate > phase.final:
        decay = _Plan(
            kind="decay",
            name="decay from now on",
            schedule=phase.decayed(done),
            peak=rate,
            fall=more,
        )
        plans = [stop, decay] if annealed else [decay, stop]
    if rate > 0:
        stay = _Plan(kind="stay", name=f"stay at {rate:.4g}", schedule=phase.held(done), peak=rate)
        plans.append(stay)
    for peak in peaks_of(done, peaks, phase.final):
        rise = phase.rise(done, peak)
        plans.append(
            _Plan(
                kind="peak",
                name=_named(peak, rate),
                schedule=phase.to_peak(done, peak),
                peak=peak,
                rise=rise,
                fall=phase.fall(done, rise),
            )
        )
    if annealed:
        later = decayed_later(done, more)
        plans.append(_Plan(kind="later", name="decayed later", schedule=later))
    return plans


def _question(plans: Sequence[_Plan], usual: float) -> Schedule:
    """The question by which laws are weighed: the peak nearest to the run's own."""
    through = [plan for plan in plans if plan.kind == "peak"]
    return min(through, key=lambda plan: abs(math.log((plan.peak or usual) / usual))).schedule


def _named(peak: float, rate: float) -> str:
    if rate > 0 and same_rate(peak, rate, SAME):
        return f"hold {rate:.4g}, then decay"
    return f"{'re-heat' if peak > rate else 'lower'} to {peak:.4g}"


def _way(plan: _Plan, end: FinalLoss, first: FinalLoss, level: float) -> WayOn:
    gain = None if end is first else difference(first, end, level)
    return WayOn(
        kind=plan.kind,
        name=plan.name,
        peak=plan.peak,
        rewarmup=plan.rise,
        cooldown=plan.fall,
        steps=plan.schedule.horizon,
        loss=end.loss,
        interval=end.interval(level),
        gain=0.0 if gain is None else gain.loss,
        gain_interval=None if gain is None else gain.interval,
    )


def _reheating(
    plans: Sequence[_Plan], ends: Sequence[FinalLoss], rate: float, level: float
) -> Reheating | None:
    """The best re-heated way against the best without, where there are both."""
    on = [
        (plan, end)
        for plan, end in zip(plans, ends, strict=True)
        if plan.kind in ("stay", "decay", "peak")
    ]
    heated = [each for each in on if each[0].rise and (each[0].peak or 0.0) > rate]
    without = [each for each in on if (each[0].peak or 0.0) <= rate]
    if not heated or not without:
        return None
    (way, end), (other, beside) = (
        min(some, key=lambda each: each[1].loss) for some in (heated, without)
    )
    gain = difference(beside, end, level)
    return Reheating(way=way.name, over=other.name, gain=gain.loss, interval=gain.interval)
