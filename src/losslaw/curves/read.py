"""`read_curves`: from the logs of a run to a `LossCurve`.

A log gives some steps, rates and losses. What it does not give - the rate of every update, the
warm-up it does not show, which update a logged rate belongs to - is found or assumed, and every
assumption becomes a sentence of the curve.
"""

import glob
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import blocks
from losslaw.curves.curve import ASSUMED, LossCurve, since_the_last
from losslaw.curves.measured import MeasuredNorm, measured_norm
from losslaw.curves.origin import Origin
from losslaw.curves.reconstruct import reconstruct
from losslaw.curves.rows import OnNan, Rows, clean_rows
from losslaw.curves.whole_schedule import WholeSchedule, whole_schedule
from losslaw.errors import InputError, TooShort
from losslaw.files import Table
from losslaw.logs import Log, Source, files_in, read_all
from losslaw.logs.clocks import Measure, measure_of, measures
from losslaw.logs.columns import unit_of
from losslaw.logs.in_memory import HF_STATE, in_memory, is_no_column, is_run
from losslaw.logs.log import LossIs
from losslaw.logs.optimizer import (
    OPTIMIZERS,
    OTHER,
    checked_optimizer,
    optimizer_in_columns,
    optimizer_named,
)
from losslaw.logs.run_facts import Facts, facts_from, sidecar_facts
from losslaw.logs.source import PIPE
from losslaw.logs.tables import NAME as TABLE
from losslaw.logs.units import in_updates, with_peak
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.horizon import check_horizon, longest
from losslaw.progress import Counted, Parts, uncounted
from losslaw.schedules import Schedule, ScheduleLike, schedule_of
from losslaw.schedules.families import warmup_updates
from losslaw.text import counted

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

# What runs are given as.
RUNS = "a path, a data frame, arrays by name, trainer.state or its log_history, or several of these"
# A run as people have it: in a file, or in memory; and one or several of them, some read already.
Run: TypeAlias = "str | Path | IntoFrame | Mapping[str, ArrayLike] | Sequence[Mapping[str, Any]]"
Runs: TypeAlias = "LossCurve | Run | Iterable[LossCurve | Run] | Mapping[str, LossCurve | Run]"

# Arithmetic, the format, and what is so far taken: a format that prints the next rate may have
# printed the one before it in another version; those that print the one used count as they like.
OVERRULED = ("used", "next", "next")
# In words, which update a logged rate is of.
UPDATE = {"next": "next update", "used": "update just done"}
# A gap in the steps this many times longer than the usual one is warned about.
GAP = 10.0
# Trainers log at multiples of the updates between two rows: if more than this share of the rows is
# at no multiple of the updates since the row before, rows were left out.
LEFT_OUT = 0.1
# Files that trainers call alike in every run: the run has the name of their folder.
ALIKE = re.compile(
    r"trainer_state|trainer_log|losslaw_log|metrics|summary|main|events\.out\.tfevents\..*"
)


