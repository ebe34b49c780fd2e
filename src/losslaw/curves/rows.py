"""The rows of a log, made into one increasing sequence of steps.

Logs are messy in known ways: rate and loss of one step on different rows, rows written twice, a
run that was restarted and logs some steps again. Each has one rule here, and each rule that
changes anything leaves a sentence. What has no rule is an error that names the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from losslaw.errors import InputError
from losslaw.files import Table
from losslaw.logs.columns import Columns
from losslaw.numerics.arrays import BoolArray, FloatArray, IntArray

OnNan = Literal["error", "drop"]


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


@dataclass
class _Row:
    """One step under construction: values by column, NaN where not logged yet."""

    values: FloatArray

    def agrees(self, values: FloatArray) -> bool:
        both = ~np.isnan(self.values) & ~np.isnan(values)
        return bool((self.values[both] == values[both]).all())

    def fill(self, values: FloatArray) -> None:
        """Take over every value that is there; the later one wins."""
        self.values = np.where(np.isnan(values), self.values, values)


def clean_rows(
    table: Table, columns: Columns, on_nan: OnNan = "error", more: Sequence[str] = ()
) -> Rows:
    """The steps of a log in order, each once.

    * Values of one step on several rows are put together; equal repeats count once; where two
      differ the later one wins, with a warning.
    * A step that goes backwards and logs again a step already seen is a restart: what was logged
      from that step on is superseded, with a warning.
    * A ``nan`` or ``inf`` that was written out is an error, or left out if ``on_nan`` is "drop".
    * Of ``more`` columns what is no number above 0 is not there.

    Raises:
        InputError: text in a number, steps that are not whole or out of order, values out of range.
    """
    steps = _steps(table, columns.step)
    warnings: list[str] = []
    values = np.column_stack(
        [
            _values(table, name, on_nan, warnings, zero=name == columns.lr)
            if name is not None
            else np.full(steps.size, np.nan)
            for name in (columns.lr, columns.loss, columns.batch)
        ]
        + [_positive(table, name) for name in more]
    )
    used = ~np.isnan(values[:, :2]).all(axis=1)
    lines = np.array(table.lines, dtype=np.int64)[used]
    merged = _merge(table.source, steps[used], values[used], lines, warnings)
    order = sorted(merged)
    matrix = np.array([merged[step].values for step in order]).reshape(-1, 3 + len(more))
    return Rows(
        np.array(order, dtype=np.int64),
        matrix[:, 0],
        matrix[:, 1],
        matrix[:, 2],
        tuple(warnings),
        tuple(matrix[:, 3:].T),
    )


def _merge(
    source: str, steps: IntArray, values: FloatArray, lines: IntArray, warnings: list[str]
) -> dict[int, _Row]:
    kept: dict[int, _Row] = {}
    top = -1
    conflicts = superseded = restarts = 0
    for row, (step, value) in enumerate(zip(steps.tolist(), values, strict=True)):
        if step > top:
            kept[step] = _Row(value)
        elif step in kept and kept[step].agrees(value):
            kept[step].fill(value)
            continue
        elif step == top:
            kept[step].fill(value)
            conflicts += 1
        else:
            if not _logs_again(steps[row:], kept):
                raise InputError(
                    f"{source}, line {lines[row]}: steps out of order: step {step} follows step"
                    f" {top}, and is no restart since no step is logged again; sort the rows"
                )
            stale = [old for old in kept if old >= step]
            for old in stale:
                del kept[old]
            superseded += len(stale)
            restarts += 1
            kept[step] = _Row(value)
        top = step
    if restarts:
        times = "once" if restarts == 1 else f"{restarts} times"
        warnings.append(
            f"the run was restarted {times}: {superseded} rows are superseded by later ones"
        )
    if conflicts:
        warnings.append(f"{conflicts} rows repeat a step with other values: the later one is kept")
    return kept


def _logs_again(rest: IntArray, kept: dict[int, _Row]) -> bool:
    """Whether the rows up to the next backward step hold a step that was seen before."""
    back = np.flatnonzero(np.diff(rest) < 0)
    stretch = rest[: int(back[0]) + 1] if back.size else rest
    return any(int(step) in kept for step in stretch)


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
            f" {'missing' if cell is None else cell}, expected a whole number, 0 or above"
        )
    return values.astype(np.int64)


def _positive(table: Table, name: str) -> FloatArray:
    """A column of which nothing depends, with NaN where it has no number above 0."""

    def number(cell: str | None) -> float:
        try:
            value = float(cell or "nan")
        except ValueError:
            return np.nan
        return value if 0 < value < np.inf else np.nan

    return np.array([number(cell) for cell in table.columns[name]])


def _values(
    table: Table, name: str, on_nan: OnNan, warnings: list[str], *, zero: bool
) -> FloatArray:
    """A column with NaN where there is no value; zero is allowed for rates only."""
    values = table.numbers(name)
    written: BoolArray = ~np.isfinite(values) & ~table.empty(name)
    if written.any():
        if on_nan == "error":
            row = int(np.argmax(written))
            raise InputError(
                f"{table.source}, line {table.lines[row]}: {name} is {table.columns[name][row]},"
                " expected a finite number; leave such rows out with on_nan='drop' (--drop-nan)"
            )
        warnings.append(f"{int(written.sum())} values of {name!r} are not finite and left out")
        values[written] = np.nan
    low = values < 0 if zero else values <= 0
    if low.any():
        row = int(np.argmax(low))
        expected = "0 or above" if zero else "above 0"
        raise InputError(
            f"{table.source}, line {table.lines[row]}: {name} is {table.columns[name][row]},"
            f" expected {expected}"
        )
    return values
