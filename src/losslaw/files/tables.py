"""Tables of numbers in text files: CSV, TSV, and JSON lines, told apart by their content.

A table is a set of named columns of cells; an empty cell (or ``none``, ``null``, ``na``) is a value
that was not logged, which is not the same as a ``nan`` that was. Text where a number is expected
is an error that names file, line and column: nothing is repaired in silence. Lines that start with
``#`` are comments; a comment ``# key: value`` is kept as a note about the run.
"""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from losslaw.errors import InputError, TooShort
from losslaw.numerics.arrays import BoolArray, FloatArray

MISSING = frozenset({"", "none", "null", "na", "n/a"})


@dataclass(frozen=True)
class Table:
    """Named columns of one file.

    Attributes:
        source: Where it came from, for messages.
        columns: Name to cells as text, ``None`` where the cell is empty.
        lines: Line number of each row in the file.
        notes: ``# key: value`` comments.
    """

    source: str
    columns: Mapping[str, list[str | None]]
    lines: list[int]
    notes: Mapping[str, str] = field(default_factory=dict[str, str])

    def numbers(self, name: str) -> FloatArray:
        """Column ``name`` as float64, NaN where a cell is empty; see `empty` to tell them apart.

        Raises:
            InputError: a cell holds text that is not a number.
        """
        cells = self.columns[name]
        out = np.empty(len(cells))
        for row, cell in enumerate(cells):
            if cell is None:
                out[row] = np.nan
                continue
            try:
                out[row] = float(cell)
            except ValueError:
                raise InputError(
                    f"{self.source}, line {self.lines[row]}: column {name!r} holds {cell!r},"
                    " expected a number"
                ) from None
        return out

    def empty(self, name: str) -> BoolArray:
        """Where column ``name`` has no value."""
        return np.array([cell is None for cell in self.columns[name]], dtype=np.bool_)


def read_text(path: str | Path) -> str:
    """Text of a file, or of standard input for ``-``.

    Raises:
        InputError: missing, a folder, unreadable, not text, or empty.
    """
    if str(path) == "-":
        return _piped_text()
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected a file; name files, as in '{path}/*.csv'")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file (expected CSV, TSV or JSON lines)") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    if "\0" in text:
        raise InputError(f"{path}: not a text file (expected CSV, TSV or JSON lines)")
    if not text.strip():
        raise TooShort(f"{path}: the file is empty")
    return text


def _piped_text() -> str:
    """The text of standard input."""
    wanted = "expected a table with columns step, lr, loss"
    if sys.stdin is None:  # closed before the program began
        raise InputError(f"standard input is closed: {wanted}")
    try:
        text = sys.stdin.read()
        text.encode()  # bytes that are no text come in as lone surrogates
    except UnicodeError:
        raise InputError(f"standard input: not text ({wanted})") from None
    if not text.strip():
        raise TooShort(f"standard input is empty: {wanted}")
    return text


def read_table(path: str | Path) -> Table:
    """Read CSV, TSV or JSON lines from a file, or from standard input for ``-``.

    The header is the first line that is not a comment. JSON lines may be sparse: a key that a line
    leaves out is an empty cell.

    Raises:
        InputError: the file cannot be read, or is not a table of numbers.
    """
    return parse_table(read_text(path), "standard input" if str(path) == "-" else str(path))


def parse_table(text: str, source: str) -> Table:
    """The table in a text; see `read_table`. ``source`` begins the messages."""
    first = text.lstrip()[0]
    if first == "{":
        return _json_lines(text, source)
    if first == "[":
        raise InputError(f"{source}: a JSON array, expected JSON lines (one object a line) or CSV")
    return _delimited(text, source)


def _delimited(text: str, source: str) -> Table:
    notes: dict[str, str] = {}
    body: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            key, colon, value = line.lstrip(" #\t").partition(":")
            if colon:
                notes[key.strip()] = value.strip()
        elif line.strip():
            body.append((number, line))
    if not body:
        raise InputError(f"{source}: only comments, no table")
    header_line = body[0][1]
    delimiter = max("\t,;", key=header_line.count)
    header = [name.strip() for name in _cells(header_line, delimiter, source, body[0][0])]
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise InputError(f"{source}: two columns are called {sorted(doubled)[0]!r}")
    columns: dict[str, list[str | None]] = {name: [] for name in header}
    lines: list[int] = []
    for number, line in body[1:]:
        # One reader a line: a stray quote cannot swallow the rows below it.
        row = _cells(line, delimiter, source, number)
        if len(row) != len(header):
            raise InputError(
                f"{source}, line {number}: {len(row)} cells, expected {len(header)}"
                f" ({', '.join(header)})"
            )
        lines.append(number)
        for name, cell in zip(header, row, strict=True):
            cell = cell.strip()
            columns[name].append(None if cell.lower() in MISSING else cell)
    return Table(source, columns, lines, notes)


def _cells(line: str, delimiter: str, source: str, number: int) -> list[str]:
    """The cells of one line."""
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:  # a cell of over 131,072 characters
        raise InputError(f"{source}, line {number}: not a row of a table ({error})") from None


def _json_lines(text: str, source: str) -> Table:
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            # Besides bad JSON: a number of thousands of digits, lists nested without end.
            reason = getattr(error, "msg", error)
            raise InputError(
                f"{source}, line {number}: not a JSON object ({reason});"
                ' expected one object a line, such as {"step": 1, "lr": 3e-4, "loss": 9.1}'
            ) from None
        if not isinstance(record, dict):
            raise InputError(f"{source}, line {number}: expected a JSON object")
        records.append(cast(dict[str, Any], record))
        lines.append(number)
    return table_of(source, records, lines)


def table_of(
    source: str, records: Sequence[Mapping[str, object]], lines: Sequence[int] | None = None
) -> Table:
    """A table out of records, which need not all have the same keys.

    Args:
        source: Where it came from, for messages.
        records: Values by name; a name that a record leaves out is an empty cell.
        lines: Line of each record in the file; ``None``: counted from 1.

    >>> table_of("log", [{"step": 1, "loss": 3.0}, {"step": 2}]).columns
    {'step': ['1', '2'], 'loss': ['3.0', None]}
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for record in records:
        for name in names:
            value = record.get(name)
            cell = "" if value is None else str(value)
            columns[name].append(None if cell.strip().lower() in MISSING else cell)
    return Table(source, columns, list(lines or range(1, len(records) + 1)))
