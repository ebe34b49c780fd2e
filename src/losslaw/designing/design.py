"""From a law, or a problem of the kernel world, to the schedule that ends lowest: `design`."""

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from losslaw.curves.objective import Measure, Objective
from losslaw.designing.baselines import baselines
from losslaw.designing.free_form import SAME, search
from losslaw.designing.gains import Gains, LawGains
from losslaw.designing.record import Baseline, BestSchedule, Design, Simple
from losslaw.designing.task import Constraints, Task, pose, refuse_blind
from losslaw.designing.tuned_families import FAMILIES, best_setting, family_named
from losslaw.errors import FitError, InputError, expect, expect_numbers
from losslaw.fitting import Fit
from losslaw.fitting.prediction import ADVISE
from losslaw.fitting.status import DIFFERENT
from losslaw.fitting.trust import useless
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.progress import Progress, silent
from losslaw.schedules import Schedule, ScheduleLike, schedule_of
from losslaw.schedules.agreement import same_rate


def design(
    fit: Fit | Objective,
    horizon: int | None = None,
    *,
    peak: float | tuple[float, float] | None = None,
    warmup: float | None = None,
    floor: float = 0.0,
    family: str = "free",
    prefix: ScheduleLike | None = None,
    rising: bool = False,
    max_slope: float | None = None,
    tokens: float | None = None,
    sequence_length: int | None = None,
    batch: float | None = None,
    weight_decay: float | None = None,
    model_size: float | None = None,
    quantile: float | None = None,
    tuned: bool = False,
    level: float = 0.9,
    progress: Progress | None = None,
) -> Design:
    """The schedule with the lowest predicted final loss, under constraints.

    Minimises the loss that the law predicts after the last update, over the rates of all updates
    that are not given. No law here knows instability, so the peak, and the warm-up to it, are
    constraints and not outcomes. A `KernelRegression` does know it, and its loss is the exact mean
    excess risk, whose differences are written as shares of it. Of a fit in which several laws
    answer together, the heaviest one is minimised; loss, gains and their intervals are those of
    all.

    Args:
        fit: A fit, a law with its parameters, or a `KernelRegression`.
        horizon: Updates in all, run so far and warm-up included.
        peak: Largest learning rate, or a lowest and a highest one to choose from. ``None``: that of
            the run so far, or of the fitted runs if they have one; of a `KernelRegression` any up
            to 0.9 of the largest stable one.
        warmup: Updates of linear warm-up to the peak, or below 1 a share of the horizon.
            ``None``: that of the fitted runs if they have one, else 0.
        floor: Smallest rate.
        family: ``free``, or a name in ``losslaw.designing.FAMILIES`` to set the knobs of.
        prefix: The run so far, as record or text; only what comes after it is designed.
        rising: Let rates rise again (free form only).
        max_slope: Largest change of the rate from one update to the next, in peaks (free form
            only).
        tokens: Give the horizon as ``tokens / (batch * sequence_length)`` instead.
        sequence_length: Tokens in a sequence.
        batch: Sequences in each update; ``None``: that of the fitted runs.
        weight_decay: Decoupled weight decay; ``None``: that of the fitted runs.
        model_size: Parameters of the model, where several sizes were fitted.
        quantile: Design for parameters as bad for the answer as this quantile of what the fit
            leaves open, 0.5..1; ``None``: for the fitted ones, which to first order are best on
            average too.
        tuned: Set the knobs of every family too, and compare the design with each of them.
        level: Share of runs that the intervals of losses and gains are meant to hold.
        progress: Called with words while it searches.

    Returns:
        The design; what is doubtful about it is in its sentences.

    Raises:
        InputError: constraints that contradict each other, or a fit that cannot tell schedules
            apart.
        FitError: the predicted losses are not finite, or a fit that knows no best schedule: what
            it says of gains has no use, or it would rather not train.

    >>> import losslaw as ll
    >>> law = ll.Effective(L0=2.6, A=0.5, N=47.0)
    >>> made = ll.design(law, 2000, peak=1e-3, warmup=100)
    >>> made.gain > 0, bool(made.schedule.final_lr < 1e-4)
    (True, True)
    """
    expect("what designs", fit, (Fit, Objective), "a Fit, a Law or a KernelRegression")
    expect_numbers(
        horizon=horizon, peak=peak if not isinstance(peak, tuple) else None, warmup=warmup
    )
    begun = time.perf_counter()
    prefix = None if prefix is None else schedule_of(prefix)
    say = progress or silent
    known = fit if isinstance(fit, Fit) else None
    law, uncertainty = _law(fit, model_size)
    refuse_blind(law, uncertainty)
    measure = law.measure if known is None else replace(law.measure, unit=known.unit)
    sentences: list[str] = []
    if known is not None and not known.status.converged:
        sentences.append("the fit did not converge")
    if known is not None:
        sentences += [text for text in known.status.sentences if text.startswith(DIFFERENT)]
    if family != "free" and (rising or max_slope is not None):
        word = "rising" if rising else "max_slope"
        raise InputError(f"{word} is for the free form: a family has the shape it has")
    chosen_batch = _usual_batch(known, batch)
    updates = _horizon(horizon, tokens, chosen_batch, sequence_length)
    if peak is None and prefix is None:
        peak = law.peaks(chosen_batch or 1.0, floor) if known is None else usual_peak(known)
    constraints = Constraints(
        horizon=updates,
        peak=peak,
        warmup=_warmup(known, warmup, prefix, sentences),
        floor=floor,
        prefix=prefix,
        rising=rising,
        max_slope=max_slope,
        batch=chosen_batch,
        weight_decay=weight_decay,
    )
    if family == "free":
        constraints = _held_back(law, constraints, sentences)
    task = _completed(pose(law, constraints), known, prefix)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        best = _best(task, family, say, sentences)
        if quantile is not None:
            best = _cautious(
                task, family, best, LawGains(law, uncertainty), quantile, say, sentences
            )
        others: dict[str, Schedule] = {}
        for name in FAMILIES if tuned else ():
            say(f"family {name}")
            others[name] = best_setting(task, FAMILIES[name]).schedule
        if family == "free" and quantile is None and task.max_slope is None:
            best = _not_beaten(task, best, others, say)
    if (
        family == "free"
        and best.gap is not None
        and best.gap > CONVERGED * measure.nothing(best.loss)
    ):
        room = measure.room(best.gap, best.loss)
        sentences.append(f"the search has not converged: to first order, {room} may be left")
    schedule = best.schedule
    interval = trust = None
    if known is None:
        loss, gains = task.law.final(schedule), Gains.of_law(law, None, level)
    else:
        prediction = known.predict(schedule, [schedule.horizon], level, model_size)
        sentences += [text for text in prediction.warnings if text not in sentences]
        loss, interval, trust = prediction.final, prediction.interval, prediction.trust
        gains = Gains.of(known, schedule, level, model_size)
    fixed = task if task.lowest_peak is None else task.at_peak(best.peak)
    instead = _compared(fixed, schedule, loss, gains, measure)
    if known is not None:
        _refuse_unknown(known, task, schedule, loss, instead)
    better = min(instead.values(), key=lambda item: item.gain)
    if trust is not None and better.gain < -measure.nothing(loss):
        sentences.append(
            f"all laws together say that {better.name} ends"
            f" {-better.gain:.4f}{measure.after} lower; the search is by one of them,"
            f" the {law.title}"
        )
    simple = None
    if family == "free" and task.max_slope is None and not rising:
        say("simpler ones")
        simple = _simplest(fixed, schedule, loss, instead, gains, measure)
    families = {
        name: _beside(name, other, schedule, loss, gains, measure) for name, other in others.items()
    }
    return Design(
        schedule=schedule,
        task=task,
        loss=loss,
        interval=interval,
        trust=trust,
        level=level,
        family=family,
        peak=best.peak,
        knobs=best.knobs,
        baselines=instead,
        families=families,
        gap=best.gap,
        starts=best.starts,
        simple=simple,
        sentences=tuple(sentences),
        evaluations=best.evaluations,
        seconds=time.perf_counter() - begun,
        measure=measure,
    )


