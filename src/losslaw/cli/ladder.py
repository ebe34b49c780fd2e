"""``losslaw ladder``: ends of several model sizes, corrected to one cooldown, and their law."""

from typing import Annotated, Any

import typer

from losslaw.cli import cooldown, options
from losslaw.cli.output import TABLES, activity, print_json, save_table, say_saved, show


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "ladder", ladder_command)


@options.with_reading
def ladder_command(
    files: options.Files,
    reading: dict[str, Any],
    over: Annotated[
        str,
        typer.Option(
            "--over",
            metavar="K",
            help="Length of the common cooldown: updates, or a share of all updates of a run.",
        ),
    ] = "20%",
    shape: cooldown.Shape = "linear",
    final: cooldown.Final = 0.0,
    next_size: Annotated[
        float | None,
        typer.Option(
            "--next",
            metavar="P",
            help="A model size to foretell; default: one rung above the largest.",
        ),
    ] = None,
    fit: options.FitInstead = None,
    law: options.Law = "auto",
    level: options.Level = 0.9,
    skip: options.Skip = None,
    keep_all: options.KeepAll = False,
    json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="The ends: .csv or .json."),
    ] = None,
) -> None:
    """Ends of runs of several model sizes, corrected to one cooldown, and their scaling law.

    Runs whose cooldown was too short, or absent, end too high, each size by another amount, and a
    law through their ends is wrong. Model sizes are read from the logs or a meta.json.

    \b
    Examples:
      losslaw ladder sizes/
      losslaw ladder sizes/10M.csv sizes/40M.csv --over 15% --next 1.6e8
    """
    from losslaw.files.endings import check_ending
    from losslaw.fitting import load_fit
    from losslaw.fleets import ladder

    if output is not None:
        check_ending(output, TABLES)
    known = None if fit is None else load_fit(fit)
    curves = options.read(files, **reading)
    with activity("ladder") as say:
        result = ladder(
            curves,
            over=options.cooldown(over, curves),
            shape=shape,
            final=final,
            next_size=next_size,
            fit=known,
            law=law,
            level=level,
            skip=skip,
            keep_all=keep_all,
            progress=say,
        )
    save_table(output, result)
    if json:
        print_json(result.as_dict())
        return
    show(result)
    say_saved(output)
