"""The cooldown that is asked about: how long, of what shape, to what rate."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import InputError, expect, expect_numbers
from losslaw.schedules import Schedule, decay_rates

# Of the updates so far: what stable runs are usually annealed over.
USUAL = 0.2


@dataclass(frozen=True, kw_only=True)
class Cooldown:
    """A fall of the learning rate that begins where a run is.

    Attributes:
        over: Its length: updates, a whole number from 1; or a share of the updates so far, a
            ``float`` above 0.
        shape: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        final: Learning rate at its end.

    Raises:
        InputError: a length, shape or rate that is none.

    >>> Cooldown(over=0.25).length(8000), Cooldown(over=500).length(8000)
    (2000, 500)
    >>> Cooldown(over=0.25).begins(10_000)
    8000
    """

    over: float = USUAL
    shape: str = "linear"
    final: float = 0.0

    def __post_init__(self) -> None:
        expect("over", self.over, Real, "updates, as 2000, or a share, as 0.2")
        expect_numbers(final=self.final)
        whole = isinstance(self.over, int)
        if not math.isfinite(self.over) or self.over <= 0 or (whole and self.over < 1):
            raise InputError(
                f"cooldown over {self.over:g}: expected updates, as 2000, or a share of the updates"
                " so far, as 0.2"
            )
        if not np.isfinite(self.final) or self.final < 0:
            raise InputError(f"final rate of the cooldown is {self.final:g}, expected 0 or above")
        decay_rates(max(self.final, 1.0), self.final, self.shape, 1)

    def length(self, at: int) -> int:
        """Updates of the cooldown that begins after update ``at``."""
        return int(self.over) if isinstance(self.over, int) else max(round(self.over * at), 1)

    def begins(self, end: int) -> int:
        """After which update it begins if it is to end at update ``end``."""
        if isinstance(self.over, int):
            return end - self.over
        return round(end / (1 + self.over))

    def of(self, curve: LossCurve, at: int) -> Schedule:
        """The run up to update ``at``, then the cooldown; no cooldown where the rate is so low."""
        done = curve.schedule.prefix(at)
        if done.final_lr <= self.final:
            return done
        return done.extended(decay_rates(done.final_lr, self.final, self.shape, self.length(at)))

    def __str__(self) -> str:
        length = f"{self.over:,} updates"
        if not isinstance(self.over, int):
            length = f"{self.over:.3g} times the updates so far"
            if self.over <= 1:
                length = f"{100 * self.over:.3g} % of the updates so far"
        return f"{self.shape} to {self.final:g} over {length}"
