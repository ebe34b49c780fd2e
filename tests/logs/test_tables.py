"""Tables of people's own scripts: rows that are not one row a step of one run."""

import json

import pytest
from numpy.testing import assert_array_equal

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

STEPS = range(10, 410, 10)


def write(path, text):
    path.write_text(text)
    return path


def said(curve, *words):
    return any(all(word in line for word in words) for line in curve.assumptions + curve.warnings)


def loss(step):
    return 3 + 10 / step


def test_rows_that_say_they_are_evaluations_are_no_training_losses(tmp_path):
    rows = [{"mode": "train", "step": s, "lr": 0.1, "loss": loss(s)} for s in STEPS]
    rows += [{"mode": "val", "step": s, "lr": 0.1, "loss": 9.0} for s in (205, 400)]
    rows.sort(key=lambda row: row["step"])
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (curve,) = read_curves(write(tmp_path / "log.jsonl", text))
    assert_array_equal(curve.loss, [loss(s) for s in STEPS])
    assert said(curve, "'mode'", "are not training losses")
    (curve,) = read_curves(tmp_path / "log.jsonl", loss_column="loss")
    assert curve.loss[-1] == 9.0  # as it stands


def test_evaluations_under_both_names_are_put_together(tmp_path):
    text = "split,step,lr,loss,val_loss\n"
    text += "".join(f"train,{s},0.1,{loss(s)},{9 if s == 10 else ''}\n" for s in STEPS)
    text += "val,400,,8,\n"
    (log,) = read_logs(write(tmp_path / "log.csv", text))
    assert [cell for cell in log.table.columns["val_loss"] if cell] == ["9", "8"]
    assert log.table.columns["loss"][-1] is None


@pytest.mark.parametrize("mode", ["train", "val"])
def test_a_table_of_one_part_only_is_read_as_it_stands(tmp_path, mode):
    text = "mode,step,lr,loss\n" + "".join(f"{mode},{s},0.1,{loss(s)}\n" for s in STEPS)
    (curve,) = read_curves(write(tmp_path / "log.csv", text))
    assert_array_equal(curve.loss, [loss(s) for s in STEPS])


def test_a_summary_at_the_last_step_is_not_its_loss(tmp_path):
    text = "".join(json.dumps({"step": s, "lr": 0.1, "loss": loss(s)}) + "\n" for s in STEPS)
    text += json.dumps({"step": 400, "train_runtime": 9.0, "loss": 5.0}) + "\n"
    (curve,) = read_curves(write(tmp_path / "log.jsonl", text))
    assert curve.loss[-1] == loss(400)
    assert said(curve, "losses without a rate are left out, 1 in all")


def test_rates_that_are_seldom_logged_leave_no_loss_out(tmp_path):
    rows = [f"{s},{0.1 if s % 100 == 0 else ''},{loss(s)}\n" for s in STEPS]
    text = "step,lr,loss\n" + "".join(rows[:20] + rows[10:])  # with a restart
    (curve,) = read_curves(write(tmp_path / "log.csv", text))
    assert_array_equal(curve.loss, [loss(s) for s in STEPS])


@pytest.mark.parametrize(("name", "labels"), [("run", ["0", "1"]), ("seed", ["seed0", "seed1"])])
def test_runs_below_one_another_are_several(tmp_path, name, labels):
    rows = (f"{run},{s},0.1,{loss(s) + run}\n" for run in (0, 1) for s in STEPS)
    text = f"{name},step,lr,loss\n" + "".join(rows)
    curves = read_curves(write(tmp_path / "log.csv", text))
    assert [curve.label for curve in curves] == [f"log/{label}" for label in labels]
    for run, curve in enumerate(curves):
        assert_array_equal(curve.loss, [loss(s) + run for s in STEPS])


def test_a_column_that_names_each_row_tells_no_runs_apart(tmp_path):
    text = "seed,step,lr,loss\n" + "".join(f"{s},{s},0.1,{loss(s)}\n" for s in STEPS)
    (curve,) = read_curves(write(tmp_path / "log.csv", text))
    assert curve.steps.size == len(STEPS)


@pytest.mark.parametrize(
    "line", ["{epoch},{step},0.1,{loss:.4f}\n", "epoch {epoch} step {step}/100 loss {loss:.4f}\n"]
)
def test_steps_that_begin_again_in_every_epoch_are_no_restarts(tmp_path, line):
    text = "epoch,step,lr,loss\n" if line.startswith("{") else ""
    for s in STEPS:
        text += line.format(epoch=(s - 1) // 100, step=(s - 1) % 100 + 1, loss=loss(s))
    write(tmp_path / "log.csv", text)
    with pytest.raises(InputError, match="the steps begin again in another epoch"):
        read_curves(tmp_path / "log.csv", schedule="constant:peak=0.1,horizon=1000")


def test_a_restart_from_an_earlier_epoch_is_one(tmp_path):
    rows = [f"{s / 100},{s},0.1,{loss(s)}\n" for s in STEPS]
    given_up = [row.replace("3.", "4.") for row in rows[15:25]]
    text = "epoch,step,lr,loss\n" + "".join(rows[:15] + given_up + rows[15:])
    (curve,) = read_curves(write(tmp_path / "log.csv", text))
    assert_array_equal(curve.loss, [loss(s) for s in STEPS])
    assert said(curve, "restarted once")


def test_a_validation_loss_that_stands_still_is_one_evaluation(tmp_path):
    rows = (f"{s},0.1,{loss(s)},{loss(s // 100 * 100 or 1):.4f}\n" for s in STEPS)
    text = "step,lr,train_loss,val_loss\n" + "".join(rows)
    (curve,) = read_curves(write(tmp_path / "log.csv", text))
    assert_array_equal(curve.loss, [loss(s) for s in STEPS])  # 5 evaluations are too few
    assert said(curve, "'val_loss' repeat the one before")
    (curve,) = read_curves(tmp_path / "log.csv", loss_column="val_loss")
    assert curve.steps.size == len(STEPS)  # as it stands


def test_optimizer_steps_come_before_steps(tmp_path):
    text = "step,optimizer_step,lr,loss\n" + "".join(f"{8 * s},{s},0.1,{loss(s)}\n" for s in STEPS)
    (curve,) = read_curves(write(tmp_path / "log.csv", text))
    assert curve.steps[-1] == 400
    assert said(curve, "step is column 'optimizer_step', not 'step'")


def test_a_step_that_is_a_count_of_samples_is_refused(tmp_path):
    text = "step,lr,loss,consumed_samples\n"
    text += "".join(f"{512 * s},0.1,{loss(s)},{512 * s}\n" for s in STEPS)
    with pytest.raises(InputError, match="step looks like tokens or samples"):
        read_curves(write(tmp_path / "log.csv", text))
    (curve,) = read_curves(tmp_path / "log.csv", step_divisor=512)
    assert curve.steps[-1] == 400


def test_a_comment_says_how_long_the_run_is_to_be(tmp_path):
    path = tmp_path / "run.csv"
    rows = "".join(f"{step},0.1,{3 - step / 100}\n" for step in range(1, 9))
    path.write_text("# horizon: 2,400\nstep,lr,loss\n" + rows)
    with pytest.raises(InputError, match="its horizon is 2,400, expected a number of updates"):
        read_curves(path)
    path.write_text("# horizon: 2400\nstep,lr,loss\n" + rows)
    assert read_curves(path)[0].planned == 2400
