"""``losslaw compare``: which law predicts these runs best."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, save_json, show

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "compare", compare_command)


@options.with_curves
def compare_command(
    curves: "list[LossCurve]",
    laws: Annotated[
        str | None,
        typer.Option(
            "--laws", metavar="NAME,...", help="Some of auto, {LAWS}; default: all of them."
        ),
    ] = None,
    skip: options.Skip = None,
    keep_all: options.KeepAll = False,
    json: options.Json = False,
    output: options.JsonFile = None,
) -> None:
    """Leave one schedule out, fit the others, predict it: which law errs least.

    \b
    Examples:
      losslaw compare runs/c*T4000.csv --laws multipower,momentum
      losslaw compare runs/c*.csv --laws multipower -o compare.json
    """
    import time

    from losslaw.fitting import compare

    begun = time.perf_counter()
    with activity("comparing laws") as say:
        chosen = None if laws is None else options.names(laws)
        comparison = compare(curves, chosen, skip=skip, keep_all=keep_all, progress=say)
    save_json(output, comparison.as_dict())
    if json:
        print_json(comparison.as_dict())
        return
    seconds = time.perf_counter() - begun
    show(comparison, f"\n{len(comparison)} laws on {len(curves)} curves in {seconds:.1f} s")
