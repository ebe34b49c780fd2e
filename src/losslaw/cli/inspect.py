"""``losslaw inspect``: what is in these logs, and what was assumed to read them."""

from collections.abc import Iterable
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
    described = [description(curve) for curve in curves]
    save_json(output, {"curves": described})
    if json:
        print_json({"curves": described})
    else:
        show(report(described))


def description(curve: "LossCurve") -> dict[str, Any]:
    """One run as JSON has it; ``None`` where something is not known."""
    schedule, origin = curve.schedule, curve.origin
    spec, complete, deviation = _shape(curve)
    return {
        "label": curve.label,
        "format": origin and origin.format,
        "points": len(curve),
        "first_step": int(curve.steps[0]),
        "last_step": int(curve.steps[-1]),
        "first_loss": float(curve.loss[0]),
        "last_loss": float(curve.loss[-1]),
        "horizon": schedule.horizon,
        "planned": curve.planned,
        "loss_is": curve.loss_is,
        "window": curve.usual_window,
        "lr_is": origin and origin.lr_is,
        "losses": list(origin.losses) if origin else [],
        "skipped": [{"rows": rows, "why": why} for why, rows in origin.skipped] if origin else [],
        "peak_lr": schedule.peak_lr,
        "final_lr": schedule.final_lr,
        "schedule": spec,
        "complete": complete,
        "deviation": deviation,
        "warmup": schedule.warmup,
        "weight_decay": _one(schedule.weight_decay),
        "batch": _one(schedule.batch),
        "model_size": curve.model_size,
        "optimizer": curve.optimizer,
        "final_loss": curve.final_loss,
        "assumptions": list(curve.assumptions),
        "warnings": list(curve.warnings),
    }


def _shape(curve: "LossCurve") -> tuple[str, bool, float] | tuple[None, None, None]:
    """The text of the schedule, whether the log goes to its end, and how far off its rates are."""
    from losslaw.schedules import parse_schedule, recognise
    from losslaw.schedules.recognise import deviation_from

    done, plan = curve.schedule, curve.origin and curve.origin.plan
    if plan is not None and plan.spec is not None:
        whole = parse_schedule(plan.spec)
        if whole.horizon >= done.horizon:
            complete = whole.horizon <= done.horizon + 1
            return plan.spec, complete, deviation_from(done, whole)
    shape = recognise(done)
    return (None, None, None) if shape is None else (shape.spec, shape.complete, shape.deviation)


def report(described: list[dict[str, Any]]) -> str:
    """The table for people, and below it each sentence once with the runs it is about."""
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
        lines = _collapsed(sentences)
        if lines:
            parts.append("\n".join([title.capitalize(), *lines]))
    return "\n\n".join(parts)


def _collapsed(sentences: Iterable[tuple[str, list[str]]]) -> list[str]:
    """Each sentence once, with the runs that share it."""
    runs: dict[str, list[str]] = {}
    labels: list[str] = []
    for label, said in sentences:
        labels.append(label)
        for sentence in said:
            runs.setdefault(sentence, []).append(label)

    def whose(these: list[str]) -> str:
        if len(these) == len(labels):
            return "" if len(labels) == 1 else f" (all {len(labels)} runs)"
        if len(these) <= 3:
            return f" ({', '.join(these)})"
        return f" ({these[0]}, {these[1]} and {len(these) - 2} more)"

    return [f"  * {sentence}{whose(these)}" for sentence, these in runs.items()]


def _log(run: dict[str, Any]) -> list[str]:
    """What kind of log it is, and how long the run will be; nothing of plain tables."""
    planned = run["planned"]
    goes_on = planned is not None and planned > run["last_step"]
    told = [run["format"]] if run["format"] and not run["format"].startswith("table") else []
    return told + ([f"{planned} updates are planned"] if goes_on else [])


def _schedule(run: dict[str, Any]) -> str:
    if run["schedule"] is None:
        return "not recognised"
    return run["schedule"] if run["complete"] else f"beginning of {run['schedule']}"


def _one(values: Any) -> float | list[float] | None:
    """A value that never changes as one number, else the smallest and the largest."""
    if values is None:
        return None
    low, high = float(values.min()), float(values.max())
    return low if low == high else [low, high]


def _cell(value: float | list[float] | None) -> str:
    if value is None:
        return "unknown"
    return "..".join(f"{each:g}" for each in (value if isinstance(value, list) else [value]))
