"""nanochat: what its training scripts print.

``step 00200/35280 (0.57%) | loss: 5.147944 | lrm: 1.00 | ...`` is printed by update 201 after 200
updates; the number after the stroke is the horizon. The loss is a moving average over updates
(factor 0.9, debiased): as late as a plain mean over 19 of them, which it is compared as. ``lrm`` is
the multiple of the peak that update 201 uses, to two decimals: there are several peaks, one for
each kind of weights, and none is printed. ``Validation bpb`` is in bits per byte of text; it is
kept in nats per byte, and is no loss per token.
"""

import math
import re

from losslaw.logs.lines import NUMBER, STEP, always, find, log_of, settings, whole
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "nanochat"
PER_BYTE = "validation nats per byte"
# Updates of a plain mean whose losses are as old on average, 9 updates, as those of the moving
# average are: factor / (1 - factor).
AS_LATE = 19

LINE = re.compile(
    rf"step (?P<step>{STEP})(?:/(?P<horizon>{STEP}))? \([\d.]+%\) \| loss: (?P<loss>{NUMBER}) \|"
    rf" lrm: (?P<lrm>{NUMBER}) \||Step (?P<at>{STEP}) \| Validation bpb: (?P<bpb>{NUMBER})"
)
MARK = re.compile(r"step \d+(?:/\d+)? \(|Step \d+ \| Validation")


def claims(source: Source) -> bool:
    """There is a line ``step 00200/35280 (0.57%) | loss: ... | lrm: ...``."""
    return any(match["step"] for match in LINE.finditer(source.start))


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read.
    """
    found = find(source, LINE, MARK, fixed=("loss", "lrm", "bpb"))
    horizon = whole(always(found.column("horizon")))
    for record in found.records:
        record.pop("horizon", None)
        if "at" in record:
            record["step"] = record.pop("at")
            record[PER_BYTE] = repr(float(record.pop("bpb")) * math.log(2))
    tokens = settings(source, ("Total batch size",), " ")
    length = settings(source, ("Tokens / micro-batch / rank",), r": \d+ x ")
    notes = [
        "a step counts the updates done: nanochat prints it before its update",
        "a logged rate is that of the next update, as a multiple of the peak, to two decimals",
    ]
    if found.column(PER_BYTE):
        notes.append("validation bits per byte are read as nats per byte (times ln 2)")
    log = log_of(
        source,
        found,
        NAME,
        train="loss",
        lr="lrm",
        loss_is="average",
        window=AS_LATE,
        loss_note="a logged loss is a moving average (factor 0.9) over the updates before it: taken"
        f" as the mean over {AS_LATE}, which is as late",
        horizon=horizon,
        rate_is_relative=True,
        facts=Facts(
            lr_is="next",
            optimizer="muon",  # of all its matrices; AdamW has the rest
            tokens_per_update=next(iter(tokens.values()), None) or None,
            sequence_length=whole(next(iter(length.values()), None)),
        ),
        notes=notes,
    )
    return [log]
