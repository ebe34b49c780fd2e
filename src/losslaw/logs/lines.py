"""Lines that a trainer prints for each step, found among all others.

A format says by a regular expression how its lines look; named groups are the cells. Around them
stand warnings, tables of settings, other programs' lines. A line that begins like one of the
trainer's own and cannot be read to its end (the process was stopped, two processes wrote at once)
is counted. So is a number with fewer decimals than the same number has elsewhere, in formats that
print a fixed count of them: it is the first half of another number, and would be read wrongly.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, compress, pairwise
from typing import Any

from losslaw.errors import InputError
from losslaw.files import table_of
from losslaw.logs.columns import Columns
from losslaw.logs.log import Log, LossIs, usual_loss
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

# A number as trainers print it, for use in expressions; what follows it must be no part of one.
# Lengths are bounded so that no line, however long, is searched more than once.
DIGITS = r"[-+]?\d[\d,]{0,30}(?:\.\d{0,30})?(?:[eE][-+]?\d{2,3})?"
NUMBER = rf"(?:{DIGITS}|[-+]?(?:nan|inf|NaN|Infinity))(?![\w.])"
# A count of updates; more digits than these are no count.
STEP = r"\d{1,15}(?!\d)"
VALUE = re.compile(NUMBER)

# Why a line of the trainer gives no point.
NO_LOSS = "lines without a loss"

SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
# As people write it, too: 1e-3.
SUFFIXED = re.compile(rf"({DIGITS.replace('{2,3}', '{1,3}')}) ?([KMBGT]?)", re.IGNORECASE)


@dataclass
class Found:
    """The lines of a trainer, in the order of the file.

    Attributes:
        records: Cells of each line by name, those that are not there left out.
        lines: Line number of each in the file.
        broken: How many lines could not be read.
    """

    records: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    lines: list[int] = field(default_factory=list[int])
    broken: int = 0

    def add(self, number: int, record: Mapping[str, str | None]) -> None:
        """Append a line; thousands separators are taken out of its cells."""
        self.lines.append(number)
        self.records.append(
            {name: cell.replace(",", "") for name, cell in record.items() if cell is not None}
        )

    def column(self, name: str) -> list[str]:
        """The cells called ``name``, where there are any."""
        return [record[name] for record in self.records if name in record]

    def drop_halves(self, names: Iterable[str], by_size: bool = False) -> None:
        """Leave out lines with fewer decimals in one of the cells ``names`` than is usual in it.

        Args:
            names: The cells.
            by_size: The count of decimals depends on the digits before the point.
        """

        def kind(name: str, cell: str) -> tuple[str, bool, int]:
            return name, "e" in cell.lower(), len(cell.partition(".")[0]) if by_size else 0

        cells = [
            [(kind(name, record[name]), decimals(record[name])) for name in names if name in record]
            for record in self.records
        ]
        counts: dict[tuple[str, bool, int], Counter[int]] = defaultdict(Counter)
        for key, digits in chain.from_iterable(cells):
            counts[key][digits] += digits >= 0
        usual = {
            key: max(count, key=lambda digits: (count[digits], digits))
            for key, count in counts.items()
        }
        complete = [all(digits in (usual[key], -1) for key, digits in each) for each in cells]
        self.broken += complete.count(False)
        self.records = list(compress(self.records, complete))
        self.lines = list(compress(self.lines, complete))


def find(
    source: Source,
    pattern: re.Pattern[str],
    mark: re.Pattern[str],
    fixed: Collection[str] = (),
) -> Found:
    """The lines of ``source`` in which ``pattern`` is found.

    Args:
        source: The file.
        pattern: What a whole line of the trainer looks like; its named groups are the cells.
        mark: How such a line begins; where it is found and ``pattern`` is not, the line is broken.
        fixed: Cells that are always printed with the same count of decimals.
    """
    found = Found()
    for number, line in enumerate(source.lines, start=1):
        begins = sum(1 for _ in mark.finditer(line))
        match = pattern.search(line) if begins == 1 else None
        if match:
            found.add(number, match.groupdict())
        else:  # one that is cut off, or two that were written at once
            found.broken += begins > 0
    found.drop_halves(fixed)
    return found


def decimals(cell: str) -> int:
    """Digits after the point of a number; -1 for ``nan`` and ``inf``.

    >>> decimals("3.2722"), decimals("7"), decimals("nan")
    (4, 0, -1)
    """
    if not any(letter.isdigit() for letter in cell):
        return -1
    return len(cell.lower().partition("e")[0].partition(".")[2])


def suffixed(text: str) -> float | None:
    """A number that may end in K, M, B, G or T; ``None`` for anything else.

    >>> suffixed("1.02K"), suffixed("67.4M"), suffixed("1,024"), suffixed("soon")
    (1020.0, 67400000.0, 1024.0, None)
    """
    match = SUFFIXED.fullmatch(text.strip())
    if match is None:
        return None
    return float(match[1].replace(",", "")) * SUFFIXES[match[2].upper()]


def parts(line: str, separator: str = "|", colon: str = ":") -> dict[str, str]:
    """``key: value`` parts of a line, those that are closed by ``separator``.

    >>> parts("lm loss: 2.5 | grad norm: 0.2 | half: 3.")
    {'lm loss': '2.5', 'grad norm': '0.2'}
    """
    pairs = (part.partition(colon) for part in line.split(separator)[:-1])
    return once((key.strip(), value.strip()) for key, found, value in pairs if found)


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values by name; a name that comes again with another value has none that can be told.

    >>> once([("loss", "3"), ("lr", "1"), ("loss", "2"), ("lr", "1")])
    {'lr': '1'}
    """
    values: dict[str, str] = {}
    doubtful: set[str] = set()
    for name, value in pairs:
        if values.setdefault(name, value) != value:
            doubtful.add(name)
    return {name: value for name, value in values.items() if name not in doubtful}


