"""nanoGPT, and the Python trainer of llm.c: the function ``get_lr(it)``.

Both (nanoGPT 3adf61e, llm.c f1e2ace) set the rate of all groups to ``get_lr(it)`` before update
it + 1, ``it`` counting from 0. Their own is a cosine that update n does not end; nanoGPT warms up
over one update more than it is told. The function of this file takes its place.
"""

from losslaw.exporting.job import Exported, Job
from losslaw.exporting.pytorch import exported, with_pieces

FACTOR = '''def {name}(it):
    """{meaning} the update after `it` updates."""
    update = min(max(it + 1, UPDATES[0]), UPDATES[-1])
    i = min(bisect_right(UPDATES, update), len(UPDATES) - 1)
    left, right = UPDATES[i - 1], UPDATES[i]
    before, after = FACTORS[i - 1], FACTORS[i]
    return {unit}(before * (right - update) + after * (update - left)) / (right - left)
'''


def write(job: Job) -> Exported:
    """A module with ``get_lr(it)``."""
    head = job.header(
        ["Learning-rate schedule for nanoGPT (train.py) and llm.c (train_gpt2.py)."],
        [
            "In the place of the trainer's own get_lr: from schedule import get_lr; with"
            f" max_iters = {job.horizon} (num_iterations in llm.c).",
            "The count of updates is in the trainer's checkpoint: on resume this file's schedule"
            " counts. Past the horizon the last rate holds.",
        ],
    )
    code = FACTOR.format(name="get_lr", meaning="Learning rate of", unit="PEAK * ")
    done = exported(job, "nanogpt", f"{head}\n\n{with_pieces(job, '', code)}", "")
    step = "from schedule import get_lr, in the place of the trainer's own"
    return Exported("nanogpt", done.data, True, job.pieces, None, step, done.notes)
