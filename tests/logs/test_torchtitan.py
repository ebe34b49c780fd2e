"""torchtitan: coloured lines of a rank, and what the line at the start says."""

import pytest
from helpers.printed_logs import LAST, loss, torchtitan
from helpers.read_text import log_in, points


def test_points_and_facts(tmp_path):
    log = log_in(tmp_path, torchtitan())
    assert [step for step, _ in points(log, "loss")] == [1, *range(5, LAST + 1, 5)]
    assert points(log, "val_loss")[-1] == (LAST, pytest.approx(loss(LAST) + 0.5, abs=5e-5))
    facts = log.facts
    assert (facts.batch, facts.sequence_length, facts.warmup) == (64, 2048, 10)
    assert (log.horizon, log.loss_is, log.columns.lr, log.skipped) == (LAST, "instant", None, ())
