"""``trainer_state.json``: its points, what the rates and losses are, and what is no point."""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs
from losslaw.logs.run_facts import Facts
from losslaw.logs.training_args import facts_beside


def state(history, **rest):
    return json.dumps({"best_metric": None, "log_history": history, "max_steps": 40, **rest})


HISTORY = [
    {"epoch": 0.1, "grad_norm": 1.0, "learning_rate": 9e-4, "loss": 3.0, "step": 10},
    {"epoch": 0.2, "grad_norm": 1.0, "learning_rate": 8e-4, "loss": 2.5, "step": 20},
    {"epoch": 0.2, "eval_loss": 2.4, "eval_runtime": 1.0, "step": 20},
    {"epoch": 0.3, "grad_norm": 1.0, "learning_rate": 7e-4, "loss": 2.25, "step": 30},
    {"epoch": 0.3, "train_loss": 2.6, "train_runtime": 9.0, "step": 30},
]


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "trainer_state.json"
    made.write_text(state(HISTORY))
    return made


def test_points_facts_and_conventions(path):
    (log,) = read_logs(path)
    assert (log.columns.loss, log.losses) == ("loss", ("loss", "eval_loss"))
    assert (log.facts.lr_is, log.loss_is, log.window, log.horizon) == ("next", "mean", 10, 40)
    # The last record has the mean loss of the whole run, which is no point of the curve.
    assert log.skipped == (("records without a loss", 1),)


def test_the_curve_stands_at_the_steps_and_uses_each_rate_one_update_later(path):
    (curve,) = read_curves(path, warmup=0)
    assert curve.steps.tolist() == [10, 20, 30]
    assert curve.loss.tolist() == [3.0, 2.5, 2.25]
    np.testing.assert_allclose(curve.schedule.lr[[10, 20]], [9e-4, 8e-4], rtol=1e-12)
    assert any("next update" in sentence for sentence in curve.assumptions)


def history(steps):
    return [{"step": k, "learning_rate": 1e-3 * (1 - k / 400), "loss": 2.0} for k in steps]


@pytest.mark.parametrize(
    ("steps", "rest", "windows"),
    [
        ([10, 20, 30], {}, [10, 10, 10]),
        # Its first update is logged by itself.
        ([1, 10, 20, 30], {"logging_steps": 10}, [1, 9, 10, 10]),
        # Rows are lost, or most of them were left out.
        ([10, 20, 50], {"logging_steps": 10}, [10, 10, 10]),
        ([50, 120, 190, 260], {}, [10, 10, 10, 10]),
        ([20, 50, 60, 90, 130], {}, [10, 10, 10, 10, 10]),
        # The trainer logs less often later on.
        ([10, 20, 30, 40, 80, 120], {}, [10, 10, 10, 10, 40, 40]),
        # The last update of a run is logged as well; the beginning of the log is lost.
        ([200, *range(210, 300, 10), 293], {}, [10] * 10 + [3]),
    ],
)
def test_a_loss_is_the_mean_since_the_row_before(tmp_path, steps, rest, windows):
    path = tmp_path / "trainer_state.json"
    path.write_text(state(history(steps), **{"max_steps": 400, **rest}))
    (curve,) = read_curves(path, warmup=0)
    assert curve.loss_is == "mean"
    assert curve.window.tolist() == windows
    (curve,) = read_curves(path, warmup=0, loss_is="instant")
    assert (curve.loss_is, curve.window) == ("instant", None)
    said = [text for text in curve.assumptions if text.startswith("a logged loss is")]
    assert said == ["a logged loss is that of one update, as declared"]


def test_an_evaluation_is_of_one_moment(path):
    path.write_text(state([{**row, "eval_loss": 2.0} for row in history([10, 20, 30])]))
    (curve,) = read_curves(path, warmup=0, loss_column="eval_loss")
    assert (curve.loss_is, curve.window) == ("instant", None)


