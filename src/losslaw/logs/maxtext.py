"""MaxText: what its metric logger prints, and the settings above it.

``completed step: 19, seconds: ..., total_weights: 196608, loss: 11.110`` counts from 0, so 20
updates are done; ``total_weights`` are the tokens of the update. ``eval metrics after step: 19,
loss=...`` is an evaluation after the same 20 updates. Rates are not printed (descendants do, as
``lr: 3.000e-04``: the one that the update used), but settings are, as ``Config param steps: 150``.
"""

import re

from losslaw.logs.lines import (
    NUMBER,
    STEP,
    VALUE,
    Found,
    always,
    log_of,
    parts,
    settings,
    stated,
    whole,
)
from losslaw.logs.log import Log
from losslaw.logs.run_facts import Facts
from losslaw.logs.source import Source

NAME = "MaxText"

LINE = re.compile(rf"completed step: (?P<step>{STEP}),(?P<rest>.*)")
EVALUATION = re.compile(rf"eval metrics after step: (?P<step>{STEP}), loss=(?P<loss>{NUMBER})")
MARK = re.compile(r"completed step: \d|eval metrics after step: \d")
CLAIM = re.compile(rf"completed step: {STEP}, seconds: {NUMBER}, TFLOP/s/device: ")
CELLS = {"loss": "loss", "lr": "lr", "total_weights": "tokens"}
SETTINGS = {
    "steps": "steps",
    "learning_rate": "peak",
    "learning_rate_schedule_steps": "horizon",
    "warmup_steps_fraction": "warmup",
    "cosine_learning_rate_final_fraction": "final",
    "learning_rate_final_fraction": "final",
    "adam_weight_decay": "weight_decay",
    "max_target_length": "length",
}


def claims(source: Source) -> bool:
    """There is a line ``completed step: 0, seconds: ..., TFLOP/s/device: ...``."""
    return CLAIM.search(source.start) is not None


def read(source: Source) -> list[Log]:
    """The one run of the file.

    Raises:
        InputError: no line that can be read, or no loss in any.
    """
    found = Found()
    for number, line in enumerate(source.lines, start=1):
        begins = sum(1 for _ in MARK.finditer(line))
        step = LINE.search(line) if begins == 1 else None
        evaluation = EVALUATION.search(line) if begins == 1 else None
        record: dict[str, str] = {}
        if step:
            cells = parts(step["rest"] + ",", ",")
            record = {
                name: cells[key]
                for key, name in CELLS.items()
                if key in cells and VALUE.fullmatch(cells[key])
            }
        elif evaluation:
            record = {"eval_loss": evaluation["loss"]}
        done = step or evaluation
        if done and record.keys() & {"loss", "eval_loss"}:
            found.add(number, {"step": str(int(done["step"]) + 1), **record})
        else:
            found.broken += begins > 0
    found.drop_halves(("loss", "eval_loss"))
    tokens = always(found.column("tokens"))
    for record in found.records:
        record.pop("tokens", None)
    told = {SETTINGS[name]: value for name, value in settings(source, SETTINGS, ": ").items()}
    size = settings(source, ("number parameters",), ": ")
    rated = bool(found.column("lr"))
    notes = ["MaxText counts steps from 0: a step stands one update later here"]
    if rated:
        notes.append("a logged rate is that of the update done")
    return [
        log_of(
            source,
            found,
            NAME,
            train="loss",
            validation="eval_loss",
            lr="lr",
            horizon=whole(told.get("steps") or told.get("horizon")),
            example=_schedule(told),
            facts=Facts(
                lr_is="used" if rated else None,
                weight_decay=told.get("weight_decay"),
                tokens_per_update=tokens,
                sequence_length=whole(told.get("length")),
                model_size=size.get("number parameters") or None,
                optimizer=stated(source, r"Config param opt_type: (\w{1,60})"),
            ),
            notes=notes,
        )
    ]


def _schedule(told: dict[str, float]) -> str | None:
    """MaxText's cosine with warm-up, if all its settings are in the file."""
    horizon = whole(told.get("horizon") or told.get("steps"))
    if not horizon or not {"peak", "warmup", "final"} <= told.keys():
        return None
    return (
        f"cosine:peak={told['peak']:g},horizon={horizon},"
        f"warmup={int(told['warmup'] * horizon)},final={told['peak'] * told['final']:g}"
    )
