"""The decay of a logged schedule: the formula through its rows, or corners between straight lines.

Where one formula passes through every row after the warm-up, the rates between the rows are that
formula's. Elsewhere a gap between two rows gets a *knot* where the rows around it imply one: the
meeting point of the lines on both sides, or a jump. Everything found is said in a sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from losslaw.numerics.arrays import FloatArray
from losslaw.schedules.match_shape import Decay, match_decay

# Relative differences below this are the rounding of the log, not the schedule.
ROUNDING = 1e-6
# A slope that changes this many times more than it usually does nearby is a corner. Seen on
# cosines, cycles, exponentials and squares of 8 to 1000 rows: at most 10 where nothing is abrupt.
# Between straight lines there is no bound.
ABRUPT = 12.0
# A corner whose meeting point is closer than this to the chord, relative to the peak, is none.
CORNER = 2e-4
# A jump smaller than this share of the peak may be a rounded log: it stays a line over one gap.
JUMP = 0.01


@dataclass(frozen=True)
class LoggedRates:
    """The updates whose rate is known, rising, and their rates. Shape ``(m,)`` both."""

    updates: FloatArray
    rates: FloatArray

    @cached_property
    def peak(self) -> float:
        """The largest rate."""
        return float(self.rates.max())

    @cached_property
    def complete(self) -> bool:
        """Whether the rate of every update from the first to the last is known."""
        return bool(self.updates[-1] - self.updates[0] == self.updates.size - 1)

    @cached_property
    def rounding(self) -> float:
        """Differences of rates below this are the rounding of the log."""
        return ROUNDING * self.peak


@dataclass(frozen=True)
class Findings:
    """What was found out about the rates between the rows.

    Attributes:
        knots: Update to rate: corners put in between the rows.
        assumptions: Sentences.
        warnings: Sentences.
    """

    knots: dict[int, float] = field(default_factory=dict[int, float])
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, later: "Findings") -> "Findings":
        return Findings(
            self.knots | later.knots,
            self.assumptions + later.assumptions,
            self.warnings + later.warnings,
        )


def find_decay(log: LoggedRates, first: int, warmup: float) -> tuple[Decay | None, Findings]:
    """The formula through all rows from ``first`` on, if there is one."""
    u, r = log.updates[first:], log.rates[first:]
    if u.size < 3 or u[-1] - u[0] == u.size - 1:  # nothing to see, or nothing to fill in
        return None, Findings()
    decay = match_decay(u, r, start=warmup)
    if decay is None or decay.shape == "constant":
        return decay, Findings()
    knots: dict[int, float] = {}
    said: list[str] = []
    if decay.residual > ROUNDING:
        said.append(
            f"the logged rates are rounded: taken from the {decay.shape} decay that passes"
            f" within {decay.residual:.1g} of the peak of all of them"
        )
    elif decay.shape != "linear":
        said.append(
            f"between the rows the rate follows the {decay.shape} decay that passes through"
            " all of them"
        )
    after = int(np.searchsorted(u, decay.start))
    if after > 0 and u[after] > decay.start:
        begin = round(decay.start)
        knots[begin] = decay.peak
        said.append(
            f"the decay begins after update {begin}, between the rows at {u[after - 1]:.0f}"
            f" and {u[after]:.0f}: found from its {decay.shape} shape"
        )
    return decay, Findings(knots, tuple(said))


def backward(log: LoggedRates, decay: Decay | None, first: int, at: float) -> float:
    """The smooth schedule after the warm-up, continued back from row ``first`` to ``at``."""
    if decay is not None:
        return float(decay.rates(np.array([at], dtype=np.float64))[0])
    u, r = log.updates[first : first + 3], log.rates[first : first + 3]
    if u.size < 3 or r[1] >= r[0] - log.rounding or at >= u[0]:
        return float(r[0])
    # The parabola through three rows: a cosine begins like one.
    first_slope, second_slope = np.diff(r) / np.diff(u)
    bend = (second_slope - first_slope) / (u[2] - u[0])
    value = r[0] + (at - u[0]) * (first_slope + bend * (at - u[1]))
    # It may not rise by more than the first gap falls: then the rows are no parabola.
    return float(np.clip(value, r[0], r[0] + (r[0] - r[1])))


def corners(log: LoggedRates, warmup: int) -> Findings:
    """Knots where the lines on both sides of a gap meet, or where the rate jumps."""
    found = list(_corners(log, warmup))
    knots = {at: rate for each in found for at, rate in each.knots.items()}
    return Findings(knots, tuple(said for each in found for said in each.assumptions))


def _corners(log: LoggedRates, warmup: int) -> Iterator[Findings]:
    if log.complete:
        return
    keep = log.updates >= warmup
    u, r = log.updates[keep], log.rates[keep]
    if u.size < 3:
        return
    gaps = np.diff(u)
    slopes = np.diff(r) / gaps
    turns = np.abs(np.diff(slopes))
    moving = (gaps > 1) & (np.abs(np.diff(r)) > log.rounding)
    for i in np.flatnonzero(moving).tolist():
        left = slopes[i - 1] if i > 0 else None
        right = slopes[i + 1] if i + 1 < slopes.size else None
        flat_left = left is None or abs(r[i] - r[i - 1]) <= log.rounding
        flat_right = right is not None and abs(r[i + 2] - r[i + 1]) <= log.rounding
        if flat_left and flat_right:
            if abs(r[i + 1] - r[i]) > JUMP * log.peak:
                yield _jump(int(u[i]), int(u[i + 1]), float(r[i]), float(r[i + 1]))
        elif left is not None and right is not None:
            yield _kink(log, i, u, r, slopes, turns)


def _jump(before: int, after: int, old: float, new: float) -> Findings:
    at = min(roundest(before, after), after - 1)
    said = (
        f"the rate jumps from {old:.6g} to {new:.6g} between updates {before} and {after}:"
        f" after update {at}"
    )
    return Findings({at: old, at + 1: new}, (said,))


def _kink(
    log: LoggedRates, i: int, u: FloatArray, r: FloatArray, slopes: FloatArray, turns: FloatArray
) -> Findings:
    """The knot in gap ``i`` where the lines of its neighbours meet, if that is a corner."""
    none = Findings()
    left, right = float(slopes[i - 1]), float(slopes[i + 1])
    if left == right:
        return none
    at = u[i] + (r[i + 1] - r[i] - right * (u[i + 1] - u[i])) / (left - right)
    if not u[i] < at < u[i + 1]:
        return none
    knot = round(float(at))
    rate = float(r[i] + left * (knot - u[i]))
    chord = float(r[i] + slopes[i] * (knot - u[i]))
    if abs(rate - chord) <= CORNER * log.peak or not 0 <= rate <= log.peak + log.rounding:
        return none
    flat = min(abs(left), abs(right)) * (u[i + 1] - u[i]) <= log.rounding
    # The median: another corner nearby does not hide this one, nor does a point of inflection
    # make one up.
    around = [turns[j] for j in range(i - 4, i + 4) if 0 <= j < turns.size and j not in (i - 1, i)]
    if not around and not flat:  # four rows of a curve look like two lines
        return none
    if around and abs(right - left) <= ABRUPT * float(np.median(around)):
        return none
    if not u[i] < knot < u[i + 1]:  # at a row, after rounding
        return none
    said = (
        f"the slope of the rate changes between updates {u[i]:.0f} and {u[i + 1]:.0f}:"
        f" at update {knot}, where the lines meet"
    )
    return Findings({knot: rate}, (said,))


def roundest(low: int, high: int) -> int:
    """The roundest whole number in low..high: the multiple of the largest 1, 2 or 5 times 10^n.

    >>> roundest(7936, 8064), roundest(7937, 8000), roundest(20, 23)
    (8000, 8000, 20)
    """
    size = 10 ** len(str(high))
    while size > 1:
        for unit in (size, size // 2, size // 5):
            multiple = high // unit * unit
            if unit and multiple >= max(low, 1):
                return multiple
        size //= 10
    return high
