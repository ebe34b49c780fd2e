"""``losslaw continue``: where a run ends if it goes on, re-heated or as it is."""

from typing import Annotated, Any

import typer

from losslaw.cli import cooldown, options
from losslaw.cli.forecast import one_run
from losslaw.cli.output import activity, print_json, save_json, save_picture, say_saved, show


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "continue", continue_command)


@options.with_reading
def continue_command(
    log: options.Log,
    reading: dict[str, Any],
    updates: Annotated[int, typer.Option("--updates", metavar="N", help="Updates to come.")],
    peaks: Annotated[
        str | None,
        typer.Option(
            "--peaks",
            metavar="A,B,...",
            help="Rates to go on at; default: the run's peak, 1/2 and 1/5 of it, its rate now.",
        ),
    ] = None,
    rewarmup: Annotated[
        float | None,
        typer.Option(
            "--rewarmup",
            metavar="K",
            help="Updates in which the rate goes there, or a share of N; default: as the warm-up,"
            " at most N/10.",
        ),
    ] = None,
    over: Annotated[
        str,
        typer.Option(
            "--over",
            metavar="K",
            help="Length of the cooldown at the end: updates, or a share of all updates.",
        ),
    ] = "20%",
    shape: cooldown.Shape = "linear",
    final: cooldown.Final = 0.0,
    earlier: options.EarlierRuns = None,
    fit: options.FitInstead = None,
    law: options.Law = "auto",
    level: options.Level = 0.9,
    skip: options.Skip = None,
    keep_all: options.KeepAll = False,
    new_data: Annotated[
        bool,
        typer.Option("--new-data", help="Other data are to come than were seen: wider intervals."),
    ] = False,
    json: options.Json = False,
    output: options.DrawnFile = None,
) -> None:
    """Loss of a run that goes on for N updates: re-heated to a peak, or as it is.

    An annealed run is held against stopping now and against a decay that had begun later; any
    other against decaying from now on. Earlier runs with a decay (--with, --fit) make the answer
    much surer.

    \b
    Examples:
      losslaw continue run.csv --updates 4000
      losslaw continue run.csv --updates 4000 --peaks 1e-3,3e-4 --rewarmup 100
      losslaw continue run.csv --updates 4000 --shape cosine --over 100% \\
        --with runs/wsd-linear-0.2_peak3e-3_T4000.csv
    """
    from losslaw.continuing import continue_run
    from losslaw.fitting import load_fit

    with activity("continuing") as say:
        result = continue_run(
            one_run(log, reading, None),
            updates,
            peaks=None if peaks is None else _rates(peaks),
            rewarmup=rewarmup,
            over=options.length(over, "--over"),
            shape=shape,
            final=final,
            earlier=options.read(earlier, **reading) if earlier else (),
            fit=None if fit is None else load_fit(fit),
            law=law,
            level=level,
            skip=skip,
            keep_all=keep_all,
            new_data=new_data,
            progress=say,
        )
    if not save_picture(output, result):
        save_json(output, result.as_dict())
    if json:
        print_json(result.as_dict())
        return
    show(result)
    say_saved(output)


def _rates(text: str) -> list[float]:
    return options.numbers(text, "--peaks", "learning rates above 0, as in 1e-3,3e-4")
