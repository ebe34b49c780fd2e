"""A callback for Lightning (``lightning`` or ``pytorch_lightning``).

The rate of an update is that of the optimiser before it, its loss the mean of what
``training_step`` returned for its batches. The plan is the scheduler, run ahead on a copy, if it is
stepped at every update. The log so far is in every checkpoint, and in ``losslaw_log.csv`` in the
folder of the logger, written with every checkpoint and at the end.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer
else:
    try:
        from lightning.pytorch import Callback, LightningModule, Trainer
    except ImportError:
        from pytorch_lightning import Callback, LightningModule, Trainer

from losslaw.errors import InputError
from losslaw.live.watcher import LOG, Watcher
from losslaw.logs.optimizer import optimizer_named
from losslaw.schedules import Schedule

LOGGER = logging.getLogger("losslaw.live")
Log = Callable[[dict[str, float], int], object]


class LiveForecast(Callback):
    """Logs where a run will end, and what it is worth now, while it is trained.

    Metrics go to all loggers of the Trainer, and to ``say``. Of several processes the first one
    computes. Of several optimisers the first one's rate counts.

    Args:
        log: Where the log is kept; ``None``: ``losslaw_log.csv`` in the folder of the logger.
        say: Called with the metrics and the step, as ``wandb.log``.
        options: Those of `losslaw.live.Watcher`; what they leave open is taken from the Trainer.
    """

    def __init__(
        self, log: str | Path | None = None, *, say: Log | None = None, **options: Any
    ) -> None:
        self.watcher = Watcher(log, say=say, **options)
        self._watches = False
        self._state: Mapping[str, Any] | None = None
        self._rate = self._sum = None
        self._batches = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take what is known of the run, and what it has shown before it was stopped."""
        self._watches = trainer.is_global_zero
        if not self._watches:
            return
        watcher, done = self.watcher, trainer.global_step
        try:
            watcher.begin(done, **_known(trainer))
            if self._state is not None:
                watcher.load_state_dict(self._state)
                if done < watcher.rows.last:
                    watcher.rows.forget_from(done + 1)
            by_update = [
                each.scheduler
                for each in trainer.lr_scheduler_configs
                if each.interval == "step" and each.frequency == 1
            ]
            if watcher.horizon and by_update and not watcher.planned:
                plan = Schedule.from_torch(by_update[0], watcher.horizon - done)
                watcher.plan(done, plan.lr)
        except InputError as error:  # a scheduler that cannot be run ahead: the log shows its rates
            LOGGER.info("the plan is not known: %s", error)
        except Exception as error:
            watcher.tell(error)

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Any
    ) -> None:
        """Note the rate that this update will use."""
        if self._watches and (self._rate is None or len(trainer.optimizers) == 1):
            self._rate = float(optimizer.param_groups[0]["lr"])

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Take in the loss, once for each update, and log what is ready."""
        watcher = self.watcher
        if not self._watches:
            return
        try:
            loss_in = getattr(outputs, "get", None)  # a mapping, or the loss itself
            loss: Any = outputs if loss_in is None else loss_in("loss")
            if loss is not None:
                loss = loss.detach()
                self._sum = loss if self._sum is None else self._sum + loss
                self._batches += 1
            if self._rate is None or self._sum is None:  # no update yet
                return
            step = trainer.global_step
            # Lightning hands over shares, which add up to the mean of the batches of an update.
            parts = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            metrics = watcher.seen(step, self._sum * parts / self._batches, self._rate)
            self._rate = self._sum = None
            self._batches = 0
            _log(trainer, metrics)
        except Exception as error:
            watcher.tell(error)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the log, and log the last answer."""
        if self._watches:
            try:
                _log(trainer, self.watcher.close())
            except Exception as error:
                self.watcher.tell(error)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Write the log of a run that was stopped."""
        if self._watches:
            self.watcher.close(0)

    def state_dict(self) -> dict[str, Any]:
        """The log so far, for the checkpoint; it is written to its file as well."""
        if not self._watches:
            return {}
        self.watcher.save()
        return self.watcher.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the log in a checkpoint."""
        self._state = state_dict or None


def _log(trainer: Trainer, metrics: dict[str, float]) -> None:
    if metrics:
        for logger in trainer.loggers:
            logger.log_metrics(metrics, step=trainer.global_step)


def _known(trainer: Trainer) -> dict[str, Any]:
    """What the Trainer says of the run."""
    horizon = trainer.estimated_stepping_batches
    optimizer = trainer.optimizers[0] if trainer.optimizers else None
    groups: list[dict[str, Any]] = getattr(optimizer, "param_groups", [])
    return {
        "log": Path(trainer.log_dir or trainer.default_root_dir, LOG),
        "horizon": int(horizon) if 0 < horizon < float("inf") else None,
        "weight_decay": max((each.get("weight_decay", 0) for each in groups), default=None),
        "optimizer": optimizer_named(type(optimizer).__name__),
    }
