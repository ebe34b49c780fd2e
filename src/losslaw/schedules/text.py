"""The text form of a schedule, ``SPEC``, both ways.

``family:key=value,...`` makes one of the usual schedules, ``knots:0=0,2160=3e-4,24000=0`` straight
lines, ``file:schedule.csv`` the rows of a table (``step,lr[,batch][,weight_decay]``), and ``A + B``
one after the other. Numbers are Python's, or such as ``24k`` and ``5%``; a warm-up or cooldown is
given in updates or as a share of the horizon. `format_schedule` writes the text that makes the same
array again. The same texts at any horizon are read by `parse_long_schedule`, into pieces.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from losslaw.errors import InputError, expect
from losslaw.files import is_long, long_table, number_in, parse_table, read_text
from losslaw.files.json_text import parse_json
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.magnitudes import PEAK
from losslaw.schedules.families import CYCLES, FAMILIES, ROUGH, from_knots
from losslaw.schedules.pieces import LongSchedule
from losslaw.schedules.schedule import Schedule, join
from losslaw.schedules.shapes import DECAYS
from losslaw.text import expanded

T = TypeVar("T")

# A schedule, its text, or the path of its table: what every public function takes for a schedule.
ScheduleLike = Schedule | str | Path

# Rows of a table that are written at a time.
BLOCK = 100_000

EXAMPLE = "wsd:peak=3e-4,horizon=24000,warmup=2160,cooldown=0.2,final=3e-5,decay=linear"
WORDS = {"decay": DECAYS, "shape": CYCLES}
ALIASES = {"8-1-1": "step", "two-stage": "twostage", "invsqrt": "inverse-sqrt"}


def parse_schedule(text: str) -> Schedule:
    """The schedule that a text describes.

    Raises:
        InputError: an unknown family or key, a missing key, a value that is not a number, a
            schedule that makes no sense, or a file that cannot be read.

    >>> parse_schedule("wsd:peak=1,horizon=5,cooldown=0.4").lr.tolist()
    [1.0, 1.0, 1.0, 0.5, 0.0]
    >>> parse_schedule("constant:peak=1,horizon=2 + linear:peak=1,horizon=2").lr.tolist()
    [1.0, 1.0, 0.5, 0.0]
    """
    expect("the text of a schedule", text, str, f"a text such as {EXAMPLE}")
    text = text.strip()
    if not text:
        raise InputError(f"empty schedule text: expected something like {EXAMPLE}")
    if not text.startswith("file:") and len(parts := _parts(text)) > 1:
        return join(*[parse_schedule(part) for part in parts])
    name, colon, rest = _named(text)
    if name == "file" and colon:
        return read_schedule(rest.strip())
    if name != "knots" and name not in FAMILIES:
        if not colon and Path(text).suffix:
            return read_schedule(text)
        known = ", ".join([*FAMILIES, "knots", "file"])
        raise InputError(f"unknown schedule {name!r}: expected one of {known}; as in {EXAMPLE}")
    if name == "knots":
        return _knots(_pairs(rest, name))
    return _made(name, rest, FAMILIES[name])


def schedule_of(schedule: ScheduleLike) -> Schedule:
    """The schedule that is given as a record, as text, or as the path of its table.

    Raises:
        InputError: it is none of these, or `parse_schedule` raises it.

    >>> schedule_of("linear:peak=1,horizon=2").lr.tolist()
    [0.5, 0.0]
    """
    if isinstance(schedule, Schedule):
        return schedule
    if isinstance(schedule, str):
        return parse_schedule(schedule)
    if isinstance(cast(object, schedule), Path):
        return read_schedule(schedule)
    raise InputError(
        f"a schedule is given as a {type(schedule).__name__}, expected a Schedule, a text such as"
        f" {EXAMPLE}, or the path of a table step,lr"
    )


def schedules_of(schedules: ScheduleLike | Sequence[ScheduleLike]) -> list[Schedule]:
    """One or several schedules, each given as for `schedule_of`."""
    if isinstance(schedules, Sequence) and not isinstance(schedules, str):
        return [schedule_of(each) for each in schedules]
    return [schedule_of(schedules)]


def parse_long_schedule(text: str) -> LongSchedule:
    """The pieces that `parse_schedule` would write out: the same words, at any horizon.

    Raises:
        InputError: what is not made of a few smooth pieces, or what `parse_schedule` raises.

    >>> parse_long_schedule("wsd:peak=1,horizon=1e12,cooldown=0.2").pieces[1].updates
    200000000000
    >>> parse_long_schedule("linear:peak=1,horizon=4,warmup=2").written_out().lr.tolist()
    [0.5, 1.0, 0.5, 0.0]
    """
    smooth, runs = [name for name in FAMILIES if name not in ROUGH], list[LongSchedule]()
    for part in _parts(text.strip()):
        name, _, rest = _named(part)
        if name not in smooth:
            raise InputError(
                f"schedule {part!r}: in pieces there are {', '.join(smooth)};"
                " the other methods run every schedule"
            )
        runs.append(_made(name, rest, FAMILIES[name].pieces))
    return LongSchedule(tuple(piece for run in runs for piece in run.pieces), runs[0].warmup)


def format_schedule(schedule: Schedule) -> str:
    """A text that `parse_schedule` turns into the same learning rates again.

    A schedule made by a family gives back its family. Any other is written as knots where its
    straight pieces join; one that is curved has about as many knots as updates, and belongs in a
    file.

    Raises:
        InputError: more than 200 knots would be needed.

    >>> format_schedule(Schedule([1.0, 1.0, 0.5, 0.0]))
    'knots:1=1,2=1,4=0'
    """
    expect("a schedule", schedule, Schedule, "a Schedule")
    if schedule.spec is not None:
        return schedule.spec
    at = _corners(schedule.lr)
    if at.size > 200:
        raise InputError(
            f"this schedule has no short text: {at.size} knots; save it as a file and use file:PATH"
        )
    knots = {int(k): float(schedule.lr[k - 1]) for k in at}
    extras: dict[str, float | None] = {"batch": None, "weight_decay": None}
    for key in extras:
        values: FloatArray | None = getattr(schedule, key)
        if values is not None and not (values == values[0]).all():
            raise InputError(f"{key} changes along this schedule: save it as a file instead")
        extras[key] = None if values is None else float(values[0])
    made = from_knots(knots)
    warmup = None if made.warmup == schedule.warmup else schedule.warmup
    made = from_knots(knots, warmup=warmup, **extras)
    # Interpolation rounds; insist on the promise of this function.
    if not np.allclose(made.lr, schedule.lr, rtol=1e-12, atol=0):
        raise InputError("this schedule has no short text: save it as a file and use file:PATH")
    return str(made.spec)


def read_schedule(path: str | Path) -> Schedule:
    """A schedule from a table with columns ``step,lr`` and, if known, ``batch``, ``weight_decay``.

    Steps are 1..n without gaps; a header comment ``# warmup: W`` gives the warm-up. The JSON form
    of a design, or of another answer that has a schedule, is read too.

    Raises:
        InputError: the file cannot be read, a column is missing, or steps are not 1..n.
    """
    expect("a path", path, (str, Path), "the path of a table step,lr")
    if is_long(path):
        table = long_table(path)
    else:
        text, source = read_text(path), "standard input" if str(path) == "-" else str(path)
        answered = _answered(text)
        if answered is not None:
            return _of_file(source, *answered, spec=f"file:{path}")
        table = parse_table(text, source)
    for name in ("step", "lr"):
        if name not in table.columns:
            found = ", ".join(table.columns)
            raise InputError(f"{table.source}: no column {name!r}; found {found}")
    steps = table.numbers("step")
    expected = np.arange(1, steps.size + 1)
    if not np.array_equal(steps, expected):
        row = int(np.argmax(steps != expected))
        raise InputError(
            f"{table.source}, line {table.lines[row]}: step {steps[row]:g}, expected {row + 1};"
            " a schedule file has one row an update, 1..n"
        )
    batch, weight_decay = (
        table.numbers(key) if key in table.columns else None for key in ("batch", "weight_decay")
    )
    note = table.notes.get("warmup")
    try:
        warmup = None if note is None else int(note)
    except ValueError:
        raise InputError(f"{table.source}: warmup is {note!r}, expected a whole number") from None
    rates = table.numbers("lr"), batch, weight_decay, warmup
    return _of_file(table.source, *rates, spec=f"file:{path}")


def _of_file(source: str, *rates: Any, spec: str) -> Schedule:
    """A schedule; what is wrong with it, is wrong with its file."""
    try:
        return Schedule(*rates, spec=spec)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def _answered(text: str) -> tuple[Any, Any, None, Any] | None:
    """Rates, batches, no weight decay and warm-up of the JSON form of an answer, if it has them."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        record: dict[str, Any] = parse_json(text)
    except ValueError:  # JSON lines, or damaged: whoever reads tables will say it
        return None
    # A design has its schedule below that name, the shortest run its rates beside the rest.
    rates: Any = record.get("schedule", {} if "step" in record else record)
    if not isinstance(rates, dict):
        return None
    found = cast(dict[str, Any], rates)
    if not isinstance(found.get("lr"), list):
        return None
    known: Any = record.get("constraints")
    warmup = cast(dict[str, Any], known).get("warmup") if isinstance(known, dict) else None
    return found["lr"], found.get("batch"), None, warmup


def schedule_csv(schedule: Schedule) -> str:
    """The table that `read_schedule` reads back, every digit kept."""
    return "".join(csv_blocks(schedule))


def csv_blocks(schedule: Schedule) -> Iterator[str]:
    """The table in pieces: the rows of 10^7 updates are longer than all their numbers."""
    columns = {"lr": schedule.lr, "batch": schedule.batch, "weight_decay": schedule.weight_decay}
    known = {name: values for name, values in columns.items() if values is not None}
    yield f"# warmup: {schedule.warmup}\n" + ",".join(["step", *known]) + "\n"
    for start in range(0, schedule.horizon, BLOCK):
        cells = [map(repr, values[start : start + BLOCK].tolist()) for values in known.values()]
        steps = map(str, range(start + 1, start + BLOCK + 1))
        yield "\n".join(map(",".join, zip(steps, *cells, strict=False))) + "\n"


def _corners(lr: FloatArray) -> IntArray:
    """Updates (1-based) where straight pieces of ``lr`` join, both ends included."""
    if lr.size <= 2:
        return np.arange(1, lr.size + 1, dtype=np.int64)
    bend = np.abs(np.diff(lr, 2)) > 1e-12 * lr.max()
    return np.concatenate([[1], np.flatnonzero(bend) + 2, [lr.size]]).astype(np.int64)


