"""TensorBoard event files, and folders of them.

An event file is a row of records: length (8 bytes), checksum of the length (4), the record, its
checksum (4). The checksum is crc32c, rotated and shifted by a constant. A record is an ``Event``:
wall time (field 1), step (2), summary (5) with values (1), each a tag (1) and a number: as it
stands (2, written by TF 1 and torch), or as a tensor of one element (8, written by TF 2 and JAX).
Formats: tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto.

All files of one folder are one run, in the order of their first events: a trainer that is started
again adds a file. Folders ``train``, ``validation`` and the like belong to it: Keras and fairseq
put the parts of one run in them.
"""

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from losslaw.errors import InputError
from losslaw.logs.log import Log
from losslaw.logs.metrics import VALIDATION, Point, kind_of, log_from_points
from losslaw.logs.protobuf import Damaged, fields, message_in, signed, text_in
from losslaw.logs.source import Source

NAME = "TensorBoard event file"
FILES = "*tfevents*"
HEAD_SIZE = 12  # length and its checksum
PARTS = VALIDATION | {"train", "training", "train_inner"}

# crc32c: the polynomial of Castagnoli, bits reversed, and the constant of the masked form.
CASTAGNOLI = 0x82F63B78
MASK = 0xA282EAD8

# Names of tensor types with one number (tensorflow/core/framework/types.proto): how it is packed
# in ``tensor_content``, and the field of ``TensorProto`` that has it otherwise.
TYPES = {1: ("<f", 5), 2: ("<d", 6), 3: ("<i", 7), 9: ("<q", 10)}


@dataclass
class _Events:
    """What is read of one file.

    Attributes:
        points: Name, step and value of each scalar that a curve needs.
        times: Wall time of each.
        names: All tags.
        first: Wall time of the first event.
        damaged: Records whose checksum or content is wrong.
        broken: Byte from which on the file could not be read.
    """

    points: list[Point] = field(default_factory=list[Point])
    times: list[float] = field(default_factory=list[float])
    names: set[str] = field(default_factory=set[str])
    first: float = 0.0
    damaged: int = 0
    broken: int | None = None


def claims(source: Source) -> bool:
    """A first record whose length has the right checksum."""
    head = memoryview(source.head if not source.piped else b"")
    return (
        len(head) > HEAD_SIZE
        and int.from_bytes(head[:8], "little") > 0
        and masked_crc32c(head[:8]) == int.from_bytes(head[8:HEAD_SIZE], "little")
    )


def read(source: Source) -> list[Log]:
    """The run in a file.

    Raises:
        InputError: unreadable, or no losses in it.
    """
    return [_log(source.name, None, [("", source.path)])]


def folder(path: Path) -> list[Log]:
    """The run in the event files of a folder; none if there are none with losses in them."""
    files = [("", file) for file in _files(path)]
    for part in sorted(PARTS):
        files += [(f"{part}/", file) for file in _files(path / part)]
    try:
        return [_log(str(path), path.resolve().name, files)] if files else []
    except InputError:
        return []  # the files are tried one by one, and say why


def _files(path: Path) -> list[Path]:
    return [file for file in sorted(path.glob(FILES)) if file.is_file()]


def _log(name: str, label: str | None, files: list[tuple[str, Path]]) -> Log:
    """The run in these files, each with what is put before its tags."""
    read = sorted(((_read(file), prefix) for prefix, file in files), key=lambda each: each[0].first)
    points = [
        (time, (prefix + tag, step, value))
        for events, prefix in read
        for time, (tag, step, value) in zip(events.times, events.points, strict=True)
    ]
    if len({prefix for _, prefix in read}) > 1:
        points.sort(key=lambda each: each[0])
    notes: list[str] = []
    if len(files) > 1:
        notes.append(f"the run is in {len(files)} event files")
    broken = [events.broken for events, _ in read if events.broken is not None]
    if broken:
        notes.append(f"an event file ends in half a record, or is damaged, at byte {broken[0]}")
    return log_from_points(
        name,
        NAME,
        [point for _, point in points],
        seen={prefix + tag for events, prefix in read for tag in events.names},
        label=label,
        notes=notes,
        skipped=[
            ("damaged records", sum(events.damaged for events, _ in read)),
            ("ends of files that cannot be read", len(broken)),
        ],
    )


