"""modded-nanogpt: losses and horizon below its own source code, which has the schedule."""

import pytest
from helpers.printed_logs import LAST, loss, modded_nanogpt
from helpers.read_text import log_in, points

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.schedules import parse_schedule


def test_points_horizon_and_the_schedule_in_its_source(tmp_path):
    log = log_in(tmp_path, modded_nanogpt())
    assert points(log, "train_loss")[0] == (1, pytest.approx(loss(1)))
    assert [step for step, _ in points(log, "val_loss")] == [0, 10, 20, 30, 40]
    assert (log.format, log.horizon, log.loss_is) == ("modded-nanogpt", LAST, "instant")
    assert log.facts.warmup == 0
    schedule = parse_schedule(log.example)
    assert schedule.horizon == LAST
    assert schedule.lr[29] == pytest.approx(0.0036)


def test_source_code_of_any_length_may_come_first(tmp_path):
    lines = modded_nanogpt()
    log = log_in(tmp_path, [*(["x = 'some of its source code'"] * 5000), *lines])
    assert len(points(log, "train_loss")) == LAST


def test_a_schedule_is_asked_for_by_an_example_with_what_the_file_says(tmp_path):
    path = tmp_path / "run.log"
    log_in(tmp_path, modded_nanogpt())
    with pytest.raises(InputError, match=r"--schedule wsd:peak=0.0036,horizon=40,warmup=0"):
        read_curves(path)
    log_in(tmp_path, [line for line in modded_nanogpt() if line.startswith("step:")])
    with pytest.raises(InputError, match=r"--schedule cosine:peak=3e-4,horizon=40 with its own"):
        read_curves(path)
    (curve,) = read_curves(path, schedule="constant:peak=1e-3,horizon=40,warmup=0")
    assert curve.steps[-1] == LAST
