"""The curves in the package are what the plan of the bundle says."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import losslaw
from losslaw.lab import BUNDLE, standard_library, train
from losslaw.lab.bundle import branches

SHIPPED = Path(losslaw.__file__).parent / "curves" / "bundled"


@pytest.fixture(scope="module")
def meta():
    return json.loads((SHIPPED / "meta.json").read_text())


def test_every_planned_run_is_there(meta):
    assert list(meta["runs"]) == [run.label for run in BUNDLE]
    assert {path.stem for path in SHIPPED.glob("*.csv")} == set(meta["runs"])


@pytest.mark.parametrize("run", BUNDLE, ids=lambda run: run.label)
def test_rates_are_those_of_the_schedule(run, meta):
    assert meta["runs"][run.label]["schedule"] == run.spec
    step, lr, loss = np.loadtxt(
        SHIPPED / f"{run.label}.csv", delimiter=",", skiprows=1, unpack=True
    )
    assert_array_equal(step, np.arange(25, run.schedule.horizon + 1, 25))
    np.testing.assert_allclose(lr, run.schedule.lr[step.astype(int) - 1], rtol=1e-9)
    assert np.isfinite(loss).all()
    assert ((loss > 1) & (loss < 6)).all()


def test_runs_that_begin_alike_have_equal_losses():
    for label, branch in branches(BUNDLE).items():
        rows = branch.step // 25 + 1
        ours = (SHIPPED / f"{label}.csv").read_text().splitlines()[:rows]
        theirs = (SHIPPED / f"{branch.label}.csv").read_text().splitlines()[:rows]
        assert ours == theirs


def test_the_lab_still_makes_them(meta):
    """The first evaluation of a run, trained again; 3 seconds."""
    torch = pytest.importorskip("torch")
    text = standard_library()
    if text.sha256 != meta["text"]["sha256"] or torch.__version__ != meta["torch"]:
        pytest.skip("made with another Python or torch, which have other texts or round otherwise")
    torch.set_num_threads(1)
    run = BUNDLE[0]
    shipped = np.loadtxt(SHIPPED / f"{run.label}.csv", delimiter=",", skiprows=1)[0]
    curve = train(run.schedule.prefix(25), text=text).curve
    # The file has six decimals. On the machine that made it they are equal; a processor that
    # rounds otherwise changes the loss after 25 updates by less than the last but one.
    assert abs(curve.loss[0] - shipped[2]) < 1e-5


def test_it_is_small_and_tells_nothing_of_the_machine():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 1_000_000
    record = (SHIPPED / "meta.json").read_text()
    assert not any(word in record for word in ("/home", "/root", "/tmp", "/work"))
