"""Projects of trackio."""

import sqlite3
from pathlib import Path

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

DATABASE = Path(__file__).parent / "data" / "trackio" / "losses.db"
OLD = "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step, metrics)"


def loss(step):  # as in scripts/log_fixtures.py
    return 2.0 + 6.0 / (1 + step / 20)


def test_two_runs_of_a_project():
    logs = {log.label: log for log in read_logs(DATABASE)}
    assert sorted(logs) == ["first", "second"]
    for name, shift in (("first", 0.0), ("second", 0.5)):
        log = logs[name]
        assert (log.format, log.horizon, log.facts.weight_decay) == ("trackio", 400, 0.1)
        assert log.table.columns["step"] == [str(step) for step in range(0, 401, 20)]
        assert list(log.table.numbers("train/loss")) == [
            loss(step) + shift for step in range(0, 401, 20)
        ]
        assert log.table.columns["val/loss"][-1] == "inf"
    labels = [curve.label for curve in read_curves(DATABASE)]
    assert labels == ["losses/first", "losses/second"]


def test_a_database_of_an_older_version_with_rows_that_are_none(tmp_path):
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as writer:
        writer.execute(OLD)
        for k, text in enumerate(('{"loss": 3.0}', "{", "[1]", None, '{"loss": 2.5}')):
            writer.execute("INSERT INTO metrics VALUES (?, '', 'run', ?, ?)", (k, k, text))
    writer.close()
    (log,) = read_logs(path)
    assert (log.label, log.table.columns["step"]) == ("run", ["0", "4"])
    assert log.skipped == (("rows that cannot be read", 3),)


def test_no_losses(tmp_path):
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as writer:
        writer.execute(OLD)
    writer.close()
    with pytest.raises(InputError, match="no runs in it"):
        read_logs(path)
