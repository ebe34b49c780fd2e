"""Averaged weights: the loss of a mean, and what is no mean of one run."""

import dataclasses

import pytest

from losslaw.errors import InputError
from losslaw.lab import merged_loss, train
from losslaw.lab.training import kept_checkpoint
from losslaw.schedules import constant

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

RUN = constant(peak=1e-2, horizon=30, warmup=5)


@pytest.fixture
def kept(text, tiny, tmp_path):
    """A run of 30 updates, and its checkpoints after 10, 20 and 30."""
    path = tmp_path / "a.pt"
    curve = train(RUN, tiny, text=text, every=10, checkpoint=path, keep=[10, 20]).curve
    return curve, [kept_checkpoint(path, 10), kept_checkpoint(path, 20), path]


def test_a_mean_of_one_is_the_model(kept, text):
    curve, paths = kept
    for loss, path in zip(curve.loss, paths, strict=True):
        assert merged_loss([path], text=text) == pytest.approx(loss, abs=1e-7)


def test_weights_are_averaged(kept, text):
    _, paths = kept
    models = [torch.load(path, weights_only=True)["learner"]["model"] for path in paths]
    mean = {name: sum(model[name] for model in models) / 3 for name in models[0]}
    last = torch.load(paths[-1], weights_only=True)
    last["learner"]["model"] = mean
    torch.save(last, paths[0].with_name("mean.pt"))
    by_hand = merged_loss([paths[0].with_name("mean.pt")], text=text)
    assert merged_loss(paths, text=text) == pytest.approx(by_hand, abs=1e-6)
    assert merged_loss(paths, [0.0, 0.0, 1.0], text=text) == merged_loss(paths[-1:], text=text)


def test_what_is_no_mean_of_one_run_is_refused(kept, text, tiny, tmp_path):
    _, paths = kept
    with pytest.raises(InputError, match="increasing whole numbers"):
        merged_loss(paths[::-1], text=text)
    with pytest.raises(InputError, match="no checkpoint at"):
        merged_loss([tmp_path / "none.pt"], text=text)
    other = dataclasses.replace(tiny, seed=1)
    train(RUN, other, text=text, every=10, checkpoint=tmp_path / "b.pt")
    with pytest.raises(InputError, match="another model, seed or text"):
        merged_loss([paths[0], tmp_path / "b.pt"], text=text)
