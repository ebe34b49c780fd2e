"""Megatron-LM and Megatron-DeepSpeed: means over the log interval, rates of the next update."""

import pytest
from helpers.printed_logs import LAST, loss, megatron, megatron_deepspeed, rate
from helpers.read_text import log_in, points

from losslaw.errors import InputError
from losslaw.logs import read_logs


def test_points_facts_and_conventions(tmp_path):
    log = log_in(tmp_path, megatron())
    assert log.format == "Megatron-LM"
    assert points(log, "lm loss")[0] == (5, pytest.approx(loss(5), rel=1e-6))
    assert points(log, "learning rate")[0] == (5, pytest.approx(rate(6)))
    assert (log.loss_is, log.window, log.horizon, log.facts.lr_is) == ("mean", 5, LAST, "next")
    facts = log.facts
    assert (facts.batch, facts.sequence_length, facts.weight_decay) == (64, 2048, 0.1)
    assert facts.warmup == 10
    assert log.skipped == (("evaluations after the end, on other batches", 1),)


def test_an_evaluation_is_of_one_moment_though_the_losses_are_means(tmp_path):
    log_in(tmp_path, megatron())
    (log,) = read_logs(tmp_path / "run.log", loss="validation lm loss")
    assert log.loss_of == ("instant", None)
    assert [step for step, _ in points(log, "validation lm loss")] == [20, 40]


def test_batches_that_change_are_a_column(tmp_path):
    lines = megatron()
    lines[5] = lines[5].replace("global batch size:    64", "global batch size:    32")
    log = log_in(tmp_path, lines)
    assert (log.columns.batch, log.facts.batch) == ("global batch size", None)


def test_skipped_updates_are_said(tmp_path):
    log = log_in(tmp_path, megatron(skipped=2))
    assert any(note.startswith("16 updates were skipped by the loss scaler") for note in log.notes)


def test_two_lines_written_at_once_give_no_point(tmp_path):
    lines = [line for line in megatron() if "] iteration" in line]
    log = log_in(tmp_path, [*lines[:3], lines[3][:90] + lines[4], *lines[5:]])
    assert [step for step, _ in points(log, "lm loss")] == [5, 10, 15, 30, 35, 40]
    assert log.skipped == (("lines that cannot be read to their end", 1),)
    assert log.window == 5


def test_deepspeed_is_told_by_its_own_lines(tmp_path):
    log = log_in(tmp_path, megatron_deepspeed())
    assert log.format == "Megatron-DeepSpeed"
    assert [step for step, _ in points(log, "lm loss")] == list(range(1, LAST + 1))
    assert (log.facts.batch, log.facts.sequence_length, log.window) == (32, 2048, 1)
    assert any(note.startswith("skipped=1") for note in log.notes)


def test_a_log_without_losses_says_so(tmp_path):
    lines = [line.replace("lm loss: ", "grad nor: ") for line in megatron_deepspeed()]
    with pytest.raises(InputError, match=r"no loss in this log of Megatron-DeepSpeed.*'lm loss'"):
        log_in(tmp_path, lines)
