"""What the table of a sweep says: what was varied, and the risk, best choice or exponent over it.

A map has two of the varied things as its sides. What else was varied is chosen best, cell by cell:
a map of problems at many peak rates is one of each problem at its best rate.
"""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.files import read_text
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.text import Report, table

Value = float | str

# Largest risk that a picture holds.
LARGEST = 1e300
# Of a job without the parameter.
NOT = "-"

# What stands behind a best number beyond which none was tried.
EDGE = " (edge)"

# Columns that are the results of a job, or only name it.
RESULTS = frozenset(
    ["job", "status", "risk", "excess_risk", "sampled_risk", "sampled_error", "sampled_spread"]
)
# What a cell may be, in words and as a user writes it.
WHAT = {
    "risk": "excess risk",
    "best": "best {}",
    "exponent": "p of excess risk ~ {}^-p",
}
FORMS = "risk, best:NAME or exponent:NAME"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SweepMap(Report, Plotted):
    """Two sides and what stands where they meet.

    Attributes:
        x: Name of what varies from left to right.
        y: Name of what varies from below to above.
        xs: Its values. Length n.
        ys: The same. Length m.
        what: What a cell is, in words.
        show: ``risk``, ``best`` or ``exponent``.
        cells: Excess risk or exponent; NaN where no job came to an end. Shape ``(m, n)``.
        best: Where ``show`` is ``best``, which value has the lowest risk; empty: none.
        chosen: What else was varied: its best value counts.
    """

    x: str
    y: str
    xs: tuple[Value, ...]
    ys: tuple[Value, ...]
    what: str
    show: str
    cells: FloatArray
    best: tuple[tuple[str, ...], ...] = ()
    chosen: tuple[str, ...] = ()

    def __str__(self) -> str:
        written = self.best or tuple(
            tuple("-" if math.isnan(cell) else f"{cell:.4g}" for cell in row) for row in self.cells
        )
        rows = [[in_words(y), *row] for y, row in zip(self.ys, written, strict=True)]
        header = [f"{self.y} \\ {self.x}", *map(in_words, self.xs)]
        return "\n".join([*self.title, "", *table(header, rows[::-1])])

    @property
    def title(self) -> list[str]:
        """What a cell is, and over what else its risk is the lowest. One line or two."""
        *others, last = self.chosen or ("",)
        over = f"{', '.join(others)} and {last}" if others else last
        return [self.what, f"lowest over {over}"] if over else [self.what]


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepGrid:
    """The jobs of a sweep and their excess risks.

    Attributes:
        source: The table's name, for messages.
        columns: What jobs differ in, by name: columns of the table, and the values that stand in
            the texts of schedules. Each has a value for every job.
        excess: Excess risk of every job; NaN: it was refused. Shape ``(jobs,)``.
    """

    source: str
    columns: dict[str, list[Value]]
    excess: FloatArray

    def map(self, x: str | None = None, y: str | None = None, show: str = "risk") -> SweepMap:
        """What stands where two of the varied things meet.

        Args:
            x: Name of the one; by default the first that was varied.
            y: Name of the other; by default the next.
            show: ``risk``: the excess risk. ``best:NAME``: the value of NAME at which it is lowest,
                with `EDGE` behind it if no number beyond it was tried.
                ``exponent:NAME``: the p of ``excess risk ~ NAME^-p``, by least squares in logs.

        Raises:
            InputError: fewer than two things were varied, or a name is not one of them.

        >>> grid = SweepGrid(source="demo", excess=np.array([8.0, 4.0, 2.0, 1.0]), columns={
        ...     "source": [1.0, 1.0, 2.0, 2.0], "horizon": [1.0, 2.0, 1.0, 2.0]})
        >>> print(grid.map("source", "horizon"))
        excess risk
        <BLANKLINE>
        horizon \\ source  1  2
        2                 4  1
        1                 8  2
        """
        kind, _, of = show.partition(":")
        if kind not in WHAT or (kind == "risk") != (not of):
            raise InputError(f"a cell cannot be {show!r}, expected {FORMS}")
        x, y = self._sides(x, y, of)
        xs, columns = _coded(self.columns[x])
        ys, rows = _coded(self.columns[y])
        cells = np.full((len(ys), len(xs)), np.nan)
        best = [[""] * len(xs) for _ in ys]
        for i, j in np.ndindex(cells.shape):
            tried = np.flatnonzero((rows == i) & (columns == j))
            here = tried[np.isfinite(self.excess[tried])]
            if here.size:
                lowest = here[self.excess[here].argmin()]
                cells[i, j] = self.excess[lowest]
                if kind == "exponent":
                    cells[i, j] = self._exponent(of, here)
                elif kind == "best":
                    values = [self.columns[of][int(k)] for k in tried]
                    best[i][j] = _marked(self.columns[of][int(lowest)], values)
        if np.isnan(cells).all():
            raise InputError(
                f"{self.source}: no cell of such a map has enough jobs that came to an end; see"
                " the column status"
            )
        return SweepMap(
            x=x,
            y=y,
            xs=xs,
            ys=ys,
            what=WHAT[kind].format(of),
            show=kind,
            cells=cells,
            best=tuple(map(tuple, best)) if kind == "best" else (),
            chosen=tuple(name for name in self.columns if name not in (x, y, of)),
        )

    def _sides(self, x: str | None, y: str | None, of: str) -> tuple[str, str]:
        """The names of the sides, checked."""
        varied = ", ".join(self.columns) or "nothing"
        left = [name for name in self.columns if name not in (x, y, of)]
        x = left.pop(0) if x is None and left else x
        y = left.pop(0) if y is None and left else y
        if x is None or y is None:
            besides = f" besides {of}" if of else ""
            raise InputError(
                f"{self.source}: a map needs two things that were varied{besides}; varied was"
                f" {varied}"
            )
        names = [x, y, *([of] if of else [])]
        for name in names:
            if name not in self.columns:
                raise InputError(f"{self.source}: {name!r} was not varied; varied was {varied}")
        if len(set(names)) < len(names):
            raise InputError(f"a map of {', '.join(names)}: expected different names")
        return x, y

    def _exponent(self, of: str, here: IntArray) -> float:
        """Minus the slope of the log of the lowest excess risk by the log of a column."""
        at, codes = _coded([self.columns[of][int(k)] for k in here])
        for value in at:
            if isinstance(value, str) or not 0 < value < math.inf:
                raise InputError(
                    f"exponent:{of} needs finite numbers above 0, not {in_words(value)}"
                )
        lowest = [float(self.excess[here[codes == i]].min()) for i in range(len(at))]
        if len(at) < 2 or min(lowest) <= 0:
            return math.nan
        logs = np.log(np.array(at, dtype=np.float64))
        return -float(np.polyfit(logs, np.log(lowest), 1)[0])


