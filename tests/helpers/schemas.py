"""Schemas that allow nothing which they do not name."""

import copy


def closed(schema):
    """The schema that allows no key which it does not name."""
    made = copy.deepcopy(schema)
    for part in (made, *made.get("$defs", {}).values()):
        part.setdefault("additionalProperties", False)
    return made
