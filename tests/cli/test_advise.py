"""``losslaw advise | profile``: text, JSON, artefacts, and what cannot be asked."""

import json
from pathlib import Path

import numpy as np
import pytest

import losslaw as ll
from losslaw.cli.main import run

LAW = ll.Effective(L0=2.5, A=0.3, N=47.0)
RUN = ll.constant(peak=1e-3, horizon=1500, warmup=50, weight_decay=0.1)
TARGET = "cosine:peak=1e-3,horizon=4500,warmup=50"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    steps = np.arange(50, 1501, 25)
    losses = LAW.predict(RUN, steps) + 5e-4 * rng.normal(size=steps.size)
    rows = [f"{step},0.001,{loss:.5f}" for step, loss in zip(steps, losses, strict=True)]
    text = "\n".join(["# warmup: 50", "# weight_decay: 0.1", "step,lr,loss", *rows])
    Path("stable.csv").write_text(text + "\n")
    return tmp_path


def test_advice_as_text_and_as_a_schedule(here, capsys):
    asked = ["advise", "stable.csv", "--for", TARGET, "--max-updates", "400", "-o", "next.csv"]
    assert run(asked) == 0
    out = capsys.readouterr().out
    first, second = out.splitlines()[:2]
    assert first.startswith("assumed, not confirmed: no rate in these logs has fallen much")
    assert second == "No run here decays: the decay term rests on the prior alone."
    assert "of run 'stable', if you kept it; else" in out
    assert "saved to next.csv; next: losslaw export next.csv" in out
    spec = next(line.split()[1] for line in out.splitlines() if line.startswith("run "))
    made = ll.read_schedule("next.csv")
    np.testing.assert_allclose(made.lr, ll.parse_schedule(spec).lr, rtol=1e-3, atol=1e-6)
    # The text can be pasted: predict and advise read it again.
    assert run(["advise", "stable.csv", "--for", TARGET, "--run", spec, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["best"]["schedule"] == spec
    width = float(out.split("expect    +-")[1].split()[0])
    assert record["best"]["half_width"] == pytest.approx(width, abs=1e-4)


def test_runs_that_are_planned_are_judged(here, capsys):
    asked = [
        "advise",
        "stable.csv",
        "--for",
        TARGET,
        "--for",
        "wsd:peak=1e-3,horizon=1800,warmup=50",
    ]
    planned = [
        "--run",
        "wsd:peak=1e-3,horizon=1000,warmup=50",
        "--run",
        "constant:peak=1e-3,horizon=2000,warmup=50",
    ]
    assert run([*asked, *planned, "--level", "0.5", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [option["updates"] for option in record["options"]] == [200, 500]
    assert record["level"] == 0.5
    assert len(record["losses"]) == 2
    # More of the same rate says little of a decay.
    assert record["options"][1]["half_width"] > record["options"][0]["half_width"]


def test_no_run_to_make_writes_nothing(here, capsys):
    asked = ["advise", "stable.csv", "--for", "constant:peak=1e-3,horizon=1600,warmup=50"]
    assert run([*asked, "--run", TARGET, "-o", "next.csv"]) == 0
    out = capsys.readouterr().out
    assert "No further run helps much" in out
    assert "next.csv was not written: there is no run to make" in out
    assert not Path("next.csv").exists()


def test_profiles_as_text_json_and_file(here, capsys):
    asked = ["profile", "stable.csv", "--of", "alpha,N", "--points", "5"]
    assert run([*asked, "-o", "profiles.json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("alpha of the law 'effective': best ")
    assert "\n\nN of the law 'effective': best " in out
    assert run([*asked, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [item["parameter"] for item in record["profiles"]] == ["alpha", "N"]
    assert record == json.loads(Path("profiles.json").read_text())
    found = record["profiles"][1]
    assert min(found["rise"]) == 0
    assert found["lower"] < 47 < found["upper"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["advise", "stable.csv"], "Missing option '--for'"),
        (["advise", "nowhere.csv", "--for", TARGET], "nowhere.csv"),
        (["advise", "stable.csv", "--for", "wave:peak=1"], "unknown schedule 'wave'"),
        (["advise", "stable.csv", "--for", TARGET, "--shrink", "2"], "shrink is 2, expected"),
        (["advise", "stable.csv", "--for", TARGET, "--level", "90"], "level is 90, expected"),
        (
            ["advise", "stable.csv", "--for", TARGET, "--max-updates", "3"],
            "=, --max-updates)",
        ),
        (["advise", "stable.csv", "--for", TARGET, "--peaks", "1e-3,high"], "--peaks 'high'"),
        (["advise", "stable.csv", "--for", TARGET, "--law", "best"], "best"),
        (["profile", "stable.csv", "--of", ","], "--of names no parameter"),
        (["profile", "stable.csv", "--of", "beta"], "no parameter 'beta': expected one of"),
        (["profile", "stable.csv", "--of", "N", "--points", "1"], "points is 1, expected"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_what_cannot_be_asked_is_one_line(here, capsys, arguments, words):
    assert run([*arguments, *(["-o", "out.json"] if arguments[0] == "profile" else [])]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not Path("out.json").exists()
