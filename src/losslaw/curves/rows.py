"""The rows of a log, made into one increasing sequence of steps.

Logs are messy in known ways: rate and loss of one step on different rows, rows written twice, a
run that was restarted and logs some steps again. Each has one rule here, and each rule that
changes anything leaves a sentence. What has no rule is an error that names the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from losslaw.errors import InputError
from losslaw.files import Table, number_in
from losslaw.logs.columns import EPOCH, Columns, key
from losslaw.numerics.arrays import BoolArray, FloatArray, IntArray
from losslaw.numerics.magnitudes import BATCH, LOSS, PEAK, RATE, Magnitude
from losslaw.text import counted, shown

OnNan = Literal["error", "drop"]

# Evaluations and summaries are fewer than this share of the training losses.
FEW = 0.25


@dataclass(frozen=True)
class Rows:
    """One row a step, steps increasing; NaN where a row has no rate, loss or batch.

    ``more`` has further columns, in the order in which they were asked for.
    """

    steps: IntArray
    lr: FloatArray
    loss: FloatArray
    batch: FloatArray
    warnings: tuple[str, ...]
    more: tuple[FloatArray, ...] = ()

    @cached_property
    def rates(self) -> tuple[IntArray, FloatArray]:
        """The steps that have a rate, and their rates."""
        logged = ~np.isnan(self.lr)
        return (self.steps, self.lr) if logged.all() else (self.steps[logged], self.lr[logged])


def clean_rows(
    table: Table, columns: Columns, on_nan: OnNan = "error", more: Sequence[str] = ()
) -> Rows:
    """The steps of a log in order, each once.

    * Values of one step on several rows are put together; equal repeats count once; where two
      differ the later one wins, with a warning.
    * A step that goes backwards and logs again a step already seen is a restart: what was logged
      from that step on is superseded, with a warning.
    * A ``nan`` or ``inf`` that was written out is an error, or left out if ``on_nan`` is "drop".
    * Where most losses stand beside a rate, and one without repeats the step of the row before with
      another loss, those without are evaluations or a summary: left out, with a warning.
    * Of ``more`` columns what is no number above 0 is not there.

    Raises:
        InputError: text in a number, steps that are not whole or out of order, values out of range.
    """
    steps = _steps(table, columns.step)
    warnings: list[str] = []
    values = [
        _values(table, name, on_nan, warnings, magnitude)
        if name is not None
        else np.broadcast_to(np.nan, steps.size)
        for name, magnitude in ((columns.lr, RATE), (columns.loss, LOSS), (columns.batch, BATCH))
    ] + [_positive(table, name) for name in more]
    highest = np.fmax.reduce(values[0], initial=0.0)
    if highest > 0:
        PEAK.check(f"{table.source}: the highest learning rate", highest)
    _leave_out_summaries(steps, values[0], values[1], warnings)
    used = ~(np.isnan(values[0]) & np.isnan(values[1]))
    if not used.all():
        steps, values = steps[used], [each[used] for each in values]
    if (np.diff(steps) <= 0).any():
        rows = np.flatnonzero(used)
        _check_epochs(table, rows, steps)
        steps, values = _merge(table, rows, steps, np.array(values), warnings)
    return Rows(steps, values[0], values[1], values[2], tuple(warnings), tuple(values[3:]))


def _leave_out_summaries(
    steps: IntArray, rates: FloatArray, losses: FloatArray, warnings: list[str]
) -> None:
    """Take out of ``losses`` those that are no training losses: see `clean_rows`."""
    alone = np.isnan(rates) & ~np.isnan(losses)
    beside = ~np.isnan(rates) & ~np.isnan(losses)
    if not 0 < alone.sum() <= FEW * beside.sum():
        return
    again = alone[1:] & beside[:-1] & (steps[1:] == steps[:-1]) & (losses[1:] != losses[:-1])
    if again.any():
        losses[alone] = np.nan
        warnings.append(
            f"losses without a rate are left out, {int(alone.sum())} in all: they repeat a step"
            " with another loss, as evaluations or a summary do"
        )


def _check_epochs(table: Table, rows: IntArray, steps: IntArray) -> None:
    """Refuse steps that begin again in every epoch: after a restart no epoch is later.

    Raises:
        InputError: they do.
    """
    name = next((each for each in table.columns if key(each) in EPOCH), None)
    if name is None:
        return
    try:
        epochs = table.numbers(name)[rows]
    except InputError:
        return  # nothing depends on it
    back = np.flatnonzero((np.diff(steps) < 0) & (np.diff(epochs) > 0)) + 1
    if back.size:
        raise InputError(
            f"{table.source}, line {table.lines[int(rows[back[0]])]}: the steps begin again in"
            f" another epoch (column {shown(name)!r}), expected the updates done since the run"
            " began; name a column that has them (step_column=, --step-column), or add one"
        )


def _merge(
    table: Table, rows: IntArray, steps: IntArray, values: FloatArray, warnings: list[str]
) -> tuple[IntArray, list[FloatArray]]:
    """Steps that increase, and their values, which are written over the given ones.

    Args:
        table: Where they are from, for messages.
        rows: Their rows in it. Shape ``(m,)``.
        steps: Steps in any order. Shape ``(m,)``.
        values: Their values, NaN where there is none. Shape ``(columns, m)``.
        warnings: Sentences are added here.
    """
    steps = steps.copy()
    conflicts = superseded = restarts = 0
    gaps = np.diff(steps)
    falls = np.flatnonzero(gaps < 0) + 1
    ends = [*(np.flatnonzero(gaps <= 0) + 1).tolist(), steps.size]
    kept = row = ends[0]  # rows that are kept stand at the beginning, in order
    for end in ends[1:]:
        while row < end:
            step, top = int(steps[row]), int(steps[kept - 1])
            if step > top:  # and so are all up to the end of the stretch
                count = end - row
                steps[kept : kept + count] = steps[row:end]
                values[:, kept : kept + count] = values[:, row:end]
                kept, row = kept + count, end
                continue
            new = values[:, row].copy()
            at = int(np.searchsorted(steps[:kept], step))
            old = values[:, at]
            same = steps[at] == step
            differ = same and bool(((old != new) & ~np.isnan(old) & ~np.isnan(new)).any())
            if same and (step == top or not differ):
                conflicts += differ
                values[:, at] = np.where(np.isnan(new), old, new)
            else:
                fall = int(np.searchsorted(falls, row, side="right"))
                rest = steps[row : falls[fall] if fall < falls.size else None]
                found = np.minimum(np.searchsorted(steps[:kept], rest), kept - 1)
                if not (steps[found] == rest).any():
                    raise InputError(
                        f"{table.source}, line {table.lines[int(rows[row])]}: steps out of order:"
                        f" step {step} follows step {top}, and is no restart since no step is"
                        " logged again; sort the rows"
                    )
                superseded += kept - at
                restarts += 1
                steps[at], values[:, at] = step, new
                kept = at + 1
            row += 1
    if restarts:
        times = "once" if restarts == 1 else f"{restarts} times"
        warnings.append(
            f"the run was restarted {times}: {counted(superseded, 'rows')}"
            f" {'is' if superseded == 1 else 'are'} superseded by later ones"
        )
    if conflicts:
        many = "rows repeat" if conflicts > 1 else "row repeats"
        warnings.append(
            f"{conflicts} {many} a step with other values (several ranks in one log?): the last"
            " one is kept"
        )
    return steps[:kept], list(values[:, :kept])


def _steps(table: Table, name: str) -> IntArray:
    values = table.numbers(name)
    if values.size == 0:
        raise InputError(f"{table.source}: only a header, no rows")
    bad = ~np.isfinite(values) | (values < 0) | (values != np.round(values)) | (values > 2**53)
    if bad.any():
        row = int(np.argmax(bad))
        cell = table.columns[name][row]
        raise InputError(
            f"{table.source}, line {table.lines[row]}: step is"
            f" {'missing' if cell is None else shown(cell)}, expected a whole number, 0 or above"
        )
    return values.astype(np.int64)


def _positive(table: Table, name: str) -> FloatArray:
    """A column of which nothing depends, with NaN where it has no number above 0."""

    def number(cell: str | None) -> float:
        try:
            value = number_in(cell or "nan")
        except ValueError:
            return np.nan
        return value if 0 < value < np.inf else np.nan

    return np.array([number(cell) for cell in table.columns[name]])


def _values(
    table: Table, name: str, on_nan: OnNan, warnings: list[str], magnitude: Magnitude
) -> FloatArray:
    """A column with NaN where there is no value; zero is allowed for rates only."""

    def refuse(wrong: BoolArray, expected: str) -> InputError:
        row = int(np.argmax(wrong))
        cell = shown(table.columns[name][row] or "")
        return InputError(
            f"{table.source}, line {table.lines[row]}: {name} is {cell}, expected {expected}"
        )

    values = table.numbers(name)
    not_finite: BoolArray = ~np.isfinite(values) & ~table.empty(name)
    impossible = magnitude.outside(values) & (values > 0)
    for wrong, what, expected in (
        (not_finite, "are not finite", "a finite number"),
        (impossible & ~not_finite, f"are not in {magnitude}", str(magnitude)),
    ):
        if wrong.any():
            if on_nan == "error":
                way_out = "; leave such rows out with on_nan='drop' (--drop-nan)"
                raise refuse(wrong, expected + way_out)
            warnings.append(f"{int(wrong.sum())} values of {name!r} {what} and left out")
            values[wrong] = np.nan
    low = values < 0 if magnitude is RATE else values <= 0
    if low.any():
        raise refuse(low, "0 or above" if magnitude is RATE else "above 0")
    return values
