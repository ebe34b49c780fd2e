"""Metrics under names that the user chose: which are step, rate, losses and batch, and whose.

Trackers (TensorBoard, W&B, MLflow, trackio) keep whatever a trainer gives them: a name, a step, a
value. Names are read word by word, so that ``Loss/train``, ``train_loss`` and ``trainLoss`` are one
thing; of several that fit, one that has many values and few words is taken, and a sentence names
the others. Some names tell the trainer, and so what its steps, rates and losses are.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

from losslaw.errors import InputError
from losslaw.files import table_of
from losslaw.logs.clocks import by_group, left_out, measure_of, measures, words
from losslaw.logs.columns import LOSS, RATE, Columns
from losslaw.logs.log import Log, LossIs, usual_loss
from losslaw.logs.nanochat import AS_LATE
from losslaw.logs.nanochat import NAME as NANOCHAT
from losslaw.logs.run_settings import facts_of, logged_every
from losslaw.logs.tables import done_epochs

# A name, the step it was logged at, and the value, in the order of time.
Point = tuple[str, int, float]
Kind = Literal["rate", "train", "validation", "batch", "tokens", "clock"]

# Where a row has several counts of updates, the first of these is meant: trainers that log theirs
# beside the tracker's own do so because the latter counts rows.
STEPS = (
    "train/global_step", "trainer/global_step", "global_step", "iteration_step", "iteration",
    "iter", "train/step", "train/iter", "step", "steps", "iters", "iterations", "num_updates",
    "updates", "update", "_step",
)  # fmt: skip

VALIDATION = frozenset(
    ("val", "valid", "validation", "eval", "evaluation", "test", "dev", "heldout", "holdout")
)
# Beside "loss" these words make it something else than the loss that a law is about.
NO_LOSS = frozenset(
    ("accuracy", "aux", "auxiliary", "balance", "balancing", "best", "count", "delta", "grad",
     "kl", "max", "min", "moe", "mtp", "num", "perplexity", "policy", "ppl", "ratio", "reg",
     "regularization", "reward", "router", "samples", "scale", "scaler", "scaling", "spike",
     "std", "time", "tokens", "value", "var", "vs", "weight", "z")
)  # fmt: skip
NO_RATE = frozenset(
    ("decay", "decayed", "min", "max", "mult", "multiplier", "ratio", "samples", "scale", "steps",
     "tokens", "vs", "warmup")
)  # fmt: skip
# Losses that are taken only where there is no other, and what they are.
LATE: dict[str, LossIs] = {
    "epoch": "epoch", "ema": "average", "moving": "average", "running": "average",
    "smooth": "average", "smoothed": "average",
}  # fmt: skip

LOSS_NOTES: dict[LossIs, str] = {
    "mean": "a logged loss is the mean over the updates since the record before it",
    "average": "a logged loss is a moving average over the updates before it",
    "epoch": "a logged loss is the mean over its epoch",
}

# A name with fewer values than this share of the fullest, or one value, is a summary, not a curve.
SPARSE = 0.1

# Steps that are one short of the multiples of this many or more tell that they count from 0; with
# fewer it may be chance.
ROUND = 5


@dataclass(frozen=True)
class Trainer:
    """A trainer that is known by the names it logs.

    Attributes:
        name: Its name.
        marks: Names that together are its own.
        lr_is: Which update a logged rate belongs to.
        loss_is: What a logged training loss is.
        first: The step that it gives to the first update.
        optimizer: What it trains the matrices with, if always the same.
        adam: What it means by "adam", if not that.
    """

    name: str
    marks: tuple[str, ...]
    lr_is: Literal["used", "next"]
    loss_is: LossIs = "instant"
    first: int = 1
    optimizer: str | None = None
    adam: str = "adam"


TRAINERS = (
    Trainer("the Hugging Face Trainer", ("train/global_step", "train/loss"), "next", "mean"),
    Trainer("the Hugging Face Trainer", ("train/global_step", "eval/loss"), "next", "mean"),
    Trainer(
        "the Hugging Face Trainer", ("train/epoch", "train/loss", "train/learning_rate"), "next",
        "mean",
    ),
    Trainer("Megatron-LM", ("lm loss", "learning-rate"), "next", adam="adamw"),
    Trainer(
        "Megatron-DeepSpeed", ("lm-loss-training/lm loss", "learning-rate/learning-rate"), "next",
        adam="adamw",
    ),
    Trainer("nanotron", ("lm_loss", "consumed_tokens"), "next"),
    Trainer(
        "torchtitan", ("loss_metrics/global_avg_loss", "loss_metrics/global_max_loss"), "used"
    ),
    Trainer("OLMo-core", ("train/CE loss", "optim/LR (group 0)"), "used"),
    Trainer(
        "MaxText", ("learning/loss", "learning/current_learning_rate"), "used", "instant", 0
    ),
    Trainer("Lightning", ("trainer/global_step", "epoch"), "used", "instant", 0),
    Trainer("nanochat", ("train/lrm", "train/loss"), "next", "average", optimizer="muon"),
)  # fmt: skip


@lru_cache(maxsize=65536)
def kind_of(name: str) -> Kind | None:
    """What a metric of this name is; ``None`` for all that a curve does not need.

    >>> [kind_of(name) for name in ("Loss/train", "lm loss validation", "lr-AdamW", "z_loss")]
    ['train', 'validation', 'rate', None]
    """
    if len(name) > 300:
        return None
    if measure_of(name):
        return "clock"
    parts = words(name)
    there = set(parts)
    if (there & {"lr", "lrm", "learningrate"} or ("learning", "rate") in pairwise(parts)) and (
        not there & NO_RATE
    ):
        return "rate"
    if parts[-2:] == ["batch", "size"] and not there & {"micro", "device"}:
        return "batch"
    if "tokens" in there and there & {"seen", "consumed", "total"} and not there & {"per", "sec"}:
        return "tokens"
    is_loss = "ce" in there or any(word.endswith(("loss", "nll")) for word in parts)
    if is_loss and not there & NO_LOSS:
        inside = there | {word.removesuffix("loss") for word in parts}
        return "validation" if inside & VALIDATION else "train"
    return None


def number(value: object) -> float | None:
    """A number that was logged, also one that JSON cannot write; ``None`` for anything else.

    What is too large to be a loss or a step is infinite: databases store infinity as the largest
    number that there is.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e300 or value != value else math.inf
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(str(value))
    return None


