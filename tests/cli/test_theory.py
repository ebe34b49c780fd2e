import json

import numpy as np
import pytest

from losslaw import KernelRegression, Schedule
from losslaw.cli.main import run
from losslaw.fitting import fit

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


def spectrum_file(folder, s=0.5, beta=2.0):
    rows = "".join(f"{j**-beta!r},{j ** -(1 + s * beta)!r}\n" for j in range(1, 1001))
    path = folder / "spectrum.csv"
    path.write_text("eigenvalue,signal\n" + rows)
    return str(path)


def test_a_spectrum_in_place_of_exponents(capsys, tmp_path):
    path = spectrum_file(tmp_path, s=0.8)
    assert run(["theory", "--spectrum", path, "--budget", "1e9", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["capacity"] == pytest.approx(2.0, rel=0.01)
    assert document["measured"]["side"] == "easy"
    assert document["measured"]["capacity"]["window"][0] < 5
    assert run(["theory", "--spectrum", path, "--budget", "1e9"]) == 0
    assert "easy: s is above 1 - 1/beta in all of the intervals" in capsys.readouterr().out
    run_it = ["simulate", "--spectrum", path, "--schedule", "constant:peak=0.1,horizon=50"]
    assert run([*run_it, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["excess"][-1] > 0
    assert run(["theory", "--spectrum", path, "--source", "1", "--budget", "1e9"]) == 2
    assert "--spectrum takes the place of --source" in capsys.readouterr().err


def test_a_spectrum_without_targets_takes_a_source_that_is_assumed(capsys, tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("eigenvalue\n" + "".join(f"{j**-2.0!r}\n" for j in range(1, 1001)))
    line = ["theory", "--spectrum", str(path), "--budget", "1e8", "--schedule", "wsd"]
    assert run(line) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "or assume one: --source s or --difficulty alpha" in err
    assert run([*line, "--difficulty", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("capacity beta 2")
    assert "source s      0.5, assumed: the spectrum has no targets" in out
    assert run([*line, "--source", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["source"] == 1.0
    assert document["capacity"] == pytest.approx(2.0, rel=0.01)
    assert document["measured"]["source"] is None
    assert run([*line, "--source", "1", "--capacity", "2"]) == 2
    assert "--spectrum takes the place of" in capsys.readouterr().err


def test_a_fit_says_easy_or_hard(capsys, tmp_path):
    world = KernelRegression(source=0.3, capacity=2.0)
    curves = []
    for turn, factor in ((40_000, 1.0), (20_000, 0.1), (4000, 0.2)):
        lr = np.full(40_000, 0.02)
        lr[turn:] *= factor
        steps = [np.geomspace(2500, turn, 50), turn + np.geomspace(5000, 40_000 - turn + 1, 50)]
        at = np.unique(np.round(np.concatenate(steps)))
        run_of = Schedule(lr, batch=1, warmup=0)
        curves.append(world.mean_curve(run_of, at[at <= 40_000], label=f"drop at {turn}"))
    path = str(tmp_path / "fit.json")
    fit(curves, "convolution", skip=1).save(path)
    assert run(["theory", "--fit", path, "--budget", "1e9", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["source"] == pytest.approx(0.3, abs=0.02)
    assert document["capacity"] == pytest.approx(2.0, rel=0.25)
    assert document["measured"]["side"] in ("hard", "open")
    fit(curves, "functional", skip=1, uncertainty=False).save(path)
    assert run(["theory", "--fit", path, "--budget", "1e9"]) == 2
    assert "exponents are in the convolution form" in capsys.readouterr().err


QUIET = ["theory", "--source", "2", "--noise", "0", "--budget"]


def test_without_label_noise_theory_says_the_phase(capsys):
    line = [*QUIET, "1e12", "--capacity", "2", "--schedule", "wsd"]
    assert run(line) == 0
    out = capsys.readouterr().out
    assert "easy regime" not in out
    assert "random features: phase III (s > 2 - 1/beta, beta > 1)" in out
    assert "best risk   C^(1/(2 beta) - 1) = C^-0.75" in out
    assert run([*line, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["phase"]["name"] == "III"
    assert document["phase"]["modes"] == {"exponent": 0.5, "log_power": 0.0}
    assert document["frontier"] is None
    assert document["schedules"] == []
    assert document["best"] == {}
    assert document["regime"] is None
    assert [rank["schedule"] for rank in document["ranking"]] == ["wsd"]


@pytest.mark.parametrize("source", ["0.5", "2"])
def test_without_label_noise_exact_risks_rank_the_schedules(capsys, source):
    line = ["theory", "--source", source, "--capacity", "4", "--noise", "0", "--budget", "1e9"]
    assert run([*line, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    risks = {rank["schedule"]: rank["exact_risk"] for rank in document["ranking"]}
    assert list(risks.values()) == sorted(risks.values())
    assert risks["constant"] < risks["power"] < risks["exponential"]
    law = document["constant"]
    assert law["predicted"] == -min(float(source), 1.75)
    assert law["measured"] == pytest.approx(law["predicted"], abs=0.01)
    assert run([*line, "--exact", "--schedule", "constant"]) == 0
    out = capsys.readouterr().out
    assert "closed form costs" not in out
    assert "label noise ~ 1: none here" in out
    assert f"= D^{law['predicted']:g}" in out
    assert run([*line, "--schedule", "cosin"]) == 2
    assert "unknown schedule 'cosin'" in capsys.readouterr().err


def test_the_phase_of_a_capacity_of_one_or_less(capsys):
    line = [*QUIET, "1e12", "--capacity", "0.8", "--compute", "--exact"]
    assert run(line) == 0
    out = capsys.readouterr().out
    assert "phase IVa" in out
    assert "8.523e+06 modes" in out
    assert run([*line, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["phase"]["risk_formula"] == "C^(-beta/2)"
    assert document["frontier"]["risk"]["predicted"] == -0.4
    assert document["frontier"]["risk"]["measured"] == pytest.approx(-0.4, abs=0.004)
    assert document["regime"] is None
    assert run([*QUIET, "100", "--capacity", "0.8", "--compute", "--exact"]) == 0
    assert "not measured; compute of 10 is too small" in capsys.readouterr().out


def test_no_schedule_beats_the_one_of_any_shape(capsys):
    line = ["theory", "--source", "1", "--capacity", "2", "--budget", "1e5", "--exact"]
    assert run([*line, "--schedule", "power", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    free, power = document["free"], document["exact"]["power"]["exact"]
    assert 0.9 * power["risk"] < free["risk"] < power["risk"]
    assert 0 <= free["gap"] < 0.02
    assert run([*line, "--schedule", "power"]) == 0
    assert f"of any shape: {free['risk']:.4g}, power costs +" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--capacity", "0.8", "--noise", "1"], "without label noise there are phases: --noise 0"),
        (["--capacity", "0"], "capacity is 0, expected"),
        (["--capacity", "0.8", "--schedule", "wsd"], "only the phase of a constant rate is known"),
        (["--capacity", "1e-9"], "capacity is 1e-09, expected"),
    ],
)
def test_capacities_that_have_no_phase_are_refused(capsys, extra, message):
    assert run([*QUIET, "1e12", *extra]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--capacity", "2", "--budget", "1e60"], "risks are up to a budget of"),
        (["--capacity", "2", "--budget", "1e60", "--compute"], "is too large: its best size"),
        (["--capacity", "0.8", "--budget", "1e6"], "of a capacity of 1 and less only --exact with"),
    ],
)
def test_without_noise_what_is_not_measured_is_said(capsys, options, why):
    assert run(["theory", "--source", "1", "--noise", "0", "--exact", *options]) == 0
    out = capsys.readouterr().out
    assert "exact: not measured; " in out
    assert why in out
    assert "phase" in out
