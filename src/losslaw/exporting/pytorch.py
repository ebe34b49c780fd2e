"""PyTorch: ``LambdaLR`` with a callable object.

LambdaLR asks for the factor of each update when the update before it is done: it calls the object
with 0 at construction, for update 1. Of a callable object - not of a function - it saves the
``__dict__`` in its state_dict; here that is two lists of numbers, so the checkpoint loads with
``weights_only=True`` and carries the schedule. It multiplies each group's own rate, so parameter
groups keep their ratios. (torch 2.13; the same since 1.4.)
"""

from losslaw.exporting.job import Exported, Job
from losslaw.exporting.pieces import runs
from losslaw.exporting.text import float_list, int_list, number
from losslaw.numerics.arrays import FloatArray

RELATIVE_RATE = '''class RelativeRate:
    """Share of the peak rate that the update after `step` updates uses.

    LambdaLR keeps the two lists in its state_dict.
    """

    def __init__(self):
        self.updates = list(UPDATES)
        self.factors = list(FACTORS)

    def __call__(self, step):
        update = min(max(step + 1, self.updates[0]), self.updates[-1])
        i = min(bisect_right(self.updates, update), len(self.updates) - 1)
        left, right = self.updates[i - 1], self.updates[i]
        before, after = self.factors[i - 1], self.factors[i]
        return (before * (right - update) + after * (update - left)) / (right - left)
'''
BATCH_SIZE = '''def batch_size(step):
    """Sequences in the update after `step` updates."""
    return BATCH_SIZES[bisect_right(BATCH_UPDATES, step + 1) - 1]
'''
MAKE_SCHEDULER = '''def make_scheduler(optimizer):
    """The scheduler of an optimizer whose learning rate is PEAK; step() it after every update."""
    return LambdaLR(optimizer, RelativeRate())
'''
BATCH_NOTE = (
    "the batch size changes: feed batch_size(step) sequences to the update after `step` updates"
)


def write(job: Job) -> Exported:
    """A module with ``make_scheduler(optimizer)``."""
    head = job.header(
        ["Learning-rate schedule for PyTorch (torch.optim.lr_scheduler.LambdaLR)."],
        [
            "optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK)",
            "scheduler = make_scheduler(optimizer)  # then, after every optimizer.step():",
            "scheduler.step()",
            "",
            "Parameter groups with other rates keep their ratio to PEAK. Past the horizon the last"
            " factor holds. A checkpoint of scheduler.state_dict() carries the schedule, and on"
            " load_state_dict() the checkpoint's schedule is the one that counts.",
        ],
    )
    text = "\n\n".join([head, relative_rate(job, "from torch.optim.lr_scheduler import LambdaLR")])
    return exported(job, "torch", text + "\n\n" + MAKE_SCHEDULER, "make_scheduler(optimizer)")


def relative_rate(job: Job, imports: str) -> str:
    """Imports, constants and the callable object; two blank lines are left for what follows."""
    return with_pieces(job, imports, RELATIVE_RATE)


def with_pieces(job: Job, imports: str, code: str) -> str:
    """Imports, the straight pieces as constants, and code that looks up in them."""
    head = f"from bisect import bisect_right\n\n{imports}".rstrip()
    text = "\n\n".join([head, constants(job) + "\n", code])
    batch = job.schedule.batch
    if job.batch_changes and batch is not None:
        text += "\n\n" + batch_lists(batch) + "\n\n\n" + BATCH_SIZE
    return text


def constants(job: Job) -> str:
    """The straight pieces as constants."""
    p = job.pieces
    return "\n".join(
        [
            f"PEAK = {number(p.peak)}  # learning rate of the optimizer",
            f"HORIZON = {job.horizon}  # updates",
            "",
            "# Update UPDATES[i], counted from 1, uses PEAK * FACTORS[i]; straight lines between.",
            int_list("UPDATES", p.updates),
            float_list("FACTORS", p.factors),
        ]
    )


def batch_lists(batch: FloatArray) -> str:
    """Python lists of where a batch size begins to hold, and the sizes."""
    first, sizes = runs(batch)
    whole = (sizes == sizes.round()).all()
    return "\n".join(
        [
            "# From update BATCH_UPDATES[i] on an update has BATCH_SIZES[i] sequences.",
            int_list("BATCH_UPDATES", first),
            int_list("BATCH_SIZES", sizes.astype("int64"))
            if whole
            else float_list("BATCH_SIZES", sizes),
        ]
    )


def exported(job: Job, target: str, text: str, call: str) -> Exported:
    """The record of an exact Python file."""
    notes = (BATCH_NOTE,) if job.batch_changes else ()
    return Exported(
        target,
        text.encode("utf-8"),
        exact=True,
        pieces=job.pieces,
        nearest=None,
        next_step=f"set the optimizer's learning rate to {number(job.pieces.peak)}, then {call}",
        notes=notes,
    )
