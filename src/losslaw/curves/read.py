"""`read_curves`: from the logs of a run to a `LossCurve`.

A log gives some steps, rates and losses. What it does not give - the rate of every update, the
warm-up it does not show, which update a logged rate belongs to - is found or assumed, and every
assumption becomes a sentence of the curve.
"""

import glob
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from losslaw.curves.curve import LossCurve
from losslaw.curves.reconstruct import reconstruct
from losslaw.curves.rows import OnNan, Rows, clean_rows
from losslaw.errors import InputError, TooShort
from losslaw.files import Table
from losslaw.logs import Log, read_logs
from losslaw.logs.run_facts import Facts, facts_from, sidecar_facts
from losslaw.schedules import Schedule, parse_schedule

GAP = 10.0
"""A gap in the steps this many times longer than the usual one is warned about."""


def read_curves(
    paths: str | Path | Iterable[str | Path],
    *,
    warmup: int | None = None,
    lr_is: str | None = None,
    weight_decay: float | None = None,
    batch: float | None = None,
    model_size: float | None = None,
    schedule: str | Schedule | None = None,
    loss_column: str | None = None,
    lr_column: str | None = None,
    on_nan: OnNan = "error",
) -> list[LossCurve]:
    """Loss curves from CSV, TSV or JSON-lines logs.

    Each file is one run, labelled by its name without the ending. What the arguments leave open is
    looked up in ``# key: value`` comments at the head of the file, then in a ``meta.json`` beside
    it (``{"runs": {label: {"warmup_steps": ..., "weight_decay": ..., "params": ..., "lr_is": ...,
    "batch": ...}}}``).

    Args:
        paths: A file, a pattern such as ``runs/*.csv``, ``-`` for standard input, or several.
        warmup: Updates of warm-up, also when the log starts after it. ``None``: looked up, then
            found in the log, then assumed with a warning.
        lr_is: ``used`` if a logged rate is that of the update just done, ``next`` if it is that of
            the following one. ``None``: looked up; then "next" if a rate is logged at step 0, which
            no update has used yet; then "used".
        weight_decay: Decoupled weight decay of the runs.
        batch: Sequences in each update.
        model_size: Parameters of the model.
        schedule: What the runs did, as text or record, for logs without learning rates.
        loss_column: Name of the loss column, if the usual names do not decide.
        lr_column: Name of the learning-rate column, likewise.
        on_nan: ``error``, or ``drop`` to leave out losses that are written as nan or inf.

    Returns:
        One curve a file, in the order of ``paths``; the files of a pattern in order of their names.

    Raises:
        InputError: a file that cannot be read or used; the message says where, why and the way out.

    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> log = pathlib.Path(folder.name, "tiny.csv")
    >>> size = log.write_text("step,lr,loss\\n1,0.1,3\\n2,0.2,2.5\\n3,0.2,2\\n")
    >>> (curve,) = read_curves(log)
    >>> curve.label, curve.schedule.lr.tolist(), curve.loss.tolist()
    ('tiny', [0.1, 0.2, 0.2], [3.0, 2.5, 2.0])
    >>> folder.cleanup()
    """
    if on_nan not in ("error", "drop"):
        raise InputError(f"on_nan is {on_nan!r}, expected 'error' or 'drop'")
    asked = facts_from(
        {
            "warmup": warmup,
            "lr_is": lr_is,
            "weight_decay": weight_decay,
            "batch": batch,
            "model_size": model_size,
        },
        "read_curves",
    )
    given = parse_schedule(schedule) if isinstance(schedule, str) else schedule
    seen: dict[str, str] = {}
    curves: list[LossCurve] = []
    for path in _files(paths):
        logs = read_logs(path, loss=loss_column, lr=lr_column)
        for log in logs:
            facts = asked.or_else(log.facts)
            label = "stdin"
            if str(path) != "-":
                facts = facts.or_else(sidecar_facts(Path(path)))
                label = Path(path).stem
            if log.label is not None:
                label = log.label if len(logs) == 1 else f"{label}/{log.label}"
            if label in seen:
                raise InputError(
                    f"two curves are called {label!r} ({seen[label]} and {log.source}):"
                    " give each file a name of its own"
                )
            seen[label] = log.source
            curves.append(curve_from(log, facts, label, schedule=given, on_nan=on_nan))
    return curves