def log_from_rows(source: str, form: str, rows: Sequence[Mapping[str, object]], **more: Any) -> Log:
    """A run that was logged row by row, its count of updates one of the names in them.

    Args:
        source: Where it came from, for messages.
        form: The format, in words.
        rows: Values by name, in the order of time.
        more: Arguments of `log_from_points`.

    Raises:
        InputError: no loss, or no count of updates.
    """
    useful = [row for row in rows if any(kind_of(name) in ("train", "validation") for name in row)]
    counts = Counter(name for row in useful for name in row if name.lower() in STEPS)
    often = [name for name, count in counts.items() if 2 * count >= len(useful)]
    step = min(often, key=lambda name: STEPS.index(name.lower()), default=None)
    if useful and step is None:
        found = ", ".join(sorted({name for row in useful for name in row})[:8])
        raise InputError(f"{source}: no step in most of the rows with a loss; found {found}")
    points: list[Point] = []
    without = 0
    for row in rows:
        kept = [(name, value) for name, value in row.items() if kind_of(name)]
        at = number(row.get(step)) if step is not None else None
        if at is None or not 0 <= at < 2**53 or at != int(at):
            without += bool(kept)
            continue
        for name, value in kept:
            read = number(value)
            if read is not None:
                points.append((name, int(at), read))
    skipped = [*more.pop("skipped", ()), (f"rows without a {step} that is a whole number", without)]
    notes = list(more.pop("notes", ()))
    if step is not None and step.lower() != "_step" and any("_step" in row for row in useful):
        notes.append(f"the step is {step!r}, not '_step', which counts rows")
    every = logged_every(more.get("settings") or {})
    steps = {at for _, at, _ in points}
    in_a_row = len(steps) > 2 and max(steps) - min(steps) + 1 == len(steps)
    if step == "_step" and every is not None and in_a_row:
        notes.append(
            f"the steps are consecutive, but the settings say that every {every} updates are"
            f" logged: if '_step' counts rows, divide it by {1 / every:g} (--step-divisor)"
        )
    seen = {name for row in rows for name in row}
    return log_from_points(source, form, points, seen=seen, notes=notes, skipped=skipped, **more)


