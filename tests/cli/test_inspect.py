"""``losslaw inspect``: the table, the JSON, one line for what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from losslaw.cli.main import run
from losslaw.schedules import format_schedule, parse_schedule, wsd

SPEC = "wsd:peak=0.003,horizon=1000,warmup=50,cooldown=0.3,decay=1-sqrt"


@pytest.fixture
def log(tmp_path):
    lr = parse_schedule(SPEC).lr
    rows = "".join(f"{k},{lr[k - 1]:.8g},{2 + 1 / k}\n" for k in range(10, 1001, 10))
    path = tmp_path / "run.csv"
    path.write_text(f"# warmup: 50\n# weight_decay: 0.1\n# batch: 8\nstep,lr,loss\n{rows}")
    return path


def test_the_json_of_a_run(log, capsys):
    assert run(["inspect", str(log), "--json", "--model-size", "1e6"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["curves"]
    assert found.pop("deviation") < 1e-6
    assert found.pop("final_lr") == 0
    assert found.pop("final_loss") == pytest.approx(2.001, abs=1e-4)
    assumptions = found.pop("assumptions")
    assert any("1-sqrt decay that passes through all" in sentence for sentence in assumptions)
    assert found == {
        "label": "run",
        "format": "table (CSV, TSV or JSON lines)",
        "points": 100,
        "first_step": 10,
        "last_step": 1000,
        "first_loss": pytest.approx(4.0, abs=2),
        "last_loss": pytest.approx(2, abs=1e-2),
        "horizon": 1000,
        "planned": None,
        "loss_is": "instant",
        "unit": "nats per token, assumed",
        "window": None,
        "lr_is": "used",
        "losses": ["loss"],
        "skipped": [],
        "peak_lr": 0.003,
        "schedule": SPEC,
        "complete": True,
        "warmup": 50,
        "weight_decay": 0.1,
        "batch": 8,
        "model_size": 1e6,
        "optimizer": None,
        "warnings": [],
    }


def test_the_table_for_people(log, capsys):
    assert run(["inspect", str(log)]) == 0
    out = capsys.readouterr().out
    header, _, row, *_ = out.splitlines()
    assert header.split()[:3] == ["run", "points", "steps"]
    assert row.split()[:6] == ["run", "100", "10..1000", "1000", "0.003", "8"]
    assert "Assumptions\n  * " in out
    assert "Warnings" not in out


def test_a_label_cannot_steer_the_terminal(log, capsys):
    odd = log.rename(log.parent / "a\x1b[2Jb.csv")
    assert run(["inspect", str(odd)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "a\\x1b[2Jb" in out
    assert run(["inspect", f"{odd}.missing"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_a_sentence_of_many_runs_is_said_once(log, capsys):
    for name in ("a", "b", "c", "d"):
        (log.parent / f"{name}.csv").write_text(log.read_text())
    assert run(["inspect", f"{log.parent}/*.csv"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "just done" in line]
    assert lines == ["  * a logged rate is that of the update just done (lr_is used) (all 5 runs)"]


def test_options_reach_the_reader(tmp_path, capsys):
    log = tmp_path / "x.csv"
    log.write_text("step,eta,val\n1,0.1,3\n2,0.2,nan\n3,0.2,2\n4,0.2,2\n5,0.2,2\n")
    words = "--lr-column eta --loss-column val --drop-nan --warmup 2 --lr-is used"
    words += " --weight-decay 0.2 --batch 4"
    assert run(["inspect", str(log), "--json", *words.split()]) == 0
    (found,) = json.loads(capsys.readouterr().out)["curves"]
    assert (found["points"], found["warmup"]) == (4, 2)
    assert (found["batch"], found["weight_decay"]) == (4, 0.2)
    assert found["warnings"] == ["1 values of 'val' are not finite and left out"]


def test_what_a_loss_is_can_be_said(tmp_path, capsys):
    log = tmp_path / "x.csv"
    log.write_text("step,lr,loss\n10,0.1,3\n20,0.1,2.5\n30,0.1,2\n40,0.1,2\n")
    assert run(["inspect", str(log), "--json", "--loss-is", "mean"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["curves"]
    assert (found["loss_is"], found["window"]) == ("mean", 10)
    said = "a logged loss is the mean over the updates since the one before it, as declared"
    assert said in found["assumptions"]
    assert run(["inspect", str(log), "--loss-is", "median"]) == 2
    assert "loss_is is 'median', expected 'instant'" in capsys.readouterr().err


def test_a_log_without_rates_and_a_schedule(tmp_path, capsys):
    log = tmp_path / "x.csv"
    log.write_text("step,loss\n10,3\n20,2\n")
    spec = format_schedule(wsd(peak=1.0, horizon=20))
    assert run(["inspect", str(log), "--json", "--schedule", spec]) == 0
    (found,) = json.loads(capsys.readouterr().out)["curves"]
    assert found["schedule"] == "wsd:peak=1,horizon=20"


def test_what_is_not_known_is_null_and_said(tmp_path, capsys):
    log = tmp_path / "x.csv"
    rates = [0.3, 0.1, 0.4, 0.1, 0.5, 0.9, 0.2, 0.6]
    log.write_text(
        "step,lr,loss,batch\n" + "".join(f"{k},{x},2,{k}\n" for k, x in enumerate(rates, 1))
    )
    assert run(["inspect", str(log), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["curves"]
    assert found["schedule"] is None
    assert found["deviation"] is None
    assert found["weight_decay"] is None
    assert found["batch"] == [1, 8]
    assert run(["inspect", str(log)]) == 0
    out = capsys.readouterr().out
    assert "not recognised" in out
    assert "1..8" in out
    assert "unknown" in out


@pytest.mark.parametrize(
    ("arguments", "piece"),
    [
        (["nowhere.csv"], "nowhere.csv: no such file"),
        (["empty", "--json"], "is a folder without logs"),
        ([], "Missing argument"),
        (["x.csv", "--warmup", "soon"], "--warmup"),
        (["x.csv", "--colour"], "--colour"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, piece, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run(["inspect", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("losslaw: ")
    assert piece in captured.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_is_one_line(options, log):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "losslaw", "inspect", str(log), *options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert done.stderr.count("\n") == 1


def test_standard_input(log):
    done = subprocess.run(
        [sys.executable, "-m", "losslaw", "inspect", "-", "--json"],
        input=log.read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["curves"][0]["label"] == "stdin"


def test_the_optimiser_is_said_or_found(log, capsys):
    assert run(["inspect", str(log), "--optimizer", "AdamW", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["curves"]
    assert found["optimizer"] == "adamw"
    log.write_text("# optimizer: KL-SOAP\n" + log.read_text())
    assert run(["inspect", str(log)]) == 0
    assert "the optimiser is soap (found in the log: 'KL-SOAP')" in capsys.readouterr().out
    assert run(["inspect", str(log), "--optimizer", "sdg"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "optimizer is 'sdg', expected one of adamw" in said


def test_a_schedule_that_arithmetic_found_is_named(tmp_path, capsys):
    """Two skipped updates hide it from whoever looks at the rates alone."""
    clock = [step if step < 150 else step - 2 for step in range(50, 4001, 50)]
    records = [
        {"step": 50 * i, "learning_rate": 2.5e-5 * (1 + np.cos(np.pi * at / 8712)), "loss": 3.0}
        for i, at in enumerate(clock, 1)
    ]
    log = tmp_path / "trainer_state.json"
    log.write_text(json.dumps({"log_history": records, "max_steps": 8712}))
    assert run(["inspect", str(log), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["curves"]
    assert (found["schedule"], found["complete"]) == ("cosine:peak=5e-05,horizon=8712", False)
    assert found["deviation"] < 1e-3
    assert run(["inspect", str(log)]) == 0
    assert "beginning of cosine:peak=5e-05,horizon=8712" in capsys.readouterr().out
