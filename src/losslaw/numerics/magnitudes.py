"""How large the numbers of a training run can be: one border for all that comes from outside.

The ranges are some powers of ten wider than anything that was seen. Numbers inside them can be
squared, divided and summed over any run without leaving what a float holds; numbers outside are
slips of the pen or damage (a rate of 1e308, a loss of 5e-324), and would end in overflow far from
where they came in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.numerics.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class Magnitude:
    """The range of a quantity, from ``low`` to ``high``.

    >>> str(LOSS)
    '1e-15 .. 1e+12'
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} .. {self.high:g}"

    def around(self, value: float, factor: float) -> "Magnitude":
        """The part of the range that is within a factor of a value.

        >>> str(LOSS.around(2.0, 10.0))
        '0.2 .. 20'
        """
        return Magnitude(max(self.low, value / factor), min(self.high, value * factor))

    def outside(self, values: FloatArray) -> BoolArray:
        """Which values it cannot be; NaN is not judged.

        >>> LOSS.outside(np.array([2.5, 0.0, 1e300, np.nan])).tolist()
        [False, True, True, False]
        """
        return (values < self.low) | (values > self.high)

    def check(self, name: str, values: ArrayLike) -> None:
        """Check one value or several.

        Raises:
            InputError: one is outside; ``name`` begins the message.

        >>> PEAK.check("a learning rate", [1e-3, 1e300])
        Traceback (most recent call last):
        losslaw.errors.InputError: a learning rate is 1e+300, expected 1e-15 .. 1e+09
        """
        array = np.atleast_1d(np.asarray(values, dtype=np.float64))
        wrong = self.outside(array)
        if wrong.any():
            raise InputError(f"{name} is {array[int(np.argmax(wrong))]:g}, expected {self}")


# The highest rate of a run, and any: what falls from there may fall as low as it likes.
PEAK = Magnitude(1e-15, 1e9)
RATE = Magnitude(0.0, PEAK.high)
# In nats, or whatever a model is trained on: errors squared, sums over a batch.
LOSS = Magnitude(1e-15, 1e12)
# Sequences, samples or tokens; shares of a sequence where tokens are divided by its length.
BATCH = Magnitude(1e-9, 1e15)
DECAY = Magnitude(0.0, 1e9)
# Exponents of the kernel world's spectrum and target, and the standard deviation of its labels.
EXPONENT = Magnitude(1e-3, 10.0)
LABEL_NOISE = Magnitude(0.0, 1e6)
# Parameters; the modes of the kernel world are counted by none.
MODEL_SIZE = Magnitude(1.0, 1e18)
