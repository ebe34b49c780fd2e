"""Law to schedule: the lowest predicted final loss under real constraints."""

from losslaw.designing.baselines import USUAL, baselines
from losslaw.designing.batch_growth import BatchDesign, design_batch
from losslaw.designing.design import design
from losslaw.designing.record import Baseline, Design, Simple, Start
from losslaw.designing.run_length import Horizon, Pair, best_pair, compute_optimal, horizon_for
from losslaw.designing.task import Constraints, Task
from losslaw.designing.tuned_families import FAMILIES

__all__ = [
    "FAMILIES",
    "USUAL",
    "Baseline",
    "BatchDesign",
    "Constraints",
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
    "horizon_for",
]
