"""What is known of a run besides its rows, and who says so.

Three places, the first that knows wins: the caller's arguments, ``# key: value`` comments at the
head of the log, and the run's entry in a ``meta.json`` beside it::

    {"runs": {"wsd_3": {"warmup_steps": 300, "weight_decay": 0.1, "params": 124e6}}}
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

from losslaw.errors import InputError

SIDECAR = "meta.json"

# Names under which comments and sidecars give each fact.
KEYS = {
    "warmup": ("warmup", "warmup_steps", "warmup_updates"),
    "lr_is": ("lr_is",),
    "weight_decay": ("weight_decay",),
    "batch": ("batch", "batch_size"),
    "tokens_per_update": ("tokens_per_update",),
    "sequence_length": ("sequence_length", "seq_len", "context"),
    "model_size": ("model_size", "params"),
}


@dataclass(frozen=True)
class Facts:
    """What is known of a run; ``None`` where nobody says.

    Args:
        warmup: Updates of warm-up, >= 0.
        lr_is: Whether a logged rate is that of the update just done ("used") or of the "next" one.
        weight_decay: Decoupled weight decay, >= 0.
        batch: Sequences in each update, > 0.
        tokens_per_update: Tokens in each update, > 0.
        sequence_length: Tokens in a sequence, >= 1.
        model_size: Parameters, > 0.
    """

    warmup: int | None = None
    lr_is: str | None = None
    weight_decay: float | None = None
    batch: float | None = None
    tokens_per_update: float | None = None
    sequence_length: int | None = None
    model_size: float | None = None

    def or_else(self, other: "Facts") -> "Facts":
        """These facts, and where they are silent those of ``other``."""
        return replace(
            self,
            **{
                field.name: getattr(other, field.name)
                for field in fields(self)
                if getattr(self, field.name) is None
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

    def value(fact: str) -> Any:
        return next((values[key] for key in KEYS[fact] if values.get(key) is not None), None)

    def number(fact: str, expected: str, *, whole: bool = False, zero: bool = False) -> Any:
        given = value(fact)
        if given is None:
            return None
        try:
            result = float(given)
        except (TypeError, ValueError):
            result = math.nan
        fits = math.isfinite(result) and (result > 0 or (zero and result == 0))
        if isinstance(given, bool) or not fits or (whole and not result.is_integer()):
            raise InputError(f"{where}: {fact} is {given!r}, expected {expected}")
        return int(result) if whole else result

    lr_is = value("lr_is")
    if lr_is not in (None, "used", "next"):
        raise InputError(
            f"{where}: lr_is is {lr_is!r}, expected 'used' (the rate of the update just done)"
            " or 'next' (of the following one)"
        )
    return Facts(
        warmup=number("warmup", "a whole number of updates, 0 or above", whole=True, zero=True),
        lr_is=lr_is,
        weight_decay=number("weight_decay", "a number, 0 or above", zero=True),
        batch=number("batch", "a number above 0"),
        tokens_per_update=number("tokens_per_update", "a number above 0"),
        sequence_length=number("sequence_length", "a whole number above 0", whole=True),
        model_size=number("model_size", "a number above 0"),
    )


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
        raise InputError(f"{path}: cannot be read; mend it or move it away") from None
    return facts_in(text, log.stem, str(path))


def facts_in(text: str, run: str, where: str) -> Facts:
    """Facts of ``run`` in the text of a ``meta.json``; see `sidecar_facts`."""
    try:
        meta: Any = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where}: damaged JSON ({error}); mend it or move it away") from None
    runs: Any = cast(dict[str, Any], meta).get("runs", {}) if isinstance(meta, dict) else None
    entry: Any = cast(dict[str, Any], runs).get(run, {}) if isinstance(runs, dict) else None
    if not isinstance(entry, dict):
        raise InputError(
            f'{where}: expected {{"runs": {{"{run}": {{...}}}}}} with one object a run;'
            " mend it or move it away"
        )
    model: Any = cast(dict[str, Any], meta).get("model")
    shared = cast(dict[str, Any], model) if isinstance(model, dict) else {}
    # What all runs share: only the context length is read from there.
    values = {"context": shared.get("context"), **cast(dict[str, Any], entry)}
    return facts_from(values, f"{where}, run {run!r}")