def read_curves(
    runs: "Run | Iterable[Run]",
    *,
    warmup: float | None = None,
    lr_is: str | None = None,
    loss_is: str | None = None,
    weight_decay: float | None = None,
    batch: float | None = None,
    model_size: float | None = None,
    optimizer: str | None = None,
    schedule: ScheduleLike | None = None,
    peak: float | None = None,
    loss_column: str | None = None,
    lr_column: str | None = None,
    step_column: str | None = None,
    steps_per_epoch: int | None = None,
    step_divisor: float | None = None,
    on_nan: OnNan = "error",
    progress: Counted | None = None,
    left_out: dict[str, str] | None = None,
    without_rates: bool = False,
) -> list[LossCurve]:
    """Loss curves from what trainers leave behind, or a program holds in memory.

    The formats are `losslaw.logs.FORMATS`; a run in memory is read as the file that it would be
    saved as (`losslaw.logs.in_memory`), and named by what it is.

    A run has the name of its file without the ending, or of its folder where every run has a file
    of that name (``trainer_state.json``, ``metrics.csv``). What the arguments leave open is looked
    up in the log itself, then in a ``meta.json`` beside it (``{"runs": {file name without ending:
    {"warmup_steps": ..., "weight_decay": ..., "params": ..., "lr_is": ..., "batch": ...,
    "optimizer": ...}}}``).

    Args:
        runs: A file, a folder, a pattern such as ``runs/*.csv``, ``-`` for standard input; a data
            frame, arrays by name, ``trainer.state`` or its ``log_history``; or several of these. Of
            a run's folder the newest checkpoint is read, of any other folder every file that is a
            log.
        warmup: Updates of warm-up, also when the log starts after it; below 1 a share of the
            updates that the run has, or is planned to have. ``None``: looked up, then found in the
            log, then assumed with a warning.
        lr_is: ``used`` if a logged rate is that of the update just done, ``next`` if it is that of
            the following one. ``None``: decided by arithmetic where one schedule passes through
            all rates for one of the two only; else looked up; then "next" if a rate is logged at
            step 0, which no update has used yet; then "used".
        loss_is: ``instant`` if a loss is that of one update, ``mean`` if it is the mean over the
            updates since the one before it (`LossCurve.window`). ``None``: what the format has.
        weight_decay: Decoupled weight decay of the runs.
        batch: Sequences in each update.
        model_size: Parameters of the model.
        optimizer: What trained it: one of `losslaw.logs.optimizer.OPTIMIZERS`, however written.
        schedule: What the runs did, as text or record, for logs without learning rates.
        peak: Largest rate, for logs that have multiples of it.
        loss_column: Name of the loss column, if the usual names do not decide.
        lr_column: Name of the learning-rate column, likewise.
        step_column: Name of the column with the updates done, likewise.
        steps_per_epoch: Updates in an epoch, for logs by epochs.
        step_divisor: What an update adds to the step column, if that counts tokens or samples.
        on_nan: ``error``, or ``drop`` to leave out losses that are written as nan or inf.
        progress: Called as the work goes on with the parts that are done, and with how many there
            are, two for each file.
        left_out: Takes the logs that cannot be read or used, with the reason, and the others are
            read; ``None``: the first one is an error, unless it is one of a folder.
        without_rates: Read logs without learning rates too, to look at their losses: every rate is
            taken as 1. Nothing can be fitted to such a curve.

    Returns:
        The curves in the order of ``runs``; those of a pattern or folder in order of their names.

    Raises:
        InputError: a file that cannot be read or used; the message says where, why and the way out.

    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> log = pathlib.Path(folder.name, "tiny.csv")
    >>> size = log.write_text("step,lr,loss\\n1,0.1,3\\n2,0.2,2.5\\n3,0.2,2\\n")
    >>> (curve,) = read_curves(log)
    >>> curve.label, curve.schedule.lr.tolist(), curve.loss.tolist()
    ('tiny', [0.1, 0.2, 0.2], [3.0, 2.5, 2.0])
    >>> (again,) = read_curves({"step": [1, 2, 3], "lr": [0.1, 0.2, 0.2], "loss": [3, 2.5, 2]})
    >>> again.label, again.schedule == curve.schedule
    ('mapping', True)
    >>> folder.cleanup()
    """
    if on_nan not in ("error", "drop"):
        raise InputError(f"on_nan is {on_nan!r}, expected 'error' or 'drop'")
    share = warmup if warmup is not None and 0 < warmup < 1 else None
    asked = facts_from(
        {
            "warmup": None if share else warmup,
            "lr_is": lr_is,
            "loss_is": loss_is,
            "weight_decay": weight_decay,
            "batch": batch,
            "model_size": model_size,
            "optimizer": None if optimizer is None else checked_optimizer(optimizer),
        },
        "read_curves",
    )
    given = None if schedule is None else schedule_of(schedule)
    sources = _sources(runs)
    files = sum(map(files_in, sources)) if progress else 0
    parts = Parts(2 * files, progress or uncounted)
    logs = read_all(
        sources, loss=loss_column, lr=lr_column, step=step_column, parts=parts, left_out=left_out
    )
    parts.reached(files)
    curves: list[LossCurve] = []
    for log, label in zip(logs, _labels(logs), strict=True):
        beside = sidecar_facts(Path(log.source)) if Path(log.source).exists() else Facts()
        # What people say of rates and losses comes before what is usual in such logs; the comments
        # of a table are theirs as well.
        said = asked.or_else(log.facts if log.format == TABLE else Facts())
        said = said.or_else(Facts(lr_is=beside.lr_is, loss_is=beside.loss_is))
        facts = said.or_else(log.facts).or_else(beside)
        try:
            log = in_updates(log, steps_per_epoch, step_divisor)
            if peak is not None or not without_rates:
                log = with_peak(log, peak)
            said_lr = said.lr_is is not None
            if share is not None:
                log, facts = _warmed_up(log, facts, share, given)
            curves.append(
                curve_from(
                    log,
                    facts,
                    label,
                    schedule=given,
                    on_nan=on_nan,
                    lr_is_said=said_lr,
                    without_rates=without_rates,
                )
            )
        except InputError as error:
            if left_out is None:
                raise
            left_out[log.source] = str(error)
        parts.done(files / len(logs))
    return curves


