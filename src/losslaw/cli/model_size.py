"""``losslaw model-size``: how large a model a budget is best spent on."""

from typing import Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, save_json, show


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "model-size", model_size_command)


def model_size_command(
    fit: options.FitFile,
    compute: Annotated[
        float,
        typer.Option("--compute", help="Operations to spend, 6 for each parameter and token."),
    ],
    batch: Annotated[float, typer.Option("--batch", help="Sequences in each update.")],
    sequence_length: Annotated[
        int, typer.Option("--sequence-length", help="Tokens in a sequence.")
    ],
    family: options.UsualSchedule = "wsd",
    peak: options.Peak = None,
    warmup: options.RunWarmup = None,
    json: options.Json = False,
    output: options.JsonFile = None,
) -> None:
    """The model size and number of tokens that spend a budget best.

    The fit is one over several model sizes. The schedule of a size that is chosen already: losslaw
    design --compute C --model-size P.

    \b
    Example:
      losslaw fit sizes/ -o sizes.json
      losslaw model-size sizes.json --compute 1e18 --batch 256 \\
        --sequence-length 2048
    """
    from losslaw.designing.run_length import compute_optimal
    from losslaw.fitting import load_fit

    with activity("searching"):
        best = compute_optimal(
            load_fit(fit),
            compute,
            batch=batch,
            sequence_length=sequence_length,
            family=family,
            peak=peak,
            warmup=warmup,
        )
    save_json(output, best.as_dict())
    if json:
        print_json(best.as_dict())
    else:
        show(best)
