"""What a Hugging Face Trainer prints: progress bars, and a python dictionary at each logging.

The dictionaries have no step: it is that of the training bar before each. Where steps are fast the
bar is drawn late; then the bar after, drawn anew below each dictionary, is the regular one. Rates
and losses mean what they do in ``trainer_state.json`` (`losslaw.logs.huggingface`). Newer versions
print numbers as texts of four digits.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from losslaw.errors import InputError
from losslaw.logs.huggingface import from_history
from losslaw.logs.lines import STEP, once, stated
from losslaw.logs.log import Log
from losslaw.logs.run_facts import facts_from
from losslaw.logs.source import Source

NAME = "Hugging Face console"

BAR = re.compile(rf"\|\s*({STEP})/({STEP})\s*\[")
RECORD = re.compile(r"\{'(?:loss|eval_loss)':[^{}]*\}")
BEGUN = re.compile(r"\{'(?:loss|eval_loss)':")
VALUE = re.compile(r"'([\w/.-]+)': '?([-+\w.]+)")
# Bars after the records are theirs only where their steps are more regular by this factor.
CLEARLY = 1.5
# What a Trainer says before it begins.
FACTS = {
    "batch": re.compile(r"Total train batch size \([^)]*\) = ([\d,]{1,15})(?![\d,])"),
    "horizon": re.compile(r"Total optimization steps = ([\d,]{1,15})(?![\d,])"),
}

Bar = tuple[int, int]
"""Steps done and in all."""


def claims(source: Source) -> bool:
    """A dictionary that begins with a loss."""
    return BEGUN.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run that was printed.

    Raises:
        InputError: no losses, or no bar that tells their steps.
    """
    records: list[tuple[dict[str, str], Bar | None, Bar | None]] = []
    facts: dict[str, str] = {}
    bar: Bar | None = None
    cut = waiting = 0
    for line in source.lines:
        for match in re.finditer(rf"{BAR.pattern}|{RECORD.pattern}", line):
            if match[0].startswith("{"):
                records.append((once(VALUE.findall(match[0])), bar, None))
                continue
            bar = int(match[1]), int(match[2])
            for i in range(waiting, len(records)):
                records[i] = (*records[i][:2], bar)
            waiting = len(records)
        cut += len(BEGUN.findall(line)) - len(RECORD.findall(line))
        if " = " in line:
            facts |= {
                name: match[1].replace(",", "")
                for name, wanted in FACTS.items()
                if (match := wanted.search(line))
            }
    total = _total([(before, after) for record, before, after in records if "loss" in record])
    if total is None:
        raise InputError(
            f"{source.name}: no progress bars in this output, so the steps of its losses are not"
            " known; give the trainer_state.json of its newest checkpoint instead"
        )
    kept = [
        (record, before if before and before[1] == total else None,
         after if after and after[1] == total else None)
        for record, before, after in records
    ]  # fmt: skip
    steps = _steps(kept)
    history = [
        {**record, "step": step}
        for (record, _, _), step in zip(kept, steps, strict=True)
        if step is not None
    ]
    log = from_history(history, source.name, int(facts.pop("horizon", total)), NAME)
    lost = len(kept) - len(history)
    skipped = {"records cut off": cut, "records without a bar before them": lost}
    optimizer = stated(source, r"\boptim=(?:<?OptimizerNames\.)?['\"]?(\w{1,60})")
    known = facts_from({**facts, "optimizer": optimizer}, source.name)
    return [log.with_facts(known).with_skipped(skipped)]


def _total(bars: Sequence[tuple[Bar | None, Bar | None]]) -> int | None:
    """Updates in all, by the bar that is usual beside a training loss: others are of evaluations.

    >>> _total([((10, 300), (11, 300)), ((7, 7), (20, 300))])
    300
    """
    totals = Counter(bar[1] for pair in bars for bar in pair if bar is not None)
    return totals.most_common(1)[0][0] if totals else None


def _steps(records: Sequence[tuple[dict[str, str], Bar | None, Bar | None]]) -> list[int | None]:
    """Steps of the records: of the bars before, or those after if only they are regular."""
    last: int | None = None
    before: list[int | None] = []
    for _, bar, _ in records:  # between a training bar and a record an evaluation may have drawn
        last = bar[0] if bar is not None else last
        before.append(last)
    after = [
        bar[0] if bar is not None else known
        for (_, _, bar), known in zip(records, before, strict=True)
    ]
    train = ["loss" in record for record, _, _ in records]
    if _regular(after, train) > CLEARLY * _regular(before, train):
        return _each_its_own(after[::-1], train[::-1])[::-1]
    return _each_its_own(before, train)


def _each_its_own(steps: list[int | None], train: list[bool]) -> list[int | None]:
    """The steps without those of training records that had no bar of their own.

    >>> _each_its_own([10, 20, 20, 30], [True, True, True, True])
    [10, 20, None, 30]
    """
    last: int | None = None
    own: list[int | None] = []
    for step, is_train in zip(steps, train, strict=True):
        own.append(None if is_train and step == last else step)
        last = step if is_train else last
    return own


def _regular(steps: list[int | None], train: list[bool]) -> float:
    """Share of the commonest distance between two training records."""
    kept = [step for step, is_train in zip(steps, train, strict=True) if is_train and step]
    gaps = Counter(later - earlier for earlier, later in pairwise(kept))
    return gaps.most_common(1)[0][1] / gaps.total() if gaps else 0.0
