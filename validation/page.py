"""How a page of results is put together: tables, sections, figures."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from rich.progress import track

from losslaw.files import write_bytes
from losslaw.files.pictures import png

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"


def markdown(head: Iterable[str], body: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a table."""
    head = list(head)
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


def sections(makers: Sequence[Callable[[], list[str]]], name: str) -> str:
    """One section after the other, each below the first line of its docstring and the notes there.

    Args:
        makers: What makes the lines of each.
        name: What the progress bar is called.
    """
    text: list[str] = []
    for maker in track(makers, description=name):
        title, _, notes = (maker.__doc__ or "").partition("\n")
        notes = "\n".join(line.strip() for line in notes.strip().splitlines())
        text += [f"## {title}", "", *([notes, ""] if notes else []), *maker(), ""]
    return "\n".join(text)


def save(figure: Figure, name: str) -> None:
    """Write a figure among the images of the pages."""
    write_bytes(IMAGES / name, png(figure, dpi=150))
