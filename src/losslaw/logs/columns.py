"""Which column of a log is which: the names that trainers give to step, rate, loss and batch.

Names are compared without case. Where several columns fit, the first in the order below is taken
and a sentence says so; ``loss_column`` and ``lr_column`` overrule it.
"""

from dataclasses import dataclass

from losslaw.errors import InputError
from losslaw.files import Table

STEP = (
    "step", "steps", "iter", "iters", "iteration", "iterations", "global_step", "_step",
    "train/global_step", "trainer/global_step", "train/step", "update", "updates",
)  # fmt: skip
RATE = (
    "lr", "learning_rate", "learning rate", "learning-rate", "learningrate", "train_lr",
    "train/lr", "train/learning_rate", "train/learning-rate", "optim/lr", "optim/lr (group 0)",
)  # fmt: skip
LOSS = (
    "loss", "train_loss", "train/loss", "training_loss", "train/ce loss", "lm_loss", "lm loss",
    "val_loss", "val/loss", "valid_loss", "valid/loss", "validation_loss", "validation/loss",
    "eval_loss", "eval/loss", "test_loss", "test/loss",
)  # fmt: skip
BATCH = ("batch", "batch_size", "global_batch_size", "train/batch_size")


@dataclass(frozen=True)
class Columns:
    """Names of the columns of one log; ``None`` where it has none."""

    step: str
    loss: str
    lr: str | None
    batch: str | None
    assumptions: tuple[str, ...]


def find_columns(
    table: Table, *, loss_column: str | None = None, lr_column: str | None = None
) -> Columns:
    """The columns of ``table`` that hold step, loss, learning rate and batch.

    Raises:
        InputError: there is no step or loss column, or not the one that was asked for.
    """
    assumptions: list[str] = []

    def pick(what: str, aliases: tuple[str, ...], asked: str | None = None) -> str | None:
        if asked is not None:
            if asked not in table.columns:
                raise InputError(f"{table.source}: no column {asked!r}; found {_names(table)}")
            return asked
        matches = [name for alias in aliases for name in table.columns if name.lower() == alias]
        if what == "learning rate" and not matches:  # Lightning: lr-AdamW, lr-AdamW/pg1, ...
            matches = [name for name in table.columns if name.lower().startswith(("lr-", "lr/"))]
        if len(matches) > 1:
            others = ", ".join(repr(name) for name in matches[1:])
            assumptions.append(f"{what} is column {matches[0]!r}, not {others}")
        return matches[0] if matches else None

    step = pick("step", STEP)
    if step is None:
        raise InputError(
            f"{table.source}: no step column; found {_names(table)};"
            " name one of them 'step' (updates done)"
        )
    loss = pick("loss", LOSS, loss_column)
    if loss is None:
        raise InputError(
            f"{table.source}: no loss column; found {_names(table)};"
            " name one of them 'loss', or say which it is (loss_column=, --loss-column)"
        )
    lr = pick("learning rate", RATE, lr_column)
    return Columns(step, loss, lr, pick("batch", BATCH), tuple(assumptions))


def _names(table: Table) -> str:
    return ", ".join(table.columns)
