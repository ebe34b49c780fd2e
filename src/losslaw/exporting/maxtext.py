"""MaxText: YAML for the nearest of its own schedules.

``create_learning_rate_schedule`` (MaxText e591f30) makes a function of s = k - 1 updates done, with
n = ``learning_rate_schedule_steps``, W and D the whole parts of n times ``warmup_steps_fraction``
and ``wsd_decay_steps_fraction``, m = ``learning_rate_final_fraction``::

    s < W     learning_rate * s / W          update 1 of a warm-up has rate 0
    cosine    level((s - W) / (n - W - 1))
    wsd       1 up to s = n - D, then level((s - n + D) / (D - 1)), linear or cosine

from learning_rate at level 1 to m times it at level 0, which the last update has. Shares are
written so that their whole parts are W and D. ``learning_rate_final_fraction: 1`` is constant.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import number, share_of
from losslaw.exporting.yaml_file import yaml_file
from losslaw.numerics.arrays import FloatArray


def _from(first: int, count: int, shape: str, s: FloatArray) -> FloatArray:
    """The level of a fall over ``count`` updates, the last of which ends it."""
    if count == 1:
        return np.where(s < first, 1.0, float(shape == "linear"))
    return fall(shape, (s - first) / (count - 1))


def _cosine(setting: Setting, k: FloatArray) -> Phases:
    n, warmup, _ = setting
    level = _from(warmup, max(n - warmup, 1), "cosine", k - 1)
    return Phases(k - 1 < warmup, (k - 1) / max(warmup, 1), level)


def _wsd(shape: str) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, decay = setting
        level = _from(n - decay, decay, shape, k - 1)
        return Phases(k - 1 < warmup, (k - 1) / max(warmup, 1), level)

    return phases


def _arguments(decay_type: str = "") -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, decay = setting
        told: dict[str, object] = {
            "steps": n,
            "learning_rate_schedule_steps": n,
            "learning_rate": rates.peak,
            "lr_schedule_type": "wsd" if decay_type else "cosine",
            "warmup_steps_fraction": share_of(warmup, n),
            "learning_rate_final_fraction": float(number(rates.floor / rates.peak))
            if rates.peak
            else 1.0,
        }
        if decay_type:
            told |= {
                "wsd_decay_steps_fraction": share_of(decay, n),
                "wsd_decay_style": decay_type,
            }
        return told

    return arguments


STYLES = (
    Style("cosine", _cosine, _arguments()),
    *(
        Style("wsd", _wsd(shape), _arguments(shape), decays=True, room=0, decay_type=shape)
        for shape in ("linear", "cosine")
    ),
)


def write(job: Job) -> Exported:
    """A piece of the YAML configuration."""
    near = job.nearest(STYLES)
    notes = (
        ("the batch size changes along the schedule; MaxText's ramp of it is set apart",)
        if job.batch_changes
        else ()
    )
    usage = ["Merge this into the run's YAML, or give each line as KEY=VALUE on the command line."]
    if not near.exact:
        usage.append(
            "For the schedule itself, export to optax and return its schedule from"
            " create_learning_rate_schedule in maxtext_utils.py."
        )
    return yaml_file(job, "maxtext", "MaxText", near, near.arguments, usage, notes)