def _warmed_up(log: Log, facts: Facts, share: float, given: Schedule | None) -> tuple[Log, Facts]:
    """A warm-up that is a share of the run, in updates."""
    horizon = given.horizon if given else log.horizon or log.last_step
    warmup = int(warmup_updates(share, horizon))
    note = f"the warm-up is {share:.4g} of {horizon:,} updates: {warmup:,}"
    return replace(log, notes=(*log.notes, note)), replace(facts, warmup=warmup)


def curve_from(
    log: Log,
    facts: Facts,
    label: str,
    *,
    schedule: Schedule | None = None,
    on_nan: OnNan = "error",
    lr_is_said: bool = False,
    without_rates: bool = False,
) -> LossCurve:
    """The curve of one log; see `read_curves`.

    ``lr_is_said``: somebody said ``lr_is``, which may otherwise be what is usual in such logs, and
    give way to the arithmetic of the rates.
    """
    table, columns = log.table, log.columns
    bare = columns.lr is None and schedule is None
    if bare and not without_rates:
        raise InputError(_without_rates(log, facts))
    measured = measures(name for name in table.columns if name != columns.lr)
    spans = [log.spans] if log.spans is not None and log.spans in table.columns else []
    rows = clean_rows(table, columns, on_nan, [*measured.values(), *spans])
    if rows.steps.size:
        check_horizon(int(rows.steps[-1]), table.source)
    has_loss = ~np.isnan(rows.loss) & (rows.steps > 0)
    if has_loss.sum() < 2:
        raise TooShort(
            f"{table.source}: {int(has_loss.sum())} points with a loss after step 0,"
            " expected at least 2 to make a curve"
        )
    steps, loss = rows.steps, rows.loss
    if not has_loss.all():
        steps, loss = steps[has_loss], loss[has_loss]
    assumptions = [*log.notes, *log.loss_notes, *columns.assumptions]
    if log.skipped:
        what = ", ".join(counted(count, why) for why, count in log.skipped)
        assumptions.append(f"left out of the log: {what}")
    warnings = list(rows.warnings)
    optimizer = _optimizer(log, facts, assumptions)
    unit = facts.loss_unit or unit_of(columns.loss) or ASSUMED
    if not np.isnan(rows.loss[rows.steps == 0]).all():
        assumptions.append("the loss at step 0, before any update, is left out")
    lr_is = plan = None
    if bare:
        schedule = Schedule(np.ones(int(rows.steps[-1])))
    elif schedule is None:
        whole = _whole(rows, facts, log.horizon) if log.horizon is not None else None
        lr_is = _lr_is(table, rows, log, facts, assumptions, decided=whole, said=lr_is_said)
        if whole and whole.decided and lr_is_said and lr_is != whole.lr_is:
            warnings.append(
                f"a logged rate is that of the {UPDATE[lr_is]}, as declared; by the arithmetic of"
                f" all rates it would be that of the {UPDATE[whole.lr_is]}"
            )
        schedule, plan = _schedule(rows, facts, lr_is, whole, assumptions, warnings)
    else:
        schedule = _declared(table, rows, facts, schedule)
        if columns.lr is not None:
            assumptions.append("the learning rates are those of the given schedule, not the log's")
    norm = _norm(measured, rows, schedule, log, assumptions)
    span = rows.more[-1][has_loss] if spans else None
    kind, window = _windows(log, facts, steps, span, assumptions, warnings)
    warnings += _gaps(steps)
    if steps.size > blocks.MOST:
        assumptions.append(
            f"{steps.size:,} losses are averaged in blocks of {steps.size / blocks.MOST:.3g}, each"
            " the mean over the updates of its block"
        )
        kind = "mean" if kind == "instant" else kind
        steps, loss, window = blocks.in_blocks(steps, loss, window, blocks.MOST)
    return LossCurve(
        schedule,
        steps,
        loss,
        label,
        facts.model_size,
        tuple(assumptions),
        tuple(warnings),
        log.horizon if log.horizon is not None and log.horizon >= rows.steps[-1] else None,
        Origin(
            format=log.format,
            lr_is=lr_is,
            losses=log.losses,
            skipped=log.skipped,
            plan=plan,
            folder=_around(log).name,
        ),
        optimizer,
        norm,
        loss_is=kind,
        window=window,
        unit=unit,
    )


