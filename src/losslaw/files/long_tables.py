"""Long tables of numbers, read a part at a time: 8 bytes a number, whatever the text takes.

A log of 10^7 updates has a few hundred MB of text, and as cells of text several GB. Here lines of
plain numbers are read in machine code (`losslaw.files.decimals`), and every other line by the
reader of short tables, so that both read the same.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from os import SEEK_END
from pathlib import Path
from typing import overload

import numpy as np

from losslaw.errors import InputError
from losslaw.files.decimals import POWERS, rows_of_numbers
from losslaw.files.tables import (
    DelimitedRows,
    Numbers,
    Table,
    number_in,
    parse_table,
    read_text,
)
from losslaw.numerics.arrays import FloatArray

# Bytes of a file from which on it is read in parts, and of a part.
LONG = 1 << 24
PART = 1 << 24
# Room for rows, relative to what the lines read so far would make of the whole file.
ROOM = 1.05


def read_table(path: str | Path) -> Table:
    """Read CSV, TSV or JSON lines from a file, or from standard input for ``-``.

    Raises:
        InputError: the file cannot be read, or is not a table of numbers.
    """
    if is_long(path):
        return long_table(path)
    return parse_table(read_text(path), "standard input" if str(path) == "-" else str(path))


def is_long(path: str | Path) -> bool:
    """Whether a file is a long CSV or TSV."""
    try:
        if str(path) == "-" or Path(path).stat().st_size < LONG:
            return False
        with Path(path).open("rb") as file:
            start = file.read(1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip()
    except (OSError, ValueError):
        return False  # whoever reads it says why
    return start[:1] not in (b"{", b"[") and b"\0" not in start


def long_table(
    path: str | Path, wanted: Callable[[str], bool] = lambda name: True, part: int = PART
) -> Table:
    """A CSV or TSV file whose columns are `Numbers`; text in one of them is kept as an error.

    Args:
        path: The file.
        wanted: Which columns are read, by their names; the others are there, and empty.
        part: Bytes that are read at a time.

    Raises:
        InputError: see `losslaw.files.tables.parse_table`.
    """
    rows = DelimitedRows(str(path))
    reader: _Reader | None = None
    number = 1
    cut, ended = 0, _ended(Path(path))
    size, seen = Path(path).stat().st_size, 0
    for data in _whole_lines(Path(path), part):
        at = 0
        seen += len(data)
        if reader is not None:
            reader.begin(data, seen / size)
        while at < len(data):
            if reader is not None:
                at, count = reader.plain(at, number)
                number += count
                if at == len(data):
                    break
            end = data.index(b"\n", at) + 1
            for line in _text(data[at:end], str(path)).splitlines():
                last = not ended and seen > size and end == len(data)
                if last and reader is not None and rows.is_half(line, number):
                    cut = 1
                    break
                cells = rows.cells(line, number)
                if cells is not None and reader is not None:
                    reader.add(cells, number)
                elif rows.header and reader is None:
                    reader = _Reader(rows, wanted)
                    reader.begin(data, seen / size)
                number += 1
            at = end
    names = rows.names()
    assert reader is not None
    half = not ended and not cut
    columns = reader.columns(names)
    return Table(str(path), columns, reader.lines, rows.notes, cut, half, rows.decimal_commas)


class _Reader:
    """The columns under construction."""

    def __init__(self, rows: DelimitedRows, wanted: Callable[[str], bool]):
        self.kept = [i for i, name in enumerate(rows.header) if wanted(name)]
        self.delimiter = ord(rows.delimiter)
        self.places = np.full(len(rows.header), -1)
        self.places[self.kept] = np.arange(len(self.kept))
        self.out: FloatArray = np.empty((len(self.kept), 0))
        self.count = 0  # rows of it that are filled
        self.nan = [array("q") for _ in self.kept]
        self.texts: dict[int, tuple[int, str]] = {}
        self.lines = _Lines()

    def begin(self, data: bytes, share: float) -> None:
        """Begin another part of the file, with which a share of it will have been read."""
        self.data = np.array(np.frombuffer(data, dtype=np.uint8))
        rows = self.count + data.count(b"\n")
        if rows > self.out.shape[1]:
            # As if all lines were as long; what is never filled takes no memory.
            self._make_room(int(rows * ROOM / min(share, 1.0)))

    def _make_room(self, rows: int) -> None:
        out = np.empty((len(self.kept), rows))
        out[:, : self.count] = self.out[:, : self.count]
        self.out = out

    def plain(self, at: int, number: int) -> tuple[int, int]:
        """Read plain lines: where the first other one begins, and how many were read."""
        before = self.count
        at, self.count = rows_of_numbers(
            self.data, at, self.delimiter, self.places, self.out, before, POWERS
        )
        self.lines.follow(number, self.count - before)
        return at, self.count - before

    def add(self, cells: Sequence[str | None], number: int) -> None:
        """Add one row."""
        if self.count == self.out.shape[1]:  # a line of the file may be several of the table
            self._make_room(2 * self.count + 1)
        for place, i in enumerate(self.kept):
            cell = cells[i]
            try:
                value = np.nan if cell is None else number_in(cell)
            except ValueError:
                value = np.nan
                self.texts.setdefault(place, (number, str(cell)))
            self.out[place, self.count] = value
            if cell is not None and np.isnan(value):
                self.nan[place].append(len(self.lines))
        self.count += 1
        self.lines.follow(number, 1)

    def columns(self, names: Sequence[str]) -> dict[str, Numbers]:
        """All columns of the table."""
        empty = Numbers(np.broadcast_to(np.nan, len(self.lines)))
        columns = dict.fromkeys(names, empty)
        for place, i in enumerate(self.kept):
            values = self.out[place, : self.count]
            columns[names[i]] = Numbers(values, self.nan[place], self.texts.get(place))
        return columns


class _Lines(Sequence[int]):
    """Line number of each row, rows mostly being on lines that follow one another."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.numbers: list[int] = []
        self.size = 0

    def follow(self, number: int, count: int) -> None:
        """Add rows on lines from ``number`` on."""
        if count and (not self.starts or self.numbers[-1] + self.size - self.starts[-1] != number):
            self.starts.append(self.size)
            self.numbers.append(number)
        self.size += count

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, row: int) -> int: ...
    @overload
    def __getitem__(self, row: slice) -> list[int]: ...
    def __getitem__(self, row: int | slice) -> int | list[int]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(self.size))]
        row = range(self.size)[row]
        run = bisect_right(self.starts, row) - 1
        return self.numbers[run] + row - self.starts[run]


def _whole_lines(path: Path, part: int) -> Iterator[bytes]:
    """The bytes of a file, cut at ends of lines; the last line ends too."""
    try:
        with path.open("rb") as file:
            rest = file.read(3).removeprefix(b"\xef\xbb\xbf")
            while data := file.read(part):
                whole, newline, begun = data.rpartition(b"\n")
                if newline:
                    yield rest + whole + newline
                    rest = begun
                else:
                    rest += data
            if rest:
                yield rest + b"\n"
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _ended(path: Path) -> bool:
    """Whether the last line has an end."""
    with path.open("rb") as file:
        file.seek(-1, SEEK_END)
        return file.read() == b"\n"


def _text(line: bytes, source: str) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"{source}: not a text file (expected CSV, TSV or JSON lines)")
    return text
