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
        Watcher(log, say=say, **options)  # what is wrong is said before the run begins
        self.watcher: Watcher | None = None
        self.trainer: Trainer | None = None
        self._log, self._say, self._options = log, say, options
        self._rate: float | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Take what is known of the run, and what it has shown before it was stopped."""
        if not state.is_world_process_zero:
            return
        try:
            self.watcher = watcher = self._made(args, state)
            watcher.resume(state.global_step)
            rows = [
                (row["step"], row["learning_rate"], row["loss"])
                for row in state.log_history
                if {"step", "learning_rate", "loss"} <= row.keys()
            ]
            watcher.rows.take(*(zip(*rows, strict=True) if rows else ((), (), ())))
            if "schedule" not in self._options and state.max_steps > state.global_step:
                rest = state.max_steps - state.global_step
                watcher.plan(state.global_step, Schedule.from_torch(parts["lr_scheduler"], rest).lr)
        except InputError as error:  # a scheduler that cannot be run ahead: the log shows its rates
            LOGGER.info("the plan is not known: %s", error)
        except Exception as error:
            LOGGER.warning("the run goes on without losslaw's metrics: %s", error)
            self.watcher = None

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Note the rate that this update will use."""
        if self.watcher is not None:
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
        if self.watcher is not None and logs and "loss" in logs:
            rate = logs.get("learning_rate") if self._rate is None else self._rate
            if rate is not None:
                self.watcher.take_in(state.global_step, logs["loss"], rate)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Log what is ready."""
        if self.watcher is None:
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
        if self.watcher is not None:
            self.watcher.save()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **parts: Any
    ) -> None:
        """Write the log."""
        if self.watcher is not None:
            self.watcher.close()

    def _made(self, args: TrainingArguments, state: TrainerState) -> Watcher:
        """The watcher of this run; what the options leave open is taken from the arguments."""
        processes = int(args.world_size)  # pyright: ignore[reportUnknownArgumentType]
        per_update = args.train_batch_size * args.gradient_accumulation_steps * processes
        known: dict[str, Any] = {
            "horizon": state.max_steps if state.max_steps > 0 else None,
            "weight_decay": args.weight_decay,
            "batch": per_update,
            "optimizer": optimizer_named(str(getattr(args.optim, "value", args.optim))),
            "row": 1,
        }
        log = Path(args.output_dir or ".", LOG) if self._log is None else self._log
        return Watcher(log, say=self._say, **{**known, **self._options})
