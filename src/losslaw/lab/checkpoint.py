"""Checkpoints that any schedule with the same past may continue.

A checkpoint holds the weights, the optimiser's moments, the losses seen so far, and the *past*: the
rate, weight decay and batch of every update done. It may be continued under every schedule that
begins with exactly that past, on the same text, with the same model, seed and evaluation interval.
Resuming an interrupted run is the case where the schedule is the old one; branching a cooldown off
a constant run is the other case, and gives bit for bit the losses of the whole run.
"""

import io
import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from losslaw.errors import InputError
from losslaw.files import write_bytes
from losslaw.lab.config import LabConfig
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule

FORMAT = "losslaw.lab"
VERSION = 2  # 1 had no norms
WORDS = {"lr": "rate", "weight_decay": "weight decay", "batch": "batch"}


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A run after ``step`` updates.

    Attributes:
        config: The run's sizes, constants and seed.
        text: Digest of the text.
        every: Evaluation interval, updates.
        past: ``lr``, ``weight_decay`` and ``batch`` of the updates done. Each of shape ``(step,)``.
        steps: Steps at which the validation loss was seen.
        losses: Those losses, nats per token.
        norms: Squared norms at those steps, from `Learner.norms`.
        seconds: Time spent on it since ``shared``.
        shared: Updates taken over from another run's checkpoint.
        learner: Weights and moments, from `Learner.state`.
    """

    config: LabConfig
    text: str
    every: int
    past: Mapping[str, FloatArray]
    steps: list[int]
    losses: list[float]
    norms: list[tuple[float, float]]
    seconds: float
    shared: int
    learner: dict[str, Any]

    @property
    def step(self) -> int:
        """Updates done."""
        return self.past["lr"].size

    def save(self, path: Path) -> None:
        """Write the checkpoint in one step, so that a crash leaves the one before."""
        record = {
            "format": FORMAT,
            "version": VERSION,
            "config": self.config.as_dict(),
            "text": self.text,
            "every": self.every,
            "past": {name: torch.tensor(values) for name, values in self.past.items()},
            "steps": self.steps,
            "losses": self.losses,
            "norms": self.norms,
            "seconds": self.seconds,
            "shared": self.shared,
            "learner": self.learner,
        }
        stream = io.BytesIO()
        torch.save(record, stream)
        write_bytes(path, stream.getvalue())

    def require(
        self, path: Path, schedule: Schedule, config: LabConfig, text: str, every: int
    ) -> None:
        """Refuse to continue under anything but the same run with the same past.

        Args:
            path: Where the checkpoint came from, for the message.
            schedule: With batch and weight decay known.
            config: Sizes, constants and seed.
            text: Digest of the text.
            every: Evaluation interval, updates.

        Raises:
            InputError: the checkpoint is of another run; the line says what differs.
        """
        what = self._difference(schedule, config, text, every)
        if what is not None:
            raise InputError(
                f"checkpoint {path} is of another run: {what}; delete it or choose another output"
            )

    def _difference(
        self, schedule: Schedule, config: LabConfig, text: str, every: int
    ) -> str | None:
        ours, theirs = config.as_dict(), self.config.as_dict()
        for name in ours:
            if ours[name] != theirs[name]:
                return f"{name} was {theirs[name]}, now {ours[name]}"
        if self.text != text:
            return f"its text has sha256 {self.text[:12]}..., this one {text[:12]}..."
        if self.every != every:
            return f"its loss was seen every {self.every} updates, now every {every}"
        if self.step > schedule.horizon:
            return f"it has done {self.step} updates, the schedule has {schedule.horizon}"
        for name, values in self.past.items():
            differ = np.flatnonzero(values != getattr(schedule, name)[: self.step])
            if differ.size:
                k = int(differ[0])
                return (
                    f"update {k + 1} had {WORDS[name]} {values[k]:.10g},"
                    f" the schedule says {getattr(schedule, name)[k]:.10g}"
                )
        return None


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are unpickled.

    Raises:
        InputError: the file is missing, damaged, something else, or of a newer version.
    """
    try:
        loaded: object = torch.load(path, weights_only=True)
    except FileNotFoundError:
        raise InputError(f"no checkpoint at {path}") from None
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError):
        raise InputError(f"checkpoint {path} is damaged or not a checkpoint: delete it") from None
    raw = cast(dict[str, Any], loaded if isinstance(loaded, dict) else {})
    if raw.get("format") != FORMAT:
        raise InputError(f"{path} is not a checkpoint of the lab")
    if raw.get("version") not in (1, VERSION):
        raise InputError(
            f"checkpoint {path} has version {raw.get('version')}, this program reads 1 to {VERSION}"
        )
    return Checkpoint(
        config=LabConfig(**raw["config"]),
        text=raw["text"],
        every=raw["every"],
        past={name: values.numpy() for name, values in raw["past"].items()},
        steps=raw["steps"],
        losses=raw["losses"],
        norms=raw.get("norms", [(math.nan, math.nan)] * len(raw["losses"])),
        seconds=raw["seconds"],
        shared=raw["shared"],
        learner=raw["learner"],
    )
