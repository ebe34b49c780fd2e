"""``losslaw annealed``: text, JSON, tables, pictures, and what is refused."""

import json
from pathlib import Path

import pytest

import losslaw as ll
from losslaw.cli.main import run

LAW = ["--law", "effective"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Two stable runs at two peaks, made by a law."""
    monkeypatch.chdir(tmp_path)
    law = ll.Effective(L0=2.5, A=0.55, N=45.0)
    for name, peak in (("low", 1e-3), ("high", 2e-3)):
        schedule = ll.constant(peak=peak, horizon=4000, warmup=200, weight_decay=0.1)
        steps = range(50, 4001, 50)
        loss = law.predict(schedule, steps)
        rows = [
            f"{step},{schedule.lr[step - 1]:.9g},{each:.6f}"
            for step, each in zip(steps, loss, strict=True)
        ]
        Path(f"{name}.csv").write_text("\n".join(["step,lr,loss", *rows]) + "\n")
    return tmp_path


def ok(arguments, capsys):
    assert run(["annealed", *arguments]) == 0
    return capsys.readouterr().out


def test_the_report(here, capsys):
    out = ok(["low.csv", "high.csv", *LAW], capsys)
    assert "loss after a cooldown (linear to 0 over 20 % of the updates so far)" in out
    assert "low against high, both from step 4,000:" in out
    assert "low  " in out
    assert "800" in out


def test_the_json_form(here, capsys):
    answer = json.loads(ok(["low.csv", "high.csv", "--over", "500", "--json", *LAW], capsys))
    assert {"label", "at", "over", "loss", "lower", "upper", "raw"} <= set(answer["runs"][0])
    assert {"a", "b", "difference", "lower", "upper", "verdict"} <= set(answer["pairs"][0])
    assert "trust" in answer
    assert [each["over"] for each in answer["runs"]] == [500, 500]
    shares = [
        json.loads(ok(["low.csv", "--over", text, "--json", *LAW], capsys))
        for text in ("25%", "0.25")
    ]
    assert [each["runs"][0]["over"] for each in shares] == [1000, 1000]


def test_tables_and_pictures_are_saved(here, capsys):
    for name in ("out.csv", "out.json", "out.png", "out.svg", "out.pdf"):
        assert f"saved to {name}" in ok(["low.csv", "high.csv", "-o", name, *LAW], capsys)
        assert Path(name).stat().st_size > 500
    assert Path("out.csv").read_text().startswith("label,at,loss,lower,upper,raw\n")
    assert json.loads(Path("out.json").read_text())["runs"][0]["path"]["at"][-1] == 4000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["low.csv", "--over", "soon"], "--over 'soon': expected updates, as 2000"),
        (["low.csv", "-o", "out.txt"], "expected a name that ends in .csv, .json, .png"),
        (["low.csv", "--at", "9000"], "ends at step 4,000"),
        (["low.csv", "--against", "x"], "no run of that name, but low"),
    ],
)
def test_bad_input_is_one_line(here, capsys, arguments, message):
    assert run(["annealed", *arguments, *LAW]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_the_shape_of_the_cooldown(here, capsys):
    answers = {
        shape: json.loads(ok(["low.csv", "--shape", shape, "--json", *LAW], capsys))["runs"][0]
        for shape in ("linear", "1-sqrt")
    }
    assert answers["linear"]["loss"] != answers["1-sqrt"]["loss"]


def test_updates_where_a_share_seems_to_be_meant_are_asked_about(here, capsys):
    assert run(["annealed", "low.csv", "--over", "20", *LAW]) == 0
    assert "a share of them is --over 20%" in capsys.readouterr().err
    assert run(["annealed", "low.csv", "--over", "20%", *LAW]) == 0
    assert capsys.readouterr().err == ""
