"""modded-nanogpt: the text that a run leaves, its own source code first.

``step:25/6200 train_loss:6.3684 train_time:...`` stands after 25 updates, the number after the
stroke is the horizon. ``val_loss`` is printed before the next update, ``step_avg:nanms`` while
nothing is timed yet; later versions print no training loss. Rates are not in the file, but its
source code has the settings of the schedule: constant after the warm-up, linear to 0 at the end.
"""

import re

from losslaw.logs.lines import NUMBER, STEP, always, find, log_of, settings, stated, whole
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "modded-nanogpt"

LINE = re.compile(
    rf"^step:(?P<step>{STEP})/(?P<horizon>{STEP}) "
    rf"(?:train_loss:(?P<train_loss>{NUMBER})|val_loss:(?P<val_loss>{NUMBER})) "
)
# Lines without a loss are no losses lost.
MARK = re.compile(r"^step:(?!\d+/\d+ train_time:)")
CLAIM = re.compile(LINE.pattern, re.MULTILINE)


def claims(source: Source) -> bool:
    """There is a line ``step:25/6200 train_loss:...`` or ``step:0/6200 val_loss:...``."""
    return CLAIM.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read.
    """
    found = find(source, LINE, MARK, fixed=("train_loss", "val_loss"))
    horizon = whole(always(found.column("horizon")))
    for record in found.records:
        del record["horizon"]
    code = settings(
        source,
        ("learning_rate", "warmup_iters", "warmdown_iters", "cooldown_iters", "cooldown_frac"),
        r"\s*:\s*(?:int|float)\s*=\s*",
    )
    warmup = int(code["warmup_iters"]) if "warmup_iters" in code else None
    cooldown = code.get("cooldown_frac")
    if cooldown is None and horizon:
        cooldown = code.get("warmdown_iters", code.get("cooldown_iters", -1)) / horizon
    example = None
    if "learning_rate" in code and horizon and cooldown is not None and 0 < cooldown <= 1:
        example = (
            f"wsd:peak={code['learning_rate']},horizon={horizon},warmup={warmup or 0},"
            f"cooldown={cooldown:.4g},decay=linear"
        )
    return [
        log_of(
            source,
            found,
            NAME,
            train="train_loss",
            validation="val_loss",
            horizon=horizon,
            # What the code makes, not the class; of several Muon, which has the matrices.
            facts=Facts(
                warmup=warmup,
                optimizer=stated(source, r"= *(?:\w+\.)*((?:Nor|Dist)?Muon)\(")
                or stated(source, r"= *(?:\w+\.)*(AdamW)\("),
            ),
            example=example,
        )
    ]
