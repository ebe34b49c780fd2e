"""``losslaw simulate``: a loss curve of the kernel world."""

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli.options import Command, Json, no_page
from losslaw.cli.problem import (
    Ambient,
    Capacity,
    Difficulty,
    Modes,
    Noise,
    Source,
    SpectrumFile,
    Tolerance,
    problem,
)

if TYPE_CHECKING:
    from losslaw.kernel import LongSchedule
    from losslaw.kernel.methods import Evaluation
    from losslaw.schedules import Schedule

# Ends of a name for which the curve is drawn.


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate", cls=Command)(simulate)


def simulate(
    schedule: Annotated[
        str,
        typer.Option(
            "--schedule",
            metavar="SPEC|FILE",
            help="wsd:peak=0.3,horizon=10000,cooldown=0.2,... or a file step,lr[,batch].",
        ),
    ],
    source: Source = None,
    difficulty: Difficulty = None,
    capacity: Capacity = None,
    spectrum: SpectrumFile = None,
    tolerance: Tolerance = 1e-12,
    modes: Modes = "inf",
    ambient: Ambient = "inf",
    noise: Noise = 1.0,
    relative: Annotated[
        bool,
        typer.Option(
            "--relative", help="Rates are fractions of the largest admissible one (peak=0.5)."
        ),
    ] = False,
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch", metavar="B|FILE", help="Samples in an update, or a file with column batch."
        ),
    ] = None,
    features: Annotated[
        str, typer.Option("--features", help="top: the leading features; random: M mixtures.")
    ] = "top",
    distribution: Annotated[
        str, typer.Option("--distribution", help="Features: gaussian, uniform or laplace.")
    ] = "gaussian",
    method: Annotated[
        str,
        typer.Option("--method", help="One of: {METHODS}."),
    ] = "quadrature",
    average: Annotated[
        str | None,
        typer.Option(
            "--average",
            metavar="TEXT",
            help="Of averaged iterates: tail:start=5000[,every=100] or ema:0.999[,every=100].",
        ),
    ] = None,
    momentum: Annotated[
        float | None,
        typer.Option("--momentum", help="Heavy ball: v <- RHO v + g, u <- u - lr v; in [0, 1)."),
    ] = None,
    nesterov: Annotated[
        bool, typer.Option("--nesterov", help="Nesterov's momentum, u <- u - lr (g + RHO v).")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", help="Sampled runs, for sgd.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="Of the samples and random features.")] = 0,
    points: Annotated[int, typer.Option("--points", help="About how many steps to write.")] = 500,
    json: Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            callback=no_page,
            help="Write step,lr,loss,... here; '-': print; .png, .pdf, .svg: draw.",
        ),
    ] = None,
) -> None:
    """The loss curve of one-pass SGD on power-law kernel regression, along any schedule.

    Its loss is the risk, the irreducible noise^2 / 2 included. The file it writes can be read by
    every command that reads logs, several of them by: losslaw fit *.csv --law convolution --skip 1

    \b
    Examples:
      losslaw simulate --source 0.5 --capacity 4 \\
        --schedule wsd:peak=0.2,horizon=10000,cooldown=0.2 -o curve.csv
      losslaw simulate --source 0.5 --capacity 4 --modes 128 --method sgd \\
        --relative --schedule cosine:peak=0.5,horizon=1000
      losslaw simulate --source 1 --capacity 2 --average tail:start=5000 \\
        --schedule constant:peak=0.1,horizon=10000
      losslaw simulate --source 1 --capacity 2 --relative --momentum 0.9 \\
        --schedule wsd:peak=0.3,horizon=10000,cooldown=0.2
    """
    from losslaw.cli.output import counter, is_picture, print_json, say_saved
    from losslaw.cli.output import show as show_text
    from losslaw.errors import InputError
    from losslaw.files import write_text
    from losslaw.kernel.methods import METHODS, evaluate, relative_plan
    from losslaw.numerics.horizon import LONGEST

    if method not in METHODS:
        raise InputError(f"--method {method!r}, expected one of: {', '.join(METHODS)}")
    world = problem(
        source,
        difficulty,
        capacity,
        spectrum,
        tolerance,
        modes,
        noise,
        ambient,
        features=features,
        distribution=distribution,
        seed=seed,
    )
    if method == "sgd" and math.isinf(world.modes):
        raise InputError("--method sgd draws a finite number of modes: add --modes 128, or so")
    plan = _pieces(schedule, batch) if method == "integrator" else _written_out(schedule, batch)
    if relative:
        plan = relative_plan(world, plan, momentum=momentum, nesterov=nesterov)
    with counter("sampling", seeds) if method == "sgd" else nullcontext() as show:
        result = evaluate(
            world,
            plan,
            method=method,
            points=points,
            runs=seeds,
            seed=seed,
            average=average,
            momentum=momentum,
            nesterov=nesterov,
            tick=lambda runs: show(advance=runs) if show else None,
        )
    notes = _notes(plan, result, schedule, spectrum, relative=relative, seeds=seeds, seed=seed)
    if average is not None:
        notes["average"] = average
    if momentum is not None:
        notes |= {"momentum": momentum, "nesterov": nesterov}
    text = result.csv({name: note for name, note in notes.items() if note is not None})
    if output == "-":
        typer.echo(text, nl=False)
        return
    drawn = is_picture(output)
    if output is not None and drawn:
        from losslaw.files.pictures import write_picture
        from losslaw.kernel.figures.evaluation import evaluation_figure

        write_picture(output, evaluation_figure(result))
    elif output is not None:
        write_text(output, text)
    if json:
        print_json(
            {
                **notes,
                "irreducible": result.irreducible,
                "step": result.steps,
                "lr": result.lr,
                "loss": result.loss,
                "excess": result.excess,
                **result.columns,
            }
        )
        return
    show_text(result)
    # One run hardly ever has all parameters of a law, and updates beyond this are no log's.
    say_saved(output, f"losslaw plot {output}" if not drawn and result.steps[-1] <= LONGEST else "")


