"""The callback inside a real Trainer: killed, resumed, and its log read."""

import json
import os
import signal
import subprocess
import sys

import pytest
from numpy.testing import assert_allclose

import losslaw as ll

RUN = '''
import os, signal, sys
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from losslaw.live.huggingface import LiveForecast, watch

folder, kill_at, by_trainer = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "watch"

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 8)

    def forward(self, x, y):
        return {"loss": 1.0 + (self.layer(x) - y).square().mean()}

class Stop(TrainerCallback):
    """Waits for a computation now and then, as a slower run would, and is killed."""

    def on_step_end(self, args, state, control, **parts):
        if state.global_step in (180, 320):
            live.watcher.wait(300)
        if state.global_step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

torch.manual_seed(0)
x = torch.randn(512, 8)
data = [{"x": each, "y": each.flip(0) + 0.3 * torch.randn(8)} for each in x]
args = TrainingArguments(
    output_dir=folder, max_steps=400, per_device_train_batch_size=8, learning_rate=3e-2,
    lr_scheduler_type="cosine", warmup_steps=20, logging_steps=5, save_steps=100, report_to=[],
    use_cpu=True, disable_tqdm=True, weight_decay=0.1,
)
said = []
trainer = Trainer(model=Model(), args=args, train_dataset=data, callbacks=[Stop()])
if by_trainer:
    live = watch(trainer, every=100)
else:
    live = LiveForecast(every=100, say=lambda metrics, step: said.append(step))
    trainer.add_callback(live)
trainer.train(resume_from_checkpoint=kill_at == 0)
trainer.save_state()
print(said)
'''


def trained(folder, kill_at, how):
    command = [sys.executable, "-c", RUN, str(folder), str(kill_at), how]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ})


@pytest.mark.parametrize("how", ["callback", "watch"])
def test_a_run_that_is_killed_and_resumed_is_whole(tmp_path, how):
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    folder = tmp_path / "tiny"
    first = trained(folder, 250, how)
    assert first.returncode == -signal.SIGKILL, first.stderr
    (seen,) = ll.read_curves(folder / "losslaw_log.csv")
    assert seen.steps[-1] == 200  # the last checkpoint
    again = trained(folder, 0, how)
    assert again.returncode == 0, again.stderr
    assert "without losslaw's metrics" not in first.stderr + again.stderr

    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    losses = [row for row in history if "loss" in row]
    assert [row["step"] for row in losses] == list(range(5, 401, 5))  # nothing of it is lost
    answers = {row["step"]: row for row in history if "losslaw/end" in row}
    assert any(step <= 200 for step in answers)  # from before the kill, through the checkpoint
    assert any(step > 250 for step in answers)
    for row in answers.values():
        assert 0 < row["losslaw/end_lower"] < row["losslaw/end"] < row["losslaw/end_upper"]
        assert {"losslaw/annealed", "losslaw/step", "losslaw/confirmed"} <= set(row)
    if how == "callback":
        told = [row["step"] for row in history if "losslaw/step" in row and row["step"] > 200]
        assert json.loads(again.stdout.splitlines()[-1]) == told

    (run,) = ll.read_curves(folder / "losslaw_log.csv")
    assert (run.label, run.planned) == ("tiny", 400)
    assert run.steps.tolist() == [row["step"] for row in losses]
    assert_allclose(run.loss, [row["loss"] for row in losses], rtol=1e-6)
    # Update k of this scheduler has the rate after k - 1 of its steps: the first one has none.
    assert "cosine:peak=0.03,horizon=400,warmup=20" in str(run.origin.plan)
    done = subprocess.run(
        [sys.executable, "-m", "losslaw", "inspect", str(folder / "losslaw_log.csv"), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)
    # The folder is the run still.
    (whole,) = ll.read_curves(folder)
    assert whole.steps.tolist() == run.steps.tolist()
