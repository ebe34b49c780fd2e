"""Very long logs: the same curve however they are read, and losses averaged in blocks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import losslaw as ll
from losslaw.curves import blocks
from losslaw.curves.blocks import in_blocks
from losslaw.files import long_tables

LAW = ll.Effective(L0=2.0, A=0.5, N=40.0)
N = 6000
PLAN = ll.wsd(peak=1e-3, horizon=N, warmup=60, cooldown=0.25, final=1e-4)


def noisy(steps, seed=0):
    loss = LAW.predict(PLAN, steps)
    return loss + 0.02 * np.random.default_rng(seed).standard_normal(loss.size)


def written(folder, name, steps, rates=repr, extra=""):
    loss = noisy(steps).tolist()
    lr = PLAN.lr[steps - 1].tolist()
    rows = [f"{s},{rates(r)},{x!r}\n" for s, r, x in zip(steps.tolist(), lr, loss, strict=True)]
    path = folder / f"{name}.csv"
    path.write_text("step,lr,loss\n" + "".join(rows) + extra)
    return path


def curve(path, monkeypatch, long, **more):
    monkeypatch.setattr(long_tables, "LONG", 0 if long else 1 << 40)
    (found,) = ll.read_curves(path, **more)
    return found


EVERY = np.arange(1, N + 1)
LOGS = {
    "every": (EVERY, repr, ""),
    "rounded": (EVERY, lambda rate: f"{rate:.6f}", ""),
    "sparse": (EVERY[9::10], repr, ""),
    "late": (EVERY[499:], repr, ""),
    "gap": (np.concatenate([EVERY[:2000], EVERY[4000:]]), repr, ""),
    "restarted": (EVERY[:4000], repr, "3000,0.001,2.5\n3001,0.001,2.5\n\n3002,0.001,2.4\n"),
    "nan": (EVERY, repr, f"{N + 1},0.0001,nan\n{N + 2},0.0001,2.1\n"),
    "holes": (EVERY, repr, f"{N + 1},,2.2\n{N + 2},0.0001,\n{N + 3},0.0001,2.1\n"),
}


@pytest.mark.parametrize("name", LOGS)
def test_a_long_log_gives_the_curve_of_a_short_one(name, tmp_path, monkeypatch):
    path = written(tmp_path, name, *LOGS[name])
    for most in (10**6, 100):
        monkeypatch.setattr(blocks, "MOST", most)
        short, long = (curve(path, monkeypatch, way, on_nan="drop") for way in (False, True))
        assert long.schedule == short.schedule
        assert_array_equal(long.steps, short.steps)
        assert_array_equal(long.loss, short.loss)
        assert (long.window is None) == (short.window is None) == (most == 10**6)
        if long.window is not None:
            assert_array_equal(long.window, short.window)
        assert (long.assumptions, long.warnings) == (short.assumptions, short.warnings)


def test_rates_do_not_feel_the_blocks(tmp_path, monkeypatch):
    path = written(tmp_path, "run", EVERY)
    whole = curve(path, monkeypatch, True)
    monkeypatch.setattr(blocks, "MOST", 100)
    coarse = curve(path, monkeypatch, True)
    assert coarse.schedule == whole.schedule == PLAN.with_(warmup=60)
    assert len(coarse) == 100
    assert any("averaged in blocks of 60" in said for said in coarse.assumptions)


def test_nothing_that_matters_is_lost(tmp_path, monkeypatch):
    """Blocks are the law's own means: fits of them and of all losses agree far within the noise."""
    path = written(tmp_path, "run", EVERY)
    fits = []
    for most in (10**6, 600):
        monkeypatch.setattr(blocks, "MOST", most)
        fits.append(ll.fit([curve(path, monkeypatch, True)], law="effective"))
    ends = [float(fit.predict(PLAN, [N]).loss[0]) for fit in fits]
    assert abs(ends[0] - ends[1]) < 5e-4
    assert abs(ends[1] - float(LAW.predict(PLAN, [N])[0])) < 3e-3


def test_blocks_of_means_and_the_end_of_a_block_at_a_gap():
    steps = np.concatenate([np.arange(10, 101, 10), np.arange(1010, 1101, 10)])
    loss = np.linspace(3, 2, 20)
    window = np.full(20, 10)
    last, mean, wide = in_blocks(steps, loss, window, most=3)
    assert last.tolist() == [60, 100, 1030, 1100]
    assert wide.tolist() == [60, 40, 30, 70]
    assert_allclose(mean[0], loss[:6].mean())
    assert_allclose((mean * [6, 4, 3, 7]).sum(), loss.sum())
