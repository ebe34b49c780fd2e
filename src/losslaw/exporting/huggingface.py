"""Hugging Face Trainer: its own scheduler where one of them is the schedule, else ``LambdaLR``.

Every scheduler there is a LambdaLR of s = k - 1 updates done (transformers 5.23,
``optimization.py``; `get_scheduler` is what Trainer calls, with ``num_training_steps`` =
``max_steps`` = n):

* ``linear``, ``cosine``, ``cosine_with_min_lr``, ``constant_with_warmup``: s / W during the
  warm-up, so that update 1 has rate 0; then the fall at z = (s - W) / (n - W), which stops short of
  its end by one update.
* ``cosine_warmup_with_min_lr``: (s + 1) / W, and z = (s - W + 1) / (n - W): the cosine of this
  package.
* ``warmup_stable_decay``: warm-up from the floor, ``num_stable_steps`` at the peak, then
  z = (s - W - stable) / D. Without ``num_stable_steps`` it is n - W - D; with one less the floor is
  reached by the last update.
* ``inverse_sqrt``: 1 / sqrt((s - W + timescale) / timescale).
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.pytorch import MAKE_SCHEDULER, exported, relative_rate
from losslaw.exporting.styles import ArgumentsOf, Phases, PhasesOf, Rates, Setting, Style, fall
from losslaw.exporting.text import comment, number, python_value
from losslaw.numerics.arrays import FloatArray


def _ramp(k: FloatArray, warmup: int) -> tuple[FloatArray, FloatArray]:
    """Updates done, and the rise s / W."""
    s = k - 1
    return s, s / max(warmup, 1)


def _whole(shape: str, ahead: int = 0) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, _ = setting
        s = k - 1
        z = (s + ahead - warmup) / max(1, n - warmup)
        return Phases(s < warmup, (s + ahead) / max(warmup, 1), fall(shape, z))

    return phases


def _constant(setting: Setting, k: FloatArray) -> Phases:
    s, rise = _ramp(k, setting[1])
    return Phases(s < setting[1], rise, np.ones_like(s))


def _stable(shape: str, early: int) -> PhasesOf:
    def phases(setting: Setting, k: FloatArray) -> Phases:
        n, warmup, decay = setting
        s, rise = _ramp(k, warmup)
        z = (s - (n - early - decay)) / decay
        return Phases(s < warmup, rise, fall(shape, z))

    return phases


def _inverse_sqrt(setting: Setting, k: FloatArray) -> Phases:
    _, warmup, timescale = setting
    s, rise = _ramp(k, warmup)
    return Phases(
        s < warmup, rise, 1 / np.sqrt(np.maximum(s - warmup + timescale, 1) / max(timescale, 1))
    )


def _arguments(
    name: str, floor: str | None = None, decay_type: str = "", early: int = 0
) -> ArgumentsOf:
    def arguments(setting: Setting, rates: Rates) -> dict[str, object]:
        n, warmup, decay = setting
        kwargs: dict[str, object] = {}
        if name == "inverse_sqrt":
            kwargs["timescale"] = decay
        if decay_type:
            kwargs["num_decay_steps"] = decay
            if early:
                kwargs["num_stable_steps"] = n - early - warmup - decay
            kwargs["decay_type"] = decay_type
        if floor is not None:
            kwargs[floor] = float(number(rates.floor / rates.peak)) if rates.peak else 0.0
        told: dict[str, object] = {
            "learning_rate": rates.peak,
            "max_steps": n,
            "lr_scheduler_type": name,
            "warmup_steps": warmup,
        }
        return told | ({"lr_scheduler_kwargs": kwargs} if kwargs else {})

    return arguments


STYLES = (
    Style(
        "constant_with_warmup", _constant, _arguments("constant_with_warmup"), floor=False, room=0
    ),
    Style("linear", _whole("linear"), _arguments("linear"), floor=False),
    Style("cosine", _whole("cosine"), _arguments("cosine"), floor=False),
    Style(
        "cosine_with_min_lr",
        _whole("cosine"),
        _arguments("cosine_with_min_lr", "min_lr_rate"),
    ),
    Style(
        "cosine_warmup_with_min_lr",
        _whole("cosine", ahead=1),
        _arguments("cosine_warmup_with_min_lr", "min_lr_rate"),
    ),
    *(
        Style(
            "warmup_stable_decay",
            _stable(shape, early),
            _arguments("warmup_stable_decay", "min_lr_ratio", shape, early),
            start="floor",
            decays=True,
            room=early,
            decay_type=shape,
        )
        for shape in ("linear", "cosine", "1-sqrt")
        for early in (0, 1)
    ),
    Style(
        "inverse_sqrt",
        _inverse_sqrt,
        _arguments("inverse_sqrt"),
        floor=False,
        decays=True,
    ),
)

BATCH = (
    "the batch size changes along the schedule and Trainer feeds one: batch_size(step) is for a"
    " data loader of your own"
)
TITLE = "Learning-rate schedule for the Hugging Face Trainer."


def write(job: Job) -> Exported:
    """Arguments where a scheduler of transformers is the schedule, else a module with LambdaLR."""
    near = job.nearest(STYLES)
    told = f"TRAINING_ARGUMENTS = {python_value(near.arguments)}\n"
    if near.exact:
        usage = ['args = TrainingArguments(output_dir="out", **TRAINING_ARGUMENTS)']
        kwargs = near.arguments.get("lr_scheduler_kwargs")
        if isinstance(kwargs, dict) and "num_stable_steps" in kwargs:
            usage += ["", "(transformers warns that num_stable_steps is used; it is meant to be.)"]
        head = job.header([TITLE, *gap_lines(near)], usage, knots=False)
        done = exported(job, "hf", f"{head}\n\n{told}", "")
        step = "TrainingArguments(output_dir=..., **TRAINING_ARGUMENTS)"
        note = ("the batch size changes along the schedule and Trainer feeds one",)
        notes = note if job.batch_changes else ()
        return Exported("hf", done.data, True, job.pieces, near, step, notes)
    head = job.header(
        [TITLE],
        [
            "optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK)",
            "trainer = Trainer(model=model, args=args,",
            "                  optimizers=(optimizer, make_scheduler(optimizer)))",
            "",
            "with max_steps=HORIZON in the TrainingArguments; their lr_scheduler_type, warmup_steps"
            " and learning_rate then do nothing. Checkpoints carry the schedule:"
            " trainer.train(resume_from_checkpoint=True) goes on where it was.",
        ],
    )
    body = relative_rate(job, "from torch.optim.lr_scheduler import LambdaLR")
    tail = comment([*gap_lines(near, used=False), "It would be:", "", *told.splitlines()])
    done = exported(job, "hf", f"{head}\n\n{body}\n\n{MAKE_SCHEDULER}\n\n{tail}\n", "")
    step = "Trainer(..., optimizers=(optimizer, make_scheduler(optimizer)))"
    notes = (BATCH,) if job.batch_changes else ()
    return Exported("hf", done.data, True, job.pieces, near, step, notes)
