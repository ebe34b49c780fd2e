"""fairseq's output: progress lines of versions before 0.9 and since, and ``--log-format json``.

A row stands at ``num_updates``, and its rate is what the schedule gives for that many updates, so
that of the next one. Losses are in bits: the criterions divide by log 2, which the perplexity
beside them shows (it is 2 to the power of the loss). They become nats here. Before 0.9 a progress
line has the running mean over the epoch so far; since then (``train_inner``) the mean since the
line before. Where no progress was printed, the rows of whole epochs are the curve. With label
smoothing ``loss`` includes it, ``nll_loss`` does not.
"""

import math
import re
from collections.abc import Mapping
from itertools import pairwise

from losslaw.errors import InputError
from losslaw.files import table_of
from losslaw.logs.columns import Columns
from losslaw.logs.json_lines import json_object
from losslaw.logs.lines import NUMBER, STEP, once, settings, stated, whole
from losslaw.logs.log import Log, LossIs, usual_loss
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "fairseq"

# Of versions without num_updates, which count the updates of each epoch in their bars.
BAR = re.compile(rf"epoch ({STEP}):? {{1,9}}({STEP}) / ({STEP}) ")
RECORD = re.compile(rf"{BAR.pattern}loss=|epoch \d+ \|.{{0,999}}\b(?:valid_)?loss {NUMBER}")
JSON = re.compile(r'\{"epoch": \d+, .{0,999}?"(?:train_|valid_)?loss": ')
CELL = r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,3})?|nan|inf)"
PAIR = re.compile(rf"(?<!\w)(\w{{1,60}})[= ]({CELL})%?(?=[,| ]|$)")
# The oldest versions: the loss of the last batch, and in brackets the mean so far.
SINGLE = re.compile(rf"\bloss={CELL} \(")
# The updates of the epoch so far, which a running mean is over.
SPAN = "updates of the epoch"
LOSSES = ("loss", "nll_loss", "valid_loss", "valid_nll_loss")

UPDATES = re.compile(STEP)

# Kinds of rows, the one that is fitted first; what the loss of each is.
KINDS: dict[str, tuple[LossIs, str]] = {
    "inner": ("mean", "a logged loss is the mean over the updates since the line before it"),
    "single": ("instant", "a logged loss is that of one batch"),
    "running": ("epoch", "a logged loss is the running mean over the epoch so far"),
    "epoch": ("epoch", "a logged loss is the mean over its epoch"),
    "valid": ("instant", "a validation loss is that of one evaluation"),
}

Values = dict[str, str]


def claims(source: Source) -> bool:
    """Lines with an epoch and the updates done."""
    start = source.start
    if "num_updates" in start and (RECORD.search(start) or JSON.search(start)):
        return True
    return re.search(rf"{BAR.pattern}loss=.{{0,999}}, lr={NUMBER}", start) is not None


def read(source: Source) -> list[Log]:
    """The one run that was printed.

    Raises:
        InputError: no line of it can be read.
    """
    rows: dict[str, list[Values]] = {kind: [] for kind in KINDS}
    broken = unplaced = 0
    step = ""
    for line in source.lines:
        json, printed = JSON.search(line), RECORD.search(line)
        if not (json or printed):
            continue
        values = _json(line[json.start() :]) if json else _pairs(line)
        kind = _kind(line, values)
        step = values.get("num_updates", step if kind == "valid" else "")
        placed = UPDATES.fullmatch(step) is not None
        if kind != "valid" and not (placed and "lr" in values and "loss" in values):
            broken += 1
        elif kind == "valid" and not (placed and "valid_loss" in values):
            unplaced += 1
        else:
            rows[kind].append({**values, **_span(line, values, int(step)), "step": step})
    kind = next((kind for kind in KINDS if rows[kind]), "valid")
    train = [] if kind == "valid" else rows[kind]
    if not train and not rows["valid"]:
        raise InputError(f"{source.name}: looks like fairseq's output, but no line can be read")
    bits, said = _base([*train, *rows["valid"]])
    table = table_of(source.name, _in_order(train, rows["valid"], math.log(2) if bits else 1.0))
    losses = [name for name in LOSSES if name in table.columns]
    loss, choice = usual_loss(table, *(each if each in losses else None for each in LOSSES[::2]))
    gaps = {int(later["step"]) - int(earlier["step"]) for earlier, later in pairwise(train)}
    loss_is, what = KINDS[kind]
    # Its Adam has decoupled weight decay, as it says of itself.
    optimizer = stated(source, r"\boptimizer['\"]?\s*[=:]\s*(?:\{'_name': *)?['\"]?([a-z]\w{1,60})")
    limits = settings(source, ["max_update"], r"['\"]?\s*[=:]\s*")
    if loss != "loss":
        what = KINDS["valid"][1]
    elif "nll_loss" in losses:
        what += "; 'nll_loss' is the same without label smoothing"
    log = Log(
        format=NAME,
        table=table,
        columns=Columns("step", loss, "lr" if "lr" in table.columns else None, None, ()),
        losses=tuple(losses),
        facts=Facts(
            lr_is="next" if train else None,
            optimizer="adamw" if optimizer == "adam" else optimizer,
        ),
        loss_is=loss_is,
        window=gaps.pop() if len(gaps) == 1 and kind in ("inner", "epoch") else None,
        spans=SPAN if kind == "running" else None,
        horizon=whole(limits.get("max_update")),
        notes=("a logged rate is that of the next update, as the schedule gives it", said),
        loss_notes=(choice, what) if choice else (what,),
    )
    return [
        log.with_skipped(
            {
                "lines that cannot be read to their end": broken,
                "evaluations before the first updates": unplaced,
            }
        )
    ]


