"""OLMo-core: one of its schedulers where that is the schedule, else a scheduler class.

``Scheduler.get_lr(initial_lr, current, t_max)`` is asked right before each update with current = k
and t_max = n (ai2-olmo-core 3.0.0, ``optim/scheduler.py`` and ``train/trainer.py``)::

    ConstantWithWarmup   m + (lr - m) * k / W for k <= W, then lr
    WSD                  the same, and from k = n - D on f + (lr - f) * (n - k) / D
    LinearWithWarmup     the warm-up for k < W, then from lr to alpha_f * lr, z = (k - W) / (n - W)
    CosWithWarmup        half a cosine over the same z
    InvSqrtWithWarmup    alpha_f * lr + (1 - alpha_f) * lr * sqrt(W / k)

m = ``warmup_min_lr``, f = ``decay_min_lr``. That is this package's own counting.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.pytorch import exported, relative_rate
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import comment, number, python_call
from losslaw.numerics.arrays import FloatArray


def _flat(setting: Setting, k: FloatArray) -> Phases:
    return Phases(k <= setting[1], k / max(setting[1], 1), np.ones_like(k))


def _wsd(setting: Setting, k: FloatArray) -> Phases:
    n, warmup, decay = setting
    return Phases(k <= warmup, k / max(warmup, 1), fall("linear", 1 - (n - k) / decay))


def _whole(shape: str) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, _ = setting
        level = fall(shape, (k - warmup) / max(n - warmup, 1))
        return Phases(k < warmup, k / max(warmup, 1), level)

    return phases


def _inverse_sqrt(setting: Setting, k: FloatArray) -> Phases:
    warmup = setting[1]
    return Phases(k < warmup, k / max(warmup, 1), np.sqrt(warmup / k))


def _arguments(name: str) -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        _, warmup, decay = setting
        told: dict[str, object] = {"warmup": warmup}
        if name == "WSD":
            told |= {"decay": decay, "decay_fraction": None, "decay_min_lr": rates.floor}
        elif name != "ConstantWithWarmup":
            told["alpha_f"] = float(number(rates.floor / rates.peak)) if rates.peak else 0.0
        return told | ({"warmup_min_lr": rates.initial} if warmup and rates.initial else {})

    return arguments


STYLES = (
    Style(
        "ConstantWithWarmup", _flat, _arguments("ConstantWithWarmup"), "free", floor=False, room=0
    ),
    Style("WSD", _wsd, _arguments("WSD"), "free", decays=True, room=0),
    Style("LinearWithWarmup", _whole("linear"), _arguments("LinearWithWarmup"), "free"),
    Style("CosWithWarmup", _whole("cosine"), _arguments("CosWithWarmup"), "free"),
    Style(
        "InvSqrtWithWarmup",
        _inverse_sqrt,
        _arguments("InvSqrtWithWarmup"),
        start="free",
        least_warmup=1,
    ),
)

DESIGNED = '''@dataclass
class DesignedSchedule(Scheduler):
    """The train module's `scheduler`; counts steps, so leave `units` alone."""

    def get_lr(self, initial_lr, current, t_max):
        """Rate of update `current`, counted from 1."""
        return initial_lr * relative_rate(current - 1)


relative_rate = RelativeRate()
'''


def write(job: Job) -> Exported:
    """A scheduler of OLMo-core where one is the schedule, else a class."""
    near = job.nearest(STYLES)
    settings = (
        f"lr={number(job.pieces.peak)} in the optimizer's config,"
        f" max_duration=Duration.steps({job.horizon}) in the trainer's"
    )
    notes = (
        (
            "the batch size changes along the schedule: OLMo-core's batch-size scheduler callback"
            " is set apart from this file",
        )
        if job.batch_changes
        else ()
    )
    title = "Learning-rate schedule for OLMo-core."
    config = python_call(near.style, near.arguments)
    if near.exact:
        head = job.header(
            [title, *gap_lines(near)],
            [f"scheduler=scheduler in the train module's config; {settings}.", *notes],
            knots=False,
        )
        text = (
            f"{head}\n\nfrom olmo_core.optim.scheduler import {near.style}\n\n"
            f"scheduler = {config}\n"
        )
        step = "scheduler=scheduler in the train module's config"
    else:
        head = job.header(
            [title],
            [
                f"scheduler=DesignedSchedule() in the train module's config; {settings}.",
                "Parameter groups with other rates keep their ratio. The trainer's checkpoints keep"
                " the count of updates: on resume this file's schedule counts.",
                *notes,
            ],
        )
        body = relative_rate(job, "from olmo_core.optim.scheduler import Scheduler")
        body = body.replace(
            "bisect_right\n", "bisect_right\nfrom dataclasses import dataclass\n", 1
        )
        tail = [
            *gap_lines(near, used=False),
            f"It would be, with lr={number(near.peak)}:",
            "",
            *config.splitlines(),
        ]
        text = f"{head}\n\n{body}\n\n{DESIGNED}\n\n{comment(tail)}\n"
        step = "scheduler=DesignedSchedule() in the train module's config"
    done = exported(job, "olmo-core", text, "")
    return Exported("olmo-core", done.data, True, job.pieces, near, step, notes)
