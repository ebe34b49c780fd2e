"""Many runs at once: hundreds of several models, and ladders of model sizes."""

from losslaw.fleets.fleet import fleet
from losslaw.fleets.fleet_record import Fleet, FleetGroup, FleetRun
from losslaw.fleets.ladder import ladder
from losslaw.fleets.ladder_record import Ladder, Rung

__all__ = ["Fleet", "FleetGroup", "FleetRun", "Ladder", "Rung", "fleet", "ladder"]
