import csv
import json

import pytest

from losslaw.cli.main import run

TOML = """
[problem]
source = [0.5, 1.0]
capacity = 2.0
modes = 30

[run]
schedule = "constant:peak={peak},horizon=40"
runs = 3

[values]
peak = [0.1, 0.9]
"""


@pytest.fixture
def sweep_file(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(TOML)
    return str(path)


def test_sweep_writes_and_continues_a_table(sweep_file, tmp_path, capsys):
    table = tmp_path / "t.csv"
    assert run(["sweep", sweep_file, "-o", str(table), "--jobs", "2"]) == 0
    assert "4 rows in" in capsys.readouterr().out
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["source"], row["schedule"].split(",")[0][-3:]) for row in rows] == [
        ("0.5", "0.1"),
        ("0.5", "0.9"),
        ("1", "0.1"),
        ("1", "0.9"),
    ]
    # Beyond the largest stable rate the row says so, and has no numbers.
    assert [row["status"] == "ok" for row in rows] == [True, False, True, False]
    assert "not stable" in rows[1]["status"]
    assert rows[1]["risk"] == ""
    assert float(rows[0]["risk"]) == float(rows[0]["excess_risk"]) + 0.5
    assert run(["sweep", sweep_file, "-o", str(table), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["rows"], document["new"], document["refused"]) == (4, 0, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.toml", "-o", "t.csv"], "missing.toml: no such file"),
        (["{file}"], "Missing option"),
        (["{file}", "-o", "{folder}"], "is a folder"),
        (["{file}", "-o", "{folder}/t.csv", "--on", "moon"], "on is 'moon', expected local or ray"),
        (["{file}", "-o", "{folder}/t.csv", "--jobs", "0"], "expected at least 1"),
        (["{file}", "-o", "{file}"], "is not a table of this sweep"),
    ],
)
def test_bad_calls_are_one_line_and_status_two(sweep_file, tmp_path, capsys, arguments, message):
    filled = [a.format(file=sweep_file, folder=tmp_path) for a in arguments]
    assert run(["sweep", *filled]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_ctrl_c_says_how_to_go_on(sweep_file, tmp_path, capsys, monkeypatch):
    def interrupted(*_, tick, **__):
        tick(2, 4)
        raise KeyboardInterrupt

    monkeypatch.setattr("losslaw.kernel.sweeps.sweep", interrupted)
    assert run(["sweep", sweep_file, "-o", "t.csv"]) == 130
    err = capsys.readouterr().err
    assert "2 of 4 rows are in t.csv; the same command goes on from there" in err
