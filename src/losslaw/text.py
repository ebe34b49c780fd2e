"""How numbers, intervals and tables are written in reports."""

import math
import shutil
from collections.abc import Collection, Sequence

WIDTH = 80  # columns that a report may always use


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


def escaped(text: str) -> str:
    """``text`` in one line: line ends, control and invisible characters as their escapes.

    >>> escaped("a name\\nimport os")
    'a name\\\\nimport os'
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def printable(text: str) -> str:
    """``text`` with whatever would steer a terminal written out; lines stay lines."""
    return "\n".join(map(escaped, text.split("\n")))


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Collection[int] = (0,),
    words: int | None = None,
    rule: bool = False,
) -> list[str]:
    """The lines of a plain table: cells in columns, two blanks between them.

    Args:
        header: Titles of the columns.
        rows: Cells, as many in each row as there are titles.
        left: Columns that begin at the left; the others, numbers, end at the right.
        words: A column that may be wrapped where the table is wider than the terminal (or
            ``WIDTH`` columns, whichever is more); ``None``: none is.
        rule: Whether a line of dashes stands below the header.

    >>> print("\\n".join(table(["law", "rmse"], [["momentum", ".0098"], ["effective", ".003"]])))
    law         rmse
    momentum   .0098
    effective   .003
    """
    from rich.console import Console
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, title in enumerate(header):
        side = "left" if i in left else "right"
        made.add_column(Text(title), justify=side, no_wrap=i != words, overflow="fold")
    if rule:
        made.add_row(*(Rule(characters="-", style="") for _ in header))
    for row in rows:
        made.add_row(*(Text(escaped(cell)) for cell in row))
    wide = 10_000 if words is None else max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    console = Console(width=wide, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(made)
    return [line.rstrip() for line in captured.get().splitlines()]
