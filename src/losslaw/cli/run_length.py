"""``losslaw run-length``: how long a run must be for a loss."""

from typing import Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, show_schedule


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "run-length", run_length_command)


def run_length_command(
    fit: options.FitFile,
    loss: Annotated[
        float, typer.Option("--loss", help="Final loss to reach, in the unit of the fit.")
    ],
    family: options.UsualSchedule = "wsd",
    output: options.ScheduleFile = None,
    peak: options.Peak = None,
    warmup: options.RunWarmup = None,
    batch: options.RunBatch = None,
    model_size: options.RunSize = None,
    level: options.Level = 0.9,
    json: options.Json = False,
) -> None:
    """The shortest run that reaches a loss, and the interval of its length.

    \b
    Examples:
      losslaw run-length fit.json --loss 1.5
      losslaw run-length fit.json --loss 1.5 --family linear --peak 3e-3 \\
        -o schedule.csv
    """
    from losslaw.designing.run_length import horizon_for
    from losslaw.fitting import load_fit

    with activity("searching"):
        length = horizon_for(
            load_fit(fit),
            loss,
            family=family,
            peak=peak,
            warmup=warmup,
            batch=batch,
            model_size=model_size,
            level=level,
        )
    show_schedule(length, output, json, next_command=f"losslaw predict {fit} --schedule {output}")
