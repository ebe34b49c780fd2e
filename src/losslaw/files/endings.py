"""What the name of a file may end in."""

from collections.abc import Sequence
from pathlib import Path

from losslaw.errors import InputError

# What names of pictures and of pages end in.
PICTURES = (".png", ".pdf", ".svg")
PAGES = (".html", ".htm")


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


def check_numbers(path: str | None, drawn: Sequence[str] = ()) -> str | None:
    """A name of a file that is to hold numbers or text; ``None``: there is none.

    Args:
        path: The name.
        drawn: Ends of names for which there is a picture instead.

    Raises:
        InputError: it ends as names of pictures and pages do.

    >>> check_numbers("schedule.csv"), check_numbers("f.png", drawn=PICTURES)
    ('schedule.csv', 'f.png')
    """
    ending = "" if path is None else Path(path).suffix.lower()
    if ending in (*PICTURES, *PAGES) and ending not in drawn:
        way = "losslaw plot" if ending in PICTURES else "losslaw report or losslaw whatif"
        raise InputError(f"-o {path}: this file has no picture or page in it; {way} makes one")
    return path
