"""Runs that a program holds in memory, each as the file that it would be saved as.

A data frame or a mapping of arrays is a CSV file, what a Hugging Face Trainer holds its
``trainer_state.json``, any other records are JSON lines. So the names, conventions and checks of
files are theirs: a frame of a W&B history is read as that history.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from losslaw.errors import InputError
from losslaw.files.frames import Cells, cells, cells_of_frame, is_frame
from losslaw.logs.source import Source

# What a Hugging Face Trainer puts in every record, besides what was logged.
HF_RECORD = {"step", "epoch"}
# What is read of its state.
HF_STATE = ("log_history", "max_steps", "logging_steps")


def is_run(value: object) -> bool:
    """Whether a value is one run that `in_memory` reads.

    >>> [is_run(value) for value in ([{"step": 1, "loss": 3.0}], [{"step": [1], "loss": [3.0]}], 3)]
    [True, False, False]
    """
    return (
        is_frame(value)
        or isinstance(value, Mapping)
        or hasattr(value, HF_STATE[0])
        or _are_records(value)
    )


def is_no_column(value: object) -> bool:
    """Whether a value in a mapping is a run, and not one of the columns of a run.

    >>> [is_no_column(value) for value in ({"step": [1], "loss": [3.0]}, [1, 2])]
    [True, False]
    """
    if is_frame(value):  # a series has the marks of a frame, but no columns
        return hasattr(type(value), "columns")
    return is_run(value)


def in_memory(run: object) -> Source:
    """The text of the file that a run would be.

    Args:
        run: A data frame; arrays by name; the records of ``trainer.state.log_history`` or others,
            as a list of dictionaries; or ``trainer.state``, which also says the horizon.

    Raises:
        InputError: it cannot be read.

    >>> in_memory({"step": [1, 2], "loss": [3.5, None]}).lines
    ['step,loss', '1,3.5', '2,']
    """
    if is_frame(run):
        return _table("data frame", cells_of_frame(run))
    if isinstance(run, Mapping):
        values = {str(name): each for name, each in cast(Mapping[Any, object], run).items()}
        if HF_STATE[0] in values:  # what a trainer_state.json holds
            return _state(values)
        return _table("mapping", {name: _array(name, each) for name, each in values.items()})
    if hasattr(run, HF_STATE[0]):
        return _state({name: getattr(run, name, None) for name in HF_STATE})
    records = cast(Sequence[Mapping[str, object]], run)
    if any(record.keys() >= HF_RECORD for record in records):
        return _state({HF_STATE[0]: records})
    return Source.of_text("records", "\n".join(map(_json, records)))


def _are_records(run: object) -> bool:
    """Dictionaries of single values, one for each time of logging; not of arrays, several runs."""
    if not isinstance(run, list | tuple):
        return False
    records = cast(Sequence[object], run)
    if not records or not all(isinstance(record, Mapping) for record in records):
        return False
    values = cast(Mapping[str, object], records[0]).values()
    return any(map(_is_single, values))


def _is_single(value: object) -> bool:
    """A number or text; a tensor of one number has a length too, if none that can be told."""
    many = hasattr(value, "__len__") and not isinstance(value, str)
    return not many or getattr(value, "ndim", 1) == 0


def _array(name: str, values: object) -> Cells:
    if is_no_column(values):
        raise InputError(
            f"mapping: {name!r} is a run and not one of its columns; give read_curves a list of"
            " runs, for names of your own use LossCurve.with_(label=)"
        )
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"mapping: {name!r} is no array of numbers ({reason})") from None
    if array.ndim != 1:
        raise InputError(
            f"mapping: {name!r} has shape {array.shape}, expected one value a row, shape (rows,)"
        )
    if array.dtype == object:  # with None for what is missing
        return cells([None if each is None else _plain(each) for each in array])
    return cells(array)


def _table(name: str, columns: Mapping[str, Cells]) -> Source:
    """Columns as a CSV file."""
    rows = {column: len(each) for column, each in columns.items()}
    if len(set(rows.values())) > 1:
        said = ", ".join(f"{column!r} {count}" for column, count in rows.items())
        raise InputError(f"{name}: columns of several lengths: {said}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return Source.of_text(name, text.getvalue())


def _state(state: Mapping[str, object]) -> Source:
    """What a Trainer knows of its run, as its file."""
    known = {name: state[name] for name in HF_STATE if state.get(name) is not None}
    return Source.of_text(HF_STATE[0], _json(known))


def _json(value: object) -> str:
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> object:
    """A number of numpy or torch as Python's own; anything else as text."""
    try:
        return value.item()
    except (AttributeError, ValueError, RuntimeError):
        return str(value)
