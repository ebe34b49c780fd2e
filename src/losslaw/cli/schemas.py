"""JSON Schemas of what commands print with ``--json``, made from the types of `answers`."""

import inspect
import re
from typing import Any

import msgspec

from losslaw.cli.answers import ANSWERS, RECORDS, Ends
from losslaw.cli.output import schema_name
from losslaw.errors import InputError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What a reader of answers has to bear.
OPEN = "Keys may be added within a version."


def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema of the answer of a command.

    Raises:
        InputError: no such command, or one without ``--json``.
    """
    if command not in ANSWERS:
        raise InputError(f"{command!r} has no schema: expected one of {', '.join(ANSWERS)}")
    kind = ANSWERS[command]
    _, parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    records = {form.__name__: record for form, record in RECORDS.items()}
    for name, part in parts.items():
        _describe(part, records.get(name))
    whole = parts.pop(kind.__name__)
    which = {"const": schema_name(command), "description": "Which schema this is."}
    answer = {
        "$schema": DIALECT,
        **whole,
        "title": f"losslaw {command} --json",
        "description": f"{whole['description']} {OPEN}",
        "properties": {"schema": which, **whole["properties"]},
        "required": ["schema", *whole["required"]],
    }
    return {**answer, "$defs": dict(sorted(parts.items()))} if parts else answer


def _describe(part: dict[str, Any], record: type[Any] | None) -> None:
    """Give keys their meaning: from the form's own docstring, else from that of its record."""
    own = part.get("description", "")
    docs = (Ends.__doc__, record.__doc__ if record else "", own)
    meanings = {name: text for each in docs for name, text in _attributes(each or "").items()}
    part["description"] = " ".join(re.split(r"\n\s*\n", own)[0].split())
    # What has a default in a record is printed all the same.
    set_anyway = [name for name, spec in part["properties"].items() if "default" in spec]
    for name in set_anyway:
        del part["properties"][name]["default"]
    part["required"] = [*part.get("required", []), *set_anyway]
    for name, spec in part["properties"].items():
        worked_out = getattr(record, name, None)
        if name not in meanings and isinstance(worked_out, property):
            meanings[name] = (inspect.getdoc(worked_out) or "").split("\n\n")[0]
        if name in meanings:
            spec["description"] = meanings[name]


def _attributes(docstring: str) -> dict[str, str]:
    """What a docstring says of each attribute, or argument, in one line.

    >>> _attributes("A run.\\n\\nAttributes:\\n    at: Where\\n        it is.\\n    b: ``c``.")
    {'at': 'Where it is.', 'b': 'c.'}
    """
    found: dict[str, str] = {}
    text = inspect.cleandoc(docstring)
    for block in re.findall(r"^(?:Attributes|Args):\n((?:[ ]{4}.*\n?|\n)+)", text, re.M):
        for name, words in re.findall(r"^ {4}([\w-]+): ((?:.*\n?)(?:^ {8}.*\n?)*)", block, re.M):
            found[name] = " ".join(words.replace("``", "").split()).replace("None", "null")
    return found
