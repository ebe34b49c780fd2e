"""Train one small language model under a schedule and keep its validation-loss curve.

The loop holds the house convention: update ``k`` uses ``lr[k - 1]``, and the loss at step ``s`` is
seen after ``s`` updates, on a validation set that never changes. The curve's file is rewritten
whole after every evaluation, so it can be read at any time. Ctrl-C is noticed *between* updates: a
checkpoint of a whole number of updates is saved, and the same call continues from it with the
losses it would have had.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from losslaw.errors import InputError, MissingExtra
from losslaw.files import write_text
from losslaw.lab.config import LabConfig
from losslaw.lab.text import Text, standard_library
from losslaw.schedules import Schedule

if TYPE_CHECKING:
    from losslaw.lab.checkpoint import Checkpoint
    from losslaw.lab.learner import Learner

CHECKPOINT_EVERY = 500
"""Updates between checkpoints: about half a minute of work at the default size."""

EVERY = 50
"""Updates between evaluations."""

Progress = Callable[[int, float | None], None]


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C was pressed; the run stands saved and the same call continues it."""

    def __init__(self, step: int, horizon: int, checkpoint: Path | None) -> None:
        self.step = step
        self.horizon = horizon
        self.checkpoint = checkpoint
        way_on = "nothing was saved"
        if checkpoint is not None:
            way_on = f"run the same command again to resume from {checkpoint}"
        super().__init__(f"stopped after update {step} of {horizon}; {way_on}")


@dataclass(frozen=True)
class TrainedRun:
    """What one run gave.

    Args:
        schedule: The schedule it ran under.
        config: Sizes, constants and seed.
        steps: Steps at which the loss was seen.
        losses: Validation loss at those steps, nats per token.
        params: Trained parameters of the model.
        seconds: Time spent, in all sessions, evaluation included; work done before the checkpoint
            a run was branched from is not counted.
        start: Updates that were taken over from another run's checkpoint.
    """

    schedule: Schedule
    config: LabConfig
    steps: NDArray[np.int64]
    losses: NDArray[np.float64]
    params: int
    seconds: float
    start: int

    @property
    def csv(self) -> str:
        """Table ``step,lr,loss``; ``lr`` is the rate that update ``step`` used."""
        return curve_csv(self.schedule, self.steps.tolist(), self.losses.tolist())


def curve_csv(schedule: Schedule, steps: list[int], losses: list[float]) -> str:
    """A loss curve as the text of a CSV file, ``step,lr,loss``."""
    rows = (
        f"{step},{schedule.lr[step - 1]:.10g},{loss:.6f}"
        for step, loss in zip(steps, losses, strict=True)
    )
    return "\n".join(["step,lr,loss", *rows]) + "\n"


def train(
    schedule: Schedule,
    config: LabConfig | None = None,
    *,
    text: Text | None = None,
    every: int = EVERY,
    out: Path | None = None,
    checkpoint: Path | None = None,
    branch_from: Path | None = None,
    keep: Collection[int] = (),
    progress: Progress | None = None,
) -> TrainedRun:
    """Train a small language model under ``schedule``; resumes by itself from ``checkpoint``.

    Args:
        schedule: Rates, and if it has them the weight decays, of every update. Its batch sizes are
            not used: every update has ``config.batch`` sequences.
        config: Sizes, constants, seed; the bundle's by default.
        text: What to train on; the standard library's sources by default.
        every: Updates between evaluations; the last step is always evaluated.
        out: CSV file of the curve, rewritten after every evaluation.
        checkpoint: File to resume from where it exists, and to save to. It is left in place.
        branch_from: Checkpoint of another run with the same first rates, used where ``checkpoint``
            does not exist yet.
        keep: Steps after which a copy is kept beside ``checkpoint``; see :func:`kept_checkpoint`.
        progress: Called after every update with the step and, if just evaluated, the loss.

    Returns:
        The run with its losses.

    Raises:
        MissingExtra: If torch is not installed.
        InputError: If ``every`` is not positive, a checkpoint is of another run, or a file cannot
            be written.
        TrainingInterrupted: On Ctrl-C, after a checkpoint was saved.

    Example (a minute on one core)::

        schedule = ll.parse_schedule("wsd:peak=3e-3,horizon=1000,warmup=100,cooldown=0.2,final=0")
        run = train(schedule, out=Path("wsd.csv"), checkpoint=Path("wsd.pt"))
        run.losses[-1]
    """
    require_torch()
    from losslaw.lab.checkpoint import Checkpoint, load_checkpoint
    from losslaw.lab.learner import Learner

    if every < 1:
        raise InputError(f"the evaluation interval is at least 1 update: {every}")
    config = config or LabConfig()
    text = text or standard_library()
    digest = text.sha256
    decay = schedule.weight_decay
    if decay is None:
        decay = np.full(schedule.horizon, config.weight_decay)
    learner = Learner(config, text.validation_windows(config.validation_windows, config.context))
    steps: list[int] = []
    losses: list[float] = []
    done, start, spent = 0, 0, 0.0

    resumed = checkpoint is not None and checkpoint.exists()
    source = checkpoint if resumed else branch_from
    if source is not None:
        past = load_checkpoint(source)
        past.require(source, config, digest, every, schedule.lr, decay)
        learner.load(past.learner)
        # The last step of a shorter run may be off this run's grid.
        seen = [(s, x) for s, x in zip(past.steps, past.losses, strict=True) if s % every == 0]
        steps, losses = [s for s, _ in seen], [x for _, x in seen]
        done = past.step
        start, spent = (past.start, past.seconds) if resumed else (done, 0.0)
    began = time.monotonic() - spent

    def save(path: Path) -> None:
        state = learner.state()
        Checkpoint(
            config=config,
            text=digest,
            every=every,
            lr=schedule.lr[:done],
            weight_decay=decay[:done],
            steps=steps,
            losses=losses,
            seconds=time.monotonic() - began,
            start=start,
            learner=state,
        ).save(path)

    with _interruption() as interrupted:
        while done < schedule.horizon:
            windows = text.batch(config.seed, done + 1, config.batch, config.context)
            learner.update(windows, float(schedule.lr[done]), float(decay[done]))
            done += 1
            seen_now = None
            if done % every == 0 or done == schedule.horizon:
                seen_now = learner.validation_loss()
                steps.append(done)
                losses.append(seen_now)
                if out is not None:
                    write_text(out, curve_csv(schedule, steps, losses))
            if checkpoint is not None:
                if done % CHECKPOINT_EVERY == 0 or done == schedule.horizon or interrupted():
                    save(checkpoint)
                if done in keep:
                    save(kept_checkpoint(checkpoint, done))
            if progress is not None:
                progress(done, seen_now)
            if interrupted() and done < schedule.horizon:
                raise TrainingInterrupted(done, schedule.horizon, checkpoint)

    if out is not None and not out.exists():
        write_text(out, curve_csv(schedule, steps, losses))
    return TrainedRun(
        schedule=schedule,
        config=config,
        steps=np.asarray(steps, dtype=np.int64),
        losses=np.asarray(losses),
        params=learner.params,
        seconds=time.monotonic() - began,
        start=start,
    )
