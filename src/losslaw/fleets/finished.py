"""A file that keeps what is finished of a long piece of work, so that it can go on after an end.

One line a record, in JSON, each with the key of its part of the work; appended and flushed as they
come. A line that an end cut in half is dropped. Records of other work stay as they are.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from losslaw.errors import InputError
from losslaw.files import write_text

# The first line of such a file, so that no other file is taken for one.
HEADER = '{"losslaw": "finished groups"}\n'


class Finished:
    """Records by key; use as a context manager.

    Args:
        path: The file, begun if it is missing; ``None``: nothing is kept.

    Raises:
        InputError: the file is something else, or cannot be written.
    """

    def __init__(self, path: str | Path | None):
        self.path = None if path is None else Path(path)
        self.records: dict[str, Mapping[str, Any]] = {}
        self._stream: TextIO | None = None

    def __enter__(self) -> "Finished":
        if self.path is None:
            return self
        if not self.path.exists():
            write_text(self.path, HEADER)
        try:
            text = self.path.read_text(encoding="utf-8")
            whole = text[: text.rfind("\n") + 1]
            lines = whole.splitlines()
            if not whole.startswith(HEADER):
                raise ValueError
            records = [json.loads(line) for line in lines[1:]]
            self.records = {record["key"]: record["group"] for record in records}
            self._stream = self.path.open("r+", encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{self.path} is no file of finished groups: name another, or delete it to start"
                " again"
            ) from None
        self._stream.seek(len(whole.encode("utf-8")))
        self._stream.truncate()
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep a record."""
        if self._stream is not None:
            self._stream.write(json.dumps({"key": key, "group": record}) + "\n")
            self._stream.flush()
