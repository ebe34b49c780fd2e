"""Levanter: an ``LrSchedule`` of its registry, which its configuration names.

``OptimizerConfig.lr_scheduler`` (Levanter 9263f81) joins a warm-up, a stable phase and what
``LrSchedule.build`` makes; with ``warmup: 0`` and ``decay`` left out the last is all there is, a
function of s = k - 1 updates done that may be traced. Levanter's own, with W = ``warmup``,
D = ``decay`` (n - W if left out), m = ``min_lr_ratio``::

    s < W     learning_rate * s / W          update 1 of a warm-up has rate 0
    s >= W    1 up to s = n - D, then level((s - n + D) / D), linear or cosine

from learning_rate at level 1 to m times it at level 0, where update n + 1 would be. Numbers up to 1
are shares there, so a warm-up of one update is written as a share.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.pieces import runs
from losslaw.exporting.pytorch import constants, exported
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import comment, number, share_of, yaml_lines
from losslaw.numerics.arrays import FloatArray


def _phases(shape: str) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, decay = setting
        s = k - 1
        return Phases(s < warmup, s / max(warmup, 1), fall(shape, (s - n + decay) / decay))

    return phases


def _steps(updates: int, horizon: int) -> float:
    """As Levanter reads them: whole numbers above 1, else shares."""
    return updates if updates != 1 else share_of(1, horizon)


def _arguments(shape: str) -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, decay = setting
        return {
            "learning_rate": rates.peak,
            "warmup": _steps(warmup, n),
            "decay": _steps(decay, n),
            "lr_schedule": shape,
            "min_lr_ratio": float(number(rates.floor / rates.peak)) if rates.peak else 1.0,
        }

    return arguments


STYLES = tuple(
    Style(shape, _phases(shape), _arguments(shape), decays=True, room=0)
    for shape in ("linear", "cosine")
)

IMPORTS = """from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from levanter.optim.config import LrSchedule"""
DESIGNED = '''@LrSchedule.register_subclass("designed")
@dataclass(frozen=True)
class DesignedSchedule(LrSchedule):
    """`lr_schedule: {type: designed}` with `warmup: 0`; relative to `learning_rate`."""

    def build(self, ctx):
        """A function of the updates done; traceable."""
        updates, factors = np.array(UPDATES, np.int32), np.array(FACTORS, np.float32)

        def schedule(count):
            update = jnp.clip(jnp.asarray(count, jnp.int32) + 1, updates[0], updates[-1])
            i = jnp.clip(jnp.searchsorted(updates, update, side="right"), 1, len(UPDATES) - 1)
            left, right = jnp.asarray(updates)[i - 1], jnp.asarray(updates)[i]
            before, after = jnp.asarray(factors)[i - 1], jnp.asarray(factors)[i]
            mean = (before * (right - update) + after * (update - left)) / (right - left)
            return ctx.learning_rate * mean

        return schedule
'''


def _batches(batch: FloatArray) -> tuple[list[str], str]:
    """The schedule of batch sizes as Levanter takes it, and a sentence on it."""
    first, sizes = runs(batch.round())
    steps = zip((first - 1).tolist(), sizes.astype(np.int64).tolist(), strict=True)
    told = [f"{{start: {start}, value: {size}}}" for start, size in steps]
    rounded = "" if (batch == batch.round()).all() else ", rounded to whole sequences"
    return told, f"the batch size changes: train_batch_size has the sizes{rounded}"


def write(job: Job) -> Exported:
    """A module that registers the schedule, and what comes nearest without it."""
    near = job.nearest(STYLES)
    trainer: dict[str, object] = {"num_train_steps": job.horizon}
    notes: tuple[str, ...] = ()
    batch = job.schedule.batch
    if job.batch_changes and batch is not None:
        trainer["train_batch_size"], said = _batches(batch)
        notes = (said,)
    told = {
        "trainer": trainer,
        "optimizer": {"learning_rate": job.pieces.peak, "warmup": 0, "min_lr_ratio": 0.0}
        | {"lr_schedule": {"type": "designed"}},
    }
    head = job.header(
        ["Learning-rate schedule for Levanter."],
        [
            "Import this file where the training is started, before its configuration is read,"
            " and put into that:",
            "",
            *(f"    {line}" for line in yaml_lines(told)),
            "",
            "and neither decay nor cycles. Past the horizon the last rate holds.",
            *notes,
        ],
    )
    own = yaml_lines({"optimizer": near.arguments})
    tail = comment([*gap_lines(near, used=False), "It would be:", "", *own])
    body = "\n\n".join([head, IMPORTS, constants(job) + "\n\n\n" + DESIGNED])
    done = exported(job, "levanter", f"{body}\n\n{tail}\n", "")
    step = "import FILE where training is started, lr_schedule: {type: designed}"
    return Exported("levanter", done.data, True, job.pieces, near, step, notes)
