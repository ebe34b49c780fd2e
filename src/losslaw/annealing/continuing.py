"""Where a run ends if it goes on, re-heated or as it is, and whether that is worth it.

`continue_run` fits the run, with earlier ones where there are some, and asks for the ends of ways
on (`losslaw.annealing.second_phase`): at the rate as it is, decaying from now on, and through each
of several peaks. An annealed run is held against stopping now, with what it could have had by a
decay begun later beside it; any other against decaying from now on. All answers have the weights of
one question, and gains have intervals of their own, in which what two ways share cancels
(`losslaw.fitting.final_loss`).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from losslaw.annealing.continued import Continued, Kind, WayOn
from losslaw.annealing.cooldown import USUAL, Cooldown
from losslaw.annealing.models import Model
from losslaw.annealing.second_phase import (
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
from losslaw.fitting.trust import useless
from losslaw.laws import Law, Recipe
from losslaw.numerics.interval import Interval, Level
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
    question = next(plan for plan in plans if plan[0] == "peak")[2]
    settled = made.fit.settled(question, size)
    ends = [FinalLoss.of(settled, schedule, size) for _, _, schedule in plans]
    asked = FinalLoss.of(settled, question, size)
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
        ways=tuple(
            _way(kind, name, schedule, end, ends[0], done, phase, level)
            for (kind, name, schedule), end in zip(plans, ends, strict=True)
        ),
        level=level,
        trust=trust,
        notes=tuple(dict.fromkeys(made.notes)),
        warnings=tuple(dict.fromkeys(each for each in warnings if each)),
    )


def _plans(
    done: Schedule, phase: SecondPhase, peaks: Sequence[float] | None, *, annealed: bool
) -> list[tuple[Kind, str, Schedule]]:
    """All ways on; the one that others are held against first."""
    rate = done.final_lr
    stop: tuple[Kind, str, Schedule] = ("stop", "stop now", done)
    plans: list[tuple[Kind, str, Schedule]] = [stop]
    if rate > phase.final:
        plans.insert(
            len(plans) if annealed else 0, ("decay", "decay from now on", phase.decayed(done))
        )
    if rate > 0:
        plans.append(("stay", f"stay at {rate:.4g}", phase.held(done)))
    for peak in peaks_of(done, peaks, phase.final):
        plans.append(("peak", _named(peak, rate), phase.to_peak(done, peak)))
    if annealed:
        plans.append(("later", "decayed later", decayed_later(done, phase.updates)))
    return plans


def _named(peak: float, rate: float) -> str:
    if rate > 0 and same_rate(peak, rate):
        return f"hold {rate:.4g}, then decay"
    return f"{'re-heat' if peak > rate else 'lower'} to {peak:.4g}"


def _way(
    kind: Kind,
    name: str,
    schedule: Schedule,
    end: FinalLoss,
    first: FinalLoss,
    done: Schedule,
    phase: SecondPhase,
    level: float,
) -> WayOn:
    ahead = schedule.lr[done.horizon :]
    gain, interval = 0.0, None
    if end is not first:
        found = difference(first, end, level)
        gain, interval = found.loss, found.interval
    rise = 0
    if kind == "peak" and not (done.final_lr > 0 and same_rate(float(ahead.max()), done.final_lr)):
        rise = phase.rise(done)
    return WayOn(
        kind=kind,
        name=name,
        peak=float(ahead.max()) if ahead.size and kind != "later" else None,
        rewarmup=rise,
        cooldown=phase.updates
        if kind == "decay"
        else phase.fall(done, rise)
        if kind == "peak"
        else 0,
        steps=schedule.horizon,
        loss=end.loss,
        interval=end.interval(level),
        gain=gain,
        gain_interval=interval,
    )
