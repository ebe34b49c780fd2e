"""The loss of an average of checkpoints, under a fit.

To first order an average is the end of the schedule that gives each update the share of it that the
average holds (`losslaw.schedules.averages`), and every law answers for that schedule. But its
updates were made at the full rate, and the noise of one is forgotten along the run as if nothing
had been averaged. A law that knows how long an update is remembered knows that too
(`Law.merged_loss`), so its answer for the schedule is corrected by the difference::

    L(average) = L(equivalent schedule) + sum_k w_k [merged_k - equivalent_k] / sum_k w_k

over those laws k of the fit that know, with the weights of the question.

That is right where the loss is a fixed bowl. Real runs move through a landscape that bends: models
far apart in a run have adapted to different surroundings, and their mean to none. `Drift` is what
that costs each pair of checkpoints, a number of the model that no log tells: the lab's, or what one
average that was made has shown::

    L(average) += d * sum_ij c_i c_j |X_i - X_j|^1/2,     X_i = sum_{k <= t_i} lr[k] / sqrt(k)

Weights that grow like a random walk turn by about ``lr / sqrt(k)`` in update k; form and power are
those that describe the lab's averages (validation/results/merging.md), not derived.
"""

from dataclasses import dataclass

import numpy as np

from losslaw.fitting.record import Fit
from losslaw.forecasting.record import SHARED_BY_ENDINGS
from losslaw.forecasting.update import OfSize, Updated
from losslaw.laws import Law, Query
from losslaw.numerics.interval import Interval, Level
from losslaw.schedules import Schedule
from losslaw.schedules.averages import WeightedCheckpoints

Predictor = Fit | OfSize | Updated

# Standard deviation of the correction, as a share of it: half-way between right and absent, and to
# either of them, are two standard deviations.
CORRECTION_ERROR = 0.25
# Blocks of updates in which the correction is worked out: 1e-5 nats in runs of 10^4 updates.
BLOCKS = 4000


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What the distance between checkpoints costs their average.

    Attributes:
        amount: The ``d`` of the formula, in nats.
        error: Its standard deviation, as a share of it.
        least: Least standard deviation of what it costs an average, in nats.
        known: Share of the law's own error that is left, once an average of the same run was seen.
    """

    amount: float
    error: float
    least: float = 0.0
    known: float = 1.0

    @classmethod
    def seen(cls, excess: float, schedule: Schedule, average: WeightedCheckpoints) -> "Drift":
        """The drift of a run one of whose averages was made.

        Args:
            excess: Its measured loss minus that of the law without drift, in nats.
            schedule: What the run did.
            average: Which checkpoints.
        """
        amount = excess / max(distance(schedule, average), 1e-300)
        return cls(
            amount=amount,
            error=SEEN_ERROR,
            least=SEEN_ERROR * abs(excess),
            known=(2 * (1 - SHARED_BY_ENDINGS)) ** 0.5,
        )


# Of the lab's runs: 78 averages over 100 to 4,800 updates at three peaks, which this one number
# leaves .0064 nats off (root mean square); over half of a fifth run averages were .03 above it.
# Half of it is the error for other models, a guess.
LAB_DRIFT = Drift(amount=0.55, error=0.5)
NO_DRIFT = Drift(amount=0.0, error=0.0)
# Error of a drift that one average has shown, as a share of it, and of what it cost that one: what
# is left in the lab, where form and power are off most for checkpoints that are close together.
SEEN_ERROR = 0.1


def distance(schedule: Schedule, average: WeightedCheckpoints) -> float:
    """``sum_ij c_i c_j |X_i - X_j|^1/2`` of the checkpoints of a run."""
    turned = np.cumsum(schedule.lr / np.sqrt(np.arange(1, schedule.horizon + 1)))
    at = turned[average.checkpoints - 1]
    apart = np.abs(at[:, None] - at[None, :])
    return float(average.weights @ np.sqrt(apart) @ average.weights)


@dataclass(frozen=True, kw_only=True)
class AverageLoss:
    """What a fit says of an average.

    Attributes:
        loss: Predicted loss, in nats.
        interval: Its interval; ``None`` if the fit carries no uncertainty.
        correction: How much of it the laws add to that of the equivalent schedule.
        drift: How much of it is for the distance between the checkpoints.
        own_error: Standard deviation of both together.
    """

    loss: float
    interval: Interval | None
    correction: float
    drift: float
    own_error: float


def average_loss(
    predictor: Predictor,
    schedule: Schedule,
    average: WeightedCheckpoints,
    level: float,
    drift: Drift = LAB_DRIFT,
) -> AverageLoss:
    """The loss of an average of the checkpoints of a run.

    Args:
        predictor: What predicts.
        schedule: What the run did, or will have done.
        average: Which of its checkpoints.
        level: Share of runs the interval is meant to hold.
        drift: What the distance between the checkpoints costs.
    """
    done = schedule.prefix(average.last)
    equivalent = average.equivalent(done)
    prediction = predictor.predict(equivalent, [average.last], level)
    correction = _correction(predictor, done, equivalent, average)
    cost = drift.amount * distance(done, average)
    loss = prediction.final + correction + cost
    unsure = np.hypot(drift.error * cost, drift.least)
    own = float(np.hypot(CORRECTION_ERROR * correction * drift.known, unsure))
    interval = prediction.interval
    if interval is not None and interval.bounded:
        more = Level(level).quantile * own
        below, above = prediction.final - interval.lower, interval.upper - prediction.final
        interval = Interval(
            lower=max(loss - float(np.hypot(drift.known * below, more)), 0.0),
            upper=loss + float(np.hypot(drift.known * above, more)),
            level=level,
        )
    return AverageLoss(
        loss=loss, interval=interval, correction=correction, drift=cost, own_error=own
    )


def _correction(
    predictor: Predictor, done: Schedule, equivalent: Schedule, average: WeightedCheckpoints
) -> float:
    """What the laws that know of averages add to the answer for the equivalent schedule."""
    while isinstance(predictor, Updated):
        predictor = predictor.fit
    fit, size = (predictor, None) if isinstance(predictor, Fit) else (
        predictor.fit, predictor.model_size
    )  # fmt: skip
    done, equivalent = fit.completed(done), fit.completed(equivalent)
    block = max(average.last // BLOCKS, 1)
    states = Query.of(done, average.checkpoints).in_blocks(block)
    # In the same blocks, which end at every checkpoint.
    end = Query.of(equivalent, average.checkpoints).in_blocks(block)
    if fit.mixture is None:
        laws, weights = [fit.at_size(size)[0]], [1.0]
    else:
        question = fit.mixture.question(Query.of(equivalent, [average.last]), size)
        laws, weights = list(question.laws), question.leading.tolist()
    told = [
        (weight, change)
        for law, weight in zip(laws, weights, strict=True)
        if weight > 0 and (change := _change(law, states, end, average)) is not None
    ]
    total = sum(weight for weight, _ in told)
    return sum(weight * change for weight, change in told) / total if total > 0 else 0.0


def _change(law: Law, states: Query, end: Query, average: WeightedCheckpoints) -> float | None:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        merged = law.merged_loss(states, average.weights)
        if merged is None:
            return None
        change = merged - float(law.loss(end)[-1])
    return change if np.isfinite(change) else None
