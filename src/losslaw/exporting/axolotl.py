"""Axolotl: YAML for the nearest of the schedulers that it hands to the Trainer of transformers.

``lr_scheduler``, ``lr_scheduler_kwargs`` and ``warmup_steps`` are handed on as the Trainer's own
(axolotl 067b021, ``core/builders/base.py``): see `losslaw.exporting.huggingface`. A warm-up of one
update is made one of two there, so it is not used.
"""

from dataclasses import replace

from losslaw.exporting.huggingface import STYLES
from losslaw.exporting.job import Exported, Job
from losslaw.exporting.yaml_file import yaml_file

# Their names for what transformers calls otherwise.
NAMES = {"lr_scheduler_type": "lr_scheduler"}
BATCH = "the batch size changes along the schedule and the Trainer has one"


def write(job: Job) -> Exported:
    """A piece of the YAML configuration."""
    near = job.nearest(STYLES)
    if near.arguments["warmup_steps"] == 1:
        near = job.nearest([replace(style, least_warmup=2) for style in STYLES])
    told = {NAMES.get(key, key): value for key, value in near.arguments.items()}
    notes = (BATCH,) if job.batch_changes else ()
    usage = ["Merge this into the run's YAML; num_epochs must not end the run before max_steps."]
    if not near.exact:
        usage.append(
            "For the schedule itself, export to torch and return make_scheduler(optimizer) from"
            " create_lr_scheduler of a plugin."
        )
    return yaml_file(job, "axolotl", "Axolotl", near, told, usage, notes)
