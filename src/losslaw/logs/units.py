"""What a log counts in, made into updates and rates.

Steps may be epochs, or count what the updates have seen (tokens, samples); a rate may be a multiple
of the peak. What one of them is worth is not in the log, so it is asked for and never guessed.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from losslaw.errors import InputError
from losslaw.files import Numbers, Table
from losslaw.logs.columns import SEEN, key
from losslaw.logs.log import Log
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.horizon import longest
from losslaw.numerics.magnitudes import PEAK


def in_updates(log: Log, steps_per_epoch: int | None = None, divisor: float | None = None) -> Log:
    """The log with steps that count updates.

    Args:
        log: Any log.
        steps_per_epoch: Updates in an epoch, for logs by epochs.
        divisor: What one update adds to the step column, where that counts tokens or samples.

    Raises:
        InputError: the steps are no updates, and nobody says what they are.
    """
    if steps_per_epoch is not None and steps_per_epoch < 1:
        raise InputError(f"steps_per_epoch is {steps_per_epoch}, expected a whole number above 0")
    if divisor is not None and not (isfinite(divisor) and divisor > 0):
        raise InputError(f"step_divisor is {divisor}, expected a number above 0")
    if log.step_is == "epochs":
        return _epochs(log, steps_per_epoch)
    if divisor is not None and divisor != 1:
        said = f"steps are column {log.columns.step!r} divided by {divisor:g}, as declared"
        log = _with_steps(log, _times(log.table.numbers(log.columns.step), 1 / divisor))
        horizon = log.horizon and round(log.horizon / divisor)
        window = log.window and max(round(log.window / divisor), 1)
        return replace(log, horizon=horizon, window=window, notes=(*log.notes, said))
    if divisor is None:
        _check_counts(log)
    return log


def with_peak(log: Log, peak: float | None) -> Log:
    """The log with rates instead of multiples of a peak.

    Raises:
        InputError: it has multiples, and nobody says of what.
    """
    lr = log.columns.lr
    if not log.rate_is_relative or lr is None:
        return log
    if peak is None:
        raise InputError(
            f"{log.source}: the rates of {log.format} are multiples of a peak that the log does"
            " not say: give it (peak=, --peak LR)"
        )
    if not (isfinite(peak) and peak > 0):
        raise InputError(f"peak is {peak}, expected a rate above 0")
    PEAK.check("peak", peak)
    rates = _cells(log.table, lr, _times(log.table.numbers(lr), peak))
    table = replace(log.table, columns={**log.table.columns, lr: rates})
    said = f"the rates are the logged multiples of the declared peak {peak:g}"
    return replace(log, table=table, rate_is_relative=False, notes=(*log.notes, said))


def _epochs(log: Log, steps_per_epoch: int | None) -> Log:
    if steps_per_epoch is None:
        raise InputError(
            f"{log.source}: the steps of this log are epochs, and it does not say how many updates"
            " an epoch has: give them (steps_per_epoch=, --steps-per-epoch N)"
        )
    epochs = log.table.numbers(log.columns.step)
    each = np.isfinite(epochs).all() and (np.diff(epochs) == 1).all()
    if log.columns.lr is not None and each:
        log = _with_level_rates(log, log.columns.lr, epochs, steps_per_epoch)
    else:
        log = _with_steps(log, _times(epochs, steps_per_epoch))
    return replace(
        log,
        step_is="updates",
        window=steps_per_epoch,
        horizon=log.horizon and log.horizon * steps_per_epoch,
        notes=(*log.notes, f"an epoch has {steps_per_epoch} updates, as declared"),
    )


def _with_level_rates(log: Log, lr: str, epochs: FloatArray, steps_per_epoch: int) -> Log:
    """Steps in updates, and before each row one for the first update of its epoch: same rate."""
    ends = np.rint(epochs * steps_per_epoch).astype(int).tolist()
    columns: dict[str, list[str | None]] = {}
    for name, cells in log.table.columns.items():
        if name == log.columns.step:
            steps = ((end - steps_per_epoch + 1, end) for end in ends)
            columns[name] = [str(step) for pair in steps for step in pair]
        else:
            columns[name] = [x for cell in cells for x in (cell if name == lr else None, cell)]
    lines = [line for line in log.table.lines for _ in range(2)]
    return replace(log, table=replace(log.table, columns=columns, lines=lines))


def _with_steps(log: Log, steps: FloatArray) -> Log:
    name = log.columns.step
    columns = {**log.table.columns, name: _cells(log.table, name, np.rint(steps))}
    return replace(log, table=replace(log.table, columns=columns))


def _times(values: FloatArray, factor: float) -> FloatArray:
    """Values times a factor; whoever reads the rows says which of them is too large."""
    with np.errstate(over="ignore"):
        return values * factor


def _cells(table: Table, name: str, values: FloatArray) -> Sequence[str | None]:
    if isinstance(table.columns[name], Numbers):
        return Numbers(values)
    return [
        None if cell is None else repr(value)
        for cell, value in zip(table.columns[name], values.tolist(), strict=True)
    ]


def _check_counts(log: Log) -> None:
    """Refuse steps that count tokens or samples, with the division that is proposed."""
    name = log.columns.step
    cells = log.table.columns[name]
    named = any(
        any(part in key(other) for part in SEEN)
        for other, each in log.table.columns.items()
        if other == name or each == cells
    )
    if not named and log.last_step <= longest():
        return
    steps = log.table.numbers(name)
    whole = steps[np.isfinite(steps) & (steps > 0) & (steps == steps.round()) & (steps < 2**53)]
    unit = int(np.gcd.reduce(whole.astype(np.int64)))
    if not unit:
        return  # whoever reads the rows says what is wrong with them
    facts = log.facts
    known = next(
        (
            size
            for size in (facts.tokens_per_update, facts.batch)
            if size is not None and size > 1 and unit % size == 0
        ),
        None,
    )
    if known is not None:
        proposed = f"one update has {known:g}, so --step-divisor {known:g}"
    elif unit > 1:
        proposed = (
            f"all are multiples of {unit}, so --step-divisor {unit} if every update was logged,"
            " or that over the updates between two rows"
        )
    else:
        proposed = "the log does not tell"
    raise InputError(
        f"{log.source}: step looks like tokens or samples, not updates: column {name!r} goes to"
        f" {log.last_step:.6g}; say how many of them an update has (step_divisor=,"
        f" --step-divisor): {proposed};"
        f" {'--step-divisor 1' if named else '--allow-long'} if they are updates"
    )
