"""Hugging Face ``trainer_state.json``: the record that a Trainer leaves in every checkpoint.

``log_history`` has a record each time something was logged: training records with ``loss`` and
``learning_rate``, evaluations with ``eval_loss``, and at the end one with the mean loss of the
whole run, which is no point of a curve. ``loss`` is the mean over the updates since the last
training record. ``max_steps`` is the horizon. The arguments beside it name the optimiser, the
weight decay and the warm-up.

The rate is that of the next update in public files (four of four, by exact cosine and linear
arithmetic); transformers 5.24 takes it before the step. Where the rates before the warm-up's end or
the whole schedule decide, they do (`losslaw.curves`); otherwise it is taken as the next.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from losslaw.errors import InputError
from losslaw.files import table_of
from losslaw.files.checked import decode_json
from losslaw.logs.columns import Columns
from losslaw.logs.log import Log, even_window, usual_loss
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source
from losslaw.logs.training_args import facts_beside

NAME = "Hugging Face trainer_state.json"
FILE = "trainer_state.json"


@dataclass(frozen=True)
class _State:
    """What is read of the file."""

    log_history: list[dict[str, Any]]
    max_steps: int | None = None
    logging_steps: float | None = None


def _is_history(source: Source) -> bool:
    """Whether it is a ``log_history`` alone, as people save it."""
    names = ('"step"', '"epoch"', '"loss"')
    return source.start.lstrip().startswith("[") and all(name in source.start for name in names)


def claims(source: Source) -> bool:
    """A JSON object with a log history, or the history."""
    if _is_history(source):
        return True
    return source.start.lstrip().startswith("{") and (
        '"log_history"' in source.start or source.path.name == FILE
    )


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: damaged, or no losses in it.
    """
    way_out = "take it from another checkpoint"
    if _is_history(source):
        history = decode_json(source.text, list[dict[str, Any]], source.name, way_out)
        return [from_history(history, source.name)]
    state = decode_json(source.text, _State, source.name, way_out)
    log = from_history(state.log_history, source.name, state.max_steps)
    if not source.piped:
        log = log.with_facts(facts_beside(source.path, log.horizon))
    every = state.logging_steps
    # A history of which rows were left out shows longer windows than there were.
    return [replace(log, window=int(every)) if every and every >= 1 else log]


def folder(path: Path) -> list[Log]:
    """The run of a checkpoint's folder, or of the folder of a run, from its newest state.

    The state beside the checkpoints is written when the run ends, and counts if it goes as far as
    theirs. A checkpoint that is being written gives way to the one before it.
    """
    at_end = path / FILE
    checkpoints = sorted(path.glob(f"checkpoint-*/{FILE}"), key=_updates, reverse=True)
    runs: list[Log] = []
    problem: InputError | None = None
    for state in [*checkpoints, *([at_end] if at_end.is_file() else [])]:
        if runs and state != at_end:
            continue
        try:
            runs += read(Source(state))
        except InputError as error:
            problem = error
    if not runs and problem is not None:
        raise problem
    # The first of equals: the state at the end.
    return [max(reversed(runs), key=lambda log: log.last_step)] if runs else []


def _whole(step: object) -> bool:
    return isinstance(step, int) and not isinstance(step, bool)


def _updates(state: Path) -> int:
    number = state.parent.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def from_history(
    history: list[dict[str, Any]], name: str, max_steps: int | None = None, kind: str = NAME
) -> Log:
    """The run in a ``log_history``, as ``trainer.state.log_history`` has it in memory.

    Args:
        history: Records.
        name: What messages call it.
        max_steps: Updates of the whole run, if known.
        kind: The format it is written in.

    Raises:
        InputError: no record with a loss.
    """
    kept = ("step", "learning_rate", "loss", "eval_loss")
    records = [
        {key: record[key] for key in kept if key in record}
        for record in history
        if _whole(record.get("step")) and ("loss" in record or "eval_loss" in record)
    ]
    table = table_of(name, records)
    train = "loss" if "loss" in table.columns else None
    validation = "eval_loss" if "eval_loss" in table.columns else None
    loss, choice = usual_loss(table, train, validation)
    if not loss:
        raise InputError(f"{name}: no losses in its log_history; log some updates first")
    rate = "learning_rate" if "learning_rate" in table.columns else None
    notes = ("a logged rate is that of the next update, as in Hugging Face's logs",)
    loss_notes = [choice] if choice else []
    if loss == "loss":
        loss_notes.append("a logged loss is the mean over the updates since the record before it")
    return Log(
        format=kind,
        table=table,
        columns=Columns("step", loss, rate, None, ()),
        losses=tuple(name for name in (train, validation) if name),
        facts=Facts(lr_is="next" if rate else None),
        loss_is="mean",
        window=even_window([record["step"] for record in records if "loss" in record]),
        horizon=max_steps if max_steps and max_steps > 0 else None,
        notes=notes if rate else (),
        loss_notes=tuple(loss_notes),
        skipped=(("records without a loss", len(history) - len(records)),)
        if len(records) < len(history)
        else (),
    )
