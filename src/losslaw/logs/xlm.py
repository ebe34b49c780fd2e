"""XLM's ``train.log``: a line every five iterations, perplexities at the end of an epoch.

In an iteration there is one update for each objective; the line has the mean loss of each since the
line before, in nats, and the rate after the last update. The epoch's ``__log__`` has perplexities,
whose logarithms are the validation losses.
"""

import math
import re

from losslaw.errors import InputError
from losslaw.files import table_of
from losslaw.logs.columns import Columns
from losslaw.logs.json_lines import json_object
from losslaw.logs.lines import NUMBER, STEP, once
from losslaw.logs.log import Log, usual_loss
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "XLM"
EVERY = 5  # iterations from one line to the next, in XLM's source

MARK = re.compile(r" sent/s - ")
LINE = re.compile(
    rf" (?P<step>{STEP}) - +[\d.]+ sent/s - +[\d.]+ words/s - (?P<losses>.{{0,999}}?) - +- "
    r"\w+ LR: ?(?P<lr>\d\.\d{4}e[-+]\d\d)(?!\d)"
)
LOSS = re.compile(rf"([A-Za-z][\w-]*): +({NUMBER})")
SCORES = re.compile(r"__log__:(\{.*)")
PERPLEXITY = re.compile(r"valid_(?:\w+_)?ppl")


def claims(source: Source) -> bool:
    """Lines with sentences a second and a rate, or the scores of an epoch."""
    return LINE.search(source.start) is not None or '__log__:{"epoch"' in source.start


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line of it can be read.
    """
    rows: list[dict[str, int | float | str]] = []
    train: dict[str, None] = {}
    broken = 0
    step: int | None = None
    for line in source.lines:
        match = LINE.search(line) if len(MARK.findall(line)) == 1 else None
        scores = SCORES.search(line)
        losses = once(LOSS.findall(match["losses"])) if match else {}
        if match and losses:
            step = int(match["step"])
            train |= dict.fromkeys(losses)
            rows.append({"step": step, "lr": match["lr"], **losses})
        elif scores:
            values = _losses(scores[1])
            broken += values is None
            if values and step is not None:
                rows.append({"step": step, **values})
        else:
            broken += MARK.search(line) is not None
    if not train:
        raise InputError(
            f"{source.name}: no training losses in this log of XLM; a line every five iterations"
            " has them, as in its train.log"
        )
    table = table_of(source.name, rows)
    first, *others = train
    evaluations = sorted((name for name in table.columns if name.startswith("valid_")), key=len)
    loss, choice = usual_loss(table, first, evaluations[0] if evaluations else None)
    also = f"of the objectives {first!r} is taken, not {', '.join(map(repr, others))}"
    log = Log(
        format=NAME,
        table=table,
        columns=Columns("step", loss, "lr", None, ()),
        losses=(*train, *evaluations),
        facts=Facts(lr_is="next"),
        loss_is="mean",
        window=EVERY if all(int(row["step"]) % EVERY == 0 for row in rows) else None,
        notes=(
            "a logged rate is that of the next update",
            "a step is an iteration" + ", an update of each objective" * bool(others),
        ),
        loss_notes=(
            *((choice,) if choice else ()),
            *((also,) if others else ()),
            "a training loss is the mean over the iterations since the line before it",
        ),
    )
    return [log.with_skipped({"lines that cannot be read to their end": broken})]


def _losses(text: str) -> dict[str, float] | None:
    """Validation losses by name, from the perplexities of an epoch; ``None`` if cut off."""
    scores = json_object(text)
    if scores is None:
        return None
    return {
        name.removesuffix("_ppl") + "_loss": math.log(value)
        for name, value in scores.items()
        if PERPLEXITY.fullmatch(name) and isinstance(value, int | float) and 1 < value < 1e300
    }
