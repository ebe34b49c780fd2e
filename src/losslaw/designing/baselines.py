"""The usual schedules, under the same peak, warm-up, horizon and run so far.

Where a floor is asked for they end at it instead of at zero. Those that would not train at all (a
single update, decayed to zero) are left out.
"""

from losslaw.designing.task import Task
from losslaw.designing.tuned_families import FAMILIES, expressed
from losslaw.schedules import Schedule

# Name on the page: family, share of the horizon that decays, share of the start that is left.
USUAL: dict[str, tuple[str, float | None, float]] = {
    "constant": ("constant", None, 1.0),
    "cosine": ("cosine", None, 0.0),
    "cosine-10%": ("cosine", None, 0.1),
    "linear": ("linear", None, 0.0),
    "wsd": ("wsd", 0.2, 0.0),
    "wsd-10%": ("wsd", 0.1, 0.0),
    "wsd-1-sqrt": ("wsd-1-sqrt", 0.2, 0.0),
    "wsd-1-sqrt-10%": ("wsd-1-sqrt", 0.1, 0.0),
}
"""``wsd`` and ``wsd-1-sqrt`` decay over 20 % of the horizon, or what is left of it."""


def baselines(task: Task) -> dict[str, Schedule]:
    """The usual schedules by name; ``constant`` is always among them."""
    out: dict[str, Schedule] = {}
    for name, (family, cooldown, final) in USUAL.items():
        knobs = {"final": max(final * task.start, task.floor)}
        if cooldown is not None:
            updates = max(min(round(cooldown * task.horizon), task.free), 1)
            knobs["cooldown"] = updates / task.horizon
        trains = task.given > 0 or FAMILIES[family].rates(task, knobs).any()
        if trains:
            out[name] = expressed(task, FAMILIES[family], knobs)
    return out
