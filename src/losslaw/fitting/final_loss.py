"""One final loss as every law of a fit says it, and the difference of two, which is surer.

Two runs of one model share most of what is uncertain: the irreducible loss, the size of the noise,
how fast it is forgotten. What they do not share is what makes the difference uncertain,

    v = s^2 .7 (g_a - g_b)' C (g_a - g_b) + 2 noise^2
        + f L^2 [ (PEAKS ln p_a/p_b)^2 + (HORIZONS ln n_a/n_b)^2 + (LENGTHS ln k_a/k_b)^2 ]
        + f (GAINS (G_a - G_b))^2

for each law, with ``g`` the gradient of its final loss by its parameters and ``C`` their covariance
(`losslaw.fitting.mixture`), ``p`` peaks, ``n`` updates, ``k`` lengths of the decays as shares of
the run, ``G`` what the decays gain, ``L`` the level of the loss, and ``f`` 1 at home. ``noise`` is
what two runs of one schedule differ by: `FLOOR` of the loss, or what seeds show.

Of runs of two models, each fitted by itself, the error of the law is common. The first line is then
``(sd_a - sd_b)^2 + 2 (1 - shared) sd_a sd_b`` of their own deviations: at home nearly all is shared
(`SHARED_AT_HOME`), away from home less. The constants were seen on public runs
(validation/results/annealed.md).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from losslaw.errors import InputError
from losslaw.fitting.ground import at_home
from losslaw.fitting.mixture import FLOOR, MOST_OPEN, OPEN, Question, gains
from losslaw.fitting.record import Fit
from losslaw.fitting.trust import Trust, trust_of
from losslaw.fitting.uncertainty import Uncertainty, prediction_gradient
from losslaw.laws import Law, Query
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.interval import Interval, Level
from losslaw.numerics.mixture import normal_ends
from losslaw.schedules import Schedule, ScheduleLike

# Error of a difference for each e-fold between the peaks, the horizons, and the lengths of the
# decays as shares of the horizons, relative to the loss.
PEAKS, HORIZONS, LENGTHS = 2e-3, 2.5e-3, 2e-3
# Error of a difference between gains of decays, as a share of it.
GAINS = 0.03
# How much larger these are away from home, or at peaks that are not AdamW's usual ones.
AWAY = 1.5
# Correlation of the errors of two fits, each of runs of its own model, at home and away: three
# sizes of one schedule erred alike to .0004 where each interval was +-.04; two optimisers did not.
SHARED_AT_HOME, SHARED_AWAY = 0.98, 0.6
# Blocks of updates on which gradients are worked out, at least.
BLOCKS = 600
# And on which a loss alone is: seen to err by up to 1.7e-5 nats at 24,000 to 54,000 updates.
FINE = 6000
# A law that counts less than this moves no digit.
NOTHING = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class FinalLoss:
    """The loss at the end of a schedule.

    Attributes:
        fit: Whose laws say it.
        schedule: The schedule, with what the fit takes for granted.
        laws: Each law, of the model size that is asked about.
        known: What is known of the parameters of each; ``None`` where a law answers alone, and
            nothing is.
        losses: What each says, in nats. Shape ``(K,)``.
        weights: What each counts in intervals, summing to 1. Shape ``(K,)``.
        leading: What each counts in the mean, summing to 1. Shape ``(K,)``.
        scales: By what the tests scale the variance of each. Shape ``(K,)``.
        question: The same question to the mixture; ``None`` where a law answers alone.
    """

    fit: Fit
    schedule: Schedule
    laws: tuple[Law, ...]
    known: tuple[Uncertainty | None, ...]
    losses: FloatArray
    weights: FloatArray
    leading: FloatArray
    scales: FloatArray
    question: Question | None

    @classmethod
    def of(
        cls,
        fit: Fit,
        schedule: ScheduleLike,
        model_size: float | None = None,
        *,
        blocks: int | None = None,
    ) -> "FinalLoss":
        """As a fit says it; ``blocks`` is that of `Fit.predict`.

        Raises:
            InputError: see `Fit.predict`; or the loss is not finite.
        """
        schedule = fit.completed(schedule)
        query = Query.of(schedule, [schedule.horizon]).coarser(blocks)
        if fit.mixture is None:
            law, known = fit.at_size(model_size)
            one = np.ones(1)
            return cls(
                fit=fit,
                schedule=schedule,
                laws=(law,),
                known=(known,),
                losses=_finite(law.loss(query), schedule),
                weights=one,
                leading=one,
                scales=one,
                question=None,
            )
        question = fit.mixture.question(query, model_size)
        counted, weights, leading = counting(question)
        members = fit.mixture.members
        return cls(
            fit=fit,
            schedule=schedule,
            laws=tuple(question.laws[k] for k in counted),
            known=tuple(members[k].at_size(model_size)[1] for k in counted),
            losses=_finite(question.losses[counted, -1], schedule),
            weights=weights,
            leading=leading,
            scales=fit.mixture.scales[counted],
            question=question,
        )

    @property
    def loss(self) -> float:
        """The mean of the laws, in nats."""
        return dot(self.leading, self.losses)

    @property
    def level(self) -> float:
        """Of the loss, to which errors are relative, in nats."""
        mixture = self.fit.mixture
        return self.loss if mixture is None else mixture.ground.level

    @property
    def home(self) -> bool:
        """Whether AdamW's constants are to be expected, and the peak is a usual one of AdamW."""
        mixture = self.fit.mixture
        usual = at_home([self.schedule.peak_lr])
        return usual and (mixture is None or mixture.ground.home)

    @property
    def trust(self) -> Trust | None:
        """What stands behind it; ``None`` where one law answers alone."""
        if self.question is None:
            return None
        return trust_of(self.question.mixture, self.question)

    def interval(self, level: float) -> Interval | None:
        """Its interval; ``None`` if the fit carries no uncertainty."""
        if self.question is not None:
            lower, upper = self.question.interval(level)
            return Interval(lower=float(lower[-1]), upper=float(upper[-1]), level=level)
        known = self.known[0]
        if known is None:
            return None
        query = Query.of(self.schedule, [self.schedule.horizon])
        half = Level(level).quantile * float(known.deviation(self.laws[0], query)[-1])
        lower = max(self.loss - half, 0.0) if np.isfinite(half) else -half
        return Interval(lower=lower, upper=self.loss + half, level=level)

    def near(self, schedule: ScheduleLike) -> float:
        """The loss at the end of another schedule, the laws counting what they count here.

        In blocks of updates: within 2e-5 nats of each update by itself, at a tenth of the cost.
        """
        schedule = self.fit.completed(schedule)
        last = schedule.horizon
        query = Query(schedule, np.array([last]), max(last // FINE, 1))
        losses = np.array([float(law.loss(query)[-1]) for law in self.laws])
        return dot(self.leading, _finite(losses, schedule))

    @cached_property
    def gradients(self) -> tuple[FloatArray, ...]:
        """Gradient of each law's loss by the parameters that may move. Shapes ``(P,)``."""
        out: list[FloatArray] = []
        for law, known in zip(self.laws, self.known, strict=True):
            assert known is not None
            out.append(final_gradient(law, known, self.schedule))
        return tuple(out)

    @cached_property
    def gains(self) -> FloatArray:
        """What the falls of the rate gain by each law, in nats. Shape ``(K,)``."""
        if self.question is not None:
            answers = self.question.answers
            return np.array([float(answers[k].gain[-1]) for k in counting(self.question)[0]])
        law, end = self.laws[0], final_query(self.schedule)
        return gains(law, end, law.loss(end))

    @property
    def cooldown(self) -> float:
        """Length of the last fall of the rate, as a share of the updates."""
        lr = self.schedule.lr
        highest = np.flatnonzero(lr >= lr.max() * (1 - 1e-9))
        return max(lr.size - 1 - int(highest[-1]), 1) / lr.size


def counting(question: Question) -> tuple[list[int], FloatArray, FloatArray]:
    """Which laws count in an answer, and what in intervals and in the mean, summing to 1 each."""
    counted = [int(k) for k in np.flatnonzero(question.weights > NOTHING)]
    weights, leading = question.weights[counted], question.leading[counted]
    return counted, weights / weights.sum(), leading / leading.sum()


def final_query(schedule: Schedule) -> Query:
    """The question for the final loss of a schedule on blocks of updates."""
    last = schedule.horizon
    return Query(schedule, np.array([last]), max(last // BLOCKS, 1))


def final_gradient(law: Law, known: Uncertainty, schedule: Schedule) -> FloatArray:
    """Gradient of a final loss by the parameters that may move. Shape ``(P,)``."""
    return prediction_gradient(law, known.names, final_query(schedule))[0]


def _finite(losses: FloatArray, schedule: Schedule) -> FloatArray:
    if not np.isfinite(losses).all():
        raise InputError(
            f"the predicted loss is not finite: learning rates up to {schedule.peak_lr:g} are out"
            " of reach of this fit"
        )
    return losses


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One final loss less another.

    Attributes:
        loss: The difference, in nats.
        interval: Where it lies; ``None`` where nothing is known of it.
    """

    loss: float
    interval: Interval | None

    @property
    def told_apart(self) -> bool:
        """Whether the interval says which of the two is lower."""
        return self.interval is not None and not self.interval.holds(0.0)


def difference(a: FinalLoss, b: FinalLoss, level: float, noise: float | None = None) -> Difference:
    """How much higher ``a`` ends than ``b``, with an interval that counts what they share once.

    Args:
        a: One.
        b: The other, of the same fit with the same weights (`Fit.settled`), or of another model.
        level: Share of cases that the interval is meant to hold, in (0, 1).
        noise: What two runs of one schedule differ by, a standard deviation of each, in nats;
            ``None``: `FLOOR` of the loss.
    """
    loss = a.loss - b.loss
    noise = FLOOR * max(a.level, b.level) if noise is None else noise
    one, other = a.interval(level), b.interval(level)
    if one is None or other is None:
        return Difference(loss=loss, interval=None)
    if not (one.bounded and other.bounded):
        return Difference(loss=loss, interval=Interval.around(loss, np.inf, level=level))
    alike = 2 * noise**2 + _unlike(a, b)
    if a.fit is not b.fit or len(a.laws) != len(b.laws):
        z = Level(level).quantile
        first, second = one.half_width / z, other.half_width / z
        shared = SHARED_AT_HOME if a.home and b.home else SHARED_AWAY
        own = (first - second) ** 2 + 2 * (1 - shared) * first * second
        half = z * float(np.sqrt(own + alike))
        return Difference(loss=loss, interval=Interval.around(loss, half, level=level))
    each = a.losses - b.losses
    deviations = np.sqrt(_own(a, b) + alike)
    lower, upper = normal_ends(level, a.weights, each, deviations)
    # The mean of laws far apart may lie beyond a quantile of them.
    interval = Interval(lower=min(lower, loss), upper=max(upper, loss), level=level)
    return Difference(loss=loss, interval=interval)


def _unlike(a: FinalLoss, b: FinalLoss) -> float:
    """Variance of the difference from how unlike two schedules are, in nats squared."""
    level = max(a.level, b.level)
    logs = (
        (PEAKS, float(a.schedule.lr.max()), float(b.schedule.lr.max())),
        (HORIZONS, a.schedule.horizon, b.schedule.horizon),
        (LENGTHS, a.cooldown, b.cooldown),
    )
    squares = sum(float(error * level * np.log(one / other)) ** 2 for error, one, other in logs)
    paid = GAINS * (dot(a.leading, a.gains) - dot(b.leading, b.gains))
    return (squares + paid**2) * (1.0 if a.home and b.home else AWAY**2)


def _own(a: FinalLoss, b: FinalLoss) -> FloatArray:
    """Variance of the difference from each law's parameters, in nats squared. Shape ``(K,)``."""
    level = max(a.level, b.level)
    out: list[float] = []
    for k, known in enumerate(a.known):
        assert known is not None
        apart = a.gradients[k] - b.gradients[k]
        opened = float(np.einsum("i,ij,j", apart, known.covariance, apart))
        out.append(OPEN * min(max(opened, 0.0), (MOST_OPEN * level) ** 2))
    return a.scales * np.array(out)
