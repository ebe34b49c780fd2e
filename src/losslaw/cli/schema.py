"""``losslaw schema``: the JSON Schema of what a command prints with ``--json``."""

from typing import Annotated

import typer

from losslaw.cli.options import Command


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema", cls=Command)(schema_command)


def schema_command(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]", help="Such as fit, or lab train; none: all of them."),
    ] = None,
) -> None:
    """Print the JSON Schema of what a command prints with --json.

    Without a command, one object with the schemas of all of them by name.

    \b
    Examples:
      losslaw schema forecast
      losslaw schema lab train
    """
    import sys

    from losslaw.cli.answers import ANSWERS
    from losslaw.cli.output import json_of
    from losslaw.cli.schemas import schema_of

    name = " ".join(command or ())
    found = schema_of(name) if name else {each: schema_of(each) for each in ANSWERS}
    sys.stdout.write(json_of(found))
