"""What updates more would buy: a run re-heated, decayed, or left as it is."""

from losslaw.continuing.continue_run import continue_run
from losslaw.continuing.record import Comparison, Continued, WayOn
from losslaw.continuing.second_phase import SecondPhase

__all__ = ["Comparison", "Continued", "SecondPhase", "WayOn", "continue_run"]
