"""The second trial: the mixture of laws, fitted to longer runs, designs for 12,000 updates."""

import json
from functools import cache
from typing import Any

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.designing.gains import Gains
from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.lab import LabConfig
from losslaw.lab.training import complete
from losslaw.schedules import Schedule, parse_schedule
from validation.proof.train import (
    FOLDER,
    PEAK,
    SEEDS,
    WARMUP,
    Planned,
    clear_checkpoints,
    expected_finals,
    read_rates,
    record,
    said,
    train_missing,
    write_rates,
)

FITTED, HORIZON = 4000, 12_000
PREDICTIONS = FOLDER / f"predictions_{HORIZON}.json"
META = FOLDER / f"meta_{HORIZON}.json"
DESIGN = FOLDER / f"{HORIZON}_design.csv"

# The model and the validation windows of the runs that ship with the package.
CONFIG = LabConfig()
# Evaluations of 640 windows take a third of the time where they come every 25 updates.
EVERY = 100

USUAL = {
    "wsd_1-sqrt": "wsd:{at},cooldown=0.2,final=0,decay=1-sqrt",
    "wsd": "wsd:{at},cooldown=0.2,final=0,decay=linear",
    "wsd_1-sqrt_40": "wsd:{at},cooldown=0.4,final=0,decay=1-sqrt",
    "linear": "linear:{at},final=0",
    "cosine": "cosine:{at},final=3e-4",
}
# Within a seed; what begins like WSD goes on from its checkpoints.
ORDER = ("wsd_1-sqrt", "design")
# When all seeds of those are done, as far as time goes.
LATER = ("wsd", "wsd_1-sqrt_40", "linear")


@cache
def schedules() -> dict[str, Schedule]:
    """The schedules that compete, by name; the design as it was written down."""
    at = f"peak={PEAK:g},horizon={HORIZON},warmup={WARMUP}"
    usual = {name: parse_schedule(spec.format(at=at)) for name, spec in USUAL.items()}
    return {"design": read_rates(DESIGN), **usual}


def seen() -> list[LossCurve]:
    """The runs that the laws are fitted to: those that ship, of 4,000 updates and seed 0."""
    return [
        curve
        for curve in ll.bundled_curves()
        if curve.schedule.horizon == FITTED and "_seed" not in curve.label
    ]


def plan() -> list[Planned]:
    """The runs that decide: all of one seed, then the next; then what there is time for."""
    pairs = [(name, seed) for seed in SEEDS for name in ORDER]
    pairs += [(name, seed) for name in LATER for seed in SEEDS]
    return [
        Planned(f"{HORIZON}_{name}_seed{seed}", schedules()[name], seed, CONFIG)
        for name, seed in pairs
    ]


def write_predictions() -> None:
    """Fit, design, and write down what is expected of the long runs; never written again."""
    fit = ll.fit(seen())
    assert fit.trust is not None
    design = ll.design(fit, HORIZON, peak=PEAK, warmup=WARMUP)
    at = f"peak={PEAK:g},horizon={HORIZON},warmup={WARMUP}"
    write_rates(DESIGN, design.schedule.lr, parse_schedule(USUAL["wsd"].format(at=at)).lr)
    schedules.cache_clear()
    ready = {name: complete(schedule, CONFIG) for name, schedule in schedules().items()}
    best = ready.pop("design")
    gains = Gains.of(fit, best, 0.9)
    written: dict[str, Any] = {
        "fitted": [curve.label for curve in seen()],
        "trust": fit.trust.as_dict(),
        "law": fit.law.name,
        "parameters": {name: round(value, 6) for name, value in fit.parameters.items()},
        "design": said(design),
        "final": expected_finals(fit, {"design": best, **ready}, [HORIZON]),
        "gains": {},
    }
    for name, other in ready.items():
        interval = gains.interval(best, other)
        assert interval is not None
        written["gains"][name] = {
            "gain": gains.gain(best, other),
            "lower": interval.lower,
            "upper": interval.upper,
        }
    write_text(PREDICTIONS, json.dumps(written, indent=1) + "\n")


def make_runs() -> None:
    """Train what is missing.

    Raises:
        MissingExtra: torch is not installed.
        InputError: nothing has been predicted, or a checkpoint is of another text or model.
        TrainingInterrupted: on Ctrl-C; the same call goes on from there.
    """
    if not PREDICTIONS.exists():
        raise InputError(f"{PREDICTIONS} is not there: predictions are written before training")
    record(META, CONFIG, EVERY)
    train_missing(plan(), EVERY)
    clear_checkpoints()
