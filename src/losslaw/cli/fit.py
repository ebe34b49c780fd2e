"""``losslaw fit``: a law fitted to curves."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, say_saved, show

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "fit", fit_command)


@options.with_curves
def fit_command(
    curves: "list[LossCurve]",
    law: options.Law = "auto",
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", callback=options.no_picture, help="Write the fit to this JSON file."
        ),
    ] = None,
    skip: options.Skip = None,
    keep_all: options.KeepAll = False,
    free: Annotated[
        str | None,
        typer.Option("--free", help="Shapes to search, comma-separated; default: the law's own."),
    ] = None,
    fix: Annotated[
        str | None,
        typer.Option("--fix", help="Shapes or settings to hold: gamma=0.5,warmup_drops=true."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Fit a law to one or several curves of one model, or of a family of models.

    Curves of several known model sizes share their shapes.

    \b
    Examples:
      losslaw fit runs/c*T4000.csv -o fit.json
      losslaw fit run.csv --warmup 100 --law multipower --fix gamma=0.5
    """
    from losslaw.fitting import fit

    with activity("fitting"):
        result = fit(
            curves,
            law,
            free=None if free is None else options.names(free),
            fixed=None if fix is None else settings(fix),
            skip=skip,
            keep_all=keep_all,
        )
    if output is not None:
        result.save(output)
    if json:
        print_json(result.as_dict())
        return
    show(result, *options.warnings_of(curves))
    say_saved(output, f"losslaw predict {output} --schedule SPEC")


def settings(text: str) -> dict[str, float | bool]:
    """Names and values: ``gamma=0.5,warmup_drops=true``."""
    from losslaw.errors import InputError

    values: dict[str, float | bool] = {}
    for item in options.names(text):
        name, equals, value = (part.strip() for part in item.partition("="))
        if name in values:
            raise InputError(f"--fix: {name} is given twice")
        if value.lower() in ("true", "false"):
            values[name] = value.lower() == "true"
            continue
        try:
            values[name] = float(value)
        except ValueError:
            raise InputError(
                f"--fix {item!r}: expected name=number" + ("" if equals else ", as in gamma=0.5")
            ) from None
    return values
