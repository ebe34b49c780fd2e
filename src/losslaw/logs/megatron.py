"""Megatron-LM: the lines of its training log on standard output.

``iteration 122/ 250000 | ... | learning rate: 9.150E-06 | global batch size: 1024 | lm loss:
2.504220E+00 | ...`` stands after 122 updates. The loss is the mean over the updates since the line
before (``--log-interval``) that were not skipped, the rate is that of the next update. An update
that the loss scaler skips counts as an iteration, but the schedule does not go on. ``validation
loss at iteration 1000 | lm loss value: ...`` is an evaluation; those at the end, on the validation
and the test set, draw other batches and are left out. Settings stand above as
``seq_length ...... 2048``.
"""

import re
from collections.abc import Iterable

from losslaw.logs.lines import (
    NO_LOSS,
    NUMBER,
    STEP,
    VALUE,
    Found,
    always,
    log_of,
    parts,
    settings,
    stated,
    usual_gap,
    whole,
)
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "Megatron-LM"
VALIDATION = "validation lm loss"

LINE = re.compile(rf"iteration +(?P<step>{STEP})/ *(?P<horizon>{STEP}) \|(?P<rest>.*\|)")
EVALUATION = re.compile(
    rf"validation loss at iteration (?P<step>{STEP}) \| lm loss value: (?P<loss>{NUMBER}) \|"
)
MARK = re.compile(r"iteration +\d+/")
OTHER_EVALUATION = re.compile(r"validation loss at iteration \d{1,15} on (?:validation|test) set")
# The setting of Adam's weight decay.
COUPLED = "decoupled_weight_decay"
# Cells that are kept besides losses.
KEPT = ("learning rate", "global batch size", "params norm")
# Columns of losses (of experts, of further heads) that are kept besides the first.
MOST = 20


def claims(source: Source) -> bool:
    """There is a line ``iteration 122/ 250000 | ...``."""
    return LINE.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run of the file; see `read_lines`."""
    return [read_lines(source, NAME)]


def read_lines(source: Source, name: str, notes: Iterable[str] = ()) -> Log:
    """The run in the lines of Megatron-LM, or of a program that prints the same.

    Args:
        source: The file.
        name: The format, in words.
        notes: Further sentences.

    Raises:
        InputError: no line that can be read, or no loss in any.
    """
    found = Found()
    without = evaluations = skipped = 0
    horizons: list[str] = []
    lengths: list[str] = []
    losses: dict[str, None] = {}
    for number, line in enumerate(source.lines, start=1):
        begins = sum(1 for _ in MARK.finditer(line))
        match = LINE.search(line) if begins == 1 else None
        if match is None:
            evaluation = EVALUATION.search(line)
            if evaluation:
                found.add(number, {"step": evaluation["step"], VALIDATION: evaluation["loss"]})
            elif OTHER_EVALUATION.search(line):
                evaluations += 1
            else:
                found.broken += begins > 0
            continue
        cells = parts(match["rest"])
        horizons.append(match["horizon"])
        skipped += _count(cells, "number of skipped iterations")
        if "actual seqlen" in cells:
            lengths.append(cells["actual seqlen"])
        record = {
            key: cell
            for key, cell in cells.items()
            if (key in KEPT or key.endswith("loss")) and VALUE.fullmatch(cell)
        }
        here = [key for key in record if key.endswith("loss")]
        if not here:
            without += 1
            continue
        for key in here:
            if key not in losses and len(losses) >= MOST:
                del record[key]
            else:
                losses[key] = None
        found.add(number, {"step": match["step"], **record})
    train = "lm loss" if "lm loss" in losses else next(iter(losses), "lm loss")
    batch = always(found.column("global batch size"))
    args = settings(source, ("seq_length", "weight_decay", "lr_warmup_iters"), r" \.+ ")
    optimizer = stated(source, r"optimizer(?<![\w.]optimizer) \.+ ([\w.+-]{1,60})")
    # Megatron's Adam is apex's or torch's AdamW unless it is told otherwise.
    coupled = stated(source, rf"{COUPLED}(?<![\w.]{COUPLED}) \.+ (False)")
    billions = settings(source, ("Total number of parameters in billions",), ": ")
    steps = [int(record["step"]) for record in found.records if train in record]
    said = [
        "a logged rate is that of the next update, as in Megatron-LM",
        *notes,
    ]
    if skipped:
        said.append(
            f"{skipped} updates were skipped by the loss scaler: they count as steps, but changed"
            " nothing"
        )
    warmup = whole(args.get("lr_warmup_iters"))
    return log_of(
        source,
        found,
        name,
        train=train,
        validation=VALIDATION,
        lr="learning rate",
        batch=None if batch else "global batch size",
        loss_is="mean",
        loss_note="a logged loss is the mean over the updates since the line before it",
        window=usual_gap(steps),
        horizon=whole(always(horizons)),
        facts=Facts(
            lr_is="next" if found.column("learning rate") else None,
            warmup=warmup,
            weight_decay=args.get("weight_decay"),
            batch=batch,
            sequence_length=whole(always(lengths) or args.get("seq_length")),
            model_size=next(iter(billions.values()), 0) * 1e9 or None,
            optimizer="adamw" if optimizer == "adam" and not coupled else optimizer,
        ),
        notes=said,
        skipped=[
            (NO_LOSS, without),
            ("evaluations after the end, on other batches", evaluations),
        ],
    )


def _count(cells: dict[str, str], name: str) -> int:
    """The whole number in a cell; 0 where there is none."""
    cell = cells.get(name, "")
    return int(cell) if cell.isdecimal() and len(cell) < 16 else 0