def curve_from(
    log: Log,
    facts: Facts,
    label: str,
    *,
    schedule: Schedule | None = None,
    on_nan: OnNan = "error",
) -> LossCurve:
    """The curve of one log; see `read_curves`."""
    table, columns = log.table, log.columns
    if columns.lr is None and schedule is None:
        raise InputError(
            f"{table.source}: no learning-rate column; found {', '.join(table.columns)};"
            " name one of them 'lr', or say what the run did"
            " (schedule=, --schedule wsd:peak=3e-4,...)"
        )
    rows = clean_rows(table, columns, on_nan)
    has_loss = ~np.isnan(rows.loss) & (rows.steps > 0)
    if has_loss.sum() < 2:
        raise TooShort(
            f"{table.source}: {int(has_loss.sum())} points with a loss after step 0,"
            " expected at least 2 to make a curve"
        )
    assumptions = [*log.notes, *columns.assumptions]
    warnings = list(rows.warnings)
    if not np.isnan(rows.loss[rows.steps == 0]).all():
        assumptions.append("the loss at step 0, before any update, is left out")
    if schedule is None:
        schedule = _schedule(table, rows, facts, assumptions, warnings)
    else:
        schedule = _declared(table, rows, facts, schedule)
        if columns.lr is not None:
            assumptions.append("the learning rates are those of the given schedule, not the log's")
    steps = rows.steps[has_loss]
    warnings += _gaps(steps.astype(np.float64))
    return LossCurve(
        schedule,
        steps,
        rows.loss[has_loss],
        label,
        facts.model_size,
        tuple(assumptions),
        tuple(warnings),
    )


def _schedule(
    table: Table, rows: Rows, facts: Facts, assumptions: list[str], warnings: list[str]
) -> Schedule:
    logged = ~np.isnan(rows.lr)
    steps, rates = rows.steps[logged], rows.lr[logged]
    if not rates.any():
        found = "is empty" if rates.size == 0 else "is 0 everywhere"
        raise InputError(
            f"{table.source}: the learning rate {found}, expected rates above 0; or say what the"
            " run did (schedule=, --schedule wsd:peak=3e-4,...)"
        )
    lr_is = facts.lr_is
    if lr_is is None:
        lr_is = "next" if steps[0] == 0 and rates[0] > 0 else "used"
        assumptions.append(
            "a logged rate is that of the next update, since one is logged at step 0"
            if lr_is == "next"
            else "a logged rate is that of the update just done (lr_is used)"
        )
    horizon = int(rows.steps[-1])
    updates = steps + 1 if lr_is == "next" else steps
    found = reconstruct(updates, rates, horizon=horizon, warmup=facts.warmup)
    assumptions += found.assumptions
    warnings += found.warnings
    if horizon > updates[-1] + 1:
        warnings.append(
            f"the last rate is logged at step {steps[-1]}: taken as constant up to {horizon}"
        )
    return Schedule(
        found.lr, _batch(rows, facts, horizon), facts.weight_decay, found.warmup,
        facts.sequence_length,
    )  # fmt: skip


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


def _gaps(steps: np.ndarray) -> list[str]:
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


def _files(paths: str | Path | Iterable[str | Path]) -> list[str]:
    """Names of the files; patterns opened, their files in order of name.

    Raises:
        InputError: no file at all, or a pattern that fits none.
    """
    names = [paths] if isinstance(paths, str | Path) else list(paths)
    found: list[str] = []
    for name in map(str, names):
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
    return found
