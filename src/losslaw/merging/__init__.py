"""What an average of saved checkpoints is worth, without making it."""

from losslaw.merging.merge import merge
from losslaw.merging.record import Merge, MergeForecast

__all__ = ["Merge", "MergeForecast", "merge"]
