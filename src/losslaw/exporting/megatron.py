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

A batch size that changes is a text of ``--step-batch-size-schedule``, ``TOKENS:SEQUENCES ...``:
from so many tokens on (the whole part of them over ``--seq-length`` are samples) an update has so
many sequences (``num_microbatches_calculator.py`` of Megatron-LM d98e8a6, which ignores
``--rampup-batch-size``). Then counts are really of samples, W, T, D are ``--lr-warmup-samples``
and so on, and s above is what the updates before k have consumed.
"""

from collections.abc import Callable

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.pieces import runs
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import shell_array
from losslaw.numerics.arrays import BoolArray, FloatArray

WSD = ("linear", "cosine", "minus_sqrt", "exponential")


# How far the trainer has counted after so many updates: they themselves, or their samples.
Clock = Callable[[FloatArray], FloatArray]


def _updates(done: FloatArray) -> FloatArray:
    return done


def _samples(batch: FloatArray) -> Clock:
    consumed = np.concatenate([[0.0], np.cumsum(batch)])
    return lambda done: consumed[np.asarray(done, dtype=np.int64)]


class _Styles:
    """Megatron's styles, by what it counts."""

    def __init__(self, clock: Clock = _updates) -> None:
        self._clock = clock

    def _at(self, updates: float) -> float:
        return float(self._clock(np.array([updates]))[0])

    def _warm(self, k: FloatArray, warmup: int) -> tuple[BoolArray, FloatArray]:
        return k - 1 <= (warmup or -1), self._clock(k - 1) / self._at(max(warmup, 1))

    def constant(self, setting: Setting, k: FloatArray) -> Phases:
        """The peak after the warm-up."""
        warm, rise = self._warm(k, setting[1])
        return Phases(warm, rise, np.ones_like(k))

    def inverse_sqrt(self, setting: Setting, k: FloatArray) -> Phases:
        """The inverse square root of the count."""
        warm, rise = self._warm(k, setting[1])
        start = self._at(max(setting[1], 1))
        return Phases(warm, rise, np.sqrt(start) / np.sqrt(self._clock(np.maximum(k - 1, 1))))

    def falling(self, shape: str, early: int, *, wsd: bool) -> PhasesOf:
        """A fall from the end of the warm-up, or from the end of the stable phase."""

        def phases(setting: Setting, k: FloatArray) -> Phases:
            n, warmup, decay = setting
            warm, rise = self._warm(k, warmup)
            first, last = n - early - decay if wsd else warmup, n - early
            begun = self._at(max(first, 0))
            length = self._at(last) - begun if last > first else 1.0
            return Phases(warm, rise, fall(shape, (self._clock(k - 1) - begun) / length))

        return phases

    def arguments(self, name: str, early: int = 0, decay_type: str = "") -> ArgumentsOf:
        """What Megatron is told, in iterations or in samples."""
        unit = "iters" if self._clock is _updates else "samples"

        def count(updates: int) -> int:
            return round(self._at(updates))

        def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
            n, warmup, decay = setting
            told: dict[str, object] = {
                f"--train-{unit}": count(n),
                "--lr": rates.peak,
                "--min-lr": rates.floor,
                "--lr-decay-style": name,
                f"--lr-decay-{unit}": count(n - early),
            }
            if decay_type:
                told["--lr-wsd-decay-style"] = decay_type
                told[f"--lr-wsd-decay-{unit}"] = count(n - early) - count(n - early - decay)
            told[f"--lr-warmup-{unit}"] = count(warmup)
            if warmup and rates.initial:
                told["--lr-warmup-init"] = rates.initial
            return told

        return arguments

    def all(self) -> tuple[Style, ...]:
        """The styles, simple ones first."""
        return (
            Style("constant", self.constant, self.arguments("constant"), "free", floor=False),
            *(
                Style("WSD", self.falling(shape, early, wsd=True),
                      self.arguments("WSD", early, shape), "free",
                      decays=True, room=1 + early, decay_type=shape)
                for shape in WSD
                for early in (1, 0)
            ),
            *(
                Style(shape, self.falling(shape, early, wsd=False),
                      self.arguments(shape, early), "free", room=1 + early)
                for shape in ("linear", "cosine")
                for early in (1, 0)
            ),
            Style("inverse-square-root", self.inverse_sqrt, self.arguments("inverse-square-root"),
                  "free", floor=False, least_warmup=1),
        )  # fmt: skip


STYLES = _Styles().all()

# Steps of a batch size that a command line may hold: with more it would be too long.
MOST_STEPS = 4000


def _batches(job: Job) -> tuple[FloatArray | None, str]:
    """The batch sizes that Megatron can be told, if they change and it can, and a sentence."""
    batch = job.schedule.batch
    if not job.batch_changes or batch is None:
        return None, ""
    whole = np.maximum(batch.round(), 1.0)
    steps = runs(whole)[0].size
    if steps > MOST_STEPS:
        return None, (
            f"the batch size changes {steps - 1:,} times and these arguments hold it: give it in at"
            f" most {MOST_STEPS:,} steps for --step-batch-size-schedule"
        )
    rounded = "" if (whole == batch).all() else ", rounded to whole sequences"
    return whole, (
        "the batch size changes: --step-batch-size-schedule has the sizes"
        f"{rounded}, and counts are of samples; do not give --global-batch-size"
    )


def _step_schedule(batch: FloatArray, sequence_length: int | None) -> str:
    """The text of the batch sizes; in shell arithmetic where the length of sequences is open."""
    first, sizes = runs(batch)
    consumed = np.concatenate([[0.0], np.cumsum(batch)])[first - 1].astype(np.int64)
    pairs = zip(consumed.tolist(), sizes.astype(np.int64).tolist(), strict=True)
    if sequence_length is not None:
        return " ".join(f"{samples * sequence_length}:{size}" for samples, size in pairs)
    return " ".join(f"$(({samples} * SEQ_LENGTH)):{size}" for samples, size in pairs)


def write(job: Job) -> Exported:
    """A shell file with an array of arguments."""
    batch, said = _batches(job)
    near = job.nearest(STYLES if batch is None else _Styles(_samples(batch)).all())
    notes = (said,) if said else ()
    one_size = "The rates hold for one global batch size throughout. " if batch is None else ""
    head = job.header(
        [
            "Learning-rate schedule for Megatron-LM: arguments of its nearest style.",
            "",
            *gap_lines(near),
        ],
        [
            'source this file, then: pretrain_gpt.py "${SCHEDULE_ARGS[@]}" ...',
            "",
            f"{one_size}A checkpoint keeps these values"
            " and a run that loads it insists on them: to give a running job this schedule, add"
            " --override-opt-param-scheduler. Megatron logs the rate of the next update.",
            *notes,
        ],
        knots=False,
    )
    array = shell_array(near.arguments)
    before: list[str] = []
    if batch is not None:
        length = job.schedule.sequence_length
        array.insert(-1, f'    --step-batch-size-schedule "{_step_schedule(batch, length)}"')
        if length is None:
            before = [
                ': "${SEQ_LENGTH:?set it to the value of --seq-length, which thresholds use}"'
            ]
    text = "\n".join(["#!/usr/bin/env bash", head, "", *before, *array, ""])
    return Exported(
        "megatron",
        text.encode("utf-8"),
        near.exact,
        job.pieces,
        near,
        'source FILE; pretrain_gpt.py "${SCHEDULE_ARGS[@]}" ...',
        notes,
    )
