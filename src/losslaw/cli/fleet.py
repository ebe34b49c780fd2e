"""``losslaw fleet``: what many runs of several models are worth, group by group."""

from pathlib import Path
from typing import Annotated, Any

import typer

from losslaw.cli import cooldown, options
from losslaw.cli.output import (
    aside,
    check_drawn,
    counter,
    print_json,
    save_picture,
    save_table,
    say_saved,
    show,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "fleet", fleet_command)


@options.with_reading
def fleet_command(
    files: options.Files,
    reading: dict[str, Any],
    group_by: cooldown.GroupBy = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="RUN",
            help="Compare with this run, or with the first in each group that this regular"
            " expression fits; default: with the best of its group.",
        ),
    ] = None,
    over: cooldown.Over = "20%",
    shape: cooldown.Shape = "linear",
    final: cooldown.Final = 0.0,
    at: cooldown.At = None,
    same_total: cooldown.SameTotal = False,
    equal: cooldown.Equal = "updates",
    seeds: cooldown.Seeds = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", help="Groups at a time; all processors by default."),
    ] = None,
    on: Annotated[
        str, typer.Option("--on", help="'local' processes, or a 'ray' cluster (RAY_ADDRESS).")
    ] = "local",
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="FILE",
            help="Keep finished groups here; with -o, OUTPUT.groups until all are done.",
        ),
    ] = None,
    law: options.Law = "auto",
    level: options.Level = 0.9,
    skip: options.Skip = None,
    keep_all: options.KeepAll = False,
    new_data: options.NewData = False,
    json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The whole table: .csv, .json, or a picture (.png, .pdf, .svg).",
        ),
    ] = None,
) -> None:
    """Annealed losses of many runs of several models, compared within each.

    The runs of a group are fitted together, groups on several processors. Logs that cannot be read
    or used are named and left out. After Ctrl-C the same command goes on from there, if there is
    -o or --resume; groups whose logs have grown are done again.

    \b
    Examples:
      losslaw fleet sizes/ --group-by model_size
      losslaw fleet runs/c*.csv --group-by 'T\\d+' --against constant -o fleet.csv
    """
    from losslaw.fleets import fleet

    check_drawn(output)
    kept = resume or (None if output is None else f"{output}.groups")
    curves, left_out = options.read_usable(files, reading)
    done = total = 0
    try:
        with counter("groups") as bar:

            def tick(now: int, all_of: int) -> None:
                nonlocal done, total
                done, total = now, all_of
                bar(completed=now, total=all_of)

            result = fleet(
                curves,
                group_by=group_by,
                against=against,
                over=options.cooldown(over, curves),
                shape=shape,
                final=final,
                at=at,
                same_total=same_total,
                equal=equal,  # pyright: ignore[reportArgumentType]
                seeds=seeds,
                law=law,
                level=level,
                skip=skip,
                keep_all=keep_all,
                new_data=new_data,
                resume=kept,
                jobs=jobs,
                on=on,
                left_out=left_out,
                progress=tick,
            )
    except KeyboardInterrupt:
        if kept is not None:
            aside(f"{done} of {total} groups are in {kept}; the same command goes on from there")
        raise
    if not save_picture(output, result):
        save_table(output, result)
    if resume is None and kept is not None:
        Path(kept).unlink(missing_ok=True)
    if json:
        print_json(result.as_dict())
        return
    show(result)
    say_saved(output)
