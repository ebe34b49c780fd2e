"""``losslaw merge``: what an average of checkpoints would be worth, beside a decay."""

from typing import Annotated, Any

import typer

from losslaw.cli import options
from losslaw.cli.forecast import one_run
from losslaw.cli.output import activity, print_json, save_json, say_saved, show


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "merge", merge_command)


@options.with_reading
def merge_command(
    log: options.Log,
    reading: dict[str, Any],
    checkpoints: Annotated[
        str,
        typer.Option(
            "--checkpoints",
            metavar="K1,K2,...|every:N",
            help="Steps at which weights were (or will be) saved, or every so many up to now.",
        ),
    ],
    last: Annotated[
        int | None, typer.Option("--last", metavar="N", help="Only the N latest of them.")
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            "--weights",
            metavar="NAME|W1,W2,...",
            help="One of: {WEIGHTS}; or numbers that sum to 1, one a checkpoint.",
        ),
    ] = "uniform",
    measured: Annotated[
        float | None,
        typer.Option(
            "--measured",
            metavar="LOSS",
            help="Loss of the average of all these checkpoints, if it was made: the rest is surer.",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule",
            metavar="SPEC",
            help="The whole plan, for checkpoints to come; default: what the log shows goes on.",
        ),
    ] = None,
    fit: options.EarlierFit = None,
    earlier: options.EarlierRuns = None,
    law: options.LawToFit = None,
    decay_shape: Annotated[
        str,
        typer.Option("--decay-shape", help="linear, cosine, exponential, 1-sqrt or power."),
    ] = "linear",
    final: Annotated[
        float, typer.Option("--final", help="Learning rate at which the decays beside end.")
    ] = 0.0,
    level: options.Level = 0.9,
    skip: options.SkipOf = None,
    keep_all: options.KeepAll = False,
    new_data: options.NewData = False,
    json: options.Json = False,
    output: options.JsonFile = None,
) -> None:
    """Loss of an average of checkpoints that nobody has made, beside decays of the same length.

    Averages of the last few and of all checkpoints; a decay from the last one on, which trains as
    many updates more; and one that the run could have had instead, from the first one on.

    \b
    Examples:
      losslaw merge run.csv --checkpoints every:100 --last 8
      losslaw merge run.csv --checkpoints 4000,4500,4900 --weights 1-sqrt \\
        --with runs/wsd-linear-0.2_peak3e-3_T4000.csv
    """
    from losslaw.fitting import load_fit
    from losslaw.merging import merge
    from losslaw.schedules import parse_schedule

    plan = None if schedule is None else parse_schedule(schedule)
    run = one_run(log, reading, plan)
    others = options.read(earlier, **reading) if earlier else ()
    with activity("merging"):
        result = merge(
            run,
            _checkpoints(checkpoints),
            _weights(weights),
            last=last,
            measured=measured,
            schedule=plan,
            fit=None if fit is None else load_fit(fit),
            earlier=others,
            law=law,
            decay_shape=decay_shape,
            final=final,
            level=level,
            skip=skip,
            keep_all=keep_all,
            new_data=new_data,
        )
    save_json(output, result.as_dict())
    if json:
        print_json(result.as_dict())
        return
    show(result)
    say_saved(output)


def _checkpoints(text: str) -> list[int] | int:
    """Steps, or the updates from one checkpoint to the next."""
    expected = "steps as in 16000,18000,20000, or every:500"
    name, colon, rest = text.partition(":")
    every = name.strip() == "every" and bool(colon)
    steps = [
        int(number)
        for number in options.numbers(
            rest if every else text, "--checkpoints", expected, whole=True
        )
    ]
    return steps[0] if every and len(steps) == 1 else steps


def _weights(text: str) -> str | list[float]:
    """A word, or numbers."""
    if "," not in text:
        return text
    return options.numbers(text, "--weights", "numbers above 0 that sum to 1, as in 0.2,0.3,0.5")
