"""``losslaw annealed``: what runs are worth now, and which of two is worth more."""

from typing import Annotated, Any

import typer

from losslaw.cli import cooldown, options
from losslaw.cli.output import (
    activity,
    check_drawn,
    print_json,
    save_picture,
    save_table,
    say_saved,
    show,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "annealed", annealed_command)


@options.with_reading
def annealed_command(
    files: options.Files,
    reading: dict[str, Any],
    over: cooldown.Over = "20%",
    shape: cooldown.Shape = "linear",
    final: cooldown.Final = 0.0,
    at: cooldown.At = None,
    same_total: cooldown.SameTotal = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="RUN",
            help="Compare all with this run, or with the 'best'; default: pairs.",
        ),
    ] = None,
    equal: cooldown.Equal = "updates",
    seeds: cooldown.Seeds = False,
    group_by: cooldown.GroupBy = None,
    earlier: options.EarlierRuns = None,
    fit: options.FitInstead = None,
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
            help="The loss along each run: .csv, .json, or a picture (.png, .pdf, .svg).",
        ),
    ] = None,
) -> None:
    """Loss that runs would have if they were annealed from where they are.

    A run at a high learning rate does not show what it is worth. Runs of one model are fitted
    together; earlier runs with a decay (--with, --fit) make the answer much surer.

    \b
    Examples:
      losslaw annealed run.csv
      losslaw annealed runs/c*T4000.csv --over 1000
      losslaw annealed run.csv --with runs/wsd-linear-0.2_peak3e-3_T4000.csv \\
        --against run -o annealed.png
    """
    from losslaw.annealing import annealed
    from losslaw.fitting import load_fit

    check_drawn(output)
    known = None if fit is None else load_fit(fit)
    curves = options.read(files, **reading)
    others = options.read(earlier, **reading) if earlier else []
    with activity("annealing") as say:
        result = annealed(
            curves,
            over=options.cooldown(over, curves),
            shape=shape,
            final=final,
            at=at,
            same_total=same_total,
            against=against,
            equal=equal,  # pyright: ignore[reportArgumentType]
            seeds=seeds,
            group_by=group_by,
            earlier=others,
            fit=known,
            law=law,
            level=level,
            skip=skip,
            keep_all=keep_all,
            new_data=new_data,
            path=output is not None,
            progress=say,
        )
    if not save_picture(output, result):
        save_table(output, result)
    if json:
        print_json(result.as_dict())
        return
    show(result)
    say_saved(output)
