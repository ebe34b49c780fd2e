"""llm.c ``main.log``: what its steps, rates and losses are."""

import pytest
from helpers.printed_logs import LAST, llmc, llmc_python, loss, rate
from helpers.read_text import log_in, points


def test_a_step_is_the_updates_done_and_a_rate_that_of_the_next(tmp_path):
    log = log_in(tmp_path, llmc())
    assert log.losses == ("train_loss", "val_loss")
    assert log.columns.loss == "train_loss"  # 5 evaluations are too few to be fitted
    assert points(log, "train_loss")[0] == (0, 8.0)
    assert points(log, "val_loss")[-1] == (LAST, pytest.approx(loss(LAST) + 0.5, abs=5e-5))
    assert [value for _, value in points(log, "lr")] == pytest.approx(
        [rate(s + 1) for s in range(LAST)], abs=5e-7
    )
    assert (log.facts.lr_is, log.loss_is, log.horizon) == ("next", "instant", None)
    assert any("rounded to six decimals" in note for note in log.notes)
    assert log.skipped == ()


def test_without_rates_nothing_is_said_about_them(tmp_path):
    log = log_in(tmp_path, llmc_python())
    assert log.columns.lr is None
    assert log.facts.lr_is is None
    assert points(log, "train_loss")[5] == (5, pytest.approx(loss(5), abs=5e-7))
    assert not any("rate" in note for note in log.notes)


def test_half_a_number_is_not_read(tmp_path):
    log = log_in(tmp_path, [*llmc(), "s:41 tel:3.6", "s:42 trl:3.6219 lr:0.00"])
    assert points(log, "val_loss")[-1][0] == LAST
    assert log.skipped == (("lines that cannot be read to their end", 2),)
