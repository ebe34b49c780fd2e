"""llm.c ``main.log``, and the same lines from early modded-nanogpt, whose rates are not printed.

``s:40 trl:8.9059 lr:0.000035 norm:1.88`` is printed by update 41: the training loss before it and
its rate, after 40 updates. So a step counts the updates done and a rate is that of the next one.
``s:250 tel:6.1710`` is a validation loss, ``eval:`` an accuracy. Rates have six decimals, so below
1e-4 they have two digits or fewer; the horizon is not in the file. The Python program of llm.c and
early modded-nanogpt print ``trl`` and ``tel`` alone, with six decimals.
"""

import re

from losslaw.logs.lines import NUMBER, STEP, find, log_of
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "llm.c main.log"

LINE = re.compile(
    rf"^s:(?P<step>{STEP}) (?:tel:(?P<val_loss>{NUMBER})"
    rf"|trl:(?P<train_loss>{NUMBER})(?: lr:(?P<lr>{NUMBER}))?)"
)
MARK = re.compile(r"^s:(?!\d+ eval:)")
CLAIM = re.compile(LINE.pattern, re.MULTILINE)


def claims(source: Source) -> bool:
    """There is a line ``s:40 trl:...`` or ``s:40 tel:...``."""
    return CLAIM.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read.
    """
    found = find(source, LINE, MARK, fixed=("train_loss", "val_loss", "lr"))
    rated = bool(found.column("lr"))
    notes = ["a step counts the updates done: llm.c prints it before its update"]
    if rated:
        notes += [
            "a logged rate is that of the next update, as in llm.c",
            "the logged rates are rounded to six decimals",
        ]
    return [
        log_of(
            source,
            found,
            NAME,
            train="train_loss",
            validation="val_loss",
            lr="lr",
            # Only llm.c, which has AdamW, prints rates.
            facts=Facts(lr_is="next", optimizer="adamw") if rated else None,
            notes=notes,
        )
    ]
