"""Measured norms of weights in a fit: each run on its own clock, and one growth for all others.

A run whose log has a norm (`losslaw.curves.MeasuredNorm`) is fitted on it. For schedules that were
not run the norm is computed, so that the growth of the computed one is fitted to the measured:

    minimise over kappa the mean of (ln v(kappa)[s] - ln v(kappa)[s0] - ln measured[s])^2

over the rows s of all such runs, s0 being the first row of each.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from losslaw.curves import LossCurve
from losslaw.laws import Law, Query
from losslaw.numerics.arrays import FloatArray

# Values of the growth that are tried before the best is refined, over its whole range.
TRIED = 65


def fitted_growth(law: Law, curves: Sequence[LossCurve]) -> tuple[float, float] | None:
    """The growth with which the computed norm follows the measured ones, and how closely.

    Returns:
        The value of the law's shape ``growth``, and the root mean square of the difference of the
        logarithms of the norms; ``None`` where the law computes no norm, or no run has one.
    """
    runs = [(curve, _whole(curve)) for curve in curves if curve.norm is not None]
    if not law.growth or not runs:
        return None
    from scipy.optimize import minimize_scalar

    def misfit(log_growth: float) -> float:
        grown = law.with_(**{law.growth: math.exp(log_growth)})
        return float(np.mean([_misfit(grown, curve, query) for curve, query in runs]))

    spec = law.shapes()[law.growth]
    grid = np.linspace(math.log(spec.low), math.log(spec.high), TRIED)
    best = int(np.argmin([misfit(x) for x in grid.tolist()]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, TRIED - 1)]
    found: Any = minimize_scalar(
        misfit, bounds=(low, high), method="bounded", options={"xatol": 1e-4}
    )
    # Of the norm, which is the root of what is compared.
    return math.exp(float(found.x)), 0.5 * math.sqrt(float(found.fun))


def norms_seen(law: Law, curves: Sequence[LossCurve]) -> list[FloatArray | None]:
    """The measured squared norm that each update of a run sees; ``None`` where it is computed."""
    if not law.growth:
        return [None] * len(curves)
    return [
        None
        if curve.norm is None
        else curve.norm.seen_by(int(curve.steps[-1]), law.squared_norm(_whole(curve).blocks))
        for curve in curves
    ]


def _whole(curve: LossCurve) -> Query:
    """Every update of a run, its norm computed."""
    return Query(curve.schedule, curve.steps[-1:])


def _misfit(law: Law, curve: LossCurve, query: Query) -> float:
    """Mean square difference of the logarithms of the squared norms."""
    norm = curve.norm
    assert norm is not None
    inside = norm.steps < curve.steps[-1]
    rows = norm.steps[inside].astype(np.int64)
    if not rows.size:
        return 0.0
    off: FloatArray = np.log(law.squared_norm(query.blocks)[rows] / norm.squared[inside])
    off -= off[0]
    return float(np.mean(off**2))
