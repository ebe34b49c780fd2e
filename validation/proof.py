"""Do designed schedules win in real training? Predicted from cheap runs, then trained.

One byte model (`LabConfig`, AdamW, decay .1, warm-up 100).
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.design.gains import Gains
from losslaw.files import write_text
from losslaw.lab import LabConfig, standard_library, train
from losslaw.lab.training import complete, kept_checkpoint, require_torch
from losslaw.schedules import Schedule, parse_schedule

FOLDER = Path(__file__).parent / "results" / "proof"
CHECKPOINTS = FOLDER / ".checkpoints"
PREDICTIONS = FOLDER / "predictions.json"
FIGURE = FOLDER.parent.parent.parent / "docs" / "images" / "proof.png"

CONFIG = LabConfig(validation_windows=320)
EVERY = 25
BRANCH = 100  # updates between checkpoints that a later run may continue from
WARMUP = 100
SHORT, LONG = 1000, 3000
LAST = [LONG - 2 * EVERY, LONG - EVERY, LONG]
SEEDS = (0, 1, 2)
PEAK, PEAKS = 3e-3, (1.5e-3, 8e-3)

DESIGNS = ("design", "design_free_peak")
USUAL = {
    "wsd": "wsd:{at},cooldown=0.2,final=0,decay=linear",
    "cosine": "cosine:{at},final=3e-4",
    "linear": "linear:{at},final=0",
    "wsd_1-sqrt": "wsd:{at},cooldown=0.2,final=0,decay=1-sqrt",
}
TITLES = {
    "design": "design, peak 3e-3",
    "design_free_peak": "design, peak free",
    "wsd": "WSD, linear over the last 20 %",
    "cosine": "cosine to 10 %",
    "linear": "linear to 0",
    "wsd_1-sqrt": "WSD, 1-sqrt over the last 20 %",
}
ORDER = ("wsd", "design", "design_free_peak", "cosine", "linear", "wsd_1-sqrt")
"""Within a seed; what begins like WSD goes on from its checkpoints."""


@dataclass(frozen=True)
class Planned:
    """A run: the name of its file, its schedule, its seed."""

    label: str
    schedule: Schedule
    seed: int

    @property
    def path(self) -> Path:
        """Its curve."""
        return FOLDER / f"{self.label}.csv"

    @property
    def done(self) -> bool:
        """Whether it has been trained to the end."""
        return self.path.exists() and int(_columns(self.path)[0][-1]) == self.schedule.horizon

    def curve(self) -> LossCurve:
        """The measured losses."""
        step, _, loss = _columns(self.path)[:3]
        return LossCurve(
            complete(self.schedule, CONFIG), step.astype(np.int64), loss, label=self.label
        )


def _columns(path: Path) -> Any:
    return np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2).T


def seen_plan() -> list[Planned]:
    """The cheap runs, all that the law is fitted to."""
    runs: list[Planned] = []
    for peak in ("3e-3", "6e-3"):
        at = f"peak={peak},horizon={SHORT},warmup={WARMUP}"
        constant = parse_schedule(f"constant:{at}")
        wsd = parse_schedule(f"wsd:{at},cooldown=0.3,final=0,decay=linear")
        runs.append(Planned(f"seen_constant_{peak}_seed0", constant, 0))
        runs.append(Planned(f"seen_wsd_{peak}_seed0", wsd, 0))
    return runs


@cache
def schedules() -> dict[str, Schedule]:
    """The schedules that compete, by name; the designs as they were written down."""
    at = f"peak={PEAK:g},horizon={LONG},warmup={WARMUP}"
    found = {name: parse_schedule(spec.format(at=at)) for name, spec in USUAL.items()}
    for name in DESIGNS:
        found[name] = Schedule(_columns(FOLDER / f"{name}.csv")[1])
    return found


def long_plan() -> list[Planned]:
    """The runs that decide: all of one seed, then the next."""
    return [
        Planned(f"{name}_seed{seed}", schedules()[name], seed) for seed in SEEDS for name in ORDER
    ]


def write_predictions() -> None:
    """Fit the cheap runs, design, and write down what is expected of the long ones.

    What is written is never written again: the long runs are trained on it.
    """
    fit = ll.fit([run.curve() for run in seen_plan()])
    said: dict[str, Any] = {
        "fitted": [run.label for run in seen_plan()],
        "law": fit.law.name,
        "parameters": {name: round(value, 6) for name, value in fit.parameters.items()},
        "designs": {},
    }
    at = f"peak={PEAK:g},horizon={LONG},warmup={WARMUP}"
    trunk = parse_schedule(USUAL["wsd"].format(at=at)).lr
    for name, peak in zip(DESIGNS, (PEAK, PEAKS), strict=True):
        found = ll.design(fit, LONG, peak=peak, warmup=WARMUP)
        # Rates equal but for rounding are made equal, so that runs can share their beginning.
        lr = np.where(np.isclose(found.schedule.lr, trunk, rtol=1e-7, atol=0), trunk, 0.0)
        lr = np.where(lr > 0, lr, np.array([float(f"{x:.8g}") for x in found.schedule.lr]))
        stream = io.StringIO()
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("step", "lr"))
        rows.writerows((k + 1, repr(float(x))) for k, x in enumerate(lr))
        write_text(FOLDER / f"{name}.csv", stream.getvalue())
        simple = found.simple
        said["designs"][name] = {
            "peak": found.schedule.peak_lr,
            "loss_after_last_update": found.loss,
            "room": found.room,
            "simple": None
            if simple is None
            else {"name": simple.name, "spec": simple.schedule.spec, "cost": simple.cost},
            "sentences": list(found.sentences),
        }
    schedules.cache_clear()
    assert fit.uncertainty is not None
    gains = Gains(fit.law, fit.uncertainty, 0.9)
    ready = {name: complete(schedules()[name], CONFIG) for name in ORDER}
    expected: dict[str, float] = {}
    said["final"] = {}
    for name, schedule in ready.items():
        prediction = fit.predict(schedule, LAST, 0.9)
        assert prediction.lower is not None
        assert prediction.upper is not None
        expected[name] = float(prediction.loss.mean())
        said["final"][name] = {
            "loss": expected[name],
            "lower": float(prediction.lower.mean()),
            "upper": float(prediction.upper.mean()),
            "warnings": list(prediction.warnings),
        }
    said["gains"] = {
        name: {
            other: {
                "gain": expected[other] - expected[name],
                "half": gains.half(ready[name], ready[other]),
            }
            for other in USUAL
        }
        for name in DESIGNS
    }
    write_text(PREDICTIONS, json.dumps(said, indent=1) + "\n")


def make_runs() -> None:
    """Train what is missing: the cheap runs, then, once predictions are written, the long ones.

    Raises:
        MissingExtra: torch is not installed.
        InputError: a checkpoint is of another text or model.
        TrainingInterrupted: on Ctrl-C; the same call goes on from there.
    """
    require_torch()
    import torch

    torch.set_num_threads(1)
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    _train(seen_plan(), [])
    if not PREDICTIONS.exists():
        write_predictions()
    _train(long_plan(), seen_plan())
    for path in CHECKPOINTS.glob("*.pt"):
        path.unlink()
    CHECKPOINTS.rmdir()


def _train(plan: Sequence[Planned], before: Sequence[Planned]) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    text = standard_library()
    with Progress(*columns, TimeRemainingColumn()) as bars:
        for i, run in enumerate(plan):
            if run.done:
                continue
            bar = bars.add_task(run.label, total=run.schedule.horizon)

            def show(step: int, _loss: float | None, bar: Any = bar) -> None:
                bars.update(bar, completed=step)

            train(
                run.schedule,
                replace(CONFIG, seed=run.seed),
                text=text,
                every=EVERY,
                label=run.label,
                out=run.path,
                checkpoint=CHECKPOINTS / f"{run.label}.pt",
                branch_from=_branch(run, [*before, *plan[:i]]),
                keep=range(BRANCH, run.schedule.horizon, BRANCH),
                progress=show,
            )


def _branch(run: Planned, earlier: Sequence[Planned]) -> Path | None:
    """The latest checkpoint kept of a run of the same seed that begins alike."""
    best, found = 0, None
    for other in earlier:
        if other.seed != run.seed:
            continue
        n = min(run.schedule.horizon, other.schedule.horizon)
        differ = np.flatnonzero(run.schedule.lr[:n] != other.schedule.lr[:n])
        alike = int(differ[0]) if differ.size else n
        for step in range(alike // BRANCH * BRANCH, best, -BRANCH):
            path = kept_checkpoint(CHECKPOINTS / f"{other.label}.pt", step)
            if path.exists():
                best, found = step, path
                break
    return found
