"""Second phases of runs: which, what was expected of them beforehand, and how they are trained."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import losslaw as ll
from losslaw.continuing.second_phase import SecondPhase, decayed_later
from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.fitting import Fit
from losslaw.fitting.final_loss import FinalLoss, difference
from losslaw.lab import LabConfig
from losslaw.lab.training import complete
from losslaw.schedules import Schedule, parse_schedule
from validation.proof.train import CHECKPOINTS, WARMUP, clear_checkpoints, record, train_missing
from validation.proof_12000.train import seen

FOLDER = Path(__file__).parents[1] / "data" / "second_phase"
PREDICTIONS = FOLDER / "predictions.json"
MEASURED = FOLDER / "measured.json"
META = FOLDER / "meta.json"
CONFIG = LabConfig()
# Updates between losses: only the last is asked about.
EVERY = 500
DONE, MORE = 4000, 1500
PEAK, SHARES = 3e-3, (0.3, 1.0, 2.0)
LEVEL = 0.9

_AT = f"peak={PEAK:g},horizon={DONE},warmup={WARMUP}"
# First phases, and the shipped runs that have the same schedule.
STARTS = {
    "stable": (f"constant:{_AT}", "constant_peak3e-3_T4000"),
    "wsd": (f"wsd:{_AT},cooldown=0.2,final=0,decay=linear", "wsd-linear-0.2_peak3e-3_T4000"),
    "cosine": (f"cosine:{_AT},final=3e-4", "cosine_peak3e-3_T4000"),
}


@dataclass(frozen=True, eq=False)
class Run:
    """A first phase, or one with a second."""

    label: str
    schedule: Schedule
    config: LabConfig = CONFIG
    seed: int = 0

    @property
    def path(self) -> Path:
        """Where its few losses go while it is trained; only the last is kept."""
        return CHECKPOINTS / f"{self.label}.csv"

    @property
    def done(self) -> bool:
        """Whether its last loss is known."""
        return self.label in measured()


def first_phase(start: str) -> Schedule:
    """The updates that are done."""
    return parse_schedule(STARTS[start][0])


def second_phases(start: str) -> dict[str, Schedule]:
    """The ways on from a start, by name."""
    done, ahead = first_phase(start), SecondPhase(updates=MORE)
    ways = {f"to {share * PEAK:g}": ahead.to_peak(done, share * PEAK) for share in SHARES}
    if start == "stable":
        ways["decay"] = ahead.decayed(done)
    if start == "wsd":
        ways["later"] = decayed_later(done, MORE)
    return ways


def plan() -> list[Run]:
    """First phases, then second ones, each from a checkpoint of its first; the re-heated first."""
    runs = [Run(start, first_phase(start)) for start in STARTS]
    second = [
        (start, way, ahead) for start in STARTS for way, ahead in second_phases(start).items()
    ]
    second.sort(key=lambda each: not each[1].startswith("to "))
    return runs + [Run(f"{start} {way}", ahead) for start, way, ahead in second]


def log_of(start: str) -> LossCurve:
    """The log of the shipped run that has the schedule of a start."""
    (shipped,) = ll.bundled_curves([STARTS[start][1]])
    return shipped


@cache
def fits(start: str) -> dict[str, Fit]:
    """What was known before a second phase: its run's own log, or the other shipped runs too."""
    log = log_of(start)
    every = [log, *(curve for curve in seen() if curve.label != log.label)]
    said = [curve.with_(optimizer="adamw") for curve in every]
    return {"alone": ll.fit(log), "with others": ll.fit(every), "AdamW said": ll.fit(said)}


def write_predictions() -> None:
    """Write down what is expected of the second phases; never written again."""
    written: dict[str, Any] = {}
    for start in STARTS:
        done = complete(first_phase(start), CONFIG)
        ways = {"stop": done, **{n: complete(s, CONFIG) for n, s in second_phases(start).items()}}
        for knowledge, fit in fits(start).items():
            settled = fit.settled(ways[f"to {PEAK:g}"])
            first = FinalLoss.of(settled, done)
            for way, schedule in ways.items():
                end = FinalLoss.of(settled, schedule)
                gain, interval = difference(first, end, LEVEL), end.interval(LEVEL)
                assert gain.interval is not None
                assert interval is not None
                assert end.trust is not None
                written.setdefault(start, {}).setdefault(way, {})[knowledge] = {
                    "loss": round(end.loss, 5),
                    "lower": round(interval.lower, 5),
                    "upper": round(interval.upper, 5),
                    "gain": round(gain.loss, 5),
                    "gain_lower": round(gain.interval.lower, 5),
                    "gain_upper": round(gain.interval.upper, 5),
                    "trust": end.trust.status,
                }
    write_text(PREDICTIONS, json.dumps(written, indent=1) + "\n")


def measured() -> dict[str, float]:
    """Final losses, by the label of the run."""
    if not MEASURED.exists():
        return {}
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def make_runs() -> None:
    """Train what is missing; the second phases only where something has been predicted.

    Raises:
        MissingExtra: torch is not installed.
        InputError: a checkpoint is of another text or model.
        TrainingInterrupted: on Ctrl-C; the same call goes on from there.
    """
    FOLDER.mkdir(exist_ok=True)
    record(META, CONFIG, EVERY)
    runs = plan()
    firsts = len(STARTS)
    _train(runs[:firsts], ())
    if not PREDICTIONS.exists():
        raise InputError(f"{PREDICTIONS} is not there: predictions are written before training")
    for i in range(firsts, len(runs)):
        _train(runs[i : i + 1], runs[:firsts])
    for run in runs:
        run.path.unlink(missing_ok=True)
    clear_checkpoints()


def _train(runs: Sequence[Any], before: Sequence[Any]) -> None:
    train_missing(runs, EVERY, before)
    ends = measured()
    for run in runs:
        if run.label not in ends:
            step, _, loss = np.loadtxt(run.path, delimiter=",", skiprows=1, ndmin=2).T[:3]
            assert int(step[-1]) == run.schedule.horizon
            ends[run.label] = round(float(loss[-1]), 6)
            write_text(MEASURED, json.dumps(ends, indent=1) + "\n")
