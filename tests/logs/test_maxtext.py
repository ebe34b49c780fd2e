"""MaxText: steps from 0, and the schedule in the settings above them."""

import pytest
from helpers.printed_logs import LAST, loss, maxtext
from helpers.read_text import log_in, points


def test_points_facts_and_conventions(tmp_path):
    log = log_in(tmp_path, maxtext())
    assert points(log, "loss") == [
        (s, pytest.approx(loss(s), abs=5.1e-4)) for s in range(1, LAST + 1)
    ]
    assert [step for step, _ in points(log, "eval_loss")] == [20, 40]
    assert (log.horizon, log.columns.lr, log.skipped) == (LAST, None, ())
    assert (log.facts.tokens_per_update, log.facts.sequence_length) == (196608, 2048)
    assert log.example == "cosine:peak=0.0003,horizon=40,warmup=10,final=3e-05"


def test_rates_of_descendants_are_those_used(tmp_path):
    lines = [line.replace(", loss:", ", lr: 3.000e-04, loss:") for line in maxtext()]
    log = log_in(tmp_path, lines)
    assert log.facts.lr_is == "used"
    assert points(log, "lr")[0] == (1, 3e-4)
