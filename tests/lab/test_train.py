"""The lab's promise: a run depends on schedule, sizes and seed, and on nothing else."""

import dataclasses
import os
import signal

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.errors import InputError
from losslaw.lab import LabConfig, TrainingInterrupted, train
from losslaw.lab.training import kept_checkpoint
from losslaw.schedules import Schedule, constant, wsd
from losslaw.schedules.agreement import agreement

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

EVERY = 5
WSD = wsd(peak=1e-2, horizon=33, warmup=5, cooldown=0.4)
CONSTANT = constant(peak=1e-2, horizon=33, warmup=5)


def rows(path):
    return np.loadtxt(path, delimiter=",", skiprows=1)


def interrupt_at(step):
    """A progress function that presses Ctrl-C after ``step`` updates."""

    def progress(done, _loss):
        if done == step:
            os.kill(os.getpid(), signal.SIGINT)

    return progress


@pytest.fixture
def whole(text, tiny):
    return train(WSD, tiny, text=text, every=EVERY).curve


def test_the_curve_says_what_was_run(whole, tiny):
    assert_array_equal(whole.steps, [5, 10, 15, 20, 25, 30, 33])
    assert_array_equal(whole.schedule.lr, WSD.lr)
    assert whole.schedule.tokens[-1] == 33 * tiny.tokens_per_update
    assert_array_equal(whole.schedule.weight_decay, 0.1)


def test_it_learns(whole):
    # 256 equally likely bytes cost ln 256 = 5.5 nats; a uniform choice of 64 costs 4.2.
    assert whole.loss[0] < np.log(256) + 0.1
    assert whole.loss[-1] < whole.loss[0] - 0.5


@pytest.mark.parametrize("step", [3, 10, 31])
def test_interrupted_and_resumed_is_bit_identical(text, tiny, whole, tmp_path, step):
    files = {"out": tmp_path / "a.csv", "checkpoint": tmp_path / "a.pt"}
    with pytest.raises(TrainingInterrupted, match=f"after update {step} of 33.*resume"):
        train(WSD, tiny, text=text, every=EVERY, progress=interrupt_at(step), **files)
    resumed = train(WSD, tiny, text=text, every=EVERY, **files)
    assert_array_equal(resumed.curve.loss, whole.loss)
    assert_array_equal(resumed.curve.steps, whole.steps)
    assert resumed.shared == 0
    # The file has the losses to six decimals, and the rate that the step's own update used.
    assert_allclose(rows(files["out"])[:, 2], whole.loss, atol=5.1e-7)
    assert_allclose(rows(files["out"])[:, 1], WSD.lr[whole.steps - 1], rtol=1e-9)


def test_ctrl_c_without_a_checkpoint_says_so(text, tiny):
    with pytest.raises(TrainingInterrupted, match="nothing was saved"):
        train(WSD, tiny, text=text, every=EVERY, progress=interrupt_at(3))


def test_the_handlers_are_put_back(text, tiny):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted):
        train(WSD, tiny, text=text, every=EVERY, progress=interrupt_at(1))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_run_is_not_run_again(text, tiny, whole, tmp_path):
    checkpoint = tmp_path / "a.pt"
    train(WSD, tiny, text=text, every=EVERY, checkpoint=checkpoint)
    called = []
    again = train(
        WSD,
        tiny,
        text=text,
        every=EVERY,
        checkpoint=checkpoint,
        progress=lambda *seen: called.append(seen),
    )
    assert not called
    assert_array_equal(again.curve.loss, whole.loss)


def test_equal_prefixes_have_equal_losses(text, tiny, whole):
    other = train(CONSTANT, tiny, text=text, every=EVERY).curve
    shared = whole.steps <= agreement(WSD, CONSTANT)
    assert shared.sum() == 4
    assert_array_equal(other.loss[shared], whole.loss[shared])
    assert (other.loss[~shared] != whole.loss[~shared]).all()


def test_a_branch_is_bit_identical_to_the_whole_run(text, tiny, whole, tmp_path):
    trunk = tmp_path / "trunk.pt"
    train(CONSTANT, tiny, text=text, every=EVERY, checkpoint=trunk, keep={20})
    branch = train(WSD, tiny, text=text, every=EVERY, branch_from=kept_checkpoint(trunk, 20))
    assert branch.shared == 20
    assert_array_equal(branch.curve.loss, whole.loss)
    assert_array_equal(branch.curve.steps, whole.steps)


