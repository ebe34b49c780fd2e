"""Write the logs in tests/logs/data with the trackers themselves; most losses are made up.

Needs packages that losslaw does not: see tests/logs/data/README.md for the versions that wrote what
is committed. Each tracker is one function; the command names those that are wanted::

    python scripts/log_fixtures.py tests/logs/data tensorboard wandb mlflow trackio lightning
    python scripts/log_fixtures.py tests/logs/data huggingface
    python scripts/log_fixtures.py examples checkpoints

The last two train a small model on the source text of the standard library: their losses are real.

What would tell where a file was made (host, user, paths) is left out or replaced, and databases are
cut down to the tables that are read.
"""

import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HORIZON = 400
PEAK = 0.001


def rate(step: int) -> float:
    """A warm-up of 40 updates, then a line to 0 over the last 100; of update ``step + 1``."""
    return PEAK * min(1.0, step / 40, (HORIZON - step) / 100)


def loss(step: int) -> float:
    """Any fall will do."""
    return 2.0 + 6.0 / (1 + step / 20)


def rows(
    first: int = 0, last: int = HORIZON, every: int = 20
) -> Iterator[tuple[int, float, float]]:
    """Step, rate and loss."""
    return ((step, rate(step), loss(step)) for step in range(first, last + 1, every))


def tensorboard(folder: Path) -> None:
    """Scalars as they stand, in two files of one run, and as tensors, in the two parts of one."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboardX import SummaryWriter

    # The run stops at 240 and goes on from the checkpoint at 200, a little lower.
    for part, (first, last, shift) in enumerate(((0, 240, 0.0), (220, HORIZON, -0.125))):
        name = folder / "tensorboard" / "restarted"
        writer = SummaryWriter(str(name), filename_suffix=f".{part}")
        for step, lr, value in rows(first, last):
            writer.add_scalar("train/loss", value + shift, step, walltime=1000.0 * part + step)
            writer.add_scalar("train/lr", lr, step, walltime=1000.0 * part + step)
        writer.add_histogram("weights", list(range(30)), last)
        writer.close()
        for file in name.glob(f"*.{part}"):
            file.rename(name / f"events.out.tfevents.100000000{part}.host.{part}")
    for part in ("train", "validation"):
        name = folder / "tensorboard" / "tensors" / part
        name.mkdir(parents=True)
        writer = EventFileWriter(str(name))
        for step, lr, value in rows():
            event = Event(step=step, wall_time=1000.0 + step)
            event.summary.CopyFrom(scalar_pb("loss", value + 0.25 * (part == "validation")))
            if part == "train":
                event.summary.value.extend(scalar_pb("learning_rate", lr).value)
            writer.add_event(event)
        writer.close()
        for file in name.iterdir():
            file.rename(name / "events.out.tfevents.1000000000.host.0.v2")


def wandb(folder: Path) -> None:
    """Two runs: one logs at steps of its own, one as the Hugging Face Trainer does."""
    os.environ["WANDB_SILENT"] = "true"
    import wandb as tracker

    for run_id, hugging_face in (("own1", False), ("face", True)):
        with tempfile.TemporaryDirectory() as place:
            settings = tracker.Settings(
                mode="offline", console="off", disable_git=True, disable_code=True, host="host",
                x_disable_stats=True, x_disable_meta=True, x_disable_machine_info=True,
                x_save_requirements=False, program="train.py",
            )  # fmt: skip
            run = tracker.init(
                dir=place, id=run_id, name=f"run {run_id}", project="losses", settings=settings,
                config={"max_steps": HORIZON, "weight_decay": 0.1, "model": {"n_params": 1e6}},
            )  # fmt: skip
            for step, lr, value in rows(20 if hugging_face else 0):
                if hugging_face:
                    record = {"train/loss": value, "train/learning_rate": lr, "train/epoch": 0.1}
                    run.log({**record, "train/global_step": step})
                    if step % 100 == 0:
                        run.log({"eval/loss": value + 0.25, "train/global_step": step})
                else:
                    run.log({"train": {"loss": value}, "lr": lr}, step=step)
            run.finish()
            tracker.teardown()  # what is left is written when the service ends
            (file,) = Path(place).glob("wandb/offline-run-*/run-*.wandb")
            (folder / "wandb").mkdir(exist_ok=True)
            shutil.copy(file, folder / "wandb" / file.name)


def mlflow(folder: Path) -> None:
    """The same two runs in folders and in a database."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow as tracker

    with tempfile.TemporaryDirectory() as place:
        for uri in (f"file:{place}/mlruns", f"sqlite:///{place}/mlflow.db"):
            tracker.set_tracking_uri(uri)
            tracker.set_experiment("losses")
            for name, shift in (("first", 0.0), ("second", 0.5)):
                with tracker.start_run(run_name=name):
                    tracker.log_params({"max_steps": HORIZON, "weight_decay": 0.1})
                    for step, lr, value in rows(every=40):
                        tracker.log_metric("train/loss", value + shift, step)
                        tracker.log_metric("lr", lr, step)
                    tracker.log_metric("val/loss", float("nan"), HORIZON)
        target = folder / "mlflow"
        kept = ("alembic_version", "metrics", "params", "runs")
        _cut(Path(place, "mlflow.db"), target / "mlflow.db", kept)
        by_name = {
            (run.parent / "tags" / "mlflow.runName").read_text(): run
            for run in Path(place, "mlruns").glob("*/*/metrics")
        }
        for number, (_, run) in enumerate(sorted(by_name.items())):
            copy = target / "mlruns" / "1" / f"{number:032x}"
            for part in ("metrics", "params"):
                shutil.copytree(run.parent / part, copy / part)
            (copy / "tags").mkdir()
            shutil.copy(run.parent / "tags" / "mlflow.runName", copy / "tags")
            (copy / "meta.yaml").write_text(f"run_id: {number:032x}\nlifecycle_stage: active\n")


