"""Power-law kernel regression: simulated exactly, and understood in closed form."""

from losslaw.kernel.kernel_regression import KernelRegression
from losslaw.kernel.simulate.pieces import (
    LongSchedule,
    Piece,
    long_constant,
    long_decay,
    long_wsd,
)

__all__ = [
    "KernelRegression",
    "LongSchedule",
    "Piece",
    "long_constant",
    "long_decay",
    "long_wsd",
]
