"""The best schedule of all at any horizon: rates free at ever more places, until more gain nothing.

Between the places, even in the logarithm of the intrinsic time left, rates are straight lines in
the logarithms of rate and updates left. Their gradient is exact
(`losslaw.kernel.simulate.long_gradients`), so a bounded quasi-Newton search of some dozen runs
settles; then places are halved until that lowers the risk by less than a share of it. At the end it
is known, update by update, by how much the risk could still fall to first order.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from losslaw.errors import InputError
from losslaw.kernel.kernel_regression import KernelRegression
from losslaw.kernel.simulate.long_gradients import PieceSlopes
from losslaw.numerics.arrays import FloatArray, check_positive
from losslaw.schedules.pieces import LongSchedule, Piece

# Places in a decade of the intrinsic time left, at first.
FIRST = 2.0
# Intrinsic time left at the last place: closer to the end nothing is forgotten.
NEAREST = 0.3
# Logarithms by which places are apart at first, at least.
APART = 0.3
# Share of the updates that is left at the last place, at most.
LAST = 1e-4
# Places at which a start is looked at.
LOOKED_AT = 4000
# Evaluations of one search, at most.
EVALUATIONS = 300
# Logarithms by which places are apart at the end, at least: nearer than the blocks of the
# integrator (0.07) a search would live on its errors.
CLOSEST = 0.07


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeForm:
    """A schedule whose rates are free at places along the run, and how near it is to the best one.

    Attributes:
        risk: Excess risk at the end.
        left: Updates left at the places, rising. Shape ``(k,)``.
        rates: Rates there. Shape ``(k,)``.
        top: Largest rate.
        gap: By how much, to first order, the rates that are not at the top could still lower the
            risk, as a share of it: ``sum |dR/d lr| lr`` over all updates.
        gained: Share of the risk that the last refinement gained; 0 where every update is free.
        batch: Samples in an update.
    """

    risk: float
    left: FloatArray
    rates: FloatArray
    top: float
    gap: float
    gained: float
    batch: float = 1.0

    def __str__(self) -> str:
        return (
            f"excess risk {self.risk:.6g}; {self.left.size} places, the last refinement gained"
            f" {self.gained:.1e}, first-order gap {self.gap:.1e}"
        )

    def as_dict(self) -> dict[str, float]:
        """The JSON form: the risk, and how near it is to the lowest."""
        return {"risk": self.risk, "gap": self.gap, "gained": self.gained}

    def rate(self, left: FloatArray) -> FloatArray:
        """Rate with so many updates left."""
        at = np.log(np.maximum(left, self.left[0]))
        return np.exp(np.interp(at, np.log(self.left), np.log(self.rates)))

    @cached_property
    def run(self) -> LongSchedule:
        """The schedule itself: at the top as long as it is there, and then falling."""
        return _run(self.left, np.log(self.rates), self.top, self.batch)

    def slope(self, after: float, before: float) -> float:
        """Slope of rate against intrinsic time left, least squares on the logarithms.

        Args:
            after: Smallest time left that counts.
            before: Largest one.
        """
        left, u = _time_left(self.rate, self.left[-1])
        inside = (u >= after) & (u <= before)
        return float(np.polyfit(np.log(u[inside]), np.log(self.rate(left[inside])), 1)[0])


def _even(low: float, high: float, count: int) -> FloatArray:
    """Numbers even in their logarithm."""
    return np.exp(np.linspace(math.log(low), math.log(high), count))


def _time_left(rate: Callable[[FloatArray], FloatArray], n: float) -> tuple[FloatArray, FloatArray]:
    """Updates left, even in their logarithm, and the intrinsic time left there."""
    left = _even(1.0, n, LOOKED_AT)
    rates = rate(left)
    parts = np.diff(left) * 0.5 * (rates[1:] + rates[:-1])
    return left, np.cumsum(np.append(rates[0], parts))


def _run(left: FloatArray, logs: FloatArray, top: float, batch: float) -> LongSchedule:
    n = round(left[-1])
    # The last place, from the beginning on, where the rate is still at the top.
    below = np.flatnonzero(logs < math.log(top))
    edge = below[-1] + 1 if below.size else 1
    tail = round(left[edge]) if edge < left.size else n
    places = np.log(left)

    def fall(z: FloatArray, y: FloatArray) -> FloatArray:
        at: FloatArray = np.maximum(tail * y, left[0])
        return np.exp(np.interp(np.log(at), places, logs))

    falling = Piece(tail, 1.0, 0.0, fall, batch=batch)
    return LongSchedule((Piece(n - tail, top, batch=batch), falling) if tail < n else (falling,))


def long_optimum(
    world: KernelRegression,
    start: LongSchedule,
    *,
    top: float | None = None,
    tolerance: float = 3e-5,
) -> FreeForm:
    """The lowest exact risk over all schedules of a length, with one batch.

    Args:
        world: The problem.
        start: Where the search begins; its batch stays.
        top: Largest rate; `KernelRegression.highest_peak` by default.
        tolerance: Places are halved until that gains less than this share of the risk, which is as
            exact as the integrator is.

    Raises:
        InputError: a number is out of range, batches that change, or a start that is not stable.

    >>> from losslaw.kernel import long_decay
    >>> world = KernelRegression(source=1.0, capacity=2.0)
    >>> found = long_optimum(world, long_decay(0.01, 10**9, 1e-5, "power", 3))
    >>> bool(found.gained < 3e-5), bool(found.gap < 1e-2)
    (True, True)
    """
    batch = start.pieces[0].batch
    if callable(batch) or any(piece.batch != batch for piece in start.pieces):
        raise InputError("the batch of the start changes along it: expected one batch")
    if top is None:
        top = world.highest_peak(batch)
    check_positive(top=top, tolerance=tolerance)
    left, rates = _places(start)
    logs = np.log(np.minimum(rates, top))
    risk = math.inf
    while True:
        before = risk
        found = _searched(world, left, logs, top, batch)
        risk, logs = found.risk, np.log(found.rates)
        gained = 1 - risk / before if math.isfinite(before) else math.inf
        wide = left[1:] > left[:-1] * math.exp(2 * CLOSEST)
        if gained < tolerance or not wide.any():
            return replace(found, gained=max(gained, 0.0))
        finer = np.sort(np.concatenate([left, np.sqrt(left[1:] * left[:-1])[wide]]))
        logs = np.interp(np.log(finer), np.log(left), logs)
        left = finer


def _places(start: LongSchedule) -> tuple[FloatArray, FloatArray]:
    """Updates left, even in the logarithm of the intrinsic time left, and rates to begin with."""
    left, u = _time_left(start.rate_with, float(start.horizon))
    count = math.ceil(FIRST * math.log10(max(u[-1] / NEAREST, 10.0))) + 1
    places = np.interp(_even(NEAREST, float(u[-1]), count), u, left)
    # Where rates of the start are small, a unit of time may be most of the run.
    nearest = max(min(float(places[0]), LAST * start.horizon), 1.0)
    even = _even(nearest, float(start.horizon), count)
    apart = [each for each in even if np.abs(np.log(places / each)).min() > APART]
    places = np.unique(np.concatenate([places, apart]))
    places[-1] = start.horizon
    # Where next to no time is left no rate does anything, and none would leave where it is.
    least = start.rate_with(np.interp(np.ones(1), u, left))
    return places, np.maximum(start.rate_with(places), least)


def _searched(
    world: KernelRegression, left: FloatArray, logs: FloatArray, top: float, batch: float
) -> FreeForm:
    """The local optimum of the rates at some places."""
    places = np.log(left)

    def objective(logs: FloatArray) -> tuple[float, FloatArray]:
        risk, pieces = world.piece_slopes(_run(left, logs, top, batch))
        after, gradient = 0.0, np.zeros(left.size)
        for slopes in reversed(pieces):
            at = np.log(np.clip(slopes.left + after, left[0], left[-1]))
            k = np.clip(np.searchsorted(places, at) - 1, 0, left.size - 2)
            share = (at - places[k]) / (places[k + 1] - places[k])
            by = slopes.by_lr * slopes.piece.rates(slopes.update, slopes.left)
            gradient += np.bincount(k, by * (1 - share), left.size)
            gradient += np.bincount(k + 1, by * share, left.size)
            after += slopes.piece.updates
        return math.log(risk), gradient / risk

    end = minimize(
        objective,
        logs,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, math.log(top))] * left.size,
        options={"maxcor": 30, "ftol": 1e-9, "gtol": 1e-7, "maxfun": EVALUATIONS},
    )
    logs = np.asarray(end.x, dtype=np.float64)
    risk, pieces = world.piece_slopes(_run(left, logs, top, batch))
    return FreeForm(
        risk=risk,
        left=left,
        rates=np.exp(logs),
        top=top,
        gap=sum(_open(slopes, top) for slopes in pieces) / risk,
        gained=math.inf,
        batch=batch,
    )


def _open(slopes: PieceSlopes, top: float) -> float:
    """What the rates of a piece that are not at the top could lower the risk by, to first order."""
    rates = slopes.piece.rates(slopes.update, slopes.left)
    free = (rates < top * (1 - 1e-12)) | (slopes.by_lr > 0)
    return float(np.abs(slopes.by_lr * rates)[free].sum())
