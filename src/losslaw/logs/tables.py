"""Tables with a header: CSV, TSV and JSON lines, under whatever names trainers give to columns.

A table without steps that has a row an epoch is a log by epochs (timm, Keras and many scripts):
epochs that count from 0 are done when they are logged, and the rate of a row is that of its epoch.
"""

from dataclasses import replace

from losslaw.files import Table
from losslaw.logs.columns import EPOCH, LOSS, Columns, find_columns, is_read, key
from losslaw.logs.log import VALIDATION, Log, usual_loss
from losslaw.logs.run_facts import facts_from
from losslaw.logs.source import Source

NAME = "table (CSV, TSV or JSON lines)"


def read(
    source: Source, loss: str | None = None, lr: str | None = None, step: str | None = None
) -> list[Log]:
    """The one run of a table.

    Raises:
        InputError: no table, or no column for step or loss.
    """
    table = source.table(lambda name: name in (loss, lr, step) or is_read(name))
    columns = find_columns(table, loss_column=loss, lr_column=lr, step_column=step)
    known = {alias: i for i, alias in enumerate(LOSS)}
    losses = sorted(
        (name for name in table.columns if key(name) in known), key=lambda name: known[key(name)]
    )
    if loss is None:
        columns = _usual(table, columns, losses)
    facts = facts_from(table.notes, table.source)
    log = Log(format=NAME, table=table, columns=columns, losses=tuple(losses), facts=facts)
    log = log.with_skipped({"lines cut off": table.cut})
    if table.open_end:
        said = "the last line has no end, and its last number is taken to be whole"
        log = replace(log, notes=(*log.notes, said))
    by_epochs = step is None and key(columns.step) in EPOCH
    return [done_epochs(log) if by_epochs else log]


def _usual(table: Table, columns: Columns, losses: list[str]) -> Columns:
    """The columns with the loss that is fitted by rule: see `usual_loss`."""
    evaluations = [name for name in losses if VALIDATION.search(name.lower())]
    if not evaluations or columns.loss in evaluations:
        return columns
    chosen, said = usual_loss(table, columns.loss, evaluations[0])
    if chosen == columns.loss:
        return columns
    others = tuple(text for text in columns.assumptions if not text.startswith("loss is column"))
    return replace(columns, loss=chosen, assumptions=(*others, said))


def done_epochs(log: Log) -> Log:
    """A log whose steps are numbers of epochs, as one whose steps are epochs done.

    Raises:
        InputError: an epoch that is no number.
    """
    name = log.columns.step
    epochs = log.table.numbers(name)
    from_zero = epochs.size > 0 and epochs.min() == 0 and bool((epochs == epochs.round()).all())
    if from_zero:
        done = (epochs + 1).tolist()
        cells = [
            None if cell is None else repr(number)
            for cell, number in zip(log.table.columns[name], done, strict=True)
        ]
        table = replace(log.table, columns={**log.table.columns, name: cells})
        said = "epochs count from 0: the row of epoch 0 is after one epoch"
        log = replace(log, table=table, notes=(*log.notes, said))
    return replace(
        log,
        step_is="epochs",
        loss_is="epoch",
        notes=(*log.notes, "a training loss is the mean over its epoch, and a rate that of it"),
    )
