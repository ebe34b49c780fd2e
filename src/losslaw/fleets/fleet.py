"""A fleet: hundreds of runs of several models, annealed group by group, on several processors.

Each group is answered as `losslaw.annealed` answers its runs alone: one job, which knows nothing of
the others. Within a group all runs are compared with the best one, or with the baseline of that
group; between groups, which differ in what losses mean, nothing is compared. A log that cannot be
used is named and left out, before it can spoil the fit of the others.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from losslaw.annealing.annealed import annealed
from losslaw.annealing.cooldown import USUAL, Cooldown
from losslaw.annealing.models import Model, configuration, grouped, in_order
from losslaw.annealing.pairs import BEST, Equal, checked_equal
from losslaw.annealing.record import Annealed
from losslaw.annealing.standing import standings_of
from losslaw.curves import LossCurve, Runs, curves_of
from losslaw.curves.curve import check_one_unit
from losslaw.errors import FitError, InputError
from losslaw.fitting.cleaning import cleaned_runs
from losslaw.fleets.finished import Finished
from losslaw.fleets.fleet_record import Fleet, FleetGroup, FleetRun
from losslaw.numerics.interval import Level
from losslaw.progress import Counted, uncounted
from losslaw.text import natural
from losslaw.version import __version__
from losslaw.workers import Report, WorkersLost, checked_workers, work
from losslaw.workers.crew import call

# Losses of a run that are left after the early ones, at least: fewer tell nothing of a decay.
LEAST = 10
# The group of runs of which no fact is known.
ALL = "all runs"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked about every group: see `losslaw.annealed`."""

    over: float
    shape: str
    final: float
    at: int | None
    same_total: bool
    equal: Equal
    seeds: bool
    law: str
    level: float
    skip: int | None
    keep_all: bool
    new_data: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupJob:
    """The runs of a group, and what is asked about them.

    Attributes:
        name: Name of the group.
        curves: Its runs.
        against: The run that the others are compared with, or a regular expression for its name.
        asked: The question.
    """

    name: str
    curves: tuple[LossCurve, ...]
    against: str | None
    asked: Asked

    @property
    def key(self) -> str:
        """A short name for all that the answer depends on."""
        told = {"version": __version__, "name": self.name, "against": self.against}
        digest = hashlib.sha256(json.dumps([told, asdict(self.asked)]).encode())
        for curve in self.curves:
            schedule = curve.schedule
            facts = (curve.label, curve.model_size, curve.optimizer, schedule.warmup)
            digest.update(repr((*facts, curve.loss_is, curve.unit)).encode())
            along = (schedule.lr, schedule.batch, schedule.weight_decay, curve.steps, curve.loss)
            for values in (*along, curve.window):
                digest.update(b"none" if values is None else np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()[:16]


def fleet(
    curves: Runs,
    *,
    group_by: str | None = None,
    against: str | None = None,
    over: float = USUAL,
    shape: str = "linear",
    final: float = 0.0,
    at: int | None = None,
    same_total: bool = False,
    equal: Equal = "updates",
    seeds: bool = False,
    law: str = "auto",
    level: float = 0.9,
    skip: int | None = None,
    keep_all: bool = False,
    new_data: bool = False,
    resume: str | Path | None = None,
    jobs: int | None = 1,
    on: str = "local",
    left_out: Mapping[str, str] | None = None,
    progress: Counted = uncounted,
) -> Fleet:
    """Annealed losses and verdicts of many runs of several models.

    Args:
        curves: Runs, or files and folders of them; of these all that can be read.
        group_by: A fact, or a part of the labels, as in `losslaw.annealed`; ``None``: model size
            and optimiser. Within a group, models are told apart as `losslaw.annealed` does.
        against: The run that the others of its group are compared with: its label, or a regular
            expression, for a baseline in every group. ``None``, and in groups without such a run:
            the best.
        over: Length of the cooldown, as in `losslaw.annealed`, and so are the options below.
        shape: Its shape.
        final: Learning rate at its end.
        at: Update after which the cooldowns begin; runs that do not reach it are left out.
        same_total: Let all cooldowns of a group end at one update.
        equal: At equal what two runs are compared.
        seeds: Whether runs of one schedule are seeds of one configuration.
        law: Name of the law.
        level: Share of cases the intervals are meant to hold, in (0, 1).
        skip: Leave out points before this step; ``None``: as in `losslaw.fit`, for each group.
        keep_all: Fit all points as they are.
        new_data: Whether questions are about other data than were fitted.
        resume: A file that keeps finished groups: what it has of these runs is not done again.
            ``None``: nothing is kept.
        jobs: Groups under way at a time; ``None``: as many as there are processors.
        on: ``local``: processes of this machine; ``ray``: a Ray cluster.
        left_out: Logs that could not be read, with the reason, to be reported with the others.
        progress: Called with how many groups are done, and of how many.

    Raises:
        InputError: numbers out of range, no run that can be used, or a file that keeps other
            things than groups.
        MissingExtra: ``on="ray"`` without ray.
        FitError: workers die whatever they do.

    >>> import losslaw as ll
    >>> law = ll.Effective(L0=2.5, A=0.55, N=45.0)
    >>> runs = [
    ...     law.curve(ll.constant(peak=peak, horizon=3000, warmup=100), range(50, 3001, 50), label)
    ...     for label, peak in {"small_a": 1e-3, "small_b": 2e-3}.items()
    ... ]
    >>> result = ll.fleet(runs, group_by="small|large", law="effective")
    >>> [(group.name, len(group.runs)) for group in result.groups]
    [('small', 2)]
    """
    Level(level)
    cooldown = Cooldown(over=over, shape=shape, final=final)
    checked_equal(equal)
    checked_workers(on, jobs)
    unread = dict(left_out or {})
    runs = _named_apart(curves_of(curves, unread), unread)
    asked = Asked(
        over=over,
        shape=shape,
        final=final,
        at=at,
        same_total=same_total,
        equal=equal,
        seeds=seeds,
        law=law,
        level=level,
        skip=skip,
        keep_all=keep_all,
        new_data=new_data,
    )
    parts = sorted(
        grouped(runs, group_by, unread).items(),
        key=lambda part: (in_order(part[1][0], group_by), natural(part[0])),
    )
    for _, part in parts:
        check_one_unit(part)
    each = [
        GroupJob(name=name or ALL, curves=tuple(part), against=against, asked=asked)
        for name, part in parts
    ]
    if not each:
        reasons = f": {next(iter(unread.values()))}" if unread else ""
        raise InputError(f"no run can be used{reasons}")
    known = any(run.label == against or configuration(run.label) == against for run in runs)
    if against is not None and not known:
        pattern = _pattern(against)
        if pattern is None or not any(pattern.search(run.label) for run in runs):
            raise InputError(f"against {against!r}: no run of that name, and no name that fits it")
    groups = _answers(each, resume, jobs, on, progress)
    if not any(group.runs for group in groups):
        reasons = Counter(why for group in groups for _, why in group.left_out)
        raise InputError(f"no run can be annealed: {reasons.most_common(1)[0][0]}")
    return Fleet(
        groups=tuple(groups),
        cooldown=cooldown,
        level=level,
        left_out=tuple(unread.items()),
    )


def _named_apart(runs: Sequence[LossCurve], unread: dict[str, str]) -> list[LossCurve]:
    """The first run of each name; the others are left out, with the reason."""
    out: dict[str, LossCurve] = {}
    for run in runs:
        if run.label in out:
            unread[run.label] = f"another run is called {run.label!r} too, and is taken"
        out.setdefault(run.label, run)
    return list(out.values())


def _answers(
    each: Sequence[GroupJob],
    resume: str | Path | None,
    jobs: int | None,
    on: str,
    progress: Counted,
) -> list[FleetGroup]:
    """The answers for all groups, in their order."""
    answers: dict[int, FleetGroup] = {}
    with Finished(resume) as finished:
        keys = [job.key for job in each]
        for i, key in enumerate(keys):
            if key in finished.records:
                answers[i] = FleetGroup.read(finished.records[key])

        def keep(report: Report) -> None:
            if report.kind == "done":
                answers[report.index] = FleetGroup.read(report.results)
                finished.add(keys[report.index], report.results)
            else:
                answers[report.index] = _without_answer(each[report.index], report.why)
            progress(len(answers), len(each))

        todo = {i: job for i, job in enumerate(each) if i not in answers}
        progress(len(answers), len(each))
        failed: dict[int, str] = {}
        if on == "local" and (jobs == 1 or len(todo) < 2):
            for i, job in todo.items():
                _, kind, results, why = call(answered, job)
                keep(Report(i, kind, results, why))
        else:
            try:
                _, failed = work(todo, answered, keep, on=on, workers=jobs)
            except WorkersLost as error:
                where = f"; finished groups are in {resume}" if resume is not None else ""
                raise FitError(f"{error}{where}") from None
    answers |= {i: _without_answer(each[i], why) for i, why in failed.items()}
    return [answers[i] for i in range(len(each))]


def _without_answer(job: GroupJob, why: str) -> FleetGroup:
    left_out = tuple((curve.label, f"{job.name} has no answer: {why}") for curve in job.curves)
    return FleetGroup(name=job.name, left_out=left_out)


def answered(job: GroupJob) -> Mapping[str, Any]:
    """The JSON form of the answer for a group: what a worker does."""
    good, left_out = _usable(job)
    if not good:
        return FleetGroup(name=job.name, left_out=tuple(left_out)).as_dict()
    against = _baseline(good, job.against)
    try:
        answer = annealed(good, against=against, **asdict(job.asked))
    except (InputError, FitError) as error:
        left_out += [(curve.label, f"cannot be fitted: {error}") for curve in good]
        return FleetGroup(name=job.name, left_out=tuple(left_out)).as_dict()
    there = {run.label for run in answer.runs}
    left_out += [
        (curve.label, "its model cannot be fitted: see the warnings of its group")
        for curve in good
        if curve.label not in there
    ]
    return _group(job.name, answer, against, left_out).as_dict()


def _usable(job: GroupJob) -> tuple[list[LossCurve], list[tuple[str, str]]]:
    """The runs that can be fitted and annealed, and why the others cannot."""
    asked, good = job.asked, list[LossCurve]()
    left_out: list[tuple[str, str]] = []
    begins = asked.at
    if asked.at is not None and asked.same_total:
        begins = Cooldown(over=asked.over).begins(asked.at)
    clean = cleaned_runs(job.curves, asked.skip, keep_all=asked.keep_all)
    model = Model(name=job.name, runs=job.curves)
    for run, curve in zip(standings_of(clean, model), job.curves, strict=True):
        later = int((run.curve.steps >= clean.skip).sum())
        why = ""
        if later < LEAST:
            why = f"{later} losses from step {clean.skip:,} on, expected at least {LEAST}"
            why += f" ({run.warning})" if run.warning else ""
        else:
            try:
                run.checked(run.last if begins is None else begins)
            except InputError as error:
                why = str(error)
        if why:
            left_out.append((curve.label, why))
        else:
            good.append(curve)
    return good, left_out


def _baseline(runs: Sequence[LossCurve], against: str | None) -> str:
    """Name of the run that the others are compared with."""
    if against is None:
        return BEST
    labels = [run.label for run in runs]
    if against in (*labels, *map(configuration, labels)):
        return next(one for one in labels if against in (one, configuration(one)))
    pattern = _pattern(against)
    return next((label for label in labels if pattern and pattern.search(label)), BEST)


def _pattern(text: str) -> re.Pattern[str] | None:
    """The regular expression, if it is one."""
    try:
        return re.compile(text)
    except re.error:
        return None


def _group(
    name: str, answer: Annealed, against: str, left_out: Sequence[tuple[str, str]]
) -> FleetGroup:
    pairs = {pair.b: pair for pair in answer.pairs}
    named = against != BEST or any(BEST in (run.label, run.configuration) for run in answer.runs)
    mark = "baseline" if named else "best"
    runs: list[FleetRun] = []
    baseline = ""
    for run in sorted(answer.runs, key=lambda run: (run.loss, natural(run.label))):
        pair = pairs.get(run.configuration)
        verdict, needs = mark if pairs else "alone", ""
        difference = interval = None
        if pair is not None:
            words = {"a is better": "worse", "b is better": "better"}
            verdict, needs = words.get(pair.verdict, pair.verdict), pair.needs
            difference, interval = -pair.difference, pair.interval
        elif baseline:
            verdict = f"seed of {mark}" if pairs else "alone"
        else:
            baseline = run.configuration
        runs.append(
            FleetRun(
                label=run.label,
                model=run.model,
                configuration=run.configuration,
                at=run.at,
                over=run.over,
                raw=run.raw,
                loss=run.loss,
                lower=None if run.interval is None else run.interval.lower,
                upper=None if run.interval is None else run.interval.upper,
                refused=run.refused,
                difference=difference,
                half_width=None if interval is None else interval.half_width,
                verdict=verdict,
                needs=needs,
            )
        )
    cautions = [pair.caution for pair in answer.pairs if pair.caution]
    return FleetGroup(
        name=name,
        runs=tuple(runs),
        against=baseline,
        trust=None if answer.trust is None else str(answer.trust),
        left_out=tuple(left_out),
        notes=tuple(dict.fromkeys([*cautions, *answer.notes])),
        warnings=answer.warnings,
        unit=answer.unit,
    )
