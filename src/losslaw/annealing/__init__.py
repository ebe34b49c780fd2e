"""What a run is worth now, and which of two is worth more: losses after a cooldown not yet run."""

from losslaw.annealing.annealed import annealed
from losslaw.annealing.cooldown import Cooldown
from losslaw.annealing.record import Annealed, AnnealedRun, Pair

__all__ = ["Annealed", "AnnealedRun", "Cooldown", "Pair", "annealed"]
