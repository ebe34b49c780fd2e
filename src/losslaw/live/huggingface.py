"""`TrainerCallback` for Hugging Face's Trainer.

The rate of an update is that of the optimiser before it, a loss what the Trainer logs: the mean
since it last did (``logging_steps``). The plan is its scheduler, run ahead on a copy. The log is
``losslaw_log.csv`` in ``output_dir``, written at every checkpoint and at the end; a Trainer that
goes on from a checkpoint finds its rows there, and what is missing in the history of its state.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import (
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from losslaw.errors import InputError
from losslaw.live.watcher import LOG, Watcher
from losslaw.logs.optimizer import optimizer_named
from losslaw.schedules import Schedule

LOGGER = logging.getLogger("losslaw.live")
Log = Callable[[dict[str, float], int], object]


def watch(trainer: Trainer, **options: Any) -> "LiveForecast":
    """Add a `LiveForecast` to a Trainer, whose metrics go wherever the Trainer reports to.

    Args:
        trainer: The Trainer, before ``train()``.
        options: Those of `LiveForecast`.
    """
    callback = LiveForecast(**options)
    callback.trainer = trainer
    trainer.add_callback(callback)
    return callback


class LiveForecast(TrainerCallback):
    """Logs where a run will end, and what it is worth now, while it is trained.

    Metrics are put in the history of the Trainer's state, and handed to ``say``; with `watch` they
    are logged by the Trainer itself. Of several processes the first one computes.

    Args:
        log: Where the log is kept; ``None``: ``losslaw_log.csv`` in ``output_dir``.
        say: Called with the metrics and the step, as ``wandb.log``.
        options: Those of `losslaw.live.Watcher`; what they leave open is taken from the Trainer.
    """

    def __init__(
        self, log: str | Path | None = None, *, say: Log | None = None, **options: Any
    ) -> None:
        self.watcher = Watcher(log, say=say, **options)
        self.trainer: Trainer | None = None
        self._watches = False
        self._rate: float | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Take what is known of the run, and what it has shown before it was stopped."""
        self._watches = state.is_world_process_zero
        if not self._watches:
            return
        watcher, done = self.watcher, state.global_step
        try:
            watcher.begin(done, **_known(args, state))
            rows = [
                (row["step"], row["learning_rate"], row["loss"])
                for row in state.log_history
                if {"step", "learning_rate", "loss"} <= row.keys()
            ]
            watcher.rows.take(*(zip(*rows, strict=True) if rows else ((), (), ())))
            if state.max_steps > done and not watcher.planned:
                plan = Schedule.from_torch(parts["lr_scheduler"], state.max_steps - done)
                watcher.plan(done, plan.lr)
        except InputError as error:  # a scheduler that cannot be run ahead: the log shows its rates
            LOGGER.info("the plan is not known: %s", error)
        except Exception as error:
            watcher.tell(error)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Note the rate that this update will use."""
        if self._watches:
            groups = getattr(parts.get("optimizer"), "param_groups", None)
            self._rate = float(groups[0]["lr"]) if groups else None

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **parts: Any,
    ) -> None:
        """Take in the loss that is logged."""
        if self._watches and logs and "loss" in logs:
            rate = logs.get("learning_rate") if self._rate is None else self._rate
            if rate is not None:
                self.watcher.take_in(state.global_step, logs["loss"], rate)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Log what is ready."""
        if not self._watches:
            return
        metrics = self.watcher.take(state.global_step)
        if not metrics:
            return
        if self.trainer is None:
            state.log_history.append({**metrics, "step": state.global_step})
            return
        asked = control.should_log  # which logging takes back
        try:
            self.trainer.log(metrics)
        except Exception as error:
            self.watcher.tell(error)
        control.should_log = asked

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Write the log beside the checkpoint."""
        if self._watches:
            self.watcher.save()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Write the log, and keep the last answer: where metrics are reported to is closed here."""
        if self._watches and (metrics := self.watcher.close()):
            state.log_history.append({**metrics, "step": state.global_step})


def _known(args: TrainingArguments, state: TrainerState) -> dict[str, Any]:
    """What the Trainer says of the run."""
    processes = int(args.world_size)  # pyright: ignore[reportUnknownArgumentType]
    return {
        "log": Path(args.output_dir or ".", LOG),
        "horizon": state.max_steps if state.max_steps > 0 else None,
        "row": 1,
        "weight_decay": args.weight_decay,
        "batch": args.train_batch_size * args.gradient_accumulation_steps * processes,
        "optimizer": optimizer_named(str(getattr(args.optim, "value", args.optim))),
    }
