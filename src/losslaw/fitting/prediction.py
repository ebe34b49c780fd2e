"""A prediction: the loss of a schedule at some steps, with an interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.curves.curve import ASSUMED, NATS, shared_unit
from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.files.frames import frame_of
from losslaw.fitting.mixture import Mixture
from losslaw.fitting.status import ASSUMED_FOR
from losslaw.fitting.trust import Trust, trust_of
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law, Query
from losslaw.laws.query import ASSUMED_WEIGHT_DECAY
from losslaw.numerics.arrays import BoolArray, FloatArray, IntArray
from losslaw.numerics.interval import Interval, Level
from losslaw.schedules import Schedule
from losslaw.schedules.agreement import same_rate
from losslaw.text import Report, table

# How many times as far as the fitted losses, in intrinsic time, is worth a warning.
FAR = 2.0
# Steps of a prediction that are printed.
LINES = 12
ADVISE = "losslaw advise RUNS --for SPEC"
NO_DECAY = "no fitted run decays"


@dataclass(frozen=True, kw_only=True)
class FittedCurve:
    """What a fit remembers of a curve.

    Attributes:
        label: Name of the run.
        schedule: Its schedule.
        first_step: First step that was fitted.
        last_step: Last step that was fitted.
        points: Number of points fitted.
        rmse: Root mean square error of the fit, in nats.
        final_error: Predicted minus observed loss, mean of the last three points.
        model_size: Parameters of the model, if known.
        left_out: First and last step of each stretch that was left out as a spike or a divergence.
        averaged: Logged losses that the points are means of; 0: they are losses as logged.
        unit: What its losses are measured in, as in `LossCurve`.
    """

    label: str
    schedule: Schedule
    first_step: int
    last_step: int
    points: int
    rmse: float
    final_error: float
    model_size: float | None = None
    left_out: tuple[tuple[int, int], ...] = ()
    averaged: int = 0
    unit: str = ASSUMED

    def __str__(self) -> str:
        means = f" (means of {self.averaged:,} losses)" if self.averaged else ""
        return (
            f"{self.points} points{means}, steps {self.first_step}..{self.last_step},"
            f" rmse {self.rmse:.4f}, end {self.final_error:+.4f}"
        )


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Prediction(Report, Plotted):
    """Predicted losses of one schedule.

    Attributes:
        schedule: The schedule.
        steps: Steps. Shape ``(m,)``.
        loss: Predicted loss in nats per token. Shape ``(m,)``.
        lower: Lower end of the interval; ``None`` if the fit carries no uncertainty.
        upper: Upper end.
        level: Share of runs the interval is meant to hold.
        warnings: Sentences: why this prediction deserves less trust than others.
        skip: Losses before this step mean nothing: the fit left out what it had of them.
        trust: What stands behind the answer; ``None`` where one law answers alone.
        window: Updates up to each step that the loss is the mean over; ``None``: of the step.
            Shape ``(m,)``.
        unit: What the losses are measured in, as in `LossCurve`.
    """

    schedule: Schedule
    steps: IntArray
    loss: FloatArray
    lower: FloatArray | None
    upper: FloatArray | None
    level: float
    warnings: tuple[str, ...] = ()
    skip: int = 0
    trust: Trust | None = None
    window: IntArray | None = None
    unit: str = NATS

    @property
    def final(self) -> float:
        """Predicted loss at the last step."""
        return float(self.loss[-1])

    @property
    def interval(self) -> Interval | None:
        """Interval at the last step; ``None`` if the fit carries no uncertainty."""
        return self._interval(-1)

    @property
    def outside(self) -> BoolArray:
        """Which steps are before the fitted range, where the law means nothing. Shape ``(m,)``.

        The loss falls by orders of magnitude there. The last step is asked for on purpose.
        """
        return self.steps < min(max(self.skip, self.schedule.warmup), int(self.steps[-1]))

    def _shown(self, all_steps: bool) -> IntArray:
        """Places of the steps that are written."""
        return np.flatnonzero(~self.outside | all_steps)

    def _interval(self, i: int) -> Interval | None:
        if self.lower is None or self.upper is None:
            return None
        return Interval(lower=float(self.lower[i]), upper=float(self.upper[i]), level=self.level)

    def curve(self, label: str = "predicted") -> LossCurve:
        """The prediction as a `LossCurve`."""
        curve = LossCurve(self.schedule, self.steps, self.loss, label, window=self.window)
        return curve.with_(unit=self.unit)

    def as_dict(self, *, all_steps: bool = False) -> dict[str, object]:
        """The JSON form: step, loss, lower, upper, level, unit, warnings, trust.

        Args:
            all_steps: Also the steps that are `outside`.
        """
        at = self._shown(all_steps)
        return {
            "step": self.steps[at].tolist(),
            "loss": self.loss[at].tolist(),
            "lower": None if self.lower is None else self.lower[at].tolist(),
            "upper": None if self.upper is None else self.upper[at].tolist(),
            "level": self.level,
            "unit": self.unit,
            "warnings": self.warnings,
            "trust": None if self.trust is None else self.trust.as_dict(),
        }

    def to_frame(self, backend: str | None = None, *, all_steps: bool = False) -> Any:
        """A data frame with the columns of `csv`, every digit kept.

        Args:
            backend: ``pandas``, ``polars`` or ``pyarrow``; ``None``: the first that is installed.
            all_steps: Also the steps that are `outside`.

        Raises:
            InputError: another name, or the library is not installed.
        """
        at = self._shown(all_steps)
        lr = self.schedule.lr[self.steps - 1]
        columns = {"step": self.steps[at], "lr": lr[at], "loss": self.loss[at]}
        if self.lower is not None and self.upper is not None:
            columns |= {"lower": self.lower[at], "upper": self.upper[at]}
        return frame_of(columns, backend)

    def csv(self, *, all_steps: bool = False) -> str:
        """A table with columns step, lr, loss and, where known, lower and upper.

        Args:
            all_steps: Also the steps that are `outside`.
        """
        bounded = self.lower is not None and self.upper is not None
        lines = ["step,lr,loss" + (",lower,upper" if bounded else "")]
        for i in self._shown(all_steps).tolist():
            step = int(self.steps[i])
            cells = [str(step), f"{self.schedule.lr[step - 1]:.10g}", f"{self.loss[i]:.6f}"]
            if self.lower is not None and self.upper is not None:
                cells += [f"{self.lower[i]:.6f}", f"{self.upper[i]:.6f}"]
            lines.append(",".join(cells))
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        """A table of a dozen steps, and the warnings."""
        late = self._shown(all_steps=False)
        rows: list[list[str]] = []
        for i in np.unique(
            np.linspace(int(late[0]), int(late[-1]), LINES).round().astype(np.int64)
        ):
            step = int(self.steps[i])
            row = [str(step), f"{self.schedule.lr[step - 1]:.4g}", f"{self.loss[i]:.4f}"]
            if self.lower is not None and self.upper is not None:
                row.append(str(self._interval(i)))
            rows.append(row)
        header = ["step", "lr", "loss"]
        if self.lower is not None:
            header.append(f"{self.level:.0%} interval")
        # No row of the table is that early.
        early = set(_early_warnings(self.skip, self.steps))
        warnings = [f"warning: {sentence}" for sentence in self.warnings if sentence not in early]
        first = [] if self.trust is None else [str(self.trust), ""]
        return "\n".join([*first, *table(header, rows, rule=True), *warnings])


def predict(
    law: Law,
    uncertainty: Uncertainty | None,
    schedule: Schedule,
    steps: ArrayLike | None,
    level: float,
    model_size: float | None = None,
    curves: Sequence[FittedCurve] = (),
    skip: int = 0,
    mixture: Mixture | None = None,
    window: ArrayLike | None = None,
    blocks: int | None = None,
) -> Prediction:
    """Losses of a law, with the interval that ``uncertainty`` gives at ``level``.

    Where there is a mixture all its laws answer. What was fitted, and the model size, count for the
    warnings only.
    """
    quantile = Level(level).quantile
    query = Query.of(schedule, steps, window).coarser(blocks)
    question = None if mixture is None else mixture.question(query, model_size)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss = law.loss(query) if question is None else question.loss
    if not np.isfinite(loss).all():
        step = int(query.steps[int(np.argmax(~np.isfinite(loss)))])
        raise InputError(
            f"the predicted loss is not finite at step {step}: learning rates up to"
            f" {query.lr.max():g} are out of reach of this fit"
        )
    lower = upper = None
    warnings: tuple[str, ...] = ()
    if question is not None:
        lower, upper = question.interval(level)
    elif uncertainty is not None:
        half = quantile * uncertainty.deviation(law, query)
        upper = loss + half
        # No loss is below 0; an interval without ends stays without.
        lower = np.where(np.isfinite(half), np.maximum(loss - half, 0.0), -half)
    if uncertainty is not None:
        warnings = warnings_for(curves, law, uncertainty, query, model_size, skip)
    return Prediction(
        schedule=schedule,
        steps=query.steps,
        loss=loss,
        lower=lower,
        upper=upper,
        level=level,
        warnings=warnings,
        skip=skip,
        trust=None if question is None else trust_of(question.mixture, question),
        window=query.window,
        unit=shared_unit(curves),
    )


def warnings_for(
    curves: Sequence[FittedCurve],
    law: Law,
    uncertainty: Uncertainty,
    query: Query,
    model_size: float | None = None,
    skip: int = 0,
) -> tuple[str, ...]:
    """Why a prediction deserves less trust than one close to the fitted curves; a sentence each.

    Args:
        curves: What was fitted; if nothing, only the uncertainty is looked at.
        law: The law that predicts.
        uncertainty: What its intervals are made of.
        query: What is predicted.
        model_size: Parameters of the model, where sizes count.
        skip: Points before this step were left out of the fit.
    """
    return (
        *_size_warnings(curves, model_size),
        *_decay_warnings(curves, law, uncertainty, query),
        *_peak_warnings(curves, uncertainty, query),
        *_reach_warnings(uncertainty, query),
        *_weight_decay_warnings(curves, law, query),
        *_early_warnings(skip, query.steps),
    )


def _early_warnings(skip: int, steps: IntArray) -> Iterator[str]:
    # The end of a short run is asked for on purpose; steps before the end come along with it.
    if steps[0] < min(skip, steps[-1]):
        yield f"steps before {skip} were not fitted, and the law has no meaning there"


def _size_warnings(curves: Sequence[FittedCurve], model_size: float | None) -> Iterator[str]:
    sizes = sorted({curve.model_size for curve in curves if curve.model_size is not None})
    if model_size is None or len(sizes) < 2:
        return
    if min(abs(size / model_size - 1) for size in sizes) > 0.01:
        known = ", ".join(f"{size:.4g}" for size in sizes)
        yield (
            f"no run of a model of {model_size:.4g} parameters was fitted, so its amplitudes follow"
            f" the trend of {known}: a short run of that size would settle it"
        )


def _decay_warnings(
    curves: Sequence[FittedCurve], law: Law, uncertainty: Uncertainty, query: Query
) -> Iterator[str]:
    touched = uncertainty.touched(law, query)
    if touched.any():
        names = ", ".join(uncertainty.unknown)
        yield (
            f"from step {query.steps[int(np.argmax(touched))]} on the answer depends on {names},"
            " which nothing in the fitted curves shows: fit a run whose learning rate falls, or"
            " use a law with a prior (effective)"
        )
    rates = [curve.schedule.lr[: curve.last_step] for curve in curves]
    if not rates:
        return
    decayed = any(curve.schedule.decays(curve.last_step) for curve in curves)
    if not touched.any() and _decays(query) and not decayed:
        yield (
            f"{NO_DECAY}, so what this decay gains rests on the prior alone:"
            f" {ADVISE} names the cheapest run that would settle it"
        )
    if rises_again(query.lr) and not any(rises_again(lr) for lr in rates):
        yield (
            "the learning rate rises again after a fall, which it does in no fitted run: a short"
            " run that does would settle it (knots:...)"
        )


def _peak_warnings(
    curves: Sequence[FittedCurve], uncertainty: Uncertainty, query: Query
) -> Iterator[str]:
    peak, low, high = query.lr.max(), min(uncertainty.peaks), max(uncertainty.peaks)
    if not (low <= peak <= high or any(same_rate(peak, end, within=0.01) for end in (low, high))):
        fitted = f"{low:g}" if low == high else f"{low:g}..{high:g}"
        if any(same_rate(curve.schedule.peak_lr, peak, within=0.01) for curve in curves):
            # Runs of that peak were fitted, but none that decays: the interval knows the others.
            if _decays(query):
                yield (
                    f"no decay from the peak learning rate {peak:g} was fitted, only from {fitted}:"
                    f" a short run that decays from it would settle it ({ADVISE})"
                )
            return
        yield (
            f"the peak learning rate {peak:g} is outside the fitted {fitted}: a short run at that"
            f" peak would settle it ({ADVISE})"
        )


def _reach_warnings(uncertainty: Uncertainty, query: Query) -> Iterator[str]:
    times = float(query.seen_time[-1]) / uncertainty.farthest
    if times > FAR:
        yield (
            f"the schedule goes {times:.1f} times as far in intrinsic time as any fitted loss:"
            f" a longer run would settle it ({ADVISE})"
        )


def _weight_decay_warnings(curves: Sequence[FittedCurve], law: Law, query: Query) -> Iterator[str]:
    if not law.uses_weight_decay:
        return
    unknown = [curve.label for curve in curves if curve.schedule.weight_decay is None]
    if unknown:
        runs = "the fitted run" if len(curves) == 1 else f"{len(unknown)} of the fitted runs"
        yield (f"{ASSUMED_FOR} {runs}: say what it was when fitting (--weight-decay)")
    elif curves and query.schedule.weight_decay is None:
        yield (
            f"weight decay {ASSUMED_WEIGHT_DECAY:g} is assumed, for the fitted runs have several:"
            " say which (--weight-decay)"
        )


def _decays(query: Query) -> bool:
    return query.schedule.decays(int(query.steps[-1]))


def rises_again(lr: FloatArray) -> bool:
    """Whether a rate climbs by a tenth of its peak from a low that came after a fall.

    >>> import numpy as np
    >>> rises_again(np.array([0.5, 1.0, 0.5, 1.0])), rises_again(np.array([0.5, 1.0, 0.5]))
    (True, False)
    """
    # The deepest fall so far: the rise is measured from the lowest rate after it.
    fallen = np.maximum.accumulate(lr) - lr > 0.1 * lr.max()
    if not fallen.any():
        return False
    after = lr[int(np.argmax(fallen)) :]
    return bool((after - np.minimum.accumulate(after)).max() > 0.1 * lr.max())
