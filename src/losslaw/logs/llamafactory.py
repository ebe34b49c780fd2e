"""LLaMA-Factory ``trainer_log.jsonl``: JSON lines with ``current_steps`` and ``total_steps``.

The file is written by a callback of Hugging Face's Trainer, so rates and losses mean what they do
in ``trainer_state.json`` (`losslaw.logs.huggingface`). Older versions call the rate
``learning_rate`` and write all keys, newer ones ``lr``, without the keys that have no value.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from losslaw.errors import InputError
from losslaw.logs import huggingface
from losslaw.logs.json_lines import json_objects
from losslaw.logs.log import Log
from losslaw.logs.source import Source

NAME = "LLaMA-Factory trainer_log.jsonl"
FILE = "trainer_log.jsonl"


def claims(source: Source) -> bool:
    """JSON lines with the steps done and in all."""
    start = source.start[:4096]
    keys = ('"current_steps"', '"total_steps"')
    return start.lstrip().startswith("{") and all(key in start for key in keys)


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no losses in it.
    """
    lines, skipped = json_objects(source)
    history: list[dict[str, Any]] = []
    total: int | None = None
    for line in lines:
        step = line.get("current_steps")
        if not isinstance(step, int):
            continue
        if isinstance(line.get("total_steps"), int):
            total = line["total_steps"]
        record = {
            "step": step,
            "learning_rate": line.get("learning_rate", line.get("lr")),
            "loss": line.get("loss"),
            "eval_loss": line.get("eval_loss"),
        }
        history.append({key: value for key, value in record.items() if value is not None})
    log = huggingface.from_history(history, source.name, total, NAME)
    return [log.with_skipped({"lines that are no JSON objects": skipped})]


def folder(path: Path) -> list[Log]:
    """The run of an output folder: this log, or a checkpoint's if that goes further."""
    if not (path / FILE).is_file():
        return []
    runs = read(Source(path / FILE))
    # A checkpoint that cannot be read is no reason to refuse the log beside it.
    with suppress(InputError):
        runs = [*huggingface.folder(path), *runs]
    return [max(runs, key=lambda log: log.last_step)]
