"""torchtitan: what its trainer prints, with or without colours and a prefix for each rank.

``step: 200  loss:  6.1384  grad_norm: ...  memory: ...`` stands after 200 updates, with the loss of
that update over all ranks; versions before 2025 print the mean since the line before.
``validate step: 200  loss: ...`` is an evaluation. Rates are not printed, but the line
``Training starts at step 1, ...`` or ``Trainer is initialized with ...`` tells batch, length of a
sequence, horizon and warm-up.
"""

import re

from losslaw.logs.lines import NUMBER, STEP, find, log_of, stated, whole
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "torchtitan"

LINE = re.compile(
    rf"(?P<validate>validate )?step: {{1,20}}(?P<step>{STEP}) +loss: {{1,20}}(?P<loss>{NUMBER})  "
    rf"(?:.*?\blr: (?P<lr>{NUMBER}))?"
)
MARK = re.compile(r"step: +\d")
START = re.compile(
    r"(?:Training starts at step \d|Trainer is initialized with ).{0,200}?global batch size"
    r" (?P<batch>\d{1,15}),.{0,60}?(?: sequence length (?P<length>\d{1,15}),)?"
    r" total steps (?P<steps>\d{1,15})(?: \(warmup (?P<warmup>\d{1,15})\))?"
)

OPTIMIZER = r"['\"]optimizer['\"]: *\{\s*['\"]name['\"]: *['\"](\w{1,60})"


def claims(source: Source) -> bool:
    """There is a line ``step: 200  loss:  6.1384  ...``."""
    return LINE.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read.
    """
    found = find(source, LINE, MARK)
    for record in found.records:
        if record.pop("validate", None):
            record["val_loss"] = record.pop("loss")
    found.drop_halves(("loss", "val_loss"))
    starts = [match for line in source.lines if (match := START.search(line))]
    told = starts[-1].groupdict() if starts else {}
    batch, length, steps = (
        whole(float(told.get(name) or 0)) for name in ("batch", "length", "steps")
    )
    notes: list[str] = []
    rated = bool(found.column("lr"))
    if rated:
        notes.append("a logged rate is that of the update done")
    return [
        log_of(
            source,
            found,
            NAME,
            train="loss",
            validation="val_loss",
            lr="lr",
            loss_note="a logged loss is that of one update; before 2025, the mean since the last",
            horizon=steps,
            facts=Facts(
                lr_is="used" if rated else None,
                batch=batch,
                sequence_length=length,
                warmup=int(told["warmup"]) if told.get("warmup") else None,
                optimizer=stated(source, OPTIMIZER),
            ),
            notes=notes,
        )
    ]
