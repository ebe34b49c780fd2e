"""Tables of numbers in text files: CSV, TSV, and JSON lines, told apart by their content.

A table is a set of named columns of cells; an empty cell (or ``none``, ``null``, ``na``) is a value
that was not logged, which is not the same as a ``nan`` that was. Text where a number is expected
is an error that names file, line and column: nothing is repaired in silence. Lines that start with
``#`` are comments; a comment ``# key: value`` is kept as a note about the run. A last line that has
no end and cannot be read, or whose last number has fewer decimals than all above it, is still being
written: it is left out and counted.
"""

import csv
import os
import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast, overload

import numpy as np

from losslaw.errors import InputError, TooShort, expect
from losslaw.files.json_text import command_of, parse_json
from losslaw.numerics.arrays import BoolArray, FloatArray
from losslaw.text import shown

# Between semicolons, as spreadsheets of half of Europe write numbers.
DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
MISSING = frozenset({"", "none", "null", "na", "n/a"})
# So many numbers with more digits than the last one are no chance, if most have more.
FEW = 3
# Names of columns that a message has at most, and letters of each.
NAMED, LETTERS = 40, 60


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
        cut: Lines at the end that are still being written: 0 or 1.
        open_end: Whether the last number may be the first half of another: no line end follows.
        decimal_commas: Whether numbers were written as ``0,5``, between semicolons.
    """

    source: str
    columns: Mapping[str, Sequence[str | None]]
    lines: Sequence[int]
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: int = 0
    open_end: bool = False
    decimal_commas: bool = False

    @property
    def names(self) -> str:
        """The names of the columns, as a message has them."""
        return listed(list(self.columns))

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
                out[row] = number_in(cell)
            except ValueError:
                raise self._no_number(self.lines[row], name, cell) from None
        return out

    def _no_number(self, line: int, name: str, cell: str) -> InputError:
        return InputError(
            f"{self.source}, line {line}: column {shown(name)!r} holds {shown(cell)!r},"
            " expected a number"
        )

    def empty(self, name: str) -> BoolArray:
        """Where column ``name`` has no value."""
        cells = self.columns[name]
        if isinstance(cells, Numbers):
            empty = np.isnan(cells.values)
            empty[np.array(cells.nan, dtype=np.int64)] = False
            return empty
        return np.array([cell is None for cell in cells], dtype=np.bool_)


def number_in(cell: str) -> float:
    """The number that a cell is; ``1_0``, which is ten to Python, is none.

    Raises:
        ValueError: it is no number.
    """
    if "_" in cell:
        raise ValueError("an underscore in a number")
    return float(cell)


def listed(names: Sequence[str]) -> str:
    """Names as a message has them: the first ones, none too long."""
    if not names:
        return "none"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(shown(name, LETTERS) for name in names[:NAMED]) + more


def decoded(data: bytes, errors: str = "strict") -> str:
    """The text that bytes are: UTF-8, or UTF-16 as Windows PowerShell writes it, by its mark.

    >>> decoded("step".encode("utf-16")), decoded(b"\\xef\\xbb\\xbfstep")
    ('step', 'step')
    """
    wide = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8", errors).lstrip("\ufeff")


def read_text(path: str | Path) -> str:
    """Text of a file, or of standard input for ``-``.

    Raises:
        InputError: missing, a folder, unreadable, not text, or empty.
    """
    expect("a path", path, (str, os.PathLike), "the path of a file")
    if str(path) == "-":
        return _piped_text()
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected a file; name files, as in '{path}/*.csv'")
    try:
        text = decoded(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file (expected CSV, TSV or JSON lines)") from None
    except (OSError, ValueError) as error:  # the latter: a name with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{shown(str(path), 200)}: cannot be read ({reason})") from None
    if "\0" in text:
        raise InputError(f"{path}: not a text file (there are zeros in it)")
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
    """CSV, TSV, JSON lines, or a JSON array of objects.

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
        return _json_array(text, source)
    return _delimited(text, source)


