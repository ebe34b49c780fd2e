"""nanochat: the function ``get_lr_multiplier(it)``, which it logs as ``lrm``.

Every group has a rate of its own, and update it + 1 uses that times ``get_lr_multiplier(it)``
(``scripts/base_train.py``, nanochat 92d63d4). nanochat's own, with W = ``--warmup-steps``,
D = round(n * ``--warmdown-ratio``), m = ``--final-lr-frac``, for update k::

    k <= W            k / W
    k <= n - D + 1    1
    after it          p + (1 - p) * m,  p = (n - k + 1) / D

so that the last update does not quite reach m.
"""

import numpy as np

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.nanogpt import FACTOR
from losslaw.exporting.pytorch import exported, with_pieces
from losslaw.exporting.styles import Phases, Rates, Setting, Style, fall
from losslaw.exporting.text import comment, number
from losslaw.numerics.arrays import FloatArray


def _phases(setting: Setting, k: FloatArray) -> Phases:
    n, warmup, decay = setting
    return Phases(k <= warmup, k / max(warmup, 1), fall("linear", (k - 1 - n + decay) / decay))


def _flat(setting: Setting, k: FloatArray) -> Phases:
    return Phases(k <= setting[1], k / max(setting[1], 1), np.ones_like(k))


def _arguments(setting: Setting, rates: Rates) -> dict[str, object]:
    n, warmup, decay = setting
    return {
        "--num-iterations": n,
        "--warmup-steps": warmup,
        "--warmdown-ratio": decay / n,  # nanochat rounds
        "--final-lr-frac": float(number(rates.floor / rates.peak)) if decay and rates.peak else 1.0,
    }


STYLES = (
    Style("constant", _flat, _arguments, floor=False, room=0),
    Style("warm-up, constant, linear warmdown", _phases, _arguments, decays=True, room=0),
)


def write(job: Job) -> Exported:
    """A module with ``get_lr_multiplier(it)``, and the arguments that come nearest to it."""
    near = job.nearest(STYLES)
    head = job.header(
        ["Learning-rate schedule for nanochat (scripts/base_train.py)."],
        [
            "In the place of the script's own: from schedule import get_lr_multiplier; with"
            f" --num-iterations {job.horizon}.",
            "Each group keeps its own rate; PEAK is that of the schedule. The momentum and weight"
            " decay of Muon follow schedules of nanochat's own. Past the horizon the last factor"
            " holds.",
        ],
    )
    code = FACTOR.format(name="get_lr_multiplier", meaning="Share of its own rate for", unit="")
    told = " ".join(
        f"{key} {number(value) if isinstance(value, float) else value}"
        for key, value in near.arguments.items()
    )
    tail = comment([*gap_lines(near, used=False), "It would be:", "", told])
    body = with_pieces(job, "", code)
    done = exported(job, "nanochat", f"{head}\n\n{body}\n\n{tail}\n", "")
    step = "from schedule import get_lr_multiplier, in the place of the script's own"
    return Exported("nanochat", done.data, True, job.pieces, near, step, done.notes)
