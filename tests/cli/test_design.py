"""``losslaw design``: text, JSON, the schedule file, and bad input."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.cli.main import run

LAW = ll.Effective(L0=2.5, A=0.3, N=47.0)
KNOWN = dict(peak=1e-3, horizon=600, warmup=30, weight_decay=0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("design")
    steps = np.arange(60, 601, 10)
    schedules = {"flat": ll.constant(**KNOWN), "wsd": ll.wsd(**KNOWN, cooldown=0.3)}
    curves = [LAW.curve(schedule, steps, label) for label, schedule in schedules.items()]
    ll.fit(curves).save(str(here / "fit.json"))
    rows = [
        f"{step},{float(schedules['flat'].lr[step - 1])!r},{loss!r}"
        for step, loss in zip(steps.tolist(), curves[0].loss.tolist(), strict=True)
        if step <= 400
    ]
    (here / "log.csv").write_text("\n".join(["step,lr,loss", *rows]) + "\n")
    return here


@pytest.fixture(autouse=True)
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_text_and_schedule_file(capsys):
    assert run(["design", "fit.json", "--horizon", "600", "-o", "best.csv"]) == 0
    text = capsys.readouterr().out
    assert "predicted final loss" in text
    assert "next: losslaw predict fit.json --schedule best.csv" in text
    assert run(["design", "fit.json", "--horizon", "600", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert_allclose(ll.read_schedule("best.csv").lr, record["schedule"]["lr"], rtol=1e-15)
    assert run(["predict", "fit.json", "--schedule", "best.csv", "--json"]) == 0
    predicted = json.loads(capsys.readouterr().out)
    assert predicted["loss"][-1] == pytest.approx(record["loss"], abs=1e-12)


@pytest.mark.parametrize(
    "prefix",
    ["constant:peak=1e-3,horizon=400,warmup=30", "log.csv"],
)
def test_the_run_so_far_is_a_schedule_or_its_log(prefix, capsys):
    options = ["--horizon", "600", "--warmup", "30", "--prefix", prefix, "--json"]
    assert run(["design", "fit.json", *options]) == 0
    lr = json.loads(capsys.readouterr().out)["schedule"]["lr"]
    assert_allclose(lr[:400], ll.constant(**KNOWN).lr[:400], rtol=1e-9)
    assert lr[-1] < 2e-4


def test_options_reach_the_design(capsys):
    options = ["--horizon", "600", "--floor", "1e-4", "--peak", "5e-4..2e-3", "--json"]
    assert run(["design", "fit.json", *options, "--warmup", "10", "--rising"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["constraints"]["lowest_peak"] == 5e-4
    assert record["constraints"]["rising"] is True
    assert record["constraints"]["warmup"] == 10
    assert min(record["schedule"]["lr"][10:]) >= 1e-4 * (1 - 1e-12)
    options = ["--tokens", "1e6", "--batch", "4", "--sequence-length", "500", "--family", "wsd"]
    assert run(["design", "fit.json", *options, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert len(record["schedule"]["lr"]) == 500
    assert set(record["knobs"]) == {"cooldown", "final"}
    assert run(["design", "fit.json", "--horizon", "600", "--max-slope", "0.01"]) == 0
    assert "0.001 up to step" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "how long is the run? give its updates (horizon=, --horizon)"),
        (["--horizon", "20"], "horizon (20) is not longer than the warmup (30 updates)"),
        (["--horizon", "600", "--floor", "1"], "floor 1 is above the peak 0.001"),
        (["--horizon", "600", "--peak", "high"], "--peak 'high': expected a learning rate or a"),
        (["--horizon", "600", "--peak", "1..2..3"], "expected a learning rate or a range"),
        (["--horizon", "600", "--family", "wds"], "unknown family 'wds'"),
        (["--horizon", "600", "--prefix", "flat:peak=1"], "unknown schedule 'flat'"),
        (["--horizon", "300", "--prefix", "log.csv"], "has 400 updates and the horizon is 300"),
        (["--horizon", "600", "--level", "2"], "level is 2"),
        (["--horizon", "600", "-o", "no/where.csv"], "the folder no does not exist"),
    ],
)
def test_bad_input_is_one_line_and_status_2(options, words, capsys):
    assert run(["design", "fit.json", *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.startswith("losslaw: ")
    assert said.err.count("\n") == 1


def test_a_budget_and_a_size_make_a_number_of_updates(capsys):
    options = ["--compute", "6e12", "--model-size", "1e6", "--batch", "4"]
    assert run(["design", "fit.json", *options, "--sequence-length", "500", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["schedule"]["lr"]) == 500


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--loss", "2.7"], "losslaw run-length fit.json --loss X"),
        (["--batches", "1,8", "--samples", "3000"], "losslaw design-batches fit.json"),
        (["--samples", "3000"], "losslaw design-batches fit.json"),
        (["--compute", "6e12", "--batch", "4"], "losslaw model-size fit.json --compute C"),
        (["--compute", "6e12", "--model-size", "1e6", "--horizon", "9"], "give no --horizon"),
    ],
)
def test_what_moved_to_a_command_of_its_own_is_named(options, words, capsys):
    assert run(["design", "fit.json", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