# What may be left to first order where a search has converged, in what counts as nothing.
CONVERGED = 100.0
# A schedule whose mean rate is less than this share of its peak does not train.
NO_TRAINING = 0.005


def _refuse_unknown(
    fit: Fit, task: Task, schedule: Schedule, loss: float, instead: Mapping[str, Baseline]
) -> None:
    """Refuse a design that nothing is known of.

    Raises:
        FitError: no gain over a usual schedule is known to any use, or all rates are near 0.
    """
    intervals = [item.interval for item in instead.values()]
    if all(each is not None and useless(each, loss) for each in intervals):
        why = "what it gains over any usual schedule could be anything"
    elif task.given == task.template.warmup and schedule.lr.mean() < NO_TRAINING * task.peak:
        why = "it says that not to train would be best"
    else:
        return
    doubts = "".join(f"; {doubt}" for doubt in fit.status.doubts[:1])
    raise FitError(
        f"this fit knows no best schedule: {why}{doubts}."
        f" Fit runs of one kind by themselves, or make one that would tell: {ADVISE}"
    )


def _held_back(law: Objective, constraints: Constraints, sentences: list[str]) -> Constraints:
    """The constraints, with a limit to the slope where the law's optimum is an artefact."""
    artefact = law.artefact()
    if artefact is None:
        return constraints
    sentences.append(artefact.sentence)
    if constraints.max_slope is not None or artefact.slope is None:
        return constraints
    sentences.append(
        "so the rate was not let fall faster than over"
        f" {constraints.horizon / artefact.slope:.0f} updates; max_slope sets another limit"
    )
    return replace(constraints, max_slope=artefact.slope / constraints.horizon)


