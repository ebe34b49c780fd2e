"""The committed runs of the trials (`validation/proof`) took the rates that were written down."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("validation.proof", reason="validation/ is not part of the package")
from validation import proof_12000
from validation.proof import train as first
from validation.proof_12000 import train as second

RUNS = [run for run in (*first.long_plan(), *second.plan()) if run.done]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.label)
def test_rates_are_those_of_the_schedule(run):
    step, lr, loss = np.loadtxt(run.path, delimiter=",", skiprows=1, ndmin=2).T[:3]
    assert_allclose(lr, run.schedule.lr[step.astype(int) - 1], rtol=1e-9)
    assert ((loss > 1) & (loss < 6)).all()


def test_the_mixture_saw_no_run_of_the_second_trial():
    """Its predictions were written down from the shipped runs of 4,000 updates and seed 0."""
    written = json.loads(second.PREDICTIONS.read_text(encoding="utf-8"))
    seen = second.seen()
    assert written["fitted"] == [curve.label for curve in seen]
    assert {curve.schedule.horizon for curve in seen} == {second.FITTED}
    assert set(written["final"]) == set(second.schedules()) == set(proof_12000.tables.TITLES)


def test_nothing_is_trained_before_it_is_predicted(tmp_path, monkeypatch):
    monkeypatch.setattr(second, "PREDICTIONS", tmp_path / "none.json")
    with pytest.raises(second.InputError, match="predictions are written before training"):
        second.make_runs()
