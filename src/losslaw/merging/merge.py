"""What averages of a run's checkpoints would be worth, and decays in their place.

`merge` fits what is known, as `losslaw.forecast` does, and answers for averages of the last few and
of all checkpoints (`losslaw.merging.average_loss`), each beside two decays of the same length: one
begun at the last checkpoint, which costs as many updates again, and one begun at the first, which
the run could have had in place of the updates that are averaged. All are answered with the weights
of one question, the equivalent schedule of all checkpoints, so that they can be compared.
"""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve, Runs, curve_of, curves_of
from losslaw.errors import InputError, expect
from losslaw.fitting.prediction import Prediction
from losslaw.fitting.record import Fit
from losslaw.fitting.rules import Rules
from losslaw.forecasting.continuation import planned
from losslaw.forecasting.forecast import (
    basis_of,
    check_length,
    check_sources,
    repeats,
    trust_in,
)
from losslaw.laws import Law
from losslaw.merging.average_loss import (
    LAB_DRIFT,
    NO_DRIFT,
    Drift,
    Predictor,
    average_loss,
)
from losslaw.merging.record import Merge, MergeForecast
from losslaw.numerics.interval import Level
from losslaw.schedules import Schedule, ScheduleLike, decay_rates, schedule_of
from losslaw.schedules.averages import WeightedCheckpoints

# Windows that are compared, besides that of all checkpoints.
WINDOWS = 7


