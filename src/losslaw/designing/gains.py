"""How sure a gain is: the difference of two predictions knows more than either of them.

    sd^2 = (g_a - g_b)' C (g_a - g_b) + 2 tau^2 (1 - exp(-distance / 0.1))

``g`` is the gradient of a final loss by the parameters and ``C`` their covariance: what both
schedules share, such as the irreducible loss, cancels. ``tau`` is the error of the law on schedules
left out. Two schedules that differ little share it too, two that differ much do not: the distance
is the share of the rates that one has and the other has not, ``sum |a - b| / sum max(a, b)``.

Assumption: the scale 0.1 of the distance, chosen on pairs of public runs of one horizon and peak
(validation/results/design_gains.md). What repeated runs differ by is not in it: the interval is of
the mean gain, and two single runs differ by about .0014 nats more.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from losslaw.errors import InputError
from losslaw.fitting.uncertainty import Uncertainty, prediction_gradient
from losslaw.laws import Law, Query
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.interval import Interval, Level
from losslaw.schedules import Schedule

APART = 0.1  # distance at which two schedules' errors have become mostly their own


def distance(a: Schedule, b: Schedule) -> float:
    """How different the rates of two schedules of one horizon are, in [0, 1].

    >>> from losslaw import Schedule
    >>> distance(Schedule([1.0, 1.0]), Schedule([1.0, 0.5]))
    0.25
    """
    return float(np.abs(a.lr - b.lr).sum() / np.maximum(a.lr, b.lr).sum())


@dataclass(frozen=True)
class Gains:
    """What differences of final losses are known to.

    Args:
        law: The fitted law.
        uncertainty: What the intervals of the fit are made of.
        level: Share of cases that an interval is meant to hold.
    """

    law: Law
    uncertainty: Uncertainty
    level: float
    # A design is compared with many schedules: its gradient is worked out once. By `id`, with the
    # schedule kept, so that the number stays its own.
    _gradients: dict[int, tuple[Schedule, FloatArray]] = field(
        default_factory=dict[int, tuple[Schedule, FloatArray]], repr=False, compare=False
    )

    def gradient(self, schedule: Schedule) -> FloatArray:
        """Gradient of the final loss by the parameters that may move. Shape ``(P,)``."""
        if id(schedule) not in self._gradients:
            query = Query.of(schedule, [schedule.horizon])
            gradient = prediction_gradient(self.law, self.uncertainty.names, query)[0]
            self._gradients[id(schedule)] = schedule, gradient
        return self._gradients[id(schedule)][1]

    def deviation(self, a: Schedule, b: Schedule) -> float:
        """Standard deviation of the difference of two final losses, in nats."""
        known = self.uncertainty
        ends = [Query.of(schedule, [schedule.horizon]) for schedule in (a, b)]
        if any(known.touched(self.law, end).any() for end in ends):
            return np.inf
        apart = self.gradient(a) - self.gradient(b)
        variance = float(np.einsum("i,ij,j", apart, known.covariance, apart))
        own = 2 * known.tau**2 * -np.expm1(-distance(a, b) / APART)
        return float(np.sqrt(max(variance, 0.0) + own))

    def half(self, a: Schedule, b: Schedule) -> float:
        """Half-width of the interval of the difference."""
        return Level(self.level).quantile * self.deviation(a, b)

    def interval(self, gain: float, a: Schedule, b: Schedule) -> Interval:
        """Where the gain of one over the other lies."""
        return Interval.around(gain, self.half(a, b), level=self.level)

    def unlucky(self, schedule: Schedule, quantile: float) -> Law:
        """The law with the parameters that are worst for a schedule, at a quantile of its loss.

        To first order the loss is Gaussian, and its quantile is reached at
        ``parameters + z C g / sqrt(g' C g)``.

        Raises:
            InputError: a quantile outside 0.5..1.
        """
        if not 0.5 <= quantile < 1:
            raise InputError(f"quantile is {quantile:g}, expected 0.5 or above and below 1")
        covariance = self.uncertainty.covariance
        gradient = self.gradient(schedule)
        along = np.array([dot(row, gradient) for row in covariance])
        spread = np.sqrt(max(dot(gradient, along), 1e-300))
        shapes = self.law.shapes()
        values: dict[str, float] = {}
        for name, move in zip(
            self.uncertainty.names, float(ndtri(quantile)) * along / spread, strict=True
        ):
            value = float(getattr(self.law, name))
            if name in shapes:
                spec = shapes[name]
                values[name] = float(np.clip(value * np.exp(move), spec.low, spec.high))
            else:
                values[name] = max(value + float(move), 0.0)
        return self.law.with_(**values)
