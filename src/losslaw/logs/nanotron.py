"""nanotron: the ``key: value`` lines of its logger.

``iteration: 2 / 15 | consumed_tokens: 1.02K | ... | lm_loss: 5.29 | lr: 0.0003 | ...`` stands after
2 updates, with the loss of that update over all ranks. The rate is read after the scheduler has
stepped, so it is that of the next update. All values are rounded to three digits.
"""

import re

from losslaw.logs.lines import (
    NO_LOSS,
    STEP,
    VALUE,
    Found,
    always,
    log_of,
    parts,
    stated,
    suffixed,
    whole,
)
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "nanotron"

LINE = re.compile(rf"iteration: (?P<step>{STEP}) / (?P<horizon>{STEP}) \|(?P<rest>.*\|)")
MARK = re.compile(r"iteration: \d")


def claims(source: Source) -> bool:
    """There is a line ``iteration: 2 / 15 | consumed_tokens: ...``."""
    return LINE.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read, or no loss in any.
    """
    found = Found()
    without = 0
    horizons: list[str] = []
    lengths: list[str] = []
    for number, line in enumerate(source.lines, start=1):
        begins = sum(1 for _ in MARK.finditer(line))
        match = LINE.search(line) if begins == 1 else None
        if match is None:
            found.broken += begins > 0
            continue
        cells = parts(match["rest"])
        loss, lr = (cells.get(name, "") for name in ("lm_loss", "lr"))
        horizons.append(match["horizon"])
        if not VALUE.fullmatch(loss):
            without += 1
            continue
        record = {"step": match["step"], "lm_loss": loss}
        if VALUE.fullmatch(lr):
            record["lr"] = lr
        batch = suffixed(cells.get("global_batch_size", ""))
        if batch:
            record["global_batch_size"] = f"{batch:.15g}"
            tokens = cells.get("consumed_tokens", "")
            if tokens.isdigit() and int(match["step"]):  # not rounded
                lengths.append(f"{int(tokens) / batch / int(match['step']):.15g}")
        found.add(number, record)
    batches = always(found.column("global_batch_size"))
    return [
        log_of(
            source,
            found,
            NAME,
            train="lm_loss",
            lr="lr",
            batch=None if batches else "global_batch_size",
            horizon=whole(always(horizons)),
            facts=Facts(
                lr_is="next",
                batch=batches,
                sequence_length=whole(always(lengths)),
                optimizer=stated(source, r"optimizer_factory=(\w{1,60})\("),
            ),
            notes=[
                "a logged rate is that of the next update, as in nanotron",
                "rates and losses are rounded to three digits",
            ],
            skipped=[(NO_LOSS, without)],
        )
    ]