def trackio(folder: Path) -> None:
    """Two runs of a project."""
    with tempfile.TemporaryDirectory() as place:
        os.environ.update(TRACKIO_DIR=place, HF_HUB_OFFLINE="1")
        import trackio as tracker

        for name, shift in (("first", 0.0), ("second", 0.5)):
            run = tracker.init(
                project="losses", name=name, embed=False,
                config={"max_steps": HORIZON, "weight_decay": 0.1},
            )  # fmt: skip
            for step, lr, value in rows():
                run.log({"train/loss": value + shift, "lr": lr}, step=step)
            run.log({"val/loss": float("inf")}, step=HORIZON)
            run.finish()
        _cut(Path(place, "losses.db"), folder / "trackio" / "losses.db", ("metrics", "configs"))


def lightning(folder: Path) -> None:
    """A CSVLogger with a LearningRateMonitor: rates and losses in rows of their own."""
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger

    class Model(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)
            self.save_hyperparameters({"max_steps": HORIZON, "weight_decay": 0.1})

        def training_step(self, batch: torch.Tensor) -> torch.Tensor:
            value = self.layer(batch).square().mean() * 0 + loss(self.global_step)
            self.log("train_loss", value)
            return value

        def validation_step(self, batch: torch.Tensor) -> None:
            self.log("val_loss", torch.tensor(loss(self.global_step) + 0.25))

        def configure_optimizers(self) -> dict[str, object]:
            optimizer = torch.optim.AdamW(self.parameters(), lr=PEAK, weight_decay=0.1)
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: rate(k) / PEAK)
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
            }

    with tempfile.TemporaryDirectory() as place:
        logger = CSVLogger(place, name="", version="")
        data = torch.utils.data.DataLoader(torch.ones(HORIZON, 1))
        Trainer(
            max_steps=HORIZON, logger=logger, log_every_n_steps=20, val_check_interval=100,
            callbacks=[LearningRateMonitor("step")], accelerator="cpu", limit_val_batches=1,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        ).fit(Model(), data, data)  # fmt: skip
        (folder / "lightning").mkdir()
        for name in ("metrics.csv", "hparams.yaml"):
            shutil.copy(Path(place, name), folder / "lightning")


