"""How numbers, intervals and tables are written in reports."""

import math
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal

# Columns of the terminal that a report may always use.
WIDTH = 80
# What may stand behind a number: the power of ten that it means.
SCALES = {"k": 3, "K": 3, "M": 6, "B": 9, "%": -2}
SCALED = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?")
# Digits that a number is written out with.
MOST_DIGITS = 40
# A column of sentences is never made narrower than this.
NARROWEST = 24
# A name is never cut to fewer letters than this.
NAME = 12


def rounded(value: float, error: float | None) -> str:
    """A value with its error and no more digits than it earns.

    >>> rounded(0.54321, 0.012), rounded(47.03, 11.8), rounded(0.5, None)
    ('0.543 ± 0.012', '47 ± 12', '0.5')
    """
    if error is None or not math.isfinite(error) or error <= 0:
        return f"{value:.5g}"
    digits = 1 - math.floor(math.log10(error))
    if digits >= 0:
        return f"{value:.{digits}f} ± {error:.{digits}f}"
    return f"{round(value, digits):.0f} ± {round(error, digits):.0f}"


def size_words(parameters: float, digits: int = 3) -> str:
    """The size of a model as people write it.

    >>> [size_words(size) for size in (123_587_328, 7e9, 25e3, 950)]
    ['124M', '7B', '25K', '950']
    >>> size_words(123_587_328, digits=4)
    '123.6M'
    """
    number = float(f"{parameters:.{digits}g}")
    for unit, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if number >= scale:
            return f"{number / scale:.{digits}g}{unit}"
    return f"{number:.{digits}g}"


def counted(count: int, things: str) -> str:
    """So many things, by the plural of the first word.

    >>> counted(1, "records cut off"), counted(2, "records cut off")
    ('1 record cut off', '2 records cut off')
    """
    name, blank, rest = things.partition(" ")
    return f"{count:,} {name.removesuffix('s') if count == 1 else name}{blank}{rest}"


def natural(text: str) -> tuple[tuple[str, int, str], ...]:
    """What to sort names by so that the numbers in them are in order.

    >>> sorted(["run-10", "run-2", "a"], key=natural)
    ['a', 'run-2', 'run-10']
    """
    parts = re.findall(r"(\D*)0*(\d*)", text)
    return tuple((words, len(number), number) for words, number in parts)


