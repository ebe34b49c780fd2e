"""Has a run left its band? Its losses, against what was predicted of them before they came.

A point is judged only by predictions made before it: a fit of the part of the run before
it, or what other runs say. Residuals along a run are correlated, and single points say little: a
run has left its band when the median of the latest points is outside it, window after window, and
it is back when half of that departure is gone. A few points far off are reported as a spike.

    band = BAND * (distance to the end of the 90 % interval) + ERRORS * noise / sqrt(window)

``noise`` is what one loss differs from the next by; the second part is three standard errors of a
median. BAND, and what it costs in false alarms and in delay, was measured on public runs and on
the bundled ones (``python -m validation progress``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.curves.curve import NATS, after_numbers
from losslaw.errors import FitError, InputError
from losslaw.fitting.cleaning import went_up
from losslaw.fitting.prediction import Prediction
from losslaw.numerics.arrays import FloatArray, pieces
from losslaw.numerics.robust import robust_sd, running_median, white_noise
from losslaw.schedules import Schedule

# How far a run may be away from what was predicted, over the distance to the end of the interval
# at LEVEL on that side.
BAND = 1.2
LEVEL = 0.9
# Each prediction begins this many times further along the run than the one before.
RATIO = 2.0
# Predictions of the last three quarters of the run are judged: no fit predicts further ahead.
REACH = 4.0
# Three standard errors of a median of white noise, times the root of its points.
ERRORS = 3 * 1.25
# Nats that a median should tell; what a decay pays is several times more.
FINE = 0.02
# A point this many times the scatter above its neighbours is a spike; the scatter at least this.
SPIKE = 8.0
LEAST_NOISE = 1e-3
# Share of a predicted rise by which it may be missed: no spike yet.
MISSED = 0.5

State = Literal["on", "above", "below", "unknown"]


class Predictor(Protocol):
    """Whatever predicts losses with an interval: a `Fit`, say."""

    def predict(
        self,
        schedule: Schedule,
        steps: ArrayLike | None = None,
        level: float = 0.9,
        *,
        window: ArrayLike | None = None,
    ) -> Prediction:
        """Loss of a schedule at some steps, or its means over windows."""
        ...


@dataclass(frozen=True, kw_only=True)
class Spike:
    """Losses far above their neighbours that came back by themselves.

    Attributes:
        step: First of them.
        last: Last of them.
        height: Largest excess over the neighbours, in nats.
    """

    step: int
    last: int
    height: float


@dataclass(frozen=True, kw_only=True)
class Band:
    """Whether a run is where it was predicted to be.

    Attributes:
        state: ``on``, ``above`` or ``below``; ``unknown`` while there is nothing to judge by.
        since: Step since which it has been outside, if it is.
        by: How far its latest points are from what was predicted, in nats: positive is above.
        checked: Losses after this step were predicted before they came; ``None`` if none were.
        spikes: Points far above their neighbours.
        never: Whether no point that was judged was ever on the band.
        unit: What losses are measured in.
    """

    state: State
    since: int | None = None
    by: float = 0.0
    checked: int | None = None
    spikes: tuple[Spike, ...] = ()
    never: bool = False
    unit: str = NATS

    def __str__(self) -> str:
        if self.state == "unknown":
            return "not judged yet: too few losses have been predicted before they came"
        if self.state == "on":
            how = f"losses after step {self.checked:,} were predicted before they came"
            return f"inside its band ({how})"
        by = f"{self.by:+.3f}{after_numbers(self.unit)}"
        return f"{self.state} its band since step {self.since:,} (by {by})"


def window_of(losses: FloatArray) -> int:
    """Points whose median is compared with the band: a thirtieth of them, at least 5.

    Up to a tenth in a noisy log, so that three standard errors of the median come below `FINE`.
    """
    wanted = (ERRORS * white_noise(losses) / FINE) ** 2
    return int(np.clip(wanted, max(losses.size // 30, 5), max(losses.size // 10, 5)))


def rolling(curve: LossCurve, skip: int, fit_until: Callable[[LossCurve], Predictor]) -> Band:
    """Judge a run by fits of its own beginnings.

    Args:
        curve: The run so far.
        skip: Points before this step are not judged.
        fit_until: Fits the beginning of the run that it is given.

    The beginnings end at powers of `RATIO`, whatever the length of the run: a log that grows asks
    for the same ones again.
    """
    judged = Band(state="unknown")
    for origin in origins(curve, skip):
        try:
            predictor = fit_until(_beginning(curve, origin))
            band = against(curve, predictor, origin)
        except (InputError, FitError):  # too little to fit yet
            continue
        if band.state == "unknown":
            continue
        if judged.checked is not None and band.checked is not None:
            band = replace(band, checked=min(judged.checked, band.checked))
        judged = band
        if band.state != "on":  # what comes after was fitted to the departure
            break
    return judged


def _beginning(curve: LossCurve, step: int) -> LossCurve:
    """The run as it was after ``step`` updates: nothing of what came later, its schedule too."""
    part = curve.until(step)
    return part.with_(schedule=part.schedule.prefix(int(part.steps[-1])))


def origins(curve: LossCurve, skip: int) -> list[int]:
    """Steps at which the rest of the run is predicted."""
    last, window = int(curve.steps[-1]), window_of(curve.loss)
    kept: list[int] = []
    origin = 1.0
    while origin < last:
        step = round(origin)
        enough = int(((curve.steps >= skip) & (curve.steps <= step)).sum()) >= 2 * window
        if enough and step >= last / REACH and int((curve.steps > step).sum()) >= window:
            kept.append(step)
        origin *= RATIO
    return kept


def against(curve: LossCurve, predictor: Predictor, after: int) -> Band:
    """Judge the points after step ``after`` by a prediction made without them."""
    window = window_of(curve.loss)
    if int((curve.begins > after).sum()) < window:
        return Band(state="unknown")
    part = curve.after(after)
    steps, losses = part.steps, part.loss
    prediction = predictor.predict(curve.schedule, steps, LEVEL, window=part.window)
    if prediction.lower is None or prediction.upper is None:
        return Band(state="unknown")
    if not np.isfinite(prediction.upper).all():
        return Band(state="unknown")
    level = running_median(losses - prediction.loss, window)
    upwards, downwards = prediction.upper - prediction.loss, prediction.loss - prediction.lower
    half = np.where(level > 0, upwards[window - 1 :], downwards[window - 1 :])
    share = level / (BAND * half + ERRORS * white_noise(losses) / np.sqrt(window))
    left = _departure(level, share, window)
    by = float(level[-1])
    if left is None:
        return Band(state="on", by=by, checked=after)
    # A median lags by half its window.
    since = int(steps[left + (window - 1) // 2]) if left else int(steps[0])
    ever = (np.abs(share) <= 1).any()
    state = "above" if by > 0 else "below"
    return Band(state=state, since=since, by=by, checked=after, never=not ever, unit=curve.unit)


def _departure(level: FloatArray, share: FloatArray, window: int) -> int | None:
    """Where the run left its band for good, as an index of ``level``; ``None``: it is on it.

    Args:
        level: Median of the last ``window`` residuals.
        share: The same as a share of the band.
        window: Windows in a row that must be out: one that only touches the edge says nothing.

    A run that has left stays away until half of its departure is gone. The band itself widens with
    the distance from what was known, and would take the run in again.
    """
    start = 0
    while start + window <= share.size:
        out = [*pieces(share[start:] > 1), *pieces(share[start:] < -1)]
        gone = [piece.start for piece in out if piece.stop - piece.start >= window]
        if not gone:
            return None
        first = start + min(gone)
        sign = float(np.sign(level[first]))
        back = np.flatnonzero(level[first:] * sign < level[first] * sign / 2)
        if not back.size:
            # It began to leave where the median was half-way out.
            inside = np.flatnonzero(share[:first] * sign <= 0.5)
            return int(inside[-1]) + 1 if inside.size else 0
        start = first + int(back[0])
    return None


def spikes_in(curve: LossCurve, predicted: FloatArray) -> tuple[Spike, ...]:
    """Losses far above their neighbours, and further than they were predicted to rise there.

    Args:
        curve: The run.
        predicted: What a fit of the whole run says at its steps: falls of the rate are no spikes,
            nor are rises of the loss with the rate, of which a law may miss some.
    """
    if len(curve) < 11:
        return ()
    residual = curve.loss - predicted
    half = window_of(curve.loss)
    padded = np.pad(residual, half, mode="reflect")
    excess = residual - running_median(padded, 2 * half + 1)
    before = np.maximum(np.arange(len(curve)) - 2 * half, 0)
    rises = np.cumsum(np.maximum(np.diff(predicted, prepend=predicted[0]), 0.0))
    missed = MISSED * (rises - rises[before])
    scatter = max(white_noise(curve.loss), robust_sd(excess), LEAST_NOISE)
    high = excess > SPIKE * scatter + missed
    return tuple(
        Spike(
            step=int(curve.steps[piece.start]),
            last=int(curve.steps[piece.stop - 1]),
            height=float(excess[piece].max()),
        )
        for piece in pieces(high)
        if went_up(curve.loss, piece, float(excess[piece].max()))
    )
