"""The norm of the weights as a run measured it, in the place of one that is computed.

What moves a function is the learning rate relative to the norm of the weights. A trainer may log
that norm, the norm of its updates too, or the effective rate itself; each gives the squared norm

    v = (norm / norm[0])^2                                       of the weights
    v = (norm / norm[0])^2 / (step / step[0])^2                  with that of an update at rate 1
    v = (lr / e)^2 / (lr[0] / e[0])^2                            of the effective rate e

relative to the first row that has it, as the laws compute it (`losslaw.numerics.weight_norm`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from losslaw.errors import InputError
from losslaw.logs.clocks import Measure
from losslaw.numerics.arrays import FloatArray, IntArray

# Rows that must have a measure for it to be used.
ENOUGH = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredNorm:
    """The squared norm of the weights of one run, at some of its steps.

    Attributes:
        steps: Updates done when each was seen, increasing, >= 0. Shape ``(m,)``.
        squared: Squared norm relative to the first, > 0. Shape ``(m,)``.
        source: What it was made of, in words.
    """

    steps: IntArray
    squared: FloatArray
    source: str

    def __post_init__(self) -> None:
        squared = np.asarray(self.squared, dtype=np.float64)
        if not (np.isfinite(squared) & (squared > 0)).all() or squared.size != self.steps.size:
            raise InputError("measured norms are finite, above 0, and one for each of their steps")

    def seen_by(self, updates: int, before: FloatArray) -> FloatArray:
        """What each of the first updates sees, between the rows a line of its logarithm.

        Args:
            updates: How many, n.
            before: What each of them sees as it is computed: up to the first row that is all there
                is, and it says what the norm has grown to there. Shape ``(n,)``.

        >>> norm = MeasuredNorm(steps=np.array([2, 4]), squared=np.array([1.0, 4.0]), source="")
        >>> norm.seen_by(6, np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).tolist()
        [1.0, 2.0, 3.0, 6.0, 12.0, 12.0]
        """
        done = np.arange(updates)
        first = min(int(self.steps[0]), updates - 1)
        seen = before[first] * np.exp(np.interp(done, self.steps, np.log(self.squared)))
        return np.where(done < first, before, seen)


def measured_norm(
    columns: Mapping[Measure, str],
    values: Mapping[Measure, FloatArray],
    steps: IntArray,
    lr: FloatArray,
) -> MeasuredNorm | None:
    """The norm that a log has measured; ``None`` if it has none, or in too few rows.

    Args:
        columns: Name of the column of each measure.
        values: What each has in the rows of the log, NaN where nothing. Each of shape ``(m,)``.
        steps: Updates done at each row. Shape ``(m,)``.
        lr: Learning rate of each row. Shape ``(m,)``.

    >>> steps, lr = np.arange(1, 7), np.full(6, 0.1)
    >>> values = {"weight norm": np.array([1.0, 1, 2, 2, 2, 3])}
    >>> measured_norm({"weight norm": "norm"}, values, steps, lr).squared.tolist()
    [1.0, 1.0, 4.0, 4.0, 4.0, 9.0]
    """
    moves = np.where(lr > 0, lr, np.nan)
    named = ", ".join(repr(columns[what]) for what in columns)
    if "effective rate" in values:
        divisor = moves / values["effective rate"]
        named = repr(columns["effective rate"])
    elif "weight norm" in values and "update norm" in values:
        divisor = values["weight norm"] / _at_rate_one(values["update norm"], moves)
    elif "weight norm" in values:
        divisor = values["weight norm"]
    else:
        return None
    known = np.isfinite(divisor) & (divisor > 0)
    if known.sum() < ENOUGH:
        return None
    kept = divisor[known]
    return MeasuredNorm(steps=steps[known], squared=(kept / kept[0]) ** 2, source=named)


def _at_rate_one(update: FloatArray, lr: FloatArray) -> FloatArray:
    """Norms of updates without the rate, which some log with it: as they scatter less."""

    def scatter(values: FloatArray) -> float:
        logs = np.log(values[np.isfinite(values) & (values > 0)])
        return float(np.std(logs)) if logs.size else np.inf

    alone, moving = update / lr, np.where(np.isfinite(lr), update, np.nan)
    return alone if scatter(alone) < scatter(moving) else update
