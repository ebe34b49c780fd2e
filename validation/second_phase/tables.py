"""What second phases were expected to end at, and where they ended."""

import json
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from validation.page import markdown, sections
from validation.second_phase.train import PREDICTIONS, STARTS, measured, plan

KNOWLEDGE = ("alone", "with others", "AdamW said")
# Ends this close are not told apart: another seed moves one by as much.
ALIKE = 0.005
# Whether a way on is through a peak.
REHEATED = "to "


@cache
def predictions() -> Any:
    """What was written before training."""
    return json.loads(PREDICTIONS.read_text(encoding="utf-8"))


def ends(start: str) -> dict[str, float]:
    """Measured ends of a start, by way; that of the first phase is called stop."""
    found = {"stop": measured()[start]} if start in measured() else {}
    for way in predictions()[start]:
        label = f"{start} {way}"
        if label in measured():
            found[way] = measured()[label]
    return found


def losses() -> list[str]:
    """Final losses"""
    return _each("loss", "lower", "upper", lambda start, way: ends(start)[way])


def gains() -> list[str]:
    """Gains over stopping

    How much lower a second phase ends than the first, as the laws say it and as it was. Of the
    stable run *stop* is at its high rate.
    """
    return _each(
        "gain",
        "gain_lower",
        "gain_upper",
        lambda start, way: ends(start)["stop"] - ends(start)[way],
    )


def _each(value: str, lower: str, upper: str, of: Any) -> list[str]:
    body: list[list[str]] = []
    for start in STARTS:
        for way in ends(start):
            if way == "stop" and value == "gain":
                continue
            truth = of(start, way)
            row = [start, way, f"{truth:.4f}"]
            for knowledge in KNOWLEDGE:
                told = predictions()[start][way][knowledge]
                half = (told[upper] - told[lower]) / 2
                mark = "" if told[lower] <= truth <= told[upper] else " (outside)"
                row += [f"{told[value]:.4f} ± {half:.4f}", f"{told[value] - truth:+.4f}{mark}"]
            body.append(row)
    head = ["start", "way", "measured"]
    for knowledge in KNOWLEDGE:
        head += [knowledge, "off"]
    return markdown(head, body)


def summary() -> list[str]:
    """How well they were foretold

    Of second phases alone. *Right pairs*: of two ways of one start that ended further apart than
    .005, those whose order was foretold; in brackets the pairs of re-heated ways.
    """
    body: list[list[str]] = []
    for knowledge in KNOWLEDGE:
        offs, inside, gained, held = [], [], [], []
        for start in STARTS:
            truths = ends(start)
            for way in truths:
                if way == "stop":
                    continue
                told = predictions()[start][way][knowledge]
                gain = truths["stop"] - truths[way]
                offs.append(told["loss"] - truths[way])
                inside.append(told["lower"] <= truths[way] <= told["upper"])
                gained.append(told["gain"] - gain)
                held.append(told["gain_lower"] <= gain <= told["gain_upper"])
        pairs, heated = (_order(knowledge, only) for only in ("", REHEATED))
        body.append(
            [
                knowledge,
                f"{np.sqrt(np.mean(np.square(offs))):.4f}",
                f"{np.mean(offs):+.4f}",
                f"{sum(inside)} of {len(inside)}",
                f"{np.sqrt(np.mean(np.square(gained))):.4f}",
                f"{np.mean(gained):+.4f}",
                f"{sum(held)} of {len(held)}",
                f"{sum(pairs)} of {len(pairs)} ({sum(heated)} of {len(heated)})",
            ]
        )
    head = (
        "fitted to",
        "loss, RMS",
        "mean",
        "inside",
        "gain, RMS",
        "mean",
        "inside",
        "right pairs",
    )
    return markdown(head, body)


def _order(knowledge: str, only: str) -> Sequence[bool]:
    out: list[bool] = []
    for start in STARTS:
        truths = {w: loss for w, loss in ends(start).items() if w != "stop" and w.startswith(only)}
        for a, b in combinations(truths, 2):
            if abs(truths[a] - truths[b]) > ALIKE:
                told = [predictions()[start][way][knowledge]["loss"] for way in (a, b)]
                out.append((told[0] < told[1]) == (truths[a] < truths[b]))
    return out


def table() -> str:
    """Predictions beside measurements."""
    missing = [run.label for run in plan() if not run.done]
    first = f"Not trained: {', '.join(missing)}. `--train` makes them.\n\n" if missing else ""
    return first + sections((summary, losses, gains), "second_phase")
