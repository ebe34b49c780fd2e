"""What pictures share wherever they are drawn: one style, and how a record finds its picture."""

from losslaw.drawing.plotted import Plotted

__all__ = ["Plotted"]
