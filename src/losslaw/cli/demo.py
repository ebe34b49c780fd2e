"""``losslaw demo``: the whole story on the real curves that come with the package."""

from typing import Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, show


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", cls=options.Command)(demo_command)


def demo_command(
    output: Annotated[
        str, typer.Option("-o", "--output", help="Folder for the report, figures, fits and logs.")
    ] = "losslaw-demo",
    json: options.Json = False,
) -> None:
    """Fit two laws to three real runs, predict the others unseen, and design a schedule.

    All of it is in the folder: a page (report.html), figures, fits, the schedule. So are the logs
    of all runs (runs/), of one in progress (run.csv), and of three model sizes, made by a law
    (sizes/): there the examples of the other commands can be tried.

    \b
    Example:
      losslaw demo -o demo
    """
    from losslaw.demo import run_demo

    with activity("demo") as say:
        demo = run_demo(output, say)
    if json:
        print_json(demo.as_dict())
    else:
        show(demo)