def _json(text: str) -> Values:
    """What a JSON record says, without the prefix of training records; empty if cut off."""
    record = json_object(text.rstrip()) or {}
    return {key.removeprefix("train_"): str(value) for key, value in record.items()}


def _pairs(line: str) -> Values:
    """What a printed line says; its last number may be cut off, and is no rate."""
    values = once(PAIR.findall(line))
    if line.rstrip().endswith(f"lr={values.get('lr')}"):
        del values["lr"]
    bar = BAR.search(line)
    if bar and "num_updates" not in values and "lr" in values and "num_updates" not in line:
        values["num_updates"] = str((int(bar[1]) - 1) * int(bar[3]) + int(bar[2]))
    if "valid on" in line:
        values |= {f"valid_{name}": values.pop(name) for name in LOSSES[:2] if name in values}
    return values


def _span(line: str, values: Mapping[str, str], step: int) -> Values:
    """The updates of the epoch so far: by the bar, or by the part of an epoch in JSON."""
    bar = BAR.search(line)
    if bar:
        return {SPAN: str(max(min(int(bar[2]), step), 1))}
    part = values.get("update", "")
    epochs = float(part) if re.fullmatch(NUMBER, part) else math.nan
    if not (0 < epochs <= step):
        return {}
    done = epochs % 1 or 1.0
    return {SPAN: str(max(round(done / epochs * step), 1))}


def _kind(line: str, values: Mapping[str, str]) -> str:
    if "valid on" in line or any(key.startswith("valid_") for key in values):
        return "valid"
    if "train_inner" in line:
        return "inner"
    if SINGLE.search(line):
        return "single"
    return "running" if "update" in values or BAR.search(line) else "epoch"


def _base(rows: list[Values]) -> tuple[bool, str]:
    """Whether losses are in bits, and a sentence; the perplexity beside them decides.

    >>> _base([{"loss": "3.0", "ppl": "8.00"}])[0], _base([{"loss": "3.0", "ppl": "20.09"}])[0]
    (True, False)
    """
    for values in rows:
        loss = values.get("nll_loss", values.get("loss"))
        try:
            bits, perplexity = float(loss or "nan"), float(values.get("ppl", "nan"))
        except ValueError:
            continue
        if 0.1 < bits < 60 and perplexity > 0:
            if abs(bits - math.log2(perplexity)) < 0.02:
                return True, "the loss is in bits, by the perplexity beside it: made nats by log 2"
            if abs(bits - math.log(perplexity)) < 0.02:
                return False, "the loss is in nats, by the perplexity beside it"
    return True, "the loss is taken to be in bits, as fairseq's criterions give it: made nats"


def _in_order(train: list[Values], valid: list[Values], unit: float) -> list[dict[str, str]]:
    """One table of training and validation rows, each kind as it was logged."""

    def scaled(cell: str) -> str:
        try:
            return repr(float(cell) * unit)
        except ValueError:
            return cell  # whoever reads the column says where it is

    return [
        {
            "step": values["step"],
            **{name: values[name] for name in ("lr", SPAN) if name in values},
            **{name: scaled(values[name]) for name in LOSSES if name in values},
        }
        for values in [*train, *valid]
    ]
