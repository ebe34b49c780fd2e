"""What averages were expected to be worth, and what they are worth."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

import losslaw as ll
from losslaw.merging.average_loss import LAB_DRIFT, NO_DRIFT, Drift, distance
from losslaw.numerics.interval import Level
from validation.merging.train import (
    DECAYED,
    LAST,
    LATER,
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
    """The averages that were made of the first four runs."""
    return [case for case in cases(RUNS) if case.name in measured()]


def _told(case: Case, knowledge: str) -> dict[str, float] | None:
    return predictions()[case.name].get(knowledge)


def _off(
    case: Case, knowledge: str = "with decays", what: str = "loss", drift: float = 0.0
) -> float:
    """Predicted minus measured; the prediction with some drift."""
    told = _told(case, knowledge)
    assert told is not None
    cost = drift * distance(case.run.schedule, case.average) if drift else 0.0
    return told[what] + cost - measured()[case.name]


def _inside(case: Case, knowledge: str, drift: Drift = NO_DRIFT) -> bool:
    """Whether the measured loss is in the interval that `average_loss` gives with some drift."""
    told = _told(case, knowledge)
    assert told is not None
    cost = drift.amount * distance(case.run.schedule, case.average)
    more = Level(0.9).quantile * np.hypot(drift.error * cost, drift.least)
    off = measured()[case.name] - told["loss"] - cost
    wide = told["upper"] - told["loss"] if off > 0 else told["loss"] - told["lower"]
    return bool(abs(off) <= np.hypot(drift.known * wide, more))


def summary() -> list[str]:
    """How far off, in nats: root mean square, share within .01, share inside the 90 % interval

    *pairs*: what was written down before. *schedule*: the equivalent schedule alone. *with drift*:
    as `losslaw merge` answers now, with what distance costs as in the lab, which was chosen
    afterwards on these same averages. *dense*: a checkpoint every 100 updates; *sparse*: two to
    five in all.
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
            row = [knowledge, name, f"{len(chosen)}"]
            for what, drift in (("loss", NO_DRIFT), ("equivalent", NO_DRIFT), ("loss", LAB_DRIFT)):
                offs = np.array([_off(c, knowledge, what, drift.amount) for c in chosen])
                near = np.mean(np.abs(offs) <= 0.01)
                row.append(f"{np.sqrt(np.mean(offs**2)):.4f}, mean {offs.mean():+.4f}, {near:.0%}")
                if what == "loss":
                    inside = np.mean([_inside(case, knowledge, drift) for case in chosen])
                    row[-1] += f", {inside:.0%}"
            body.append(row)
    head = ("known", "averages", "number", "pairs", "schedule", "with drift")
    return markdown(head, body)


def drifting() -> list[str]:
    """With what distance costs, in nats

    Two guesses were written down (`predictions_drift.json`). *first*: after the run at 3e-3 was
    averaged, before the others were: `d (2 |sqrt S_i - sqrt S_j|)^.75` for a pair, S the sum of
    rates. *second*: before the last two were: the same with the power 1/2. What `losslaw merge` has
    now was chosen afterwards, on all of them: `d |X_i - X_j|^.5`, X the sum of lr[k]/sqrt(k).
    *others' d*: with the d of the runs of other labels; *one average made*: the others of a run and
    end, foretold with what one shows, as `losslaw merge --measured` does: the uniform average of
    all checkpoints of the second-longest span; the last number is the share inside its intervals.
    """
    written = json.loads(WITH_DRIFT.read_text(encoding="utf-8"))
    body: list[list[str]] = []
    for run in RUNS:
        for end, spans in run.ends.items():
            told = [case for case in made() if case.run is run and case.end == end]
            guesses = [
                [
                    losses[case.name]["with decays"] - measured()[case.name]
                    for case in told
                    if case.name in losses
                ]
                for losses in (written[guess]["losses"] for guess in ("first", "second"))
            ]
            wanted = (spans[-2], SAVED, "uniform")
            (one,) = (c for c in told if (c.span, c.every, c.weights) == wanted)
            others = amount([case for case in made() if case.run is not run])
            own = Drift.seen(-_off(one), run.schedule, one.average)
            errors = [
                [_off(case) for case in told],
                *guesses,
                [_off(case, drift=others) for case in told],
                [_off(case, drift=own.amount) for case in told if case is not one],
            ]
            cells = [_errors(each) for each in errors]
            rest = [_inside(c, "with decays", own) for c in told if c is not one]
            cells[-1] += f", {np.mean(rest):.0%}"
            body.append([f"{run.label} at {end:,}", f"{len(told)}", *cells, f"{own.amount:.2f}"])
    all_of_them = [_off(case, drift=LAB_DRIFT.amount) for case in made()]
    body.append(["all, one d", f"{len(made())}", "", "", "", _errors(all_of_them), "", "0.55"])
    ways = ("no drift", "first guess", "second guess", "others' d", "one average made")
    heads = (f"{way}: RMS, largest, within .01" for way in ways)
    return markdown(("run", "averages", *heads, "d"), body)


def amount(averages: Sequence[Case]) -> float:
    """The d that describes some averages best."""
    excess = np.array([-_off(case) for case in averages])
    apart = np.array([distance(case.run.schedule, case.average) for case in averages])
    return float(apart @ excess / (apart @ apart))


def _errors(errors: Sequence[float]) -> str:
    values = np.abs(np.array(errors))
    if not values.size:
        return ""
    rms = np.sqrt(np.mean(values**2))
    return f"{rms:.4f}, {values.max():.4f}, {np.mean(values <= 0.01):.0%}"


def last_run() -> list[str]:
    """The last run: as `losslaw merge` answers, written down before

    The form of the drift was chosen on the averages above; then 13 averages of a fifth run (peak
    4.5e-3, another seed) were foretold with it, from the other runs, and made
    (`predictions_last.json`).
    """
    written = json.loads(LAST.read_text(encoding="utf-8"))
    body: list[list[str]] = []
    offs: list[float] = []
    for case in cases((LATER,)):
        if case.name not in measured():
            continue
        told, loss = written[case.name]["with decays"], measured()[case.name]
        offs.append(told["loss"] - loss)
        body.append(
            [
                f"last {case.span:,}, every {case.every:,}",
                case.weights,
                f"{measured()[f'{LATER.label}@{case.end}']:.4f}",
                f"{loss:.4f}",
                f"{told['loss']:.4f} ({told['lower']:.3f}..{told['upper']:.3f})",
                f"{offs[-1]:+.4f}",
                "yes" if told["lower"] <= loss <= told["upper"] else "no",
                f"{told['equivalent'] - loss:+.4f}",
            ]
        )
    if not offs:
        return ["Not made yet."]
    head = ("checkpoints", "weights", "last one", "average", "predicted", "off", "inside")
    lines = markdown((*head, "schedule alone off"), body)
    return [*lines, "", f"Root mean square, largest, within .01: {_errors(offs)}."]


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
    missing = sum(case.name not in measured() for case in cases())
    first = (
        f"Not averaged: {missing} of {len(cases())}. `--train` makes them.\n\n" if missing else ""
    )
    return first + sections((summary, drifting, last_run, decays, each), "merging")
