"""Options that several commands share, said once, and the reading of the files they are about."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve

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
    typer.Option(
        "--lr-is", help="Whether the logged rate is of the update done ('used') or 'next'."
    ),
]
WeightDecay = Annotated[
    float | None, typer.Option("--weight-decay", help="Decoupled weight decay of the runs.")
]
Batch = Annotated[float | None, typer.Option("--batch", help="Sequences in each update.")]
ModelSize = Annotated[float | None, typer.Option("--model-size", help="Parameters of the model.")]
ScheduleOf = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        metavar="SPEC",
        help="What the runs did, for logs without learning rates: wsd:peak=3e-4,... or file:FILE.",
    ),
]
LossColumn = Annotated[
    str | None, typer.Option("--loss-column", help="Name of the loss column, if not a usual one.")
]
LrColumn = Annotated[
    str | None,
    typer.Option("--lr-column", help="Name of the learning-rate column, if not a usual one."),
]
DropNan = Annotated[
    bool, typer.Option("--drop-nan", help="Leave out losses written as nan or inf.")
]


def read(
    files: list[str],
    *,
    warmup: int | None = None,
    lr_is: str | None = None,
    weight_decay: float | None = None,
    batch: float | None = None,
    model_size: float | None = None,
    schedule: str | None = None,
    loss_column: str | None = None,
    lr_column: str | None = None,
    drop_nan: bool = False,
) -> "list[LossCurve]":
    """The curves of the files that a command was given."""
    from losslaw.curves import read_curves

    return read_curves(
        files,
        warmup=warmup,
        lr_is=lr_is,
        weight_decay=weight_decay,
        batch=batch,
        model_size=model_size,
        schedule=schedule,
        loss_column=loss_column,
        lr_column=lr_column,
        on_nan="drop" if drop_nan else "error",
    )
