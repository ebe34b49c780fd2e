"""Figures as small files that are the same each time."""

import io
from pathlib import Path

from matplotlib.figure import Figure

from losslaw.errors import InputError
from losslaw.files.atomic import write_bytes

# What a picture's name may end in.
PICTURES = (".png", ".pdf", ".svg")


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as PNG bytes, without the time of day: the same figure gives the same file.

    Line drawings need few colours: 128 of them make a third of the file.
    """
    from PIL import Image  # comes with matplotlib

    drawn, stream = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    picture = Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    picture.save(stream, format="png", optimize=True)
    return stream.getvalue()


def write_picture(path: str, figure: Figure) -> Path:
    """Write a figure in one step, in the format that the name says; the path.

    Raises:
        InputError: the name ends in something else, or the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURES:
        raise InputError(f"picture {path}: expected a name that ends in {', '.join(PICTURES)}")
    if suffix == ".png":
        return write_bytes(path, png(figure, dpi=150))
    stream = io.BytesIO()
    key = "Date" if suffix == ".svg" else "CreationDate"
    figure.savefig(stream, format=suffix[1:], metadata={key: None})
    return write_bytes(path, stream.getvalue())
