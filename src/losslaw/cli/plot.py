"""``losslaw plot``: a picture of logs, fits, predictions, forecasts, designs and other answers."""

from typing import Annotated, Any

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, say_saved

# Where a picture goes that nobody named a place for.
DEFAULT = "losslaw-plot.png"


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "plot", plot_command)


@options.with_reading
def plot_command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Logs, schedules, saved fits, and what commands wrote with --json or -o.",
            show_default=False,
        ),
    ],
    reading: dict[str, Any],
    rates: Annotated[
        bool, typer.Option("--rates", help="Also the learning rates of the runs.")
    ] = False,
    terms: Annotated[
        bool,
        typer.Option("--terms", help="Also what the losses of a fit are made of."),
    ] = False,
    sides: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="X,Y[,CELL]",
            help="Of the table of a sweep: which two varied things, and what stands where they"
            " meet: risk, best:NAME or exponent:NAME.",
        ),
    ] = None,
    level: options.Level = 0.9,
    json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FIGURE",
            help=f"A name that ends in .png, .pdf or .svg; default: {DEFAULT}.",
        ),
    ] = None,
) -> None:
    """A picture of logs, schedules, fits, and answers of other commands.

    What a file is, is recognised by what stands in it. Logs lie over each other; beside a saved
    fit they are drawn with its predictions and its errors, schedules with their predicted losses.

    \b
    Examples:
      losslaw plot runs/*.csv -o runs.png
      losslaw plot fit.json runs/*.csv --terms -o fit.pdf
      losslaw plot fit.json wsd:peak=3e-3,horizon=4000,warmup=100,cooldown=0.2
      losslaw forecast run.csv --horizon 12k --fit fit.json -o forecast.json
      losslaw plot run.csv forecast.json
      losslaw sweep grid.toml -o table.csv
      losslaw plot table.csv --map source,peak
    """
    from losslaw.files.pictures import check_picture, write_picture
    from losslaw.views.figures import figure_of
    from losslaw.views.found import found

    path = DEFAULT if output is None else output
    check_picture(path)
    known = [found(file) for file in files]
    logs = [each.name for each in known if each.kind == "log"]
    if rates or any(each.kind == "fit" for each in known):
        curves = options.read(logs, **reading) if logs else []
    else:
        curves = options.read_losses(logs, reading) if logs else []
    size = reading["model_size"]
    with activity("drawing"):
        figure = figure_of(
            known, curves, rates=rates, terms=terms, level=level, model_size=size, sides=sides
        )
        write_picture(path, figure)
    if json:
        drawn = [{"file": each.name, "kind": each.kind} for each in known]
        print_json({"picture": path, "files": drawn, "runs": [each.label for each in curves]})
        return
    say_saved(path)
