"""``losslaw inspect``: what is in these logs, and what was assumed to read them."""

from typing import TYPE_CHECKING, Any

import typer

from losslaw.cli import options
from losslaw.cli.output import print_json, save_json, show

if TYPE_CHECKING:
    from losslaw.curves import LossCurve

HEADER = ("run", "points", "steps", "updates", "peak lr", "batch", "weight decay")


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "inspect", inspect_command)


@options.with_curves
def inspect_command(
    curves: "list[LossCurve]",
    json: options.Json = False,
    output: options.JsonFile = None,
) -> None:
    """Say what is in these logs: runs, schedules, assumptions, warnings.

    \b
    Examples:
      losslaw inspect runs/
      losslaw inspect run.csv --loss-column loss --warmup 100
    """
    from losslaw.curves.described import description

    described = [description(curve) for curve in curves]
    save_json(output, {"curves": described})
    if json:
        print_json({"curves": described})
    else:
        show(report(described))


def report(described: list[dict[str, Any]]) -> str:
    """The table for people, and below it each sentence once with the runs it is about."""
    from losslaw.curves.described import collapsed
    from losslaw.text import table

    rows = [
        [
            run["label"],
            str(run["points"]),
            f"{run['first_step']}..{run['last_step']}",
            str(run["horizon"]),
            f"{run['peak_lr']:.4g}",
            _cell(run["batch"]),
            _cell(run["weight_decay"]),
        ]
        for run in described
    ]
    parts = ["\n".join(table(HEADER, rows, rule=True))]
    for title, sentences in (
        ("logs", [(run["label"], _log(run)) for run in described]),
        ("schedules", [(run["label"], [_schedule(run)]) for run in described]),
        ("warnings", [(run["label"], run["warnings"]) for run in described]),
        ("assumptions", [(run["label"], run["assumptions"]) for run in described]),
    ):
        lines = [f"  * {each}" for each in collapsed(sentences)]
        if lines:
            parts.append("\n".join([title.capitalize(), *lines]))
    return "\n\n".join(parts)


def _log(run: dict[str, Any]) -> list[str]:
    """What kind of log it is, how long the run will be, and in what losses are, if that is said."""
    planned = run["planned"]
    goes_on = planned is not None and planned > run["last_step"]
    from losslaw.curves.curve import ASSUMED

    told = [run["format"]] if run["format"] and not run["format"].startswith("table") else []
    if run["unit"] != ASSUMED:
        told.append(f"its losses are {run['unit']}")
    return told + ([f"{planned} updates are planned"] if goes_on else [])


def _schedule(run: dict[str, Any]) -> str:
    if run["schedule"] is None:
        return "not recognised"
    return run["schedule"] if run["complete"] else f"beginning of {run['schedule']}"


def _cell(value: float | list[float] | None) -> str:
    if value is None:
        return "unknown"
    return "..".join(f"{each:g}" for each in (value if isinstance(value, list) else [value]))
