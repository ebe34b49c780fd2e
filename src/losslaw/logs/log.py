"""A log: the numbers that a trainer wrote, and what the file says of the run."""

from dataclasses import dataclass, field, replace
from typing import Literal

from losslaw.errors import InputError
from losslaw.files import Table
from losslaw.logs.columns import Columns
from losslaw.logs.run_facts import Facts

# What one logged loss is: of one update (or one evaluation), the mean over the updates since the
# row before, a moving average, or the mean over the epoch so far.
LossIs = Literal["instant", "mean", "average", "epoch"]

# A validation loss is fitted rather than the training loss if it was logged this often.
ENOUGH = 30


@dataclass(frozen=True, kw_only=True)
class Log:
    """One run as its trainer logged it.

    Attributes:
        format: The format, in words.
        table: Numbers by column. In its step column a row stands at the number of updates done.
        columns: Which columns are fitted: step, loss, rate, batch.
        losses: All columns that hold a loss, in the order of the file.
        facts: What the file says of the run besides.
        loss_is: What one logged loss is.
        window: Updates that such a mean is over, where it is always the same.
        horizon: Updates that the whole run has, if the file says so.
        label: Name of the run, where the file gives one that tells its runs apart.
        notes: Sentences on what was recognised and taken for granted.
        skipped: What was not read, and how often.
    """

    format: str
    table: Table
    columns: Columns
    losses: tuple[str, ...]
    facts: Facts = field(default_factory=Facts)
    loss_is: LossIs = "instant"
    window: int | None = None
    horizon: int | None = None
    label: str | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()

    @property
    def source(self) -> str:
        """Where it came from, for messages."""
        return self.table.source

    def with_columns(self, loss: str | None, lr: str | None) -> "Log":
        """The log with the loss and the rate in the columns that the user names.

        Raises:
            InputError: there is no such column.
        """
        columns = self.columns
        for name in (loss, lr):
            if name is not None and name not in self.table.columns:
                known = ", ".join(self.table.columns)
                raise InputError(f"{self.source}: no column {name!r}; found {known}")
        if loss is not None:
            columns = replace(columns, loss=loss)
        if lr is not None:
            columns = replace(columns, lr=lr)
        return replace(self, columns=columns)


def usual_loss(table: Table, train: str | None, validation: str | None) -> tuple[str, str]:
    """Which of two losses is fitted, and a sentence that says so; empty where there is no choice.

    The validation loss if it has ``ENOUGH`` points, for it is less noisy; otherwise the training
    loss.

    >>> table = Table("log", {"train": ["3", "2"], "eval": [None, "2"]}, [1, 2])
    >>> usual_loss(table, "train", "eval")
    ('train', "the loss is 'train' (2 points), not 'eval' (1 point)")
    """
    if train is None or validation is None:
        return train or validation or "", ""
    points = {
        name: sum(cell is not None for cell in table.columns[name]) for name in (train, validation)
    }
    chosen = validation if points[validation] >= ENOUGH else train
    other = train if chosen == validation else validation

    def counted(name: str) -> str:
        return f"{name!r} ({points[name]} point{'' if points[name] == 1 else 's'})"

    return chosen, f"the loss is {counted(chosen)}, not {counted(other)}"
