"""The programs in examples/ run, and what they print is worth reading: it agrees with the truth."""

import importlib.util
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"


def printed(name, capsys, *arguments):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(*arguments)
    return capsys.readouterr().out


def test_every_example_is_tested_and_short():
    tested = {"fit_and_predict", "forecast_a_run", "design_and_export", "kernel_world"}
    assert {path.stem for path in FOLDER.glob("*.py")} == tested
    for path in FOLDER.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 45


def test_most_runs_that_were_held_out_end_inside(capsys):
    inside, held_out = re.search(
        r"(\d+) of (\d+) inside", printed("fit_and_predict", capsys)
    ).groups()
    assert int(held_out) == 12
    assert int(inside) >= 10


def test_the_forecast_is_near_what_was_measured(capsys):
    pairs = re.findall(r"predicted ([\d.]+), measured ([\d.]+)", printed("forecast_a_run", capsys))
    assert len(pairs) == 2
    for predicted, measured in pairs:
        assert float(predicted) == pytest.approx(float(measured), abs=0.02)


def test_the_design_is_written_as_python(capsys, tmp_path):
    text = printed("design_and_export", capsys, tmp_path)
    assert "predicted final loss" in text
    compile((tmp_path / "schedule.py").read_text(), "schedule.py", "exec")


def test_the_exponents_of_theory_come_out(capsys):
    pairs = re.findall(r"exponent ([\d.]+), theory ([\d.]+)", printed("kernel_world", capsys))
    for measured, theory in pairs:
        assert float(measured) == pytest.approx(float(theory), abs=0.1)
    assert len(pairs) == 2
