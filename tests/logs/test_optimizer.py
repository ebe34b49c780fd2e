"""The optimiser, under the names that people and trainers give it, and where logs say it."""

import pytest
from helpers import printed_logs

from losslaw.errors import InputError
from losslaw.logs import read_logs
from losslaw.logs.metrics import log_from_points
from losslaw.logs.optimizer import OPTIMIZERS, checked_optimizer, optimizer_named
from losslaw.logs.run_settings import facts_of


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (
            "adamw",
            "AdamW|adamw_torch_fused|OptimizerNames.ADAMW_TORCH|adamw_bnb_8bit|paged_adamw_32bit"
            "|<class 'torch.optim.adamw.AdamW'>|torch.optim.AdamW|AdamW (|adamw_apex_fused|adam_w"
            "|DecoupledAdamW|decoupled adam|SkipStepAdamWConfig|AnyPrecisionAdamW|optax.adamw",
        ),
        ("adam", "adam|Adam|FusedAdam|DeepSpeedCPUAdam|distributed_fused_adam|optax.adam"),
        ("muon", "Muon|dist_muon|Muon + AdamW|SingleDeviceMuonWithAuxAdam|NorMuon|MuonClip"),
        ("sgd", "sgd|torch.optim.sgd.SGD|SGD with Nesterov momentum|sgdm"),
        ("lion", "lion|lion_8bit|paged_lion_32bit"),
        ("soap", "SOAP|KL-SOAP|kl_soap"),
        ("hyperball", "hyperball|MuonH|AdamH|muon_hyperball"),
        ("schedule-free", "schedule-free|schedule_free_adamw|AdamWScheduleFree|ScheduleFree SGD"),
        ("other", "other"),
        (None, "galore_adamw|stable_adamw|nadam|dion|ademamix|AdaMuon|optimizer||8bit|nesterov"),
    ],
)
def test_names_of_people_and_trainers(optimizer, names):
    for name in names.split("|"):
        assert (name, optimizer_named(name)) == (name, optimizer)


def test_every_name_is_its_own():
    assert [optimizer_named(name) for name in OPTIMIZERS] == list(OPTIMIZERS)


def test_adam_is_adamw_only_where_its_decay_is_known_to_be_decoupled():
    assert optimizer_named("FusedAdam", decoupled=True) == "adamw"
    assert optimizer_named("sgd", decoupled=True) == "sgd"


@pytest.mark.parametrize("wrong", ["galore", "", 3, None, {"name": "adamw"}])
def test_what_the_user_says_is_one_of_them(wrong):
    with pytest.raises(InputError, match=r"^optimizer is .*, expected one of adamw, adam, muon"):
        checked_optimizer(wrong)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"optim": "adamw_torch"}, "adamw_torch"),
        ({"train.optimizer.name": "Muon", "model.name": "AdamW"}, "Muon"),
        ({"optimizer/_target_": "torch.optim.SGD", "optimizer/lr": "0.1"}, "torch.optim.SGD"),
        ({"optimizer": "wrapped", "optimizer_type": "lion"}, "lion"),
        ({"opt_type": "dion"}, "dion"),
        ({"optimizer": "adam", "decoupled_weight_decay": True}, "adamw"),
        ({"optimizer": "adam", "optimizer.adam_w_mode": "false"}, "adam"),
        ({"optimizer": 3, "optim_args": "adamw", "name": "adamw"}, None),
    ],
)
def test_settings_of_trackers(settings, name):
    assert facts_of(settings)[0].optimizer == name


def test_trackers_know_what_their_trainers_mean():
    def log(names, **settings):
        points = [(name, step, 2.0) for step in range(1, 6) for name in names]
        return log_from_points("a", "b", points, settings=settings).facts.optimizer

    assert log(("train/lrm", "train/loss")) == "muon"
    assert log(("lm loss", "learning-rate"), optimizer="adam") == "adamw"
    assert log(("loss", "lr"), optimizer="adam") == "adam"


# What a trainer prints above its lines, and the name in it.
SAID = [
    ("megatron", "  optimizer ....................................... adam", "adamw"),
    ("megatron", "  optimizer ....................................... sgd", "sgd"),
    (
        "megatron",
        "  decoupled_weight_decay .......................... False\n"
        "  optimizer ....................................... adam",
        "adam",
    ),
    ("nanotron", "optimizer_factory=AdamWOptimizerArgs(adam_eps=1e-08, name='adamW')", "AdamWOpt"),
    ("torchtitan", '  "optimizer": {\n    "name": "AdamW",\n    "lr": 0.0003', "AdamW"),
    ("maxtext", "Config param opt_type: adamw", "adamw"),
    ("modded_nanogpt", "optimizer2 = Muon(params, lr=0.02)\noptimizer1 = torch.optim.AdamW(", "Mu"),
    ("modded_nanogpt", "class Muon(Optimizer):\noptimizer = torch.optim.AdamW(ps)", "AdamW"),
    ("nanogpt", "using fused AdamW: True", "AdamW"),
    ("nanogpt", "", None),
    ("nanochat", "", "muon"),
    ("llmc", "", "adamw"),
    ("llmc_python", "", None),
]


@pytest.mark.parametrize(("trainer", "said", "name"), SAID)
def test_what_trainers_print(tmp_path, trainer, said, name):
    log = tmp_path / "run.log"
    log.write_text("\n".join([said, *getattr(printed_logs, trainer)()]) + "\n")
    (found,) = read_logs(log)
    assert (found.facts.optimizer or "")[: len(name or "")] == (name or "")
    assert name is None or optimizer_named(found.facts.optimizer)


def test_the_hyperparameters_beside_lightnings_metrics(tmp_path):
    rows = "".join(f"{k - 1},0,{2 + 1 / k},1e-3\n" for k in range(10, 101, 10))
    (tmp_path / "metrics.csv").write_text("step,epoch,train_loss,lr-x\n" + rows)
    (tmp_path / "hparams.yaml").write_text("lr: 0.001\noptimizer: lion  # as ever\n")
    (log,) = read_logs(tmp_path / "metrics.csv")
    assert log.facts.optimizer == "lion"
