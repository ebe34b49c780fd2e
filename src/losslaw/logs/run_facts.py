"""What is known of a run besides its rows, and who says so.

Three places, the first that knows wins: the caller's arguments, ``# key: value`` comments at the
head of the log or what a trainer wrote there, and the run's entry in a ``meta.json`` beside it,
which also overrules what is only usual of a trainer's rates and losses::

    {"runs": {"wsd_3": {"warmup_steps": 300, "weight_decay": 0.1, "params": 124e6}}}

A ``"unit": "samples"`` or ``"tokens"`` there says that ``warmup`` counts those; it is made updates.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from msgspec import Meta

from losslaw.errors import InputError
from losslaw.files import number_in
from losslaw.files.checked import convert, decode_json
from losslaw.numerics.magnitudes import BATCH, DECAY, MODEL_SIZE

SIDECAR = "meta.json"
WAY_OUT = "mend it or move it away"

Batch = Annotated[float, Meta(ge=BATCH.low, le=BATCH.high)]
Decay = Annotated[float, Meta(ge=DECAY.low, le=DECAY.high)]
Size = Annotated[float, Meta(ge=MODEL_SIZE.low, le=MODEL_SIZE.high)]

# What a warm-up may count, besides updates.
UNITS = ("samples", "sequences", "tokens")

# Names under which comments and sidecars give each fact.
KEYS = {
    "warmup": ("warmup", "warmup_steps", "warmup_updates"),
    "lr_is": ("lr_is",),
    "loss_is": ("loss_is",),
    "loss_unit": ("loss_unit",),
    "weight_decay": ("weight_decay",),
    "batch": ("batch", "batch_size", "batch_sequences"),
    "tokens_per_update": ("tokens_per_update",),
    "sequence_length": ("sequence_length", "seq_len", "context"),
    "model_size": ("model_size", "params"),
    "optimizer": ("optimizer", "optim", "opt"),
}


@dataclass(frozen=True)
class Facts:
    """What is known of a run; ``None`` where nobody says.

    Args:
        warmup: Updates of warm-up, >= 0.
        lr_is: Whether a logged rate is that of the update just done ("used") or of the "next" one.
        loss_is: Whether a logged loss is "instant" or the "mean" since the one before it.
        loss_unit: What losses are measured in, such as "bits per byte".
        weight_decay: Decoupled weight decay, >= 0.
        batch: Sequences in each update, > 0.
        tokens_per_update: Tokens in each update, > 0.
        sequence_length: Tokens in a sequence, >= 1.
        model_size: Parameters, > 0.
        optimizer: Name of the optimiser, as it was written.
    """

    warmup: Annotated[int, Meta(ge=0)] | None = None
    lr_is: (
        Annotated[
            Literal["used", "next"],
            Meta(
                description="'used' (the rate of the update just done) or 'next' (of the following"
                " one)"
            ),
        ]
        | None
    ) = None
    loss_is: (
        Annotated[
            Literal["instant", "mean"],
            Meta(
                description="'instant' (the loss of one update) or 'mean' (over the updates since"
                " the loss before it)"
            ),
        ]
        | None
    ) = None
    loss_unit: str | None = None
    weight_decay: Decay | None = None
    batch: Batch | None = None
    tokens_per_update: Batch | None = None
    sequence_length: Annotated[int, Meta(ge=1)] | None = None
    model_size: Size | None = None
    optimizer: str | None = None

    def or_else(self, other: "Facts") -> "Facts":
        """These facts, and where they are silent those of ``other``."""
        return replace(
            self,
            **{
                each.name: getattr(other, each.name)
                for each in fields(self)
                if getattr(self, each.name) is None
            },
        )

    @property
    def sequences(self) -> float | None:
        """Sequences in each update, from the batch or from tokens and sequence length."""
        if self.batch is None and self.tokens_per_update and self.sequence_length:
            return self.tokens_per_update / self.sequence_length
        return self.batch


def facts_from(values: Mapping[str, Any], where: str) -> Facts:
    """Facts out of named values (arguments, comments, JSON); other names are not looked at.

    Raises:
        InputError: a value that the fact cannot have; ``where`` begins the message.
    """
    given = {
        fact: _number(values[key])
        for fact, keys in KEYS.items()
        for key in reversed(keys)  # the first name that has a value wins
        if values.get(key) is not None
    }
    return convert(given, Facts, where)


def _number(value: Any) -> Any:
    """A value that says a number as one, whatever it was written in; others as they are."""
    try:
        number = number_in(value) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        return value
    if isinstance(value, bool):
        return value
    return int(number) if number.is_integer() else number


def sidecar_facts(log: Path) -> Facts:
    """Facts of the run from the ``meta.json`` in its folder; none if there is no such file.

    Raises:
        InputError: the file is damaged, or a value makes no sense.
    """
    path = log.parent / SIDECAR
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Facts()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read; {WAY_OUT}") from None
    return facts_in(text, log.stem, str(path))


@dataclass(frozen=True)
class _Sidecar:
    """What is read of a ``meta.json``; of ``model`` only what all runs share."""

    runs: dict[str, object] = field(default_factory=dict[str, object])
    model: object = None


def facts_in(text: str, run: str, where: str) -> Facts:
    """Facts of ``run`` in the text of a ``meta.json``; see `sidecar_facts`."""
    sidecar = decode_json(text, _Sidecar, where, WAY_OUT)
    name = f"{where}, run {run!r}"
    entry = convert(sidecar.runs.get(run, {}), dict[str, object], name, WAY_OUT)
    model = sidecar.model
    shared = cast(dict[str, object], model) if isinstance(model, dict) else {}
    common = {key: shared.get(key) for key in ("context", "optimizer")}
    facts = facts_from({**common, **entry}, name)
    unit = entry.get("unit")
    if facts.warmup is None or unit not in UNITS:
        return facts
    size = facts.batch if unit != "tokens" else facts.tokens_per_update
    if size is None:
        raise InputError(
            f"{name}: the warm-up counts {unit}, and how many an update has is not said: add"
            f" {'tokens_per_update' if unit == 'tokens' else 'batch'}, or give it in updates"
        )
    return replace(facts, warmup=math.ceil(facts.warmup / size))
