"""What comes of a log: the same numbers, fewer of them and a sentence, one line, or a fault."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from losslaw.curves import LossCurve, read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

# Whatever a log may ask for; where it asks for what the run did, that too.
KNOWN = {"steps_per_epoch": 50, "peak": 1e-3, "on_nan": "drop"}
DID = "constant:peak=1e-3,horizon=200000"
# Letters of a message, the name of the file not counted.
LONGEST = 1000

# Of which quantity, the step (updates), the value.
Points = frozenset[tuple[str, float, float]]


@dataclass(frozen=True)
class Reading:
    """What was read, or why not.

    Attributes:
        points: Losses and rates at their steps.
        said: Sentences of the curves.
        refused: The one line that says why nothing is read.
    """

    points: Points = frozenset()
    said: frozenset[str] = frozenset()
    refused: str = ""


def close(value: float) -> float:
    """A number as it is compared: to nine digits."""
    return float(f"{value:.9g}")


def curves_in(path: Path, **more) -> list[LossCurve]:
    """The curves of a log; a schedule is given where it asks for one."""
    try:
        return read_curves(path, **KNOWN, **more)
    except InputError as error:
        if "schedule=" not in str(error):
            raise
        return read_curves(path, **KNOWN, **more, schedule=DID)


def losses_of(curves: Iterable[LossCurve]) -> set[tuple[str, float, float]]:
    """Losses at their steps."""
    return {
        ("loss", step, close(loss))
        for curve in curves
        for step, loss in zip(curve.steps.tolist(), curve.loss.tolist(), strict=True)
    }


def rates_in(path: Path) -> set[tuple[str, float, float]]:
    """Rates at their steps, as they are in the log."""
    found: set[tuple[str, float, float]] = set()
    for log in read_logs(path):
        if log.columns.lr is not None:
            steps, rates = (log.table.numbers(name) for name in (log.columns.step, log.columns.lr))
            pairs = zip(steps.tolist(), rates.tolist(), strict=True)
            found |= {("rate", step, close(rate)) for step, rate in pairs if math.isfinite(rate)}
    return found


def read(path: Path) -> Reading:
    """What comes of a log.

    Raises:
        AssertionError: a message that is not one line, or is longer than a person reads.
        Exception: anything but an `InputError` is a fault of the reader.
    """
    try:
        curves = curves_in(path)
        points = losses_of(curves) | rates_in(path)
    except InputError as error:
        line = str(error).replace(str(path), path.name)
        checked(line)
        return Reading(refused=line)
    said = frozenset(text for curve in curves for text in (*curve.assumptions, *curve.warnings))
    for text in said:
        checked(text)
    return Reading(frozenset(points), said)


def checked(text: str) -> None:
    """Whether a message is one line that people read, without what steers a terminal."""
    assert text.isprintable(), f"a message that is no plain line: {text[:200]!r}"
    assert len(text) <= LONGEST, f"a message of {len(text)} letters: {text[:200]}"


def all_points(path: Path) -> Points:
    """All losses that a clean log has, whichever is fitted, and its rates."""
    try:
        names = {name for log in read_logs(path) for name in log.losses}
    except InputError:
        return frozenset()
    found: set[tuple[str, float, float]] = set()
    for name in (None, *names):
        try:
            found |= losses_of(curves_in(path, loss_column=name)) | rates_in(path)
        except InputError:
            continue
    return frozenset(found)