def huggingface(folder: Path) -> None:
    """A linear schedule; the run is killed at 250, and goes on from its checkpoint at 200.

    It ends at 400; the state at the end is beside the checkpoints.
    """
    _train(folder / "huggingface", "linear", 400, warmup=40, every=20, saves=100, kill=250)


def checkpoints(folder: Path) -> None:
    """A cosine in progress, killed at 850 of 1,200: its newest checkpoint is that of 800."""
    _train(
        folder / "checkpoints", "cosine", 1200, warmup=100, every=10, saves=400, kill=850, on=False
    )


def _train(
    folder: Path, kind: str, horizon: int, *, warmup: int, every: int, saves: int, kill: int,
    on: bool = True,
) -> None:  # fmt: skip
    """Train a small GPT-2 on bytes with the Trainer; keep the states it writes, and its arguments.

    The run is killed at a step, and goes ``on`` from its last checkpoint or not.
    """
    import numpy as np
    import torch
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    text = b"".join(file.read_bytes() for file in sorted(Path(os.__file__).parent.glob("*.py")))
    length = 64
    starts = np.random.default_rng(0).integers(0, len(text) - length, 32 * horizon + 64)
    torch.set_num_threads(1)

    class Killed(Exception):
        pass

    class Kill(TrainerCallback):
        def on_step_end(self, args, state, control, **more) -> None:
            if state.global_step == kill:
                raise Killed

    def part(of: np.ndarray) -> list[dict[str, torch.Tensor]]:
        at = (torch.tensor(list(text[start : start + length])) for start in of)
        return [{"input_ids": each, "labels": each} for each in at]

    def trainer(*callbacks: TrainerCallback) -> Trainer:
        size = {"vocab_size": 256, "n_positions": length, "n_embd": 64, "n_layer": 2, "n_head": 2}
        torch.manual_seed(0)
        arguments = TrainingArguments(
            place, max_steps=horizon, lr_scheduler_type=kind, warmup_steps=warmup,
            learning_rate=3e-3, weight_decay=0.1, per_device_train_batch_size=16,
            gradient_accumulation_steps=2, logging_steps=every, save_steps=saves,
            eval_strategy="steps", eval_steps=100, report_to="none", use_cpu=True,
            disable_tqdm=True, dataloader_pin_memory=False,
        )  # fmt: skip
        return Trainer(
            GPT2LMHeadModel(GPT2Config(**size)), arguments,
            train_dataset=part(starts[64:]), eval_dataset=part(starts[:64]),
            callbacks=list(callbacks),
        )  # fmt: skip

    with tempfile.TemporaryDirectory() as here, contextlib.chdir(here):
        place = "run"  # it stands in the arguments
        with contextlib.suppress(Killed):
            trainer(Kill()).train()
        if on:
            ended = trainer()
            ended.train(resume_from_checkpoint=True)
            ended.save_state()
        for file in Path(place).rglob("train*_*"):
            copy = folder / file.parent.relative_to(place)
            copy.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def _cut(source: Path, target: Path, kept: tuple[str, ...]) -> None:
    """A copy of a database with few tables, in small pages, nobody's name in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    old, new = sqlite3.connect(source), sqlite3.connect(target)
    new.execute("PRAGMA page_size = 1024")
    for name, sql in old.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        if name not in kept:
            continue
        new.execute(sql)
        for row in old.execute(f"SELECT * FROM {name}"):
            new.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    if "runs" in kept:
        new.execute("UPDATE runs SET user_id = '', source_name = '', artifact_uri = ''")
    new.commit()
    new.execute("VACUUM")
    new.close()
    old.close()


def main() -> None:
    """Write what the command line names."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:]:
        shutil.rmtree(folder / name, ignore_errors=True)
        write = (
            tensorboard, wandb, mlflow, trackio, lightning, huggingface, checkpoints,
        )  # fmt: skip
        next(each for each in write if each.__name__ == name)(folder)


if __name__ == "__main__":
    main()
