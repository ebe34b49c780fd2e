"""JSON as it is read everywhere: whatever is wrong with a text is a `ValueError`."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """The value that a JSON text holds.

    Raises:
        ValueError: not JSON, a key twice in an object (which of two values is meant, nobody can
            tell), a number of thousands of digits, or nested without end.

    >>> parse_json('{"loss": 3, "loss": 2}')
    Traceback (most recent call last):
    ValueError: the key 'loss' twice in an object
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def plain(value: Any) -> Any:
    """``value`` with arrays as lists and numbers that JSON cannot say as ``None``.

    >>> plain({"loss": (2.5, float("inf"))})
    {'loss': [2.5, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}  # pyright: ignore
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]  # pyright: ignore
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def command_of(record: Mapping[str, Any]) -> str | None:
    """The command whose answer with ``--json`` this is; ``None``: of none.

    >>> command_of({"schema": "losslaw/model-size/1"})
    'model-size'
    """
    name = record.get("schema")
    return name.split("/")[1] if isinstance(name, str) and name.count("/") == 2 else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice[:40]!r} twice in an object")
    return made
