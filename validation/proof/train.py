"""The runs of the trial: which, what was expected of them beforehand, and how they are trained."""

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.designing.gains import Gains
from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.fitting import Fit
from losslaw.lab import LabConfig, standard_library, train
from losslaw.lab.training import complete, kept_checkpoint, require_torch
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule, parse_schedule

FOLDER = Path(__file__).parents[1] / "data" / "proof"
CHECKPOINTS = FOLDER / ".checkpoints"
PREDICTIONS = FOLDER / "predictions.json"
CONTROL_PREDICTIONS = FOLDER / "control_predictions.json"
META = FOLDER / "meta.json"

CONFIG = LabConfig(validation_windows=320)
EVERY = 25
BRANCH = 100  # updates between checkpoints that a later run may continue from
WARMUP = 100
SHORT, LONG = 1000, 3000
LAST = [LONG - 2 * EVERY, LONG - EVERY, LONG]
SEEDS = (0, 1, 2)
COMMON = SEEDS[:2]  # those that all drawn schedules have
PEAK, PEAKS = 3e-3, (1.5e-3, 8e-3)

DESIGNS = ("design", "design_free_peak")
USUAL = {
    "wsd": "wsd:{at},cooldown=0.2,final=0,decay=linear",
    "cosine": "cosine:{at},final=3e-4",
    "linear": "linear:{at},final=0",
    "wsd_1-sqrt": "wsd:{at},cooldown=0.2,final=0,decay=1-sqrt",
}
# The peak that the design chose where it was free to.
HIGH = PEAKS[1]
# Usual schedules at that peak: is it the peak or the shape that wins?
CONTROLS = {
    "wsd_1-sqrt_8e-3": "wsd:{at},cooldown=0.2,final=0,decay=1-sqrt",
    "linear_8e-3": "linear:{at},final=0",
}
# Within a seed; what begins like WSD goes on from its checkpoints.
ORDER = ("wsd", "design", "wsd_1-sqrt", "linear", "cosine", "design_free_peak")


@dataclass(frozen=True)
class Planned:
    """A run: the name of its file, its schedule, its seed, its model."""

    label: str
    schedule: Schedule
    seed: int
    config: LabConfig = CONFIG

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
            complete(self.schedule, self.config), step.astype(np.int64), loss, label=self.label
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
    plans = {name: parse_schedule(spec.format(at=at)) for name, spec in USUAL.items()}
    for name in DESIGNS:
        plans[name] = read_rates(FOLDER / f"{name}.csv")
    at = f"peak={HIGH:g},horizon={LONG},warmup={WARMUP}"
    plans |= {name: parse_schedule(spec.format(at=at)) for name, spec in CONTROLS.items()}
    return plans


def long_plan() -> list[Planned]:
    """The runs that decide: all of one seed, then the next.

    One control comes before the third seed, which begins with the schedule whose first two seeds
    differed most.
    """
    first, second = CONTROLS
    pairs = [(name, seed) for seed in SEEDS[:2] for name in ORDER]
    pairs += [(first, seed) for seed in SEEDS[:2]]
    pairs += [(name, SEEDS[2]) for name in ("design_free_peak", *ORDER[:3], first, *ORDER[3:5])]
    pairs += [(second, seed) for seed in SEEDS]
    return [Planned(f"{name}_seed{seed}", schedules()[name], seed) for name, seed in pairs]


def write_predictions() -> None:
    """Fit the cheap runs, design, and write down what is expected of the long ones.

    What is written is never written again: the long runs are trained on it.
    """
    fit = ll.fit([run.curve() for run in seen_plan()])
    written: dict[str, Any] = {
        "fitted": [run.label for run in seen_plan()],
        "law": fit.law.name,
        "parameters": {name: round(value, 6) for name, value in fit.parameters.items()},
        "designs": {},
    }
    at = f"peak={PEAK:g},horizon={LONG},warmup={WARMUP}"
    trunk = parse_schedule(USUAL["wsd"].format(at=at)).lr
    for name, peak in zip(DESIGNS, (PEAK, PEAKS), strict=True):
        design = ll.design(fit, LONG, peak=peak, warmup=WARMUP)
        write_rates(FOLDER / f"{name}.csv", design.schedule.lr, trunk)
        written["designs"][name] = said(design)
    schedules.cache_clear()
    written |= _expected(fit, ORDER, {name: tuple(USUAL) for name in DESIGNS})
    write_text(PREDICTIONS, json.dumps(written, indent=1) + "\n")


def write_rates(path: Path, lr: FloatArray, trunk: FloatArray) -> None:
    """Write down the rates of a design, those of the trunk as they are there.

    Rates equal but for rounding are made equal, so that runs can share their beginning.
    """
    rounded = np.array([float(f"{x:.8g}") for x in lr])
    lr = np.where(np.isclose(lr, trunk, rtol=1e-7, atol=0) & (trunk > 0), trunk, rounded)
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(("step", "lr"))
    rows.writerows((k + 1, repr(float(x))) for k, x in enumerate(lr))
    write_text(path, stream.getvalue())


def read_rates(path: Path) -> Schedule:
    """The schedule that was written down."""
    return Schedule(_columns(path)[1])