def _delimited(text: str, source: str) -> Table:
    rows = DelimitedRows(source)
    columns: list[list[str | None]] = []
    lines: list[int] = []
    all_lines = text.splitlines()
    without_end = 0 if text.endswith(("\n", "\r")) else len(all_lines)
    cut = 0
    for number, line in enumerate(all_lines, start=1):
        if number == without_end and lines and rows.is_half(line, number, columns[-1]):
            cut = 1
            break
        cells = rows.cells(line, number)
        if cells is None:
            columns = columns or [[] for _ in rows.header]
            continue
        lines.append(number)
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
    made = dict(zip(rows.names(), columns, strict=True))
    half = without_end > 0 and not cut
    return Table(source, made, lines, rows.notes, cut, half, rows.decimal_commas)


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
        self.decimal_commas = False

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
            header = [name.strip() for name in self.split(line, number)]
            name, count = Counter(header).most_common(1)[0]
            if count > 1:
                raise InputError(f"{self.source}: {count} columns are called {shown(name)!r}")
            self.header = header
            return None
        row = self.split(line, number)
        if row[0].strip() == self.header[0] and [each.strip() for each in row] == self.header:
            return None  # a run that went on has written it again
        if len(row) != len(self.header):
            raise InputError(
                f"{self.source}, line {number}: {len(row)} cells, expected {len(self.header)}"
                f" ({listed(self.header)})"
            )
        return [
            cell if (cell := each.strip()) and cell[0] not in "nN" else _filled(cell)
            for each in row
        ]

    def is_half(self, line: str, number: int, last: Sequence[str | None] = ()) -> bool:
        """Whether a last line without an end is the beginning of a row.

        Args:
            line: The line.
            number: Its number.
            last: The last column above it; empty: nothing is known of its decimals.
        """
        if line.isspace() or line.lstrip().startswith("#"):
            return False
        row = self.split(line, number)
        return len(row) < len(self.header) or _is_half(row[-1], last)

    def split(self, line: str, number: int) -> list[str]:
        """The cells of a line; one reader a line: a stray quote cannot swallow the rows below."""
        if self.delimiter == ";" and DECIMAL_COMMA.search(line):
            self.decimal_commas, line = True, DECIMAL_COMMA.sub(".", line)
        if '"' not in line and len(line) < csv.field_size_limit():
            return line.split(self.delimiter)
        try:
            return next(csv.reader([line], delimiter=self.delimiter))
        except csv.Error as error:  # a cell of over 131,072 characters
            raise InputError(
                f"{self.source}, line {number}: not a row of a table ({error})"
            ) from None


def _is_half(cell: str, others: Sequence[str | None]) -> bool:
    """Whether the number at the end of a file lacks digits that most of its column have."""
    if cell.strip().lower() in MISSING:
        return False
    try:
        known = [_digits(other) for other in others if other is not None]
    except ValueError:  # a column of words
        return False
    try:
        decimals, power = _digits(cell)
    except ValueError:
        return True
    longer = sum(digits > decimals for digits, _ in known)
    powers = [digits for _, digits in known if digits >= (power > 0)]
    return (
        longer == len(known) > 0
        or longer > max(len(known) / 2, FEW)
        or (any(powers) and power < min(powers))
    )


def _digits(cell: str) -> tuple[int, int]:
    """How many decimals a number has, and how many digits its power of ten."""
    number_in(cell)
    digits, _, power = cell.strip().lower().partition("e")
    return len(digits.partition(".")[2]), len(power.lstrip("+-"))


def _json_lines(text: str, source: str) -> Table:
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    rows = text.splitlines()
    cut = 0
    for number, line in enumerate(rows, start=1):
        if not line.strip():
            continue
        try:
            record = parse_json(line)
        except ValueError as error:
            if number == len(rows) and records and not text.endswith(("\n", "\r")):
                cut = 1
                break
            reason = getattr(error, "msg", error)
            _refuse_answer(text, source)
            raise InputError(
                f"{source}, line {number}: not a JSON object ({reason});"
                ' expected one object a line, such as {"step": 1, "lr": 3e-4, "loss": 9.1}'
            ) from None
        if not isinstance(record, dict):
            raise InputError(f"{source}, line {number}: expected a JSON object")
        records.append(_flat(cast(dict[str, Any], record)))
        lines.append(number)
    return replace(table_of(source, records, lines), cut=cut)


def _refuse_answer(text: str, source: str) -> None:
    """Say it if a text is the answer of a command, which is one object over many lines."""
    try:
        value: Any = parse_json(text)
    except ValueError:
        return
    command = command_of(cast(dict[str, Any], value)) if isinstance(value, dict) else None
    if command is not None:
        raise InputError(f"{source}: an answer of losslaw {command}, expected a table")


def _json_array(text: str, source: str) -> Table:
    try:
        records: Any = parse_json(text)
    except ValueError:
        if re.match(r"\s*\[\s*([{\]]|$)", text.partition("\n")[0]) is None:
            line = text.strip().partition("\n")[0]
            raise InputError(
                f"{source}: begins with {shown(line)!r}, expected a table with a header, JSON lines"
                " or what a trainer prints"
            ) from None
        records = None
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):  # pyright: ignore
        raise InputError(
            f"{source}: begins like a JSON array, expected one of objects, JSON lines (one object a"
            " line) or CSV"
        )
    return table_of(source, [_flat(each) for each in cast(list[dict[str, Any]], records)])


def _flat(record: Mapping[str, Any], deep: int = 4) -> dict[str, Any]:
    """A record whose values may be records: their names are joined by ``/``.

    >>> _flat({"step": 1, "train": {"loss": 3.0}})
    {'step': 1, 'train/loss': 3.0}
    """
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and deep:
            inner = _flat(cast(dict[str, Any], value), deep - 1)
            flat |= {f"{name}/{part}": each for part, each in inner.items()}
        else:
            flat[name] = value
    return flat


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
