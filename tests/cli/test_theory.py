import json

import pytest

from losslaw.cli.main import run

BASE = ["theory", "--source", "0.5", "--capacity", "4", "--budget", "1e9"]


def test_table_names_regime_formula_and_source(capsys):
    assert run([*BASE, "--schedule", "wsd"]) == 0
    out = capsys.readouterr().out
    for words in ("hard regime", "D^(-s)", "cooldown", "arXiv:2509.19189", "Th 4."):
        assert words in out


@pytest.mark.parametrize("flag", ["--data", "--compute"])
def test_json_has_every_relation(capsys, flag):
    assert run([*BASE, flag, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["regime"]["name"] == "hard"
    assert document["limited"] == flag[2:]
    names = [result["schedule"] for result in document["schedules"]]
    assert names == ["wsd-power", "wsd", "power", "exponential", "constant"]
    assert [rank["schedule"] for rank in document["ranking"]] == names
    tied = [rank["exact_risk"] for rank in document["ranking"][:3]]
    assert tied == sorted(tied)
    assert document["schedules"][4]["risk"]["formula"].startswith("C" if "c" in flag else "D")
    assert bool(document["best"]) == (flag == "--data")


def test_shapes_and_floors(capsys):
    assert run([*BASE, "--schedule", "cosine", "--floor", "0.1"]) == 0
    out = capsys.readouterr().out
    assert "uses capacity 1 of 4" in out
    assert "the floor decides only beyond" in out


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--schedule", "cosin"], "unknown schedule 'cosin', expected one of: constant"),
        (["--capacity", "1"], "capacity is 1, expected a finite number above 1"),
        (["--source", "-1"], "source is -1, expected a finite number above 0"),
        (["--difficulty", "2"], "give one of --source s and --difficulty alpha"),
        (["--noise", "-1"], "noise is -1, expected a standard deviation"),
        (["--budget", "1"], "budget is 1, expected a finite number above e"),
        (["--floor", "0.1"], "add --schedule power"),
        (["--schedule", "wsd", "--exponent", "2"], "exponent is for the power schedule"),
    ],
)
def test_bad_input_is_one_line_and_status_two(capsys, extra, message):
    assert run([*BASE, *extra]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
