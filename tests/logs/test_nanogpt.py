"""nanoGPT and llama2.c: losses of batches, evaluations, and the settings above them."""

import pytest
from helpers.printed_logs import LAST, llama2c, loss, nanogpt, rate
from helpers.read_text import log_in, points


def test_points_and_settings(tmp_path):
    log = log_in(tmp_path, nanogpt())
    assert log.losses == ("loss", "val_loss")
    assert log.columns.lr is None
    assert points(log, "loss")[0] == (0, loss(0))
    assert points(log, "val_loss") == [
        (s, pytest.approx(loss(s) + 0.5, abs=5e-5)) for s in (0, 20, 40)
    ]
    assert points(log, "eval_train_loss")[-1][0] == LAST
    facts = log.facts
    assert (facts.warmup, facts.sequence_length, facts.tokens_per_update) == (100, 256, 16384)
    assert facts.model_size == pytest.approx(10.65e6)
    assert log.horizon == 40  # the last word counts: it is overridden
    assert log.example == "cosine:peak=0.001,horizon=5000,warmup=100,final=0.0001"


def test_llama2c_prints_the_rate_of_the_next_update(tmp_path):
    log = log_in(tmp_path, llama2c())
    assert log.facts.lr_is == "next"
    assert points(log, "lr") == [(s, pytest.approx(rate(s + 1), rel=1e-6)) for s in range(LAST)]