def merge(
    curve: Runs,
    checkpoints: ArrayLike,
    weights: str | ArrayLike = "uniform",
    *,
    last: int | None = None,
    measured: float | None = None,
    schedule: ScheduleLike | None = None,
    fit: Fit | None = None,
    earlier: Runs = (),
    law: str | type[Law] | None = None,
    decay_shape: str = "linear",
    final: float = 0.0,
    level: float = 0.9,
    skip: int | None = None,
    keep_all: bool = False,
    new_data: bool = False,
) -> MergeForecast:
    """What will the loss of an average of checkpoints be, and is a decay better?

    Args:
        curve: The run: a curve, or what `losslaw.read_curves` reads.
        checkpoints: Steps at which the weights were, or will be, saved; a number: every so many
            updates, up to the last loss of the run.
        weights: ``uniform``; ``ema:0.9``; ``linear``, ``cosine`` or ``1-sqrt``: such that the
            average stands for such a decay over the updates between the checkpoints; or numbers,
            one a checkpoint, that sum to 1.
        last: Only so many of the checkpoints, the latest.
        measured: Loss of the average of all these checkpoints, if it was made: it tells what their
            distance costs this run, which no log does. ``None``: as much as in the lab.
        schedule: The whole plan, for checkpoints that are yet to come; else the rate is continued
            as in `losslaw.forecast`.
        fit: An earlier fit, brought up to date by the run.
        earlier: Earlier runs of the same model, fitted jointly with this one.
        law: Law to fit; ``None``: that of `losslaw.fit`.
        decay_shape: Of the decays beside: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or
            ``power``.
        final: Learning rate at which these end.
        level: Share of runs the intervals are meant to hold, in (0, 1).
        skip: Points before this step are left out; ``None``: as in `losslaw.fit`.
        keep_all: Fit all points as they are; see `losslaw.fit`.
        new_data: Whether this run has other data than ``fit`` or ``earlier``.

    Returns:
        The forecast; ``print`` shows it.

    Raises:
        InputError: fewer than two checkpoints, steps that the run does not have, weights that are
            no average, a log that is too short, or options that contradict each other.

    >>> import losslaw as ll
    >>> run = {curve.label: curve for curve in ll.bundled_curves()}["constant_peak3e-3_T4000"]
    >>> merged = ll.merge(run, checkpoints=100, last=9, law="effective")
    >>> merged.whole.span, merged.whole.loss < run.final_loss - 0.05
    (800, True)
    """
    Level(level)
    curve, earlier = curve_of(curve), curves_of(earlier)
    check_sources(curve, fit, earlier, law, new_data)
    check_length(curve, skip)
    at = _checkpoints(curve, checkpoints, last)
    whole = WeightedCheckpoints(at, weights)
    run, doubts = _schedule(curve, whole.last, None if schedule is None else schedule_of(schedule))
    reference = whole.equivalent(run)
    rules = Rules(skip=skip, keep_all=keep_all)
    basis = basis_of(curve, reference, rules, fit=fit, earlier=earlier, law=law, new_data=new_data)
    if measured is not None and not (np.isfinite(measured) and measured > 0):
        raise InputError(f"the measured loss of the average is {measured:g}, expected above 0")
    predictor = basis.predictor.settled(reference)
    trust = trust_in(basis, reference)
    windows = [whole]
    if isinstance(weights, str) and not (trust is not None and trust.refused):
        sizes = np.unique(np.geomspace(2, len(at), WINDOWS + 1).round().astype(np.int64))
        windows = [WeightedCheckpoints(at[-size:], weights) for size in sizes.tolist()]
    drift = LAB_DRIFT
    if measured is not None:
        told = average_loss(predictor, run, whole, level, NO_DRIFT)
        drift = Drift.seen(measured - told.loss, run, whole)
    ask = _Question(
        run=run, predictor=predictor, drift=drift, shape=decay_shape, final=final, level=level
    )
    raw = predictor.predict(run, [whole.last], level)
    answer = predictor.predict(reference, [whole.last], level)
    warnings = dict.fromkeys([*doubts, *curve.warnings, *basis.warnings, *answer.warnings])
    return MergeForecast(
        label=curve.label,
        unit=curve.unit,
        step=whole.last,
        raw=raw.final,
        raw_interval=raw.interval,
        weights=weights if isinstance(weights, str) else "as given",
        decay=f"{decay_shape} to {final:g}",
        merges=tuple(ask.beside(window) for window in windows),
        basis=basis.sentence,
        law=basis.law,
        level=level,
        measured=measured,
        trust=trust,
        notes=tuple(note for note in basis.notes if not repeats(note, list(warnings))),
        warnings=tuple(warnings),
    )


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What is asked of each average."""

    run: Schedule
    predictor: Predictor
    drift: Drift
    shape: str
    final: float
    level: float

    def beside(self, average: WeightedCheckpoints) -> Merge:
        """An average, and the decays it is held against."""
        merged = average_loss(self.predictor, self.run, average, self.level, self.drift)
        first, last = int(average.checkpoints[0]), average.last
        decay, instead = (self._end(start, last - first) for start in (last, first))
        return Merge(
            checkpoints=average.checkpoints.size,
            first=first,
            last=last,
            loss=merged.loss,
            interval=merged.interval,
            drift=merged.drift,
            own_error=merged.own_error,
            decay=decay.final,
            decay_interval=decay.interval,
            instead=instead.final,
            instead_interval=instead.interval,
        )

    def _end(self, start: int, over: int) -> Prediction:
        """The end of a decay over so many updates after ``start``."""
        rate = float(self.run.lr[start - 1])
        if self.final > rate:
            raise InputError(
                f"final rate of the decays is {self.final:.4g}, above the rate {rate:.4g} at step"
                f" {start}, where they begin: give a lower one"
            )
        # A rate that is at its end already stays there.
        rates = (
            np.full(over, rate)
            if rate == self.final
            else decay_rates(rate, self.final, self.shape, over)
        )
        whole = self.run.prefix(start).extended(rates)
        return self.predictor.predict(whole, [whole.horizon], self.level)


def _checkpoints(curve: LossCurve, checkpoints: ArrayLike, last: int | None) -> list[float]:
    """The steps of the checkpoints, or as many of them as are asked for.

    Raises:
        InputError: fewer than two.
    """
    if np.ndim(checkpoints) == 0:
        expect("checkpoints", checkpoints, Real, "steps, or every how many updates there is one")
    given = np.asarray(checkpoints, dtype=np.float64)
    if given.ndim == 0:
        every = float(given)
        if not (every >= 1 and every.is_integer()):
            raise InputError(f"checkpoints every {every:g} updates, expected a whole number")
        given = np.arange(every, float(curve.steps[-1]) + 1, every)
        given = given[given > curve.schedule.warmup]
    at: list[float] = given.tolist()
    if last is not None and last < 2:
        raise InputError(f"the last {last} checkpoints, expected at least 2 to average")
    at = at if last is None else at[-last:]
    if len(at) < 2:
        raise InputError(
            f"checkpoints of {curve.label!r} after its warm-up: {len(at)}, expected at least 2 to"
            " average"
        )
    if at[0] < 1:
        raise InputError(f"checkpoint at step {at[0]:g}: the first update is step 1")
    return at


def _schedule(
    curve: LossCurve, until: int, declared: Schedule | None
) -> tuple[Schedule, tuple[str, ...]]:
    """What the run did, or will have done, up to a checkpoint; and what is doubtful about it.

    Raises:
        InputError: the run has ended before.
    """
    now = int(curve.steps[-1])
    if until <= now:
        return curve.schedule, ()
    if declared is None and curve.planned in (None, now) and curve.schedule.lr[now - 1] == 0:
        raise InputError(
            f"{curve.label!r} has ended at step {now:,}, at rate 0: it has no checkpoint at step"
            f" {until:,}; if it went on, say how (schedule=, --schedule)"
        )
    horizon = until if declared is None else declared.horizon
    plan = planned(curve, max(horizon, until), declared, 0.0)
    return plan.schedule, plan.doubts