def _read(path: Path) -> _Events:
    """The scalars of one file."""
    try:
        data = memoryview(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    events = _Events()
    at = 0
    while at < len(data):
        head = data[at : at + HEAD_SIZE]
        size = int.from_bytes(head[:8], "little")
        if (
            len(head) < HEAD_SIZE
            or masked_crc32c(head[:8]) != int.from_bytes(head[8:], "little")
            or size + 4 > len(data) - at - HEAD_SIZE
        ):
            events.broken = at
            break
        record = data[at + HEAD_SIZE : at + HEAD_SIZE + size]
        at += HEAD_SIZE + size + 4
        try:
            time, found = _event(record, events.names)
            # Images and histograms are long, and their checksum is nobody's concern.
            if found and masked_crc32c(record) != int.from_bytes(data[at - 4 : at], "little"):
                raise Damaged("checksum")
        except (Damaged, struct.error):
            events.damaged += 1
            continue
        events.first = events.first or time
        events.points += found
        events.times += [time] * len(found)
    return events


def _event(record: memoryview, names: set[str]) -> tuple[float, list[Point]]:
    """Wall time of an event, and the numbers in it that a curve needs."""
    time, step = 0.0, 0
    values: list[memoryview] = []
    for number, value in fields(record):
        if number == 1:
            (time,) = struct.unpack("<d", message_in(value))
        elif number == 2:
            step = signed(value)
        elif number == 5:
            values += [message_in(each) for n, each in fields(message_in(value)) if n == 1]
    found: list[Point] = []
    for value in values:
        tag, scalar = _value(value)
        names.add(tag)
        if scalar is not None and step >= 0 and kind_of(tag) is not None:
            found.append((tag, step, scalar))
    return time, found


def _value(value: memoryview) -> tuple[str, float | None]:
    """Tag and number of a summary value; ``None`` where it is no single number."""
    tag, scalar = "", None
    for number, each in fields(value):
        if number == 1:
            tag = text_in(each)
        elif number == 2:
            scalar = _single("<f", message_in(each))
        elif number == 8:
            scalar = _tensor(message_in(each))
    return tag, scalar


def _tensor(tensor: memoryview) -> float | None:
    parts: dict[int, Any] = dict(fields(tensor))
    form, place = TYPES.get(parts.get(1, 0), ("", 0))
    if not form:
        return None
    content = message_in(parts.get(4, memoryview(b"")))
    if len(content) == struct.calcsize(form):
        return _single(form, content)
    packed = parts.get(place)
    if place in (7, 10):  # whole numbers are varints, one after the other
        if isinstance(packed, int):
            return float(signed(packed))
        return None
    if packed is not None and len(message_in(packed)) == struct.calcsize(form):
        return _single(form, packed)
    return None


def _single(form: str, packed: memoryview) -> float:
    """A number; one of 32 bits is the shortest decimal that means it: 0.0003, not 0.00030000001."""
    (value,) = struct.unpack(form, packed)
    if form != "<f":
        return float(value)
    digits = (float(f"{value:.{n}g}") for n in (7, 8))
    return next((short for short in digits if struct.pack("<f", short) == bytes(packed)), value)


@lru_cache(maxsize=1)
def _table() -> list[int]:
    """crc32c of each byte."""
    table: list[int] = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return table


def masked_crc32c(data: memoryview) -> int:
    """The checksum of the records; the check value of crc32c itself is that of "123456789".

    >>> unmasked = masked_crc32c(memoryview(b"123456789")) - MASK & 0xFFFFFFFF
    >>> hex((unmasked << 15 | unmasked >> 17) & 0xFFFFFFFF)
    '0xe3069283'
    """
    table = _table()
    crc = 0xFFFFFFFF
    for byte in bytes(data):
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF
