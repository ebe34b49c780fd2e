"""The runs that ship with the package, as data, and the function that makes them.

One model, one text, one data order; what differs is the schedule. At the peak 3e-3 there are the
usual shapes over 4,000 updates and three of them over 12,000; three runs at two other peaks; and
one repeat with another seed, which shows what the schedule cannot explain. A run that begins like
an earlier one continues from that one's checkpoint: its losses are bit for bit those of a run from
scratch, at a fraction of the time.

The command is ``losslaw lab bundle -o DIR``. Finished runs are skipped, an interrupted one resumes.
"""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.lab.config import LabConfig
from losslaw.lab.text import Text, standard_library
from losslaw.lab.training import EVERY, Progress, kept_checkpoint, require_torch, train
from losslaw.schedules import Schedule, parse_schedule

COMMAND = "losslaw lab bundle -o src/losslaw/curves/bundled"
META = "meta.json"
CHECKPOINTS = ".checkpoints"
WARMUP = 100


@dataclass(frozen=True)
class PlannedRun:
    """One curve of the bundle: the name of its file and how the run is made."""

    label: str
    spec: str
    seed: int = 0

    @property
    def schedule(self) -> Schedule:
        """The schedule that ``spec`` says."""
        return parse_schedule(self.spec)


def _at(peak: str, horizon: int) -> str:
    return f"peak={peak},horizon={horizon},warmup={WARMUP}"


# The plan, in the order in which the runs are made: the most useful ones first, so that a bundle
# cut short is a bundle still.
BUNDLE: tuple[PlannedRun, ...] = (
    PlannedRun("constant_peak3e-3_T4000", f"constant:{_at('3e-3', 4000)}"),
    PlannedRun("cosine_peak3e-3_T4000", f"cosine:{_at('3e-3', 4000)},final=3e-4"),
    PlannedRun(
        "wsd-linear-0.2_peak3e-3_T4000",
        f"wsd:{_at('3e-3', 4000)},cooldown=0.2,final=0,decay=linear",
    ),
    PlannedRun(
        "wsd-linear-0.4_peak3e-3_T4000",
        f"wsd:{_at('3e-3', 4000)},cooldown=0.4,final=0,decay=linear",
    ),
    PlannedRun("step_peak3e-3_T4000", f"step:{_at('3e-3', 4000)}"),
    PlannedRun("twostage_peak3e-3_T4000", f"twostage:{_at('3e-3', 4000)},switch=0.6,second=9e-4"),
    PlannedRun(
        "wsd-1-sqrt-0.2_peak3e-3_T4000",
        f"wsd:{_at('3e-3', 4000)},cooldown=0.2,final=0,decay=1-sqrt",
    ),
    PlannedRun("constant_peak6e-3_T4000", f"constant:{_at('6e-3', 4000)}"),
    PlannedRun(
        "wsd-linear-0.2_peak6e-3_T4000",
        f"wsd:{_at('6e-3', 4000)},cooldown=0.2,final=0,decay=linear",
    ),
    PlannedRun("cosine_peak3e-3_T12000", f"cosine:{_at('3e-3', 12000)},final=3e-4"),
    PlannedRun(
        "wsd-linear-0.2_peak1.5e-3_T4000",
        f"wsd:{_at('1.5e-3', 4000)},cooldown=0.2,final=0,decay=linear",
    ),
    PlannedRun("cosine_peak3e-3_T4000_seed1", f"cosine:{_at('3e-3', 4000)},final=3e-4", seed=1),
    PlannedRun(
        "wsd-1-sqrt-0.4_peak3e-3_T4000",
        f"wsd:{_at('3e-3', 4000)},cooldown=0.4,final=0,decay=1-sqrt",
    ),
    PlannedRun("constant_peak3e-3_T12000", f"constant:{_at('3e-3', 12000)}"),
    PlannedRun(
        "wsd-linear-0.2_peak3e-3_T12000",
        f"wsd:{_at('3e-3', 12000)},cooldown=0.2,final=0,decay=linear",
    ),
)


@dataclass(frozen=True)
class Branch:
    """Where a run leaves an earlier one: after ``step`` updates of ``label``."""

    label: str
    step: int


def branches(plan: tuple[PlannedRun, ...], every: int = EVERY) -> dict[str, Branch]:
    """For each run that begins like an earlier one: which one, and up to which step.

    Args:
        plan: Runs in the order in which they are made.
        every: Evaluation interval; branches are taken where the loss was seen.

    Returns:
        Label to branch; runs that share nothing with an earlier one are left out.
    """
    forks: dict[str, Branch] = {}
    for i, run in enumerate(plan):
        for earlier in plan[:i]:
            if earlier.seed != run.seed:
                continue
            step = _common_updates(run.schedule, earlier.schedule) // every * every
            if step > 0 and (run.label not in forks or step > forks[run.label].step):
                forks[run.label] = Branch(earlier.label, step)
    return forks


