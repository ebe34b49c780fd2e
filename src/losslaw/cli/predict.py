"""``losslaw predict``: the loss curve of a schedule nobody ran."""

from typing import Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, say_saved, show


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "predict", predict_command)


def predict_command(
    fit: options.FitFile,
    schedule: Annotated[
        str,
        typer.Option(
            "--schedule",
            metavar="SPEC|FILE",
            help="wsd:peak=3e-4,horizon=24000,cooldown=0.2,... or a file step,lr[,batch].",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            callback=options.no_picture,
            help="Write step,lr,loss,lower,upper here.",
        ),
    ] = None,
    level: options.Level = 0.9,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", help="Predict every N steps; default: every step, or some 100,000 of more."
        ),
    ] = None,
    all_steps: Annotated[
        bool,
        typer.Option("--all-steps", help="Also steps before the fitted ones, which mean nothing."),
    ] = False,
    model_size: options.RunSize = None,
    weight_decay: options.RunDecay = None,
    new_data: options.NewData = False,
    json: options.Json = False,
) -> None:
    """The loss curve of a schedule nobody ran, with an interval.

    \b
    Examples:
      losslaw predict fit.json --schedule schedule.csv --every 100 -o curve.csv
      losslaw predict fit.json \\
        --schedule cosine:peak=3e-3,horizon=24000,warmup=5%
    """
    from losslaw.files import write_text

    result = options.fit_from(fit, new_data=new_data)
    plan = options.schedule_from(schedule)
    if weight_decay is not None:
        plan = plan.with_(weight_decay=weight_decay)
    thinned = every is None and plan.horizon > MOST_STEPS
    every = -(-plan.horizon // MOST_STEPS) if thinned else every
    with activity("predicting"):
        prediction = result.predict(plan, steps(plan.horizon, every), level, model_size)
    if output is not None:
        write_text(output, prediction.csv(all_steps=all_steps))
    if json:
        every_said = {"every": every} if thinned else {}
        print_json({**every_said, **prediction.as_dict(all_steps=all_steps)})
        return
    show(prediction)
    say_saved(output)
    if thinned:
        show(f"every {every:,} steps of {plan.horizon:,} (--every 1: all of them)")
    early = prediction.steps[prediction.outside]
    if output is not None and early.size and not all_steps:
        show(f"from step {early[-1] + 1:,} on: earlier ones were not fitted (--all-steps)")


# Steps that are predicted where nobody says how many: JSON of 10^7 of them takes 60 s and 7 GB.
MOST_STEPS = 100_000


def steps(horizon: int, every: int | None) -> list[int] | None:
    """Every so many steps and the last one; ``None``: all."""
    from losslaw.errors import InputError

    if every is None:
        return None
    if every < 1:
        raise InputError(f"--every {every}: expected at least 1")
    return sorted({*range(every, horizon + 1, every), horizon})
