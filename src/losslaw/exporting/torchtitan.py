"""torchtitan: its own warm-up, stable, decay where that is the schedule, else its LambdaLR.

``LRSchedulersContainer.Config`` (torchtitan 0.3.0, ``components/optimizer/lr_scheduler.py``), with
T = ``total_steps`` (``training.steps`` if not given), W = ``warmup_steps``,
D = round(T * ``decay_ratio``), m = ``min_lr_factor``, for update k::

    k <= W             peak * k / W
    k <= T + 1 - D     peak
    after it           peak * (m + (1 - m) * level((k - T - 1 + D) / D))

with levels linear, sqrt (1 - sqrt z) and cosine. So the end of the decay would be update T + 1:
``total_steps`` one less than the updates of the run brings it to the last one. The container takes
any function for its LambdaLR; its checkpoint keeps the count only, so on resume the file counts.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.pytorch import exported, relative_rate
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import comment, number, python_call
from losslaw.numerics.arrays import FloatArray


def _phases(shape: str, early: int) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, decay = setting
        level = fall(shape, (k - (n - early) - 1 + decay) / decay)
        return Phases(k <= warmup, k / max(warmup, 1), level)

    return phases


def _flat(setting: Setting, k: FloatArray) -> Phases:
    return Phases(k <= setting[1], k / max(setting[1], 1), np.ones_like(k))


def _arguments(shape: str, early: int) -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, decay = setting
        total = n - early
        told: dict[str, object] = {"warmup_steps": warmup}
        if early:
            told["total_steps"] = total
        return told | {
            # torchtitan rounds total * ratio: the digits written give the decay back.
            "decay_ratio": decay / total,
            "decay_type": shape,
            "min_lr_factor": float(number(rates.floor / rates.peak)) if rates.peak else 0.0,
        }

    return arguments


STYLES = (
    Style("constant", _flat, _arguments("linear", 0), floor=False, room=0),
    *(
        Style(f"warm-up, stable, {shape} decay", _phases(shape, early), _arguments(shape, early),
              decays=True, room=early)
        for shape in ("linear", "sqrt", "cosine")
        for early in (0, 1)
    ),
)  # fmt: skip

IMPORT = "from torchtitan.components.optimizer.lr_scheduler import LRSchedulersContainer"
DESIGNED = '''@dataclass(kw_only=True, slots=True)
class DesignedSchedule(LRSchedulersContainer.Config):
    """The trainer's `lr_scheduler`."""

    def build(self, *, optimizers, training_steps):
        """LambdaLR of every optimizer; training_steps are not asked, past HORIZON is constant."""
        return LRSchedulersContainer(optimizers, RelativeRate())
'''


def write(job: Job) -> Exported:
    """A config where torchtitan's own style is the schedule, else a config class."""
    near = job.nearest(STYLES)
    config = python_call("LRSchedulersContainer.Config", near.arguments)
    settings = (
        f"lr = {number(job.pieces.peak)} in the optimizer's config, training.steps = {job.horizon}"
    )
    note = ("the batch size changes along the schedule, which torchtitan cannot do",)
    notes = note if job.batch_changes else ()
    title = "Learning-rate schedule for torchtitan."
    if near.exact:
        usage = [f"lr_scheduler=lr_scheduler in the Trainer.Config; {settings}."]
        if "total_steps" in near.arguments:
            usage.append(
                "total_steps is one less than the updates, so that the last one ends the decay."
            )
        head = job.header([title, *gap_lines(near)], [*usage, *notes], knots=False)
        text = f"{head}\n\n{IMPORT}\n\nlr_scheduler = {config}\n"
        step = "lr_scheduler=lr_scheduler in the Trainer.Config"
    else:
        head = job.header(
            [title],
            [
                f"lr_scheduler=DesignedSchedule() in the Trainer.Config; {settings}.",
                "Checkpoints keep the count of updates: on resume this file's schedule counts.",
                *notes,
            ],
        )
        body = relative_rate(job, IMPORT)
        body = body.replace(
            "bisect_right\n", "bisect_right\nfrom dataclasses import dataclass\n", 1
        )
        tail = [*gap_lines(near, used=False), f"It would be, with lr = {number(near.peak)}:", ""]
        text = f"{head}\n\n{body}\n\n{DESIGNED}\n\n" + comment([*tail, *config.splitlines()]) + "\n"
        step = "lr_scheduler=DesignedSchedule() in the Trainer.Config"
    done = exported(job, "torchtitan", text, "")
    return Exported("torchtitan", done.data, True, job.pieces, near, step, notes)
