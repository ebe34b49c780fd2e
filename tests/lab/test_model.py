import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.lab import LabConfig

torch = pytest.importorskip("torch")

from losslaw.lab.model import LanguageModel, gains, matrices, parameter_count  # noqa: E402

CONFIG = LabConfig(width=16, layers=2, heads=2, context=8, batch=2)


def test_it_starts_at_the_uniform_loss():
    windows = torch.arange(18).view(2, 9)
    # Logits of standard deviation .02 sqrt(16) = .08, so 16 targets have a mean within .02.
    assert_allclose(LanguageModel(CONFIG)(windows).item(), np.log(256), atol=0.06)


def test_no_position_sees_a_later_byte():
    model = LanguageModel(CONFIG)
    windows = torch.arange(9).view(1, 9)
    changed = windows.clone()
    changed[0, 6:] = 99
    embedded = []
    model.norm.register_forward_hook(lambda _module, _inputs, out: embedded.append(out))
    model(windows)
    model(changed)
    assert_allclose(embedded[0][:, :6].detach(), embedded[1][:, :6].detach(), atol=1e-6)
    assert (embedded[0][:, 6:] != embedded[1][:, 6:]).any()


def test_matrices_decay_and_gains_do_not():
    model = LanguageModel(CONFIG)
    names = {id(p): name for name, p in model.named_parameters()}
    assert {names[id(p)].split(".")[-2] for p in gains(model)} == {
        "attention_norm",
        "network_norm",
        "norm",
    }
    assert len(matrices(model)) + len(gains(model)) == len(names)


def test_the_default_size():
    # Two blocks of 12 width^2, embedding 256 width, positions 128 width, five gains.
    assert parameter_count(LanguageModel(LabConfig())) == 2 * 12 * 64**2 + 384 * 64 + 5 * 64


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = LanguageModel(CONFIG).embedding.weight
    torch.manual_seed(2)
    assert torch.equal(LanguageModel(CONFIG).embedding.weight, first)
    other = LanguageModel(dataclasses.replace(CONFIG, seed=1)).embedding.weight
    assert not torch.equal(other, first)
    assert_allclose(first.std().item(), 0.02, rtol=0.05)  # 4096 draws: 1.1 % standard error
