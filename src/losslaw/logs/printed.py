"""Lines that say a step and a loss by name, of no trainer that is known.

``step=10 loss=3.2 lr=1e-4`` or ``Step 10/1000 | Train Loss: 3.2 | LR: 1.0e-04``: what scripts print
that people write themselves. Nothing is known of their conventions: a step is taken for the updates
done, a loss for that of one update.
"""

import re
from collections import Counter

from losslaw.logs.lines import NUMBER, STEP, Found, always, decimals, log_of, whole
from losslaw.logs.log import VALIDATION, Log
from losslaw.logs.source import Source

NAME = "printed lines with a step and a loss"
# Lines that must look like that, of the first ones, and the share of losses that have the same
# count of decimals where it is fixed.
ENOUGH, FIXED = 3, 0.9

AT = re.compile(
    r"(?<![\w/])(?:global[_ ]?step|step|iter|iteration|update)s?[ :=#\[]{1,9}"
    rf"(?P<step>{STEP})(?![.\w])(?: ?(?:/|of) ?(?P<horizon>{STEP})(?![.\w]))?",
    re.IGNORECASE,
)
LOSS = re.compile(
    r"(?<![\w/])(?P<name>(?:(?:train|training|val|valid|validation|eval|test)[_/ .-])?loss)"
    rf" ?[:= ] ?(?P<value>{NUMBER})",
    re.IGNORECASE,
)
EPOCH = re.compile(r"(?<![\w/])epoch ?[:=#\[ ] ?(?P<epoch>\d{1,9}(?:\.\d{1,9})?)", re.IGNORECASE)
RATE = re.compile(rf"(?<![\w/])(?:lr|learning[_ ]rate) ?[:= ] ?(?P<value>{NUMBER})", re.IGNORECASE)


def claims(source: Source) -> bool:
    """Some lines have a step and a loss."""
    lines = source.start.splitlines()
    return sum(1 for line in lines if AT.search(line) and LOSS.search(line)) >= ENOUGH


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read.
    """
    found = Found()
    for number, line in enumerate(source.lines, start=1):
        at, losses = AT.search(line), list(LOSS.finditer(line))
        if not at or not losses:
            continue
        cells: dict[str, str] = {}
        for match in losses:  # of one kind the first
            seen = VALIDATION.search(match["name"].lower())
            cells.setdefault("val_loss" if seen else "loss", match["value"])
        rate, epoch = RATE.search(line), EPOCH.search(line)
        told = {"lr": rate and rate["value"], "epoch": epoch and epoch["epoch"]}
        found.add(number, {**at.groupdict(), **told, **cells})
    for name in ("loss", "val_loss"):
        counts = Counter(decimals(cell) for cell in found.column(name))
        if counts and max(counts.values()) >= FIXED * counts.total():
            found.drop_halves([name])
    horizon = whole(always(found.column("horizon")))
    for record in found.records:
        record.pop("horizon", None)
    return [
        log_of(
            source,
            found,
            NAME,
            train="loss",
            validation="val_loss",
            lr="lr",
            horizon=horizon,
            loss_note="a logged loss is taken for that of one update: what printed it is not known",
            notes=("lines are read by the names 'step' and 'loss' in them",),
        )
    ]
