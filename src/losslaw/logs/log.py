"""A log: the numbers that a trainer wrote, and what the file says of the run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from losslaw.errors import InputError
from losslaw.files import Table, number_in
from losslaw.logs.columns import Columns
from losslaw.logs.run_facts import Facts
from losslaw.text import shown

# What one logged loss is: of one update (or one evaluation), the mean over the updates since the
# row before, a moving average, or the mean over the epoch so far.
LossIs = Literal["instant", "mean", "average", "epoch"]

# What the step column counts.
StepIs = Literal["updates", "epochs"]

# Names of losses that were seen in an evaluation, at one moment.
VALIDATION = re.compile(r"(?:^|[^a-z])(?:val|valid(?:ation)?|eval(?:uation)?|test|dev)(?:$|[^a-z])")

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
        loss_is: What one logged training loss is.
        window: Updates that such a mean is over, where it is always the same; of a moving average
            those of the plain mean that is as late.
        spans: Column with the updates that each mean is over, where they differ.
        horizon: Updates that the whole run has, if the file says so.
        step_is: What the step column, and ``horizon``, count; see `losslaw.logs.units`.
        rate_is_relative: Whether the rate column holds multiples of a peak that the log does not
            say.
        example: The schedule that the file describes in words, as SPEC text, if it does.
        label: Name of the run, where the file gives one that tells its runs apart.
        notes: Sentences on what was recognised and taken for granted.
        loss_notes: Likewise, of the loss that was chosen; they go if the user names another.
        skipped: What was not read, and how often.
    """

    format: str
    table: Table
    columns: Columns
    losses: tuple[str, ...]
    facts: Facts = field(default_factory=Facts)
    loss_is: LossIs = "instant"
    window: int | None = None
    spans: str | None = None
    horizon: int | None = None
    step_is: StepIs = "updates"
    rate_is_relative: bool = False
    example: str | None = None
    label: str | None = None
    notes: tuple[str, ...] = ()
    loss_notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()

    @property
    def source(self) -> str:
        """Where it came from, for messages."""
        return self.table.source

    def with_facts(self, facts: Facts) -> "Log":
        """The log with further facts, where it says none of its own."""
        return replace(self, facts=self.facts.or_else(facts))

    def with_skipped(self, skipped: Mapping[str, int]) -> "Log":
        """The log with further things that were not read, and how often."""
        more = tuple((why, count) for why, count in skipped.items() if count)
        return replace(self, skipped=self.skipped + more)

    @property
    def last_step(self) -> int:
        """The last step that can be read; 0 if there is none."""
        for cell in reversed(self.table.columns[self.columns.step]):
            try:
                return int(number_in(cell or ""))
            except (ValueError, OverflowError):
                continue
        return 0

    @property
    def loss_of(self) -> tuple[LossIs, int | None]:
        """What one fitted loss is, and its window: an evaluation is of one moment.

        >>> table = Table("log", {"step": [], "loss": [], "eval_loss": []}, [])
        >>> log = Log(format="", table=table, columns=Columns("step", "loss", None, None, ()),
        ...     losses=("loss", "eval_loss"), loss_is="mean", window=10)
        >>> log.loss_of, log.with_columns("eval_loss").loss_of
        (('mean', 10), ('instant', None))
        """
        if VALIDATION.search(self.columns.loss.lower()):
            return "instant", None
        return self.loss_is, self.window

    def with_columns(
        self, loss: str | None = None, lr: str | None = None, step: str | None = None
    ) -> "Log":
        """The log with loss, rate and step in the columns that the user names.

        Raises:
            InputError: there is no such column.
        """
        columns = self.columns
        for name in (loss, lr, step):
            if name is not None and name not in self.table.columns:
                raise InputError(
                    f"{self.source}: no column {shown(name)!r}; found {self.table.names}"
                )
        columns = replace(
            columns,
            loss=loss or columns.loss,
            lr=lr or columns.lr,
            step=step or columns.step,
        )
        other = columns.loss != self.columns.loss
        return replace(self, columns=columns, loss_notes=() if other else self.loss_notes)


def even_window(steps: Sequence[int]) -> int | None:
    """Updates between any two rows of means, if they are as many from the beginning on.

    >>> even_window([10, 20, 30]), even_window([10, 20, 40]), even_window([50, 120, 190])
    (10, None, None)
    """
    gaps = {later - earlier for earlier, later in pairwise(steps)}
    gap = gaps.pop() if len(gaps) == 1 else 0
    return gap if gap > 0 and steps[0] % gap == 0 else None


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
    points = {name: int((~table.empty(name)).sum()) for name in (train, validation)}
    chosen = validation if points[validation] >= ENOUGH else train
    other = train if chosen == validation else validation

    def counted(name: str) -> str:
        return f"{name!r} ({points[name]} point{'' if points[name] == 1 else 's'})"

    return chosen, f"the loss is {counted(chosen)}, not {counted(other)}"