def _common_updates(a: Schedule, b: Schedule) -> int:
    n = min(a.horizon, b.horizon)
    differ = np.flatnonzero(a.lr[:n] != b.lr[:n])
    return int(differ[0]) if differ.size else n


def make_bundle(
    folder: Path,
    *,
    plan: tuple[PlannedRun, ...] = BUNDLE,
    config: LabConfig | None = None,
    text: Text | None = None,
    every: int = EVERY,
    command: str = COMMAND,
    progress: Callable[[PlannedRun], Progress] | None = None,
) -> dict[str, Any]:
    """Make every run of ``plan``: a CSV file each, and one ``meta.json`` that says how.

    Args:
        folder: Where the files go; made where it is missing. Checkpoints live in a folder
            ``.checkpoints`` inside it until the last run is finished.
        plan: The runs; the bundle of the package by default.
        config: Sizes and constants of all runs (the seed is each run's own).
        text: What to train on; the standard library's sources by default.
        every: Updates between evaluations.
        command: What ``meta.json`` records as the command.
        progress: Gives each run its progress function.

    Returns:
        What ``meta.json`` holds.

    Raises:
        MissingExtra: If torch is not installed.
        InputError: If ``folder`` holds a bundle made with another model, text or plan.
        TrainingInterrupted: On Ctrl-C; the same call goes on from there.
    """
    require_torch()
    config = config or LabConfig()
    text = text or standard_library()
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = folder / CHECKPOINTS
    meta = _head(config, text, every, command)
    finished = _finished(folder, meta, plan)
    meta["runs"] = finished
    forks = branches(plan, every)
    for run in plan:
        if run.label in finished:
            continue
        checkpoints.mkdir(exist_ok=True)
        fork = forks.get(run.label)
        branch_from = None
        if fork is not None:
            branch_from = kept_checkpoint(checkpoints / f"{fork.label}.pt", fork.step)
        trained = train(
            run.schedule,
            replace(config, seed=run.seed),
            text=text,
            every=every,
            label=run.label,
            out=folder / f"{run.label}.csv",
            checkpoint=checkpoints / f"{run.label}.pt",
            # Without the file (cleared away, or another machine) the run starts from scratch.
            branch_from=branch_from if branch_from is not None and branch_from.exists() else None,
            keep={branch.step for branch in forks.values() if branch.label == run.label},
            progress=progress(run) if progress is not None else None,
        )
        finished[run.label] = {
            "schedule": run.spec,
            "peak_lr": run.schedule.peak_lr,
            "warmup_steps": run.schedule.warmup,
            "total_steps": run.schedule.horizon,
            "weight_decay": config.weight_decay,
            "params": int(trained.curve.model_size or 0),
            "tokens_per_update": config.tokens_per_update,
            "seed": run.seed,
            "lr_is": "used",
            "seconds": round(trained.seconds, 1),
            "updates_shared": trained.shared,
        }
        meta["runs"] = {r.label: finished[r.label] for r in plan if r.label in finished}
        write_text(folder / META, json.dumps(meta, indent=1) + "\n")
    for path in checkpoints.glob("*.pt"):
        path.unlink()
    if checkpoints.exists():
        checkpoints.rmdir()
    return meta


def _head(config: LabConfig, text: Text, every: int, command: str) -> dict[str, Any]:
    model = config.as_dict()
    del model["seed"]
    return {
        "source": "trained for this package: a byte-level language model on Python's own sources",
        "licence": "MIT",
        "command": command,
        "python": platform.python_version(),
        "torch": version("torch"),
        "model": model,
        "text": {
            "what": text.source,
            "files": text.files,
            "bytes": text.train.size + text.validation.size,
            "sha256": text.sha256,
            "training_tokens": text.train.size,
            "validation_tokens": config.validation_windows * config.context,
        },
        "loss": f"validation, nats per token (byte), every {every} updates",
    }


def _finished(
    folder: Path, head: dict[str, Any], plan: tuple[PlannedRun, ...]
) -> dict[str, dict[str, Any]]:
    """Runs that ``folder`` holds already.

    Raises:
        InputError: If they were made in another way than ``head`` says.
    """
    path = folder / META
    if not path.exists():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        runs = dict(record["runs"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} is not the record of a bundle: choose another folder") from None
    if isinstance(record.get("model"), dict):  # records from before there was a choice lack some
        record["model"] = LabConfig().as_dict() | record["model"]
        record["model"].pop("seed")
    for key in ("model", "text", "loss"):
        if record.get(key) != head[key]:
            raise InputError(
                f"{path} records another {key} ({record.get(key)}), this program would use "
                f"{head[key]}: choose another folder"
            )
    specs = {run.label: run.spec for run in plan}
    for label, run in runs.items():
        if label in specs and run["schedule"] != specs[label]:
            raise InputError(
                f"{path}: run {label!r} was made with {run['schedule']}, the plan says "
                f"{specs[label]}: choose another folder"
            )
    return {
        label: run
        for label, run in runs.items()
        if label in specs and (folder / f"{label}.csv").exists()
    }
