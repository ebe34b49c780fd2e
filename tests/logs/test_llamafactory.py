"""LLaMA-Factory's ``trainer_log.jsonl``, by the keys of versions 0.6 (all) and 0.9 (``lr``)."""

import json

import numpy as np
import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs


def line(step, **more):
    values = {"current_steps": step, "total_steps": 100, "epoch": step / 50, **more}
    return json.dumps(values) + "\n"


def old(step, loss, rate):
    return line(step, loss=loss, learning_rate=rate, eval_loss=None, reward=None)


OLD = "".join(old(step, 2 + 1 / step, 1e-3 - 1e-5 * step) for step in (10, 20, 30))
NEW = "".join(line(step, loss=2 + 1 / step, lr=1e-3 - 1e-5 * step) for step in (10, 20, 30))


@pytest.mark.parametrize("text", [OLD + old(30, None, None), NEW + line(30)])
def test_both_versions(text, tmp_path):
    path = tmp_path / "run" / "trainer_log.jsonl"
    path.parent.mkdir()
    path.write_text(text)
    (curve,) = read_curves(path, warmup=0)
    assert curve.label == "run"
    assert (curve.planned, curve.usual_window, curve.origin.lr_is) == (100, 10, "next")
    assert curve.steps.tolist() == [10, 20, 30]
    np.testing.assert_allclose(curve.schedule.lr[[10, 20]], [9e-4, 8e-4], rtol=1e-12)


def test_lines_that_are_none_are_counted(tmp_path):
    path = tmp_path / "trainer_log.jsonl"
    path.write_text(OLD + "Traceback\n" + '{"current_steps": 40, "tot')
    (log,) = read_logs(path)
    assert ("lines that are no JSON objects", 2) in log.skipped
    path.write_text(line(1) + line(2))
    with pytest.raises(InputError, match="no losses"):
        read_logs(path)


def test_in_a_run_folder_what_goes_further_counts(tmp_path):
    (tmp_path / "trainer_log.jsonl").write_text(OLD)
    checkpoint = tmp_path / "checkpoint-20"
    checkpoint.mkdir()
    history = [{"step": step, "loss": 3.0, "learning_rate": 1e-3} for step in (10, 20)]
    state = checkpoint / "trainer_state.json"
    state.write_text(json.dumps({"log_history": history, "max_steps": 100}))
    (log,) = read_logs(tmp_path)
    assert (log.format.split()[0], log.last_step) == ("LLaMA-Factory", 30)
    history += [{"step": step, "loss": 3.0, "learning_rate": 1e-3} for step in (30, 40)]
    state.write_text(json.dumps({"log_history": history, "max_steps": 100}))
    (log,) = read_logs(tmp_path)
    assert (log.format.split()[0], log.last_step) == ("Hugging", 40)
