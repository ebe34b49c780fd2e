"""nanoGPT and its kin: what ``train.py`` prints.

``iter 10: loss 3.1338, time ...`` is printed by update 11 with the loss of a batch before it, and
``step 250: train loss 1.9, val loss 2.0`` evaluates after 250 updates: both count the updates done.
nanoGPT prints no rates. Some of its descendants do (``lr 6.00e-05``, or in llama2.c
``10 | loss 8.1 | lr 5.0e-06 | ...``): that of the update which prints it, so of the next one. The
settings stand in the file where they were overridden (``max_iters = 5000``).
"""

import re

from losslaw.logs.lines import NUMBER, STEP, find, log_of, settings, stated, whole
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "nanoGPT"

ITER = rf"iter (?P<step>{STEP}): loss (?P<loss>{NUMBER}),(?:.*?\blr (?P<lr>{NUMBER}))?"
EVALUATED = (
    rf"step (?P<at>{STEP}): train loss (?P<eval_train_loss>{NUMBER}),"
    rf" val loss (?P<val_loss>{NUMBER})"
)
LLAMA2C = rf"(?P<iter>{STEP}) \| loss (?P<batch_loss>{NUMBER}) \| lr (?P<rate>{NUMBER}) \|"
LINE = re.compile(rf"^[ \t]*(?:{ITER}|{EVALUATED}|{LLAMA2C})")
MARK = re.compile(r"^[ \t]*(?:iter \d|step \d+: t|\d+ \| loss)")
CLAIM = re.compile(LINE.pattern, re.MULTILINE)
SAME = {"at": "step", "iter": "step", "batch_loss": "loss", "rate": "lr"}


def claims(source: Source) -> bool:
    """There is a line ``iter 10: loss ...``, ``step 250: train loss ...`` or ``10 | loss ...``."""
    return CLAIM.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read.
    """
    found = find(source, LINE, MARK, fixed=("loss", "batch_loss", "eval_train_loss", "val_loss"))
    found.records = [
        {SAME.get(name, name): cell for name, cell in record.items()} for record in found.records
    ]
    rated = bool(found.column("lr"))
    told = settings(
        source,
        (
            "learning_rate", "max_iters", "warmup_iters", "lr_decay_iters", "min_lr",
            "weight_decay", "block_size",
        ),
        r"\s*=\s*",
    )  # fmt: skip
    size = settings(source, ("number of parameters",), ": ")
    tokens = settings(source, ("tokens per iteration will be",), ": ")
    warmup = int(told["warmup_iters"]) if "warmup_iters" in told else None
    horizon = whole(told.get("max_iters"))
    example = None
    if {"learning_rate", "lr_decay_iters", "warmup_iters", "min_lr"} <= told.keys():
        example = (
            f"cosine:peak={told['learning_rate']},horizon={told['lr_decay_iters']:.0f},"
            f"warmup={warmup},final={told['min_lr']}"
        )
    notes = ["a step counts the updates done: nanoGPT prints it before its update"]
    if rated:
        notes.append("a logged rate is that of the next update, printed by that update itself")
    return [
        log_of(
            source,
            found,
            NAME,
            train="loss" if found.column("loss") else "eval_train_loss",
            validation="val_loss",
            lr="lr",
            horizon=horizon,
            example=example,
            facts=Facts(
                lr_is="next" if rated else None,
                warmup=warmup,
                weight_decay=told.get("weight_decay"),
                tokens_per_update=tokens.get("tokens per iteration will be") or None,
                sequence_length=whole(told.get("block_size")),
                model_size=size.get("number of parameters") or None,
                optimizer=stated(source, r"using fused (AdamW): "),
            ),
            notes=notes,
        )
    ]
