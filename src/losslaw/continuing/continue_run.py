"""Where a run ends if it goes on, re-heated or as it is, and whether that is worth it.

`continue_run` fits the run, with earlier ones where there are some, and asks for the ends of ways
on (`losslaw.continuing.second_phase`): at the rate as it is, decaying from now on, and through each
of several peaks. An annealed run is held against stopping now, with what it could have had by a
decay begun later beside it; any other against decaying from now on. All answers have the weights of
one question, and gains have intervals of their own, in which what two ways share cancels
(`losslaw.continuing.ways`).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from losslaw.annealing.cooldown import USUAL, Cooldown
from losslaw.annealing.models import Model
from losslaw.annealing.standing import fitted
from losslaw.continuing.record import Comparison, Continued
from losslaw.continuing.second_phase import SecondPhase, annealed_at_end
from losslaw.continuing.ways import Answer, plans_of, question_of
from losslaw.curves import Runs
from losslaw.errors import InputError
from losslaw.fitting.cleaning import start_of
from losslaw.fitting.final_loss import FinalLoss
from losslaw.fitting.optimizer import all_by
from losslaw.fitting.record import Fit
from losslaw.fitting.rules import Rules, check_source
from losslaw.fitting.status import told
from losslaw.fitting.trust import useless
from losslaw.laws import Law, Recipe
from losslaw.numerics.interval import Level
from losslaw.progress import Progress, silent

# Of other data the law knows nothing.
NEW_DATA = (
    "data that the run has not seen are outside the law: it goes on as if they were like the old"
    " ones"
)
# What stands behind the intervals of re-heated ways.
REHEATS = (
    "rates that rise again were tested in the lab alone; their intervals are wider by what second"
    " phases missed there"
)
# How many times the run's own peak is far above it.
FAR = 2.5
TOO_HIGH = (
    "a peak is far above the run's own: rates that rose to 4 and 8 times their first ended 0.018"
    " and 0.044 nats higher than foretold"
)


def continue_run(
    curve: Runs,
    updates: int,
    *,
    peaks: Sequence[float] | None = None,
    rewarmup: float | None = None,
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
        rewarmup: Updates in which the rate goes to each, or below 1 a share of those to come;
            ``None``: as many as the warm-up of the run had, at most a tenth of those to come.
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
    check_source(runs, fit, others, law)
    progress("fitting")
    start = start_of([*runs, *others], skip, keep_all=keep_all)
    rules = Rules(skip=start, keep_all=keep_all)
    model = Model(name=runs[0].label, runs=tuple(runs))
    cooldown = Cooldown(shape=shape, final=final)
    made = fitted(model, others, fit, cooldown, law=law, rules=rules, new_data=new_data)
    (run,) = made.standings.values()
    at = run.checked(run.last)
    done = run.curve.schedule.prefix(at)
    size, known = run.curve.model_size, annealed_at_end(done)
    plans = plans_of(done, phase, peaks, annealed=known)
    progress("comparing")
    settled, raw = made.fit.settled(question_of(plans), size), run.raw(at)
    asked = FinalLoss.of(settled, question_of(plans), size)
    answers = [
        Answer(
            plan=plan,
            end=FinalLoss.of(settled, plan.schedule, size),
            known=raw if plan.kind == "stop" else None,
            level=level,
        )
        for plan in plans
    ]
    interval, trust = asked.interval(level), made.doubted(asked.trust)
    if trust is not None and interval is not None:
        trust = replace(trust, refused=useless(interval, asked.loss))
    warnings = [*runs[0].warnings, run.warning, made.strayed, *([] if new_data else [NEW_DATA])]
    if max(plan.another for plan in plans) > math.log(FAR):
        warnings.append(TOO_HIGH)
    guessed, others = told(made.notes)
    return Continued(
        label=run.label,
        unit=run.curve.unit,
        at=at,
        raw=raw,
        rate=done.final_lr,
        annealed=known,
        phase=phase,
        ways=tuple(answer.against(answers[0]) for answer in _once(answers)),
        reheating=_reheating(answers),
        longer=_longer(answers),
        level=level,
        trust=trust,
        notes=(*others, REHEATS),
        warnings=tuple(dict.fromkeys(each for each in (*warnings, *guessed) if each)),
    )


def _once(answers: Sequence[Answer]) -> list[Answer]:
    """Without holding the rate for no update before a cooldown, which is to decay from now on."""
    decays = [each.plan.schedule for each in answers if each.plan.kind == "decay"]
    return [
        each for each in answers if each.plan.kind != "peak" or each.plan.schedule not in decays
    ]


def _on(answers: Sequence[Answer]) -> list[Answer]:
    return [each for each in answers if each.plan.kind in ("stay", "decay", "peak")]


def _lowest(answers: Sequence[Answer]) -> Answer:
    return min(answers, key=lambda each: each.loss)


def _reheating(answers: Sequence[Answer]) -> Comparison | None:
    """The best re-heated way against the best without, where there are both."""
    heated = [each for each in _on(answers) if each.plan.heated]
    without = [each for each in _on(answers) if not each.plan.heated]
    return _lowest(heated).compared(_lowest(without)) if heated and without else None


def _longer(answers: Sequence[Answer]) -> Comparison | None:
    """The best way on against a decay begun later, of an annealed run."""
    later = [each for each in answers if each.plan.kind == "later"]
    return _lowest(_on(answers)).compared(later[0]) if later else None
