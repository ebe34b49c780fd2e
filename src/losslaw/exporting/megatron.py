"""Megatron-LM: arguments for the nearest of its own styles; it has no other door.

``OptimizerParamScheduler.get_lr`` (megatron-core 0.16.1, ``optimizer_param_scheduler.py``) counts
samples and is stepped after each successful update; with one global batch size that is a count of
updates, s = k - 1 for update k::

    s <= W             init + (lr - init) * s / W                  only if W > 0
    constant           lr
    s > T              min
    inverse-square-root  max(min, lr * sqrt(max(W, 1)) / sqrt(max(s, 1)))
    linear, cosine     min + (lr - min) * level((s - W) / (T - W))
    WSD                lr up to s = T - D, then min + (lr - min) * level((s - T + D) / D)

with W, T, D = ``--lr-warmup-iters``, ``--lr-decay-iters``, ``--lr-wsd-decay-iters``, and the WSD
levels linear, cosine, minus_sqrt (1 - sqrt z), exponential (2 * 0.5^z - 1). The last update of n
has s = n - 1: with T = n - 1 the decay reaches its end there. W must be less than T. The inverse
square root without warm-up is one of samples, not of updates, and is not used; its floor, a maximum
and not a mixture, is exported as 0.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import number
from losslaw.numerics.arrays import BoolArray, FloatArray

WSD = ("linear", "cosine", "minus_sqrt", "exponential")


def _warm(s: FloatArray, warmup: int) -> tuple[BoolArray, FloatArray]:
    return s <= (warmup or -1), s / max(warmup, 1)


def _constant(setting: Setting, k: FloatArray) -> Phases:
    warm, rise = _warm(k - 1, setting[1])
    return Phases(warm, rise, np.ones_like(k))


def _inverse_sqrt(setting: Setting, k: FloatArray) -> Phases:
    warm, rise = _warm(k - 1, setting[1])
    level = np.sqrt(max(setting[1], 1)) / np.sqrt(np.maximum(k - 1, 1))
    return Phases(warm, rise, level)


def _whole(shape: str, early: int) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, _ = setting
        warm, rise = _warm(k - 1, warmup)
        return Phases(warm, rise, fall(shape, (k - 1 - warmup) / max(n - early - warmup, 1)))

    return phases


def _wsd(shape: str, early: int) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, decay = setting
        warm, rise = _warm(k - 1, warmup)
        return Phases(warm, rise, fall(shape, (k - 1 - (n - early) + decay) / decay))

    return phases


def _arguments(name: str, early: int = 0, decay_type: str = "") -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, decay = setting
        told: dict[str, object] = {
            "--train-iters": n,
            "--lr": rates.peak,
            "--min-lr": rates.floor,
            "--lr-decay-style": name,
            "--lr-decay-iters": n - early,
        }
        if decay_type:
            told |= {"--lr-wsd-decay-style": decay_type, "--lr-wsd-decay-iters": decay}
        told["--lr-warmup-iters"] = warmup
        if warmup and rates.initial:
            told["--lr-warmup-init"] = rates.initial
        return told

    return arguments


STYLES = (
    Style("constant", _constant, _arguments("constant"), start="free", floor=False),
    *(
        Style("WSD", _wsd(shape, early), _arguments("WSD", early, shape), "free",
              decays=True, room=1 + early, decay_type=shape)
        for shape in WSD
        for early in (1, 0)
    ),
    *(
        Style(shape, _whole(shape, early), _arguments(shape, early), "free", room=1 + early)
        for shape in ("linear", "cosine")
        for early in (1, 0)
    ),
    Style(
        "inverse-square-root",
        _inverse_sqrt,
        _arguments("inverse-square-root"),
        start="free",
        floor=False,
        least_warmup=1,
    ),
)  # fmt: skip


def write(job: Job) -> Exported:
    """A shell file with an array of arguments."""
    near = job.nearest(STYLES)
    ramp = (
        "Megatron's own batch ramp (--rampup-batch-size, with --train-samples) is linear in samples"
    )
    notes = (
        (
            f"the batch size changes along the schedule and these arguments hold it: {ramp}, and"
            " with it the rates are counted in samples, not in updates",
        )
        if job.batch_changes
        else ()
    )
    head = job.header(
        [
            "Learning-rate schedule for Megatron-LM: arguments of its nearest style.",
            "",
            *gap_lines(near),
        ],
        [
            'source this file, then: pretrain_gpt.py "${SCHEDULE_ARGS[@]}" ...',
            "",
            "The rates hold for one global batch size throughout. A checkpoint keeps these values"
            " and a run that loads it insists on them: to give a running job this schedule, add"
            " --override-opt-param-scheduler. Megatron logs the rate of the next update.",
            *notes,
        ],
        knots=False,
    )
    cells = [
        f"    {key} {number(value) if isinstance(value, float) else value}"
        for key, value in near.arguments.items()
    ]
    text = "\n".join(["#!/usr/bin/env bash", head, "", "SCHEDULE_ARGS=(", *cells, ")", ""])
    return Exported(
        "megatron",
        text.encode("utf-8"),
        near.exact,
        job.pieces,
        near,
        'source FILE; pretrain_gpt.py "${SCHEDULE_ARGS[@]}" ...',
        notes,
    )