def settings(source: Source, names: Collection[str], equals: str) -> dict[str, float]:
    """Numbers that the file gives settings such as ``max_iters = 5000``; the last one counts.

    Args:
        source: The file.
        names: Names of the settings.
        equals: What stands between a name and its number, as an expression.

    Returns:
        Finite numbers, 0 or above, by name, for the names that are there.
    """
    line = re.compile(rf"(?<![\w.])({'|'.join(names)}){equals}({SUFFIXED.pattern})(?![\w.])")
    wanted: dict[str, float] = {}
    for each in source.lines:
        if not any(name in each for name in names):
            continue  # much faster than the expression
        match = line.search(each)
        value = suffixed(match[2]) if match else None
        if match and value is not None and 0 <= value < float("inf"):
            wanted[match[1]] = value
    return wanted


def stated(source: Source, pattern: str) -> str | None:
    """What the group of an expression is where the file has it last; ``None`` if it has not.

    An expression that begins with a word is found much faster than one that begins with less.
    """
    found = re.findall(pattern, source.text)
    return found[-1] if found else None


def always(cells: list[str]) -> float | None:
    """The number that all cells are; ``None`` if they differ, or there is none above 0."""
    values = {suffixed(cell) for cell in set(cells)}
    value = values.pop() if len(values) == 1 else None
    return value if value is not None and 0 < value < float("inf") else None


def whole(value: float | None) -> int | None:
    """A number above 0 as a whole one, ``None`` otherwise."""
    return int(value) if value is not None and 1 <= value < 2**53 and value % 1 == 0 else None


def usual_gap(steps: Iterable[int]) -> int | None:
    """Updates from one row to the next where it is always the same, lost rows put aside.

    >>> usual_gap([10, 20, 30, 50, 40, 50]), usual_gap([1, 10, 20]), usual_gap([5])
    (10, None, None)
    """
    gaps = {later - earlier for earlier, later in pairwise(steps) if later > earlier}
    least = min(gaps, default=None)
    return least if least and all(gap % least == 0 for gap in gaps) else None


def log_of(
    source: Source,
    found: Found,
    name: str,
    *,
    train: str,
    validation: str | None = None,
    lr: str | None = None,
    batch: str | None = None,
    loss_is: LossIs = "instant",
    window: int | None = None,
    loss_note: str = "a logged loss is that of one batch, the update's own",
    notes: Iterable[str] = (),
    skipped: Collection[tuple[str, int]] = (),
    facts: Facts | None = None,
    **more: Any,
) -> Log:
    """The log in the lines that were found, whose cell ``step`` counts the updates done.

    Args:
        source: The file.
        found: Its lines.
        name: The format, in words.
        train: Cell of the training loss.
        validation: Cell of the validation loss.
        lr: Cell of the rate.
        batch: Cell of the batch.
        loss_is: What the training loss is.
        window: Updates that it is the mean of, where known.
        loss_note: A sentence on it.
        notes: Sentences.
        skipped: What else was not read.
        facts: What the file says besides.
        more: Other fields of the `Log`.

    Raises:
        InputError: there is no line that can be read, or no loss in any.
    """
    if not found.records:
        left = dict(skipped).get(NO_LOSS, 0)
        raise InputError(
            f"{source.name}: no loss in this log of {name}; it would stand under {train!r}"
            if left
            else f"{source.name}: looks like a log of {name}, but no line of a step can be read"
        )
    table = table_of(source.name, found.records, found.lines)

    def there(cell: str | None) -> str | None:
        return cell if cell in table.columns else None

    losses = tuple(each for each in (train, validation) if each and there(each))
    if not losses:
        raise InputError(
            f"{source.name}: no loss in this log of {name}; it would stand under {train!r}"
        )
    loss, choice = usual_loss(table, there(train), there(validation))
    left_out = [("lines that cannot be read to their end", found.broken), *skipped]
    return Log(
        format=name,
        table=table,
        columns=Columns("step", loss, there(lr), there(batch), ()),
        losses=losses,
        facts=facts or Facts(),
        loss_is=loss_is,
        window=window,
        notes=tuple(notes),
        loss_notes=((choice,) if choice else ()) + ((loss_note,) if loss == train else ()),
        skipped=tuple((what, count) for what, count in left_out if count),
        **more,
    )