def log_from_points(
    source: str,
    form: str,
    points: Sequence[Point],
    *,
    seen: Iterable[str] = (),
    settings: Mapping[str, object] | None = None,
    label: str | None = None,
    notes: Iterable[str] = (),
    skipped: Iterable[tuple[str, int]] = (),
    loss: str | None = None,
) -> Log:
    """A run that was logged value by value.

    Args:
        source: Where it came from, for messages.
        form: The format, in words.
        points: Its values, in the order of time; names of no kind are not looked at.
        seen: Other names that were logged.
        settings: What the trainer was told, by name; parts of a name are set apart by ``/`` or
            ``.``.
        label: Name of the run, where there are several.
        notes: Sentences on what was recognised.
        skipped: What was not read, and how often.
        loss: The loss that is fitted; ``None``: the usual one.

    Raises:
        InputError: no loss.
    """
    points = [point for point in points if kind_of(point[0]) is not None]
    counts = Counter(name for name, _, _ in points)
    names = {*counts, *seen}
    said = list(notes)
    train = _pick(counts, "train", "training loss", LOSS, said)
    validation = _pick(counts, "validation", "validation loss", LOSS, said)
    if train is None and validation is None:
        found = ", ".join(sorted(names)[:8]) or "nothing"
        raise InputError(f"{source}: no losses in it; found {found}")
    rate = _pick(counts, "rate", "learning rate", RATE, said)
    if rate is None:  # then that is what people mean by it
        rate = measures(counts).get("effective rate")
    batch = _pick(counts, "batch", "batch", (), said)
    trainer = next((each for each in TRAINERS if names.issuperset(each.marks)), None)
    if trainer is not None and trainer.name == "nanotron":
        batch = None  # it counts tokens
    rows, restarts = in_order([p for p in points if kind_of(p[0]) != "batch" or p[0] == batch])
    said += restarts
    first = trainer.first if trainer else 1
    if first == 1 and _counts_from_zero([step for step, row in rows.items() if train in row]):
        first = 0
    if first == 0:
        rows = {step + 1: row for step, row in rows.items()}
        said.append("steps count from 0: the first update is done at step 0")
    table = table_of(source, [{"step": step, **row} for step, row in rows.items()])
    lr_is = _lr_is(trainer, 0 in rows and rate in rows[0], said) if rate else None
    chosen, choice = (loss, "") if loss else usual_loss(table, train, validation)
    loss_notes = [choice] if choice else []
    late: list[LossIs] = [LATE[word] for word in words(train or "") if word in LATE]
    loss_is: LossIs = late[0] if late else trainer.loss_is if trainer else "instant"
    window = None
    if loss_is == "mean":
        gaps = {b - a for a, b in pairwise(step for step, row in rows.items() if train in row)}
        window = gaps.pop() if len(gaps) == 1 else None
    elif loss_is == "average" and trainer is not None and trainer.name == NANOCHAT:
        window = AS_LATE
    if chosen == train and loss_is in LOSS_NOTES:
        loss_notes.append(LOSS_NOTES[loss_is])
    facts, horizon = facts_of(settings or {})
    if trainer is not None and facts.optimizer in (None, "adam"):
        named = trainer.adam if facts.optimizer else trainer.optimizer
        facts = replace(facts, optimizer=named)
    if horizon is not None and horizon < max(rows, default=0):
        said.append(f"the settings say {horizon} updates, but the log has more: not believed")
        horizon = None
    tokens = next((name for name in counts if kind_of(name) == "tokens"), None)
    if facts.tokens_per_update is None and tokens is not None:
        facts = replace(facts, tokens_per_update=_tokens_each(rows, tokens))
    log = Log(
        format=form,
        table=table,
        columns=Columns("step", chosen, rate, batch, ()),
        losses=tuple(name for name in counts if kind_of(name) in ("train", "validation")),
        facts=replace(facts, lr_is=lr_is),
        loss_is=loss_is,
        window=window,
        horizon=horizon,
        rate_is_relative="lrm" in words(rate or ""),
        label=label,
        notes=tuple(said),
        loss_notes=tuple(loss_notes),
        skipped=tuple((what, count) for what, count in skipped if count),
    )
    # Keras writes one value an epoch, at the number of the epoch.
    return done_epochs(log) if chosen.rpartition("/")[2].startswith("epoch_") else log