def test_the_evaluations_can_be_asked_for(path):
    (log,) = read_logs(path, loss="eval_loss")
    assert log.columns.loss == "eval_loss"
    with pytest.raises(InputError, match="no column 'perplexity'; found step, learning_rate"):
        read_logs(path, loss="perplexity")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"log_history": [', "damaged: not JSON at line 1"),
        ('{"log_history": 3}', "log_history is 3, expected a list"),
        ('{"log_history": []}', "no losses in its log_history"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, text, why):
    path = tmp_path / "trainer_state.json"
    path.write_text(text)
    with pytest.raises(InputError, match=why) as caught:
        read_curves(path)
    assert "\n" not in str(caught.value)


# Written by the Trainer of transformers 5.24: see scripts/log_fixtures.py.
DATA = Path(__file__).parent / "data" / "huggingface"
IN_PROGRESS = Path(__file__).parents[2] / "examples" / "checkpoints"


def clocked(clock, *, horizon, warmup, peak=3e-3, shape=lambda z: 1 - z):
    rising, fallen = clock / warmup, np.clip((clock - warmup) / (horizon - warmup), 0, 1)
    return peak * np.where(clock < warmup, rising, shape(fallen))


def test_a_run_that_was_killed_and_went_on_is_one_run_with_the_rates_that_were_used():
    (curve,) = read_curves(DATA)
    assert curve.steps.tolist() == list(range(20, 401, 20))
    assert (curve.label, curve.planned, curve.origin.lr_is) == ("huggingface", 400, "used")
    # Update k has the rate at clock k - 1, and 40 updates of warm-up end between two rows.
    updates = np.arange(1, 401)
    np.testing.assert_allclose(
        curve.schedule.lr, clocked(updates - 1, horizon=400, warmup=40), rtol=1e-9, atol=1e-12
    )
    assert (curve.loss_is, curve.usual_window) == ("mean", 20)
    assert curve.origin.losses == ("loss", "eval_loss")
    assert "a logged rate is that of the update just done, decided by arithmetic" in (
        curve.assumptions
    )


def test_the_arguments_beside_the_state_are_read_without_loading_them():
    (curve,) = read_curves(DATA / "checkpoint-200")
    assert (curve.optimizer, curve.schedule.weight_decay[0]) == ("adamw", 0.1)
    assert facts_beside(DATA / "checkpoint-200" / "trainer_state.json", 400).warmup == 40


@pytest.mark.parametrize(
    ("arguments", "warmup"),
    [
        ({"lr_scheduler_type": "cosine", "warmup_ratio": 0.03, "warmup_steps": 0}, 12),
        ({"lr_scheduler_type": "cosine", "warmup_ratio": 0.03, "warmup_steps": 7}, 7),
        ({"lr_scheduler_type": "cosine", "warmup_ratio": None, "warmup_steps": 0.1}, 40),
        ({"lr_scheduler_type": "constant", "warmup_ratio": 0.1, "warmup_steps": 9}, None),
        ({"lr_scheduler_type": "linear", "warmup_ratio": 0.0, "warmup_steps": 0}, None),
    ],
)
def test_a_warm_up_is_a_number_of_updates_or_a_share(tmp_path, arguments, warmup):
    with zipfile.ZipFile(tmp_path / "training_args.bin", "w") as archive:
        archive.writestr("training_args/data.pkl", pickle.dumps(arguments, protocol=2))
    assert facts_beside(tmp_path / "trainer_state.json", 400).warmup == warmup


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x80\x02}q\x00X"])
def test_arguments_that_are_damaged_say_nothing(tmp_path, content):
    (tmp_path / "training_args.bin").write_bytes(content)
    assert facts_beside(tmp_path / "trainer_state.json", 400) == Facts()
    with zipfile.ZipFile(tmp_path / "training_args.bin", "w") as archive:
        archive.writestr("training_args/data.pkl", content)
    assert facts_beside(tmp_path / "trainer_state.json", 400) == Facts()


def test_the_newest_checkpoint_of_a_run_in_progress():
    (curve,) = read_curves(IN_PROGRESS)
    assert (len(curve), curve.steps[-1], curve.planned) == (80, 800, 1200)
    assert (curve.origin.lr_is, curve.usual_window, curve.optimizer) == ("used", 10, "adamw")
    expected = clocked(
        np.arange(800.0), horizon=1200, warmup=100, shape=lambda z: (1 + np.cos(np.pi * z)) / 2
    )
    np.testing.assert_allclose(curve.schedule.lr[:800], expected, rtol=1e-9, atol=1e-12)
    (earlier,) = read_curves(IN_PROGRESS / "checkpoint-400")
    assert earlier.steps[-1] == 400


def test_a_history_that_was_saved_alone(tmp_path):
    path = tmp_path / "history.json"
    path.write_text(json.dumps(HISTORY))
    (curve,) = read_curves(path, warmup=0)
    assert (curve.loss.tolist(), curve.usual_window) == ([3.0, 2.5, 2.25], 10)
