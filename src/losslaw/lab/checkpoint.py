"""Checkpoints that any schedule with the same past may continue.

A checkpoint holds the weights, the optimiser's moments, the losses seen so far, and the *rates used
so far*. It may be continued under every schedule that begins with exactly those rates, on the same
text, with the same model, seed and evaluation interval. Resuming an interrupted run is the case
where the schedule is the old one; branching a cooldown off a constant run is the other case, and
gives bit for bit the losses of the whole run.
"""

# torch.save and torch.load are typed loosely.
# pyright: reportUnknownVariableType=false
from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from losslaw.errors import InputError
from losslaw.files import write_bytes
from losslaw.lab.config import LabConfig

FORMAT = "losslaw.lab"
VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A run after ``step`` updates.

    Args:
        config: The run's sizes, constants and seed.
        text: Digest of the text.
        every: Evaluation interval, updates.
        lr: Rates used so far. Shape ``(step,)``.
        weight_decay: Weight decays used so far. Shape ``(step,)``.
        steps: Steps at which the validation loss was seen.
        losses: Those losses, nats per token.
        seconds: Time spent on it.
        learner: Weights and moments, from ``Learner.state``.
    """

    config: LabConfig
    text: str
    every: int
    lr: NDArray[np.float64]
    weight_decay: NDArray[np.float64]
    steps: list[int]
    losses: list[float]
    seconds: float
    learner: dict[str, Any]

    @property
    def step(self) -> int:
        """Updates done."""
        return self.lr.size

    def save(self, path: Path) -> None:
        """Write the checkpoint in one step, so that a crash leaves the one before."""
        stream = io.BytesIO()
        torch.save(
            {
                "format": FORMAT,
                "version": VERSION,
                "config": self.config.as_dict(),
                "text": self.text,
                "every": self.every,
                "lr": torch.from_numpy(self.lr),
                "weight_decay": torch.from_numpy(self.weight_decay),
                "steps": self.steps,
                "losses": self.losses,
                "seconds": self.seconds,
                "learner": self.learner,
            },
            stream,
        )
        write_bytes(path, stream.getvalue())

    def require(
        self,
        path: Path,
        config: LabConfig,
        text: str,
        every: int,
        lr: NDArray[np.float64],
        weight_decay: NDArray[np.float64],
    ) -> None:
        """Refuse to continue under anything but the same run with the same past.

        Raises:
            InputError: If the checkpoint belongs to another run; the line says what differs.
        """
        if self.config != config:
            ours, theirs = config.as_dict(), self.config.as_dict()
            name = next(key for key in ours if ours[key] != theirs[key])
            what = f"{name} was {theirs[name]}, now {ours[name]}"
        elif self.text != text:
            what = f"its text has sha256 {self.text[:12]}..., this one {text[:12]}..."
        elif self.every != every:
            what = f"its loss was seen every {self.every} updates, now every {every}"
        elif self.step > lr.size:
            what = f"it has done {self.step} updates, the schedule has {lr.size}"
        elif (update := _first_difference(self.lr, lr)) is not None:
            what = (
                f"update {update + 1} used rate {self.lr[update]:.10g}, "
                f"the schedule says {lr[update]:.10g}"
            )
        elif (update := _first_difference(self.weight_decay, weight_decay)) is not None:
            what = (
                f"update {update + 1} used weight decay {self.weight_decay[update]:g}, "
                f"now {weight_decay[update]:g}"
            )
        else:
            return
        raise InputError(
            f"checkpoint {path} is of another run: {what}; delete it or choose another output"
        )


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are unpickled.

    Raises:
        InputError: If the file is damaged, is something else, or is of a newer version.
    """
    try:
        raw = torch.load(path, weights_only=True)
    except FileNotFoundError:
        raise InputError(f"no checkpoint at {path}") from None
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError):
        raise InputError(f"checkpoint {path} is damaged or not a checkpoint: delete it") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise InputError(f"{path} is not a checkpoint of the lab")
    if raw.get("version") != VERSION:
        raise InputError(
            f"checkpoint {path} has version {raw.get('version')}, this program reads {VERSION}"
        )
    return Checkpoint(
        config=LabConfig(**raw["config"]),
        text=raw["text"],
        every=raw["every"],
        lr=raw["lr"].numpy(),
        weight_decay=raw["weight_decay"].numpy(),
        steps=raw["steps"],
        losses=raw["losses"],
        seconds=raw["seconds"],
        learner=raw["learner"],
    )


def _first_difference(past: NDArray[np.float64], plan: NDArray[np.float64]) -> int | None:
    differ = np.flatnonzero(past != plan[: past.size])
    return int(differ[0]) if differ.size else None
