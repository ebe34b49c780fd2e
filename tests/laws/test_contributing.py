"""CONTRIBUTING.md to the letter: the law of the page, in a file, does all that is promised."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.fit_samples import SCHEDULES, curves_of, law_of

import losslaw as ll
from losslaw.cli.main import run
from losslaw.laws import LAWS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def law(tmp_path, monkeypatch):
    """The law of the page, registered under its name."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "contributed_law.py").write_text(example, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "contributed_law", raising=False)
    kind = importlib.import_module("contributed_law").Sudden
    monkeypatch.setitem(LAWS, kind.name, kind)
    return kind


@pytest.fixture
def logs(law, tmp_path):
    """Logs of runs that follow the law, by name of their schedule."""
    files = {}
    for curve in curves_of(law_of(law.name), SCHEDULES, noise=1e-3):
        files[curve.label] = f"{curve.label}.csv"
        rows = np.column_stack([curve.steps, curve.schedule.lr[curve.steps - 1], curve.loss])
        np.savetxt(files[curve.label], rows, "%.17g", ",", header="step,lr,loss", comments="")
    return files


def said(capsys):
    return json.loads(capsys.readouterr().out)


def test_every_command_knows_the_law(logs, capsys):
    read = ["--warmup", "50", "--weight-decay", "0.1"]
    fitted = [logs[name] for name in ("flat", "cosine", "two")]
    assert run(["fit", *fitted, *read, "--law", "sudden", "-o", "fit.json", "--json"]) == 0
    fit = said(capsys)
    assert (fit["law"], fit["converged"]) == ("sudden", True)
    asked = ["--schedule", "wsd:peak=1e-3,horizon=1500", "--all-steps", "--json"]
    assert run(["predict", "fit.json", *asked]) == 0
    assert len(said(capsys)["loss"]) == 1500
    assert run(["score", "fit.json", logs["wsd"], logs["step"], *read, "--json"]) == 0
    assert all(abs(curve["final_error"]) < 0.02 for curve in said(capsys)["curves"])
    assert run(["compare", *logs.values(), *read, "--laws", "chinchilla,sudden", "--json"]) == 0
    assert [item["law"] for item in said(capsys)["laws"]] == ["sudden", "chinchilla"]
    assert run(["design", "fit.json", "--horizon", "300", "--json", "-o", "design.csv"]) == 0
    assert said(capsys)["gain"] >= -1e-6
    assert run(["fit", "--help"]) == 0
    assert "sudden" in capsys.readouterr().out


def test_its_fit_is_saved_and_loaded(law):
    fit = ll.fit(curves_of(law_of(law.name), ["flat", "cosine"], noise=1e-3), law.name)
    fit.save("fit.json")
    again = ll.load_fit("fit.json")
    assert str(again) == str(fit)
    assert again.law == fit.law


def test_it_designs_without_a_gradient(law):
    design = ll.design(law_of(law.name), 300, peak=1e-3, warmup=20)
    assert design.gap is None
    # It pays for a fall at once, so the rate stays up and falls at the end.
    assert design.gain >= -1e-7
    assert design.schedule.lr[200] == pytest.approx(1e-3)
    assert design.schedule.final_lr < 1e-5


def test_it_keeps_the_contract_of_all_laws(law, tmp_path):
    """The tests that run over ``LAWS``, in a process where the law is one of them."""
    plugin = "from losslaw.laws import LAWS\nfrom contributed_law import Sudden\n"
    plugin += "LAWS[Sudden.name] = Sudden\n"
    (tmp_path / "contributed.py").write_text(plugin, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    tests = [
        "tests/laws/test_contract.py",
        "tests/laws/test_properties.py",
        "tests/laws/test_formulas.py",
        "tests/fitting/test_saved.py",
        "tests/fitting/test_fit.py",
        "tests/designing/test_free_form.py",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "contributed", "-k", "sudden"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-p", "no:xdist", *tests],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 60
