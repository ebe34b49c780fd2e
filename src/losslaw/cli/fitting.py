"""``losslaw fit | predict | score | compare``: curves to laws, laws to curves."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import print_json

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve
    from losslaw.schedules import Schedule

FitFile = Annotated[
    str, typer.Argument(metavar="fit.json", help="A saved fit; '-' reads standard input.")
]
Skip = Annotated[
    int | None,
    typer.Option(
        "--skip",
        help="Leave out points before this step; default: four warm-ups, at most 10 % of a run.",
    ),
]
Level = Annotated[
    float, typer.Option("--level", help="Share of runs the interval is meant to hold.")
]


def register(app: typer.Typer) -> None:
    """Add the four commands."""
    app.command("fit")(fit_command)
    app.command("predict")(predict_command)
    app.command("score")(score_command)
    app.command("compare")(compare_command)


@options.with_curves
def fit_command(
    curves: "list[LossCurve]",
    law: Annotated[
        str, typer.Option("--law", help="Law to fit; see 'losslaw fit --help' for names.")
    ] = "auto",
    optimizer: Annotated[
        str | None,
        typer.Option(
            "--optimizer",
            help="For auto: adamw (standard parametrisation) or other; default: the curves decide.",
        ),
    ] = None,
    free: Annotated[
        str | None,
        typer.Option("--free", help="Shapes to search, comma-separated; default: the law's own."),
    ] = None,
    fix: Annotated[
        str | None,
        typer.Option("--fix", help="Shapes or settings to hold: gamma=0.5,warmup_drops=true."),
    ] = None,
    skip: Skip = None,
    json: options.Json = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Write the fit to this JSON file.")
    ] = None,
) -> None:
    """Fit a law to one or several curves of one model, or of a family of models.

    Laws: auto (default: chosen by what the curves show), effective, multipower, functional,
    convolution, momentum, lastiterate, instantaneous, chinchilla. Curves of several known model
    sizes share their shapes.
    """
    from losslaw.fitting import fit
    from losslaw.fitting.saved import fit_as_dict

    found = fit(
        curves,
        law,
        free=None if free is None else _names(free),
        fixed=_settings(fix),
        skip=skip,
        optimizer=optimizer,
    )
    if output is not None:
        found.save(output)
    if json:
        print_json(fit_as_dict(found))
        return
    print(found)
    for sentence in dict.fromkeys(text for curve in curves for text in curve.warnings):
        print(f"warning: {sentence}")
    if output is not None:
        print(f"\nsaved to {output}; next: losslaw predict {output} --schedule SPEC")


def predict_command(
    fit: FitFile,
    schedule: Annotated[
        str,
        typer.Option(
            "--schedule",
            metavar="SPEC|FILE",
            help="wsd:peak=3e-4,horizon=24000,cooldown=0.2,... or a file step,lr[,batch].",
        ),
    ],
    level: Level = 0.9,
    every: Annotated[
        int | None, typer.Option("--every", help="Ask every N steps; default: every step.")
    ] = None,
    weight_decay: options.WeightDecay = None,
    model_size: options.ModelSize = None,
    json: options.Json = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Write step,lr,loss,lower,upper here.")
    ] = None,
) -> None:
    """The loss curve of a schedule nobody ran, with an interval."""
    from losslaw.fitting import load_fit

    found = load_fit(fit)
    asked = schedule_from(schedule)
    if weight_decay is not None:
        asked = asked.with_(weight_decay=weight_decay)
    prediction = found.predict(asked, _steps(asked.horizon, every), level, model_size)
    if output is not None:
        from losslaw.files import write_text

        write_text(output, prediction.csv())
    if json:
        print_json(prediction.as_dict())
        return
    print(prediction)
    if output is not None:
        print(f"\nsaved to {output}")


@options.with_curves
def score_command(
    fit: FitFile,
    curves: "list[LossCurve]",
    unseen: Annotated[
        bool,
        typer.Option(
            "--unseen/--all",
            help="Only steps after the schedule departs from every fitted curve, or all.",
        ),
    ] = True,
    skip: Skip = None,
    level: Level = 0.9,
    json: options.Json = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Write the scores to this JSON file.")
    ] = None,
) -> None:
    """Errors of a fit on curves it has not seen."""
    from losslaw.fitting import load_fit, score

    found = load_fit(fit)
    scores = score(found, curves, unseen=unseen, skip=skip, level=level)
    _write_json(output, scores.as_dict())
    if json:
        print_json(scores.as_dict())
        return
    print(scores)


@options.with_curves
def compare_command(
    curves: "list[LossCurve]",
    laws: Annotated[
        str | None, typer.Option("--laws", help="Laws to compare, comma-separated; default: all.")
    ] = None,
    skip: Skip = None,
    json: options.Json = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Write the comparison to this JSON file.")
    ] = None,
) -> None:
    """Leave one schedule out, fit the others, predict it: which law errs least."""
    import time

    from losslaw.cli.output import activity
    from losslaw.fitting import compare

    begun = time.perf_counter()
    with activity("comparing laws") as say:
        scores = compare(curves, None if laws is None else _names(laws), skip=skip, progress=say)
    _write_json(output, scores.as_dict())
    if json:
        print_json(scores.as_dict())
        return
    print(scores)
    print(f"\n{len(scores)} laws on {len(curves)} curves in {time.perf_counter() - begun:.1f} s")


def schedule_from(text: str) -> "Schedule":
    """The schedule that a command-line text names: SPEC, ``file:PATH``, a path, or ``-``."""
    from pathlib import Path

    from losslaw.schedules import parse_schedule, read_schedule

    if text == "-" or (text.strip() and ":" not in text and Path(text).exists()):
        return read_schedule(text)
    return parse_schedule(text)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _settings(text: str | None) -> dict[str, float | bool] | None:
    from losslaw.errors import InputError

    if text is None:
        return None
    values: dict[str, float | bool] = {}
    for item in _names(text):
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


def _steps(horizon: int, every: int | None) -> list[int] | None:
    from losslaw.errors import InputError

    if every is None:
        return None
    if every < 1:
        raise InputError(f"--every {every}: expected at least 1")
    return sorted({*range(every, horizon + 1, every), horizon})


def _write_json(path: str | None, record: object) -> None:
    if path is not None:
        import json

        from losslaw.cli.output import plain
        from losslaw.files import write_text

        write_text(path, json.dumps(plain(record), indent=1) + "\n")
