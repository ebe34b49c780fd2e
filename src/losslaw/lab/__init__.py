"""The lab: small real language models, trained under any schedule, on any machine.

A law is only as good as the curves it was tested on. The lab makes such curves in minutes: a
transformer of 0.12 million parameters, AdamW, bytes of Python's own standard library, validation
loss after every 25 updates. It made the curves that ship with losslaw (`BUNDLE`). Runs of one seed
start from the same weights and see the same batches, so what differs between their curves is the
schedule's doing. Training needs the extra ``lab`` (torch); nothing here imports it until a run
starts.
"""

from losslaw.lab.averaging import merged_loss
from losslaw.lab.bundle import BUNDLE, PlannedRun, make_bundle
from losslaw.lab.config import LabConfig
from losslaw.lab.text import Text, standard_library, text_of
from losslaw.lab.training import TrainedRun, TrainingInterrupted, train

__all__ = [
    "BUNDLE",
    "LabConfig",
    "PlannedRun",
    "Text",
    "TrainedRun",
    "TrainingInterrupted",
    "make_bundle",
    "merged_loss",
    "standard_library",
    "text_of",
    "train",
]
