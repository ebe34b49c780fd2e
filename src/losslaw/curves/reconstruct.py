"""The learning rate of every update, out of the few that were logged.

A log holds the rate at some updates only. Straight lines between them are right except where the
schedule has a corner: a warm-up that ends between two rows would leave a false ramp after it, a
decay would begin one window early, and laws that add up the drops of the rate are ruined by both.
So the corners are put in first, as *knots*: those that are known (the end of a declared warm-up),
then those that the rows around a gap imply - the meeting point of the lines on both sides, or a
jump. Where one formula passes through every row after the warm-up, the rates between the rows are
that formula's. Everything found or assumed is said in a sentence.

Updates count from 1; ``lr[k - 1]`` is the rate of update k.
"""

from dataclasses import dataclass

import numpy as np

from losslaw.curves.logged_decay import ROUNDING, LoggedRates, corners
from losslaw.curves.logged_warmup import declared_warmup, found_warmup
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules.match_shape import Decay


@dataclass(frozen=True)
class Reconstruction:
    """The rates of all updates and how they were found.

    Attributes:
        lr: Rate of each update. Shape ``(horizon,)``.
        warmup: Updates of warm-up, declared or found.
        knots: Update to rate: corners put in between the logged rows.
        decay: The formula through all rows after the warm-up, if there is one.
        assumptions: Sentences.
        warnings: Sentences.
    """

    lr: FloatArray
    warmup: int
    knots: dict[int, float]
    decay: Decay | None = None
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def reconstruct(
    updates: IntArray, rates: FloatArray, *, horizon: int, warmup: int | None = None
) -> Reconstruction:
    """The learning rate of updates 1..horizon.

    Args:
        updates: Updates whose rate is known, increasing, 0 or above; 0 is where a warm-up starts
            from. Shape ``(m,)``, m >= 1.
        rates: Their rates, >= 0, not all zero. Shape ``(m,)``.
        horizon: Number of updates wanted; beyond the last known rate it stays what it was.
        warmup: Updates of the warm-up, linear where it was not logged. ``None``: found.

    Returns:
        The rates, with what was found and assumed on the way.

    >>> import numpy as np
    >>> found = reconstruct(np.array([1, 5, 9, 13]), np.array([0.1, 0.5, 0.6, 0.6]), horizon=13)
    >>> found.warmup, found.knots, found.lr.round(3).tolist()[4:8]
    (6, {6: 0.6}, [0.5, 0.6, 0.6, 0.6])
    """
    log = LoggedRates(updates.astype(np.float64), rates)
    if warmup is None:
        warmup, decay, findings = found_warmup(log)
    else:
        warmup, decay, findings = declared_warmup(log, warmup)
    if decay is None:
        findings += corners(log, warmup)
    return Reconstruction(
        _between(log, findings.knots, decay, horizon, warmup),
        min(warmup, horizon),
        dict(sorted(findings.knots.items())),
        decay,
        findings.assumptions,
        findings.warnings,
    )


def _between(
    log: LoggedRates, knots: dict[int, float], decay: Decay | None, horizon: int, warmup: int
) -> FloatArray:
    """Lines between rows and knots, or the formula where there is one; rows as they are."""
    u, r = log.updates, log.rates
    at, rates = u, r
    if knots:
        at, rates = _with_knots(u, r, knots)
    lr = np.interp(np.arange(1, horizon + 1, dtype=np.float64), at, rates)
    if decay is not None:
        k = np.arange(max(warmup, 1), min(int(u[-1]), horizon) + 1, dtype=np.float64)
        lr[max(warmup, 1) - 1 : max(warmup, 1) - 1 + k.size] = decay.rates(k)
        if decay.residual > ROUNDING:  # rounded rows would put steps into the curve
            return lr
    if decay is not None or not log.complete:  # else the lines are the rows
        inside = slice(*np.searchsorted(u, [1, horizon + 1]).tolist())
        lr[u[inside].astype(np.int64) - 1] = r[inside]
    return lr


def _with_knots(
    u: FloatArray, r: FloatArray, knots: dict[int, float]
) -> tuple[FloatArray, FloatArray]:
    """The rows and the knots between them, in order."""
    extra = np.array(sorted(knots), dtype=np.float64)
    place = np.searchsorted(u, extra)
    new = u[np.minimum(place, u.size - 1)] != extra  # of a knot at a row the row is right
    rates = [knots[int(each)] for each in extra[new].tolist()]
    return np.insert(u, place[new], extra[new]), np.insert(r, place[new], rates)