def _compared(
    task: Task, schedule: Schedule, loss: float, gains: Gains, measure: Measure
) -> dict[str, Baseline]:
    """The usual schedules beside the design, by name."""
    usual = baselines(task).items()
    return {name: _beside(name, each, schedule, loss, gains, measure) for name, each in usual}


def _beside(
    name: str, other: Schedule, schedule: Schedule, loss: float, gains: Gains, measure: Measure
) -> Baseline:
    gain = gains.gain(schedule, other)
    return Baseline(
        name=name,
        schedule=other,
        loss=loss + gain,
        gain=gain,
        interval=gains.interval(schedule, other),
        measure=measure,
    )


def _best(task: Task, family: str, say: Progress, sentences: list[str]) -> BestSchedule:
    """The best schedule of a family or of all, with what there is to say of the search."""
    if not np.isfinite(task.law.quick(task.template)):
        raise FitError(
            f"the {task.law.title} has no finite loss at learning rates up to {task.peak:g}"
        )
    if family != "free":
        say(f"family {family}")
        return best_setting(task, family_named(family))
    begin = {name: _at_best_peak(task, name) for name in ("wsd", "linear")}
    if task.max_slope is not None:
        begin = {"constant": _at_best_peak(task, "constant"), **begin}
    best = search(task, begin, say)
    losses = [start.loss for start in best.starts]
    if max(losses) > min(losses) + task.law.measure.nothing(min(losses)):
        ends = sorted({task.law.measure.value(loss).strip() for loss in losses})
        sentences.append(f"the starts end in different optima: {', '.join(ends)}")
    return best


def _at_best_peak(task: Task, name: str) -> Schedule:
    """A usual schedule, at the best of the peaks to begin from where the peak is free."""
    if task.lowest_peak is None:
        usual = baselines(task)
        return usual.get(name, usual["constant"])
    tried = [_at_best_peak(task.at_peak(peak), name) for peak in task.peaks]
    return min(tried, key=lambda each: np.nan_to_num(task.law.quick(each), nan=np.inf))


def _not_beaten(
    task: Task, best: BestSchedule, others: Mapping[str, Schedule], say: Progress
) -> BestSchedule:
    """The free form, searched on from any other schedule of its tables that ends lower."""
    fixed = task if task.lowest_peak is None else task.at_peak(best.peak)
    tried = {**baselines(fixed), **others}
    losses = {name: task.law.quick(each) for name, each in tried.items()}
    name = min(losses, key=losses.__getitem__)
    other, loss = tried[name], losses[name]
    if loss < best.loss - SAME * task.law.measure.nothing(loss) and not task.law.jumps:
        best = min(best, search(task, {name: other}, say), key=lambda each: each.loss)
    if loss >= best.loss - 1e-12 * abs(loss):
        return best
    peak = best.peak if task.lowest_peak is None else float(other.lr.max())
    at = task if task.lowest_peak is None else task.at_peak(peak)
    return replace(best, schedule=other, loss=loss, gap=at.gap(other), peak=peak)


# Families at their best setting, simplest first.
SIMPLE = ("linear", "cosine", "wsd", "wsd-1-sqrt", "wsd-cosine", "step", "wsd-power")


def _simplest(
    task: Task,
    schedule: Schedule,
    loss: float,
    usual: dict[str, Baseline],
    gains: Gains,
    measure: Measure,
) -> Simple | None:
    """The first of the usual schedules, and then of the families, that is as good."""
    nothing = measure.nothing(loss)
    level = [item for item in usual.values() if item.gain < nothing or not item.surely_worse]
    if level:
        return Simple.of(min(level, key=lambda item: item.gain))
    # Without an uncertainty nothing but the best is as good, and the search would be in vain.
    for name in SIMPLE if gains.known else ():
        other = best_setting(task, family_named(name)).schedule
        item = _beside(name, other, schedule, loss, gains, measure)
        if item.gain < nothing or not item.surely_worse:
            return Simple.of(item)
    return None


# Rounds of design and worst parameters, at most.
ROUNDS = 4


