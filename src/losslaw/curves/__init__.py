"""Loss curves: the record, the log readers, the curves that come with the package."""

from losslaw.curves.curve import LossCurve

__all__ = ["LossCurve"]
