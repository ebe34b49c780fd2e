"""The page of what commands print with ``--json``, made from their schemas.

``python scripts/schemas_page.py`` writes docs/schemas.md; a test compares it.
"""

from pathlib import Path
from typing import Any

from losslaw.cli.answers import ANSWERS
from losslaw.cli.schemas import schema_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "schemas.md"
HEAD = """\
# What commands print as JSON

This is what `--json` prints, made from the code by `python scripts/schemas_page.py` (`make docs`);
tests run every command and hold its answer against its schema. `losslaw schema COMMAND` prints a
schema as JSON Schema (draft 2020-12), `losslaw schema` all of them.

Every answer is one JSON object on standard output. Its first key, `schema`, names its form and the
version of that, as `losslaw/fit/1`. Within a version keys may be added, and none is taken away or
given another meaning; the number rises when that happens. A number that is not finite is `null`.
Losses are in nats per token, rates and updates as in the log. What `-o FILE.json` writes has the
same form; a fit's file has `format` and `version` of its own.

| status | means |
|---|---|
| 0 | the answer is on standard output; doubts of it are in `trust`, `doubts`, `warnings`, `notes` |
| 1 | the job failed: nothing could be fitted, or jobs of a sweep were lost |
| 2 | bad input: a file, an option, a number; also when the disk is full or memory short |
| 130 | interrupted (Ctrl-C); nothing is half-written |

With a status other than 0 nothing stands on standard output, also with `--json`. One line on
standard error begins with `losslaw: ` and says what is wrong, where, what was expected and the way
out. `forecast --follow` prints one object a line, and has printed some when it is interrupted.
"""


def page() -> str:
    """The text of the page."""
    parts: dict[str, dict[str, Any]] = {}
    lines = [HEAD, "## Commands", ""]
    for command in ANSWERS:
        schema = schema_of(command)
        parts |= schema.get("$defs", {})
        lines += [f"### {command}", "", *_section(schema)]
    lines += ["## Parts of answers", ""]
    for name, part in sorted(parts.items()):
        lines += [f"### {name}", "", *_section(part)]
    return "\n".join(lines).rstrip() + "\n"


def _section(schema: dict[str, Any]) -> list[str]:
    words = schema["description"].removesuffix("Keys may be added within a version.").strip()
    rows = [
        f"| `{key}` | {_kind(spec)} | {spec.get('description', '').replace('|', '/')} |"
        for key, spec in schema["properties"].items()
    ]
    return [_plain(words), "", "| key | is | meaning |", "|---|---|---|", *map(_plain, rows), ""]


def _plain(text: str) -> str:
    return text.replace("``", "`")


def _kind(spec: dict[str, Any]) -> str:
    """A type in words."""
    if "$ref" in spec:
        name = spec["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in spec:
        return f"`{spec['const']}`"
    if "enum" in spec:
        return ", ".join(f"`{each}`" for each in spec["enum"])
    if "anyOf" in spec:
        return " or ".join(_kind(each) for each in spec["anyOf"])
    kind = spec.get("type", "anything")
    if kind == "array":
        items = spec.get("items")
        if isinstance(items, dict):
            return f"list of {_kind(items)}"
        return f"list of {', '.join(map(_kind, spec.get('prefixItems', [])))}"
    if kind == "object":
        return f"object of {_kind(spec.get('additionalProperties') or {})}"
    return "text" if kind == "string" else kind


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
