"""nanotron: YAML for the nearest of its own styles.

``lr_scheduler_builder`` (``helpers.py`` of the repository in November 2026; the package 0.4 has no
1-sqrt) makes a LambdaLR of s = k - 1 updates done, with W = ``lr_warmup_steps``,
b = ``lr_decay_starting_step``, D = ``lr_decay_steps``::

    s <= W       learning_rate * s / max(W, 1)      style linear: rate 0 in update 1, even if W = 0
    s < b        learning_rate
    s < b + D    min_decay_lr + (learning_rate - min_decay_lr) * level((s - b) / D)
    after it     min_decay_lr

with levels linear, cosine and 1-sqrt. With b + D = n - 1 the last of n updates ends the decay. A
run without warm-up needs the warm-up style ``constant``, which is the full rate.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import yaml_lines
from losslaw.numerics.arrays import FloatArray


def _phases(shape: str, early: int) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, decay = setting
        s = k - 1
        level = fall(shape, (s - (n - early) + decay) / decay)
        return Phases(s <= (warmup or -1), s / max(warmup, 1), level)

    return phases


def _flat(setting: Setting, k: FloatArray) -> Phases:
    warm = k - 1 <= (setting[1] or -1)
    return Phases(warm, (k - 1) / max(setting[1], 1), np.ones_like(k))


def _arguments(shape: str, early: int) -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, decay = setting
        flat = shape == "constant"
        return {
            "learning_rate": rates.peak,
            "lr_warmup_steps": warmup,
            "lr_warmup_style": "linear" if warmup else "constant",
            "lr_decay_style": "linear" if flat else shape,
            "lr_decay_starting_step": n if flat else n - early - decay,
            "lr_decay_steps": 1 if flat else decay,
            "min_decay_lr": rates.peak if flat else rates.floor,
        }

    return arguments


STYLES = (
    Style("constant", _flat, _arguments("constant", 0), floor=False, room=0),
    *(
        Style(shape, _phases(shape, early), _arguments(shape, early), decays=True, room=early)
        for shape in ("linear", "cosine", "1-sqrt")
        for early in (1, 0)
    ),
)


def write(job: Job) -> Exported:
    """A piece of the YAML configuration."""
    near = job.nearest(STYLES)
    notes = (
        ("the batch size changes along the schedule, which nanotron cannot do",)
        if job.batch_changes
        else ()
    )
    exact = (
        []
        if near.exact
        else [
            "For the schedule itself, export to torch and let lr_scheduler_builder in"
            " nanotron/helpers.py return make_scheduler(optimizer.get_base_optimizer())."
        ]
    )
    head = job.header(
        ["Learning-rate schedule for nanotron: its nearest style.", "", *gap_lines(near)],
        [
            "Merge this into the run's YAML. nanotron logs the rate of the next update.",
            *exact,
            *notes,
        ],
        knots=False,
    )
    told = {
        "tokens": {"train_steps": job.horizon},
        "optimizer": {"learning_rate_scheduler": near.arguments},
    }
    lines = [head, "", *yaml_lines(told), ""]
    return Exported(
        "nanotron",
        "\n".join(lines).encode("utf-8"),
        near.exact,
        job.pieces,
        near,
        "merge FILE into the run's YAML",
        notes,
    )
