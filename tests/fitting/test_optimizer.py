"""What is taken for granted of the optimiser."""

import pytest
from helpers.fit_samples import SCHEDULES, law_of

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


def test_no_weight_decay_is_assumed_for_others_than_adamw():
    law = law_of("effective")
    runs = [law.curve(SCHEDULES[name], range(15, 1501, 15), name) for name in ("flat", "cosine")]
    bare = [run.with_(schedule=run.schedule.with_(weight_decay=None)) for run in runs]

    def fitted(name, curves=bare):
        return ll.fit(curves, "effective", optimizer=name, uncertainty=False)

    for name, said, decay in (
        (None, "weight decay 0.1 is assumed for cosine, flat", None),
        ("adamw", "weight decay 0.1 is assumed for cosine, flat", None),
        ("muon", "trained by muon is not known, and none is assumed: say what it was", 0.0),
    ):
        found = fitted(name)
        assert said in "".join(map(str, found.notes))
        assert found.usual_weight_decay == decay
    # Predictions are of the same: none, unless the schedule says its own.
    told = fitted(
        "muon", [run.with_(schedule=run.schedule.with_(weight_decay=0.0)) for run in bare]
    )
    asked = SCHEDULES["wsd"].with_(weight_decay=None)
    assert fitted("muon").predict(asked, [1500]).loss == told.predict(asked, [1500]).loss
    assert not any("decay" in str(note) for note in fitted("muon", runs).notes)
    assert not any(
        "decay" in str(note) for note in ll.fit(bare, "momentum", optimizer="lion").notes
    )


@pytest.mark.parametrize("law", ["effective", "auto"])
def test_of_a_constant_norm_the_effective_rate_is_the_rate(law):
    truth = law_of("effective").with_(kappa=0.0, h=0.0, N=5.0, r=30.0)
    curves = [
        truth.curve(SCHEDULES[name], range(15, 1501, 15), name).with_(optimizer="hyperball")
        for name in ("flat", "cosine", "two")
    ]
    found = ll.fit(curves, law, uncertainty=False)
    for each in [found] if found.mixture is None else found.mixture.members:
        assert each.law.parameters.get("kappa", 0.0) == each.law.parameters.get("h", 0.0) == 0.0
        assert "kappa" not in each.free
    if law != "auto":
        assert any("norm of the weights is constant" in str(note) for note in found.notes)
    # Whatever its weight decay is said to be.
    asked = SCHEDULES["wsd"]
    losses = [found.predict(asked.with_(weight_decay=x), [1500]).loss[0] for x in (None, 0.0, 0.3)]
    assert losses == [losses[0]] * 3
    if law == "auto":
        assert losses[0] == pytest.approx(truth.predict(asked, [1500])[0], abs=0.02)
