"""The cooldown that commands ask about, as options that they share."""

from typing import Annotated

import typer

Over = Annotated[
    str,
    typer.Option(
        "--over",
        metavar="K",
        help="Length of the cooldown: updates, or a share of the updates so far.",
    ),
]
Shape = Annotated[
    str, typer.Option("--shape", help="linear, cosine, exponential, 1-sqrt or power.")
]
Final = Annotated[float, typer.Option("--final", help="Learning rate at which the cooldown ends.")]
At = Annotated[
    int | None,
    typer.Option(
        "--at",
        metavar="STEP",
        help="Where the cooldowns begin (with --same-total: end); default: the last of each log.",
    ),
]
SameTotal = Annotated[
    bool,
    typer.Option(
        "--same-total", help="Cooldowns end at one update: --at, or the last all logs have."
    ),
]
Equal = Annotated[
    str,
    typer.Option("--equal", help="Compare at equal 'updates', 'tokens' or 'compute'."),
]
Seeds = Annotated[
    bool,
    typer.Option("--seeds", help="Runs of one schedule are seeds of one configuration."),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="WHAT",
        help="What tells models apart: label, model_size, optimizer, batch, weight_decay, peak,"
        " folder, or a regular expression for a part of the names.",
    ),
]