def test_a_longer_run_drops_the_odd_last_step_of_a_shorter_one(text, tiny, tmp_path):
    trunk = tmp_path / "trunk.pt"
    train(CONSTANT, tiny, text=text, every=EVERY, checkpoint=trunk)
    longer = constant(peak=1e-2, horizon=40, warmup=5)
    curve = train(longer, tiny, text=text, every=EVERY, branch_from=trunk).curve
    assert_array_equal(curve.steps, np.arange(5, 41, 5))


def test_seeds_differ_in_weights_and_data(text, tiny, whole):
    other = train(WSD, dataclasses.replace(tiny, seed=1), text=text, every=EVERY).curve
    assert (other.loss != whole.loss).all()


def test_a_run_does_not_touch_the_global_generator(text, tiny):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(WSD.prefix(2), tiny, text=text, every=EVERY)
    assert_array_equal(torch.rand(3).numpy(), expected.numpy())


def test_zero_rates_move_nothing(text, tiny):
    lr = np.r_[np.full(5, 1e-2), np.zeros(10)]
    losses = train(Schedule(lr), tiny, text=text, every=EVERY).curve.loss
    assert_array_equal(losses[1:], losses[0])


def test_batch_and_weight_decay_of_the_schedule_count(text, tiny, whole):
    decayed = WSD.with_(weight_decay=np.full(WSD.horizon, 5.0))
    assert (train(decayed, tiny, text=text, every=EVERY).curve.loss != whole.loss).all()
    batch = np.r_[np.full(10, 4.0), np.full(WSD.horizon - 10, 8.0)]
    curve = train(WSD.with_(batch=batch), tiny, text=text, every=EVERY).curve
    assert_array_equal(curve.loss[:2], whole.loss[:2])
    assert (curve.loss[2:] != whole.loss[2:]).all()
    assert curve.schedule.tokens[-1] == batch.sum() * tiny.context


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schedule": WSD.scaled(0.5)}, "update 1 had rate 0.002, the schedule says 0.001"),
        ({"schedule": WSD.prefix(8)}, "has done 33 updates, the schedule has 8"),
        ({"schedule": WSD.with_(weight_decay=np.zeros(33))}, "update 1 had weight decay 0.1"),
        ({"seed": 1}, "seed was 0, now 1"),
        ({"width": 32}, "width was 16, now 32"),
        ({"every": 10}, "every 5 updates, now every 10"),
        ({"text": None}, "text has sha256"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(text, tiny, tmp_path, change, says):
    checkpoint = tmp_path / "a.pt"
    train(WSD, tiny, text=text, every=EVERY, checkpoint=checkpoint)
    sizes = {key: value for key, value in change.items() if key in ("seed", "width")}
    other = dataclasses.replace(text, train=text.train[::-1]) if "text" in change else text
    with pytest.raises(InputError, match=r"a\.pt is of another run.*delete it") as caught:
        train(
            change.get("schedule", WSD),
            dataclasses.replace(tiny, **sizes),
            text=other,
            every=change.get("every", EVERY),
            checkpoint=checkpoint,
        )
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_one_line(text, tiny, tmp_path, content):
    checkpoint = tmp_path / "a.pt"
    checkpoint.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.pt is damaged") as caught:
        train(WSD, tiny, text=text, every=EVERY, checkpoint=checkpoint)
    assert "\n" not in str(caught.value)


def test_another_torch_file_is_not_a_checkpoint(text, tiny, tmp_path):
    checkpoint = tmp_path / "a.pt"
    torch.save({"weights": torch.zeros(3)}, checkpoint)
    with pytest.raises(InputError, match="not a checkpoint of the lab"):
        train(WSD, tiny, text=text, every=EVERY, checkpoint=checkpoint)


def test_an_output_that_cannot_be_written(text, tiny, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        train(WSD, tiny, text=text, every=EVERY, out=tmp_path / "nowhere" / "a.csv")


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ({"width": 15}, "heads divide the width"),
        ({"layers": 0}, "layers is at least 1"),
        ({"weight_decay": -0.1}, "non-negative"),
        ({"seed": -1}, "non-negative"),
    ],
)
def test_sizes_that_make_no_sense(sizes, says):
    with pytest.raises(InputError, match=says):
        LabConfig(**sizes)


def test_fractions_of_a_sequence_and_of_an_update(text, tiny):
    with pytest.raises(InputError, match="whole numbers"):
        train(WSD.with_(batch=np.full(33, 1.5)), tiny, text=text)
    with pytest.raises(InputError, match="at least 1"):
        train(WSD, tiny, text=text, every=0)
