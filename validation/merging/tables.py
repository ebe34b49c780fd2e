"""What averages were expected to be worth, and what they are worth."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

import losslaw as ll
from losslaw.merging.average_loss import Drift, distance
from validation.merging.train import (
    DECAYED,
    MEASURED,
    PREDICTIONS,
    RUNS,
    SAVED,
    WITH_DRIFT,
    Case,
    cases,
)
from validation.page import markdown, sections

KNOWLEDGE = ("with decays", "alone")
# Averages of runs that also decayed over the same updates, or (1.5e-3) over as many more.
BESIDE = {
    ("constant_3e-3", 4000, 800): "wsd-linear-0.2_peak3e-3_T4000",
    ("constant_3e-3", 4000, 1600): "wsd-linear-0.4_peak3e-3_T4000",
    ("constant_3e-3", 12_000, 2400): "wsd-linear-0.2_peak3e-3_T12000",
    ("constant_6e-3", 4000, 800): "wsd-linear-0.2_peak6e-3_T4000",
    ("constant_3e-3_seed1", 4000, 800): DECAYED,
    ("stable_1.5e-3", 3200, 800): "wsd-linear-0.2_peak1.5e-3_T4000",
}


@cache
def predictions() -> Any:
    """What was written before the runs."""
    return json.loads(PREDICTIONS.read_text(encoding="utf-8"))


@cache
def measured() -> dict[str, float]:
    """What the averages are worth, as far as they were made."""
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}


def made() -> list[Case]:
    """The averages that were made."""
    return [case for case in cases() if case.name in measured()]


def _told(case: Case, knowledge: str) -> dict[str, float] | None:
    return predictions()[case.name].get(knowledge)


def _off(case: Case, knowledge: str, what: str = "loss") -> float | None:
    told = _told(case, knowledge)
    return None if told is None else told[what] - measured()[case.name]


def _inside(case: Case, knowledge: str) -> bool:
    told = _told(case, knowledge)
    assert told is not None
    return told["lower"] <= measured()[case.name] <= told["upper"]


def summary() -> list[str]:
    """How far off, in nats

    *dense*: a checkpoint every 100 updates; *sparse*: two to five in all. *raw* is the prediction
    of the last checkpoint by itself, a single evaluation of a model at a constant rate.
    """
    groups = {
        "all": lambda case: True,
        "dense": lambda case: case.every == SAVED and case.span > SAVED,
        "sparse": lambda case: case.every > SAVED or case.span == SAVED,
        "uniform": lambda case: case.weights == "uniform",
        "weights of a decay": lambda case: case.weights in ("linear", "1-sqrt"),
        "ema:0.8": lambda case: case.weights == "ema:0.8",
    }
    body: list[list[str]] = []
    for knowledge in KNOWLEDGE:
        for name, belongs in groups.items():
            chosen = [c for c in made() if belongs(c) and _told(c, knowledge) is not None]
            if not chosen:
                continue
            offs = np.array([_off(case, knowledge) for case in chosen], dtype=np.float64)
            other = np.array([_off(c, knowledge, "equivalent") for c in chosen], dtype=np.float64)
            inside = np.mean([_inside(case, knowledge) for case in chosen])
            cells = [
                f"{len(chosen)}",
                f"{np.sqrt(np.mean(offs**2)):.4f}",
                f"{offs.mean():+.4f}",
                f"{np.abs(offs).max():.4f}",
                f"{np.mean(np.abs(offs) <= 0.01):.0%}",
                f"{inside:.0%}",
                f"{np.sqrt(np.mean(other**2)):.4f}",
                f"{other.mean():+.4f}",
            ]
            body.append([knowledge, name, *cells])
    head = ("known", "averages", "number", "RMS", "mean", "largest", "within .01", "inside 90 %")
    return markdown((*head, "equivalent schedule: RMS", "mean"), body)


def drifting() -> list[str]:
    """With what distance costs, in nats

    *drift of the first run*: the runs at other peaks and of another seed were foretold a second
    time, with the term for distance that the averages of the first run (3e-3) had shown, before
    they were averaged (`predictions_drift.json`). *one average made*: every other one of the same
    run and end, foretold with what one of them shows, as `losslaw merge --measured` does: the
    uniform average of all checkpoints of the second-longest span.
    """
    written = json.loads(WITH_DRIFT.read_text(encoding="utf-8"))["losses"]
    body: list[list[str]] = []
    for run in RUNS:
        for end, spans in run.ends.items():
            told = [c for c in made() if c.run is run and c.end == end]
            if not told:
                continue
            offs = [_off(case, "with decays") for case in told]
            before = [
                written[case.name]["with decays"] - measured()[case.name]
                for case in told
                if case.name in written
            ]
            (one,) = (
                c for c in told if (c.span, c.every, c.weights) == (spans[-2], SAVED, "uniform")
            )
            after = [
                with_seen(case, one) - measured()[case.name] for case in told if case is not one
            ]
            body.append(
                [
                    f"{run.label} at {end:,}",
                    f"{len(told)}",
                    *(_errors(errors) for errors in (offs, before, after)),
                ]
            )
    ways = ("no drift", "drift of the first run", "one average made")
    return markdown(
        ("run", "averages", *(f"{way}: RMS, largest, within .01" for way in ways)), body
    )


def with_seen(case: Case, one: Case) -> float:
    """The loss foretold of an average of a run, once another of its averages was made."""
    told, other = _told(case, "with decays"), _told(one, "with decays")
    assert told is not None
    assert other is not None
    run = case.run.schedule
    drift = Drift.seen(measured()[one.name] - other["loss"], run, one.average)
    return told["loss"] + drift.amount * distance(run, case.average)


def _errors(errors: Sequence[float | None]) -> str:
    values = np.abs(np.array(errors, dtype=np.float64))
    if not values.size:
        return ""
    rms = np.sqrt(np.mean(values**2))
    return f"{rms:.4f}, {values.max():.4f}, {np.mean(values <= 0.01):.0%}"


def decays() -> list[str]:
    """Against decays

    Over the same updates, linear to 0, from the first checkpoint of the average; at the peak 1.5e-3
    over as many more, after the last. *average minus decay*: negative where averaging wins.
    """
    body: list[list[str]] = []
    for (run, end, span), name in BESIDE.items():
        if name == DECAYED:
            decay = measured().get(DECAYED, np.nan)
        else:
            (curve,) = ll.bundled_curves([name])
            decay = float(curve.loss[-1])
        for case in made():
            key = (case.run.label, case.end, case.span)
            if key != (run, end, span) or case.every != SAVED:
                continue
            loss = measured()[case.name]
            body.append(
                [
                    f"{run} at {end:,}",
                    f"{span:,}",
                    case.weights,
                    f"{measured()[f'{run}@{end}']:.4f}",
                    f"{loss:.4f}",
                    f"{decay:.4f}",
                    f"{loss - decay:+.4f}",
                ]
            )
    head = ("run", "over", "weights", "last checkpoint", "average", "decay", "average minus decay")
    return markdown(head, body)


def each() -> list[str]:
    """Every average

    Predicted (90 % interval), and predicted minus measured.
    """
    body: list[list[str]] = []
    for case in made():
        row = [
            f"{case.run.label} at {case.end:,}",
            f"last {case.span:,}, every {case.every:,}",
            case.weights,
            f"{measured()[f'{case.run.label}@{case.end}']:.4f}",
            f"{measured()[case.name]:.4f}",
        ]
        for knowledge in KNOWLEDGE:
            told = _told(case, knowledge)
            if told is None:
                row += ["", "", ""]
                continue
            outside = "" if _inside(case, knowledge) else " (outside)"
            row += [
                f"{told['loss']:.4f} ({told['lower']:.3f}..{told['upper']:.3f})",
                f"{_off(case, knowledge):+.4f}{outside}",
                f"{_off(case, knowledge, 'equivalent'):+.4f}",
            ]
        body.append(row)
    head = ["run", "checkpoints", "weights", "last one", "average"]
    for knowledge in KNOWLEDGE:
        head += [knowledge, "off", "schedule alone off"]
    return markdown(head, body)


def table() -> str:
    """Predictions beside measurements."""
    missing = len(cases()) - len(made())
    first = (
        f"Not averaged: {missing} of {len(cases())}. `--train` makes them.\n\n" if missing else ""
    )
    return first + sections((summary, drifting, decays, each), "merging")
