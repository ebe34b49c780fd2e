"""Law to schedule: the lowest predicted final loss under real constraints."""

from losslaw.designing.baselines import USUAL, baselines
from losslaw.designing.batch_growth import BatchDesign, design_batch
from losslaw.designing.design import design
from losslaw.designing.free_form import Start
from losslaw.designing.gradients import GRADIENTS, final_loss
from losslaw.designing.record import Baseline, Design, Simple
from losslaw.designing.run_length import Horizon, Pair, best_pair, compute_optimal, horizon_for
from losslaw.designing.task import Task
from losslaw.designing.tuned_families import FAMILIES

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
