"""Protocol buffers, as far as logs need them: the fields of a message, one after the other.

Nothing is taken at its word: a length that goes beyond the message is damage, not memory.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
SIZES = {FIXED64: 8, FIXED32: 4}


class Damaged(ValueError):
    """Bytes that are no message."""


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: a whole number, or the bytes of any other type.

    >>> [(number, bytes(v) if number == 2 else v) for number, v in
    ...     fields(memoryview(b"\\x08\\x96\\x01\\x12\\x02hi"))]
    [(1, 150), (2, b'hi')]

    Raises:
        Damaged: the bytes are no message.
    """
    at, end = 0, len(message)
    while at < end:
        key = message[at]
        if key < 128:  # nearly all numbers take one byte
            at += 1
        else:
            key, at = _varint(message, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == BYTES:
            if at < end and message[at] < 128:
                size = message[at]
                at += 1
            else:
                size, at = _varint(message, at)
        elif kind in SIZES:
            size = SIZES[kind]
        else:
            raise Damaged(f"a field of type {kind}")
        if size > end - at:
            raise Damaged(f"a field of {size} bytes, {end - at} are left")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at ``at``, and where the next one does."""
    value = shift = 0
    for byte in message[at : at + 10]:
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return value & (2**64 - 1), at
    raise Damaged("a number without end")


def signed(value: int | memoryview) -> int:
    """A whole number of type int64."""
    if not isinstance(value, int):
        raise Damaged("bytes where a number belongs")
    return value - 2**64 if value >= 2**63 else value


def message_in(value: int | memoryview) -> memoryview:
    """The bytes of a field that is itself a message or a text."""
    if isinstance(value, int):
        raise Damaged("a number where a message belongs")
    return value


def text_in(value: int | memoryview) -> str:
    """A text; what is no text in it is replaced."""
    return str(message_in(value), "utf-8", "replace")