def _parts(text: str) -> list[str]:
    """The terms of a sum of schedules; the + of an exponent (1e+3) has no blanks around it."""
    return re.split(r"\s+\+\s+", text)


def _named(text: str) -> tuple[str, str, str]:
    """The name of a schedule, the colon after it if there is one, and its arguments."""
    name, colon, rest = text.partition(":")
    return ALIASES.get(name.strip(), name.strip()), colon, rest


def _pairs(rest: str, name: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in filter(None, (piece.strip() for piece in rest.split(","))):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not value:
            raise InputError(f"schedule {name}: {item!r}, expected key=value")
        if key in pairs:
            raise InputError(f"schedule {name}: {key} is given twice")
        pairs[key] = value
    return pairs


def _made(name: str, rest: str, make: Callable[..., T]) -> T:
    """What a family makes of arguments in a text."""
    pairs = _pairs(rest, name)
    parameters = inspect.signature(make).parameters
    arguments: dict[str, object] = {}
    for key, value in pairs.items():
        if key not in parameters:
            known = ", ".join(parameters)
            raise InputError(f"schedule {name}: unknown key {key!r}, expected one of: {known}")
        if key in WORDS:
            arguments[key] = value
        elif key == "horizon":
            arguments[key] = _whole_number(value, f"schedule {name}: {key}")
        else:
            number = _float(value, f"schedule {name}: {key}")
            whole = key == "warmup" and number.is_integer()
            arguments[key] = int(number) if whole else number
            if key == "peak" and number > 0:
                PEAK.check(f"schedule {name}: peak", number)
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and key not in arguments:
            raise InputError(f"schedule {name}: {key} is missing; as in {EXAMPLE}")
    try:
        return make(**arguments)
    except InputError as error:
        raise InputError(f"schedule {name}: {error}") from None


def _knots(pairs: dict[str, str]) -> Schedule:
    knots: dict[int, float] = {}
    extras: dict[str, float | int | None] = {}
    for key, value in pairs.items():
        if key == "warmup":
            extras[key] = _whole_number(value, "schedule knots: warmup")
        elif key in ("batch", "weight_decay"):
            extras[key] = _float(value, f"schedule knots: {key}")
        else:
            at = _whole_number(key, "schedule knots: update")
            if at in knots:
                raise InputError(f"schedule knots: update {at} is given twice")
            knots[at] = _float(value, f"schedule knots: rate at {key}")
    return from_knots(knots, **extras)  # pyright: ignore[reportArgumentType]


def _float(value: str, what: str) -> float:
    try:
        number = number_in(expanded(value))
    except ValueError:
        raise InputError(f"{what} is {value!r}, expected a number") from None
    if not np.isfinite(number):
        raise InputError(f"{what} is {value!r}, expected a finite number")
    return number


def _whole_number(value: str, what: str) -> int:
    number = _float(value, what)
    if not number.is_integer():
        raise InputError(f"{what} is {value!r}, expected a whole number")
    return int(number)