def escaped(text: str) -> str:
    """``text`` in one line: line ends, control and invisible characters as their escapes.

    >>> escaped("a name\\nimport os")
    'a name\\\\nimport os'
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def shown(text: str, most: int = 40) -> str:
    """``text`` as a message quotes it: in one line, and no longer than ``most`` letters.

    >>> shown("3" * 5000, most=5), shown("a\\nb")
    ('33333...', 'a\\\\nb')
    """
    return escaped(text[:most]) + ("..." if len(text) > most else "")


def shortened(name: str, room: int) -> str:
    """A name that fits, cut in the middle.

    >>> shortened("lr1e-3_seed0", 24), shortened("adamw_peak0.0030_cooldown0.2_seed0", 24)
    ('lr1e-3_seed0', 'adamw_peak0..wn0.2_seed0')
    """
    if len(name) <= room:
        return name
    first = (room - 2) // 2
    return f"{name[:first]}..{name[len(name) - (room - 2 - first) :]}"


def expanded(text: str) -> str:
    """A number as people write it, in digits: thousands, millions, billions, percent.

    Any other text is returned as it is.

    >>> [expanded(text) for text in ("24k", "1.5M", "7B", "20%", "3e-4", "2.9x")]
    ['24000', '1500000', '7000000000', '0.2', '3e-4', '2.9x']
    """
    scale = SCALES.get(text[-1:])
    if scale is None or not SCALED.fullmatch(text[:-1]):
        return text
    number = (Decimal(text[:-1]).scaleb(scale)).normalize()
    return f"{number:f}" if abs(number.adjusted()) < MOST_DIGITS else f"{number:e}"


def shortest(value: float, same: Callable[[float], bool]) -> float:
    """The number of fewest digits near ``value`` that does as well as it.

    >>> shortest(0.1999972197508897, lambda share: round(share * 71_936) == 14_387)
    0.2
    """
    tried = (float(f"{value:.{digits}g}") for digits in range(1, 17))
    return next(filter(same, tried), value)


def printable(text: str) -> str:
    """``text`` with whatever would steer a terminal written out; lines stay lines."""
    return "\n".join(map(escaped, text.split("\n")))


def on_terminal() -> bool:
    """Whether somebody watches standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def wrapped(text: str, begin: str = "") -> list[str]:
    """The lines of a sentence, further ones indented as the first begins, or by two.

    >>> wrapped("word " * 20)[1]
    '  word word word word'
    """
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=begin,
        subsequent_indent=" " * (len(begin) or 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def reflowed(text: str, width: int) -> str:
    """``text`` no wider than a terminal: sentences, and those that end the row of a table.

    >>> print(reflowed("  note: far too long for it\\na  1.5  " + "four words in all " * 2, 32))
      note: far too long for it
    a  1.5  four words in all four
            words in all
    """
    out: list[str] = []
    for line in text.split("\n"):
        column = line.rstrip().rfind("  ") + 2
        if not line[:column].strip():
            column = len(line) - len(line.lstrip()) + 2
        elif column > width - NARROWEST:
            column = len(line)
        if len(line) <= width or column == len(line):
            out.append(line)
        else:
            out += textwrap.wrap(
                line,
                width,
                subsequent_indent=" " * column,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join(out)


def sentences(kind: str, texts: Iterable[str]) -> list[str]:
    """The lines of warnings or notes."""
    return [line for each in texts for line in wrapped(f"{kind}: {each}")]


class Report:
    """A record that is read as a text: in passing its first line, in notebooks all of it.

    Records of it are dataclasses without a ``repr`` of their own.
    """

    def summary(self) -> str:
        """The whole report, in plain text."""
        return printable(str(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {shown(str(self).strip().partition(chr(10))[0], 100)}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.summary())}</pre>"


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Collection[int] = (0,),
    words: int | None = None,
    below: int | None = None,
    rule: bool = False,
    indent: int = 0,
) -> list[str]:
    """The lines of a plain table: cells in columns, two blanks between them.

    Nothing is broken in pipes and files. On a terminal that is too narrow the column ``below``
    moves under its rows, then titles are broken at their blanks, then the longest names are broken
    there too, or cut in the middle where that leaves them distinct; at last names stand above their
    rows. Numbers stay whole.

    Args:
        header: Titles of the columns.
        rows: Cells, as many in each row as there are titles.
        left: Columns that begin at the left, names; the others, numbers, end at the right.
        words: A column of sentences, wrapped at its blanks where the table is wider than the
            terminal (or ``WIDTH`` columns, whichever is more); ``None``: none is.
        below: The last column, if its cells may stand below their rows.
        rule: Whether a line of dashes stands below the header.
        indent: Blanks before each line.

    >>> print("\\n".join(table(["law", "rmse"], [["momentum", ".0098"], ["effective", ".003"]])))
    law         rmse
    momentum   .0098
    effective   .003
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

    columns = [[title, *map(escaped, cells)] for title, *cells in zip(header, *rows, strict=True)]
    widths = [max(map(cell_len, column)) for column in columns]
    terminal = shutil.get_terminal_size((WIDTH, 24)).columns
    if words is not None:
        room = max(WIDTH, terminal) - indent
        room -= sum(widths) - widths[words] + 2 * (len(widths) - 1)
        longest = max(map(cell_len, " ".join(columns[words]).split()), default=0)
        widths[words] = min(widths[words], max(room, longest, NARROWEST))

    def excess() -> int:
        return sum(widths) + 2 * (len(widths) - 1) + indent - terminal if on_terminal() else 0

    above: list[str] = []
    under: list[str] = []
    if below is not None and excess() > 0:
        _, *under = columns.pop(below)
        del widths[below]
    if excess() > 0:
        for i, column in enumerate(columns):
            if i != words:
                widths[i] = max(map(cell_len, (*column[1:], *column[0].split())), default=0)
    for i in sorted({*left} & {*range(len(columns))} - {words}, key=lambda i: -widths[i]):
        room = widths[i] - excess()
        _, *cells = columns[i]
        short = [shortened(cell, room) for cell in cells]
        if room >= max(map(cell_len, " ".join(columns[i]).split()), default=0) and not under:
            widths[i] = min(widths[i], room)
        elif room >= max(NAME, *map(cell_len, columns[i][0].split())) and (
            len({*short}) == len({*cells})
        ):
            columns[i][1:], widths[i] = short, min(widths[i], room)
    if excess() > 0 and 0 in left and not under and words is None and len(columns) > 1:
        above = columns.pop(0)
        del widths[0]
        left = [i - 1 for i in left]
        indent += 2
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, (column, width) in enumerate(zip(columns, widths, strict=True)):
        made.add_column(Text(column[0]), justify="left" if i in left else "right", width=width)
    if rule:
        made.add_row(*(Rule(characters="-", style="") for _ in columns))
    for row in zip(*(column[1:] for column in columns), strict=True):
        made.add_row(*map(Text, row))
    console = Console(width=sum(widths) + 2 * len(widths), color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(made)
    lines = [f"{'':{indent}}{line}".rstrip() for line in captured.get().splitlines()]
    first = len(lines) - len(rows)
    if under:
        pairs = zip(lines[first:], under, strict=True)
        lines[first:] = [
            each for line, cell in pairs for each in (line, f"{'':{indent}}    {cell}")
        ]
    if above:
        title, *names = [f"{'':{indent - 2}}{name}" for name in above]
        pairs = zip(names, lines[first:], strict=True)
        lines = [title, *lines[:first], *(each for pair in pairs for each in pair)]
    return lines
