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
from typing import Any, cast, overload

import numpy as np

from losslaw.errors import InputError, TooShort
from losslaw.numerics.arrays import BoolArray, FloatArray

MISSING = frozenset({"", "none", "null", "na", "n/a"})


class Numbers(Sequence[str | None]):
    """A column of numbers, which takes 8 bytes a cell, and reads as the text of its cells.

    Args:
        values: The numbers, NaN where a cell is empty. Shape ``(rows,)``.
        nan: Rows where ``nan`` was written.
        text: Line and text of the first cell that is no number, if there is one.

    >>> list(Numbers(np.array([1.0, 0.5, np.nan, np.nan]), nan=[3]))
    ['1', '0.5', None, 'nan']
    """

    def __init__(
        self,
        values: FloatArray,
        nan: Sequence[int] = (),
        text: tuple[int, str] | None = None,
    ):
        self.values = values
        self.nan = nan
        self.text = text

    def __len__(self) -> int:
        return self.values.size

    @overload
    def __getitem__(self, row: int) -> str | None: ...
    @overload
    def __getitem__(self, row: slice) -> list[str | None]: ...
    def __getitem__(self, row: int | slice) -> str | list[str | None] | None:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        value = float(self.values[row])
        if np.isnan(value) and row % len(self) not in self.nan:
            return None
        return repr(value).removesuffix(".0")


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
    columns: Mapping[str, Sequence[str | None]]
    lines: Sequence[int]
    notes: Mapping[str, str] = field(default_factory=dict[str, str])

    def numbers(self, name: str) -> FloatArray:
        """Column ``name`` as float64, NaN where a cell is empty; see `empty` to tell them apart.

        Raises:
            InputError: a cell holds text that is not a number.
        """
        cells = self.columns[name]
        if isinstance(cells, Numbers):
            if cells.text is not None:
                line, cell = cells.text
                raise self._no_number(line, name, cell)
            return cells.values
        out = np.empty(len(cells))
        for row, cell in enumerate(cells):
            if cell is None:
                out[row] = np.nan
                continue
            try:
                out[row] = float(cell)
            except ValueError:
                raise self._no_number(self.lines[row], name, cell) from None
        return out

    def _no_number(self, line: int, name: str, cell: str) -> InputError:
        return InputError(
            f"{self.source}, line {line}: column {name!r} holds {cell!r}, expected a number"
        )

    def empty(self, name: str) -> BoolArray:
        """Where column ``name`` has no value."""
        cells = self.columns[name]
        if isinstance(cells, Numbers):
            empty = np.isnan(cells.values)
            empty[np.array(cells.nan, dtype=np.int64)] = False
            return empty
        return np.array([cell is None for cell in cells], dtype=np.bool_)


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


def parse_table(text: str, source: str) -> Table:
    """CSV, TSV or JSON lines.

    The header is the first line that is not a comment. JSON lines may be sparse: a key that a line
    leaves out is an empty cell.

    Args:
        text: The whole table.
        source: Where it came from, for messages.

    Raises:
        InputError: not a table.
    """
    first = text.lstrip()[0]
    if first == "{":
        return _json_lines(text, source)
    if first == "[":
        raise InputError(f"{source}: a JSON array, expected JSON lines (one object a line) or CSV")
    return _delimited(text, source)


def _delimited(text: str, source: str) -> Table:
    rows = DelimitedRows(source)
    columns: list[list[str | None]] = []
    lines: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = rows.cells(line, number)
        if cells is None:
            columns = columns or [[] for _ in rows.header]
            continue
        lines.append(number)
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
    return Table(source, dict(zip(rows.names(), columns, strict=True)), lines, rows.notes)


def _filled(cell: str) -> str | None:
    return None if cell.strip().lower() in MISSING else cell


class DelimitedRows:
    """The lines of CSV or TSV one after the other: the header, then cells, and comments anywhere.

    Args:
        source: Where they come from, for messages.
    """

    def __init__(self, source: str):
        self.source = source
        self.notes: dict[str, str] = {}
        self.header: list[str] = []
        self.delimiter = ","

    def names(self) -> list[str]:
        """The header.

        Raises:
            InputError: there was none.
        """
        if not self.header:
            raise InputError(f"{self.source}: only comments, no table")
        return self.header

    def cells(self, line: str, number: int) -> list[str | None] | None:
        """The cells of a line, ``None`` where one is empty; ``None`` if it is no row.

        Raises:
            InputError: two columns of one name, another count of cells than the header has, or no
                row of a table at all.
        """
        if not line or line.isspace():
            return None
        if line[0] == "#" or line.lstrip().startswith("#"):
            key, colon, value = line.lstrip(" #\t").partition(":")
            if colon:
                self.notes[key.strip()] = value.strip()
            return None
        if not self.header:
            self.delimiter = max("\t,;", key=line.count)
            header = [name.strip() for name in self._split(line, number)]
            doubled = {name for name in header if header.count(name) > 1}
            if doubled:
                raise InputError(f"{self.source}: two columns are called {sorted(doubled)[0]!r}")
            self.header = header
            return None
        row = self._split(line, number)
        if len(row) != len(self.header):
            raise InputError(
                f"{self.source}, line {number}: {len(row)} cells, expected {len(self.header)}"
                f" ({', '.join(self.header)})"
            )
        return [
            cell if (cell := each.strip()) and cell[0] not in "nN" else _filled(cell)
            for each in row
        ]

    def _split(self, line: str, number: int) -> list[str]:
        """Its cells; one reader a line, so that a stray quote cannot swallow the rows below."""
        if '"' not in line and len(line) < csv.field_size_limit():
            return line.split(self.delimiter)
        try:
            return next(csv.reader([line], delimiter=self.delimiter))
        except csv.Error as error:  # a cell of over 131,072 characters
            raise InputError(
                f"{self.source}, line {number}: not a row of a table ({error})"
            ) from None


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
    columns = {name: [_cell(record.get(name)) for record in records] for name in names}
    return Table(source, columns, list(lines or range(1, len(records) + 1)))


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return _filled(value or "")
    return str(value)
