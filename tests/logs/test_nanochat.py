"""nanochat: a moving average of the loss, and multiples of a peak that is not in the file."""

import math

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


def test_the_peak_has_to_be_said(tmp_path, capsys):
    log_in(tmp_path, nanochat())
    path = tmp_path / "run.log"
    with pytest.raises(InputError, match=r"multiples of a peak that the log does not say.*--peak"):
        read_curves(path)
    (curve,) = read_curves(path, peak=0.02)
    assert curve.schedule.lr[14] == pytest.approx(0.02 * rate(15) * 1e3, abs=1.01e-4)
    assert run(["inspect", str(path), "--peak", "0.02"]) == 0
    assert "0.02" in capsys.readouterr().out
