"""Lightning's ``metrics.csv``, as Lightning 2.6.6 wrote it for a line fitted to 40 points.

Two epochs of 20 updates, ``log_every_n_steps=5``, rate ``0.1 (1 - k / 40)`` in update ``k + 1``
(a LambdaLR), a CSVLogger and a LearningRateMonitor.
"""

from pathlib import Path

import numpy as np
import pytest
from helpers.read_text import points

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

WRITTEN = """epoch,lr-SGD,step,train_loss_epoch,train_loss_step,val_loss
,0.09000000000000001,4,,,
0,,4,,0.6446460485458374,
,0.07750000000000001,9,,,
0,,9,,0.5156717896461487,
,0.065,14,,,
0,,14,,0.051528651267290115,
,0.052500000000000005,19,,,
0,,19,,0.01821896620094776,
0,,19,,,0.02781825140118599
0,,19,1.2944424152374268,,
,0.04000000000000001,24,,,
1,,24,,4.206793528283015e-05,
,0.027500000000000004,29,,,
1,,29,,0.0005591867375187576,
,0.015000000000000003,34,,,
1,,34,,0.0011883011320605874,
,0.0025000000000000022,39,,,
1,,39,,0.002447990234941244,
1,,39,,,0.0028438717126846313
1,,39,0.005294937640428543,,
"""


def write(tmp_path, text=WRITTEN):
    path = tmp_path / "version_3" / "metrics.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_steps_are_updates_done_and_rates_those_of_the_update_done(tmp_path):
    (curve,) = read_curves(write(tmp_path), warmup=0)
    assert curve.label == "version_3"
    assert curve.steps.tolist() == [5, 10, 15, 20, 25, 30, 35, 40]
    rates = 0.1 * (1 - np.arange(40) / 40)
    np.testing.assert_allclose(curve.schedule.lr[4:], rates[4:], rtol=1e-6)
    assert (curve.origin.lr_is, curve.loss_is) == ("used", "instant")
    assert curve.origin.losses == ("train_loss_epoch", "train_loss_step", "val_loss")


def test_evaluations_and_means_of_epochs(tmp_path):
    (log,) = read_logs(write(tmp_path))
    assert [step for step, _ in points(log, "val_loss")] == [20, 40]
    (curve,) = read_curves(write(tmp_path), loss_column="val_loss")
    assert curve.loss_is == "instant"
    text = "\n".join(
        ",".join(row.split(",")[i] for i in (0, 2, 3)) for row in WRITTEN.splitlines()
    ).replace("train_loss_epoch", "train_loss")
    (log,) = read_logs(write(tmp_path, text))
    assert (log.loss_is, log.window) == ("epoch", 20)


def test_without_telling_names_the_steps_tell(tmp_path):
    rows = "".join(f"0,{step},{5 - step / 1000}\n" for step in range(49, 500, 50))
    path = tmp_path / "other.csv"
    path.write_text("epoch,step,loss\n" + rows)
    (log,) = read_logs(path)
    assert log.format.startswith("Lightning")
    assert points(log, "loss")[0] == (50, 4.951)
    path.write_text("epoch,step,loss\n" + rows.replace("9,", "0,"))
    assert read_logs(path)[0].format.startswith("table")


def test_a_last_line_that_is_being_written(tmp_path):
    (log,) = read_logs(write(tmp_path, WRITTEN + "1,,44,"))
    assert log.skipped == (("lines cut off", 1),)
    assert log.last_step == 40
    with pytest.raises(InputError, match="line 3: 2 cells, expected 6"):
        read_logs(write(tmp_path, WRITTEN.replace("0,,4,,0.6446460485458374,", "0,")))


def test_momenta_are_no_rates(tmp_path):
    text = WRITTEN.replace("lr-SGD", "lr-SGD-momentum")
    (log,) = read_logs(write(tmp_path, text))
    assert log.columns.lr is None


def test_what_lightning_itself_writes():
    """By the CSVLogger and LearningRateMonitor of lightning 2.6.6: see scripts/log_fixtures.py."""
    (curve,) = read_curves(Path(__file__).parent / "data" / "lightning")
    assert curve.steps.tolist() == list(range(20, 401, 20))
    # The rate of update k is that at clock k - 1.
    clock = curve.steps - 1
    rates = 1e-3 * np.minimum(1, np.minimum(clock / 40, (400 - clock) / 100))
    np.testing.assert_allclose(curve.schedule.lr[clock], rates, rtol=1e-6)
    np.testing.assert_allclose(curve.loss, 2 + 6 / (1 + clock / 20), rtol=1e-6)
    assert (curve.origin.lr_is, curve.loss_is, curve.optimizer) == ("used", "instant", "adamw")
    assert curve.origin.losses == ("train_loss", "val_loss")
