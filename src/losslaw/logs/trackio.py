"""Databases of trackio, one a project: ``PROJECT.db`` in its folder.

The table ``metrics`` has for each row the run, the step and a JSON object of metrics; ``configs``
has the settings of each run. The step counts rows unless the user gave it; trainers that log a
count of updates of their own mean that one.
"""

from typing import Any

from losslaw.errors import InputError
from losslaw.logs.databases import Database, is_database, opened
from losslaw.logs.json_lines import json_object
from losslaw.logs.log import Log
from losslaw.logs.metrics import log_from_rows
from losslaw.logs.source import Source

NAME = "trackio"
TABLE = {"id", "run_name", "step", "metrics"}


def claims(source: Source) -> bool:
    """A database whose table of metrics is trackio's."""
    if not is_database(source):
        return False
    try:
        with opened(source.path) as database:
            return database.columns("metrics") >= TABLE
    except InputError:
        return False


def read(source: Source) -> list[Log]:
    """The runs of a project.

    Raises:
        InputError: damaged, or no losses in it.
    """
    rows: dict[tuple[object, str], list[dict[str, object]]] = {}
    broken: dict[tuple[object, str], int] = {}
    with opened(source.path) as database:
        run_id = _id(database, "metrics")
        for run, name, step, text in database.rows(
            f"SELECT {run_id}, run_name, step, metrics FROM metrics ORDER BY id"
        ):
            key = (run, str(name))
            metrics = _object(text)
            if metrics is None:
                broken[key] = broken.get(key, 0) + 1
            else:
                rows.setdefault(key, []).append({**metrics, "_step": step})
        settings: dict[tuple[object, str], dict[str, object]] = {}
        if database.columns("configs") >= {"run_name", "config"}:
            for run, name, text in database.rows(
                f"SELECT {_id(database, 'configs')}, run_name, config FROM configs"
            ):
                settings[run, str(name)] = _object(text) or {}
    names = [name for _, name in rows]
    logs: list[Log] = []
    problems: list[InputError] = []
    for (run, name), found in rows.items():
        label = name if names.count(name) == 1 else f"{name}-{run}"
        try:
            logs.append(
                log_from_rows(
                    source.name,
                    NAME,
                    found,
                    settings=settings.get((run, name)),
                    label=label,
                    skipped=[("rows that cannot be read", broken.get((run, name), 0))],
                )
            )
        except InputError as error:
            problems.append(error)
    if not logs:
        raise problems[0] if problems else InputError(f"{source.name}: no runs in it")
    return logs


def _id(database: Database, table: str) -> str:
    """Runs were told apart by their names in the first versions."""
    return "run_id" if "run_id" in database.columns(table) else "NULL"


def _object(text: object) -> dict[str, Any] | None:
    """A JSON object, kept as text or as bytes; ``None`` if it is none."""
    return json_object(text) if isinstance(text, str | bytes) else None
