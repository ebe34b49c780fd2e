"""The page: sections of words, lists, tables, pictures and commands, written as one HTML file.

Names of runs and sentences about them are somebody else's text. All of it goes through the template
(``page.html``), which escapes whatever it is given; control and invisible characters are written
out before that. Pictures are images of their own, in the address of an ``img``: nothing in them can
run, and their letters are outlines. The page asks nothing of any server, and forbids itself to.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losslaw.files import write_text
from losslaw.files.endings import PAGES, check_ending
from losslaw.files.pictures import png, svg
from losslaw.fitting.trust import Trust
from losslaw.text import Report, escaped
from losslaw.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

# Letters of a name or a sentence beyond which its middle is left out.
LONGEST_NAME, LONGEST_SENTENCE = 120, 2000
# Bytes of lines beyond which a picture is made of dots instead, and those of it an inch.
LARGEST_SVG, DPI = 120_000, 240


class Whole(str):
    """A text that is never cut: an address, a command."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells below a header; the first cell of a row is its name.

    Attributes:
        caption: What the rows are.
        header: Titles of the columns.
        rows: Cells, as many in each as there are titles.
        words: Columns of words, which begin at the left; the others are numbers.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    kind: str = "table"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure as the address of an image.

    Attributes:
        address: A ``data:`` address.
        alt: What is seen in it, in words, for those who do not see it.
        caption: What stands below it.
        width: Its own width, in CSS pixels.
        height: Its own height.
    """

    address: Whole
    alt: str
    caption: str
    width: int
    height: int
    kind: str = "picture"

    @classmethod
    def of(cls, figure: "Figure", alt: str, caption: str) -> "Picture":
        """A figure as lines, or as dots where there are too many lines."""
        width, height = (round(96 * float(each)) for each in figure.get_size_inches())
        data, form = svg(figure), "svg+xml"
        if len(data) > LARGEST_SVG:
            data, form = png(figure, dpi=DPI), "png"
        address = Whole(f"data:image/{form};base64,{base64.b64encode(data).decode()}")
        return cls(address=address, alt=alt, caption=caption, width=width, height=height)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Sentences in a list, below a few words."""

    words: str
    sentences: tuple[str, ...]
    kind: str = "list"


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Command lines, each to be copied whole."""

    lines: tuple[Whole, ...]
    kind: str = "commands"


@dataclass(frozen=True, kw_only=True)
class Words:
    """A paragraph."""

    text: str
    kind: str = "words"


Part = Table | Picture | Listed | Commands | Words


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section: its name in the address of the page, its title, its parts."""

    name: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class HtmlReport(Report):
    """A report as a page.

    Attributes:
        title: What it is about.
        trust: What stands behind the fit's answers; ``None`` where one law answers alone.
        doubts: What to know before any of it is used; empty if nothing is doubtful.
        sections: What it says; doubts first.
        path: Where it was written; ``None``: nowhere yet.
    """

    title: str
    trust: Trust | None
    doubts: tuple[str, ...]
    sections: tuple[Section, ...]
    path: str | None = None

    @property
    def html(self) -> str:
        """The page."""
        from markupsafe import Markup

        style = Markup(_ours("page.css"))
        told = {"title": self.title, "trust": self.trust, "sections": self.sections}
        return _template().render(**told, style=style, version=__version__)

    def save(self, path: str | Path) -> "HtmlReport":
        """Write the page in one step; the report that knows where it is.

        Raises:
            InputError: the name does not end in .html, or the file cannot be written.
        """
        check_ending(str(path), PAGES, "report")
        write_text(path, self.html)
        return replace(self, path=str(path))

    def as_dict(self) -> dict[str, object]:
        """The JSON form: where the page is, and what it says first."""
        return {
            "report": self.path,
            "title": self.title,
            "trust": None if self.trust is None else self.trust.as_dict(),
            "doubts": list(self.doubts),
            "sections": [{"name": each.name, "title": each.title} for each in self.sections],
        }

    def __str__(self) -> str:
        """What to doubt, and what the page holds."""
        doubts = self.doubts or ("nothing is doubtful",)
        return "\n".join(
            [
                self.title,
                *[f"  {each}" for each in doubts],
                f"sections: {', '.join(each.title.lower() for each in self.sections)}",
            ]
        )

    def _repr_html_(self) -> str:
        from markupsafe import escape

        style = "width:100%;height:40em;border:0"
        return (
            f'<iframe title="report" sandbox style="{style}" srcdoc="{escape(self.html)}"></iframe>'
        )


def cut(text: str, most: int = LONGEST_NAME) -> str:
    """A text in one line, without its middle if it is too long.

    >>> cut("a name\\n" + 200 * "x", 12)
    'a name…xxxxx'
    """
    text = escaped(text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[len(text) - most // 2 + 1 :]}"


def table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: Sequence[int] = (0,),
) -> Table:
    """A table; see `Table`."""
    return Table(
        caption=caption, header=tuple(header), rows=tuple(map(tuple, rows)), words=tuple(words)
    )


def _shown(value: Any) -> Any:
    """What the template writes, before it is escaped: in one line, none longer than a page."""
    if isinstance(value, Whole):
        return escaped(value)
    return cut(value, LONGEST_SENTENCE) if type(value) is str else value


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(_ours("page.html"))


def _ours(name: str) -> str:
    """A file beside this one."""
    return (files("losslaw.reporting") / name).read_text(encoding="utf-8")
