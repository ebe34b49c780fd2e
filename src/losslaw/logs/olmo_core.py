"""OLMo-core (and OLMo before it): what the console logger prints.

``[step=100/2000,epoch=1,eta=5h]`` begins a message, the metrics of that step follow, each on a line
of its own: ``    train/CE loss=6.234``, ``    optim/LR (group 0)=4.00E-05``. The loss is that of
the update done, the rate the one it used. Numbers are rounded: rates of 1e-4 and more to four
decimals, smaller ones to three digits, losses above 1 to three decimals or four by version.
Evaluations are printed without their step, and are left out.
"""

import re

from losslaw.logs.lines import STEP, VALUE, Found, always, log_of, suffixed, whole
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "OLMo-core"

STEP_LINE = re.compile(rf"\[step=(?P<step>{STEP})/(?:(?P<horizon>{STEP})|\?\?\?)[,\]]")
METRIC = re.compile(
    r"(?:^|\s)(?P<key>(?:train|optim|throughput|system|gpu_memory)/[^=]{1,99})=(?P<value>.*)"
)
LOSS, RATE, TOKENS = "train/CE loss", "optim/LR", "throughput/total tokens"
METRICS = {
    "train/CE loss": LOSS,
    "train/CrossEntropyLoss": LOSS,
    "optim/LR (group 0)": RATE,
    "optim/LR": RATE,
    "optim/learning_rate_group0": RATE,
    "throughput/total tokens": TOKENS,
    "throughput/total_tokens": TOKENS,
}


def claims(source: Source) -> bool:
    """There is a marker ``[step=100/2000,...]``, and a training loss."""
    return STEP_LINE.search(source.start) is not None and (
        "train/CE loss=" in source.start or "train/CrossEntropyLoss=" in source.start
    )


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read, or no loss in any.
    """
    found = Found()
    evaluations = 0
    horizons: list[str] = []
    now: dict[str, str] = {}
    seen: set[str] = set()
    for number, line in enumerate(source.lines, start=1):
        begins = STEP_LINE.search(line)
        metric = METRIC.search(line)
        if begins:
            now, seen = {"step": begins["step"]}, set()
            found.lines.append(number)
            found.records.append(now)
            if begins["horizon"]:
                horizons.append(begins["horizon"])
        elif metric:
            # A metric that comes again is of another step, whose beginning was lost.
            if metric["key"] in seen:
                found.broken += LOSS in now
                now.clear()
            seen.add(metric["key"])
            name, value = METRICS.get(metric["key"]), metric["value"].strip()
            if name and now and VALUE.fullmatch(value):
                now[name] = value.replace(",", "")
            elif name:
                found.broken += suffixed(value) is None
        elif line.rpartition("=")[0].endswith(("/CE loss", "/CrossEntropyLoss")):
            evaluations += 1
    kept = [(at, each) for at, each in zip(found.lines, found.records, strict=True) if LOSS in each]
    found.lines, found.records = [at for at, _ in kept], [each for _, each in kept]
    found.drop_halves((LOSS, RATE), by_size=True)
    tokens: set[int] = set()
    for record in found.records:
        total = record.pop(TOKENS, None)
        if total and int(record["step"]) and total.isdecimal():
            tokens.add(round(int(total) / int(record["step"])))
    return [
        log_of(
            source,
            found,
            NAME,
            train=LOSS,
            lr=RATE,
            horizon=whole(always(horizons)),
            facts=Facts(
                lr_is="used" if found.column(RATE) else None,
                tokens_per_update=whole(tokens.pop()) if len(tokens) == 1 else None,
            ),
            notes=[
                "a logged rate is that of the update done, as in OLMo-core",
                "rates of 1e-4 and more are rounded to four decimals, smaller ones to three digits",
            ],
            skipped=[("evaluations, whose step is not in the log", evaluations)],
        )
    ]
