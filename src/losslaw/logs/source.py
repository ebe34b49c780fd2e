"""A file, or a text that might be one, to be recognised.

Its first bytes are there at once, its text when a format asks for it.
"""

import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from losslaw.errors import TooShort
from losslaw.files import Table, decoded, is_long, long_table, parse_table, read_text

PIPE = "standard input"  # what messages call it
# Bytes that a format may look at before it claims a file: first few, for that is enough for nearly
# all; then more, for a trainer may print its source code, all its settings or pages of warnings
# before the first line that tells what it is.
HEAD = 65536
LONG_HEAD = 1 << 22

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Source:
    """A file, or standard input for ``-``.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".log") as file:
    ...     _ = file.write(b"\\x1b[32mstep 1\\x1b[0m\\nstep 2\\n")
    ...     file.flush()
    ...     Source(file.name).lines
    ['step 1', 'step 2']
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.piped = str(path) == "-"
        self.name = PIPE if self.piped else str(self.path)
        self._looks_at = HEAD

    @classmethod
    def of_text(cls, name: str, text: str) -> "Source":
        """A text that is in no file, with the name that messages call it.

        Raises:
            TooShort: there is nothing in it.
        """
        if not text.strip():
            raise TooShort(f"{name}: it is empty")
        source = cls("-")
        source.name, source.text = name, text
        return source

    @cached_property
    def head(self) -> bytes:
        """The first bytes; empty where there are none to be read."""
        if self.piped:
            return self.text[: self._looks_at].encode()
        try:
            with self.path.open("rb") as file:
                return file.read(self._looks_at)
        except (OSError, ValueError):
            return b""  # whoever reads it says why

    def look_further(self) -> bool:
        """Make ``head`` and ``start`` longer; ``False`` if there is no more to be seen."""
        if self._looks_at > HEAD or len(self.head) < HEAD:
            return False
        self._looks_at = LONG_HEAD
        for name in ("head", "start"):
            self.__dict__.pop(name, None)
        return True

    @cached_property
    def text(self) -> str:
        """The whole text.

        Raises:
            InputError: missing, a folder, unreadable, not text, or empty.
        """
        return read_text(self.path if not self.piped else "-")

    def table(self, wanted: Callable[[str], bool]) -> Table:
        """The table in the file; of a long one only the columns that are wanted, and no text.

        Raises:
            InputError: there is none.
        """
        if "text" not in self.__dict__ and not self.piped and is_long(self.path):
            return long_table(self.path, wanted)
        return parse_table(self.plain, self.name)

    @cached_property
    def plain(self) -> str:
        """The text, colour codes of terminals taken out."""
        text = self.text
        return ANSI.sub("", text) if "\x1b" in text else text

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, colour codes of terminals taken out."""
        return self.plain.splitlines()

    @cached_property
    def start(self) -> str:
        """The first bytes as text, colour codes taken out; what is no text is replaced."""
        return ANSI.sub("", decoded(self.head, "replace"))
