"""What the name of a file may end in."""

from collections.abc import Sequence
from pathlib import Path

from losslaw.errors import InputError


def check_ending(path: str, endings: Sequence[str], what: str = "-o") -> str:
    """The end of a name, in lower case.

    Args:
        path: The name.
        endings: What it may end in.
        what: What the file is, or where its name was given.

    Raises:
        InputError: it ends in something else.

    >>> check_ending("runs/TABLE.CSV", (".csv", ".json"))
    '.csv'
    """
    ending = Path(path).suffix.lower()
    if ending not in endings:
        raise InputError(f"{what} {path}: expected a name that ends in {', '.join(endings)}")
    return ending
