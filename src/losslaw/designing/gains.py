"""How sure a gain is: the difference of two predictions knows more than either of them.

    sd^2 = (g_a - g_b)' C (g_a - g_b) + 2 tau^2 (1 - exp(-distance / 0.1))

``g`` is the gradient of a final loss by the parameters and ``C`` their covariance: what both
schedules share, such as the irreducible loss, cancels. ``tau`` is the error of the law on schedules
left out. Two schedules that differ little share it too, two that differ much do not: the distance
is the share of the rates that one has and the other has not, ``sum |a - b| / sum max(a, b)``.

Where several laws answer, each says its own gain, with its own deviation; the gain is their mean,
and its interval the quantiles of the mixture of normals, all with the weights that the laws have
for the design.

Assumption: the scale 0.1 of the distance, chosen on pairs of public runs of one horizon and peak
(validation/results/design_gains.md). What repeated runs differ by is not in it: the interval is of
the mean gain, and two single runs differ by about .0014 nats more.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from losslaw.curves.objective import Objective
from losslaw.errors import InputError
from losslaw.fitting import Fit
from losslaw.fitting.final_loss import counting, final_gradient
from losslaw.fitting.mixture import Question
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law, Query
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.interval import Interval
from losslaw.numerics.mixture import normal_ends
from losslaw.schedules import Schedule

# Distance at which two schedules' errors have become mostly their own.
APART = 0.1


def distance(a: Schedule, b: Schedule) -> float:
    """How different the rates of two schedules of one horizon are, in [0, 1].

    >>> from losslaw import Schedule
    >>> distance(Schedule([1.0, 1.0]), Schedule([1.0, 0.5]))
    0.25
    """
    return float(np.abs(a.lr - b.lr).sum() / np.maximum(a.lr, b.lr).sum())


@dataclass(frozen=True)
class LawGains:
    """What one law says of differences of final losses.

    Args:
        law: The fitted law.
        uncertainty: What the intervals of the fit are made of; ``None``: nothing is known of it.
    """

    law: Objective
    uncertainty: Uncertainty | None
    # A design is compared with many schedules: its loss and gradient are worked out once. By `id`,
    # with the schedule kept, so that the number stays its own.
    _losses: dict[int, tuple[Schedule, float]] = field(
        default_factory=dict[int, tuple[Schedule, float]], repr=False, compare=False
    )
    _gradients: dict[int, tuple[Schedule, FloatArray]] = field(
        default_factory=dict[int, tuple[Schedule, FloatArray]], repr=False, compare=False
    )

    @property
    def known(self) -> tuple[Law, Uncertainty]:
        """The law and its uncertainty, where there is one.

        Raises:
            InputError: there is none.
        """
        if self.uncertainty is None or not isinstance(self.law, Law):
            raise InputError("a quantile needs the uncertainty of a fit: this one carries none")
        return self.law, self.uncertainty

    def loss(self, schedule: Schedule) -> float:
        """Final loss."""
        if id(schedule) not in self._losses:
            self._losses[id(schedule)] = schedule, self.law.quick(schedule)
        return self._losses[id(schedule)][1]

    def gain(self, a: Schedule, b: Schedule) -> float:
        """How much lower ``a`` ends than ``b``."""
        return self.loss(b) - self.loss(a)

    def gradient(self, schedule: Schedule) -> FloatArray:
        """Gradient of the final loss by the parameters that may move. Shape ``(P,)``."""
        if id(schedule) not in self._gradients:
            gradient = final_gradient(*self.known, schedule)
            self._gradients[id(schedule)] = schedule, gradient
        return self._gradients[id(schedule)][1]

    def deviation(self, a: Schedule, b: Schedule) -> float:
        """Standard deviation of the difference of two final losses, in nats."""
        law, known = self.known
        ends = [Query.of(schedule, [schedule.horizon]) for schedule in (a, b)]
        if any(known.touched(law, end).any() for end in ends):
            return np.inf
        apart = self.gradient(a) - self.gradient(b)
        variance = float(np.einsum("i,ij,j", apart, known.covariance, apart))
        own = 2 * known.tau**2 * -np.expm1(-distance(a, b) / APART)
        return float(np.sqrt(max(variance, 0.0) + own))

    def unlucky(self, schedule: Schedule, quantile: float) -> Law:
        """The law with the parameters that are worst for a schedule, at a quantile of its loss.

        To first order the loss is Gaussian, and its quantile is reached at
        ``parameters + z C g / sqrt(g' C g)``.

        Raises:
            InputError: a quantile outside 0.5..1, or no uncertainty.
        """
        if not 0.5 <= quantile < 1:
            raise InputError(f"quantile is {quantile:g}, expected 0.5 or above and below 1")
        law, known = self.known
        covariance = known.covariance
        gradient = self.gradient(schedule)
        along = np.array([dot(row, gradient) for row in covariance])
        spread = np.sqrt(max(dot(gradient, along), 1e-300))
        shapes = law.shapes()
        values: dict[str, float] = {}
        for name, move in zip(known.names, float(ndtri(quantile)) * along / spread, strict=True):
            value = float(getattr(law, name))
            if name in shapes:
                spec = shapes[name]
                values[name] = float(np.clip(value * np.exp(move), spec.low, spec.high))
            else:
                values[name] = max(value + float(move), 0.0)
        return law.with_(**values)


@dataclass(frozen=True)
class Gains:
    """What differences of final losses are known to, of one law or of several that answer together.

    Args:
        laws: What each law says.
        weights: What each counts in an interval, summing to 1. Shape ``(K,)``.
        leading: What each counts in the mean, summing to 1. Shape ``(K,)``.
        level: Share of cases that an interval is meant to hold.
    """

    laws: tuple[LawGains, ...]
    weights: FloatArray
    leading: FloatArray
    level: float

    @classmethod
    def of_law(cls, law: Objective, uncertainty: Uncertainty | None, level: float) -> "Gains":
        """Of a law that answers alone."""
        return cls((LawGains(law, uncertainty),), np.ones(1), np.ones(1), level)

    @classmethod
    def of_question(
        cls, question: Question, level: float, model_size: float | None = None
    ) -> "Gains":
        """Of all laws, with the weights that they have for this question."""
        counted, weights, leading = counting(question)
        members = question.mixture.members
        laws = tuple(LawGains(question.laws[k], members[k].at_size(model_size)[1]) for k in counted)
        return cls(laws, weights, leading, level)

    @classmethod
    def of(
        cls, fit: Fit, schedule: Schedule, level: float, model_size: float | None = None
    ) -> "Gains":
        """Of a fit, for comparisons with this schedule."""
        if fit.mixture is None:
            return cls.of_law(*fit.at_size(model_size), level)
        question = fit.mixture.question(Query.of(schedule, [schedule.horizon]), model_size)
        return cls.of_question(question, level, model_size)

    @property
    def known(self) -> bool:
        """Whether it is known how sure gains are."""
        return all(law.uncertainty is not None for law in self.laws)

    def loss(self, schedule: Schedule) -> float:
        """Final loss, in nats: the mean of the laws."""
        return dot(self.leading, np.array([law.loss(schedule) for law in self.laws]))

    def gain(self, a: Schedule, b: Schedule) -> float:
        """How much lower ``a`` ends than ``b``, in nats: the mean of the laws."""
        return dot(self.leading, np.array([law.gain(a, b) for law in self.laws]))

    def interval(self, a: Schedule, b: Schedule) -> Interval | None:
        """Where that gain lies; ``None`` where nothing is known of it."""
        if not self.known:
            return None
        gains = np.array([law.gain(a, b) for law in self.laws])
        deviations = np.array([law.deviation(a, b) for law in self.laws])
        if not np.isfinite(deviations).all():
            return Interval(lower=-np.inf, upper=np.inf, level=self.level)
        lower, upper = normal_ends(self.level, self.weights, gains, deviations)
        return Interval(lower=lower, upper=upper, level=self.level)
