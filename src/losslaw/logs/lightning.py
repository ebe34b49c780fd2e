"""Lightning's ``metrics.csv``: sparse rows, one for each thing that was logged at a step.

Steps count from 0 there: the row of step 49 is after 50 updates, as the rows of evaluations and
epochs tell too (with Lightning 2.6, an epoch of 20 updates ends at step 19). A rate of the
`LearningRateMonitor` is that of the update done. A name that ends in ``_step`` is of one batch, in
``_epoch`` of the mean over an epoch; without an ending it is the latter where it has a value an
epoch.
"""

import csv
import re
from dataclasses import replace
from itertools import pairwise

from losslaw.files import Table, parse_table
from losslaw.logs.columns import LOSS, find_columns, key
from losslaw.logs.lines import STEP
from losslaw.logs.log import VALIDATION, Log, LossIs, even_window, usual_loss
from losslaw.logs.run_facts import Facts
from losslaw.logs.run_settings import facts_of
from losslaw.logs.source import Source

NAME = "Lightning metrics.csv"
FILE = "metrics.csv"
HPARAMS = "hparams.yaml"
ENDINGS = ("_step", "_epoch")
COUNT = re.compile(STEP)


def claims(source: Source) -> bool:
    """A table with steps, epochs, and names or steps as only Lightning writes them."""
    lines = source.start.lstrip().splitlines()[:400]
    header = lines[0].split(",") if lines else []
    if not {"step", "epoch"} <= set(header) or "," not in lines[0]:
        return False
    if any(name.endswith(ENDINGS) or name.startswith("lr-") for name in header):
        return True
    return source.path.name == FILE or _counts_from_zero(lines, header.index("step"))


def _counts_from_zero(lines: list[str], at: int) -> bool:
    """Whether the first rows stand one update before the multiples of their distance."""
    cells = [row[at] for row in csv.reader(lines[1:]) if len(row) > at]
    steps = list(dict.fromkeys(int(cell) for cell in cells if COUNT.fullmatch(cell)))[:3]
    gaps = {later - earlier for earlier, later in pairwise(steps)}
    return len(steps) == 3 and steps[0] > 0 and gaps == {steps[0] + 1}


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no table, or no loss in it.
    """
    table = parse_table(source.plain, source.name)
    steps = [None if cell is None else _done(cell) for cell in table.columns["step"]]
    table = replace(table, columns={**table.columns, "step": steps})
    losses = [name for name in table.columns if "loss" in key(name)]
    train = min((name for name in losses if not _seen(name)), key=_order, default=None)
    evaluations = [name for name in losses if _seen(name) and not name.endswith("_step")]
    loss, choice = usual_loss(table, train, min(evaluations, key=_order, default=None))
    columns = find_columns(table, loss_column=loss or None, step_column="step")
    loss_is, window = _mean(table, train)
    said = {
        "instant": "a logged training loss is that of one batch",
        "epoch": "a logged training loss is the mean over its epoch",
    }
    loss_notes = [choice] if choice else []
    if columns.loss == train:
        loss_notes.append(said[loss_is])
    log = Log(
        format=NAME,
        table=table,
        columns=columns,
        losses=tuple(losses) or (columns.loss,),
        facts=Facts(lr_is="used" if columns.lr else None),
        loss_is=loss_is,
        window=window,
        notes=("steps count from 0 in Lightning's metrics: the row of step 49 is after 50 updates",)
        + (("a logged rate is that of the update done",) if columns.lr else ()),
        loss_notes=tuple(loss_notes),
    )
    return [log.with_facts(_told(source)).with_skipped({"lines cut off": table.cut})]


def _told(source: Source) -> Facts:
    """What the hyperparameters beside the file name for an optimiser, if anything."""
    try:
        text = "" if source.piped else (source.path.parent / HPARAMS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    settings = dict(re.findall(r"^\s*([\w./]+): *['\"]?([^\s'\"#]+)", text, re.MULTILINE))
    return Facts(optimizer=facts_of(settings)[0].optimizer)


def _done(step: str) -> str:
    return str(int(step) + 1) if COUNT.fullmatch(step) else step


def _seen(name: str) -> bool:
    return VALIDATION.search(name.lower()) is not None


def _order(name: str) -> tuple[bool, int]:
    """Usual names first, and of one name the loss of a batch before the mean of an epoch."""
    ending = next((ending for ending in ENDINGS if name.endswith(ending)), "")
    usual = key(name.removesuffix(ending)) in LOSS
    return not usual, ("_step", "", "_epoch").index(ending)


def _mean(table: Table, train: str | None) -> tuple[LossIs, int | None]:
    """What a training loss is, and the updates that a mean is over."""
    if train is None or train.endswith("_step"):
        return "instant", None
    rows = [row for row, cell in enumerate(table.columns[train]) if cell is not None]
    epochs = {table.columns["epoch"][row] for row in rows}
    if not train.endswith("_epoch") and len(rows) > len(epochs):
        return "instant", None
    cells = [table.columns["step"][row] or "" for row in rows]
    steps = [int(cell) for cell in cells if COUNT.fullmatch(cell)]
    return "epoch", even_window(steps) if steps else None
