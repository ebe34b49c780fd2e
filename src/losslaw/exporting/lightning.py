"""Lightning: what ``configure_optimizers`` returns, stepped once an update.

Without ``"interval": "step"`` Lightning steps a scheduler once an epoch. With it the scheduler is
stepped after every optimizer step, accumulated batches counting once, and its state_dict is part of
the checkpoint. (lightning 2.6.)
"""

from losslaw.exporting.job import Exported, Job
from losslaw.exporting.pytorch import exported, relative_rate

CONFIGURED = '''def configured(optimizer):
    """What configure_optimizers returns for an optimizer whose learning rate is PEAK."""
    scheduler = LambdaLR(optimizer, RelativeRate())
    return {
        "optimizer": optimizer,
        "lr_scheduler": {"scheduler": scheduler, "interval": "step", "frequency": 1},
    }
'''


def write(job: Job) -> Exported:
    """A module with ``configured(optimizer)``."""
    head = job.header(
        ["Learning-rate schedule for Lightning (configure_optimizers)."],
        [
            "def configure_optimizers(self):",
            "    return configured(torch.optim.AdamW(self.parameters(), lr=PEAK))",
            "",
            "and Trainer(max_steps=HORIZON). Parameter groups with other rates keep their ratio to"
            " PEAK. Past the horizon the last factor holds. Checkpoints carry the schedule, and on"
            " resume the checkpoint's schedule is the one that counts.",
        ],
    )
    body = relative_rate(job, "from torch.optim.lr_scheduler import LambdaLR")
    return exported(
        job,
        "lightning",
        f"{head}\n\n{body}\n\n{CONFIGURED}",
        "return configured(optimizer) from configure_optimizers",
    )
