"""Names of metrics, restarts, and which trainer it was."""

import pytest

from losslaw.errors import InputError
from losslaw.logs.metrics import in_order, kind_of, log_from_points, log_from_rows
from losslaw.logs.run_settings import facts_of


def points(*names, steps=range(0, 100, 10)):
    return [(name, step, 2 + 1 / (step + 1)) for step in steps for name in names]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "train",
            "loss|train/loss|Loss/train|trainLoss|train_loss_step|lm loss|lm_loss|train/CE loss"
            "|loss_metrics/global_avg_loss|learning/loss|trainloss|train/nll",
        ),
        (
            "validation",
            "eval/loss|val_loss|Loss/val|validation/epoch_loss|lm loss validation|valLoss|valloss"
            "|test/loss|eval/c4/loss",
        ),
        (
            "rate",
            "lr|learning_rate|train/learning_rate|lr-AdamW|lr-AdamW/pg1|optim/LR (group 0)"
            "|learning-rate|learningRate|learning/current_learning_rate|train/lrm",
        ),
        ("batch", "batch-size|global_batch_size|train/batch_size"),
        ("tokens", "train/num_input_tokens_seen|consumed_tokens|throughput/total tokens"),
        (
            None,
            "z_loss|aux_loss|loss scale|loss-scale|lm loss vs samples|loss_metrics/global_max_loss"
            "|lm loss validation ppl|learning-rate vs samples|lr_decay_steps|tokens_per_second"
            "|total tokens per sec|epoch|grad_norm|accuracy|closeness|weights|min_lr"
            "|micro batch size",
        ),
    ],
)
def test_names_are_read_word_by_word(kind, names):
    assert {name: kind_of(name) for name in names.split("|")} == dict.fromkeys(
        names.split("|"), kind
    )


def test_of_several_names_the_full_and_plain_one_is_taken_and_said():
    given = [
        *points("loss/train_ema", "train/loss", "lr-AdamW/pg2", "lr-AdamW/pg1"),
        ("train_loss", 90, 2.5),  # the mean of the whole run, once
    ]
    log = log_from_points("a", "b", given)
    assert (log.columns.loss, log.columns.lr) == ("train/loss", "lr-AdamW/pg2")
    assert "the training loss is 'train/loss', not 'loss/train_ema'" in log.notes
    log = log_from_points("a", "b", points("loss/train_ema"))
    assert log.loss_of == ("average", None)


@pytest.mark.parametrize(
    ("names", "lr_is", "loss_is", "first"),
    [
        ("train/loss|train/learning_rate|train/epoch", "next", "mean", 10),
        ("lm loss|learning-rate|batch-size", "next", "instant", 10),
        ("lm_loss|lr|consumed_tokens", "next", "instant", 10),
        ("loss_metrics/global_avg_loss|loss_metrics/global_max_loss|lr", "used", "instant", 10),
        ("train/CE loss|optim/LR (group 0)", "used", "instant", 10),
        ("learning/loss|learning/current_learning_rate", "used", "instant", 11),
        ("train_loss|lr-Adam|trainer/global_step|epoch", "used", "instant", 11),
        ("train/loss|train/lrm", "next", "average", 10),
        ("train/loss|lr", None, "instant", 10),
    ],
)
def test_some_names_tell_the_trainer(names, lr_is, loss_is, first):
    names = names.split("|")
    log = log_from_points("a", "b", points(*names, steps=range(10, 99, 20)), seen=names)
    assert (log.facts.lr_is, log.loss_is) == (lr_is, loss_is)
    assert log.rate_is_relative == ("train/lrm" in names)
    assert log.table.columns["step"][0] == str(first)


def test_steps_that_are_one_short_count_from_zero():
    log = log_from_points("a", "b", points("loss", "lr", steps=(49, 99, 149)))
    assert log.table.columns["step"] == ["50", "100", "150"]
    assert any("count from 0" in sentence for sentence in log.notes)
    log = log_from_points("a", "b", points("loss", "lr", steps=(0, 1, 2, 3)))
    assert log.table.columns["step"][0] == "0"
    assert log.facts.lr_is == "next"


def test_keras_logs_by_epochs():
    log = log_from_points("a", "b", points("epoch_loss", "epoch_learning_rate", steps=range(5)))
    assert (log.step_is, log.table.columns["step"]) == ("epochs", [f"{k}.0" for k in range(1, 6)])


def test_the_tokens_of_an_update_are_known_if_they_are_the_same_in_all():
    rows = [{"step": k, "loss": 2.0, "consumed_tokens": 512 * k} for k in (0, 10, 20)]
    assert log_from_rows("a", "b", rows).facts.tokens_per_update == 512
    rows[-1]["consumed_tokens"] += 1
    assert log_from_rows("a", "b", rows).facts.tokens_per_update is None


