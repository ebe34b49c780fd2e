"""The rest of a run's schedule: declared, or continued from what the log shows.

What is not declared is continued in the only way that needs no further number: a rate at rest
stays where it is, and a fall goes on along its formula. A cosine or power fall says by itself
where it ends; a straight, 1-sqrt, exponential or inverse-power fall does not, and goes on to
the horizon. What was taken for granted is a sentence of the plan.
"""

from dataclasses import dataclass, replace

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import InputError, expect_numbers
from losslaw.numerics.horizon import check_horizon
from losslaw.schedules import Schedule
from losslaw.schedules.agreement import outside_one_update
from losslaw.schedules.match_shape import Decay, match_decay
from losslaw.schedules.recognise import CLOSE

# Rates within this share of the peak are one rate.
LEVEL = 1e-6
# A rate that has not changed over this last share of the run stays what it is.
RESTING = 0.02
# A change from one update to the next by this share of the peak is a step of the rate.
JUMP = 0.01
# Losses in a fall below which its shape is a guess.
SURE = 5
# An end this close to the horizon, as a share of it, is the horizon: a log rounds its rates.
NEAR = 0.01


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The schedule of a whole run, part of which is done.

    Attributes:
        schedule: Every update up to the horizon; the first ones as the log shows them. Where the
            horizon or the rest is not known: what is done.
        now: Updates that are done.
        sentence: What is assumed of the rest.
        doubts: Sentences.
    """

    schedule: Schedule
    now: int
    sentence: str
    doubts: tuple[str, ...] = ()

    @property
    def horizon(self) -> int | None:
        """Updates in all; ``None``: not known."""
        return self.schedule.horizon if self.schedule.horizon > self.now else None

    @property
    def rate(self) -> float:
        """Learning rate of the last update done."""
        return float(self.schedule.lr[self.now - 1])

    def held(self, horizon: int) -> Schedule:
        """What is done, and then the rate of the last update up to ``horizon``."""
        return self.schedule.prefix(self.now).extended(np.full(horizon - self.now, self.rate))


def planned_if_known(
    curve: LossCurve,
    horizon: int | None = None,
    schedule: Schedule | None = None,
    final: float | None = None,
) -> Plan:
    """The same as `planned`; what is done where nobody says how it goes on, nor has to.

    Raises:
        InputError: a horizon or a schedule is given that cannot be one, see `planned`; or the run
            has ended, its rate too.
    """
    now = int(curve.steps[-1])
    ended = curve.planned == now and curve.schedule.lr[now - 1] <= (final or 0.0)
    if horizon is not None or schedule is not None or ended:
        return planned(curve, horizon, schedule, final)
    words = "not known: nothing says how long the run is to be (horizon=, --horizon)"
    if curve.schedule.horizon > now or (curve.planned or 0) > now:
        try:
            return planned(curve, None, None, final)
        except InputError as error:
            words = f"not known: {error}"
    elif curve.planned is not None:
        words = f"the run has ended: {curve.planned:,} updates were planned"
    return Plan(schedule=curve.schedule.prefix(now), now=now, sentence=words)


def planned(
    curve: LossCurve,
    horizon: int | None = None,
    schedule: Schedule | None = None,
    final: float | None = None,
) -> Plan:
    """The schedule of the whole run that a curve is the beginning of.

    Args:
        curve: The run so far. If its schedule goes on after its last loss, that is the plan.
        horizon: Updates in all; ``None``: those of ``schedule``, of the curve's own, or those that
            its log says are planned.
        schedule: The whole plan; it must agree with what is done.
        final: Rate at which a fall that says no end of its own stops; ``None``: 0.

    Raises:
        InputError: no horizon, one that is not beyond the log, a plan that disagrees with the log
            after the warm-up, or a log whose rest cannot be told.
    """
    now, source = int(curve.steps[-1]), schedule or curve.schedule
    if horizon is None:
        horizon = source.horizon
        if schedule is None and horizon <= now:
            horizon = curve.planned
        if horizon is None:
            raise InputError(
                f"the horizon of {curve.label!r} is not known: say how many updates the run will"
                " have (horizon=, --horizon), or give its whole schedule (schedule=, --schedule)"
            )
    expect_numbers(horizon=horizon)
    if horizon == curve.planned == now:
        raise InputError(
            f"the run {curve.label!r} has ended: its log goes to step {now}, the last that was"
            " planned; ask for what would come after it with a longer horizon (horizon=, --horizon)"
        )
    if horizon <= now:
        raise InputError(
            f"horizon {horizon} is not beyond the log of {curve.label!r}, which ends at step"
            f" {now}: give the number of updates the whole run will have"
        )
    check_horizon(horizon)
    if schedule is not None:
        if schedule.horizon < horizon:
            raise InputError(
                f"the given schedule has {schedule.horizon} updates, fewer than the horizon"
                f" {horizon}: give it as many"
            )
        agree(curve, schedule)
        whole = _joined(curve, now, schedule, horizon)
        return Plan(schedule=whole, now=now, sentence="the rest as in the plan given")
    if curve.schedule.horizon >= horizon:
        whole = curve.schedule.prefix(horizon)
        words = "the rest as in the schedule that comes with the curve"
        return Plan(schedule=whole, now=now, sentence=words)
    known = _known(curve, horizon)
    if known is not None:
        whole = _joined(curve, now, known, horizon)
        words = f"the rest of {known.spec}, which passes through all logged rates"
        return Plan(schedule=whole, now=now, sentence=words)
    return _continued(curve, now, horizon, final)


def _known(curve: LossCurve, horizon: int) -> Schedule | None:
    """The whole schedule that all logged rates tell, if it goes as far and the curve has it yet."""
    plan = curve.origin and curve.origin.plan
    if not plan or plan.horizon < horizon or plan.horizon not in (horizon, curve.planned):
        return None
    done = slice(int(curve.steps[-1]))
    return plan if np.array_equal(plan.lr[done], curve.schedule.lr[done]) else None


def agree(curve: LossCurve, schedule: Schedule) -> None:
    """Check that a plan agrees with the rates of a log, which may be one update off.

    Raises:
        InputError: from some step on the plan is another one than the log's.
    """
    now, done = int(curve.steps[-1]), curve.schedule.lr
    after = max(curve.schedule.warmup, schedule.warmup)
    if curve.schedule is schedule or after >= now:
        return
    excess = outside_one_update(done[:now], schedule.lr)
    off = np.flatnonzero(excess[after:] > CLOSE * curve.schedule.peak_lr) + after
    if not off.size:
        return
    first, worst = int(off[0]), int(off[np.argmax(excess[off])])
    raise InputError(
        f"the given schedule is not that of {curve.label!r}: at step {first + 1} the log has a"
        f" rate of {done[first]:.6g} and the schedule {schedule.lr[first]:.6g}; furthest apart at"
        f" step {worst + 1}, {done[worst]:.6g} against {schedule.lr[worst]:.6g}; give what the run"
        " did and will do, or --lr-is next if the log is one row ahead"
    )


def _joined(curve: LossCurve, now: int, schedule: Schedule, horizon: int) -> Schedule:
    """The log's rates as far as it goes, then the plan's."""
    if curve.schedule is schedule:
        return schedule.prefix(horizon)
    logged = curve.schedule.prefix(now)
    columns = {name: getattr(schedule, name) for name in ("batch", "weight_decay")}
    declared = {name: values for name, values in columns.items() if values is not None}
    # What the log does not say the plan says for all updates.
    missing = {name: declared[name][:now] for name in declared if getattr(logged, name) is None}
    further = {name: values[now:horizon] for name, values in declared.items()}
    return logged.with_(**missing).extended(schedule.lr[now:horizon], **further)


def _continued(curve: LossCurve, now: int, horizon: int, final: float | None) -> Plan:
    done = curve.schedule
    lr, n, warmup = done.lr, done.horizon, done.warmup
    if warmup >= n:
        raise InputError(
            f"the log of {curve.label!r} ends inside the warm-up, at step {now}: what comes after"
            " it is not known; give the whole schedule (schedule=, --schedule)"
        )
    other = np.flatnonzero(np.abs(lr - lr[-1]) > LEVEL * done.peak_lr)
    since = int(other[-1]) + 2 if other.size else 1
    jumped = other.size and abs(lr[since - 1] - lr[since - 2]) > JUMP * done.peak_lr
    if n - since + 1 >= (3 if jumped else max(round(RESTING * n), 2)):
        whole = done.extended(np.full(horizon - n, lr[-1]))
        words = f"the rate stays at {lr[-1]:.4g}, where it has been since step {since}"
        return Plan(schedule=whole, now=now, sentence=words)
    fall = _fall(done)
    if fall is None:
        raise InputError(
            f"how the learning rate of {curve.label!r} goes on after step {n} cannot be told from"
            " the log: give the whole schedule (schedule=, --schedule), as in"
            f" --schedule cosine:peak={done.peak_lr:.4g},horizon={horizon},warmup={warmup}"
        )
    goes_on, words = _prolonged(fall, n, horizon, final)
    rates = goes_on.rates(np.arange(n + 1, horizon + 1, dtype=np.float64))
    doubts: list[str] = []
    # Between two logged rates any shape is a straight line.
    count = int((curve.steps > fall.start).sum())
    if count < SURE:
        doubts.append(
            f"only {count} losses were logged since the rate began to fall at step"
            f" {fall.start:.0f}: its shape is a guess; give the whole schedule with --schedule"
        )
    return Plan(schedule=done.extended(rates), now=now, sentence=words, doubts=tuple(doubts))


def _fall(schedule: Schedule) -> Decay | None:
    """The fall that the run is in, as in `losslaw.schedules.recognise`."""
    first = max(schedule.warmup, 1)
    k = np.arange(first, schedule.horizon + 1, dtype=np.float64)
    rates = schedule.lr[first - 1 :]
    if schedule.warmup and rates.size > 1 and rates[0] < rates[1:].max():
        k, rates = k[1:], rates[1:]
    fall = match_decay(k, rates, start=float(schedule.warmup), tolerance=CLOSE)
    return None if fall is None or fall.shape == "constant" else fall


def _prolonged(fall: Decay, n: int, horizon: int, final: float | None) -> tuple[Decay, str]:
    """The fall with its end at the horizon, or where it comes to rest, and what that assumes."""
    began = f"from {fall.peak:.4g} after step {fall.start:.0f}"
    if fall.formula.has_end:
        end = fall.end
        if abs(end - horizon) <= NEAR * horizon:
            return replace(fall, end=float(horizon)), (
                f"the {fall.shape} {began} goes on to {fall.final:.3g} at the horizon"
            )
        if end < horizon:
            where = f"to {fall.final:.3g} at step {end:.0f}, its own end, and rests there"
        else:
            where = f"towards its own end at step {end:.0f}, and is cut short by the horizon"
        return fall, f"the {fall.shape} {began} goes on {where}"
    # The formulas know no end: the same fall, up to the horizon.
    stretch = (horizon - fall.start) / (fall.end - fall.start)
    z = np.array([stretch])
    last = float(fall.formula.rates(z, 1 - z, fall.peak, fall.final)[0])
    least = 0.0 if final is None else final
    if last >= least - CLOSE * fall.peak:
        last = max(last, least)
        goes_on = replace(fall, end=float(horizon), final=last)
        return goes_on, f"the {_word(fall)} fall {began} goes on to {last:.3g} at the horizon"
    # It reaches the lowest rate before: the same formula, ended there.
    stretch = fall.formula.reaches(least, fall.peak, fall.final)
    end = fall.start + stretch * (fall.end - fall.start)
    goes_on = replace(fall, end=max(end, float(n)), final=least)
    return goes_on, (
        f"the {_word(fall)} fall {began} reaches {least:.3g} at step {end:.0f} and rests there"
    )


def _word(fall: Decay) -> str:
    return {"linear": "straight"}.get(fall.shape, fall.shape)
