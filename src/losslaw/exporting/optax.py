"""optax: a function from the count of updates done, from 0, to the rate of the next one.

optax calls a schedule with its own count, an int32 that may be traced; so the knots are constant
arrays and the interpolation is three gathers. Between two knots the rate is a weighted mean of
both, which in float32 stays accurate relative to small rates too, where the slope form of
``jnp.interp`` loses them to the larger knot. (optax 0.2.8, jax 0.10.)
"""

from losslaw.exporting.job import Exported, Job
from losslaw.exporting.pytorch import BATCH_NOTE, BATCH_SIZE, batch_lists, constants, exported

SCHEDULE = '''def schedule(count):
    """Learning rate of the update after `count` updates; traceable."""
    updates, factors = np.array(UPDATES, np.int32), np.array(FACTORS, np.float32)
    update = jnp.clip(jnp.asarray(count, jnp.int32) + 1, updates[0], updates[-1])
    i = jnp.clip(jnp.searchsorted(updates, update, side="right"), 1, len(UPDATES) - 1)
    left, right = jnp.asarray(updates)[i - 1], jnp.asarray(updates)[i]
    before, after = jnp.asarray(factors)[i - 1], jnp.asarray(factors)[i]
    return PEAK * (before * (right - update) + after * (update - left)) / (right - left)
'''


def write(job: Job) -> Exported:
    """A module with ``schedule(count)``."""
    p, batch = job.pieces, job.schedule.batch
    head = job.header(
        ["Learning-rate schedule for optax, and anything else in jax."],
        [
            "optimizer = optax.adamw(learning_rate=schedule, weight_decay=0.1)",
            "",
            "The count is part of the optimizer's state: a run that restores it goes on where it"
            " was. For a group of parameters at another rate: lambda count: 0.1 * schedule(count)."
            " Past the horizon the last rate holds.",
        ],
    )
    ramps = job.batch_changes and batch is not None
    imports = "import jax.numpy as jnp\nimport numpy as np"
    if ramps:
        imports = "from bisect import bisect_right\n\n" + imports
    text = "\n\n".join([head, imports, constants(job) + "\n\n\n" + SCHEDULE])
    if job.batch_changes and batch is not None:
        text += "\n\n" + batch_lists(batch) + "\n\n\n" + BATCH_SIZE
    done = exported(job, "optax", text, "optax.adamw(learning_rate=schedule)")
    note = BATCH_NOTE + ", outside of jit"
    notes = (note,) if ramps else ()
    return Exported(
        done.target,
        done.data,
        exact=True,
        pieces=p,
        nearest=None,
        next_step="from schedule import schedule; optax.adamw(learning_rate=schedule)",
        notes=notes,
    )