def in_order(points: Sequence[Point]) -> tuple[dict[int, dict[str, float]], list[str]]:
    """The values of each step, steps increasing, and sentences on what was superseded.

    A name whose steps go back and come to one that it had before was restarted there: everything
    that was logged earlier from that step on, under any name, belongs to the run that was given
    up. Where they go back without such a step, values were only written out of order. Of two
    values of one name and step the later one counts.

    >>> in_order([("loss", 1, 3.0), ("loss", 2, 2.0), ("val", 2, 2.1), ("loss", 2, 2.2)])[0]
    {1: {'loss': 3.0}, 2: {'loss': 2.2, 'val': 2.1}}
    """
    # By name: its last step, the index of its last value, and where its stretch of rising steps
    # began: index, the index of the value before it, step.
    last: dict[str, tuple[int, int, tuple[int, int, int]]] = {}
    before: dict[str, set[int]] = {}
    stretch: dict[str, set[int]] = {}
    back: set[tuple[int, int, int]] = set()
    for i, (name, step, _) in enumerate(points):
        top, previous, since = last.get(name, (-1, -1, (i, -1, step)))
        if step < top:
            before.setdefault(name, set()).update(stretch[name])
            stretch[name] = set()
            since = (i, previous, step)
        stretch.setdefault(name, set()).add(step)
        if step in before.get(name, ()):
            back.add(since)
        last[name] = (step, i, since)
    starts: dict[int, int] = {}  # index of the first value after a restart, to its step
    latest = -1
    for i, previous, step in sorted(back):
        if previous >= latest:  # otherwise another name went back first, in the same restart
            starts[i] = step
            latest = i
    kept: list[Point] = []
    limit = math.inf
    superseded = 0
    for i in range(len(points) - 1, -1, -1):
        if points[i][1] < limit:
            kept.append(points[i])
        else:
            superseded += 1
        limit = min(limit, starts.get(i, math.inf))
    rows: dict[int, dict[str, float]] = {}
    repeats = 0
    for name, step, value in reversed(kept):
        row = rows.setdefault(step, {})
        repeats += name in row and row[name] != value
        row[name] = value
    notes: list[str] = []
    if starts:
        steps = sorted(set(starts.values()))
        places = ", ".join(map(str, steps[:3])) + (", ..." if len(steps) > 3 else "")
        notes.append(
            f"the run was restarted at step {places}: {superseded} earlier values from there on"
            " are superseded by later ones"
        )
    if repeats:
        many = "values repeat" if repeats > 1 else "value repeats"
        notes.append(
            f"{repeats} {many} a step with another one (several ranks in one log?): the last is"
            " kept"
        )
    return {step: rows[step] for step in sorted(rows)}, notes


def _pick(
    counts: Mapping[str, int], kind: Kind, what: str, aliases: Sequence[str], notes: list[str]
) -> str | None:
    """The metric of a kind that is meant; a sentence if there are others with as many values."""
    names = [name for name in counts if kind_of(name) == kind]
    most = max((counts[name] for name in names), default=0)
    full = [name for name in names if counts[name] >= max(SPARSE * most, min(most, 2))]
    order = sorted(
        full,
        key=lambda name: (
            bool(set(words(name)) & set(LATE)),
            aliases.index(name.lower()) if name.lower() in aliases else len(aliases),
            len(words(name)),
            -counts[name],
        ),
    )
    if kind == "rate" and left_out(by_group(order)):
        order = by_group(order)
        notes.append(left_out(order))
    elif len(order) > 1:
        others = ", ".join(map(repr, order[1:4])) + (", ..." if len(order) > 4 else "")
        notes.append(f"the {what} is {order[0]!r}, not {others}")
    return order[0] if order else None


def _counts_from_zero(steps: Sequence[int]) -> bool:
    """Whether the steps are 49, 99, 149, ...: one less than the updates done."""
    gap = math.gcd(*(b - a for a, b in pairwise(steps)))
    return gap >= ROUND and (steps[0] + 1) % gap == 0


def _lr_is(trainer: Trainer | None, at_zero: bool, notes: list[str]) -> Any:
    if trainer is not None:
        which = "of the next update" if trainer.lr_is == "next" else "of the update just done"
        notes.append(f"the names are those of {trainer.name}: a logged rate is that {which}")
        return trainer.lr_is
    if at_zero:
        notes.append("a logged rate is that of the next update, since one is logged at step 0")
        return "next"
    return None


def _tokens_each(rows: Mapping[int, Mapping[str, float]], name: str) -> float | None:
    """Tokens in each update, if they are the same in all."""
    logged = [(step, row[name]) for step, row in rows.items() if name in row and step > 0]
    each = {tokens / step for step, tokens in logged}
    return each.pop() if len(each) == 1 and len(logged) > 1 and min(each) >= 1 else None
