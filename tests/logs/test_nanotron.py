"""nanotron: ``key: value`` parts, rounded to three digits and with suffixes."""

import pytest
from helpers.printed_logs import LAST, loss, nanotron, rate
from helpers.read_text import log_in, points


def test_points_and_facts(tmp_path):
    log = log_in(tmp_path, nanotron())
    assert points(log, "lm_loss") == [(s, pytest.approx(loss(s), rel=1e-2)) for s in range(1, 41)]
    assert points(log, "lr")[4] == (5, pytest.approx(rate(6), rel=1e-2))
    assert (log.facts.lr_is, log.loss_is, log.horizon) == ("next", "instant", LAST)
    assert (log.facts.batch, log.facts.sequence_length) == (2, 256)
