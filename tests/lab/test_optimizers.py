"""The optimisers of the lab against torch's own, closed forms, and singular values."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.errors import InputError
from losslaw.lab import LabConfig, train
from losslaw.schedules import wsd

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from losslaw.lab.optimizers import MUON_RMS, Momentum, Muon, orthogonal  # noqa: E402

WSD = wsd(peak=1e-2, horizon=33, warmup=5, cooldown=0.4)


def walk(optimizer, weight, gradients):
    """Where a weight is after these gradients."""
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    return weight.detach().numpy()


def test_sgd_without_decay_is_torchs():
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(3, 4, generator=generator) for _ in range(6)]
    ours, theirs = (torch.nn.Parameter(torch.ones(3, 4)) for _ in range(2))
    mine = Momentum([{"params": [ours], "lr": 0.1}], 0.9)
    reference = torch.optim.SGD([theirs], lr=0.1, momentum=0.9)
    # Both round in float32, in another order.
    assert_allclose(walk(mine, ours, gradients), walk(reference, theirs, gradients), rtol=1e-5)


@pytest.mark.parametrize("kind", [Momentum, Muon])
def test_decay_does_not_go_through_the_momentum(kind):
    weight = torch.nn.Parameter(torch.full((2, 3), 5.0))
    optimizer = kind([{"params": [weight], "lr": 0.1, "weight_decay": 0.5}], 0.9)
    assert_allclose(walk(optimizer, weight, [torch.zeros(2, 3)] * 4), 5 * 0.95**4, rtol=1e-6)


@pytest.mark.parametrize("shape", [(8, 24), (24, 8), (8, 8)])
def test_orthogonal_keeps_the_singular_vectors(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    values = u.T @ orthogonal(matrix) @ v.T
    # The published quintic maps all but the smallest singular values into .68 to 1.13; here the
    # smallest, of the square matrix, is a hundredth of the largest.
    assert values.diagonal().min() > 0.6
    assert values.diagonal().max() < 1.2
    assert_allclose(values - torch.diag(values.diagonal()), 0.0, atol=1e-4)


def test_muons_updates_have_the_size_of_adamws():
    weight = torch.nn.Parameter(torch.zeros(16, 64))
    gradient = torch.randn(16, 64, generator=torch.Generator().manual_seed(2))
    moved = walk(Muon([{"params": [weight], "lr": 1.0}], 0.9), weight, [1e-3 * gradient])
    # Singular values of .68 to 1.13 about one.
    assert_allclose(np.sqrt(np.mean(moved**2)), MUON_RMS, rtol=0.2)


@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_every_optimizer_learns_and_resumes_bit_for_bit(text, tiny, tmp_path, optimizer):
    config = dataclasses.replace(tiny, optimizer=optimizer, weight_decay=0.0)
    plan = WSD.scaled(10.0) if optimizer == "sgd" else WSD
    whole = train(plan, config, text=text, every=5)
    assert whole.curve.loss[-1] < whole.curve.loss[0] - 0.05

    files = {"out": tmp_path / "a.csv", "checkpoint": tmp_path / "a.pt"}
    trunk = train(plan.prefix(10), config, text=text, every=5, **files)
    assert trunk.curve.steps[-1] == 10
    resumed = train(plan, config, text=text, every=5, **files)
    assert resumed.shared == 0
    assert_array_equal(resumed.curve.loss, whole.curve.loss)
    assert_array_equal(resumed.norm2, whole.norm2)


def test_a_checkpoint_of_another_optimizer_is_refused(text, tiny, tmp_path):
    checkpoint = tmp_path / "a.pt"
    train(WSD, tiny, text=text, every=5, checkpoint=checkpoint)
    other = dataclasses.replace(tiny, optimizer="muon")
    with pytest.raises(InputError, match="optimizer was adamw, now muon"):
        train(WSD, other, text=text, every=5, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("constants", "says"),
    [
        ({"optimizer": "adam"}, "unknown optimizer 'adam': expected one of adamw, sgd, muon"),
        ({"momentum": 1.0}, r"momentum is in \[0, 1\): 1.0"),
        ({"init_std": 0.0}, "initial standard deviation is positive: 0.0"),
    ],
)
def test_constants_that_make_no_sense(constants, says):
    with pytest.raises(InputError, match=says):
        LabConfig(**constants)
