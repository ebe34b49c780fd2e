"""A study: one figure of the papers made again, with its numbers and a paragraph of what is seen.

A study is a frozen record. Its fields are the choices it makes, those that the papers leave open
among them; ``run`` does the work and returns a `Result`: figures, tables, a paragraph. Nothing is
written before everything is there, so a study that is stopped leaves no half of it; sampled runs,
the only slow part, are saved as they finish and found again.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from losslaw.errors import InputError
from losslaw.files import write_bytes, write_text
from losslaw.files.pictures import png
from losslaw.kernel.figures.drawing import Figure


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a study gives.

    Attributes:
        figure: The picture.
        tables: Suffix of the file's name (mostly empty) to the text of a CSV file.
        paragraph: What is seen, with its numbers.
        numbers: The same numbers by name.
    """

    figure: Figure
    tables: dict[str, str]
    paragraph: str
    numbers: dict[str, float]


@dataclass(frozen=True)
class Work:
    """How a study tells how far it is.

    Attributes:
        saved: Folder for finished sampled runs; ``None``: they are not kept.
        expect: Called once with the number of parts there will be.
        tick: Called with the number of parts that were finished.
        say: Called with a few words when a new part begins.
    """

    saved: Path | None = None
    expect: Callable[[int], None] = field(default=lambda parts: None)
    tick: Callable[[int], None] = field(default=lambda parts: None)
    say: Callable[[str], None] = field(default=lambda words: None)


class Study(Protocol):
    """What every study has."""

    name: ClassVar[str]
    title: ClassVar[str]

    def run(self, work: Work) -> Result:
        """Do the work."""
        ...


def write_result(result: Result, name: str, folder: str | Path) -> list[Path]:
    """Write figure, tables and paragraph as ``name.png``, ``name.csv`` and ``name.txt``.

    Raises:
        InputError: the folder cannot be made or written.
    """
    picture = png(result.figure, dpi=100)
    folder = made(folder)
    files = [write_bytes(folder / f"{name}.png", picture)]
    for suffix, text in result.tables.items():
        stem = f"{name}-{suffix}" if suffix else name
        files.append(write_text(folder / f"{stem}.csv", text))
    files.append(write_text(folder / f"{name}.txt", result.paragraph + "\n"))
    return files


def made(folder: str | Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        InputError: it cannot be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror or error}") from None
    return folder


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV text; numbers with seven digits, ``None`` and NaN as empty cells.

    >>> print(table(["name", "value"], [["a", 1 / 3], ["b", None]]), end="")
    name,value
    a,0.3333333
    b,
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None or value != value:  # NaN is not itself
        return ""
    if isinstance(value, bool | int | str):
        return str(value)
    return f"{value:.7g}"
