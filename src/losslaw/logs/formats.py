"""The formats that are known, and which one a file is.

A format is asked in the order below whether a file is one of its own. It looks at the first bytes
only, so that a file is read once. What no format claims is taken for a table
(`losslaw.logs.tables`), whose reader says what is wrong with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from losslaw.logs import huggingface, tables
from losslaw.logs.log import Log
from losslaw.logs.source import Source


@dataclass(frozen=True)
class Format:
    """A kind of log.

    Attributes:
        name: Its name, in words.
        claims: Whether a file looks like one.
        read: The runs in it.
    """

    name: str
    claims: Callable[[Source], bool]
    read: Callable[[Source], list[Log]]


FORMATS: tuple[Format, ...] = (Format(huggingface.NAME, huggingface.claims, huggingface.read),)


def read_logs(path: str | Path, *, loss: str | None = None, lr: str | None = None) -> list[Log]:
    """The runs in a file, or in standard input for ``-``.

    Args:
        path: The file.
        loss: Name of the column that is to be fitted; ``None``: the usual one of the format.
        lr: Name of the column that has the learning rate; ``None``: likewise.

    Raises:
        InputError: the file cannot be read, or holds no log that is known.
    """
    source = Source(path)
    for each in FORMATS:
        if each.claims(source):
            return [log.with_columns(loss, lr) for log in each.read(source)]
    return tables.read(source, loss, lr)
