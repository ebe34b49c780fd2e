"""Train one small language model under a schedule and keep its validation-loss curve.

The loop holds the house convention: update ``k`` uses ``lr[k - 1]``, and the loss at step ``s`` is
seen after ``s`` updates, on a validation set that never changes. The curve's file is rewritten
whole after every evaluation, so it can be read at any time. Ctrl-C is noticed *between* updates: a
checkpoint of a whole number of updates is saved, and the same call continues from it with exactly
the losses it would have had.
"""

import importlib.util
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import InputError, MissingExtra
from losslaw.files import write_text
from losslaw.lab.config import LabConfig
from losslaw.lab.interrupt import interruption
from losslaw.lab.text import Text, standard_library
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule

# Updates between evaluations. At a constant rate of 3e-3 the loss moves by .006-.008 about its
# trend, because the weights do: the figure is the same with 25 and with 260 thousand validation
# tokens. So the time is better spent on more evaluations than on a larger validation set.
EVERY = 25
# Updates between checkpoints: half a minute of work at the default size.
CHECKPOINT_EVERY = 500

Progress = Callable[[int, float | None], None]


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C was pressed; the run stands saved and the same call continues it."""

    def __init__(self, step: int, horizon: int, checkpoint: Path | None):
        self.step = step
        way_on = "nothing was saved"
        if checkpoint is not None:
            way_on = f"run the same command again to resume from {checkpoint}"
        super().__init__(f"stopped after update {step} of {horizon}; {way_on}")


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What one run gave.

    Attributes:
        curve: Validation loss; its schedule carries batch, weight decay and sequence length.
        config: Sizes, constants and seed.
        seconds: Time spent, in all sessions, evaluation included, without that of the shared
            updates.
        shared: Updates taken over from the checkpoint of a run that begins alike.
        norm2: Squared norm of all decayed matrices relative to the start, at the steps of the
            curve; not a number where a checkpoint of an older version did not have it.
            Shape ``(points,)``.
        hidden_norm2: The same of the hidden matrices: all but embedding and positions.
            Shape ``(points,)``.
    """

    curve: LossCurve
    config: LabConfig
    seconds: float
    shared: int
    norm2: FloatArray
    hidden_norm2: FloatArray


def curve_csv(
    schedule: Schedule,
    steps: list[int],
    losses: list[float],
    norms: list[tuple[float, float]],
    notes: Mapping[str, object],
) -> str:
    """A loss curve as a table ``step,lr,loss,norm2,hidden_norm2``.

    ``lr`` is the rate that update ``step`` used, the norms are those of `TrainedRun`.
    """
    head = [f"# {name}: {value}" for name, value in notes.items()]
    rows = [
        f"{step},{schedule.lr[step - 1]:.10g},{loss:.6f},{norm2:.5f},{hidden:.5f}"
        for step, loss, (norm2, hidden) in zip(steps, losses, norms, strict=True)
    ]
    return "\n".join([*head, "step,lr,loss,norm2,hidden_norm2", *rows]) + "\n"


