"""The public runs as curves: what each repository's files mean."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from losslaw.curves import LossCurve, read_curves
from losslaw.datasets.pinned import Run, collection
from losslaw.logs.optimizer import OTHER, optimizer_named
from losslaw.progress import Progress, silent

Names = Iterable[str] | None
Rows = dict[int, float]
# The curve of a run out of its files.
Make = Callable[[Run, Mapping[str, Path]], LossCurve]


def multipowerlaw(
    names: Names = None, *, folder: str | Path | None = None, progress: Progress = silent
) -> list[LossCurve]:
    """27 runs of Llama-2-like models (25M, 100M, 400M), nine schedules each.

    The warm-up of 2,160 updates, linear to 3e-4, is not in the logs; batch and weight decay are not
    said. Runs with cooldowns are the constant run up to where their rate departs from it. Luo et
    al., arXiv:2503.12811.

    Args:
        names: Labels of runs, such as ``100M_cosine_24000``; ``None``: all.
        folder: Where the files are, if they need not be downloaded; see `losslaw.datasets.pinned`.
        progress: Called with words before each file.

    Raises:
        InputError: no run of that name, or a file that cannot be had or is not what it was.
        MissingExtra: pooch is needed and not installed.
    """

    def made(run: Run, files: Mapping[str, Path]) -> LossCurve:
        (path,) = (files[name] for name in run.files)
        return read_curves(path, warmup=run.warmup, model_size=run.params)[0]

    return _curves("multipowerlaw", made, names, folder, progress)


def schaipp(
    names: Names = None, *, folder: str | Path | None = None, progress: Progress = silent
) -> list[LossCurve]:
    """104 runs of Llama-like models (33M to 209M) on SlimPajama: constant, cosine, cooldowns.

    Validation losses every 200 updates, AdamW, weight decay 0.1, warm-up of 300 updates, five peak
    rates at 124M. Runs whose log begins with their cooldown are led by the constant run off which
    they were branched. Schaipp et al., arXiv:2501.18965.

    Args:
        names: Labels of runs, such as ``124M_constant_peak0.001_T50000``; ``None``: all.
        folder: See `multipowerlaw`.
        progress: See `multipowerlaw`.

    Raises:
        InputError: see `multipowerlaw`.
        MissingExtra: see `multipowerlaw`.
    """

    def made(run: Run, files: Mapping[str, Path]) -> LossCurve:
        rates, losses = _wandb(files[run.files[0]])
        for trunk in run.files[1:]:
            before_rates, before = _wandb(files[trunk])
            rates = {k: x for k, x in before_rates.items() if k < min(rates)} | rates
            losses = {k: x for k, x in before.items() if k < min(losses)} | losses
        # Rates are those of the next update; a constant run logs one at its end that is of none.
        rates = {k: rate for k, rate in rates.items() if k <= max(losses)}
        rates[0] = max(rates.values()) / 100  # where the warm-up begins
        return _curve(
            run, losses, rates, warmup=300, weight_decay=0.1, optimizer="adamw", lr_is="next"
        )

    return _curves("schaipp", made, names, folder, progress)


def track3(
    names: Names = None, *, folder: str | Path | None = None, progress: Progress = silent
) -> list[LossCurve]:
    """9 runs of one GPT of 124M on FineWeb by Muon, KL-SOAP-H and AdamW; validation losses.

    The optimisation track of modded-nanogpt: constant, then linear to 0. The rate, that of the
    matrices, is not in the logs but in the scripts that made them. Labels say whether losses are of
    the first seed or the mean of all.

    Args:
        names: Labels of runs, such as ``muon_lr0.035_T3350_seed0``; ``None``: all.
        folder: See `multipowerlaw`.
        progress: See `multipowerlaw`.

    Raises:
        InputError: see `multipowerlaw`.
        MissingExtra: see `multipowerlaw`.
    """

    def made(run: Run, files: Mapping[str, Path]) -> LossCurve:
        seeds = [seed for name in run.files for seed in _seeds(files[name])]
        seeds = seeds if run.mean else seeds[:1]
        losses = {step: float(np.mean([seed[step] for seed in seeds])) for step in seeds[0]}
        end, warmup, peak = max(losses), run.warmup or 0, run.peak or 0.0
        cooldown = (run.cooldown or 0.0) * end
        rates = {
            step: peak * min(1, (end - step) / cooldown, (step + 1) / warmup if warmup else 1)
            for step in range(end)
        }
        return _curve(
            run,
            losses,
            rates,
            warmup=run.warmup,
            weight_decay=run.weight_decay,
            optimizer=optimizer_named(run.optimizer or "") or OTHER,
            lr_is="next",
        )

    return _curves("track3", made, names, folder, progress)


def _curves(
    name: str, made: Make, names: Names, folder: str | Path | None, progress: Progress
) -> list[LossCurve]:
    pinned = collection(name)
    runs = pinned.chosen(names)
    paths = pinned.paths([file for run in runs.values() for file in run.files], folder, progress)
    return [made(run, paths).with_(label=label) for label, run in runs.items()]


def _curve(run: Run, losses: Rows, rates: Rows, **known: Any) -> LossCurve:
    steps = sorted({*losses, *rates})
    table = {
        "step": steps,
        "lr": [rates.get(step) for step in steps],
        "loss": [losses.get(step) for step in steps],
    }
    return read_curves(table, model_size=run.params, **known)[0]


def _wandb(path: Path) -> tuple[Rows, Rows]:
    """Rates and validation losses of a run; where it was resumed, the mean of what it logged."""
    history = json.loads(path.read_text(encoding="utf-8"))["history"]
    rates = dict(zip(history["train"]["iter"], history["train"]["train_lr"], strict=True))
    seen: dict[int, list[float]] = {}
    for step, loss in zip(history["val"]["iter"], history["val"]["val_loss"], strict=True):
        seen.setdefault(step, []).append(loss)
    return rates, {step: float(np.mean(each)) for step, each in seen.items()}


def _seeds(path: Path) -> list[Rows]:
    """Validation losses of the runs in a file, one after the other."""
    runs: list[Rows] = []
    text = path.read_text(encoding="utf-8")
    for step, loss in re.findall(r"step:(\d+)/\d+ val_loss:([\d.]+)", text):
        if step == "0":
            runs.append({})
        runs[-1][int(step)] = float(loss)
    return runs
