"""Options that several commands share, said once, and the reading of the files they are about."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

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
    files: Files,
    *,
    warmup: Warmup = None,
    lr_is: LrIs = None,
    weight_decay: WeightDecay = None,
    batch: Batch = None,
    model_size: ModelSize = None,
    schedule: ScheduleOf = None,
    loss_column: LossColumn = None,
    lr_column: LrColumn = None,
    drop_nan: DropNan = False,
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


def with_curves(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``curves`` the files and options by which curves are read.

    The command line sees the parameters of `read` in the place of ``curves``: files first, and the
    options after the command's own.
    """
    own, reading = inspect.signature(command).parameters, inspect.signature(read).parameters
    shown: list[inspect.Parameter] = []
    for parameter in own.values():
        shown.append(reading["files"] if parameter.name == "curves" else parameter)
    shown += [parameter for name, parameter in reading.items() if name != "files"]
    shown = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in shown]

    @wraps(command)
    def run(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in reading}
        command(curves=read(**given), **arguments)

    run.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    return run
