"""Which column of a log is which: the names that trainers give to step, rate, loss and batch.

Names are compared without case; ``Training Loss``, ``training-loss`` and ``trainingLoss`` are
``training_loss``. Where several columns fit, the first in the order below is taken and a sentence
says so; ``step_column``, ``loss_column`` and ``lr_column`` overrule it.
"""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from losslaw.errors import InputError
from losslaw.files import Table
from losslaw.logs.clocks import by_group, is_part, left_out, measure_of
from losslaw.text import shown

# Names that say which steps they are come first: beside one of them, a bare "step" counts rows,
# micro-batches, or the batches of an epoch.
STEP = (
    "optimizer_step", "optimizer_steps", "num_updates", "global_step", "global_steps",
    "train/global_step", "trainer/global_step", "step", "steps", "iter", "iters", "iteration",
    "iterations", "train/step", "train_step", "training_step", "update", "updates",
    "current_steps",
)  # fmt: skip
EPOCH = ("epoch", "epochs", "train/epoch")
RATE = (
    "lr", "learning_rate", "learningrate", "train_lr", "current_lr",
    "train/lr", "train/learning_rate", "optim/lr", "optim/lr_(group_0)",
)  # fmt: skip
LOSS = (
    "loss", "train_loss", "train/loss", "training_loss", "train/ce_loss", "lm_loss", "trainloss",
    "train_loss_step", "cross_entropy", "cross_entropy_loss", "ce_loss", "train_ce_loss", "ce",
    "train_ce", "train/ce", "nll", "nll_loss", "train_nll", "train/nll",
    "val_loss", "val/loss", "valid_loss", "valid/loss", "validation_loss", "validation/loss",
    "valloss", "eval_loss", "eval/loss", "evaluation_loss", "test_loss", "test/loss",
    "val_ce", "val/ce", "val_ce_loss", "val/ce_loss", "eval_ce", "eval/ce", "eval_ce_loss",
    "eval/ce_loss", "val_nll", "val/nll", "eval_nll", "eval/nll",
    # In other units (`UNITS`), where there is no loss in nats.
    "bpb", "train_bpb", "train/bpb", "bits_per_byte", "train/bits_per_byte",
    "val_bpb", "val/bpb", "eval_bpb", "eval/bpb", "val_bits_per_byte", "val/bits_per_byte",
    "eval/bits_per_byte",
)  # fmt: skip
BATCH = ("batch", "batch_size", "global_batch_size", "train/batch_size")
# What losses are measured in, or what they are instead, by parts of the names of their columns.
UNITS = {
    "bits per byte": ("bpb", "bits_per_byte"),
    "bits per token": ("bpt", "bits_per_token"),
    "bits per character": ("bpc", "bits_per_char", "bits_per_character"),
    "bits per dimension": ("bpd", "bits_per_dim", "bits_per_dimension"),
    "nats per byte": ("nats_per_byte",),
    "perplexity": ("ppl", "perplexity"),
    "accuracy": ("acc", "accuracy"),
    "error rate": ("wer", "error_rate"),
    "squared error": ("mse", "rmse"),
}
# Parts of names of columns that count what updates have seen.
SEEN = ("token", "sample", "sequences")
# A longer name is none that a message has three times.
LETTERS = 60


@dataclass(frozen=True)
class Columns:
    """Names of the columns of one log; ``None`` where it has none."""

    step: str
    loss: str
    lr: str | None
    batch: str | None
    assumptions: tuple[str, ...]


def key(name: str) -> str:
    """A name as it is compared.

    >>> [key(name) for name in ("Training Loss", "trainLoss", "_step", "train/learning-rate")]
    ['training_loss', 'train_loss', 'step', 'train/learning_rate']
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[\s_-]+", "_", apart.lower()).strip("_")


def find_columns(
    table: Table,
    *,
    loss_column: str | None = None,
    lr_column: str | None = None,
    step_column: str | None = None,
) -> Columns:
    """The columns of ``table`` that hold step, loss, learning rate and batch.

    Raises:
        InputError: there is no step or loss column, or not the one that was asked for.
    """
    assumptions: list[str] = []
    keys: dict[str, list[str]] = {}
    for name in table.columns:
        keys.setdefault(key(name), []).append(name)

    def pick(what: str, aliases: tuple[str, ...], asked: str | None = None) -> str | None:
        if asked is not None:
            if asked not in table.columns:
                raise InputError(f"{table.source}: no column {shown(asked)!r}; found {table.names}")
            return asked
        matches = [name for alias in aliases for name in keys.get(alias, ())]
        if what == "learning rate":  # Lightning: lr-AdamW, lr-AdamW/pg1, ...
            grouped = [
                name
                for name in table.columns
                if name not in matches
                and name.lower().startswith(("lr-", "lr/", "lr_"))
                and not name.endswith(("-momentum", "-weight_decay"))
                and (name[2] != "_" or is_part(name))
            ]
            known = [name for name in grouped if is_part(name)]
            matches = by_group([*matches, *(known if matches else grouped)])
        if what == "learning rate" and left_out(matches):
            assumptions.append(left_out(matches))
        elif len(matches) > 1:
            others = ", ".join(repr(name) for name in matches[1:])
            assumptions.append(f"{what} is column {matches[0]!r}, not {others}")
        return matches[0] if matches else None

    step = pick("step", STEP, step_column) or pick("step", EPOCH)
    if step is None:
        raise InputError(
            f"{table.source}: no step column; found {table.names};"
            " name one of them 'step' (updates done), or say which it is (step_column=,"
            f" --step-column){_counted(table.columns)}"
        )
    loss = pick("loss", LOSS, loss_column)
    if loss is None:
        raise InputError(
            f"{table.source}: no loss column; found {table.names};"
            " name one of them 'loss', or say which it is (loss_column=, --loss-column)"
        )
    lr = pick("learning rate", RATE, lr_column)
    return Columns(step, loss, lr, pick("batch", BATCH), tuple(assumptions))


def unit_of(column: str) -> str | None:
    """What a loss is measured in, or what it is instead, by the name of its column.

    >>> unit_of("val/bpb"), unit_of("Bits per byte"), unit_of("eval_accuracy"), unit_of("loss")
    ('bits per byte', 'bits per byte', 'accuracy', None)
    """
    name = f"_{re.sub(r'[^a-z]+', '_', key(column))}_"
    units = (unit for unit, parts in UNITS.items() if any(f"_{part}_" in name for part in parts))
    return next(units, None)


def _counted(names: Iterable[str]) -> str:
    """What to say where a column counts tokens or samples, from which updates can be had."""
    for name in names:
        if len(name) <= LETTERS and any(part in key(name) for part in SEEN):
            return (
                f"; if {name!r} grows by N an update, --step-column {shlex.quote(name)}"
                f" --step-divisor N (step_column={name!r}, step_divisor=N)"
            )
    return ""


def is_read(name: str) -> bool:
    """Whether a column of this name may be asked for its numbers."""
    known = (*STEP, *EPOCH, *RATE, *LOSS, *BATCH)
    return key(name) in known or name.lower().startswith("lr") or measure_of(name) is not None
