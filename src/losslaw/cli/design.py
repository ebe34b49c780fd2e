"""``losslaw design``: the schedule with the lowest predicted final loss."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, show_schedule
from losslaw.cli.problem import in_words, with_problem

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.schedules import Schedule


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "design", with_problem(design_command))


def design_command(
    fit: options.FitOrProblem = None,
    world: Any = None,
    horizon: Annotated[
        int | None,
        typer.Option("--horizon", help="Updates in all, warm-up and run so far included."),
    ] = None,
    peak: Annotated[
        str | None,
        typer.Option(
            "--peak",
            metavar="LR|LOW..HIGH",
            help="Largest rate, or a range to choose it from; default: that of the fitted runs;"
            " of a problem any up to 0.9 of the largest stable one.",
        ),
    ] = None,
    warmup: options.RunWarmup = None,
    output: options.ScheduleFile = None,
    family: Annotated[
        str,
        typer.Option(
            "--family", metavar="NAME", help="'free', or set the knobs of one of: {FAMILIES}."
        ),
    ] = "free",
    floor: Annotated[float, typer.Option("--floor", help="Smallest rate.")] = 0.0,
    prefix: Annotated[
        str | None,
        typer.Option(
            "--prefix",
            metavar="SPEC|FILE",
            help="The run so far, a schedule or its log; only what follows is designed.",
        ),
    ] = None,
    rising: Annotated[
        bool, typer.Option("--rising", help="Let rates rise again (free form only).")
    ] = False,
    max_slope: Annotated[
        float | None,
        typer.Option(
            "--max-slope", help="Largest change an update, in peaks: 0.001 (free form only)."
        ),
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option("--tokens", help="Instead of --horizon, with --batch, --sequence-length."),
    ] = None,
    compute: Annotated[
        float | None,
        typer.Option(
            "--compute",
            help="Instead of --tokens, with --model-size: operations, 6 a parameter and token.",
        ),
    ] = None,
    sequence_length: Annotated[
        int | None, typer.Option("--sequence-length", help="Tokens in a sequence.")
    ] = None,
    batch: options.RunBatch = None,
    model_size: options.RunSize = None,
    weight_decay: options.RunDecay = None,
    tuned: Annotated[
        bool,
        typer.Option("--tuned", help="Compare with every family at its best setting too."),
    ] = False,
    quantile: Annotated[
        float | None,
        typer.Option(
            "--quantile", help="Design for parameters this unlucky, 0.5..1; default: the fitted."
        ),
    ] = None,
    level: options.Level = 0.9,
    new_data: options.NewData = False,
    json: options.Json = False,
) -> None:
    """The schedule with the lowest predicted final loss, under constraints.

    Of a saved fit, or of a problem of the kernel world, whose exact risk is minimised.
    The length for a loss: losslaw run-length. The model size for a budget: losslaw model-size.
    When to grow the batch: losslaw design-batches.

    \b
    Examples:
      losslaw design fit.json --horizon 12000 -o schedule.csv
      losslaw design fit.json --horizon 12000 --peak 1e-3..6e-3 --family wsd
      losslaw design fit.json --horizon 12000 --prefix run.csv
      losslaw design --source 0.5 --capacity 4 --horizon 10000 --tuned
    """
    from losslaw.designing import design
    from losslaw.errors import InputError
    from losslaw.schedules.families import warmup_updates

    if compute is not None:
        tokens = tokens_of(compute, model_size, horizon, tokens)
    if fit is None:
        refuse_of_a_fit(new_data, level, model_size if compute is None else None)
    result = options.fit_from(fit, new_data=new_data) if fit is not None else world
    if prefix is not None and warmup is not None:
        if horizon is None and 0 < warmup < 1:
            raise InputError(
                f"--warmup {warmup:g}: of a run under way in updates, or with --horizon"
            )
        warmup = warmup_updates(warmup, horizon or 0)
    so_far = None if prefix is None else run_so_far(prefix, warmup)
    with activity("design") as say:
        best = design(
            result,
            horizon,
            peak=None if peak is None else rate_or_range(peak),
            warmup=warmup,
            floor=floor,
            family=family,
            prefix=so_far,
            rising=rising,
            max_slope=max_slope,
            tokens=tokens,
            sequence_length=sequence_length,
            batch=batch,
            weight_decay=weight_decay,
            model_size=model_size,
            quantile=quantile,
            tuned=tuned,
            level=level,
            progress=say,
        )
    about = f"predict {fit}" if world is None else f"simulate {in_words(world)}"
    show_schedule(best, output, json, next_command=f"losslaw {about} --schedule {output}")


def refuse_of_a_fit(new_data: bool, level: float, model_size: float | None) -> None:
    """Refuse options that mean nothing to a problem of the kernel world, which is known exactly."""
    from losslaw.errors import InputError

    given = {
        "--new-data": new_data,
        "--level": level != 0.9,
        "--model-size": model_size is not None,
    }
    asked = [name for name, there in given.items() if there]
    if asked:
        raise InputError(
            f"{', '.join(asked)}: for a fit only, not for a problem of the kernel world"
        )


def tokens_of(
    compute: float, model_size: float | None, horizon: int | None, tokens: float | None
) -> float:
    """Tokens that a budget pays for."""
    from losslaw.designing.run_length import FLOPS
    from losslaw.errors import InputError

    if horizon is not None or tokens is not None:
        raise InputError("--compute says how long the run is: give no --horizon, no --tokens")
    if model_size is None:
        raise InputError(
            "--compute needs --model-size; the best size for a budget:"
            " losslaw model-size fit.json --compute C"
        )
    return compute / (FLOPS * model_size)


def rate_or_range(text: str) -> float | tuple[float, float]:
    """A learning rate, or a lowest and a highest one: ``1e-4..1e-3``."""
    from losslaw.errors import InputError

    try:
        numbers = [float(part) for part in text.split("..")]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    raise InputError(f"--peak {text!r}: expected a learning rate or a range, as in 1e-4..1e-3")


def run_so_far(text: str, warmup: float | None) -> "Schedule":
    """A schedule by its text or table, or that of a trainer's log up to its last loss."""
    from pathlib import Path

    from losslaw.curves import read_curves
    from losslaw.errors import InputError

    try:
        schedule = options.schedule_from(text)
    except InputError:
        if not Path(text).is_file():
            raise
        curve = read_curves(text, warmup=warmup)[0]
        schedule = curve.schedule.prefix(int(curve.steps[-1]))
    return schedule if warmup is None else schedule.with_(warmup=min(int(warmup), schedule.horizon))
