"""nanochat: a moving average of the loss, and multiples of a peak that is not in the file."""

import math

import numpy as np
import pytest
from helpers.printed_logs import LAST, loss, nanochat, rate
from helpers.read_text import log_in, points

from losslaw.cli.main import run
from losslaw.curves import read_curves
from losslaw.errors import InputError


def test_points_and_facts(tmp_path):
    log = log_in(tmp_path, nanochat())
    assert points(log, "loss")[3] == (3, pytest.approx(loss(3), abs=5e-7))
    assert (log.loss_is, log.horizon, log.rate_is_relative) == ("average", LAST, True)
    assert (log.facts.tokens_per_update, log.facts.sequence_length) == (524288, 2048)
    per_byte = points(log, "validation nats per byte")
    assert per_byte[0] == (0, pytest.approx(loss(0) / 3 * math.log(2), abs=1e-6))
    assert log.losses == ("loss",)  # bits per byte are no loss per token


def test_a_moving_average_is_compared_as_the_mean_that_is_as_late(tmp_path):
    log_in(tmp_path, nanochat())
    (curve,) = read_curves(tmp_path / "run.log", peak=0.02)
    assert curve.window.tolist() == [min(19, step) for step in curve.steps.tolist()]
    # Losses of the mean are as old as those of the average, where there are enough of them.
    ages = np.arange(2000)
    assert np.mean(np.arange(19)) == pytest.approx(0.1 * (0.9**ages * ages).sum())


def test_a_rate_at_rest_is_no_cosine_whose_clock_stood_still(tmp_path):
    text = "".join(
        f"step {step:05d}/35280 ({step / 352.8:.2f}%) | loss: {9 - step / 100:.6f} | lrm: 1.00 | \n"
        for step in range(200, 250, 5)
    )
    (tmp_path / "run.log").write_text(text)
    (curve,) = read_curves(tmp_path / "run.log", peak=0.02)
    assert curve.origin.plan is None
    assert curve.schedule.lr[200:].tolist() == [0.02] * 45
    assert not any("cosine" in line for line in curve.assumptions)


def test_the_peak_has_to_be_said(tmp_path, capsys):
    log_in(tmp_path, nanochat())
    path = tmp_path / "run.log"
    with pytest.raises(InputError, match=r"multiples of a peak that the log does not say.*--peak"):
        read_curves(path)
    (curve,) = read_curves(path, peak=0.02)
    assert curve.schedule.lr[14] == pytest.approx(0.02 * rate(15) * 1e3, abs=1.01e-4)
    assert run(["inspect", str(path), "--peak", "0.02"]) == 0
    assert "0.02" in capsys.readouterr().out
