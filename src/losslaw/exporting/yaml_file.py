"""The file of a trainer that is told its schedule in YAML, in styles of its own."""

from collections.abc import Mapping, Sequence

from losslaw.exporting.job import Exported, Job, gap_lines
from losslaw.exporting.styles import Nearest
from losslaw.exporting.text import yaml_lines


def yaml_file(
    job: Job,
    target: str,
    trainer: str,
    near: Nearest,
    told: Mapping[str, object],
    usage: Sequence[str],
    notes: tuple[str, ...],
) -> Exported:
    """What the trainer is told, below what is to be known of it.

    Args:
        job: What is exported.
        target: Name of the target.
        trainer: What people call the trainer.
        near: Its nearest style.
        told: The contents.
        usage: Sentences on how to use the file.
        notes: Sentences on what it does not carry.
    """
    head = job.header(
        [f"Learning-rate schedule for {trainer}: its nearest style.", "", *gap_lines(near)],
        [*usage, *notes],
        knots=False,
    )
    text = "\n".join([head, "", *yaml_lines(told), ""])
    step = "merge FILE into the run's YAML"
    return Exported(target, text.encode("utf-8"), near.exact, job.pieces, near, step, notes)
