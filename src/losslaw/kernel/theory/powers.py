"""``N^exponent * (log N)^log_power``: what every scaling relation here is made of.

Such powers multiply, divide and take powers themselves, so a balance is solved in code as on paper:

>>> D, L = Power(1), Power(0, 1)
>>> T = (D / L) ** 0.5
>>> T.exponent, T.log_power
(0.5, -0.5)
"""

import math
from dataclasses import dataclass

from losslaw.errors import InputError


@dataclass(frozen=True)
class Power:
    """A power of a budget ``N`` times a power of its logarithm; constants are left out.

    Attributes:
        exponent: Power of ``N``.
        log_power: Power of ``log N``.
    """

    exponent: float
    log_power: float = 0.0

    def __post_init__(self):
        # A plain zero: 0 ** -1 is a power of -0.
        object.__setattr__(self, "exponent", self.exponent + 0.0)
        object.__setattr__(self, "log_power", self.log_power + 0.0)

    def __mul__(self, other: "Power") -> "Power":
        return Power(self.exponent + other.exponent, self.log_power + other.log_power)

    def __truediv__(self, other: "Power") -> "Power":
        return self * other**-1

    def __pow__(self, power: float) -> "Power":
        return Power(self.exponent * power, self.log_power * power)

    def at(self, budget: float) -> float:
        """Its value at a budget, all constants one.

        Args:
            budget: ``N``, above e, so that its logarithm is above one.

        Raises:
            InputError: the budget is too small to have a logarithm above one, or not finite.

        >>> Power(-0.5).at(1e4)
        0.01
        """
        return budget**self.exponent * checked_log(budget) ** self.log_power


def checked_log(budget: float) -> float:
    """``log(budget)``, for budgets that scaling relations can speak of.

    Raises:
        InputError: not finite, or not above e.
    """
    if not (math.isfinite(budget) and budget > math.e):
        raise InputError(
            f"budget is {budget:g}, expected a finite number above e = 2.718...:"
            " scaling relations hold for large budgets"
        )
    return math.log(budget)
