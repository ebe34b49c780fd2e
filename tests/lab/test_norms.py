"""The norms that a run records: what they are of, and that they travel with the run."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.curves import read_curves
from losslaw.lab import train
from losslaw.lab.training import kept_checkpoint
from losslaw.schedules import Schedule, constant, wsd

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

EVERY = 5
WSD = wsd(peak=1e-2, horizon=33, warmup=5, cooldown=0.4)


def test_they_are_those_of_the_weights(text, tiny, tmp_path):
    trunk = tmp_path / "a.pt"
    run = train(WSD, tiny, text=text, every=EVERY, checkpoint=trunk, keep={5})
    states = [torch.load(p, weights_only=True) for p in (kept_checkpoint(trunk, 5), trunk)]
    still = Schedule([1e-30])  # rates may not all be zero; this one moves no float32
    start = train(still, tiny, text=text, checkpoint=tmp_path / "0.pt")
    assert_array_equal([*start.norm2, *start.hidden_norm2], 1.0)
    weights = [
        state["learner"]["model"]
        for state in (torch.load(tmp_path / "0.pt", weights_only=True), *states)
    ]

    def squared(model, word):
        # Matrices alone: the gains of the norms have one dimension.
        kept = [w for name, w in model.items() if word in name and w.ndim == 2]
        return sum(w.double().square().sum().item() for w in kept)

    for word, seen in (("", run.norm2), ("blocks", run.hidden_norm2)):
        begun, early, late = (squared(model, word) for model in weights)
        # Summed in float32 there.
        assert_allclose(seen[[0, -1]], [early / begun, late / begun], rtol=1e-5)


def test_weight_decay_alone_shrinks_them_as_the_law_says(text, tiny):
    # SGD at rate 1e-9 hardly moves, so all that is left is the decay: (1 - lr*wd)^2 an update.
    config = dataclasses.replace(tiny, optimizer="sgd", weight_decay=1e7)
    run = train(constant(peak=1e-9, horizon=20), config, text=text, every=10)
    assert_allclose(run.norm2, [0.99**20, 0.99**40], rtol=1e-4)
    assert_allclose(run.hidden_norm2, run.norm2, rtol=1e-4)


def test_a_larger_start_grows_less(text, tiny):
    # The first updates of AdamW have the size of the rate whatever the weights are, so doubling
    # the start divides the relative growth by four.
    growth = []
    for std in (0.02, 0.04):
        config = dataclasses.replace(tiny, init_std=std, weight_decay=0.0)
        run = train(constant(peak=1e-2, horizon=30), config, text=text, every=30)
        growth.append(run.hidden_norm2[-1] - 1)
    # A factor of four if the updates were the same; another start has other gradients.
    assert 2 < growth[0] / growth[1] < 8


def test_the_file_has_them_and_readers_do_not_mind(text, tiny, tmp_path):
    out = tmp_path / "a.csv"
    run = train(WSD, tiny, text=text, every=EVERY, out=out, notes={"warmup": 5, "lr_is": "used"})
    table = np.genfromtxt(out, delimiter=",", names=True, skip_header=2)
    assert_allclose(table["norm2"], run.norm2, atol=5.1e-6)
    assert_allclose(table["hidden_norm2"], run.hidden_norm2, atol=5.1e-6)
    (curve,) = read_curves(out)
    assert_allclose(curve.loss, run.curve.loss, atol=5.1e-7)


def test_a_checkpoint_from_before_there_were_norms_goes_on(text, tiny, tmp_path):
    whole = train(WSD, tiny, text=text, every=EVERY)
    checkpoint = tmp_path / "a.pt"
    train(WSD.prefix(10), tiny, text=text, every=EVERY, checkpoint=checkpoint)
    record = torch.load(checkpoint, weights_only=True)
    record["version"] = 1
    for name in ("optimizer", "momentum", "init_std"):
        del record["config"][name]
    del record["norms"], record["learner"]["others"]
    torch.save(record, checkpoint)
    resumed = train(
        WSD, tiny, text=text, every=EVERY, checkpoint=checkpoint, out=tmp_path / "a.csv"
    )
    assert_array_equal(resumed.curve.loss, whole.curve.loss)
    assert np.isnan(resumed.norm2[:2]).all()
    assert_array_equal(resumed.norm2[2:], whole.norm2[2:])
    # Nor does a reader mind that some are unknown.
    assert len(read_curves(tmp_path / "a.csv", warmup=5)[0]) == len(whole.curve)
