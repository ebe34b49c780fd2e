"""The programs in examples/ run, and what they print is worth reading: it agrees with the truth."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from helpers.shown import differs

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples"
sys.path.insert(0, str(ROOT))

from scripts import gallery  # noqa: E402


def printed(name, capsys, folder):
    """What a program prints, which is also what its part of the page shows."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(folder)
    out = capsys.readouterr().out
    assert (folder / f"{name}.png").exists()
    page = gallery.EXAMPLES.read_text(encoding="utf-8")
    code, shown = re.search(
        rf"^## {gallery.PROGRAMS[name]}$.*?```py\n(.*?)```\n\n```text\n(.*?)```", page, re.M | re.S
    ).groups()
    what = differs("\n".join(line.rstrip() for line in out.rstrip().splitlines()), shown)
    assert what is None, f"{what}\nrenew it: python scripts/gallery.py examples"
    assert (FOLDER / f"{name}.py").read_text(encoding="utf-8").endswith(code)
    return out


def test_every_example_is_tested_and_short():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(gallery.PROGRAMS)
    for path in FOLDER.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 50


def test_most_runs_that_were_held_out_end_inside(capsys, tmp_path):
    inside, held_out = re.search(
        r"(\d+) of (\d+) inside", printed("fit_and_predict", capsys, tmp_path)
    ).groups()
    assert int(held_out) == 12
    assert int(inside) >= 10


def test_the_forecast_is_near_what_was_measured(capsys, tmp_path):
    pairs = re.findall(
        r"predicted ([\d.]+), measured ([\d.]+)", printed("forecast_a_run", capsys, tmp_path)
    )
    assert len(pairs) == 2
    for predicted, measured in pairs:
        assert float(predicted) == pytest.approx(float(measured), abs=0.02)


def test_the_design_is_written_as_python(capsys, tmp_path):
    text = printed("design_and_export", capsys, tmp_path)
    assert "predicted final loss" in text
    compile((tmp_path / "schedule.py").read_text(), "schedule.py", "exec")


def test_the_exponents_of_theory_come_out(capsys, tmp_path):
    pairs = re.findall(
        r"exponent ([\d.]+), theory ([\d.]+)", printed("kernel_world", capsys, tmp_path)
    )
    for measured, theory in pairs:
        assert float(measured) == pytest.approx(float(theory), abs=0.1)
    assert len(pairs) == 2
