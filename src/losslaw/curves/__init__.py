"""Loss curves: the record, the log readers, the curves that come with the package."""

from losslaw.curves.curve import LossCurve
from losslaw.curves.reading import read_curves
from losslaw.curves.reconstruct import Reconstruction, reconstruct

__all__ = ["LossCurve", "Reconstruction", "read_curves", "reconstruct"]
