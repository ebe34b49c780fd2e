"""``losslaw export``: a schedule into the trainer that is to run it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, show

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.exporting import Exported


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "export", export_command)


def export_command(
    schedule: Annotated[
        str,
        typer.Argument(
            metavar="SPEC|FILE",
            help="schedule.csv (step,lr[,batch]), what design --json wrote, '-', or"
            " wsd:peak=3e-4,horizon=24000,...",
        ),
    ],
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="One of: {TARGETS}.")],
    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="fit.json",
            help="Predict the loss of the schedule, and of a trainer's nearest style.",
        ),
    ] = None,
    model_size: options.RunSize = None,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", help="Largest relative error of the straight pieces."),
    ] = 1e-6,
    date: Annotated[
        str | None,
        typer.Option("--date", help="Written into the file; default: none, for equal files."),
    ] = None,
    json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            callback=options.no_picture,
            help="Write the file here, not to the screen.",
        ),
    ] = None,
) -> None:
    """Give a trainer this schedule: a file it can run, exact or the nearest of its own styles.

    Update k uses the learning rate of row k, however the trainer counts.

    \b
    Examples:
      losslaw export schedule.csv --to torch -o schedule.py
      losslaw export wsd:peak=3e-3,horizon=12000,cooldown=0.2 --to megatron \\
        --fit fit.json
    """
    import sys

    from losslaw.errors import InputError
    from losslaw.exporting import ALIASES, TARGETS, prepare

    if ALIASES.get(to, to) not in TARGETS:
        raise InputError(f"--to {to}: unknown target, expected one of: {', '.join(TARGETS)}")
    if to == "npy" and output is None and not json:
        raise InputError("npy is not a text: name a file, as in -o schedule.npy")
    if schedule == "-" and fit == "-":
        raise InputError("schedule and fit cannot both be read from standard input")
    found = None
    if fit is not None:
        from losslaw.fitting import load_fit

        found = load_fit(fit)
    with activity("export"):
        done = prepare(
            options.schedule_from(schedule),
            to,
            fit=found,
            fit_source=fit,
            source="standard input" if schedule == "-" else schedule,
            date=date,
            tolerance=tolerance,
            model_size=model_size,
        )
    if output is not None:
        from losslaw.files import write_bytes

        write_bytes(output, done.data)
    if json:
        text = None if to == "npy" else done.text
        print_json({**done.as_dict(), "output": output, "text": text})
    elif output is None:
        sys.stdout.write(done.text)
    else:
        show(_text(done, output))


def _text(done: "Exported", output: str) -> str:
    from losslaw.exporting import TARGETS
    from losslaw.exporting.job import gap_lines, predicted_line

    near = done.nearest
    lines = [] if done.trust is None else [str(done.trust), ""]
    lines += [f"{output}: {TARGETS[done.target].title}, " + ("exact" if done.exact else "nearest")]
    if near is not None:
        lines += gap_lines(near, used=near.exact or not done.exact)
    if done.exact and (near is None or not near.exact) and done.target not in ("csv", "npy"):
        count, error = done.pieces.updates.size, done.pieces.error
        lines.append(f"{count} knots, largest relative error {error:.1e}")
    if done.predicted is not None:
        lines.append(predicted_line(done.predicted, done.interval, done.unit))
    lines += [f"note: {note}" for note in done.notes]
    # Python imports a file by its name alone; a shell takes a name with spaces for several.
    module, step = Path(output).stem, done.next_step
    step = step.replace("from schedule import", f"from {module} import")
    step = step.replace("import FILE", f"import {module}")
    step = step.replace("source FILE", f"source {shlex.quote(output)}").replace("FILE", output)
    lines.append(f"next: {step}")
    return "\n".join(lines)
