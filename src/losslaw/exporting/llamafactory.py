"""LLaMA-Factory: YAML for the nearest of the schedulers of transformers.

Its configuration is that of the Trainer of transformers (LLaMA-Factory ff6d4d1): see
`losslaw.exporting.huggingface`. It makes its optimisers itself and has no door for a scheduler.
"""

from losslaw.exporting.huggingface import STYLES
from losslaw.exporting.job import Exported, Job
from losslaw.exporting.yaml_file import yaml_file


def write(job: Job) -> Exported:
    """A piece of the YAML configuration."""
    near = job.nearest(STYLES)
    note = ("the batch size changes along the schedule and the Trainer has one",)
    notes = note if job.batch_changes else ()
    usage = ["Merge this into the run's YAML; max_steps comes before num_train_epochs."]
    return yaml_file(job, "llamafactory", "LLaMA-Factory", near, near.arguments, usage, notes)