def _notes(
    plan: "Schedule | LongSchedule",
    result: "Evaluation",
    spec: str,
    spectrum: str | None,
    *,
    relative: bool,
    seeds: int,
    seed: int,
) -> dict[str, object]:
    """What a reader of the file would otherwise have to ask."""
    from losslaw.curves.curve import RISK

    world = result.world
    notes: dict[str, object] = {
        "source": world.source,
        "capacity": world.capacity,
        "modes": "inf" if math.isinf(world.modes) else _counted(world.modes),
        **({} if math.isinf(world.ambient) else {"ambient": _counted(world.ambient)}),
        "noise": world.noise,
        "features": world.features,
        "distribution": world.distribution,
        "method": result.method,
        "largest_lr": result.largest_lr,
        "schedule": spec,
        **({} if spectrum is None else {"spectrum": spectrum}),
        "relative": relative,
        "warmup": getattr(plan, "warmup", 0),
        "lr_is": "used",
        "loss_unit": RISK,
    }
    if (result.batch == result.batch[0]).all():
        notes["batch"] = float(result.batch[0])
    if result.method == "sgd":
        notes |= {"seeds": seeds, "seed": seed}
    return notes


def _counted(value: float) -> float:
    """A count as it is written: a whole number, as long as a float tells it from the next."""
    return int(value) if value < 2**53 else float(value)


def _written_out(text: str, batch: str | None) -> "Schedule":
    import re

    from losslaw.errors import InputError
    from losslaw.numerics.horizon import LONGEST
    from losslaw.schedules import parse_schedule

    for horizon in re.findall(r"horizon\s*=\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)", text):
        if float(horizon) > LONGEST:
            raise InputError(
                f"horizon {horizon} is more than {LONGEST:.0e} updates, too many to write"
                " out: use --method integrator"
            )
    schedule = parse_schedule(text)
    return schedule if batch is None else schedule.with_(batch=_batch(batch, schedule.horizon))


def _pieces(text: str, batch: str | None) -> "LongSchedule":
    from losslaw.errors import InputError
    from losslaw.schedules import parse_long_schedule

    run = parse_long_schedule(text)
    try:
        size = None if batch is None else float(batch)
    except ValueError:
        raise InputError(
            f"--batch {batch}: the integrator takes one number here; quadrature takes a file"
        ) from None
    return run if size is None else run.with_batch(size)


def _batch(text: str, horizon: int) -> object:
    from losslaw.errors import InputError
    from losslaw.files import read_table

    try:
        return float(text)
    except ValueError:
        pass
    table = read_table(text)
    if "batch" not in table.columns:
        raise InputError(
            f"{table.source}: no column 'batch'; found {', '.join(table.columns)};"
            " expected one row an update"
        )
    sizes = table.numbers("batch")
    if sizes.size != horizon:
        raise InputError(
            f"{table.source}: {sizes.size} batch sizes for {horizon} updates, expected one each"
        )
    return sizes
