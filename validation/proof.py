"""Do designed schedules win in real training? Predicted from cheap runs, then trained.

The lab's byte model (0.12M parameters, AdamW, decay .1, warm-up 100). The law saw four cheap runs
of 1,000 updates (constant, and WSD linear over the last 30 %, at peaks 3e-3 and 6e-3, seed 0) and
designed for 3,000 updates: at the peak 3e-3, and with the peak free in 1.5e-3..8e-3. What it
expected, with 90 % intervals, was written down and committed before any longer run was trained
(`data/proof/predictions.json`; `control_predictions.json` before the controls). The remaking of
the table never writes these again, and later versions of the fit may expect something else: the row
`auto` of the last table is what this version says.

Losses are nats per byte on 320 windows that never change, mean of the last three evaluations (steps
2950, 2975, 3000); `last alone` is the loss after the last update. Gains are taken seed by seed: one
seed has one start and one order of batches. Behind ± is the standard error of the mean over seeds;
`inside` says whether the mean is in the predicted interval. In the last table `spread` is the
standard deviation of a fit's errors over schedules: what is the same for all does not change which
one is chosen, `would choose` is the schedule it puts first.
"""

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
from losslaw.schedules import Schedule, parse_schedule

FOLDER = Path(__file__).parent / "data" / "proof"
CHECKPOINTS = FOLDER / ".checkpoints"
PREDICTIONS = FOLDER / "predictions.json"
CONTROL_PREDICTIONS = FOLDER / "control_predictions.json"
META = FOLDER / "meta.json"
FIGURE = FOLDER.parent.parent.parent / "docs" / "images" / "proof.png"

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
HIGH = PEAKS[1]
"""The peak that the design chose where it was free to."""
CONTROLS = {
    "wsd_1-sqrt_8e-3": "wsd:{at},cooldown=0.2,final=0,decay=1-sqrt",
    "linear_8e-3": "linear:{at},final=0",
}
"""Usual schedules at that peak: is it the peak or the shape that wins?"""
TITLES = {
    "design": "design, peak 3e-3",
    "design_free_peak": "design, peak free",
    "wsd": "WSD, linear over the last 20 %",
    "cosine": "cosine to 10 %",
    "linear": "linear to 0",
    "wsd_1-sqrt": "WSD, 1-sqrt over the last 20 %",
    "wsd_1-sqrt_8e-3": "WSD, 1-sqrt, peak 8e-3",
    "linear_8e-3": "linear to 0, peak 8e-3",
}
ORDER = ("wsd", "design", "wsd_1-sqrt", "linear", "cosine", "design_free_peak")
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
    at = f"peak={HIGH:g},horizon={LONG},warmup={WARMUP}"
    found |= {name: parse_schedule(spec.format(at=at)) for name, spec in CONTROLS.items()}
    return found


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
    said |= _expected(fit, ORDER, {name: tuple(USUAL) for name in DESIGNS})
    write_text(PREDICTIONS, json.dumps(said, indent=1) + "\n")


def write_control_predictions() -> None:
    """The same fit asked about the controls, before they are trained."""
    fit = ll.fit([run.curve() for run in seen_plan()])
    said = _expected(fit, tuple(CONTROLS), {"design_free_peak": tuple(CONTROLS)})
    write_text(CONTROL_PREDICTIONS, json.dumps(said, indent=1) + "\n")


