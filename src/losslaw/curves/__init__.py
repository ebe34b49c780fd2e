"""Loss curves: the record, the log readers, the curves that come with the package."""

from losslaw.curves.bundled_runs import bundled_curves, bundled_logs, bundled_names
from losslaw.curves.curve import LossCurve
from losslaw.curves.measured import MeasuredNorm
from losslaw.curves.read import Runs, curve_of, curves_of, read_curves
from losslaw.curves.reconstruct import Reconstruction, reconstruct

__all__ = [
    "LossCurve",
    "MeasuredNorm",
    "Reconstruction",
    "Runs",
    "bundled_curves",
    "bundled_logs",
    "bundled_names",
    "curve_of",
    "curves_of",
    "read_curves",
    "reconstruct",
]
