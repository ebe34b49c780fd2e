"""``losslaw fleet``: the report, its files, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pytest

import losslaw as ll
from losslaw.cli.main import run

OPTIONS = ["--group-by", "small|large", "--law", "effective", "--jobs", "1"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Two models of two runs each, made by a law, and a log that cannot be read."""
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    for model, irreducible in (("small", 2.8), ("large", 2.5)):
        law = ll.Effective(L0=irreducible, A=0.55, N=45.0)
        for peak in (1e-3, 2e-3):
            schedule = ll.constant(peak=peak, horizon=4000, warmup=200, weight_decay=0.1)
            steps = range(50, 4001, 50)
            loss = law.predict(schedule, steps)
            rows = [
                f"{step},{schedule.lr[step - 1]:.9g},{each:.6f}"
                for step, each in zip(steps, loss, strict=True)
            ]
            text = "\n".join(["step,lr,loss", *rows]) + "\n"
            Path(f"runs/{model}_{peak:g}.csv").write_text(text)
    Path("runs/broken.csv").write_text("step,lr,loss\n1,0.1,?\n")
    return tmp_path


def ok(arguments, capsys):
    assert run(["fleet", *arguments]) == 0
    return capsys.readouterr().out


def test_the_report(here, capsys):
    out = ok(["runs", *OPTIONS], capsys)
    assert "4 runs in 2 groups: loss after a cooldown" in out
    assert "small (2 runs, annealed" in out
    assert "1 left out\n  runs/broken.csv: " in out
    assert max(map(len, out.partition("left out")[0].splitlines())) <= 80
    assert {each.name for each in here.iterdir()} == {"runs"}


def test_the_json_form(here, capsys):
    answer = json.loads(ok(["runs", "--json", *OPTIONS], capsys))
    assert [group["name"] for group in answer["groups"]] == ["large", "small"]
    assert [len(group["runs"]) for group in answer["groups"]] == [2, 2]
    assert answer["left_out"][0]["run"] == "runs/broken.csv"


def test_tables_and_kept_groups(here, capsys):
    assert "saved to t.csv" in ok(["runs", "-o", "t.csv", *OPTIONS], capsys)
    rows = list(csv.DictReader(io.StringIO(Path("t.csv").read_text())))
    assert [row["group"] for row in rows] == ["large", "large", "small", "small", ""]
    assert not Path("t.csv.groups").exists()
    ok(["runs", "-o", "t.json", "--resume", "kept", *OPTIONS], capsys)
    assert len(json.loads(Path("t.json").read_text())["groups"]) == 2
    assert Path("kept").read_text().count("\n") == 3


def test_ctrl_c_says_how_to_go_on(here, capsys, monkeypatch):
    def interrupted(*_, progress, **__):
        progress(1, 2)
        raise KeyboardInterrupt

    monkeypatch.setattr("losslaw.fleets.fleet", interrupted)
    assert run(["fleet", "runs", "-o", "t.csv", *OPTIONS]) == 130
    err = capsys.readouterr().err
    assert "1 of 2 groups are in t.csv.groups; the same command goes on from there" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs/broken.csv"], "no run can be used: runs/broken.csv, line 2"),
        (["runs", "-o", "t.xlsx"], "expected a name that ends in .csv, .json"),
        (["runs", "--over", "soon"], "--over 'soon': expected updates"),
        (["runs", "--on", "cloud"], "on is 'cloud', expected local or ray"),
        (["runs", "--resume", "runs/broken.csv"], "is no file of finished groups"),
    ],
)
def test_bad_input_is_one_line(here, capsys, arguments, message):
    assert run(["fleet", *arguments, *OPTIONS]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