def _windows(
    log: Log,
    facts: Facts,
    steps: IntArray,
    span: FloatArray | None,
    assumptions: list[str],
    warnings: list[str],
) -> tuple[LossIs, IntArray | None]:
    """What each loss is, and over how many updates a mean is; by ``span``, where a row says so."""
    loss_is, window = log.loss_of
    if facts.loss_is is not None and facts.loss_is != loss_is:
        _forget(assumptions, "a logged loss is")
        loss_is = facts.loss_is
        what = "the mean over the updates since the one before it"
        assumptions.append(
            f"a logged loss is {what if loss_is == 'mean' else 'that of one update'}, as declared"
        )
    if loss_is == "average" and window is None:
        warnings.append(
            "over how many updates a logged loss is averaged is not known: it is fitted as that of"
            " its last update"
        )
    if loss_is == "instant" or (loss_is == "average" and window is None):
        return loss_is, None
    if loss_is == "average":  # it reaches back beyond the row before
        return loss_is, np.minimum(steps, window or 1)
    if loss_is == "epoch" and span is not None and not np.isnan(span).any():
        return loss_is, np.clip(span.astype(np.int64), 1, steps)
    # No mean reaches back beyond the row before; where rows are left out not as far as that.
    since = since_the_last(steps)
    if (
        window is None
        and loss_is == "mean"
        and (np.minimum(steps % since, -steps % since) > 1).mean() > LEFT_OUT
    ):
        window = int(np.gcd.reduce(steps[int(steps[0] == 1) :]))
        assumptions.append(
            "rows of this log seem to be left out, and a loss is taken to be the mean over"
            f" {window} updates, of which all steps are multiples"
        )
    return loss_is, since if window is None else np.minimum(since, window)


def _optimizer(log: Log, facts: Facts, assumptions: list[str]) -> str | None:
    """The optimiser by one of the names that are told apart, and a sentence on where it is from."""
    in_log = log.facts.optimizer or optimizer_in_columns(log.table.columns)
    text = facts.optimizer or in_log
    if text is None:
        return None
    found = optimizer_named(text)
    whose = "found in the log" if text == in_log else "said"
    if found is None:
        known = ", ".join(OPTIMIZERS)
        assumptions.append(f"the optimiser is other: {text!r} ({whose}) is none of {known}")
        return OTHER
    written = "" if text == found else f": {text!r}"
    assumptions.append(f"the optimiser is {found} ({whose}{written})")
    return found


def _norm(
    measured: Mapping[Measure, str], rows: Rows, schedule: Schedule, log: Log, said: list[str]
) -> MeasuredNorm | None:
    """The norm of the weights as the log has it, and a sentence that says so."""
    if not measured:
        return None
    done = np.clip(rows.steps, 1, schedule.horizon)
    lr = np.where(np.isnan(rows.lr), schedule.lr[done - 1], rows.lr)
    norm = measured_norm(measured, dict(zip(measured, rows.more, strict=False)), rows.steps, lr)
    if norm is not None:
        others = [
            name
            for name in log.table.columns
            if measure_of(name) and name not in (*measured.values(), log.columns.lr)
        ]
        beside = f", not {', '.join(map(repr, others[:3]))}" if others else ""
        said.append(f"the norm of the weights is measured, by {norm.source}{beside}")
    return norm


