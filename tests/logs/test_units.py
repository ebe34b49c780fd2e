"""What steps and rates count, where it is not updates and rates: asked for, and never guessed."""

import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.files import long_tables

EPOCHS = "epoch,train_loss,eval_loss,lr\n0,3,2.9,0.1\n1,2,1.9,0.05\n2,1.5,1.4,0.01\n"


def curve_of(tmp_path, text, **arguments):
    log = tmp_path / "log.csv"
    log.write_text(text)
    (curve,) = read_curves(log, **arguments)
    return curve


def test_epochs_become_updates_and_each_has_its_rate(tmp_path):
    curve = curve_of(tmp_path, EPOCHS, steps_per_epoch=100)
    assert_array_equal(curve.steps, [100, 200, 300])
    assert_array_equal(curve.loss, [3, 2, 1.5])
    assert_array_equal(curve.schedule.lr, [0.1] * 100 + [0.05] * 100 + [0.01] * 100)
    assert (curve.loss_is, curve.usual_window) == ("epoch", 100)
    curve = curve_of(tmp_path, EPOCHS, steps_per_epoch=100, loss_column="eval_loss")
    assert curve.loss_is == "instant"


def test_epochs_that_count_from_one_are_taken_as_they_are(tmp_path):
    text = "Epoch,Training Loss,Learning Rate\n1,3,0.1\n2,2,0.1\n"
    assert_array_equal(curve_of(tmp_path, text, steps_per_epoch=7).steps, [7, 14])


def test_epochs_without_their_length_are_no_run_of_three_updates(tmp_path):
    with pytest.raises(InputError, match="--steps-per-epoch N"):
        curve_of(tmp_path, EPOCHS)
    with pytest.raises(InputError, match="steps_per_epoch is 0"):
        curve_of(tmp_path, EPOCHS, steps_per_epoch=0)


def rows(unit, every=1):
    steps = [unit * every * row for row in range(1, 41)]
    return "".join(f"{step},0.1,{2 + 1 / step}\n" for step in steps)


def test_tokens_are_told_by_their_number_and_the_division_is_proposed(tmp_path):
    text = "step,lr,loss\n" + rows(524_288)
    with pytest.raises(InputError, match=r"looks like tokens or samples.*--step-divisor 524288"):
        curve_of(tmp_path, text)
    with pytest.raises(InputError, match="one update has 131072, so --step-divisor 131072"):
        curve_of(tmp_path, "# tokens_per_update: 131072\n" + text)
    curve = curve_of(tmp_path, text, step_divisor=524_288 / 4)
    assert_array_equal(curve.steps[:2], [4, 8])
    assert any("divided by 131072" in sentence for sentence in curve.assumptions)
    with pytest.raises(InputError, match="step_divisor is 0"):
        curve_of(tmp_path, text, step_divisor=0)


def test_samples_are_told_by_their_name(tmp_path):
    text = "samples,lr,loss\n" + rows(64)
    with pytest.raises(InputError, match="--step-divisor 64"):
        curve_of(tmp_path, text, step_column="samples")
    curve = curve_of(tmp_path, text, step_column="samples", step_divisor=64)
    assert_array_equal(curve.steps, range(1, 41))
    assert_allclose(curve.loss[0], 2 + 1 / 64)


def test_rows_of_many_updates_are_no_tokens(tmp_path):
    assert curve_of(tmp_path, "step,lr,loss\n" + rows(1000)).steps[-1] == 40_000


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("step,lr,loss\n", "nats per token, assumed"),
        ("# loss_unit: nats per token\nstep,lr,loss\n", "nats per token"),
        ("step,lr,val/bpb\n", "bits per byte"),
        ("step,lr,eval_perplexity\n", "perplexity"),
        ("# loss_unit: bits per token\nstep,lr,loss\n", "bits per token"),
    ],
)
def test_what_a_loss_is_measured_in_is_known_by_its_column_or_said(text, unit, tmp_path):
    column = text.strip().rpartition(",")[2]
    curve = curve_of(tmp_path, text + "1,0.1,3\n2,0.1,2\n", loss_column=column)
    assert curve.unit == unit
    assert curve.loss.tolist() == [3, 2]


def test_tokens_of_a_long_table_are_divided_as_numbers(tmp_path, monkeypatch):
    text = "step,lr,loss\n" + rows(524_288)
    short = curve_of(tmp_path, text, step_divisor=524_288)
    monkeypatch.setattr(long_tables, "LONG", 0)
    long = curve_of(tmp_path, text, step_divisor=524_288)
    assert_array_equal(long.steps, short.steps)
    assert long.schedule == short.schedule
    with pytest.raises(InputError, match=r"looks like tokens or samples.*--step-divisor 524288"):
        curve_of(tmp_path, text)


def test_bits_per_byte_are_taken_where_there_is_no_loss(tmp_path):
    text = "step,lr,val/bits_per_byte\n100,0.1,1.2\n200,0.1,1.1\n300,0.1,1.05\n"
    curve = curve_of(tmp_path, text)
    assert (curve.unit, curve.loss[0]) == ("bits per byte", 1.2)
    curve = curve_of(tmp_path, text.replace("step,", "step,loss,").replace("00,0", "00,3,0"))
    assert curve.loss[0] == 3
    assert any("'loss', not 'val/bits_per_byte'" in each for each in curve.assumptions)
