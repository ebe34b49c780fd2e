"""Where output goes: streams that are closed, or that cannot say every character."""

import codecs
import io
import os
import sys
from pathlib import Path

# What stands for characters that an encoding lacks.
PLAIN = {"\xb1": "+-", "\u2013": "-", "\u2014": "-", "\u2026": "...", "\xd7": "x", "\u2019": "'"}
ERRORS = "losslaw.plain"


def open_streams() -> None:
    """Make standard output and error take whatever is written.

    What is closed swallows it; an encoding other than UTF has another character for some, and
    escapes for all others.
    """
    codecs.register_error(ERRORS, _plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors=ERRORS)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missed = error.object[error.start : error.end]
    escaped = missed.encode("ascii", "backslashreplace").decode("ascii")
    plain = "".join(PLAIN.get(each, "") for each in missed)
    return (plain if all(each in PLAIN for each in missed) else escaped), error.end
