"""What a trainer was told (its config), as trackers keep it: facts of a run under many names.

Names may have parts, set apart by ``/`` or ``.``; the last one counts, and of two names with the
same last part the shorter.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from losslaw.files import number_in
from losslaw.logs.optimizer import optimizer_named
from losslaw.logs.run_facts import Facts
from losslaw.numerics.magnitudes import DECAY, MODEL_SIZE

# Names of settings that give the updates of the whole run, and other facts.
HORIZON = (
    "max_steps", "total_steps", "max_iters", "train_iters", "train_steps", "total_train_steps",
    "num_train_steps", "num_training_steps", "max_train_steps", "num_iterations", "total_iters",
    "max_iterations", "total_iterations", "num_steps", "max_updates",
)  # fmt: skip
SETTINGS = {
    "warmup": (
        "warmup_steps", "warmup_iters", "num_warmup_steps", "lr_warmup_iters", "lr_warmup_steps",
        "warmup_updates",
    ),
    "weight_decay": ("weight_decay", "adam_weight_decay", "wd"),
    "batch": ("global_batch_size", "total_train_batch_size"),
    "tokens_per_update": ("tokens_per_update", "tokens_per_step", "tokens_per_iter"),
    "sequence_length": (
        "sequence_length", "seq_length", "seq_len", "block_size", "context_length",
    ),
    "model_size": (
        "num_parameters", "num_params", "n_params", "total_params", "model_size", "params",
    ),
}  # fmt: skip
# Settings that name the optimiser, by the last part of their names or by the last two.
OPTIMIZER = re.compile(
    r"(?:.*[./])?(?:optimizer(?:_name|_type)?|optim(?:_name|_type)?|opt_type"
    r"|optim(?:izer)?[./](?:_target_|class_name|name|type))",
    re.IGNORECASE,
)
DECOUPLED = ("decoupled_weight_decay", "adam_w_mode")
# Updates from one logged row to the next.
EVERY = (
    "log_interval", "logging_steps", "log_every", "log_every_n_steps", "log_freq",
    "log_frequency", "logging_interval",
)  # fmt: skip


def facts_of(settings: Mapping[str, object]) -> tuple[Facts, int | None]:
    """What the settings of a trainer say of a run, and the updates of the whole run.

    >>> facts_of({"trainer.max_steps": "900", "optim/weight_decay": 0.1, "warmup_steps": 0.02})
    ... # doctest: +ELLIPSIS
    (Facts(warmup=None, ..., weight_decay=0.1, ...), 900)
    """
    numbers = _numbers(settings)
    known: dict[str, Any] = {}
    for fact, names in SETTINGS.items():
        if fact in ("warmup", "sequence_length"):
            value = _whole(numbers, names)
        else:
            low, high = (0, DECAY.high) if fact == "weight_decay" else (1, MODEL_SIZE.high)
            value = next((numbers[n] for n in names if low <= numbers.get(n, -1) <= high), None)
        known[fact] = value
    known["optimizer"] = _optimizer(settings)
    return Facts(**known), _whole(numbers, HORIZON)


def _optimizer(settings: Mapping[str, object]) -> str | None:
    """The name of the optimiser, of two settings that of the one with a name that is known."""
    names = [
        value
        for name, value in sorted(settings.items(), key=lambda item: len(item[0]))
        if isinstance(value, str) and value and OPTIMIZER.fullmatch(name)
    ]
    name = next(filter(optimizer_named, names), names[0] if names else None)
    decoupled = any(
        re.split(r"[./]", key)[-1].lower() in DECOUPLED and str(value).lower() == "true"
        for key, value in settings.items()
    )
    return optimizer_named(name, decoupled=True) if name and decoupled else name


def logged_every(settings: Mapping[str, object]) -> int | None:
    """Updates from one logged row to the next, where the settings say more than one."""
    every = _whole(_numbers(settings), EVERY)
    return every if every is not None and every > 1 else None


def _whole(numbers: Mapping[str, float], names: Iterable[str]) -> int | None:
    """The first of these settings that is a whole number above 0."""
    values = (numbers.get(name, 0) for name in names)
    return next((int(x) for x in values if 1 <= x < 2**53 and x == int(x)), None)


def _numbers(settings: Mapping[str, object]) -> dict[str, float]:
    """The settings that are finite numbers, by the last part of their names."""
    parts = {name: re.split(r"[./]", name) for name in settings}
    found: dict[str, float] = {}
    for name in sorted(parts, key=lambda name: (len(parts[name]), name), reverse=True):
        value = settings[name]
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        try:
            number = number_in(value) if isinstance(value, str) else float(value)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(number):
            found[parts[name][-1].lower()] = number
    return found
