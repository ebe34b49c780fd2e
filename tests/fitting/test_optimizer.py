"""What is taken for granted of the optimiser."""

import pytest

import losslaw as ll
from losslaw.fitting.optimizer import all_by, disagreement, optimizer_of


def runs(*names, decay=None):
    schedule = ll.constant(peak=1e-3, horizon=10, weight_decay=decay)
    return [
        ll.LossCurve(schedule, [5, 10], [3, 2], f"{i}", optimizer=name)
        for i, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("names", "said", "taken"),
    [
        ([None, None], None, None),
        (["adamw", None], None, "adamw"),
        (["adamw", "adamw"], "Muon", "other"),
        (["muon", "muon"], "AdamW", "adamw"),
        (["muon", None], None, "other"),
        (["other"], None, "other"),
        (["adamw", "sgd"], None, "other"),
        (["adam"], None, "other"),
    ],
)
def test_adamw_another_or_nothing(names, said, taken):
    assert optimizer_of(runs(*names), said) == taken
    assert optimizer_of(all_by(runs(*names), said)) == taken


def test_adam_without_decay_is_adamw_without_it():
    assert optimizer_of(runs("adam", decay=0.0)) == "adamw"
    assert optimizer_of(runs("adam", decay=0.1)) == "other"


def test_runs_that_disagree_are_said():
    assert not disagreement(runs("muon", None, "muon"))
    assert "different optimisers (adamw, sgd)" in disagreement(runs("sgd", "adamw"))


def test_a_curve_knows_its_optimiser_by_one_name():
    assert runs("torch.optim.AdamW")[0].optimizer == "adamw"
    with pytest.raises(ll.InputError, match="optimizer is 'sdg'"):
        runs("sdg")
