"""Figures as small files that are the same each time."""

import io
import re
import warnings
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from losslaw.files.atomic import write_bytes
from losslaw.files.endings import PICTURES, check_ending

# Dots an inch of a picture that is written for somebody: a column of a paper is 1,000 wide.
DPI = 300
# Of files for somebody: TrueType fonts, as journals ask for, and letters as text.
TEXT: Any = {"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "losslaw"}


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as PNG bytes, without the time of day: the same figure gives the same file.

    Line drawings need few colours: 128 of them make a third of the file.
    """
    from PIL import Image  # comes with matplotlib

    stream = io.BytesIO()
    drawn = _saved(figure, format="png", dpi=dpi)
    picture = Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    picture.save(stream, format="png", optimize=True)
    return stream.getvalue()


def svg(figure: Figure) -> bytes:
    """A figure as SVG bytes, without the time of day; letters are outlines, not text."""
    import matplotlib

    # Names inside the file come from what is drawn, not from chance; no text stands beside its
    # outlines.
    with matplotlib.rc_context({"svg.hashsalt": "losslaw", "svg.fonttype": "path"}):
        data = _saved(figure, format="svg", metadata={"Date": None}, transparent=True).getvalue()
    return re.sub(rb"<!--.*?-->\s*", b"", data, flags=re.S)


def write_picture(path: str, figure: Figure) -> Path:
    """Write a figure in one step, in the format that the name says; the path.

    What is written in .pdf and .svg is text, which can be searched, copied and edited.

    Raises:
        InputError: the name ends in something else, or the file cannot be written.
    """
    suffix = check_picture(path)
    if suffix == ".png":
        return write_bytes(path, png(figure, dpi=DPI))
    import matplotlib

    key = "Date" if suffix == ".svg" else "CreationDate"
    with matplotlib.rc_context(TEXT):
        stream = _saved(figure, format=suffix[1:], metadata={key: None})
    return write_bytes(path, stream.getvalue())


def check_picture(path: str) -> str:
    """The end of a picture's name.

    Raises:
        InputError: it is not one of `PICTURES`.
    """
    return check_ending(path, PICTURES, "picture")


def _saved(figure: Figure, **how: Any) -> io.BytesIO:
    """A figure as bytes. Letters that the font has not are drawn as boxes, in silence."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(stream, **how)
    stream.seek(0)
    return stream
