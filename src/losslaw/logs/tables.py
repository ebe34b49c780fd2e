"""Tables with a header: CSV, TSV and JSON lines, under whatever names trainers give to columns.

A table without steps that has a row an epoch is a log by epochs (timm, Keras and many scripts):
epochs that count from 0 are done when they are logged, and the rate of a row is that of its epoch.

Rows of several runs may stand in one table, below one another, and evaluations among the training
losses; a column says so. A validation loss may be written again in each row until the next one.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from losslaw.errors import InputError
from losslaw.files import Numbers, Table, number_in
from losslaw.logs.columns import EPOCH, LOSS, Columns, find_columns, is_read, key
from losslaw.logs.log import VALIDATION, Log, usual_loss
from losslaw.logs.run_facts import facts_from
from losslaw.logs.source import Source
from losslaw.text import shown

NAME = "table (CSV, TSV or JSON lines)"
# Columns that say of which run a row is, and of which part of it.
RUN = ("run", "run_id", "run_name", "experiment", "exp_name", "trial", "seed")
PART = ("mode", "split", "phase", "stage")


def read(
    source: Source, loss: str | None = None, lr: str | None = None, step: str | None = None
) -> list[Log]:
    """The run of a table, or its runs, where a column says of which run each row is.

    Raises:
        InputError: no table, or no column for step or loss.
    """
    table = source.table(lambda name: name in (loss, lr, step) or is_read(name))
    asked = (loss, lr, step)
    runs = _runs(table, asked)
    if len(runs) < 2:
        return [_run(table, *asked)]
    return [replace(_run(each, *asked), label=label) for label, each in runs.items()]


def _run(table: Table, loss: str | None, lr: str | None, step: str | None) -> Log:
    """The log in the rows of one run."""
    notes: list[str] = []
    if loss is None:
        table = _levels_left_out(_evaluations_apart(table, notes), notes)
    columns = find_columns(table, loss_column=loss, lr_column=lr, step_column=step)
    known = {alias: i for i, alias in enumerate(LOSS)}
    losses = sorted(
        (name for name in table.columns if key(name) in known), key=lambda name: known[key(name)]
    )
    if loss is None:
        columns = _usual(table, columns, losses)
    facts = facts_from(table.notes, table.source)
    log = Log(
        format=NAME, table=table, columns=columns, losses=tuple(losses), facts=facts,
        horizon=_horizon(table),
    )  # fmt: skip
    log = replace(log.with_skipped({"lines cut off": table.cut}), notes=tuple(notes))
    if table.decimal_commas:
        log = replace(log, notes=(*log.notes, "numbers have decimal commas: 0,5 is 0.5"))
    if table.open_end:
        said = "the last line has no end, and its last number is taken to be whole"
        log = replace(log, notes=(*log.notes, said))
    by_epochs = step is None and key(columns.step) in EPOCH
    return done_epochs(log) if by_epochs else log


def _horizon(table: Table) -> int | None:
    """Updates of the whole run, where a comment says it: ``# horizon: 24000``.

    Raises:
        InputError: it says something else.
    """
    text = table.notes.get("horizon")
    if text is None:
        return None
    try:
        horizon = number_in(text)
    except ValueError:
        horizon = 0.0
    if not (1 <= horizon < 2**53 and horizon == int(horizon)):
        raise InputError(
            f"{table.source}: its horizon is {shown(text)}, expected a number of updates"
        )
    return int(horizon)


def _runs(table: Table, asked: Collection[str | None]) -> dict[str, Table]:
    """The rows of each run by its name, where a column says of which run a row is."""
    name = next((each for each in table.columns if key(each) in RUN and each not in asked), None)
    cells = table.columns[name] if name is not None else ()
    if isinstance(cells, Numbers) or None in cells:
        return {}
    rows: dict[str, list[int]] = {}
    for row, cell in enumerate(cells):
        rows.setdefault(cell or "", []).append(row)
    if 2 * len(rows) > len(cells):
        return {}
    what = "seed" if name is not None and key(name) == "seed" else ""
    return {what + run: _with_rows(table, kept) for run, kept in rows.items()}


def _with_rows(table: Table, rows: Sequence[int]) -> Table:
    columns = {name: [cells[row] for row in rows] for name, cells in table.columns.items()}
    return replace(table, columns=columns, lines=[table.lines[row] for row in rows])


def _evaluations_apart(table: Table, notes: list[str]) -> Table:
    """The table with the losses of rows that say they are evaluations in columns of their own."""
    part = next((name for name in table.columns if key(name) in PART), None)
    cells = table.columns[part] if part is not None else ()
    if isinstance(cells, Numbers):
        return table
    seen = [cell is not None and VALIDATION.search(cell.lower()) is not None for cell in cells]
    if all(seen) or not any(seen):
        return table
    columns = dict(table.columns)
    names = [name for name in columns if key(name) in LOSS and not VALIDATION.search(key(name))]
    for name in names:
        others = table.columns.get(f"val_{name}", [None] * len(seen))
        triples = list(zip(table.columns[name], others, seen, strict=True))
        columns[name] = [None if there else cell for cell, _, there in triples]
        columns[f"val_{name}"] = [
            other or (cell if there else None) for cell, other, there in triples
        ]
    told = shown(part or "")
    notes.append(f"rows that column {told!r} calls evaluations are not training losses")
    return replace(table, columns=columns)


def _levels_left_out(table: Table, notes: list[str]) -> Table:
    """The table without validation losses that only repeat the one before, row after row."""
    columns = dict(table.columns)
    for name, cells in table.columns.items():
        if isinstance(cells, Numbers) or not (key(name) in LOSS and VALIDATION.search(key(name))):
            continue
        again = [cell is not None and cell == before for before, cell in pairwise([None, *cells])]
        if 2 * sum(again) > sum(cell is not None for cell in cells):
            columns[name] = [
                None if level else cell for cell, level in zip(cells, again, strict=True)
            ]
            notes.append(
                f"most rows of {shown(name)!r} repeat the one before: an evaluation is taken to be"
                " at the first row with its loss"
            )
    return replace(table, columns=columns)


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
