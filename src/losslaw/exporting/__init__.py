"""A schedule into the trainer that is to run it: drop-in files, one module a target.

The canonical object is the rate used in update k, ``lr[k - 1]``. Trainers count differently - most
ask for a rate with the number of updates done, some start their warm-up at zero, some never reach
the end of their decay - and every target's module says how, and writes the file so that update k
uses ``lr[k - 1]``. Where a trainer knows only styles of its own the nearest one is exported, and
how far it is from the schedule is measured and said.
"""

from losslaw.exporting.job import Exported
from losslaw.exporting.styles import Nearest
from losslaw.exporting.targets import ALIASES, TARGETS, Target, export, prepare

__all__ = ["ALIASES", "TARGETS", "Exported", "Nearest", "Target", "export", "prepare"]
