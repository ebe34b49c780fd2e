"""One run in plain words and numbers, as ``losslaw inspect`` and reports have it."""

from collections.abc import Iterable
from typing import Any

from losslaw.curves.curve import LossCurve
from losslaw.schedules import parse_schedule, recognise
from losslaw.schedules.recognise import deviation_from


def description(curve: LossCurve) -> dict[str, Any]:
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
        "unit": curve.unit,
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


def _shape(curve: LossCurve) -> tuple[str, bool, float] | tuple[None, None, None]:
    """The text of the schedule, whether the log goes to its end, and how far off its rates are."""
    done, plan = curve.schedule, curve.origin and curve.origin.plan
    if plan is not None and plan.spec is not None:
        whole = parse_schedule(plan.spec)
        if whole.horizon >= done.horizon:
            complete = whole.horizon <= done.horizon + 1
            return plan.spec, complete, deviation_from(done, whole)
    shape = recognise(done)
    return (None, None, None) if shape is None else (shape.spec, shape.complete, shape.deviation)


def collapsed(sentences: Iterable[tuple[str, list[str]]]) -> list[str]:
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

    return [f"{sentence}{whose(these)}" for sentence, these in runs.items()]


def _one(values: Any) -> float | list[float] | None:
    """A value that never changes as one number, else the smallest and the largest."""
    if values is None:
        return None
    low, high = float(values.min()), float(values.max())
    return low if low == high else [low, high]
