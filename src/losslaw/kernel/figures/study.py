"""A study: one figure of the papers made again, with its numbers and a paragraph of what is seen.

A study is a frozen record. Its fields are the choices it makes, those that the papers leave open
among them; ``run`` does the work and returns a `Result`: figures, tables, a paragraph. Nothing is
written before everything is there, so a study that is stopped leaves no half of it; sampled runs,
the only slow part, are saved as they finish and found again.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, cast, get_args, get_origin, get_type_hints

from losslaw.errors import InputError
from losslaw.files import write_bytes, write_text
from losslaw.files.pictures import check_picture, png, write_picture
from losslaw.kernel.figures.shared import Figure


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


def changed(study: Study, settings: Iterable[str]) -> Study:
    """The study with other choices, each written ``name=value``.

    Values are numbers; several are separated by commas, and groups of them by semicolons, as in
    ``budgets=1e4,1e6`` or ``problems=1,2;0.5,4``.

    Raises:
        InputError: the study has no such choice, or the value is of another kind.

    >>> from losslaw.kernel.figures.sde_gap import SdeGap
    >>> changed(SdeGap(), ["problems=1,2", "horizon=5000"]).problems
    ((1.0, 2.0),)
    """
    new: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or name not in {each.name for each in fields(study)}:  # pyright: ignore
            choices = ", ".join(each.name for each in fields(study))  # pyright: ignore
            raise InputError(f"{study.name} has no choice {setting!r}, expected one of: {choices}")
        kind = getattr(study, name)
        try:
            new[name] = _like(kind, text)
        except ValueError:
            raise InputError(f"{name}={text}: expected something like {_written(kind)}") from None
        annotation = get_type_hints(type(study))[name]
        if why := _misshapen(annotation, new[name]):
            raise InputError(f"{name}={text}: {why}, expected something like {_written(kind)}")
    return replace(study, **new)  # pyright: ignore


def _like(kind: Any, text: str) -> Any:
    """The value of a text, of the kind of another value."""
    if isinstance(kind, tuple):
        first = cast("tuple[Any, ...]", kind)[0]
        return tuple(_like(first, part) for part in text.split(";" if _nested(kind) else ","))
    if isinstance(kind, str):
        return text.strip()
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    if isinstance(kind, int):
        if number != int(number):
            raise ValueError(text)
        return int(number)
    return number


def _misshapen(annotation: Any, value: Any) -> str:
    """Why a value is not of the annotated kind: a wrong count or name, or twice; else nothing."""
    kinds = get_args(annotation)
    if get_origin(annotation) is Literal:
        return "" if value in kinds else f"{value!r} is none of {', '.join(kinds)}"
    if not kinds:
        return ""
    if Ellipsis in kinds:
        if len(set(value)) < len(value):
            return "a value stands there twice"
        kinds = (kinds[0],) * len(value)
    elif len(value) != len(kinds):
        return f"{len(value)} values where {len(kinds)} belong together"
    whys = [_misshapen(kind, each) for kind, each in zip(kinds, value, strict=True)]
    return max(whys, default="")


def _nested(kind: Any) -> bool:
    return isinstance(kind[0], tuple)


def _written(kind: Any) -> str:
    if isinstance(kind, tuple):
        separator = ";" if _nested(kind) else ","
        return separator.join(map(_written, cast("tuple[Any, ...]", kind)))
    return kind if isinstance(kind, str) else f"{kind:g}"


# What stands in the tables, for whoever finds one by itself.
UNITS = (
    "risks are half squared errors above the irreducible noise^2/2; rates are those of one update;"
    " samples, updates, modes and compute (modes times samples) are counts; the rest has no unit"
)


def write_result(
    result: Result, name: str, folder: str | Path, *, picture: str = ".png", about: str = ""
) -> list[Path]:
    """Write figure, tables and paragraph as ``name.png``, ``name.csv`` and ``name.txt``.

    Args:
        result: What a study gave.
        name: Its name.
        folder: Where to.
        picture: ``.png``, ``.pdf`` or ``.svg``.
        about: Written with the units above each table, as a comment.

    Raises:
        InputError: the folder cannot be made or written, or another kind of picture.
    """
    check_picture(name + picture)
    folder = made(folder)
    if picture == ".png":
        files = [write_bytes(folder / f"{name}.png", png(result.figure, dpi=100))]
    else:
        files = [write_picture(str(folder / f"{name}{picture}"), result.figure)]
    comment = f"# study: {about or name}\n# units: {UNITS}\n"
    for suffix, text in result.tables.items():
        stem = f"{name}-{suffix}" if suffix else name
        files.append(write_text(folder / f"{stem}.csv", comment + text))
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