def _without_rates(log: Log, facts: Facts) -> str:
    """What to do about a log without rates, with an example out of what it does say."""
    horizon = max(log.horizon or 0, log.last_step)
    warmup = "" if facts.warmup is None else f",warmup={facts.warmup}"
    example = f"cosine:peak=3e-4,horizon={horizon}{warmup} with its own shape, peak and warm-up"
    if log.example:
        example = f"{log.example}, which is what its settings say"
    named = "" if log.format != TABLE else f"; found {log.table.names}"
    rename = "" if log.format != TABLE else "name one of them 'lr', or "
    return (
        f"{log.source}: no learning-rate column in this log{named}; {rename}say what the run did"
        f" (schedule=, --schedule), as in --schedule {example}"
    )


def _whole(rows: Rows, facts: Facts, horizon: int | None) -> WholeSchedule | None:
    """The formula through all logged rates, if it has the warm-up that is known."""
    found = whole_schedule(
        *rows.rates,
        horizon=horizon,
        last=int(rows.steps[-1]),
        warmup=facts.warmup,
    )
    if found is None or facts.warmup is None or abs(found.warmup - facts.warmup) <= 1:
        return found
    return None


def _lr_is(
    table: Table,
    rows: Rows,
    log: Log,
    facts: Facts,
    assumptions: list[str],
    *,
    decided: WholeSchedule | None,
    said: bool,
) -> str:
    """Whether a logged rate is that of the update done or of the next one."""
    steps, rates = rows.rates
    if not rates.any():
        found = "is empty" if rates.size == 0 else "is 0 everywhere"
        raise InputError(
            f"{table.source}: the learning rate {found}, expected rates above 0; or say what the"
            " run did (schedule=, --schedule wsd:peak=3e-4,...)"
        )
    lr_is = facts.lr_is
    arithmetic = decided.lr_is if decided is not None and decided.decided and not said else None
    if arithmetic and (lr_is is None or (arithmetic, log.facts.lr_is, lr_is) == OVERRULED):
        lr_is = arithmetic
        _forget(assumptions, "a logged rate is that of")
        assumptions.append(f"a logged rate is that of the {UPDATE[lr_is]}, decided by arithmetic")
    elif lr_is is None:
        lr_is = "next" if steps[0] == 0 and rates[0] > 0 else "used"
        assumptions.append(
            "a logged rate is that of the next update, since one is logged at step 0"
            if lr_is == "next"
            else "a logged rate is that of the update just done (lr_is used)"
        )
    elif log.facts.lr_is not in (None, lr_is):
        _forget(assumptions, "a logged rate is that of")
        assumptions.append(f"lr_is {lr_is}, as declared, overrules what is usual in such logs")
    return lr_is


def _forget(assumptions: list[str], beginning: str) -> None:
    """Leave out the sentences on what is usual that begin like this."""
    assumptions[:] = [each for each in assumptions if not each.startswith(beginning)]


def _schedule(
    rows: Rows,
    facts: Facts,
    lr_is: str,
    whole: WholeSchedule | None,
    assumptions: list[str],
    warnings: list[str],
) -> tuple[Schedule, Schedule | None]:
    """What the run did up to its last row, and all of it, if one formula tells."""
    steps, rates = rows.rates
    horizon = int(rows.steps[-1])
    updates = steps + 1 if lr_is == "next" else steps
    found = None if whole else reconstruct(updates, rates, horizon=horizon, warmup=facts.warmup)
    if found is None or found.decay is None:
        # Rates that are rounded hide their corners, and also where the run is to end.
        whole = whole or _whole(rows, facts, None)
        found = found if whole is None else whole.reconstruction(horizon, lr_is)
    assert found is not None
    assumptions += found.assumptions
    warnings += found.warnings
    if whole is None and horizon > updates[-1] + 1:
        warnings.append(
            f"the last rate is logged at step {steps[-1]}: taken as constant up to {horizon}"
        )
    schedule = Schedule(
        found.lr, _batch(rows, facts, horizon), facts.weight_decay, found.warmup,
        facts.sequence_length,
    )  # fmt: skip
    end = horizon if whole is None else max(round(whole.decay.end), horizon)
    if whole is None or end > longest():
        return schedule, None
    rates = found.lr if end == horizon else whole.reconstruction(end, lr_is).lr
    return schedule, Schedule(rates, warmup=found.warmup, spec=whole.spec)


