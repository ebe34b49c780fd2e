"""``losslaw fit | predict | score | compare`` when all goes well: text, JSON, artefacts."""

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import losslaw as ll
from losslaw import __version__
from losslaw.cli.main import run

SPEC = "wsd:peak=1e-2,horizon=300,warmup=10,cooldown=0.2"
LAW = ll.Momentum(L0=2.0, A=0.3, C=0.3, alpha=0.5)
RUNS = {
    "flat": ll.constant(peak=1e-2, horizon=200, warmup=10),
    "cosine": ll.cosine(peak=1e-2, horizon=200, warmup=10),
    "wsd": ll.wsd(peak=1e-2, horizon=200, warmup=10, cooldown=0.3),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, schedule in RUNS.items():
        losses = LAW.predict(schedule)
        rows = [f"{k},{schedule.lr[k - 1]!r},{losses[k - 1]!r}" for k in range(5, 201, 5)]
        text = "\n".join(["# warmup: 10", "# weight_decay: 0.1", "step,lr,loss", *rows])
        Path(f"{name}.csv").write_text(text.replace("np.float64(", "").replace(")", "") + "\n")
    return tmp_path


@pytest.fixture
def saved(here, capsys):
    assert run(["fit", "flat.csv", "cosine.csv", "--law", "momentum", "-o", "fit.json"]) == 0
    capsys.readouterr()
    return here


def test_fit_prints_a_report_and_saves_the_fit(here, capsys):
    assert run(["fit", "flat.csv", "cosine.csv", "--law", "momentum", "-o", "fit.json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("momentum law (annealing area) (momentum), fitted to 2 curves")
    assert "status: converged" in out
    assert "losslaw predict fit.json --schedule SPEC" in out
    assert ll.load_fit("fit.json").parameters["alpha"] == pytest.approx(0.5, rel=1e-3)


def test_fit_json_has_the_keys_of_the_contract_and_is_what_is_saved(here, capsys):
    arguments = ["fit", "flat.csv", "cosine.csv", "--law", "momentum", "--json", "-o", "fit.json"]
    assert run(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    keys = {"format", "version", "law", "parameters", "objective", "status", "curves"}
    assert keys <= set(record)
    assert (record["format"], record["version"], record["law"]) == ("losslaw.fit", 1, "momentum")
    assert set(record["parameters"]) == {"alpha", "lam", "L0", "A", "C"}
    assert [curve["label"] for curve in record["curves"]] == ["flat", "cosine"]
    assert record.pop("schema") == "losslaw/fit/1"
    assert json.loads(Path("fit.json").read_text()) == record


def test_fit_reads_standard_input(here, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(Path("cosine.csv").read_text()))
    assert run(["fit", "-", "--law", "momentum", "--json"]) == 0
    (curve,) = json.loads(capsys.readouterr().out)["curves"]
    assert curve["label"] == "stdin"


def test_fit_passes_its_options_on(here, capsys):
    options = ["--free", "lam", "--fix", "alpha=0.4,warmup_drops=true", "--skip", "50"]
    assert run(["fit", "cosine.csv", "wsd.csv", "--law", "momentum", "--json", *options]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["free"] == ["lam"]
    assert record["parameters"]["alpha"] == 0.4
    assert record["settings"] == {"warmup_drops": True}
    assert record["curves"][0]["first_step"] == 50


def test_predict_json_has_the_keys_of_the_contract(saved, capsys):
    assert run(["predict", "fit.json", "--schedule", SPEC, "--every", "40", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record.pop("schema") == "losslaw/predict/1"
    assert list(record) == ["step", "loss", "lower", "upper", "level", "unit", "warnings", "trust"]
    assert record["warnings"] == list(
        ll.load_fit("fit.json").predict(ll.parse_schedule(SPEC), record["step"]).warnings
    )
    assert record["step"] == [40, 80, 120, 160, 200, 240, 280, 300]
    assert record["level"] == 0.9
    expected = LAW.predict(ll.parse_schedule(SPEC), record["step"])
    assert record["loss"] == pytest.approx(expected, abs=1e-4)
    assert (np.array(record["lower"]) < record["loss"]).all()
    assert (np.array(record["upper"]) > record["loss"]).all()


def test_a_long_prediction_is_thinned_and_says_so(saved, capsys):
    spec = ["predict", "fit.json", "--schedule", "constant:peak=1e-3,horizon=250000"]
    assert run([*spec, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["every"] == 3
    assert record["step"][-2:] == [249_999, 250_000]
    assert run([*spec, "-o", "curve.csv"]) == 0
    assert "every 3 steps of 250,000 (--every 1: all of them)" in capsys.readouterr().out
    assert run([*spec, "--every", "1", "-o", "curve.csv"]) == 0
    assert "every" not in capsys.readouterr().out
    assert len(Path("curve.csv").read_text().splitlines()) > 249_000


def test_predict_writes_a_table_that_can_be_read_as_a_curve(saved, capsys):
    assert run(["predict", "fit.json", "--schedule", SPEC, "-o", "curve.csv"]) == 0
    out = capsys.readouterr().out
    assert "90% interval" in out
    assert "saved to curve.csv\nfrom step 40 on: earlier ones were not fitted" in out
    with Path("curve.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 261
    assert list(rows[0]) == ["step", "lr", "loss", "lower", "upper"]
    (curve,) = ll.read_curves("curve.csv")
    assert curve.schedule.horizon == 300


def test_predict_reads_a_fit_from_standard_input_and_a_schedule_from_a_file(
    saved, capsys, monkeypatch
):
    Path("plan.csv").write_text("step,lr\n" + "".join(f"{k},0.01\n" for k in range(1, 51)))
    for text in ("plan.csv", "file:plan.csv"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(Path("fit.json").read_text()))
        assert run(["predict", "-", "--schedule", text, "--json", "--all-steps"]) == 0
        assert len(json.loads(capsys.readouterr().out)["step"]) == 50


def test_score_json_has_the_keys_of_the_contract(saved, capsys):
    assert run(["score", "fit.json", "wsd.csv", "flat.csv", "--json", "-o", "score.json"]) == 0
    record = json.loads(capsys.readouterr().out)
    (curve,) = record["curves"]
    keys = {"label", "points", "r2", "mae", "rmse", "prede", "worste", "final_error", "coverage"}
    assert keys <= set(curve)
    assert keys - {"label", "points"} == set(record["mean"])
    assert curve["label"] == "wsd"
    assert record["skipped"] == ["flat"]
    assert curve["rmse"] < 1e-4
    assert json.loads(Path("score.json").read_text()) == record


def test_score_prints_a_table(saved, capsys):
    assert run(["score", "fit.json", "wsd.csv", "cosine.csv", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "curve", "points", "after", "R2", "MAE", "RMSE", "PredE", "WorstE", "final", "cover",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[2:5]] == ["wsd", "cosine", "mean"]


def test_compare_ranks_the_laws(here, capsys):
    files = ["flat.csv", "cosine.csv", "wsd.csv"]
    arguments = ["compare", *files, "--laws", "chinchilla,momentum", "--json", "-o", "out.json"]
    assert run(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    assert [item["law"] for item in record["laws"]] == ["momentum", "chinchilla"]
    assert set(record["laws"][0]["curves"]) == {"flat", "cosine", "wsd"}
    assert json.loads(Path("out.json").read_text()) == record
    assert run(arguments[:-3]) == 0
    assert "2 laws on 3 curves" in capsys.readouterr().out


def test_ctrl_c_ends_with_130(here, capsys, monkeypatch):
    def interrupted(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("losslaw.fitting.fit", interrupted)
    assert run(["fit", "flat.csv"]) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err in ("", "losslaw: interrupted\n")


def test_a_fit_with_nothing_to_return_ends_with_1(here, capsys, monkeypatch):
    def hopeless(*_args, **_more):
        raise ll.FitError("no starting value gives finite losses")

    monkeypatch.setattr("losslaw.fitting.fit", hopeless)
    assert run(["fit", "flat.csv", "-o", "fit.json"]) == 1
    assert capsys.readouterr().err == "losslaw: no starting value gives finite losses\n"
    assert not Path("fit.json").exists()


def test_help_and_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"losslaw {__version__}\n"
    for command in ("inspect", "fit", "predict", "score", "compare"):
        assert run([command, "--help"]) == 0
        assert command in capsys.readouterr().out


def test_a_bug_is_not_hidden(here, monkeypatch):
    def broken(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr("losslaw.fitting.fit", broken)
    with pytest.raises(ZeroDivisionError):
        run(["fit", "flat.csv"])
