"""An interval and its level: one type for every answer that may be off.

A `Level` is the share of cases that an interval is meant to hold, checked once; an `Interval` is
two ends and that level.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

from losslaw.errors import InputError, expect_numbers

# The narrowest interval and the widest, as distances of the level from 0 and 1.
LEAST = 1e-6


@dataclass(frozen=True)
class Level:
    """The share of cases that an interval is meant to hold.

    Args:
        share: In (0, 1), and 1e-6 from its ends at least.

    Raises:
        InputError: it is not.

    >>> round(Level(0.9).quantile, 3)
    1.645
    """

    share: float

    def __post_init__(self) -> None:
        expect_numbers(level=self.share)
        if not LEAST <= self.share <= 1 - LEAST:
            raise InputError(
                f"level is {self.share:g}, expected a share between 0 and 1, such as 0.9"
            )

    @property
    def quantile(self) -> float:
        """Half-width of the central Gaussian interval, in standard deviations."""
        return NormalDist().inv_cdf(0.5 + self.share / 2)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where a number is meant to lie.

    Attributes:
        lower: The lower end; minus infinity where there is none.
        upper: The upper end; infinity where there is none.
        level: Share of cases it is meant to hold, in (0, 1).

    >>> print(Interval(lower=2.61, upper=2.68, level=0.9))
    2.6100 .. 2.6800
    >>> Interval.around(2.5, 0.1, level=0.9).half_width
    0.10000000000000009
    >>> print(Interval.around(2.5, float("inf"), level=0.9))
    unbounded
    """

    lower: float
    upper: float
    level: float

    @classmethod
    def around(cls, centre: float, half_width: float, *, level: float) -> Self:
        """The interval that reaches ``half_width`` to either side."""
        return cls(lower=centre - half_width, upper=centre + half_width, level=level)

    @property
    def half_width(self) -> float:
        """Half the distance between the ends; infinite where an end is missing."""
        return (self.upper - self.lower) / 2

    @property
    def bounded(self) -> bool:
        """Whether it has both ends."""
        return math.isfinite(self.lower) and math.isfinite(self.upper)

    def holds(self, value: float) -> bool:
        """Whether a value lies inside, ends included."""
        return self.lower <= value <= self.upper

    def __str__(self) -> str:
        return f"{self.lower:.4f} .. {self.upper:.4f}" if self.bounded else "unbounded"


def ends(interval: Interval | None) -> dict[str, float | None]:
    """The JSON form of an interval: ``lower`` and ``upper``, ``None`` where there is none."""
    if interval is None:
        return {"lower": None, "upper": None}
    return {"lower": interval.lower, "upper": interval.upper}
