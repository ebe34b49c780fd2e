"""``losslaw design``: from a fitted law to the schedule with the lowest predicted final loss."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.fitting import FitFile, Level, schedule_from
from losslaw.cli.output import activity, print_json

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.fitting import Fit
    from losslaw.schedules import Schedule


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("design")(design_command)


def design_command(
    fit: FitFile,
    horizon: Annotated[
        int | None,
        typer.Option("--horizon", help="Updates in all, warm-up and run so far included."),
    ] = None,
    peak: Annotated[
        str | None,
        typer.Option(
            "--peak",
            metavar="LR|LOW..HIGH",
            help="Largest rate, or a range to choose it from; default: that of the fitted runs.",
        ),
    ] = None,
    warmup: Annotated[
        int | None,
        typer.Option("--warmup", help="Updates of warm-up; default: that of the fitted runs."),
    ] = None,
    floor: Annotated[float, typer.Option("--floor", help="Smallest rate.")] = 0.0,
    family: Annotated[
        str,
        typer.Option(
            "--family",
            help="'free', or set the knobs of: constant, linear, cosine, power, step, wsd,"
            " wsd-1-sqrt, wsd-cosine, wsd-power, wsd-1-power.",
        ),
    ] = "free",
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
    sequence_length: Annotated[
        int | None, typer.Option("--sequence-length", help="Tokens in a sequence.")
    ] = None,
    loss: Annotated[
        float | None,
        typer.Option("--loss", help="Ask for the horizon that reaches this loss instead."),
    ] = None,
    compute: Annotated[
        float | None,
        typer.Option(
            "--compute",
            help="Operations to spend, 6 for each parameter and token: the horizon of a"
            " --model-size, or the best size.",
        ),
    ] = None,
    batches: Annotated[
        str | None,
        typer.Option(
            "--batches",
            metavar="B1,B2,...",
            help="Batches the hardware allows: design when to grow the batch as well, for"
            " --samples sequences.",
        ),
    ] = None,
    samples: Annotated[
        float | None, typer.Option("--samples", help="Sequences to see in all, with --batches.")
    ] = None,
    batch: options.Batch = None,
    weight_decay: options.WeightDecay = None,
    model_size: options.ModelSize = None,
    quantile: Annotated[
        float | None,
        typer.Option(
            "--quantile", help="Design for parameters this unlucky, 0.5..1; default: the fitted."
        ),
    ] = None,
    level: Level = 0.9,
    json: options.Json = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Write the schedule here: step,lr,...")
    ] = None,
) -> None:
    """The schedule with the lowest predicted final loss, under constraints."""
    from losslaw.designing import design
    from losslaw.errors import InputError
    from losslaw.fitting import load_fit

    found_fit = load_fit(fit)
    if batches is not None or samples is not None:
        if samples is None or batches is None:
            raise InputError("--batches and --samples go together: 64,128,256 and sequences in all")
        if any(given is not None for given in (horizon, tokens, loss, compute, batch, prefix)):
            raise InputError(
                "--batches with --samples says how long the run is and what it is made of: give no"
                " --horizon, --tokens, --loss, --compute, --batch, --prefix"
            )
        usual = "wsd" if family == "free" else family
        _say_batches(
            found_fit, samples, batches, usual, _peak(peak), warmup, weight_decay, json, output
        )
        return
    if loss is not None:
        if horizon is not None or tokens is not None or compute is not None:
            raise InputError("--loss asks for the horizon: give no --horizon, --tokens, --compute")
        usual = "wsd" if family == "free" else family
        _say_horizon(found_fit, loss, usual, _peak(peak), warmup, batch, model_size, level, json)
        return
    if compute is not None:
        if horizon is not None or tokens is not None:
            raise InputError("--compute says how long the run is: give no --horizon, no --tokens")
        if batch is None or sequence_length is None:
            raise InputError("--compute needs --batch and --sequence-length")
        if model_size is None:
            usual = "wsd" if family == "free" else family
            _say_pair(found_fit, compute, batch, sequence_length, usual, _peak(peak), warmup, json)
            return
        tokens = compute / (6.0 * model_size)
    so_far = None if prefix is None else _run_so_far(prefix, warmup)
    with activity("design") as say:
        found = design(
            found_fit,
            horizon,
            peak=_peak(peak),
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
            level=level,
            progress=say,
        )
    if output is not None:
        from losslaw.files import write_text
        from losslaw.schedules import schedule_csv

        write_text(output, schedule_csv(found.schedule))
    if json:
        print_json(found.as_dict())
        return
    print(found)
    if output is not None:
        print(f"\nsaved to {output}; next: losslaw predict {fit} --schedule {output}")


def _say_batches(
    fit: "Fit",
    samples: float,
    batches: str,
    rate: str,
    peak: float | tuple[float, float] | None,
    warmup: int | None,
    weight_decay: float | None,
    json: bool,
    output: str | None,
) -> None:
    """When to grow the batch, and the rate that goes with it."""
    from losslaw.designing.batch_growth import design_batch
    from losslaw.errors import InputError

    try:
        sizes = [float(part) for part in batches.split(",")]
    except ValueError:
        raise InputError(f"--batches {batches!r}: expected numbers, as in 64,128,256") from None
    top = _one(peak, "--batches")
    if top is None:
        fitted = {curve.schedule.peak_lr for curve in fit.curves}
        if len(fitted) != 1:
            raise InputError("the fitted runs have several peaks: say which, as in --peak 3e-4")
        top = fitted.pop()
    with activity("design"):
        found = design_batch(
            fit,
            samples,
            batches=sizes,
            peak=top,
            rate=rate,
            warmup=_warmup(fit, warmup),
            weight_decay=weight_decay,
        )
    if output is not None:
        from losslaw.files import write_text
        from losslaw.schedules import schedule_csv

        write_text(output, schedule_csv(found.schedule))
    if json:
        schedule = {"lr": found.schedule.lr, "batch": found.schedule.batch}
        names = ("loss", "gain", "begins", "constant", "updates")
        print_json({**{name: getattr(found, name) for name in names}, "schedule": schedule})
        return
    print(f"predicted final loss {found.loss:.5f} after {found.updates[0]:,} updates")
    for size, begin in found.begins.items():
        print(f"  batch {size:g} from sample {begin:,.0f} on ({begin / samples:.1%})")
    print(f"instead, one batch all along (smallest: {found.updates[1]:,} updates):")
    for size, loss in found.constant.items():
        print(f"  batch {size:g}: {loss:.5f}, it costs {loss - found.loss:+.5f}")
    if output is not None:
        print(f"\nsaved to {output}; next: losslaw export {output} --to torch")


def _say_horizon(
    fit: "Fit",
    loss: float,
    family: str,
    peak: float | tuple[float, float] | None,
    warmup: int | None,
    batch: float | None,
    model_size: float | None,
    level: float,
    json: bool,
) -> None:
    """The shortest run that reaches a loss."""
    import math

    from losslaw.designing.run_length import horizon_for

    found = horizon_for(
        fit,
        loss,
        family=family,
        peak=_one(peak),
        warmup=_warmup(fit, warmup),
        batch=batch,
        model_size=model_size,
        level=level,
    )
    if json:
        record = {name: getattr(found, name) for name in ("loss", "updates", "shortest", "longest")}
        print_json({**record, "family": family, "lr": found.schedule.lr})
        return
    print(f"{found.updates:,} updates reach a loss of {loss:g}, schedule {family}")
    if found.shortest is not None and found.longest is not None:
        end = f"{found.longest:,}" if math.isfinite(found.longest) else "no end"
        print(f"{level:.0%} interval of the loss: {found.shortest:,} .. {end}")


def _say_pair(
    fit: "Fit",
    compute: float,
    batch: float,
    sequence_length: int,
    family: str,
    peak: float | tuple[float, float] | None,
    warmup: int | None,
    json: bool,
) -> None:
    """The best model size for a budget."""
    from losslaw.designing.run_length import compute_optimal

    found = compute_optimal(
        fit,
        compute,
        batch=batch,
        sequence_length=sequence_length,
        family=family,
        peak=_one(peak),
        warmup=_warmup(fit, warmup),
    )
    updates = round(found.samples / (batch * sequence_length))
    if json:
        print_json(
            {
                "model_size": found.model_size,
                "tokens": found.samples,
                "updates": updates,
                "loss": found.loss,
                "at_edge": found.at_edge,
                "family": family,
            }
        )
        return
    print(
        f"{found.model_size:.3g} parameters, {found.samples:.3g} tokens ({updates:,} updates),"
        f" schedule {family}: predicted final loss {found.loss:.4f}"
    )
    if found.at_edge:
        print("note: the size is at the edge of those tried, a third to three times those fitted")


def _one(
    peak: float | tuple[float, float] | None, option: str = "--loss and --compute"
) -> float | None:
    from losslaw.errors import InputError

    if isinstance(peak, tuple):
        raise InputError(f"--peak: one learning rate, not a range, with {option}")
    return peak


def _warmup(fit: "Fit", warmup: int | None) -> int:
    usual = {curve.schedule.warmup for curve in fit.curves}
    return (usual.pop() if len(usual) == 1 else 0) if warmup is None else warmup


def _peak(text: str | None) -> float | tuple[float, float] | None:
    from losslaw.errors import InputError

    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split("..")]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    raise InputError(f"--peak {text!r}: expected a learning rate or a range, as in 1e-4..1e-3")


def _run_so_far(text: str, warmup: int | None) -> "Schedule":
    """A schedule by its text or table, or that of a trainer's log up to its last loss."""
    from pathlib import Path

    from losslaw.curves import read_curves
    from losslaw.errors import InputError

    try:
        schedule = schedule_from(text)
    except InputError:
        if not Path(text).is_file():
            raise
        curve = read_curves(text, warmup=warmup)[0]
        schedule = curve.schedule.prefix(int(curve.steps[-1]))
    return schedule if warmup is None else schedule.with_(warmup=min(warmup, schedule.horizon))