def test_a_restart_supersedes_what_was_given_up_under_every_name():
    before = points("loss", "lr", steps=(0, 10, 20, 30, 40))
    val = [("val", 25, 3.0), ("val", 45, 3.0)]
    after = [(name, step, value - 1) for name, step, value in points("loss", "lr", steps=(20, 30))]
    rows, (said,) = in_order([*before, *val, *after, ("val", 15, 9.0)])
    assert sorted(rows) == [0, 10, 15, 20, 30]  # nothing of 40, nor of the evaluations at 25 and 45
    assert rows[20] == {"loss": 2 + 1 / 21 - 1, "lr": 2 + 1 / 21 - 1}
    assert "restarted at step 20: 8 earlier values" in said


def test_of_two_values_at_a_step_the_later_counts():
    nan = float("nan")
    rows, (said,) = in_order([("loss", 1, 3.0), ("loss", 1, 2.0), ("a", 1, nan), ("b", 1, 1.0)])
    assert rows[1]["loss"] == 2.0
    assert said.startswith("1 value repeats a step with another one (several ranks in one log?)")


def test_two_restarts_and_a_name_that_notices_late():
    given = [("loss", s, 1.0) for s in (1, 2, 3, 4)] + [("val", 4, 1.0)]
    given += [("loss", s, 2.0) for s in (3, 4, 5, 6)] + [("val", 4, 2.0)]
    given += [("loss", s, 3.0) for s in (5, 6)]
    rows, (said,) = in_order(given)
    assert {step: row["loss"] for step, row in rows.items()} == {
        1: 1.0, 2: 1.0, 3: 2.0, 4: 2.0, 5: 3.0, 6: 3.0,
    }  # fmt: skip
    assert rows[4]["val"] == 2.0
    assert "at step 3, 5" in said


def test_values_out_of_order_are_no_restart():
    given = [*points("loss"), ("val", 90, 2.0), ("val", 30, 2.1), ("val", 60, 2.2)]
    rows, notes = in_order(given)
    assert not notes
    assert [step for step, row in rows.items() if "val" in row] == [30, 60, 90]
    assert sum("loss" in row for row in rows.values()) == 10


def test_order_costs_no_more_than_its_length():
    back_and_forth = [("loss", step % 2 + step // 2, 1.0) for step in range(200_000)]
    assert len(in_order(back_and_forth)[0]) > 1


def test_a_count_of_rows_gives_way_to_a_count_of_updates():
    rows = [{"_step": k, "train/global_step": 10 * k, "train/loss": 2.0, "lr": 1} for k in (1, 2)]
    log = log_from_rows("a", "b", [*rows, {"_step": 3, "lr": 1.0}, {"_step": 4, "gpu": 1.0}])
    assert log.table.columns["step"] == ["10", "20"]
    assert log.skipped == (("rows without a train/global_step that is a whole number", 1),)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no losses in it; found nothing"),
        ([{"_step": 1, "gpu": 2.0}], "no losses in it; found _step, gpu"),
        ([{"loss": 1.0}], "no step in most of the rows with a loss; found loss"),
        (
            [{"_step": x, "loss": 1.0} for x in ("x", -1, 0.5, None, True, float("inf"))],
            "no losses",
        ),
    ],
)
def test_what_is_missing_is_said(rows, why):
    with pytest.raises(InputError, match=why):
        log_from_rows("a", "b", rows)


def test_settings_give_facts_and_the_horizon():
    facts, horizon = facts_of(
        {
            "max_steps": -1, "trainer.train_iters": 900, "warmup_steps": 0, "seq_len": "1024",
            "optim.weight_decay": 0.1, "batch_size": 4, "global_batch_size": 64,
            "model/num_parameters": 1e6, "name": "x", "layers": [1], "lr_warmup_iters": True,
        }
    )  # fmt: skip
    assert horizon == 900
    assert (facts.warmup, facts.weight_decay, facts.sequence_length) == (None, 0.1, 1024)
    assert (facts.batch, facts.model_size) == (64, 1e6)


def test_a_horizon_that_the_log_goes_beyond_is_not_believed():
    log = log_from_points("a", "b", points("loss"), settings={"max_steps": 50})
    assert log.horizon is None
    assert any("say 50 updates" in sentence for sentence in log.notes)


def test_steps_that_may_count_rows_are_said():
    rows = [{"_step": k, "loss": 2.0, "lr": 1e-3} for k in range(1, 10)]
    log = log_from_rows("a", "b", rows, settings={"log_interval": 10})
    assert any("divide it by 0.1 (--step-divisor)" in sentence for sentence in log.notes)
    for other in ({"settings": {"log_interval": 1}}, {}):
        log = log_from_rows("a", "b", rows, **other)
        assert not any("step-divisor" in sentence for sentence in log.notes)
    log = log_from_rows("a", "b", rows[::2], settings={"log_interval": 10})
    assert not any("step-divisor" in sentence for sentence in log.notes)
