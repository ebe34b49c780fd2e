"""Runs whose weights are saved, what their averages were expected to be, and what they were."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.fitting import Fit
from losslaw.lab import LabConfig, merged_loss, standard_library
from losslaw.lab.training import complete, kept_checkpoint
from losslaw.merging.average_loss import Drift, average_loss
from losslaw.schedules import Schedule, parse_schedule
from losslaw.schedules.averages import WeightedCheckpoints
from validation.proof.train import CHECKPOINTS, WARMUP, clear_checkpoints, record, train_missing
from validation.proof_12000.train import seen

FOLDER = Path(__file__).parents[1] / "data" / "merging"
PREDICTIONS = FOLDER / "predictions.json"
# Of the run that came last, with the drift that `losslaw merge` has.
LAST = FOLDER / "predictions_last.json"
# Of the runs that were averaged later, with the drift of the first one.
WITH_DRIFT = FOLDER / "predictions_drift.json"
MEASURED = FOLDER / "measured.json"
META = FOLDER / "meta.json"
CONFIG = LabConfig()
# Updates between losses, which are not what is asked here, and between checkpoints.
EVERY, SAVED = 500, 100


@dataclass(frozen=True, eq=False)
class Run:
    """A run at a constant rate, and the run whose log it repeats.

    Attributes:
        label: Its name.
        spec: What it does.
        ends: Steps at which averages end, each with how far back they reach.
        log: The shipped run that begins like it; empty: none does.
        seed: Of weights and data order.
    """

    label: str
    spec: str
    ends: dict[int, tuple[int, ...]]
    log: str = ""
    seed: int = 0

    @property
    def schedule(self) -> Schedule:
        """What it does."""
        return parse_schedule(self.spec)

    @property
    def config(self) -> LabConfig:
        """Its model."""
        return CONFIG

    @property
    def path(self) -> Path:
        """Where its few losses go; not kept, the shipped runs have more of them."""
        return CHECKPOINTS / f"{self.label}.csv"

    @property
    def done(self) -> bool:
        """Whether all its checkpoints are there."""
        return self.path.exists() and _checkpoint(self, self.schedule.horizon).exists()


def _constant(peak: str, horizon: int) -> str:
    return f"constant:peak={peak},horizon={horizon},warmup={WARMUP}"


DECAYED = "wsd-linear-0.2_peak3e-3_seed1"
RUNS = (
    Run(
        "constant_3e-3",
        _constant("3e-3", 12_000),
        {4000: (100, 400, 800, 1600, 2400), 12_000: (800, 2400, 4800)},
        "constant_peak3e-3_T12000",
    ),
    Run(
        "constant_6e-3",
        _constant("6e-3", 4000),
        {4000: (400, 800, 1600, 2400)},
        "constant_peak6e-3_T4000",
    ),
    Run(
        "stable_1.5e-3",
        _constant("1.5e-3", 3200),
        {3200: (400, 800, 1600)},
        "wsd-linear-0.2_peak1.5e-3_T4000",
    ),
    Run("constant_3e-3_seed1", _constant("3e-3", 4000), {4000: (400, 800, 1600, 2400)}, seed=1),
)
# Foretold when all of these had been averaged and the form of the drift was chosen.
LATER = Run(
    "constant_4.5e-3_seed2",
    _constant("4.5e-3", 3000),
    {3000: (400, 800, 1600)},
    seed=2,
)
# What else the second seed needs: a decay over the same updates.
SEED1_WSD = Run(
    DECAYED, f"wsd:peak=3e-3,horizon=4000,warmup={WARMUP},cooldown=0.2,final=0,decay=linear", {},
    seed=1,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One average of one run."""

    run: Run
    end: int
    span: int
    every: int
    weights: str

    @property
    def name(self) -> str:
        """Its key in the files."""
        return f"{self.run.label}@{self.end}-{self.span}/{self.every} {self.weights}"

    @property
    def average(self) -> WeightedCheckpoints:
        """The checkpoints, weighed."""
        return WeightedCheckpoints(
            range(self.end - self.span, self.end + 1, self.every), self.weights
        )