def _expected(
    fit: Fit, names: Sequence[str], compared: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Final losses, mean of the last three evaluations, and gains, both with 90 % intervals."""
    assert fit.uncertainty is not None
    known = Gains(fit.law, fit.uncertainty, 0.9)
    ready = {name: complete(schedules()[name], CONFIG) for name in (*names, *compared)}
    final: dict[str, dict[str, Any]] = {}
    for name, schedule in ready.items():
        prediction = fit.predict(schedule, LAST, 0.9)
        assert prediction.lower is not None
        assert prediction.upper is not None
        final[name] = {
            "loss": float(prediction.loss.mean()),
            "lower": float(prediction.lower.mean()),
            "upper": float(prediction.upper.mean()),
            "warnings": list(prediction.warnings),
        }
    return {
        "final": {name: final[name] for name in names},
        "gains": {
            name: {
                other: {
                    "gain": final[other]["loss"] - final[name]["loss"],
                    "half": known.half(ready[name], ready[other]),
                }
                for other in others
            }
            for name, others in compared.items()
        },
    }


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
    _record()
    _train(seen_plan(), [])
    if not PREDICTIONS.exists():
        write_predictions()
    if not CONTROL_PREDICTIONS.exists():
        write_control_predictions()
    _train(long_plan(), seen_plan())
    for path in CHECKPOINTS.glob("*.pt"):
        path.unlink()
    CHECKPOINTS.rmdir()


def _record() -> None:
    """Write down, or compare, what must be the same for all runs."""
    text = standard_library()
    mine = {
        "text": {"what": text.source, "files": text.files, "sha256": text.sha256},
        "model": {name: value for name, value in CONFIG.as_dict().items() if name != "seed"},
        "every": EVERY,
    }
    if not META.exists():
        made = {"python": platform.python_version(), "torch": version("torch")}
        write_text(META, json.dumps(mine | made, indent=1) + "\n")
        return
    found = json.loads(META.read_text(encoding="utf-8"))
    for name, value in mine.items():
        if found[name] != value:
            raise InputError(
                f"{META} records another {name} ({found[name]}), this program would use {value}: "
                f"train with that one, or delete {FOLDER} to begin anew"
            )


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


@dataclass(frozen=True)
class Measured:
    """Final losses of one schedule, or gains of one over another, by seed."""

    by_seed: dict[int, float]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(list(self.by_seed.values())))

    @property
    def error(self) -> float:
        """Standard error of the mean; not a number for a single seed."""
        values = np.array(list(self.by_seed.values()))
        return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else np.nan

    def words(self, sign: str = "") -> list[str]:
        """The mean with its error, and each seed."""
        if not self.by_seed:
            return ["", ""]
        mean = f"{self.mean:{sign}.4f}"
        if len(self.by_seed) > 1:
            mean += f" ± {self.error:.4f}"
        return [mean, ", ".join(f"{value:{sign}.4f}" for value in self.by_seed.values())]


@cache
def finals(evaluations: int = 3) -> dict[str, Measured]:
    """Measured final losses of the finished long runs: mean of the last three evaluations.

    One evaluation is the loss after the last update itself.
    """
    found: dict[str, dict[int, float]] = {name: {} for name in TITLES}
    for run in long_plan():
        if run.done:
            found[run.label.rpartition("_seed")[0]][run.seed] = float(
                run.curve().loss[-evaluations:].mean()
            )
    return {name: Measured(values) for name, values in found.items()}


def gain(name: str, other: str, evaluations: int = 3) -> Measured:
    """How much lower one schedule ends than another, seed by seed."""
    mine, theirs = finals(evaluations)[name].by_seed, finals(evaluations)[other].by_seed
    return Measured({seed: theirs[seed] - mine[seed] for seed in mine if seed in theirs})


def predictions() -> Any:
    """What was written before the long runs, and before the controls."""
    said = json.loads(PREDICTIONS.read_text(encoding="utf-8"))
    more = json.loads(CONTROL_PREDICTIONS.read_text(encoding="utf-8"))
    said["final"] |= more["final"]
    for name, gains in more["gains"].items():
        said["gains"][name] |= gains
    return said


def lines(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """A markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


def losses() -> list[str]:
    """Final losses, nats per byte"""
    said = predictions()["final"]
    body = [
        [
            TITLES[name],
            f"{said[name]['loss']:.4f}",
            f"{said[name]['lower']:.3f}..{said[name]['upper']:.3f}",
            *finals()[name].words(),
            finals(1)[name].words()[0],
        ]
        for name in TITLES
    ]
    head = ("schedule", "predicted", "90 % interval", "measured", "seeds 0, 1, 2", "last alone")
    return lines(head, body)


def gains() -> list[str]:
    """Gains of the designs: how much lower they end, nats per byte"""
    said = predictions()["gains"]
    body: list[list[str]] = []
    for name in DESIGNS:
        for other, expected in said[name].items():
            value, half = expected["gain"], expected["half"]
            seen = gain(name, other)
            inside = ""
            if seen.by_seed:
                inside = "yes" if abs(seen.mean - value) <= half else "no"
            interval = f"{value - half:+.3f}..{value + half:+.3f}"
            body.append(
                [
                    TITLES[name],
                    TITLES[other],
                    f"{value:+.4f}",
                    interval,
                    *seen.words("+"),
                    inside,
                    gain(name, other, 1).words("+")[0],
                ]
            )
    head = ("design", "over", "predicted", "90 % interval", "measured", "seeds 0, 1, 2", "inside")
    head = (*head, "last alone")
    return lines(head, body)


def afterwards() -> list[str]:
    """Predicted minus seen final losses of seed 0: is it the cheap runs, or the law?"""
    cheap = [run.curve() for run in seen_plan()]
    long = {
        name: run.curve()
        for name in ORDER
        if (run := Planned(f"{name}_seed0", schedules()[name], 0)).done
    }
    both = [*cheap, *long.values()]
    fits: list[tuple[str, Sequence[LossCurve], str, list[str] | None]] = [
        ("auto", cheap, "auto", None),
        ("auto, on the long runs too", both, "auto", None),
        ("the same, r, a and q free", both, "auto", ["alpha", "r", "a", "q"]),
        *((law, cheap, law, None) for law in ll.LAWS if law != "effective"),
    ]
    then = predictions()["final"]
    answers = {"as predicted before": {name: float(then[name]["loss"]) for name in long}}
    for title, curves, law, free in fits:
        found = ll.fit(curves, law, free=free, uncertainty=False).law
        answers[title] = {
            name: float(found.predict(c.schedule, LAST).mean()) for name, c in long.items()
        }
    body: list[list[str]] = []
    for title, said in answers.items():
        errors = {name: said[name] - curve.final_loss for name, curve in long.items()}
        body.append(
            [
                title,
                *[f"{error:+.4f}" for error in errors.values()],
                f"{np.std(list(errors.values())):.4f}",
                TITLES[min(said, key=lambda name: said[name])],
            ]
        )
    head = ("fit", *[TITLES[name] for name in long], "spread", "would choose")
    return lines(head, body)


def figure() -> Path:
    """The schedules, their measured losses over the last half, and where they end."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    drawn, (left, middle, right) = plt.subplots(
        1, 3, figsize=(12.5, 4.8), layout="constrained", width_ratios=(1, 1.1, 0.9)
    )
    said = predictions()["final"]
    done = {run.label: run for run in long_plan() if run.done}
    shown = {name: title for name, title in TITLES.items() if finals()[name].by_seed}
    for i, (name, title) in enumerate(shown.items()):
        style: dict[str, Any] = {
            "color": f"C{i}",
            "lw": 2.2 if name in DESIGNS else 1.2,
            "ls": "--" if name in CONTROLS else "-",
        }
        schedule = schedules()[name]
        left.plot(np.arange(1, LONG + 1), 1e3 * schedule.lr, label=title, **style)
        curves = [
            done[f"{name}_seed{seed}"].curve() for seed in COMMON if f"{name}_seed{seed}" in done
        ]
        if len(curves) == len(COMMON):
            steps = curves[0].steps
            mean = np.mean([curve.loss for curve in curves], axis=0)
            middle.plot(steps[steps >= LONG // 2], mean[steps >= LONG // 2], **style)
        seen = list(finals()[name].by_seed.values())
        right.plot(seen, [-i] * len(seen), "o", color=f"C{i}", ms=6, alpha=0.7)
        right.plot(said[name]["loss"], -i, "x", color="black", ms=7)
    left.set(xlabel="step", ylabel="learning rate, 1e-3", title="the schedules")
    drawn.legend(loc="outside lower center", ncols=4, fontsize=8)
    middle.set(xlabel="step", ylabel="validation loss, nats per byte")
    middle.set_title("measured, mean of seeds 0 and 1: the last half")
    right.set_yticks([-i for i in range(len(shown))], list(shown.values()), fontsize=8)
    right.set(xlabel="final loss, nats per byte", ylim=(-len(shown) + 0.4, 0.6))
    right.set_title("final: each seed (dot), predicted (x)")
    right.grid(axis="x", alpha=0.3)
    drawn.savefig(FIGURE, dpi=110)
    plt.close(drawn)
    return FIGURE


def table() -> str:
    """Predictions and measurements side by side; draws the figure too."""
    figure()
    missing = [run.label for run in long_plan() if not run.done]
    text: list[str] = []
    if missing:
        text += [f"Not trained: {', '.join(missing)}. `--train` makes them.", ""]
    for section in (losses, gains, afterwards):
        text += [f"## {section.__doc__}", "", *section(), ""]
    return "\n".join(text)
