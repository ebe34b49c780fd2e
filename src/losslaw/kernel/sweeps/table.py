"""The table of a sweep: rows as they finish, whole or not at all, sorted at the end.

Every row carries the key of its job. While a sweep runs, rows are appended in the order in which
they finish and flushed one by one; a row that a crash cut in half has no line end and is dropped
when the sweep goes on. When all is done the table is written once more, in the order of the grid,
in one step: who ran the jobs, where, and how often it was interrupted leaves no trace in it.
"""

import csv
import dataclasses
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.version import __version__

try:  # not on Windows; there two sweeps into one table are not told apart
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None

Row = list[str]


def job_key(job: Any) -> str:
    """A short name for a job: equal for equal records of one version of the package, only then."""
    record = {"type": type(job).__qualname__, "version": __version__, **_inputs(job)}
    text = json.dumps(record, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _inputs(job: Any) -> dict[str, Any]:
    """The fields of a job as they are: no copies of what they hold."""
    return {field.name: getattr(job, field.name) for field in dataclasses.fields(job)}


def cell(value: object) -> str:
    """A value as text that keeps every digit and fits on one line."""
    if value is None:
        return ""
    if isinstance(value, float):
        # 1000.0 modes and 1000 modes are one job to a reader.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return " ".join(str(value).split())


class SweepTable:
    """A table on disk that is open for one sweep; use as a context manager.

    Args:
        path: Where it is, or will be.
        jobs: All jobs of the sweep in their order, frozen dataclasses of one type.
        columns: Names of the results.

    Raises:
        InputError: the file is something else, belongs to another sweep, or is being written.
    """

    def __init__(self, path: str | Path, jobs: Sequence[Any], columns: Sequence[str]):
        self.path = Path(path)
        self.keys = [job_key(job) for job in jobs]
        self.jobs = jobs
        self.columns = tuple(columns)
        names = [field.name for field in dataclasses.fields(jobs[0])]
        self.header = ["job", *names, "status", *self.columns]
        self.rows: dict[str, Row] = {}

    def __enter__(self) -> "SweepTable":
        if self.path.is_dir():
            raise InputError(f"cannot write {self.path}: it is a folder; name a file inside it")
        self._begun = not self.path.exists() or self.path.stat().st_size == 0
        if self._begun:
            write_text(self.path, _line(self.header))
        try:
            self._stream = self.path.open("r+", encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}") from None
        try:
            self._lock()
            self._resume()
        except BaseException:
            self._stream.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.close()
        if kind is not None and self._begun and not self.rows:
            self.path.unlink(missing_ok=True)  # a sweep that never began leaves nothing

    def done(self, index: int) -> bool:
        """Whether a job has its row already."""
        return self.keys[index] in self.rows

    def add(self, index: int, status: str, results: Mapping[str, object]) -> None:
        """Append the row of a job and flush it.

        Args:
            index: Which job.
            status: ``ok``, or the sentence that refused it.
            results: Results by column; a missing one is an empty cell.
        """
        inputs = _inputs(self.jobs[index])
        row = [self.keys[index], *map(cell, inputs.values()), cell(status)]
        row += [cell(results.get(name)) for name in self.columns]
        self.rows[self.keys[index]] = row
        self._stream.write(_line(row))
        self._stream.flush()

    def refused(self) -> int:
        """Rows whose job was refused."""
        status = self.header.index("status")
        return sum(row[status] != "ok" for row in self.rows.values())

    def finish(self) -> None:
        """Write the whole table once more, in the order of the jobs."""
        rows = [self.rows[key] for key in dict.fromkeys(self.keys) if key in self.rows]
        write_text(self.path, "".join(map(_line, [self.header, *rows])))

    def _lock(self) -> None:
        if fcntl is None:  # pragma: no cover
            return
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"{self.path} is being written by another sweep: wait for it, or name another file"
            ) from None

    def _resume(self) -> None:
        text = self._stream.read()
        whole = text[: text.rfind("\n") + 1]
        rows = list(csv.reader(io.StringIO(whole)))
        if not rows or rows[0] != self.header:
            raise InputError(
                f"{self.path} is not a table of this sweep: its first line is not"
                f" '{_line(self.header).strip()}'; name another file"
            )
        known = set(self.keys)
        for number, row in enumerate(rows[1:], start=2):
            if len(row) != len(self.header):
                raise InputError(
                    f"{self.path}, line {number}: {len(row)} cells, expected {len(self.header)};"
                    " delete the line to run its job again"
                )
            if row[0] not in known:
                raise InputError(
                    f"{self.path}, line {number}: a row of another sweep or version; name another"
                    " file, or delete this one to start again"
                )
            self.rows[row[0]] = row
        # Cut off a row without a line end only now that the file is known to be ours.
        self._stream.seek(len(whole.encode("utf-8")))
        self._stream.truncate()


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
