"""``losslaw advise | profile``: which run would tell, and what the runs there are tell already."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.fitting import Level, Skip, schedule_from
from losslaw.cli.output import activity, print_json

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve

LawName = Annotated[str, typer.Option("--law", help="Law to fit, as in losslaw fit.")]
Optimizer = Annotated[
    str | None,
    typer.Option("--optimizer", help="adamw or other, as in losslaw fit."),
]


def register(app: typer.Typer) -> None:
    """Add the two commands."""
    app.command("advise")(advise_command)
    app.command("profile")(profile_command)


@options.with_curves
def advise_command(
    curves: "list[LossCurve]",
    target: Annotated[
        list[str],
        typer.Option(
            "--for",
            metavar="SPEC|FILE",
            help="Schedule whose final loss is to be known better; may be repeated.",
        ),
    ],
    level: Level = 0.9,
    shrink: Annotated[
        float, typer.Option("--shrink", help="Wanted half-width, as a share of the one now.")
    ] = 0.5,
    max_updates: Annotated[
        int | None,
        typer.Option("--max-updates", metavar="N", help="Most a run may cost; default: the target"),
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="SPEC|FILE", help="Judge this run instead; may be repeated."),
    ] = None,
    peaks: Annotated[
        str | None,
        typer.Option("--peaks", metavar="LR,...", help="Further peaks of short runs to think of."),
    ] = None,
    checkpoints: Annotated[
        bool,
        typer.Option(
            "--checkpoints/--no-checkpoints",
            help="Whether runs may begin at checkpoints of the runs there are.",
        ),
    ] = True,
    law: LawName = "auto",
    optimizer: Optimizer = None,
    target_size: Annotated[
        float | None,
        typer.Option("--target-size", help="Parameters of the target's model, if runs differ."),
    ] = None,
    skip: Skip = None,
    json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", help="Write the schedule of the run here: step,lr,..."),
    ] = None,
) -> None:
    """The cheapest further run that would halve the interval of a final loss.

    A decay that begins at a checkpoint costs only its own updates.
    """
    import time

    from losslaw.advising.advise import advise

    targets = [schedule_from(text) for text in target]
    judged = None if run is None else [schedule_from(text) for text in run]
    begun = time.perf_counter()
    with activity("advise") as say:
        found = advise(
            curves,
            targets,
            level=level,
            shrink=shrink,
            max_updates=max_updates,
            skip=skip,
            peaks=_numbers(peaks),
            runs=judged,
            law=law,
            optimizer=optimizer,
            model_size=target_size,
            checkpoints=checkpoints,
            progress=say,
        )
    if output is not None and found.best is not None:
        from losslaw.files import write_text
        from losslaw.schedules import schedule_csv

        write_text(output, schedule_csv(found.best.schedule))
    if json:
        print_json(found.as_dict())
        return
    print(found)
    for sentence in dict.fromkeys(text for curve in curves for text in curve.warnings):
        print(f"warning: {sentence}")
    print(f"\n{time.perf_counter() - begun:.1f} s")
    if output is not None and found.best is None:
        print(f"{output} was not written: there is no run to make")
    elif output is not None:
        print(f"saved to {output}; next: losslaw export {output} --to TRAINER")


@options.with_curves
def profile_command(
    curves: "list[LossCurve]",
    of: Annotated[
        str,
        typer.Option("--of", metavar="NAME,...", help="Parameters: alpha,N. See losslaw fit."),
    ],
    law: LawName = "auto",
    optimizer: Optimizer = None,
    points: Annotated[int, typer.Option("--points", help="Values of each parameter.")] = 15,
    level: Level = 0.9,
    skip: Skip = None,
    json: options.Json = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Write the profiles to this JSON file.")
    ] = None,
) -> None:
    """How much worse a fit gets as one parameter is held away from its best value.

    The interval is where the likelihood ratio allows it; an end that stays open is said.
    """
    import time

    from losslaw.errors import InputError
    from losslaw.fitting.profile import profile

    names = [name.strip() for name in of.split(",") if name.strip()]
    if not names:
        raise InputError("--of names no parameter: expected names such as alpha,N")
    begun = time.perf_counter()
    with activity("profile") as say:
        found = [
            profile(
                curves,
                name,
                law=law,
                optimizer=optimizer,
                skip=skip,
                points=points,
                level=level,
                progress=lambda words, name=name: say(f"{name}: {words}"),
            )
            for name in names
        ]
    record = {"profiles": [item.as_dict() for item in found]}
    if output is not None:
        import json as text

        from losslaw.cli.output import plain
        from losslaw.files import write_text

        write_text(output, text.dumps(plain(record), indent=1) + "\n")
    if json:
        print_json(record)
        return
    print("\n\n".join(str(item) for item in found))
    print(f"\n{time.perf_counter() - begun:.1f} s")
    if output is not None:
        print(f"saved to {output}")


def _numbers(text: str | None) -> list[float] | None:
    from losslaw.errors import InputError

    if text is None:
        return None
    values: list[float] = []
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        try:
            value = float(item)
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise InputError(f"--peaks {item!r}: expected learning rates above 0, as in 3e-4,6e-4")
        values.append(value)
    return values
