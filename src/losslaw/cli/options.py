"""Options that several commands share, said once."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
Files = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Logs or curves; '-' reads standard input.")
]
Warmup = Annotated[
    int | None,
    typer.Option("--warmup", help="Updates of warm-up, also when the log starts after it."),
]
LrIs = Annotated[
    str | None,
    typer.Option("--lr-is", help="Whether the logged rate is of the update done ('used') or 'next'."),
]
WeightDecay = Annotated[
    float | None, typer.Option("--weight-decay", help="Decoupled weight decay of the runs.")
]
Batch = Annotated[float | None, typer.Option("--batch", help="Sequences in each update.")]
