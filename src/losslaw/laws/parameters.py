"""The parameters of a law: what a field is, its range, and what is known of it beforehand.

*Shapes* are positive and searched in the log; *amplitudes* are non-negative, linear in the loss and
solved for. A `Prior` says what is known of either before any curve, and who says so.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Prior:
    """What is known of a parameter before any curve: mean, standard deviation, and who says so.

    Attributes:
        mean: Centre, in the units of the parameter.
        sd: Standard deviation, on the scale named by ``on``.
        on: The scale on which the parameter is Gaussian.
        source: Where the figures come from.
    """

    mean: float
    sd: float
    on: Literal["value", "log", "inverse"] = "value"
    source: str = ""

    def z(self, value: float) -> float:
        """Distance of ``value`` from the mean in standard deviations."""
        if self.on == "log":
            return math.log(value / self.mean) / self.sd
        if self.on == "inverse":
            return (1.0 / value - 1.0 / self.mean) / self.sd
        return (value - self.mean) / self.sd

    def slope(self, value: float) -> float:
        """Derivative of `z` by the log of ``value``.

        >>> Prior(2.0, 0.5).slope(3.0), Prior(2.0, 0.5, on="log").slope(3.0)
        (6.0, 2.0)
        """
        if self.on == "log":
            return 1.0 / self.sd
        return (-1.0 / value if self.on == "inverse" else value) / self.sd


@dataclass(frozen=True)
class Shape:
    """A shape parameter: positive, searched in the log.

    Attributes:
        meaning: One phrase.
        low: Smallest value searched.
        high: Largest value searched.
        starts: Values a search begins from.
        free: Whether a fit searches it unless told otherwise.
        prior: What is known before any curve.
        zero: Whether 0 is a limit that the formula has; a search in the log never goes there.
    """

    meaning: str
    low: float
    high: float
    starts: tuple[float, ...]
    free: bool = True
    prior: Prior | None = None
    zero: bool = False

    def holds(self, value: float) -> bool:
        """Whether a search could have ended at ``value``, or it is a limit of the formula."""
        # The ends of a search come back through a logarithm.
        inside = self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)
        return inside or (self.zero and value == 0)


@dataclass(frozen=True)
class Amplitude:
    """A non-negative amplitude: linear in the loss, solved for.

    Attributes:
        meaning: One phrase.
        prior: What is known before any curve.
    """

    meaning: str
    prior: Prior | None = None


def shape(
    default: float,
    meaning: str,
    *,
    low: float,
    high: float,
    starts: tuple[float, ...] = (),
    free: bool = True,
    prior: Prior | None = None,
    zero: bool = False,
) -> Any:
    """A dataclass field that is a shape parameter."""
    spec = Shape(meaning, low, high, starts or (default,), free, prior, zero)
    return field(default=default, metadata={"parameter": spec})


def amplitude(meaning: str, *, prior: Prior | None = None) -> Any:
    """A dataclass field that is an amplitude; 0 until it is fitted or given."""
    return field(default=0.0, metadata={"parameter": Amplitude(meaning, prior)})
