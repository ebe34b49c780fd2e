"""``losslaw forecast``: where a run in progress will end, and what a decay now would give."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, save_json, save_picture, say_saved, show

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve
    from losslaw.forecasting.forecast import Forecast
    from losslaw.schedules import Schedule


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "forecast", forecast_command)


@options.with_reading
def forecast_command(
    log: options.Log,
    reading: dict[str, Any],
    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon",
            metavar="N",
            help="Updates of the whole run; default: what its log says, if it does.",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule",
            metavar="SPEC",
            help="The whole plan; default: what the log shows goes on.",
        ),
    ] = None,
    fit: options.EarlierFit = None,
    earlier: options.EarlierRuns = None,
    law: options.LawToFit = None,
    decay_over: Annotated[
        str | None,
        typer.Option(
            "--decay-over",
            metavar="K1,K2,...",
            help="Lengths of the decays asked about: updates, or shares of those so far;"
            " default: 5%,10%,15%,20%,30%,40%.",
        ),
    ] = None,
    decay_shape: Annotated[
        str,
        typer.Option("--decay-shape", help="linear, cosine, exponential, 1-sqrt or power."),
    ] = "linear",
    final: Annotated[
        float, typer.Option("--final", help="Learning rate at which these decays end.")
    ] = 0.0,
    level: options.Level = 0.9,
    skip: options.SkipOf = None,
    keep_all: options.KeepAll = False,
    new_data: options.NewData = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Read the log again as it grows: one line an update.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", help="How often --follow looks.")
    ] = 10.0,
    json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            callback=options.no_page,
            help="The forecast: a picture (.png, .pdf, .svg), or JSON by any other name.",
        ),
    ] = None,
) -> None:
    """Final loss of a run in progress if its rate decayed now, or later, and on its plan.

    Without a horizon decays that begin now are answered alone. What the log does not show of the
    schedule is continued, and said; --schedule declares it.
    Earlier runs of the same model (--with, --fit) make the forecast much surer.

    \b
    Examples:
      losslaw forecast run.csv --decay-over 10%,20%
      losslaw forecast run.csv --horizon 12000 -o forecast.png
      losslaw forecast run.csv --horizon 12000 --follow \\
        --with runs/wsd-linear-0.2_peak3e-3_T4000.csv
      losslaw forecast run.csv --fit fit.json --horizon 12000 --final 3e-5
    """
    from losslaw.errors import InputError

    if every <= 0:
        raise InputError(f"--every {every:g}: expected seconds above 0")
    if follow and log == "-":
        raise InputError("--follow needs a file: standard input cannot be read again")
    read, ask = _reader_and_asker(
        reading,
        earlier or [],
        horizon=horizon,
        schedule=schedule,
        fit=fit,
        law=law,
        decay_over=None if decay_over is None else _lengths(decay_over),
        decay_shape=decay_shape,
        final=final,
        level=level,
        skip=skip,
        keep_all=keep_all,
        new_data=new_data,
    )
    if follow:
        from losslaw.cli.follow import follow_log

        follow_log(
            log,
            read,
            ask,
            _horizon(horizon, schedule),
            every=every,
            json=json,
            save=lambda each, curve: _save(output, each, curve),
        )
        return
    curve = read(log)
    with activity("forecast"):
        result = ask(curve)
    _save(output, result, curve)
    if json:
        print_json(result.as_dict())
        return
    show(result)
    say_saved(output)


def _save(path: str | None, result: "Forecast", curve: "LossCurve") -> None:
    if not save_picture(path, result, height=2.4, curve=curve):
        save_json(path, result.as_dict())


def _reader_and_asker(
    reading: dict[str, Any],
    earlier: list[str],
    *,
    schedule: str | None,
    fit: str | None,
    **asked: Any,
) -> "tuple[Callable[[str], LossCurve], Callable[[LossCurve], Forecast]]":
    """What reads a log, and what forecasts it; all but the log is read and checked once."""
    from losslaw.errors import InputError
    from losslaw.fitting import load_fit
    from losslaw.forecasting import KeptFits, forecast
    from losslaw.schedules import parse_schedule

    if fit is not None and earlier:
        raise InputError("--fit and --with are both given: choose one")
    if fit is not None and asked["law"] is not None:
        raise InputError("--law with --fit: the law is that of the saved fit; leave one out")
    plan = None if schedule is None else parse_schedule(schedule)
    known = None if fit is None else load_fit(fit)
    others = options.read(earlier, **reading) if earlier else []
    kept = KeptFits()

    def read(log: str) -> "LossCurve":
        return one_run(log, reading, plan)

    def ask(curve: "LossCurve") -> "Forecast":
        for other in others:
            if other.label == curve.label and _same_losses(curve, other):
                raise InputError(
                    f"{curve.label!r} is among the earlier runs as well (--with): name only other"
                    " runs there"
                )
        return forecast(curve, schedule=plan, fit=known, earlier=others, kept=kept, **asked)

    return read, ask


def _same_losses(one: "LossCurve", other: "LossCurve") -> bool:
    """Whether all losses of the shorter of two curves are in the other: one run, read twice."""
    import numpy as np

    n = min(len(one), len(other))
    return np.array_equal(one.loss[:n], other.loss[:n])


def one_run(log: str, reading: dict[str, Any], plan: "Schedule | None") -> "LossCurve":
    """The one curve in a log; a plan gives the rates where the log has none.

    Raises:
        InputError: none, several, or a log that cannot be read.
    """
    from losslaw.errors import InputError

    try:
        curves = options.read([log], **reading)
    except InputError:
        if plan is None or log == "-":
            raise
        curves = options.read([log], **reading, schedule=plan)  # pyright: ignore
    if len(curves) != 1:
        names = ", ".join(curve.label for curve in curves[:4])
        more = f" and {len(curves) - 4} more" if len(curves) > 4 else ""
        raise InputError(
            f"{log}: {len(curves)} runs ({names}{more}), expected one run in progress; earlier"
            " runs of the model go after --with"
        )
    return curves[0]


def _horizon(horizon: int | None, schedule: str | None) -> int | None:
    from losslaw.schedules import parse_schedule

    if horizon is not None or schedule is None:
        return horizon
    return parse_schedule(schedule).horizon


def _lengths(text: str) -> list[float]:
    """Updates, as whole numbers, and shares of the steps so far, as numbers below 1.

    Raises:
        InputError: something else.
    """
    from losslaw.errors import InputError

    expected = "whole numbers of updates or shares of those so far, as in 2000,20%"
    lengths: list[float] = []
    for part in options.names(text) or [text]:
        percent = part.endswith("%")
        (number,) = options.numbers(part.removesuffix("%"), "--decay-over", expected)
        if percent:
            lengths.append(number / 100)
        elif number < 1:
            lengths.append(number)
        elif number.is_integer():
            lengths.append(int(number))
        else:
            raise InputError(f"--decay-over {part!r}: expected {expected}")
    return lengths
