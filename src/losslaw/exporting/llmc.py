"""llm.c: arguments for the nearest of its own schedules; it has no other door.

``llmc/schedulers.h`` (llm.c f1e2ace) is asked with s = k - 1 updates done, with W = ``-u``,
n = ``-x``, and floor = ``-l`` times ``-q``::

    s < W              lr * (s + 1) / W
    cosine, linear     floor + (lr - floor) * level((s - W) / (n - W))
    wsd                lr up to s = P, then floor + (lr - floor) * (1 - sqrt((s - P) / (n - P)))

where P is 0.8 n in single precision, cut off. So no decay is ended by the last update. Its
``constant`` has no warm-up; a linear one with ``-q 1`` has. The trainer of llm.c that is written in
Python takes the export to nanogpt, which is exact.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import number, shell_array
from losslaw.numerics.arrays import FloatArray


def _whole(shape: str) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, _ = setting
        level = fall(shape, (k - 1 - warmup) / max(n - warmup, 1))
        return Phases(k <= warmup, k / max(warmup, 1), level)

    return phases


def _wsd(setting: Setting, k: FloatArray) -> Phases:
    n, warmup, _ = setting
    start = int(np.float32(0.8) * np.float32(n))
    level = fall("1-sqrt", (k - 1 - start) / max(n - start, 1))
    return Phases(k <= warmup, k / max(warmup, 1), level)


def _arguments(name: str) -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, _ = setting
        return {
            "-x": n,
            "-k": name,
            "-l": rates.peak,
            "-u": warmup,
            "-q": float(number(rates.floor / rates.peak)) if rates.peak else 1.0,
        }

    return arguments


STYLES = (
    *(Style(shape, _whole(shape), _arguments(shape)) for shape in ("linear", "cosine")),
    Style("wsd", _wsd, _arguments("wsd")),
)


def write(job: Job) -> Exported:
    """A shell file with an array of arguments."""
    near = job.nearest(STYLES)
    notes = (
        ("the batch size changes along the schedule, which llm.c cannot do",)
        if job.batch_changes
        else ()
    )
    head = job.header(
        ["Learning-rate schedule for llm.c: arguments of its nearest one.", "", *gap_lines(near)],
        ['source this file, then: ./train_gpt2cu "${SCHEDULE_ARGS[@]}" ...', *notes],
        knots=False,
    )
    text = "\n".join(["#!/usr/bin/env bash", head, "", *shell_array(near.arguments), ""])
    step = 'source FILE; ./train_gpt2cu "${SCHEDULE_ARGS[@]}" ...'
    return Exported("llmc", text.encode("utf-8"), near.exact, job.pieces, near, step, notes)
