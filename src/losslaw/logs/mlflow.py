"""What MLflow keeps: a database (``mlflow.db``), or folders with a file for each metric.

The database has a table ``metrics`` with key, value, step and time of all runs; ``params`` has the
settings, ``runs`` the names. In folders it is ``mlruns/EXPERIMENT/RUN/metrics/KEY``, a key with a
``/`` being a path, and each line of such a file is ``time value step``. Deleted runs are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from losslaw.errors import InputError
from losslaw.files import number_in, read_text
from losslaw.logs.databases import is_database, opened
from losslaw.logs.log import Log
from losslaw.logs.metrics import Point, kind_of, log_from_points, number
from losslaw.logs.source import Source

NAME = "MLflow"
LINE = re.compile(r"(\d{10,16}) (\S+) (\d{1,15})")
TABLE = {"key", "value", "timestamp", "run_uuid", "step"}


@dataclass
class _Run:
    """What is read of a run: time, name, step and value of its metrics, and its settings."""

    name: str = ""
    values: list[tuple[int, str, int, float]] = field(
        default_factory=list[tuple[int, str, int, float]]
    )
    seen: set[str] = field(default_factory=set[str])
    settings: dict[str, object] = field(default_factory=dict[str, object])
    broken: int = 0

    def log(self, source: str, label: str | None, loss: str | None = None) -> Log:
        """The run as a log."""
        self.values.sort(key=lambda each: each[0])
        points: list[Point] = [(name, step, value) for _, name, step, value in self.values]
        if len(points) > 2 and not any(step for _, step, _ in points):
            raise InputError(
                f"{source}: all values are at step 0: they were logged without a step;"
                " give one (mlflow.log_metric(..., step=))"
            )
        return log_from_points(
            source, NAME, points,
            seen=self.seen, settings=self.settings, label=label, loss=loss,
            skipped=[("lines that cannot be read", self.broken)],
        )  # fmt: skip


def claims(source: Source) -> bool:
    """A database of MLflow, or the file of one metric."""
    if source.piped:
        return False
    if is_database(source):
        return b"alembic_version" in source.head or _is_ours(source.path)
    lines = source.start.splitlines()
    return bool(lines) and LINE.fullmatch(lines[0]) is not None


def read(source: Source) -> list[Log]:
    """The runs of a database, or the one of a file.

    Raises:
        InputError: damaged, or no losses in it.
    """
    if is_database(source):
        return _logs(source, _database(source.path))
    return [_file(source)]


def folder(path: Path) -> list[Log]:
    """The run in the folder of one; none if it is no such folder, or there is no loss in it."""
    if not (path / "metrics").is_dir() or not (
        (path / "meta.yaml").is_file() or (path / "params").is_dir()
    ):
        return []
    run = _folder(path)
    try:
        return [run.log(str(path), run.name or path.resolve().name)]
    except InputError:
        return []  # the files are tried one by one, and say why


def _logs(source: Source, runs: dict[str, _Run]) -> list[Log]:
    names = [run.name for run in runs.values()]
    logs: list[Log] = []
    problems: list[InputError] = []
    for key, run in runs.items():
        label = run.name or key
        if run.name and names.count(run.name) > 1:
            label = f"{label}-{key}"
        try:
            logs.append(run.log(source.name, label))
        except InputError as error:
            problems.append(error)
    if not logs:
        raise problems[0] if problems else InputError(f"{source.name}: no runs in it")
    return logs


def _is_ours(path: Path) -> bool:
    try:
        with opened(path) as database:
            return database.columns("metrics") >= TABLE
    except InputError:
        return False


def _database(path: Path) -> dict[str, _Run]:
    runs: dict[str, _Run] = {}
    with opened(path) as database:
        if not database.columns("metrics") >= TABLE:
            raise InputError(f"{path}: no table of metrics in this database of MLflow")
        deleted: set[object] = set()
        names: dict[object, str] = {}
        if database.columns("runs") >= {"run_uuid", "name", "lifecycle_stage"}:
            for run, name, stage in database.rows(
                "SELECT run_uuid, name, lifecycle_stage FROM runs"
            ):
                names[run] = str(name or "")
                if stage == "deleted":
                    deleted.add(run)
        is_nan = "is_nan" if "is_nan" in database.columns("metrics") else "0"
        for key, value, time, uuid, step, nan in database.rows(
            f"SELECT key, value, timestamp, run_uuid, step, {is_nan} FROM metrics ORDER BY rowid"
        ):
            if uuid in deleted:
                continue
            run = runs.setdefault(str(uuid), _Run(names.get(uuid, "")))
            _add(run, str(key), "nan" if nan else value, time, step)
        if database.columns("params") >= {"key", "value", "run_uuid"}:
            for key, value, uuid in database.rows("SELECT key, value, run_uuid FROM params"):
                if str(uuid) in runs:
                    runs[str(uuid)].settings[str(key)] = value
    return runs


def _add(run: _Run, key: str, value: Any, time: Any, step: Any) -> None:
    """A value of a run; what is no number is counted."""
    run.seen.add(key)
    if kind_of(key) is None:
        return
    try:
        at = int(step)
        read = number(number_in(str(value)))
        when = int(time)
    except (TypeError, ValueError, OverflowError):
        run.broken += 1
        return
    if 0 <= at < 2**53 and read is not None:
        run.values.append((when, key, at, read))
    else:
        run.broken += 1


def _folder(folder: Path) -> _Run:
    """The run in a folder."""
    run = _Run(_setting(folder / "tags" / "mlflow.runName"))
    for file in _files(folder / "metrics"):
        _lines(run, file.relative_to(folder / "metrics").as_posix(), file)
    for file in _files(folder / "params"):
        run.settings[file.relative_to(folder / "params").as_posix()] = _setting(file)
    return run


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _setting(path: Path) -> str:
    """The text of a small file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(8000).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _lines(run: _Run, key: str, path: Path) -> None:
    """Add the values of one metric."""
    run.seen.add(key)
    if kind_of(key) is None:
        return
    for line in read_text(path).splitlines():
        match = LINE.fullmatch(line.strip())
        if match:
            _add(run, key, match[2], match[1], match[3])
        else:
            run.broken += bool(line.strip())


def _file(source: Source) -> Log:
    """The run around the file of one metric, which is its loss."""
    metrics = next((up for up in source.path.resolve().parents if up.name == "metrics"), None)
    run = _Run() if metrics is None else _folder(metrics.parent)
    key = source.path.name
    if metrics is not None:
        key = source.path.resolve().relative_to(metrics).as_posix()
    if kind_of(key) == "rate":
        raise InputError(
            f"{source.name}: the learning rate of an MLflow run; give the file of its loss, or the"
            " folder of the run"
        )
    if kind_of(key) not in ("train", "validation"):
        raise InputError(f"{source.name}: an MLflow metric that is no loss; give the file of one")
    if metrics is None:
        _lines(run, key, source.path)
    return run.log(source.name, None, key)