def cases(runs: Sequence[Run] = (*RUNS, LATER)) -> list[Case]:
    """All averages, run by run."""
    out: list[Case] = []
    for run in runs:
        for end, spans in run.ends.items():
            for span in spans:
                words = ["uniform"] if span == SAVED else ["uniform", "linear", "1-sqrt", "ema:0.8"]
                out += [Case(run, end, span, SAVED, weights) for weights in words]
            wide = spans[-1]
            out.append(Case(run, end, wide, wide // 4, "uniform"))
    return out


def log_of(run: Run, end: int) -> LossCurve | None:
    """The log of a run up to a step, as it ships with the package."""
    if not run.log:
        return None
    (shipped,) = ll.bundled_curves([run.log])
    return shipped.until(end).with_(label=run.label)


@cache
def fits(run: Run, end: int) -> dict[str, Fit]:
    """What was known of a run at a step: from its own log, and with the shipped ones."""
    log = log_of(run, end)
    if log is None:
        return {"with decays": ll.fit(seen()).for_new_data()}
    # All but the run itself, and shorter ones that are the same.
    lr = run.schedule.lr
    others = [
        curve
        for curve in seen()
        if curve.label != run.log
        and not np.array_equal(curve.schedule.lr, lr[: curve.schedule.horizon])
    ]
    return {"alone": ll.fit(log), "with decays": ll.fit([log, *others])}


def write_predictions(path: Path, runs: Sequence[Run], drift: Drift) -> None:
    """Write down what is expected of the averages of some runs; never written again."""
    written: dict[str, Any] = {}
    for case in cases(runs):
        run = complete(case.run.schedule, CONFIG)
        expected: dict[str, Any] = {}
        for knowledge, fit in fits(case.run, case.end).items():
            told = average_loss(fit, run, case.average, 0.9, drift)
            raw = fit.predict(run, [case.end]).final
            assert told.interval is not None
            expected[knowledge] = {
                "loss": round(told.loss, 5),
                "lower": round(told.interval.lower, 5),
                "upper": round(told.interval.upper, 5),
                "equivalent": round(told.loss - told.drift - told.correction, 5),
                "drift": round(told.drift, 5),
                "raw": round(raw, 5),
            }
        written[case.name] = expected
    write_text(path, json.dumps(written, indent=1) + "\n")


def make_runs() -> None:
    """Train what is missing, average, and write down what the averages are worth.

    Raises:
        MissingExtra: torch is not installed.
        InputError: nothing has been predicted, or a checkpoint is of another text or model.
        TrainingInterrupted: on Ctrl-C; the same call goes on from there.
    """
    for path in (PREDICTIONS, LAST):
        if not path.exists():
            raise InputError(f"{path} is not there: predictions are written before training")
    record(META, CONFIG, EVERY)
    text = standard_library()
    measured: dict[str, float] = {}
    if MEASURED.exists():
        measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    missing = [case for case in cases() if case.name not in measured]
    runs: Sequence[Any] = [
        run for run in (*RUNS, LATER) if any(case.run == run for case in missing)
    ]
    if DECAYED not in measured:
        runs = [*runs, SEED1_WSD]
    train_missing(runs, EVERY)
    for case in missing:
        paths = [_checkpoint(case.run, step) for step in case.average.checkpoints.tolist()]
        measured[case.name] = round(merged_loss(paths, case.weights, text=text), 6)
        last = f"{case.run.label}@{case.end}"
        if last not in measured:
            measured[last] = round(merged_loss(paths[-1:], text=text), 6)
        write_text(MEASURED, json.dumps(measured, indent=1) + "\n")
    if DECAYED not in measured:
        measured[DECAYED] = round(merged_loss([_checkpoint(SEED1_WSD, 4000)], text=text), 6)
        write_text(MEASURED, json.dumps(measured, indent=1) + "\n")
    for run in runs:
        run.path.unlink(missing_ok=True)
    clear_checkpoints()


def _checkpoint(run: Run, step: int) -> Path:
    path = CHECKPOINTS / f"{run.label}.pt"
    return path if step == run.schedule.horizon else kept_checkpoint(path, step)
