"""Two folders of results, number by number: what moved, and by how much.

Tables are matched by their section, rows by their first cell (those with the same one by their
order), numbers by their column. A number that differs by one unit of its last digit has not moved.
Times are not compared.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.]*[A-Za-z])")
TIMES = ("s", "seconds")
SHOWN = 8  # of the largest differences of a page

Key = tuple[str, str, str, int]  # section, row, column, place in the cell


@dataclass(frozen=True)
class Number:
    """A number as it is written.

    Attributes:
        value: What it is.
        unit: One in its last digit.
    """

    value: float
    unit: float


def numbers(text: str) -> dict[Key, Number]:
    """Every number in the tables of a page."""
    out: dict[Key, Number] = {}
    rows: Counter[tuple[str, ...]] = Counter()
    for section, head, row in _rows(text):
        rows[section, *head, row[0]] += 1
        count = rows[section, *head, row[0]]
        name = row[0] + f" ({count})" * (count > 1)
        for i, (column, cell) in enumerate(zip(head, row, strict=False)):
            if column in TIMES:
                continue
            for place, written in enumerate(NUMBER.findall(cell) if i else []):
                plain = written.replace(",", "")
                mantissa, _, exponent = plain.partition("e")
                unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
                out[section, name, f"{column} [{i}]", place] = Number(float(plain), unit)
    return out


def _rows(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Section, column titles and cells of each row of each table."""
    section, head = "", None
    for line in text.splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        if not line.startswith("|"):
            head = None
            continue
        cells = [re.sub(r"[*`]", "", cell).strip() for cell in line.strip("|").split("|")]
        if head is None:
            head = cells
        elif not set("".join(cells)) <= set("-: "):
            yield section, head, cells


def compared(old: Path, new: Path, names: list[str]) -> str:
    """The report: for each page how many numbers moved, and the largest moves.

    Large is relative to the number, or to ten units of its last digit where that is more.
    """
    lines: list[str] = []
    for name in names:
        pages = [folder / f"{name}.md" for folder in (old, new)]
        if not all(page.is_file() for page in pages):
            lines += [f"{name}: not in both folders"]
            continue
        before, after = (numbers(page.read_text(encoding="utf-8")) for page in pages)
        both = before.keys() & after.keys()
        moved = {
            key: abs(after[key].value - before[key].value)
            / max(abs(before[key].value), 10 * before[key].unit)
            for key in both
            if abs(after[key].value - before[key].value) > 1.01 * before[key].unit
        }
        lines.append(
            f"{name}: {len(moved)} of {len(both)} numbers moved; {len(before) - len(both)} are"
            f" gone, {len(after) - len(both)} are new"
        )
        for key in sorted(moved, key=lambda key: (-moved[key], key))[:SHOWN]:
            section, row, column, _ = key
            lines.append(
                f"  {before[key].value:g} -> {after[key].value:g}"
                f"  {section or 'table'} / {row} / {column.rpartition(' [')[0]}"
            )
    return "\n".join(lines)
