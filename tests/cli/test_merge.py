"""``losslaw merge``: text, JSON, what is refused, and checkpoints that are yet to come."""

import json
import re
import shutil
from pathlib import Path

import pytest

import losslaw as ll
from losslaw.cli.main import run

BUNDLED = Path(ll.__file__).parent / "curves" / "bundled"
LAW = ["--law", "effective"]  # without the choice of a law, which takes longer


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A stable run at step 3000, and a run that decayed."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(BUNDLED / "meta.json", tmp_path)
    text = (BUNDLED / "constant_peak3e-3_T12000.csv").read_text()
    Path("stable.csv").write_text("".join(text.splitlines(keepends=True)[:121]))
    shutil.copy(BUNDLED / "wsd-linear-0.2_peak3e-3_T4000.csv", tmp_path)
    return tmp_path


def ok(arguments, capsys):
    assert run(["merge", *arguments]) == 0
    return capsys.readouterr().out


def refused(arguments, capsys):
    assert run(["merge", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_the_report_and_the_saved_record(here, capsys):
    arguments = ["stable.csv", "--checkpoints", "every:100", "--last", "9", *LAW]
    out = ok([*arguments, "-o", "m.json"], capsys)
    assert out.startswith("stable, 9 checkpoints from step 2,200 to 3,000, weights uniform")
    assert re.search(r"merged    1\.\d{4}, 90% interval 1\.\d{4} \.\. 1\.\d{4}", out)
    assert re.search(r"\n +9 +2,200 +1\.\d{4}", out)
    assert "best window: merge the last 9 checkpoints (from step 2,200): 1." in out
    assert out.endswith("saved to m.json\n")
    record = json.loads(Path("m.json").read_text())
    assert record == json.loads(ok([*arguments, "--json"], capsys))
    assert record["lower"] < record["loss"] < record["upper"]
    assert record["loss"] < record["raw"]["loss"] - 0.05
    assert [each["checkpoints"] for each in record["merges"]] == [2, 3, 4, 5, 6, 7, 9]
    assert record["merges"][-1]["decay"]["over"] == 800


def test_the_first_line_says_what_it_rests_on(here, capsys):
    out = ok(["stable.csv", "--checkpoints", "every:200", "--last", "3"], capsys)
    assert out.startswith("assumed, not confirmed: no rate in these logs has fallen much")
    assert "best window, if the laws hold:" in out


def test_given_weights_are_of_all_checkpoints(here, capsys):
    three = ["stable.csv", "--checkpoints", "2400,2700,3000", "--json", *LAW]
    given = json.loads(ok([*three, "--weights", "0.25,0.5,0.25"], capsys))
    named = json.loads(ok([*three, "--weights", "linear"], capsys))
    assert len(given["merges"]) == 1
    assert given["loss"] == pytest.approx(named["loss"], abs=1e-12)


def test_checkpoints_to_come_and_earlier_runs(here, capsys):
    arguments = ["stable.csv", "--checkpoints", "4000,4500,5000", "--json", *LAW]
    alone = json.loads(ok(arguments, capsys))
    assert alone["step"] == 5000
    both = json.loads(ok([*arguments, "--with", "wsd-linear-0.2_peak3e-3_T4000.csv"], capsys))
    assert both["upper"] - both["lower"] < 0.7 * (alone["upper"] - alone["lower"])
    assert "this run and 1 run before it" in both["knowledge"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--checkpoints", "every:0"], "--checkpoints '0': expected steps as in"),
        (["--checkpoints", "soon"], "--checkpoints 'soon': expected steps as in"),
        (["--checkpoints", "every:2000"], "1, expected at least 2 to average"),
        (["--checkpoints", "3000"], "1, expected at least 2 to average"),
        (["--checkpoints", "every:100", "--last", "1"], "the last 1 checkpoints, expected"),
        (["--checkpoints", "every:100", "--weights", "median"], "weights 'median', expected one"),
        (["--checkpoints", "1000,2000", "--weights", "0.5,0.6"], "sum to 1.1, expected 1"),
        (["--checkpoints", "1000,2000", "--final", "1"], "above the rate 0.003"),
        (["--checkpoints", "1000,2000", "--new-data"], "--fit"),
        (["--checkpoints", "1000,2000", "--fit", "no.json"], "no.json"),
    ],
)
def test_what_is_refused_is_said_in_one_line(here, capsys, arguments, message):
    assert message in refused(
        ["stable.csv", *arguments, *LAW][: None if "--fit" not in arguments else -2], capsys
    )
