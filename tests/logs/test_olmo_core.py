"""OLMo-core: metrics on the lines below their step."""

import pytest
from helpers.printed_logs import LAST, loss, olmo_core, rate
from helpers.read_text import log_in, points


def test_points_facts_and_conventions(tmp_path):
    log = log_in(tmp_path, olmo_core())
    steps = [1, *range(5, LAST + 1, 5)]
    assert points(log, "train/CE loss") == [(s, pytest.approx(loss(s), abs=1e-3)) for s in steps]
    assert points(log, "optim/LR")[1] == (5, pytest.approx(rate(5) / 20, rel=1e-2))
    assert (log.facts.lr_is, log.loss_is, log.horizon) == ("used", "instant", LAST)
    assert log.facts.tokens_per_update == 1000
    assert log.skipped == (("evaluations, whose step is not in the log", 2),)