def said(design: ll.Design) -> dict[str, Any]:
    """What a design says of itself."""
    simple = design.simple
    return {
        "peak": design.schedule.peak_lr,
        "loss_after_last_update": design.loss,
        "room": design.gap,
        "simple": None
        if simple is None
        else {"name": simple.name, "spec": simple.schedule.spec, "cost": simple.cost},
        "sentences": list(design.sentences),
    }


def write_control_predictions() -> None:
    """The same fit asked about the controls, before they are trained."""
    fit = ll.fit([run.curve() for run in seen_plan()])
    written = _expected(fit, tuple(CONTROLS), {"design_free_peak": tuple(CONTROLS)})
    write_text(CONTROL_PREDICTIONS, json.dumps(written, indent=1) + "\n")


def _expected(
    fit: Fit, names: Sequence[str], compared: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Final losses, mean of the last three evaluations, and gains, both with 90 % intervals."""
    ready = {name: complete(schedules()[name], CONFIG) for name in (*names, *compared)}
    final = expected_finals(fit, ready, LAST)

    def half(design: Schedule, other: Schedule) -> float:
        interval = Gains.of(fit, design, 0.9).interval(design, other)
        assert interval is not None
        return interval.half_width

    return {
        "final": {name: final[name] for name in names},
        "gains": {
            name: {
                other: {
                    "gain": final[other]["loss"] - final[name]["loss"],
                    "half": half(ready[name], ready[other]),
                }
                for other in others
            }
            for name, others in compared.items()
        },
    }


def expected_finals(
    fit: Fit, plans: Mapping[str, Schedule], last: Sequence[int]
) -> dict[str, dict[str, Any]]:
    """Final losses, means over the steps ``last``, with 90 % intervals."""
    final: dict[str, dict[str, Any]] = {}
    for name, schedule in plans.items():
        prediction = fit.predict(schedule, last, 0.9)
        assert prediction.lower is not None
        assert prediction.upper is not None
        final[name] = {
            "loss": float(prediction.loss.mean()),
            "lower": float(prediction.lower.mean()),
            "upper": float(prediction.upper.mean()),
            "warnings": list(prediction.warnings),
        }
    return final


def make_runs() -> None:
    """Train what is missing: the cheap runs, then, once predictions are written, the long ones.

    Raises:
        MissingExtra: torch is not installed.
        InputError: a checkpoint is of another text or model.
        TrainingInterrupted: on Ctrl-C; the same call goes on from there.
    """
    record(META, CONFIG, EVERY)
    train_missing(seen_plan(), EVERY)
    if not PREDICTIONS.exists():
        write_predictions()
    if not CONTROL_PREDICTIONS.exists():
        write_control_predictions()
    train_missing(long_plan(), EVERY, seen_plan())
    clear_checkpoints()


def clear_checkpoints() -> None:
    """Remove what only runs to come could have gone on from."""
    for path in CHECKPOINTS.glob("*.pt"):
        path.unlink()
    CHECKPOINTS.rmdir()


def record(meta: Path, config: LabConfig, every: int) -> None:
    """Write down, or compare, what must be the same for all runs."""
    text = standard_library()
    mine = {
        "text": {"what": text.source, "files": text.files, "sha256": text.sha256},
        "model": {name: value for name, value in config.as_dict().items() if name != "seed"},
        "every": every,
    }
    if not meta.exists():
        made = {"python": platform.python_version(), "torch": version("torch")}
        write_text(meta, json.dumps(mine | made, indent=1) + "\n")
        return
    recorded = json.loads(meta.read_text(encoding="utf-8"))
    for name, value in mine.items():
        if recorded[name] != value:
            raise InputError(
                f"{meta} records another {name} ({recorded[name]}), this program would use {value}:"
                f" train with that one, or delete {FOLDER} to begin anew"
            )


def train_missing(plan: Sequence[Planned], every: int, before: Sequence[Planned] = ()) -> None:
    """Train the runs of a plan that are not done, evaluating every so many updates.

    Raises:
        MissingExtra: torch is not installed.
        InputError: a checkpoint is of another text or model.
        TrainingInterrupted: on Ctrl-C; the same call goes on from there.
    """
    require_torch()
    import torch

    torch.set_num_threads(1)
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
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
                replace(run.config, seed=run.seed),
                text=text,
                every=every,
                label=run.label,
                out=run.path,
                checkpoint=CHECKPOINTS / f"{run.label}.pt",
                branch_from=_branch(run, [*before, *plan[:i]]),
                keep=range(BRANCH, run.schedule.horizon, BRANCH),
                progress=show,
            )


def _branch(run: Planned, earlier: Sequence[Planned]) -> Path | None:
    """The latest checkpoint kept of a run of the same seed that begins alike."""
    best, latest = 0, None
    for other in earlier:
        if other.seed != run.seed:
            continue
        n = min(run.schedule.horizon, other.schedule.horizon)
        differ = np.flatnonzero(run.schedule.lr[:n] != other.schedule.lr[:n])
        alike = int(differ[0]) if differ.size else n
        for step in range(alike // BRANCH * BRANCH, best, -BRANCH):
            path = kept_checkpoint(CHECKPOINTS / f"{other.label}.pt", step)
            if path.exists():
                best, latest = step, path
                break
    return latest
