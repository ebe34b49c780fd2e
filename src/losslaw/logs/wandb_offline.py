"""Transaction logs of W&B: ``run-ID.wandb``, in the folder that every run leaves on the disk.

After seven bytes (``:W&B``, 0xBEE1, a version) the file is a LevelDB log: blocks of 32 KiB, in each
of them chunks with a checksum (crc32, 4 bytes), a length (2) and a kind (1): a whole record, or the
first, a middle or the last piece of one. A record is a ``Record`` (wandb_internal.proto): field 2
is a row of the history, 5 and 17 have the settings.

A row is a list of items: a name (field 1, or 2 where it is nested) and the value as JSON (16).
Rows are told apart by ``_step``; trainers that log a count of updates of their own mean that one.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from struct import unpack
from typing import Any, cast

from losslaw.errors import InputError
from losslaw.files.json_text import parse_json
from losslaw.logs.log import Log
from losslaw.logs.metrics import STEPS, kind_of, log_from_rows
from losslaw.logs.protobuf import fields, message_in, signed, text_in
from losslaw.logs.source import Source

NAME = "W&B transaction log"
MAGIC = b":W&B\xe1\xbe"
BLOCK = 32768
HEADER = 7  # of the file, and of each chunk
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
FILES = "run-*.wandb"


@dataclass
class _Run:
    """What is read of one file."""

    rows: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    settings: dict[str, object] = field(default_factory=dict[str, object])
    run_id: str = ""
    name: str = ""
    damaged: int = 0


def claims(source: Source) -> bool:
    """The first bytes."""
    return not source.piped and source.head.startswith(MAGIC)


def read(source: Source) -> list[Log]:
    """The run of a file.

    Raises:
        InputError: unreadable, or no losses in it.
    """
    run = _read(source.path)
    return [_log(source.path, [run], run.name or None)]


def folder(path: Path) -> list[Log]:
    """The runs in a folder ``wandb``, or the one in a folder inside; a resumed run is one."""
    # "latest-run" is a link to one of the others, whose names begin with their date.
    files = sorted(path.glob(FILES)) or sorted(path.glob(f"*run-*-*/{FILES}"))
    runs: dict[str, list[tuple[Path, _Run]]] = {}
    for file in files:
        try:
            run = _read(file)
        except InputError:
            continue
        runs.setdefault(run.run_id or str(file), []).append((file, run))
    names = [parts[-1][1].name or run_id for run_id, parts in runs.items()]
    logs: list[Log] = []
    for name, (run_id, parts) in zip(names, runs.items(), strict=True):
        label = name if names.count(name) == 1 else f"{name}-{run_id}"
        with suppress(InputError):  # a run without losses
            logs.append(_log(parts[0][0], [run for _, run in parts], label))
    return logs


def _log(path: Path, parts: list[_Run], label: str | None) -> Log:
    return log_from_rows(
        str(path),
        NAME,
        [row for part in parts for row in part.rows],
        settings=parts[-1].settings,
        label=label,
        skipped=[("damaged records", sum(part.damaged for part in parts))],
    )


def _read(path: Path) -> _Run:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    run = _Run()
    for record in _records(memoryview(data), run):
        try:
            _take(record, run)
        except (ValueError, RecursionError):
            run.damaged += 1
    return run


def _records(data: memoryview, run: _Run) -> Iterator[memoryview]:
    """The records of a LevelDB log; a damaged piece takes the rest of its block with it."""
    pieces: list[memoryview] = []
    for start in range(0, len(data), BLOCK):
        at = start or HEADER
        end = min(start + BLOCK, len(data))
        while end - at >= HEADER:
            checksum, size, kind = unpack("<IHB", data[at : at + HEADER])
            after = at + HEADER + size
            if kind == 0 and size == 0:  # room that was set aside and not written
                break
            # The checksum is of kind and content.
            if after > end or zlib.crc32(data[at + 6 : after]) != checksum:
                run.damaged += 1
                pieces = []
                break
            body, at = data[at + HEADER : after], after
            if kind in (FULL, FIRST):
                run.damaged += bool(pieces)
                pieces = []
            elif not pieces:
                run.damaged += 1
                continue
            pieces.append(body)
            if kind in (FULL, LAST):
                yield pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))
                pieces = []
    run.damaged += bool(pieces)


def _take(record: memoryview, run: _Run) -> None:
    """Add what a record has to say to the run."""
    for number, value in fields(record):
        if number == 2:
            row: dict[str, object] = {}
            for n, each in fields(message_in(value)):
                if n == 1:
                    name, item = _item(message_in(each))
                    row.update(_flat(name, item, ".", wanted=True))
                elif n == 2:  # the step, where it is no item
                    step = [signed(v) for m, v in fields(message_in(each)) if m == 1]
                    row.setdefault("_step", step[-1] if step else 0)
            run.rows.append(row)
        elif number == 5:
            _settings(message_in(value), run)
        elif number == 17:
            for n, each in fields(message_in(value)):
                if n == 1:
                    run.run_id = text_in(each)
                elif n == 8:
                    run.name = text_in(each)
                elif n == 4:
                    _settings(message_in(each), run)


def _settings(config: memoryview, run: _Run) -> None:
    for number, each in fields(config):
        if number == 1:
            name, item = _item(message_in(each))
            if name != "_wandb":
                run.settings.update(_flat(name, item, "."))


def _item(item: memoryview) -> tuple[str, object]:
    """Name and value of an item of the history or the settings."""
    name, nested, value = "", list[str](), None
    for number, each in fields(item):
        if number == 1:
            name = text_in(each)
        elif number == 2:
            nested.append(text_in(each))
        elif number == 5:
            value = signed(each)
        elif number == 6:
            (value,) = unpack("<d", message_in(each))
        elif number == 16:
            value = parse_json(text_in(each))
    return name or ".".join(nested), value


def _flat(
    name: str, value: object, separator: str, *, wanted: bool = False
) -> Iterator[tuple[str, object]]:
    """Names and values of nested settings or metrics; ``wanted``: only those of use in a curve."""
    if isinstance(value, dict):
        for key, each in cast(dict[str, Any], value).items():
            yield from _flat(f"{name}{separator}{key}", each, separator, wanted=wanted)
    elif not wanted or kind_of(name) or name.lower() in STEPS:
        yield name, value
