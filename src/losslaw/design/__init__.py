"""Law to schedule: the lowest predicted final loss under real constraints.

``losslaw.design`` is this room and the function that it is for: as a module it can be called, so
that ``ll.design(fit, ...)`` means the same whichever was imported first.
"""

import sys
from types import ModuleType
from typing import Any

from losslaw.design.baselines import USUAL, baselines
from losslaw.design.batch import BatchDesign, design_batch
from losslaw.design.designing import design
from losslaw.design.families import FAMILIES
from losslaw.design.gradients import GRADIENTS, final_loss
from losslaw.design.horizon import Horizon, Pair, best_pair, compute_optimal, horizon_for
from losslaw.design.record import Baseline, Design, Simple
from losslaw.design.search import Start
from losslaw.design.task import Task


class _Room(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Design:
        return design(*args, **kwargs)


sys.modules[__name__].__class__ = _Room

__all__ = [
    "FAMILIES",
    "GRADIENTS",
    "USUAL",
    "Baseline",
    "BatchDesign",
    "Design",
    "Horizon",
    "Pair",
    "Simple",
    "Start",
    "Task",
    "baselines",
    "best_pair",
    "compute_optimal",
    "design",
    "design_batch",
    "final_loss",
    "horizon_for",
]
