"""``losslaw profile``: how well the runs determine a parameter."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, save_json, say_saved, show

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "profile", profile_command)


@options.with_curves
def profile_command(
    curves: "list[LossCurve]",
    of: Annotated[
        str,
        typer.Option("--of", metavar="NAME,...", help="Parameters: alpha,N. See losslaw fit."),
    ],
    law: options.Law = "auto",
    points: Annotated[int, typer.Option("--points", help="Values of each parameter.")] = 15,
    skip: options.Skip = None,
    keep_all: options.KeepAll = False,
    level: options.Level = 0.9,
    json: options.Json = False,
    output: options.JsonFile = None,
) -> None:
    """How much worse a fit gets as one parameter is held away from its best value.

    The interval is where the likelihood ratio allows it; an end that stays open is said.

    \b
    Examples:
      losslaw profile runs/c*T4000.csv --of alpha
      losslaw profile runs/c*T4000.csv --law multipower --of beta,gamma
    """
    import time

    from losslaw.errors import InputError
    from losslaw.fitting.profile import profile

    parameters = options.names(of)
    if not parameters:
        raise InputError("--of names no parameter: expected names such as alpha,N")
    begun = time.perf_counter()
    with activity("profile") as say:
        profiles = [
            profile(
                curves,
                name,
                law=law,
                skip=skip,
                keep_all=keep_all,
                points=points,
                level=level,
                progress=lambda words, name=name: say(f"{name}: {words}"),
            )
            for name in parameters
        ]
    record = {"profiles": [each.as_dict() for each in profiles]}
    save_json(output, record)
    if json:
        print_json(record)
        return
    show("\n\n".join(map(str, profiles)), f"\n{time.perf_counter() - begun:.1f} s")
    say_saved(output)
