"""What the arithmetic of the logged rates says, where the horizon is known.

A line to 0 at the horizon ``H`` is ``(H - s) / (H - W)`` of its peak after ``s`` updates, a cosine
without warm-up ``(1 + cos(pi s / H)) / 2``. Turned around, each logged rate says how many updates
the schedule had seen: those done, if a rate is that of the next update, and one fewer, if it is
that of the update done. Only one of the two gives whole numbers all along the run. The schedule may
fall behind by whole updates that were skipped, as they are where numbers overflow.

That a cosine fits says that there was no warm-up. So does a line that leads back to a round rate at
the beginning: with a warm-up it would lead to another one.
"""

from dataclasses import dataclass, replace

import numpy as np

from losslaw.logs.log import Log
from losslaw.numerics.arrays import FloatArray

# How far from a whole number an update may be, and how many may have been skipped, as a share.
WHOLE = 1e-3
SKIPPED = 0.01
# Rates that are needed to tell.
ENOUGH = 4
# Relative difference of a rate to a round one.
ROUND = 1e-6


@dataclass(frozen=True)
class _Reading:
    """A schedule that passes through all rates: shape, convention, beginning, updates skipped."""

    shape: str
    lr_is: str
    first: float
    skipped: int
    changes: int


def settled(log: Log) -> Log:
    """The log with what its rates say of their convention and of the warm-up, where they do."""
    if log.columns.lr is None or log.horizon is None or log.rate_is_relative:
        return log
    steps = log.table.numbers(log.columns.step)
    rates = log.table.numbers(log.columns.lr)
    there = np.isfinite(steps) & np.isfinite(rates) & (steps < log.horizon) & (rates > 0)
    steps, rates = steps[there], rates[there]
    if rates.size < ENOUGH:
        return log
    top = int(rates.argmax())
    top += top > 0  # the row at the top may lie in the warm-up
    steps, rates = steps[top:], rates[top:]
    if rates.size < ENOUGH or not (np.diff(steps) > 0).all() or not (np.diff(rates) < 0).all():
        return log
    readings = [
        reading
        for shape in ("line", "cosine")
        for lr_is in ("next", "used")
        if (reading := _reading(steps, rates, log.horizon, shape, lr_is)) is not None
    ]
    readings.sort(key=lambda reading: reading.changes)
    undecided = len(readings) > 1 and readings[0].changes == readings[1].changes
    if not readings or undecided:
        return log
    return _said(log, readings[0], falls_at_once=top == 0)


def _reading(
    steps: FloatArray, rates: FloatArray, horizon: int, shape: str, lr_is: str
) -> _Reading | None:
    """The schedule of this shape through all rates, if they are read so; else ``None``."""
    seen = steps - (lr_is == "used")
    start = seen[0] / horizon
    first = float(rates[0] / (1 - start if shape == "line" else (1 + np.cos(np.pi * start)) / 2))
    share = np.minimum(rates / first, 1.0)
    done = 1 - share if shape == "line" else np.arccos(2 * share - 1) / np.pi
    behind = seen - horizon * done
    whole = np.rint(behind)
    late = np.diff(whole)
    if np.abs(behind - whole).max() > WHOLE or (late < 0).any() or whole[-1] > SKIPPED * horizon:
        return None
    return _Reading(shape, lr_is, first, int(whole[-1]), int((late > 0).sum()))


def _said(log: Log, reading: _Reading, *, falls_at_once: bool) -> Log:
    """The log with the convention, and without a warm-up where that is sure."""
    which = "next update" if reading.lr_is == "next" else "update done"
    said = [
        f"a logged rate is that of the {which}: so all of them are a {reading.shape} to the"
        f" horizon {log.horizon}"
    ]
    if reading.skipped:
        said.append(f"{reading.skipped} updates did not move the schedule: they were skipped")
    facts = replace(log.facts, lr_is=reading.lr_is)
    is_round = abs(float(f"{reading.first:.2g}") - reading.first) < ROUND * reading.first
    if falls_at_once and log.facts.warmup is None and (reading.shape == "cosine" or is_round):
        facts = replace(facts, warmup=0)
        said.append(f"there was no warm-up: the {reading.shape} begins at {reading.first:.4g}")
    others = tuple(note for note in log.notes if not note.startswith("a logged rate is that of"))
    return replace(log, facts=facts, notes=(*others, *said))