def _declared(table: Table, rows: Rows, facts: Facts, schedule: Schedule) -> Schedule:
    """The given schedule, with what is known besides."""
    last = int(rows.steps[-1])
    if last > schedule.horizon:
        raise InputError(
            f"{table.source}: the log goes to step {last}, beyond the {schedule.horizon} updates of"
            " the given schedule; give it a longer horizon"
        )
    known = Schedule(
        schedule.lr,
        schedule.batch if facts.batch is None else facts.sequences,
        schedule.weight_decay if facts.weight_decay is None else facts.weight_decay,
        schedule.warmup if facts.warmup is None else facts.warmup,
        facts.sequence_length or schedule.sequence_length,
    )
    return replace(known, spec=schedule.spec) if known == schedule else known


def _batch(rows: Rows, facts: Facts, horizon: int) -> np.ndarray | float | None:
    """Sequences in each update: what is declared, or the logged ones, each until the next."""
    logged = ~np.isnan(rows.batch)
    if facts.sequences is not None or not logged.any():
        return facts.sequences
    at = np.searchsorted(rows.steps[logged], np.arange(1, horizon + 1))
    return rows.batch[logged][np.minimum(at, int(logged.sum()) - 1)]


def _labels(logs: list[Log]) -> list[str]:
    """A name for each run: of its file or folder, with folders around it until no two are alike.

    Raises:
        InputError: one run twice.
    """
    runs = Counter(log.source for log in logs)
    names = [_label(log, alone=runs[log.source] == 1) for log in logs]
    around = [_around(log) for log in logs]
    while True:
        count = Counter(name for name, _ in {(names[i], log.source) for i, log in enumerate(logs)})
        alike = [i for i, name in enumerate(names) if count[name] > 1 and around[i].name]
        if not alike:
            break
        for i in alike:
            names[i] = f"{around[i].name}/{names[i]}"
            around[i] = around[i].parent
    seen: dict[str, str] = {}
    for name, log in zip(names, logs, strict=True):
        if name in seen:
            both = Path(seen[name]), Path(log.source)
            if all(each.exists() for each in both) and both[0].samefile(both[1]):
                raise InputError(f"one file is given twice: {seen[name]} and {log.source}")
            raise InputError(
                f"two curves are called {name!r} ({seen[name]} and {log.source}):"
                " give each file a name of its own"
            )
        seen[name] = log.source
    return names


def _around(log: Log) -> Path:
    """The folder that a run lies in; not the run's own, where its file is called as in every run.

    A file of no folder has the empty path.
    """
    path = Path(log.source)
    if log.source == PIPE or not path.exists():
        return Path()
    around = path.resolve().parent
    if not ALIKE.fullmatch(path.stem):
        return around
    return (around.parent if around.name.startswith("checkpoint-") else around).parent


def _label(log: Log, *, alone: bool) -> str:
    if alone and log.label is not None:
        return log.label
    path = Path(log.source)
    name = "stdin" if log.source == PIPE else path.stem
    if ALIKE.fullmatch(name):
        around = [path.parent.name, path.parent.parent.name]
        if around[0].startswith("checkpoint-") and around[1]:
            del around[0]
        name = around[0] or name
    return name if log.label is None else f"{name}/{log.label}"


def _gaps(steps: np.ndarray) -> list[str]:
    if steps[-1] - steps[0] == steps.size - 1:
        return []
    gaps = np.diff(steps)
    usual = float(np.median(gaps))
    wide = np.flatnonzero(gaps > GAP * usual)
    if not wide.size:
        return []
    first = int(wide[0])
    more = f" and {wide.size - 1} more like it" if wide.size > 1 else ""
    return [
        f"no loss between steps {steps[first]:.0f} and {steps[first + 1]:.0f}{more},"
        f" against every {usual:.0f} steps elsewhere"
    ]