def _cautious(
    task: Task,
    family: str,
    best: BestSchedule,
    gains: LawGains,
    quantile: float,
    say: Progress,
    sentences: list[str],
) -> BestSchedule:
    """The best schedule under the parameters that are worst for it.

    A saddle point: design, find the worst parameters for the design, design again under them.
    """
    law, known = gains.known
    for _ in range(ROUNDS):
        before = best.schedule
        law = gains.unlucky(before, quantile)
        best = _best(replace(task, law=law), family, say, [])
        if np.abs(best.schedule.lr - before.lr).max() < 1e-3 * task.peak:
            break
    moved = ", ".join(f"{name} {getattr(law, name):.4g}" for name in known.names if name != "L0")
    sentences.append(
        f"designed for parameters as bad for it as the {quantile:.0%} quantile: {moved}; the losses"
        " here are those of the fitted parameters"
    )
    return best


def _law(fit: Fit | Objective, model_size: float | None) -> tuple[Objective, Uncertainty | None]:
    if not isinstance(fit, Fit):
        return fit, None
    if fit.sizes and model_size is not None:
        if model_size <= 0:
            raise InputError(f"model size is {model_size:g}, expected above 0")
        return fit.at_size(model_size)
    return fit.law, fit.uncertainty


def _usual_batch(fit: Fit | None, batch: float | None) -> float | None:
    if batch is None and fit is not None:
        return fit.usual_batch
    if batch is not None and not (np.isfinite(batch) and batch > 0):
        raise InputError(f"batch is {batch:g}, expected a number of sequences above 0")
    return batch


def _horizon(
    horizon: int | None, tokens: float | None, batch: float | None, length: int | None
) -> int:
    if (horizon is None) == (tokens is None):
        raise InputError(
            "how long is the run? give its updates (horizon=, --horizon), or its tokens (tokens=,"
            " --tokens) with batch and sequence length"
            + ("" if horizon is None else ", and not both")
        )
    if horizon is not None:
        return horizon
    if batch is None or length is None:
        missing = "batch" if batch is None else "sequence_length"
        raise InputError(
            f"tokens become updates by batch and sequence_length: {missing} is missing"
        )
    if tokens is None or not (np.isfinite(tokens) and tokens > 0) or length < 1:
        raise InputError(f"tokens is {tokens}, expected a number above 0")
    updates = int(tokens // (batch * length))
    if updates < 1:
        raise InputError(f"{tokens:g} tokens are less than one update of {batch * length:g}")
    return updates


def usual_peak(fit: Fit) -> float:
    """The peak learning rate of the fitted runs.

    Raises:
        InputError: they have several.
    """
    fitted = sorted({curve.schedule.peak_lr for curve in fit.curves})
    # A run without warm-up that decays at once never quite has its peak.
    if fitted and same_rate(fitted[-1], fitted[0], within=0.01):
        return fitted[-1]
    raise InputError(
        f"the fitted runs have {len(fitted)} peak learning rates"
        + (f", {fitted[0]:g} to {fitted[-1]:g}" if fitted else "")
        + ": say which one to design for (peak)"
    )


def usual_warmup(fit: Fit) -> int:
    """Updates of warm-up of the fitted runs; 0 where they differ."""
    fitted = {curve.schedule.warmup for curve in fit.curves}
    return fitted.pop() if len(fitted) == 1 else 0


def _warmup(
    fit: Fit | None, warmup: float | None, prefix: Schedule | None, sentences: list[str]
) -> float:
    if warmup is not None or prefix is not None:
        return (prefix.warmup if warmup is None and prefix is not None else warmup) or 0
    usual = 0 if fit is None else usual_warmup(fit)
    if fit is not None and usual:
        # Trainers begin at a rate of 0, and count the updates after it.
        idle = all(curve.schedule.lr[0] == 0 for curve in fit.curves)
        counted = f" ({usual - 1}, as trainers count that begin at a rate of 0)" if idle else ""
        sentences.append(f"warm-up of {usual} updates, as in the fitted runs{counted}")
    return usual


def _completed(task: Task, fit: Fit | None, prefix: Schedule | None) -> Task:
    """The task with weight decay and batch as the fit completes them, and as the run so far had."""
    template = task.template
    if prefix is not None:
        template = _carry(template, prefix)
    if fit is not None:
        template = fit.completed(template)
    return replace(task, template=template)


def _carry(template: Schedule, prefix: Schedule) -> Schedule:
    """Batch and weight decay of the run so far; what is not said goes on as it last was."""
    asked = {name: getattr(template, name) for name in ("batch", "weight_decay")}
    further = {name: values[-1] for name, values in asked.items() if values is not None}
    whole = prefix.extended(template.lr[prefix.horizon :], **further)
    known = {name: getattr(whole, name) for name in asked if getattr(whole, name) is not None}
    return template.with_(**known)
