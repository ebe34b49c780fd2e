"""What a run is worth now, which of two is worth more, and what going on would buy."""

from losslaw.annealing.annealed import annealed
from losslaw.annealing.continued import Comparison, Continued, WayOn
from losslaw.annealing.continuing import continue_run
from losslaw.annealing.cooldown import Cooldown
from losslaw.annealing.fleet import fleet
from losslaw.annealing.fleet_record import Fleet, FleetGroup, FleetRun
from losslaw.annealing.ladder import ladder
from losslaw.annealing.ladder_record import Ladder, Rung
from losslaw.annealing.record import Annealed, AnnealedRun, Pair
from losslaw.annealing.second_phase import SecondPhase

__all__ = [
    "Annealed",
    "AnnealedRun",
    "Comparison",
    "Continued",
    "Cooldown",
    "Fleet",
    "FleetGroup",
    "FleetRun",
    "Ladder",
    "Pair",
    "Rung",
    "SecondPhase",
    "WayOn",
    "annealed",
    "continue_run",
    "fleet",
    "ladder",
]
