"""Real logs of trainers that keep records and tables, against their known readings."""

import math
from pathlib import Path

import pytest
from helpers.read_text import points
from numpy.testing import assert_allclose

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

FOLDER = Path(__file__).parents[3] / "shared" / "logs"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the real logs are not beside the repository (../shared/logs)"
)

# File: loss, points, first and last; rates of the same rows; horizon, what a loss and a rate is.
KNOWN = [
    (
        "hf_trainer_state_cosine.json", "loss", 174, (50, 1.6967), (8700, 1.3729),
        (4.999593648124903e-05, 3.1858782416072095e-10), 8712, "mean", "next",
    ),
    (
        "hf_trainer_state_window500.json", "loss", 10, (500, 1.1409), (5000, 0.2645),
        (1.817850637522769e-05, 1.7850637522768672e-06), 5490, "mean", "next",
    ),
    (
        "hf_trainer_state_with_eval.json", "loss", 200, (25, 0.3048), (5000, 0.0002),
        (4.6e-07, 8.88888888888889e-09), 5000, "mean", "next",
    ),
    (
        "hf_console.log", "loss", 4, (478, 6.12), (481, 4.524),
        (2.3012552301255228e-07, 2.1757322175732217e-07), 532, "mean", "next",
    ),
    (
        "llamafactory_trainer_log.jsonl", "loss", 124, (50, 1.6967), (8660, 1.3903),
        (4.999593648124903e-05, 4.739666904921003e-09), 8712, "mean", "next",
    ),
    (
        "lightning_metrics_no_lr.csv", "train_loss_step", 142, (50, 7.628580570220947),
        (140150, 3.6370205879211426), None, None, "instant", None,
    ),
    (
        "fairseq_stdout_v0.log", "loss", 5, (445, 11.521 * math.log(2)),
        (645, 10.902 * math.log(2)), (8.90889e-05, 0.000129084), None, "epoch", "next",
    ),
    (
        "fairseq_epochs.jsonl", "loss", 3, (53749, 3.097 * math.log(2)),
        (58049, 3.092 * math.log(2)), (0.00019096019143386865, 0.0001837514032631448), None,
        "epoch", "next",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "loss", "count", "first", "last", "rates", "horizon", "loss_is", "lr_is"), KNOWN
)
def test_readings(file, loss, count, first, last, rates, horizon, loss_is, lr_is):
    (log,) = read_logs(FOLDER / file)
    pairs = points(log, loss)
    assert len(pairs) == count
    assert_allclose([pairs[0], pairs[-1]], [first, last], rtol=1e-12)
    assert (log.columns.loss, log.horizon, log.facts.lr_is) == (loss, horizon, lr_is)
    assert log.loss_of[0] == loss_is
    if rates is None:
        assert log.columns.lr is None
    else:
        logged = dict(points(log, log.columns.lr))
        assert_allclose((logged[first[0]], logged[last[0]]), rates, rtol=1e-12)


def test_evaluations():
    (log,) = read_logs(FOLDER / "hf_trainer_state_window500.json")
    assert [step for step, _ in points(log, "eval_loss")] == list(range(549, 5491, 549))
    (log,) = read_logs(FOLDER / "hf_trainer_state_with_eval.json")
    assert len(points(log, "eval_loss")) == 5
    (log,) = read_logs(FOLDER / "lightning_metrics_no_lr.csv")
    pairs = points(log, "val_loss")
    assert (len(pairs), pairs[0], pairs[-1]) == (
        10, (14074, 4.132571697235107), (140740, 3.570486068725586)
    )  # fmt: skip


def test_the_window_of_means():
    for file, window in (
        ("hf_trainer_state_window500.json", 500),
        ("llamafactory_trainer_log.jsonl", 10),  # of 5, but every 14th row is all that is left
    ):
        (curve,) = read_curves(FOLDER / file)
        assert (curve.loss_is, curve.usual_window) == ("mean", window)
        assert curve.window.size == len(curve)


def test_epochs_are_no_updates():
    file = FOLDER / "timm_summary.csv"
    with pytest.raises(InputError, match="--steps-per-epoch"):
        read_curves(file)
    (curve,) = read_curves(file, steps_per_epoch=500)
    assert curve.steps.tolist() == [500, 1000, 1500, 2000, 2500]
    assert curve.loss[[0, -1]].tolist() == [1.5266704335171952, 1.068778628976936]
    assert curve.schedule.lr[[0, 499, -1]].tolist() == [0.05, 0.05, 0.004774575140626317]
    assert curve.loss_is == "epoch"


def test_rates_tell_that_there_was_no_warmup():
    for file in ("hf_trainer_state_cosine.json", "hf_trainer_state_window500.json"):
        (curve,) = read_curves(FOLDER / file)
        assert (curve.schedule.warmup, curve.warnings, curve.origin.lr_is) == (0, (), "next")
    (curve,) = read_curves(FOLDER / "llamafactory_trainer_log.jsonl")
    assert (curve.schedule.warmup, curve.warnings) == (0, ())
