"""``losslaw design-batches``: when to grow the batch, and the rate that goes with it."""

from typing import Annotated, Any

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, show_schedule
from losslaw.cli.problem import with_problem


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "design-batches", with_problem(design_batches_command))


def design_batches_command(
    fit: options.FitOrProblem = None,
    world: Any = None,
    *,
    samples: Annotated[float, typer.Option("--samples", help="Sequences to see in all.")],
    batches: Annotated[
        str,
        typer.Option(
            "--batches",
            metavar="B1,B2,...",
            help="Batches the hardware allows, in sequences, rising.",
        ),
    ],
    output: options.ScheduleFile = None,
    rate: Annotated[
        str,
        typer.Option(
            "--rate",
            "--family",
            help="The learning rate: constant, wsd (cooldown found too), or free (law convolution"
            " only).",
        ),
    ] = "wsd",
    peak: Annotated[
        float | None,
        typer.Option(
            "--peak",
            metavar="LR",
            help="Largest rate; default: that of the fitted runs; of a problem 0.9 of the largest"
            " stable one at the smallest batch.",
        ),
    ] = None,
    warmup: options.RunWarmup = None,
    weight_decay: options.RunDecay = None,
    json: options.Json = False,
) -> None:
    """When to grow the batch, and the learning rate that goes with it, for a number of samples.

    The fit is one to runs whose batch is known, by a law that knows it; or a problem of the kernel
    world takes its place.

    \b
    Examples:
      losslaw design-batches fit.json --samples 2e6 --batches 64,128,256 \\
        -o schedule.csv
      losslaw design-batches --source 0.5 --capacity 4 --samples 1e6 \\
        --batches 1,10,100
    """
    from losslaw.designing.batch_growth import design_batch
    from losslaw.fitting import load_fit

    sizes = options.numbers(batches, "--batches", "numbers above 0, as in 64,128,256")
    with activity("design"):
        best = design_batch(
            load_fit(fit) if fit is not None else world,
            samples,
            batches=sizes,
            peak=peak,
            rate=rate,
            warmup=warmup,
            weight_decay=weight_decay,
        )
    show_schedule(best, output, json, next_command=f"losslaw export {output} --to torch")
