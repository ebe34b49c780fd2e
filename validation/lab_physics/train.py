"""The runs of the lab's experiments, as data, and the function that makes them.

All have the model, text and order of batches of the bundle; within a family everything but the
schedule is the same. Runs are short (2,000 updates) and their loss is measured every 50 updates on
320 windows, so that all of them fit into a few hours of one core. They are made with
``python -m validation lab_physics --train``; finished runs are skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from losslaw.lab import LabConfig, PlannedRun, make_bundle
from losslaw.lab.training import require_torch

FOLDER = Path(__file__).parents[1] / "data" / "lab"
Shown = Callable[[int, float | None], None]
EVERY = 50
WINDOWS = 320
WARMUP = 100
COMMAND = "python -m validation lab_physics --train"


@dataclass(frozen=True)
class Family:
    """Runs that differ by schedule and seed alone: a folder of curves."""

    name: str
    plan: tuple[PlannedRun, ...]
    config: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def folder(self) -> Path:
        """Where its curves and their record are kept."""
        return FOLDER / self.name

    def lab_config(self) -> LabConfig:
        """Sizes and constants of all its runs."""
        return LabConfig(validation_windows=WINDOWS, **self.config)


def constant(peak: str, horizon: int = 2000, seed: int = 0) -> PlannedRun:
    """A constant rate after the warm-up."""
    spec = f"constant:peak={peak},horizon={horizon},warmup={WARMUP}"
    return PlannedRun(f"constant_{peak}" + f"_seed{seed}" * (seed > 0), spec, seed)


def wsd(peak: str, horizon: int = 2000, seed: int = 0) -> PlannedRun:
    """The same with a linear decay to zero over the last fifth."""
    spec = f"wsd:peak={peak},horizon={horizon},warmup={WARMUP},cooldown=0.2,final=0,decay=linear"
    return PlannedRun(f"wsd_{peak}" + f"_seed{seed}" * (seed > 0), spec, seed)


def cosine(peak: str, horizon: int = 2000) -> PlannedRun:
    """A cosine to a tenth of the peak."""
    final = f"{float(peak) / 10:g}"
    return PlannedRun(
        f"cosine_{peak}",
        f"cosine:peak={peak},horizon={horizon},warmup={WARMUP},final={final}",
    )


def triangle(peak: str) -> PlannedRun:
    """Down to a tenth, up again, and down to zero."""
    low = f"{float(peak) / 10:g}"
    return PlannedRun(f"triangle_{peak}", f"knots:0=0,100={peak},800={low},1400={peak},2000=0")


def pairs(*peaks: str, horizon: int = 2000) -> tuple[PlannedRun, ...]:
    """Constant and WSD at each peak."""
    return tuple(run(peak, horizon) for peak in peaks for run in (constant, wsd))


# At the rates of SGD a decay of .1 would leave nothing of the weights.
SGD: dict[str, Any] = {"optimizer": "sgd", "weight_decay": 0.0}

MUON: dict[str, Any] = {"optimizer": "muon"}

# Does a high rate leave something behind that outlasts it? All but the dip end alike, so that their
# final losses can be compared without a law.
RISES = (
    PlannedRun("flat", "knots:0=0,100=1.5e-3,1700=1.5e-3,2000=0"),
    PlannedRun(
        "high",
        "knots:0=0,100=1.5e-3,700=1.5e-3,800=6e-3,1100=6e-3,1200=1.5e-3,1700=1.5e-3,2000=0",
    ),
    PlannedRun(
        "spike",
        "knots:0=0,100=1.5e-3,1000=1.5e-3,1001=6e-3,1020=6e-3,1021=1.5e-3,1700=1.5e-3,2000=0",
    ),
    PlannedRun("early", "knots:0=0,100=6e-3,400=6e-3,500=1.5e-3,1700=1.5e-3,2000=0"),
    PlannedRun(
        "higher",
        "knots:0=0,100=1.5e-3,700=1.5e-3,800=1.2e-2,1100=1.2e-2,1200=1.5e-3,1700=1.5e-3,2000=0",
    ),
    PlannedRun(
        "dip", "knots:0=0,100=3e-3,700=3e-3,800=7.5e-4,1100=7.5e-4,1200=3e-3,1700=3e-3,2000=0"
    ),
)

# The most useful families come first.
FAMILIES: tuple[Family, ...] = (
    Family("decay_0.1", (*pairs("3e-3", "6e-3"), triangle("3e-3"))),
    Family("decay_0", pairs("3e-3", "6e-3"), {"weight_decay": 0.0}),
    Family("decay_0.3", pairs("3e-3", "6e-3"), {"weight_decay": 0.3}),
    Family("init_0.04", pairs("3e-3"), {"init_std": 0.04}),
    Family("init_0.01", pairs("3e-3"), {"init_std": 0.01}),
    Family("sgd_peaks", tuple(constant(peak, 400) for peak in ("0.1", "0.3", "1")), SGD),
    Family("seeds", (constant("3e-3", seed=1), wsd("3e-3", seed=1))),
    Family("sgd", (*pairs("0.3", "0.1"), cosine("0.3"), cosine("0.1")), SGD),
    Family("batch_64", pairs("3e-3", horizon=1000), {"batch": 64}),
    Family("batch_8", pairs("3e-3", horizon=3000), {"batch": 8}),
    Family("decay_0.03", pairs("3e-3", "6e-3"), {"weight_decay": 0.03}),
    Family("sgd_batch_8", pairs("0.3", horizon=3000), SGD | {"batch": 8}),
    Family("rises", RISES),
    Family("muon", (*pairs("3e-3", "1.2e-2"), cosine("3e-3"), cosine("1.2e-2")), MUON),
    Family("peaks_0.1", pairs("7.5e-4", "1.2e-2", "2.4e-2")),
    Family("peaks_0", pairs("7.5e-4", "1.2e-2"), {"weight_decay": 0.0}),
    Family("peaks_0.3", pairs("7.5e-4", "1.2e-2"), {"weight_decay": 0.3}),
    Family("width_32", pairs("3e-3", "6e-3", "2.4e-2"), {"width": 32}),
    # At higher rates this width does not learn: at 1.2e-2 its loss stood at 2.41 after 1,950
    # updates, at 2.4e-2 at 2.74 after 1,100.
    Family("width_128", (*pairs("1.5e-3", "3e-3", "6e-3"), *RISES[:2]), {"width": 128}),
)
"""The plan, in the order in which the runs are made."""


def make_runs() -> None:
    """Train every run of the plan that is not there yet.

    Raises:
        MissingExtra: torch is not installed.
        InputError: the runs that are there were made with another text or model.
        TrainingInterrupted: on Ctrl-C; the same call goes on from there.
    """
    require_torch()
    import torch

    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn()) as bars:
        for family in FAMILIES:

            def progress(run: PlannedRun, name: str = family.name) -> Shown:
                bar = bars.add_task(f"{name}/{run.label}", total=run.schedule.horizon)

                def show(step: int, _loss: float | None) -> None:
                    bars.update(bar, completed=step)

                return show

            make_bundle(
                family.folder,
                plan=family.plan,
                config=family.lab_config(),
                every=EVERY,
                command=COMMAND,
                progress=progress,
            )