def curves_of(runs: Runs, left_out: dict[str, str] | None = None) -> list[LossCurve]:
    """The curves among the runs as they are, then those that `read_curves` makes of the others.

    Args:
        runs: The runs; in a dictionary, they are called as there.
        left_out: Takes what cannot be read, with the reason; ``None``: the first is an error.

    Raises:
        InputError: see `read_curves`; a name for several runs.

    >>> log = {"step": [1, 2, 3], "lr": [0.1, 0.2, 0.2], "loss": [3, 2.5, 2]}
    >>> [curve.label for curve in curves_of({"first": log, "second": log})]
    ['first', 'second']
    """
    if isinstance(runs, Mapping) and are_runs(cast(Mapping[Any, object], runs)):
        named: list[LossCurve] = []
        for name, run in cast(Mapping[Any, Any], runs).items():
            found = curves_of(run, left_out)
            if len(found) > 1:
                raise InputError(f"{str(name)!r} names {len(found)} runs, expected one")
            named += [curve.with_(label=str(name)) for curve in found]
        return named
    each = _several(runs, "a LossCurve, ")
    curves = [run for run in each if isinstance(run, LossCurve)]
    if each and not curves:
        return read_curves(cast(Any, runs), left_out=left_out)
    others = [run for run in each if not isinstance(run, LossCurve)]
    return curves + (read_curves(others, left_out=left_out) if others else [])


def are_runs(runs: Mapping[Any, object]) -> bool:
    """Whether a mapping has runs by their names, and not the columns or the state of one."""
    if not runs or HF_STATE[0] in runs:
        return False
    return all(
        isinstance(each, LossCurve | str | Path) or is_no_column(each) for each in runs.values()
    )


def curve_of(runs: Runs) -> LossCurve:
    """The only one of `curves_of`.

    Raises:
        InputError: there is none, or there are several.
    """
    curves = curves_of(runs)
    if len(curves) != 1:
        names = ", ".join(curve.label for curve in curves[:3]) + (", ..." if curves[3:] else "")
        raise InputError(f"expected one run, got {len(curves)}" + (f": {names}" if names else ""))
    return curves[0]


def _several(runs: Any, also: str = "") -> list[Any]:
    """Single runs, whether one or several were given.

    Raises:
        InputError: what is no run.
    """

    def is_one(run: object) -> bool:
        made = bool(also) and isinstance(run, LossCurve)
        return made or isinstance(run, str | Path) or is_run(run)

    several = isinstance(runs, Iterable) and not is_one(cast(object, runs))
    each: list[Any] = list(cast(Iterable[Any], runs)) if several else [runs]
    for run in each:
        if not is_one(run):
            shown = repr(run).partition("\n")[0][:40]
            raise InputError(f"expected {also}{RUNS}; got {shown} ({type(run).__name__})")
    return each


def _sources(runs: object) -> list[str | Source]:
    """Names of files, patterns opened, their files in order of name; and what is in memory.

    Raises:
        InputError: no run at all, a pattern that fits no file, or what is no run.
    """
    found: list[str | Source] = []
    for run in _several(runs):
        if is_run(run):
            found.append(in_memory(run))
            continue
        name = str(run)
        if name != "-" and glob.has_magic(name) and not Path(name).exists():
            # Path.glob takes no absolute patterns.
            matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207
            if not matches:
                raise InputError(f"{name}: no file fits this pattern")
            found += matches
        else:
            found.append(name)
    if not found:
        raise InputError("no files: expected at least one log")
    return _numbered(found)


def _numbered(runs: list[str | Source]) -> list[str | Source]:
    """Runs in memory have the name of what they are; where that is the same, with numbers."""
    held = [run for run in runs if isinstance(run, Source)]
    kinds = Counter(run.name for run in held)
    seen: Counter[str] = Counter()
    for run in held:
        kind = run.name
        seen[kind] += 1
        run.name = f"{kind} {seen[kind]}" if kinds[kind] > 1 else kind
    return runs