def train(
    schedule: Schedule,
    config: LabConfig | None = None,
    *,
    text: Text | None = None,
    every: int = EVERY,
    label: str = "lab",
    out: Path | None = None,
    notes: Mapping[str, object] | None = None,
    checkpoint: Path | None = None,
    branch_from: Path | None = None,
    keep: Collection[int] = (),
    progress: Progress | None = None,
) -> TrainedRun:
    """Train a small language model under ``schedule``; resumes by itself from ``checkpoint``.

    On one machine, and with one number of threads, equal arguments give equal losses, bit for bit.

    Args:
        schedule: Rate of every update. Where it has no batch or weight decay of its own, those of
            ``config`` are used.
        config: Sizes, constants and seed; by default those of the curves that ship with losslaw.
        text: What to train on; by default the sources of Python's standard library.
        every: Updates between evaluations; the last step is always evaluated.
        label: Name of the curve.
        out: CSV file of the curve, rewritten after every evaluation.
        notes: What is said of the run in comments at the head of ``out``, ``# name: value``.
        checkpoint: File to resume from where it exists, and to save to. It is left in place.
        branch_from: Checkpoint of another run that begins alike, used where ``checkpoint`` does
            not exist yet.
        keep: Steps after which a copy of the checkpoint is kept; see `kept_checkpoint`.
        progress: Called after every update with the step and, where it was just seen, the loss.

    Raises:
        MissingExtra: torch is not installed.
        InputError: ``every`` is below 1, a checkpoint is of another run, or a file cannot be
            written.
        TrainingInterrupted: Ctrl-C, after a checkpoint was saved.

    A minute on one core::

        schedule = ll.wsd(peak=3e-3, horizon=1000, warmup=100, cooldown=0.2)
        run = train(schedule, out=Path("wsd.csv"), checkpoint=Path("wsd.pt"))
        run.curve.final_loss
    """
    require_torch()
    # Here and not above: without torch, the rest of the lab (the plan, the text) still imports.
    from losslaw.lab.checkpoint import Checkpoint, load_checkpoint
    from losslaw.lab.learner import Learner

    if every < 1:
        raise InputError(f"the evaluation interval is {every} updates, expected at least 1")
    for path in (out, checkpoint):
        if path is not None and not path.parent.is_dir():
            raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    config = config or LabConfig()
    text = text or standard_library()
    plan = complete(schedule, config)
    lr, weight_decay, batch = past_of(plan).values()
    learner = Learner(config, text.validation_windows(config.validation_windows, config.context))

    done, shared, spent = 0, 0, 0.0
    steps: list[int] = []
    losses: list[float] = []
    norms: list[tuple[float, float]] = []
    resumed = checkpoint is not None and checkpoint.exists()
    source = checkpoint if resumed else branch_from
    if source is not None:
        saved = load_checkpoint(source)
        saved.require(source, plan, config, text.sha256, every)
        learner.load(saved.learner)
        done = saved.step
        shared, spent = (saved.shared, saved.seconds) if resumed else (done, 0.0)
        # The last step of a shorter run may be off this run's grid.
        grid = [s % every == 0 or s == plan.horizon for s in saved.steps]
        steps = [s for s, on in zip(saved.steps, grid, strict=True) if on]
        losses = [x for x, on in zip(saved.losses, grid, strict=True) if on]
        norms = [pair for pair, on in zip(saved.norms, grid, strict=True) if on]
    began = time.monotonic() - spent

    def save(path: Path) -> None:
        Checkpoint(
            config=config,
            text=text.sha256,
            every=every,
            past={name: values[:done] for name, values in past_of(plan).items()},
            steps=steps,
            losses=losses,
            norms=norms,
            seconds=time.monotonic() - began,
            shared=shared,
            learner=learner.state(),
        ).save(path)

    def write_curve() -> None:
        if out is not None and steps:
            write_text(out, curve_csv(plan, steps, losses, norms, notes or {}))

    write_curve()
    with interruption() as interrupted:
        for k in range(done, plan.horizon):
            done = k + 1
            learner.update(
                text.batch(config.seed, done, int(batch[k]), config.context),
                float(lr[k]),
                float(weight_decay[k]),
            )
            last = done == plan.horizon
            loss = None
            if done % every == 0 or last:
                loss = learner.validation_loss()
                steps.append(done)
                losses.append(loss)
                norms.append(learner.norms())
                write_curve()
            if checkpoint is not None:
                if done % CHECKPOINT_EVERY == 0 or last:
                    save(checkpoint)
                if done in keep:
                    save(kept_checkpoint(checkpoint, done))
            if progress is not None:
                progress(done, loss)
            if interrupted() and not last:
                if checkpoint is not None:
                    save(checkpoint)
                raise TrainingInterrupted(done, plan.horizon, checkpoint)

    curve = LossCurve(plan, steps, losses, label=label, model_size=learner.params)
    norm2, hidden_norm2 = np.array(norms, dtype=np.float64).reshape(-1, 2).T
    return TrainedRun(
        curve=curve,
        config=config,
        seconds=time.monotonic() - began,
        shared=shared,
        norm2=norm2,
        hidden_norm2=hidden_norm2,
    )


def complete(schedule: Schedule, config: LabConfig) -> Schedule:
    """The schedule with batch, weight decay and sequence length known.

    Raises:
        InputError: a batch that is not a whole number of sequences.
    """
    batch = np.full(schedule.horizon, config.batch) if schedule.batch is None else schedule.batch
    if not np.array_equal(batch, np.floor(batch)):
        raise InputError("the lab trains on whole sequences: batch sizes are whole numbers")
    decay = schedule.weight_decay
    return schedule.with_(
        batch=batch,
        weight_decay=config.weight_decay if decay is None else decay,
        sequence_length=config.context,
    )


def past_of(schedule: Schedule) -> dict[str, np.ndarray]:
    """What a checkpoint remembers of a complete schedule, each of shape ``(n,)``."""
    assert schedule.weight_decay is not None
    assert schedule.batch is not None
    return {"lr": schedule.lr, "weight_decay": schedule.weight_decay, "batch": schedule.batch}


def require_torch() -> None:
    """Say how to install torch where it is missing.

    Raises:
        MissingExtra: torch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingExtra("training", "torch", "lab")


def kept_checkpoint(checkpoint: Path, step: int) -> Path:
    """Where the copy of ``checkpoint`` after ``step`` updates is kept."""
    return checkpoint.with_name(f"{checkpoint.stem}@{step}{checkpoint.suffix}")
