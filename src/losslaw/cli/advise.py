"""``losslaw advise``: the cheapest further run that narrows an interval."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, save_picture, save_schedule, say_saved, show
from losslaw.text import escaped

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "advise", advise_command)


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
    max_updates: Annotated[
        int | None,
        typer.Option("--max-updates", metavar="N", help="Most a run may cost; default: the target"),
    ] = None,
    shrink: Annotated[
        float, typer.Option("--shrink", help="Wanted half-width, as a share of the one now.")
    ] = 0.5,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="SPEC|FILE", help="Judge this run instead; may be repeated."),
    ] = None,
    peaks: Annotated[
        str | None,
        typer.Option("--peaks", metavar="LR,...", help="Further peaks of short runs to consider."),
    ] = None,
    checkpoints: Annotated[
        bool,
        typer.Option(
            "--checkpoints/--no-checkpoints",
            help="Whether runs may begin at checkpoints of the runs there are.",
        ),
    ] = True,
    target_size: Annotated[
        float | None,
        typer.Option("--target-size", help="Parameters of the target's model, if runs differ."),
    ] = None,
    law: options.Law = "auto",
    skip: options.Skip = None,
    keep_all: options.KeepAll = False,
    level: options.Level = 0.9,
    json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            callback=options.no_page,
            help="The schedule of the run: step,lr,...; or a picture (.png, .pdf, .svg).",
        ),
    ] = None,
) -> None:
    """The cheapest further run that would halve the interval of a final loss.

    A decay that begins at a checkpoint costs only its own updates.

    \b
    Examples:
      losslaw advise run.csv --for wsd:peak=3e-3,horizon=12000,cooldown=0.2
      losslaw advise runs/constant*T4000.csv --for schedule.csv -o next_run.csv
    """
    import time

    from losslaw.advising.advise import advise

    expected = "learning rates above 0, as in 3e-4,6e-4"
    begun = time.perf_counter()
    with activity("advise") as say:
        advice = advise(
            curves,
            [options.schedule_from(text) for text in target],
            level=level,
            shrink=shrink,
            max_updates=max_updates,
            skip=skip,
            keep_all=keep_all,
            peaks=None if peaks is None else options.numbers(peaks, "--peaks", expected),
            runs=None if run is None else [options.schedule_from(text) for text in run],
            law=law,
            model_size=target_size,
            checkpoints=checkpoints,
            progress=say,
        )
    drawn = save_picture(output, advice)
    if not drawn and advice.best is not None:
        save_schedule(output, advice.best.schedule)
    if json:
        print_json(advice.as_dict())
        return
    seconds = time.perf_counter() - begun
    show(advice, *options.warnings_of(curves), f"\n{seconds:.1f} s")
    if drawn:
        say_saved(output)
    elif output is not None and advice.best is None:
        show(escaped(f"{output} was not written: there is no run to make"))
    elif output is not None:
        say_saved(output, f"losslaw export {output} --to TRAINER")