def read_grid(path: str | Path) -> SweepGrid:
    """The grid of a table that ``losslaw sweep`` wrote.

    Raises:
        InputError: the file cannot be read, or is no such table.
    """
    text = read_text(path)
    lines = list(csv.reader(io.StringIO(text)))
    header = lines[0] if lines else []
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path}: two columns are called {name!r}")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header) or (number == len(lines) and not text.endswith("\n")):
            raise InputError(
                f"{path}, line {number}: a row that was cut off, or is none of this table; the"
                " same sweep with it as output mends what it left"
            )
    return grid_of([dict(zip(header, line, strict=True)) for line in lines[1:]], str(path))


def grid_of(rows: Sequence[dict[str, str]], source: str) -> SweepGrid:
    """The grid of the rows of a table.

    Args:
        rows: Cells by the names of their columns.
        source: What the table is, for messages.

    Raises:
        InputError: they are not of a sweep.
    """
    if not rows or not is_sweep(rows[0]):
        raise InputError(f"{source}: not the table of a sweep, or one without rows")
    plans = [_plan(row["schedule"] or "") for row in rows]
    columns: dict[str, list[Value]] = {
        name: [_value(row[name]) for row in rows]
        for name in rows[0]
        if name not in RESULTS and name != "schedule"
    }
    columns = _by_difficulty(columns)
    names = list(dict.fromkeys(name for plan in plans for name in plan))
    columns |= {name: [plan.get(name, NOT) for plan in plans] for name in names}
    # What only some families have, and always the same, says no more than the family.
    varied = {name: each for name, each in columns.items() if len({*each} - {NOT}) > 1}
    excess = [_number(row["excess_risk"]) for row in rows]
    for row, value in zip(rows, excess, strict=True):
        if math.isnan(value) == bool(row["excess_risk"]) or abs(value) > LARGEST:
            raise InputError(
                f"{source}: an excess_risk is {row['excess_risk']!r}, expected a number up to"
                f" {LARGEST:g}, or nothing for a job that was refused"
            )
    return SweepGrid(source=source, columns=varied, excess=np.array(excess))


def _by_difficulty(columns: dict[str, list[Value]]) -> dict[str, list[Value]]:
    """The columns with the difficulty in place of the source, where that is what was varied."""
    pairs = zip(columns.get("source", ()), columns.get("capacity", ()), strict=True)
    products: list[Value] = [
        float(f"{source * capacity:.12g}")
        for source, capacity in pairs
        if not isinstance(source, str) and not isinstance(capacity, str)
    ]
    if not 0 < len(set(products)) < len(set(columns.get("source", ()))):
        return columns
    if len(products) < len(columns["source"]):
        return columns
    changed = {"source": ("difficulty", products)}
    return dict(changed.get(name, (name, values)) for name, values in columns.items())


def is_sweep(columns: Sequence[str] | dict[str, str]) -> bool:
    """Whether a table with these columns is that of a sweep."""
    return {"job", "schedule", "status", "excess_risk"} <= set(columns)


def in_words(value: Value) -> str:
    """A value of a side.

    >>> in_words(0.25), in_words(16000.0), in_words(1e9), in_words("cosine")
    ('0.25', '16,000', '1e+09', 'cosine')
    """
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value == round(value, 0) and abs(value) < 1e6 else f"{value:.4g}"


def _marked(best: Value, tried: Iterable[Value]) -> str:
    """The best of what was tried, marked where better numbers may lie beyond."""
    numbers = {value for value in tried if not isinstance(value, str)}
    edge = len(numbers) > 1 and best in (min(numbers), max(numbers))
    return in_words(best) + EDGE * edge


def _plan(text: str) -> dict[str, Value]:
    """The family of a schedule and its parameters; a schedule in pieces is a text of its own."""
    family, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",")]
    if any(not (name.isidentifier() and value) for name, _, value in pairs):
        return {"schedule": text}
    return {"schedule": family, **{name: _value(value) for name, _, value in pairs}}


def _value(text: str | None) -> Value:
    number = _number(text)
    return (text or NOT) if math.isnan(number) else number


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _coded(column: Sequence[Value]) -> tuple[tuple[Value, ...], IntArray]:
    """What stands in a column, numbers by size, then words as they came; and which stands where."""
    once = list(dict.fromkeys(column))
    numbers = sorted(value for value in once if not isinstance(value, str))
    values = (*numbers, *(value for value in once if isinstance(value, str)))
    place = {value: i for i, value in enumerate(values)}
    return values, np.array([place[value] for value in column], dtype=np.int64)
