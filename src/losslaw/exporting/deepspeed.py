"""DeepSpeed: a ``LambdaLR`` handed to ``deepspeed.initialize``; its JSON has no WSD.

A scheduler given to ``initialize`` - an object, or a function of the optimizer - goes before
that of the JSON (older versions prefer the JSON's, so it must not name one). The JSON's own
(deepspeed 0.19.8, ``runtime/lr_schedules.py``) warm up logarithmically unless ``warmup_type`` is
``linear``, and use one rate twice: update 1 has the starting rate, update k that of i = k - 2::

    WarmupLR         min + (max - min) * r,  r = log(i + 1) / log(W) or i / W while i < W, then 1
    WarmupDecayLR    the same r, then (T - i) / (T - W), from max down to min
    WarmupCosineLR   start + (1 - start) * r of the optimizer's rate, then floor + (1 - floor) *
                     (1 + cos(pi * (i - W + 1) / (T - W))) / 2; update 1 has rate 0

W = ``warmup_num_steps`` is at least 2, T = ``total_num_steps``.
"""

import json

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.pytorch import MAKE_SCHEDULER, exported, relative_rate
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import comment, number
from losslaw.numerics.arrays import FloatArray

WARMUPS = ("linear", "log")


def _rise(i: FloatArray, warmup: int, kind: str) -> FloatArray:
    if kind == "linear":
        return i / warmup
    return np.log(i + 1) / np.log(warmup)


def _constant(kind: str) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        i = np.maximum(k - 2, 0.0)
        return Phases(i < setting[1], _rise(i, setting[1], kind), np.ones_like(i))

    return phases


def _linear(kind: str, early: int) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, _ = setting
        i = np.maximum(k - 2, 0.0)
        level = fall("linear", (i - warmup) / max(n - early - warmup, 1))
        return Phases(i < warmup, _rise(i, warmup, kind), level)

    return phases


def _cosine(kind: str, early: int) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, _ = setting
        i = np.maximum(k - 2, 0.0)
        level = fall("cosine", (i - warmup + 1) / max(n - early - warmup, 1))
        return Phases(i < warmup, _rise(i, warmup, kind), level)

    return phases


def _arguments(name: str, kind: str, early: int = 0) -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, _ = setting
        params: dict[str, object] = {}
        if name != "WarmupLR":
            params["total_num_steps"] = n - early
        if name == "WarmupCosineLR":
            params["warmup_min_ratio"] = 0.0
            params["cos_min_ratio"] = float(number(rates.floor / rates.peak)) if rates.peak else 0.0
        else:
            params |= {"warmup_min_lr": rates.floor, "warmup_max_lr": rates.peak}
        params |= {"warmup_num_steps": warmup, "warmup_type": kind}
        return {"type": name, "params": params}

    return arguments


STYLES = (
    *(
        Style("WarmupLR", _constant(kind), _arguments("WarmupLR", kind), "floor", least_warmup=2)
        for kind in WARMUPS
    ),
    *(
        Style(
            "WarmupDecayLR",
            _linear(kind, early),
            _arguments("WarmupDecayLR", kind, early),
            start="floor",
            least_warmup=2,
            room=early + 1,
        )
        for kind in WARMUPS
        for early in (0, 1, 2)
    ),
    *(
        Style(
            "WarmupCosineLR",
            _cosine(kind, early),
            _arguments("WarmupCosineLR", kind, early),
            least_warmup=2,
            room=early + 1,
        )
        for kind in WARMUPS
        for early in (0, 1, 2)
    ),
)


def write(job: Job) -> Exported:
    """A module with ``make_scheduler(optimizer)``, and what the JSON could do instead."""
    near = job.nearest(STYLES) if job.horizon > 5 else None
    head = job.header(
        [
            "Learning-rate schedule for DeepSpeed (a LambdaLR given to deepspeed.initialize).",
            "DeepSpeed's own JSON schedulers have no stable phase with a decay after it (no WSD),"
            ' and warm up logarithmically unless "warmup_type" is "linear".',
        ],
        [
            "engine, optimizer, _, scheduler = deepspeed.initialize(",
            "    model=model, model_parameters=model.parameters(), config=config,",
            "    lr_scheduler=make_scheduler)",
            "",
            'where "lr" of the optimizer in the config is PEAK and the config has no "scheduler".'
            " The engine steps the scheduler after each of its updates and keeps it in its"
            " checkpoints; on resume the checkpoint's schedule is the one that counts.",
        ],
    )
    body = relative_rate(job, "from torch.optim.lr_scheduler import LambdaLR")
    text = f"{head}\n\n{body}\n\n{MAKE_SCHEDULER}"
    if near is not None:
        optimizer = {"params": {"lr": near.peak}}
        told = {"optimizer": optimizer, "scheduler": near.arguments}
        record = json.dumps(told, indent=2).splitlines()
        text += (
            "\n\n"
            + comment([*gap_lines(near, used=False), "In JSON it would be:", "", *record])
            + "\n"
        )
    done = exported(job, "deepspeed", text, "")
    step = "deepspeed.initialize(..., lr_scheduler=make_scheduler)"
    return Exported("deepspeed", done.data, True, job.pieces, near, step, done.notes)
