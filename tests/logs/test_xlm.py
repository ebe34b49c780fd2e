"""XLM's ``train.log``, made with the format strings of its trainer (2020)."""

import json
import math

import pytest
from helpers.read_text import log_in, points

from losslaw.errors import InputError

HEAD = "INFO - 11/07/19 12:15:08 - 0:32:18 - "


def line(step, *losses):
    stats = " || ".join(f"{name}: {loss:7.4f}" for name, loss in losses)
    speed = f"{43:7.2f} sent/s - {1643.12:8.2f} words/s - "
    return f"{HEAD}{step:7d} - {speed}{stats} -  - model LR: {1e-4 * step / 100:.4e}"


def scores(epoch, perplexity):
    values = {"epoch": epoch, "valid_en_mlm_ppl": perplexity, "valid_en_mlm_acc": 40.0}
    return f"{HEAD}__log__:{json.dumps({**values, 'test_en_mlm_ppl': 1.0})}"


def test_points_and_conventions(tmp_path):
    lines = [line(step, ("MLM-en", 2 + 1 / step)) for step in (5, 10, 15)]
    lines += [scores(0, 20.0), line(20, ("MLM-en", 2.05)), scores(1, 10.0), line(25)]
    lines += [lines[0][:-5]]
    log = log_in(tmp_path, lines)
    assert points(log, "MLM-en") == [(5, 2.2), (10, 2.1), (15, 2.0667), (20, 2.05)]
    assert points(log, "lr")[1] == (10, 1e-5)
    assert points(log, "valid_en_mlm_loss") == [(15, math.log(20)), (20, math.log(10))]
    assert (log.loss_is, log.window, log.facts.lr_is) == ("mean", 5, "next")
    assert log.skipped == (("lines that cannot be read to their end", 2),)


def test_of_several_objectives_the_first_is_taken_and_said(tmp_path):
    lines = [line(step, ("MLM-en", 2.0), ("MLM-fr", 3.0)) for step in (5, 10)]
    log = log_in(tmp_path, lines)
    assert (log.columns.loss, log.losses) == ("MLM-en", ("MLM-en", "MLM-fr"))
    assert "of the objectives 'MLM-en' is taken, not 'MLM-fr'" in log.loss_notes


def test_scores_alone_have_no_updates(tmp_path):
    with pytest.raises(InputError, match="no training losses in this log of XLM"):
        log_in(tmp_path, [scores(0, 20.0), scores(1, 10.0)])
