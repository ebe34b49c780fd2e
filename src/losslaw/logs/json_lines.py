"""JSON lines of trainers, of which single lines may be cut off or foreign."""

from typing import Any, cast

from losslaw.files.json_text import parse_json
from losslaw.logs.source import Source


def json_objects(source: Source) -> tuple[list[dict[str, Any]], int]:
    """The objects of a file in order, and how many lines are none; blank lines do not count."""
    objects: list[dict[str, Any]] = []
    skipped = 0
    for line in source.lines:
        value = json_object(line)
        if value is not None:
            objects.append(value)
        elif line.strip():
            skipped += 1
    return objects, skipped


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """The object that a text is, or ``None``.

    >>> json_object('{"step": 1}'), json_object('{"step": 1'), json_object("7")
    ({'step': 1}, None, None)
    """
    try:
        value: object = parse_json(text)
    except ValueError:
        return None
    return cast(dict[str, Any], value) if isinstance(value, dict) else None
