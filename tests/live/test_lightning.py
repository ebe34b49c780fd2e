"""The callback inside a real Lightning run: killed, resumed, and its log read."""

import csv
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

import losslaw as ll

RUN = '''
import os, signal, sys, warnings
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from losslaw.live.lightning import LiveForecast

folder, kill_at, resume = sys.argv[1], int(sys.argv[2]), sys.argv[3]

class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 8)

    def training_step(self, batch, index):
        x, y = batch
        loss = 1.0 + (self.layer(x) - y).square().mean()
        with open(f"{folder}/real.csv", "a") as stream:
            rate = self.optimizers().param_groups[0]["lr"]
            stream.write(f"{self.global_step + 1},{rate},{loss.item()}\\n")
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=3e-2, weight_decay=0.1)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

class Stop(Callback):
    """Waits for a computation now and then, as a slower run would, and is killed."""

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        if trainer.global_step in (180, 320):
            live.watcher.wait(300)
        if trainer.global_step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

seed_everything(0)
x = torch.randn(4096, 8)
data = torch.utils.data.TensorDataset(x, x.flip(1) + 0.3 * torch.randn(4096, 8))
live = LiveForecast(every=100, batch=8)
trainer = Trainer(
    max_steps=400, accelerator="cpu", accumulate_grad_batches=2, enable_progress_bar=False,
    enable_model_summary=False, log_every_n_steps=10,
    logger=CSVLogger(folder, name="", version="run" if kill_at else "again"),
    callbacks=[
        ModelCheckpoint(f"{folder}/kept", every_n_train_steps=100, save_top_k=-1), live, Stop()
    ],
)
loader = torch.utils.data.DataLoader(data, batch_size=4, shuffle=False)
trainer.fit(Model(), loader, ckpt_path=resume or None)
'''


def trained(folder, kill_at, resume=""):
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(folder), str(kill_at), resume]
    return subprocess.run(command, capture_output=True, text=True)


def metrics_in(path: Path):
    with path.open() as stream:
        return [row for row in csv.DictReader(stream) if row.get("losslaw/end")]


def test_a_run_that_is_killed_and_resumed_is_whole(tmp_path):
    pytest.importorskip("lightning")
    first = trained(tmp_path, 250)
    assert first.returncode == -signal.SIGKILL, first.stderr
    (seen,) = ll.read_curves(tmp_path / "run" / "losslaw_log.csv")
    assert (seen.label, seen.steps[-1]) == ("run", 200)  # the last checkpoint
    (kept,) = (tmp_path / "kept").glob("*step=200*.ckpt")
    again = trained(tmp_path, 0, str(kept))
    assert again.returncode == 0, again.stderr
    assert "without losslaw's metrics" not in first.stderr + again.stderr

    (row, *_) = metrics_in(tmp_path / "again" / "metrics.csv")
    end = [float(row[f"losslaw/end{part}"]) for part in ("_lower", "", "_upper")]
    assert 0 < end[0] < end[1] < end[2]
    assert {"losslaw/annealed", "losslaw/step", "losslaw/confirmed"} <= set(row)

    # Another folder, and yet the whole history: it is in the checkpoint.
    (run,) = ll.read_curves(tmp_path / "again" / "losslaw_log.csv")
    assert (run.steps.tolist(), run.planned) == (list(range(10, 401, 10)), 400)
    assert run.schedule.weight_decay[0] == pytest.approx(0.1)
    # Against what every batch had; updates 201 to 250 were made twice.
    real = {}
    with (tmp_path / "real.csv").open() as stream:
        for step, rate, loss in csv.reader(stream):
            real.setdefault(int(step), []).append((float(rate), float(loss)))
    losses = {step: sum(loss for _, loss in each[-2:]) / 2 for step, each in real.items()}
    means = [sum(losses[step - i] for i in range(10)) / 10 for step in run.steps.tolist()]
    assert_allclose(run.loss, means, rtol=1e-5)  # float32
    rates = [real[step][-1][0] for step in run.steps.tolist()]
    assert_allclose(run.schedule.lr[run.steps - 1], rates, rtol=1e-9)
