"""What second phases were expected to end at, and where they ended."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

import losslaw as ll
from losslaw.continuing.ways import reheat_error
from losslaw.fitting.final_loss import FinalLoss
from validation.lab_physics.measure import runs as lab_runs
from validation.page import markdown, sections
from validation.second_phase.train import (
    LEVEL,
    PREDICTIONS,
    STARTS,
    first_phase,
    log_of,
    measured,
    plan,
)

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


@dataclass(frozen=True, kw_only=True)
class Told:
    """A number as it was told, and as it was."""

    told: float
    lower: float
    upper: float
    truth: float

    @property
    def off(self) -> float:
        """Told minus true."""
        return self.told - self.truth

    @property
    def inside(self) -> bool:
        """Whether the interval holds the truth."""
        return self.lower <= self.truth <= self.upper

    def wider(self, *errors: float) -> "Told":
        """The same with an interval that has further half-widths in it."""
        below, above = (
            math.hypot(side, *errors) for side in (self.told - self.lower, self.upper - self.told)
        )
        return replace(self, lower=self.told - below, upper=self.told + above)

    @property
    def cells(self) -> list[str]:
        """As a table shows it."""
        mark = "" if self.inside else " (outside)"
        half = (self.upper - self.lower) / 2
        return [f"{self.told:.4f} ± {half:.4f}", f"{self.off:+.4f}{mark}"]


Teller = Callable[[str, str, str], Told]


def end(start: str, way: str, knowledge: str) -> Told:
    """A final loss, as it was written down."""
    told = predictions()[start][way][knowledge]
    truth = ends(start)[way]
    return Told(told=told["loss"], lower=told["lower"], upper=told["upper"], truth=truth)


def gain(start: str, way: str, knowledge: str) -> Told:
    """A gain over stopping, as it was written down: the laws' own loss of the run that stops."""
    told = predictions()[start][way][knowledge]
    truth = ends(start)["stop"] - ends(start)[way]
    return Told(told=told["gain"], lower=told["gain_lower"], upper=told["gain_upper"], truth=truth)


def end_now(start: str, way: str, knowledge: str) -> Told:
    """A final loss, its interval wider by what another peak costs."""
    return end(start, way, knowledge).wider(another(start, way))


def gain_now(start: str, way: str, knowledge: str) -> Told:
    """A gain over stopping, from the loss in the log, whose miss counts as error."""
    found = gain(start, way, knowledge)
    missed = log_of(start).final_loss - predictions()[start]["stop"][knowledge]["loss"]
    moved = replace(
        found, told=found.told + missed, lower=found.lower + missed, upper=found.upper + missed
    )
    return moved.wider(missed, another(start, way))


def another(start: str, way: str) -> float:
    """Half-width of what a rate that rises again, and another peak than the first, cost."""
    if not way.startswith(REHEATED):
        return 0.0
    peak, done = float(way.removeprefix(REHEATED)), first_phase(start)
    distance, rises = math.log(peak / done.peak_lr), peak > done.final_lr
    return reheat_error(distance, log_of(start).final_loss, LEVEL, rises=rises)


def losses() -> list[str]:
    """Final losses, as they were written down"""
    return _each(end)


def gains() -> list[str]:
    """Gains over stopping, as they were written down

    How much lower a second phase ends than the first, as the laws say it and as it was. Of the
    stable run *stop* is at its high rate.
    """
    return _each(gain)


def higher_rises() -> list[str]:
    """Rates that rise to 4 and 8 times their first

    Runs of the lab's family `rises` (lab_law): 2,000 updates, 1.5e-3 but for 300 updates at 6e-3
    (*high*) and 1.2e-2 (*higher*), back at 1.5e-3 for 500 and down to 0 over the last 300. `auto`
    is fitted to the constant runs and those with a decay at 3e-3 and 6e-3, and to the run that
    stays at 1.5e-3 (*flat*), with AdamW said. These runs were there before anything was asked.
    """
    known = lab_runs()
    flat = known["rises/flat"].curve
    names = [
        f"decay_0.1/{shape}_{peak}" for shape in ("constant", "wsd") for peak in ("3e-3", "6e-3")
    ]
    curves = [*(known[name].curve for name in names), flat]
    fit = ll.fit([curve.with_(optimizer="adamw") for curve in curves]).settled(flat.schedule)
    body: list[list[str]] = []
    for name in ("flat", "high", "higher"):
        curve = known[f"rises/{name}"].curve
        told, truth = FinalLoss.of(fit, curve.schedule), float(curve.loss[-1])
        interval = told.interval(LEVEL)
        assert interval is not None
        found = Told(told=told.loss, lower=interval.lower, upper=interval.upper, truth=truth)
        body.append([name, f"{truth:.4f}", *found.cells])
    return markdown(("run", "measured", "foretold", "off"), body)


def gains_afterwards() -> list[str]:
    """Gains over stopping, as they are said now

    From the same laws: the loss in the log less the predicted end.
    """
    return _each(gain_now)


def _each(of: Teller) -> list[str]:
    body: list[list[str]] = []
    for start, way in _cases(stop=of is end):
        row = [start, way, f"{of(start, way, KNOWLEDGE[0]).truth:.4f}"]
        for knowledge in KNOWLEDGE:
            row += of(start, way, knowledge).cells
        body.append(row)
    head = ["start", "way", "measured"]
    for knowledge in KNOWLEDGE:
        head += [knowledge, "off"]
    return markdown(head, body)


def _cases(*, stop: bool = False) -> list[tuple[str, str]]:
    return [(start, way) for start in STARTS for way in ends(start) if stop or way != "stop"]


def summary() -> list[str]:
    """How well they were foretold

    Of second phases alone: root mean square and mean errors, and how many are inside their
    intervals. *Right pairs*: of two ways of one start that ended further apart than .005, those
    whose order was foretold; in brackets the pairs of ways through a peak. *Now*: intervals of ends
    are wider where the rate rises again or the peak is another, and the loss of a run that stops is
    that of its log, as `losslaw.continuing.ways` has it. Both were set on these runs, after they
    were trained.
    """
    body: list[list[str]] = []
    for title, tellers in (("written down", (end, gain)), ("now", (end_now, gain_now))):
        for knowledge in KNOWLEDGE:
            row = [f"{knowledge}, {title}"]
            for teller in tellers:
                told = [teller(start, way, knowledge) for start, way in _cases()]
                offs = np.array([each.off for each in told])
                row += [
                    f"{np.sqrt(np.mean(offs**2)):.4f}",
                    f"{offs.mean():+.4f}",
                    f"{sum(each.inside for each in told)} of {len(told)}",
                ]
            pairs, heated = (_order(knowledge, only) for only in ("", REHEATED))
            row.append(f"{sum(pairs)} of {len(pairs)} ({sum(heated)} of {len(heated)})")
            body.append(row)
    head = ("fitted to", "end, RMS", "mean", "inside", "gain, RMS", "mean", "inside", "right pairs")
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
    return first + sections(
        (summary, losses, gains, gains_afterwards, higher_rises), "second_phase"
    )
