"""``losslaw score``: the errors of a fit on curves it has not seen."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, save_json, show

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "score", score_command)


@options.with_curves
def score_command(
    fit: options.FitFile,
    curves: "list[LossCurve]",
    unseen: Annotated[
        bool,
        typer.Option(
            "--unseen/--all",
            help="Only steps after the schedule departs from every fitted curve, or all.",
        ),
    ] = True,
    skip: options.Skip = None,
    level: options.Level = 0.9,
    new_data: options.NewData = False,
    json: options.Json = False,
    output: options.JsonFile = None,
) -> None:
    """Errors of a fit on held-out curves.

    \b
    Examples:
      losslaw score fit.json runs/
      losslaw score fit.json run.csv --all --json
    """
    from losslaw.fitting import score

    known = options.fit_from(fit, new_data=new_data)
    with activity("scoring"):
        scores = score(known, curves, unseen=unseen, skip=skip, level=level)
    save_json(output, scores.as_dict())
    if json:
        print_json(scores.as_dict())
    else:
        show(scores)
