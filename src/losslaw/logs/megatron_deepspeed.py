"""Megatron-DeepSpeed: three kinds of lines for one step, of which Megatron's own is read.

It is that of Megatron-LM with ``consumed tokens`` and ``actual seqlen``, whose conventions are in
`losslaw.logs.megatron`. DeepSpeed prints ``[Rank 0] step=1, skipped=1, lr=[...]`` before it, where
``skipped`` counts all updates so far that its loss scaler left out, and ``steps: 1 loss: 10.6554``
with fewer digits: neither gives points.
"""

import re

from losslaw.logs import megatron
from losslaw.logs.log import Log
from losslaw.logs.source import Source

NAME = "Megatron-DeepSpeed"

DEEPSPEED = re.compile(r"\[Rank \d+\] step=\d+, skipped=(\d{1,15}),")


def claims(source: Source) -> bool:
    """There is a line of Megatron-LM, with consumed tokens or among DeepSpeed's."""
    return megatron.claims(source) and (
        "| consumed tokens:" in source.start or DEEPSPEED.search(source.start) is not None
    )


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read, or no loss in any.
    """
    counts = [int(match[1]) for line in source.lines if (match := DEEPSPEED.search(line))]
    notes: list[str] = []
    if counts and max(counts):
        notes.append(
            f"skipped={max(counts)}: so many updates were left out by DeepSpeed's loss scaler; they"
            " count as steps, but changed nothing"
        )
    return [megatron.read_lines(source, NAME, notes)]
