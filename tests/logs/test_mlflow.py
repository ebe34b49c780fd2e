"""Runs of MLflow, in a database and in folders."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

DATA = Path(__file__).parent / "data" / "mlflow"
DATABASE, FOLDERS = DATA / "mlflow.db", DATA / "mlruns"


def loss(step):  # as in scripts/log_fixtures.py
    return 2.0 + 6.0 / (1 + step / 20)


@pytest.mark.parametrize("path", [DATABASE, FOLDERS], ids=["database", "folders"])
def test_two_runs(path):
    logs = {log.label: log for log in read_logs(path)}
    assert sorted(logs) == ["first", "second"]
    for name, shift in (("first", 0.0), ("second", 0.5)):
        log = logs[name]
        assert log.format == "MLflow"
        assert (log.horizon, log.facts.weight_decay, log.facts.lr_is) == (400, 0.1, "next")
        assert log.table.columns["step"] == [str(step) for step in range(0, 401, 40)]
        assert list(log.table.numbers("train/loss")) == [
            loss(step) + shift for step in range(0, 401, 40)
        ]
        assert log.table.columns["val/loss"] == [None] * 10 + ["nan"]
    ends = {curve.label.rpartition("/")[2]: len(curve) for curve in read_curves(path)}
    assert ends == {"first": 10, "second": 10}


def test_the_file_of_one_metric_brings_its_run_along():
    run = FOLDERS / "1" / ("0" * 32)
    (log,) = read_logs(run / "metrics" / "train" / "loss")
    assert (log.columns.loss, log.columns.lr, log.horizon) == ("train/loss", "lr", 400)
    with pytest.raises(InputError, match="the learning rate of an MLflow run; give the file of"):
        read_logs(run / "metrics" / "lr")


def test_a_file_of_one_metric_alone(tmp_path):
    path = tmp_path / "loss"
    path.write_text("1700000000000 3.5 10\n1700000000001 3.25 20\n17000000000\nx y z\n")
    (log,) = read_logs(path)
    assert (log.table.columns["loss"], log.columns.lr) == (["3.5", "3.25"], None)
    assert log.skipped == (("lines that cannot be read", 2),)


def test_nothing_appears_beside_the_database_and_it_stays_as_it_was(tmp_path):
    path = tmp_path / "mlflow.db"
    shutil.copy(DATABASE, path)
    path.chmod(0o444)
    read_logs(path)
    assert [file.name for file in tmp_path.iterdir()] == ["mlflow.db"]
    assert path.read_bytes() == DATABASE.read_bytes()


def test_what_waits_in_the_write_ahead_log_is_read_too(tmp_path):
    path = tmp_path / "mlflow.db"
    shutil.copy(DATABASE, path)
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE metrics SET value = 1.5 WHERE key = 'train/loss' AND step = 400")
        writer.commit()
        files = {
            file.name: file.read_bytes() for file in tmp_path.iterdir() if "shm" not in file.name
        }
        assert all(log.table.columns["train/loss"][-1] == "1.5" for log in read_logs(path))
        assert all((tmp_path / name).read_bytes() == was for name, was in files.items())
    writer.close()


def test_deleted_runs_are_left_out(tmp_path):
    path = tmp_path / "mlflow.db"
    shutil.copy(DATABASE, path)
    with sqlite3.connect(path) as writer:
        writer.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'first'")
    writer.close()
    assert [log.label for log in read_logs(path)] == ["second"]


def test_values_without_steps(tmp_path):
    path = tmp_path / "loss"
    path.write_text("".join(f"170000000000{k} 3.5 0\n" for k in range(5)))
    with pytest.raises(InputError, match="all values are at step 0: they were logged without a"):
        read_logs(path)


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE TABLE other (a)",
        "CREATE TABLE metrics (key, value, timestamp, run_uuid, step)",
        "CREATE TABLE metrics (key, value, timestamp, run_uuid, step);"
        " INSERT INTO metrics VALUES ('loss', 'text', 1, 'a', 1), (x'ff', NULL, NULL, NULL, -1)",
        "CREATE VIEW metrics (key, value, timestamp, run_uuid, step) AS WITH RECURSIVE n(i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'loss', i, i, 'a', i FROM n",
        "CREATE TABLE metrics (key, value, run_uuid, step, timestamp AS"
        " (length(zeroblob(1000000000)))); INSERT INTO metrics VALUES ('loss', 1, 'a', 1)",
    ],
)
def test_databases_with_something_else_in_them(tmp_path, schema):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as writer:
        writer.executescript(schema)
    writer.close()
    with pytest.raises(InputError) as caught:
        read_logs(path)
    assert "\n" not in str(caught.value)
