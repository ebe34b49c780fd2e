"""SQLite databases of trackers, read and never written.

A database is opened read-only and as it stands (``immutable``), so that nothing appears beside it.
Where its last changes are still in a write-ahead log, both are copied and the copy is read. What is
in a database may have been written by anybody: tables only, not views, and no more work than its
size can explain.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from losslaw.errors import InputError
from losslaw.logs.source import Source
from losslaw.text import shown

MAGIC = b"SQLite format 3\0"
# Steps of SQLite's machine between two looks at the count, and how many a byte is worth: a full
# pass over a table takes about one for every two bytes.
BETWEEN = 100_000
STEPS_PER_BYTE = 20


class Database:
    """The tables of an open database."""

    def __init__(self, name: str, connection: sqlite3.Connection):
        self.name = name
        self._connection = connection
        self._columns: dict[str, set[str]] = {}

    def columns(self, table: str) -> set[str]:
        """Names of the columns of a table; none if there is no such table."""
        if table not in self._columns:
            there = self._connection.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
            ).fetchone()
            found = self._connection.execute(f"PRAGMA table_info({table})") if there else ()
            self._columns[table] = {str(row[1]) for row in found}
        return self._columns[table]

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        """The rows of a query, one after the other."""
        yield from self._connection.execute(query)


def is_database(source: Source) -> bool:
    """Whether a file begins like one."""
    return not source.piped and source.head.startswith(MAGIC)


@contextmanager
def opened(path: Path) -> Generator[Database]:
    """The database in a file.

    Raises:
        InputError: damaged, locked away, or more work than it can be.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            size = path.stat().st_size
            waiting = path.with_name(f"{path.name}-wal")
            if waiting.is_file() and waiting.stat().st_size:
                size += waiting.stat().st_size
                copy = Path(folder, "copy.db")
                shutil.copyfile(path, copy)
                shutil.copyfile(waiting, copy.with_name(f"{copy.name}-wal"))
                uri = copy.as_uri()
            else:
                uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                _limit(connection, size)
                yield Database(str(path), connection)
        # Names of columns in a damaged schema are not decoded by the text factory.
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: a damaged database ({shown(str(error), 200)})") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _limit(connection: sqlite3.Connection, size: int) -> None:
    """No cell longer than the file, no text that is none, no work without end."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(min(size, 2**30), 10_000))
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    left = 10_000_000 + STEPS_PER_BYTE * size

    def stop() -> bool:
        nonlocal left
        left -= BETWEEN
        return left < 0

    connection.set_progress_handler(stop, BETWEEN)
