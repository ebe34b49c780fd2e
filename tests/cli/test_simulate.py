"""`losslaw simulate`: curves that the other commands read, and errors that say the way out."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.cli.main import run
from losslaw.curves import read_curves
from losslaw.kernel import KernelRegression
from losslaw.schedules import parse_schedule

SPEC = "wsd:peak=0.5,horizon=600,cooldown=0.2"
BASE = ["simulate", "--source", "0.5", "--capacity", "4", "--modes", "40", "--relative"]


def simulated(capsys, *extra):
    assert run([*BASE, "--json", *extra]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_curve_comes_back_as_it_was_simulated(tmp_path, capsys):
    path = tmp_path / "curve.csv"
    assert run([*BASE, "--schedule", SPEC, "--batch", "2", "-o", str(path)]) == 0
    out = capsys.readouterr().out
    assert "0.5 of the largest admissible rate" in out
    (curve,) = read_curves(path)
    assert curve.unit == "risk"
    world = KernelRegression(source=0.5, capacity=4.0, modes=40)
    schedule = parse_schedule(SPEC).scaled(world.largest_lr(2)).with_(batch=2.0)
    assert_allclose(curve.schedule.lr, schedule.lr, rtol=1e-12, atol=1e-15)
    assert_array_equal(curve.schedule.batch, schedule.batch)
    assert curve.schedule.warmup == 0
    assert_allclose(curve.loss, world.mean_curve(schedule, curve.steps).loss, rtol=1e-12)


def test_evaluators_agree_from_the_command_line(capsys):
    found = {
        method: np.array(simulated(capsys, "--schedule", SPEC, "--method", method)["excess"])
        for method in ("quadrature", "exact", "integrator", "sde", "volterra", "fsl")
    }
    # Below 10^4 updates the integrator takes every update by itself.
    for method, tolerance in (("quadrature", 1e-7), ("integrator", 1e-7)):
        assert_allclose(found[method], found["exact"], rtol=tolerance)
    # Half the largest rate is far from the limit in which the equations are SGD.
    for method in ("sde", "volterra", "fsl"):
        gap = np.abs(found[method] / found["exact"] - 1).max()
        assert 1e-3 < gap < 0.5, method


def test_terms_of_the_law_add_up(capsys):
    found = simulated(capsys, "--schedule", SPEC, "--method", "fsl")
    parts = [found[name] for name in ("approximation", "signal", "minibatch", "label")]
    assert_allclose(np.sum(parts, axis=0), found["excess"], rtol=1e-12)
    assert_allclose(np.array(found["excess"]) + 0.5, found["loss"], rtol=1e-12)


def test_sampled_runs_have_a_spread_and_the_exact_mean(capsys):
    sampled = simulated(
        capsys, "--schedule", SPEC, "--method", "sgd", "--seeds", "200", "--points", "6"
    )
    exact = simulated(capsys, "--schedule", SPEC, "--points", "6")
    error = np.array(sampled["standard_error"])
    # One update from a fixed start to hundreds: eight places, fixed seed, four standard errors.
    assert (np.abs(np.array(sampled["loss"]) - exact["loss"]) < 4 * error).all()
    assert_allclose(np.array(sampled["spread"]) / error, np.sqrt(200), rtol=1e-12)


def test_batch_from_a_file_reaches_the_curve(tmp_path, capsys):
    sizes = tmp_path / "batch.csv"
    sizes.write_text("step,batch\n" + "".join(f"{k},{1 + k // 300}\n" for k in range(1, 601)))
    path = tmp_path / "curve.csv"
    assert run([*BASE, "--schedule", SPEC, "--batch", str(sizes), "-o", str(path)]) == 0
    (curve,) = read_curves(path)
    assert set(curve.schedule.batch) == {1.0, 2.0, 3.0}
    short = tmp_path / "short.csv"
    short.write_text("step,batch\n1,4\n")
    assert run([*BASE, "--schedule", SPEC, "--batch", str(short)]) == 2
    assert "1 batch sizes for 600 updates" in capsys.readouterr().err


def test_the_integrator_takes_the_same_words_at_any_horizon(capsys):
    spec = "wsd:peak=0.5,horizon=1e12,warmup=1000,cooldown=0.2,batch=4"
    found = simulated(capsys, "--schedule", spec, "--method", "integrator", "--modes", "inf")
    assert found["step"][-1] == 10**12
    assert found["excess"][-1] < 1e-6
    assert (found["batch"], found["modes"], found["relative"]) == (4.0, "inf", True)


def test_printing_to_standard_output_is_the_file(capsys):
    assert run([*BASE, "--schedule", SPEC, "--points", "3", "-o", "-"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "# schedule: " + SPEC in lines
    assert "step,lr,loss,excess" in lines
    assert lines[-1].startswith("600,0.0,")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (
            ["--schedule", "constant:peak=1.1,horizon=9"],
            "the largest admissible rate at batch 1 is",
        ),
        (["--schedule", SPEC, "--modes", "many"], "--modes is 'many'"),
        (["--schedule", SPEC, "--modes", "0"], "modes is 0, expected a whole number"),
        (["--schedule", SPEC, "--capacity", "1"], "capacity is 1, expected a number above 1"),
        (["--schedule", SPEC, "--method", "magic"], "expected one of: quadrature, exact"),
        (["--schedule", SPEC, "--method", "sgd", "--modes", "inf"], "add --modes 128"),
        (["--schedule", SPEC, "--method", "sgd", "--seeds", "0"], "runs is 0"),
        (["--schedule", SPEC, "--points", "0"], "points is 0"),
        (["--schedule", SPEC, "--batch", "0"], "batch sizes are positive"),
        (["--schedule", SPEC, "--batch", "none.csv"], "none.csv: no such file"),
        (["--schedule", "wsd:peak=0.5,horizon=1e12"], "use --method integrator"),
        (["--schedule", "cyclic:peak=0.5,horizon=99", "--method", "integrator"], "in pieces"),
        (["--schedule", "wsd:peak=0.5,horizons=99", "--method", "integrator"], "'horizons'"),
        (
            ["--schedule", "twostage:peak=.1,second=.1,switch=99,horizon=9", "--method=integrator"],
            "switch after",
        ),
        (["--schedule", "wsd:peak=.1", "--method", "integrator"], "horizon is missing"),
        (
            ["--schedule", "wsd:peak=.1,horizon=1e9,cooldown=.9,warmup=2e8", "--method=integrator"],
            "longer than the horizon",
        ),
        (
            ["--schedule", "constant:peak=1.1,horizon=1e9", "--method", "integrator"],
            "the largest admissible rate",
        ),
    ],
)
def test_bad_input_is_one_line_and_status_two(capsys, extra, words):
    assert run([*BASE, *extra]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_averaged_iterates(capsys, tmp_path):
    spec = ["--schedule", "constant:peak=0.5,horizon=400", "--points", "4"]
    last = simulated(capsys, *spec)
    mean = simulated(capsys, *spec, "--average", "tail:start=200")
    assert mean["average"] == "tail:start=200"
    assert mean["excess"][-1] < 0.5 * last["excess"][-1]
    exact = simulated(capsys, *spec, "--average", "tail:start=200", "--method", "exact")
    assert_allclose(exact["excess"], mean["excess"], rtol=1e-8)
    drawn = simulated(capsys, *spec, "--average", "ema:0.98", "--method", "sgd", "--seeds", "200")
    told = simulated(capsys, *spec, "--average", "ema:0.98")
    z = (drawn["excess"][-1] - told["excess"][-1]) / drawn["standard_error"][-1]
    assert abs(z) < 3
    assert run([*BASE, *spec, "--average", "ema:0.9", "-o", str(tmp_path / "a.csv")]) == 0
    assert "next: losslaw plot" in capsys.readouterr().out  # its rates are not of its losses
    assert run([*BASE, *spec, "--average", "ema:0.9", "--method", "fsl"]) == 2
    assert "method fsl knows no averages: quadrature, exact, sgd do" in capsys.readouterr().err


def test_momentum_by_every_method_that_knows_it(capsys):
    problem = ["simulate", "--source", "1", "--capacity", "2", "--modes", "16", "--relative"]
    run_of = ["--schedule", "constant:peak=0.05,horizon=200", "--momentum", "0.9", "--json"]
    command = [*problem, *run_of]
    last = {}
    for method in ("quadrature", "exact", "fsl", "sgd"):
        assert run([*command, "--method", method]) == 0
        last[method] = json.loads(capsys.readouterr().out)["excess"][-1]
    assert last["exact"] == pytest.approx(last["quadrature"], rel=1e-9)
    assert last["fsl"] == pytest.approx(last["exact"], rel=0.15)
    assert run([*command, "--method", "sde"]) == 2
    assert "method sde knows no momentum" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["fsl", "sgd"])
def test_a_curve_is_drawn(tmp_path, capsys, method):
    path = tmp_path / "curve.pdf"
    command = ["simulate", "--source", "1", "--capacity", "2", "--modes", "16", "--method", method]
    assert run([*command, "--schedule", "wsd:peak=0.1,horizon=200", "-o", str(path)]) == 0
    assert path.read_bytes().startswith(b"%PDF")
    assert "losslaw fit" not in capsys.readouterr().out


def test_finitely_many_features_may_have_any_capacity(capsys):
    line = ["simulate", "--source", "2", "--capacity", "0.8", "--modes", "20", "--noise", "0"]
    line += ["--schedule", "constant:peak=0.5,horizon=100", "--relative", "--features", "random"]
    assert run([*line, "--ambient", "80", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ambient"] == 80
    assert document["loss"][-1] < document["loss"][0]
    assert run(line) == 2
    assert "give the ambient dimension" in capsys.readouterr().err
    assert run([*line, "--ambient", "many"]) == 2
    assert "--ambient is 'many', expected a whole number or inf" in capsys.readouterr().err


def test_of_finite_features_a_student_sees_all(tmp_path, capsys):
    path = tmp_path / "c.csv"
    begin = ["simulate", "--source", "1", "--capacity", "2", "--relative", "-o", str(path)]
    begin += ["--schedule", "constant:peak=0.5,horizon=9"]
    assert run([*begin, "--ambient", "1e9"]) == 0
    assert "# modes: 1000000000\n" in path.read_text()
    assert run([*begin, "--ambient", "1e300"]) == 0
    assert "# modes: 1e+300\n" in path.read_text()
    capsys.readouterr()
    spectrum = tmp_path / "s.csv"
    spectrum.write_text("eigenvalue,target\n1,1\n0.5,1\n")
    begin[1:5] = ["--spectrum", str(spectrum)]
    assert run(begin) == 0
    assert "None" not in path.read_text()
