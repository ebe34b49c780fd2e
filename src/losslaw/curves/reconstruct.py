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

from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules.match_shape import Decay, match_decay

ROUNDING = 1e-6
"""Relative differences below this are the rounding of the log, not the schedule."""

ABRUPT = 12.0
"""A slope that changes this many times more than it usually does nearby is a corner.

Seen on cosines, cycles, exponentials and squares of 8 to 1000 rows: at most 10 where nothing is
abrupt. Between straight lines there is no bound.
"""

BENT = 5e-3
"""A ramp that leaves its line by more than this share of its top is no linear warm-up."""

CORNER = 2e-4
"""A corner whose meeting point is closer than this to the chord, relative to the peak, is none."""

JUMP = 0.01
"""A jump smaller than this share of the peak may be a rounded log: it stays a line over one gap."""


@dataclass(frozen=True)
class Reconstruction:
    """The rates of all updates and how they were found.

    Attributes:
        lr: Rate of each update. Shape ``(horizon,)``.
        warmup: Updates of warm-up, declared or found.
        knots: Update to rate: corners put in between the logged rows.
        assumptions: Sentences.
        warnings: Sentences.
    """

    lr: FloatArray
    warmup: int
    knots: dict[int, float]
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
    builder = _Builder(updates, rates)
    found = builder.declared_warmup(warmup) if warmup is not None else builder.found_warmup()
    if builder.decay is None:
        builder.corners(found)
    lr = builder.between(horizon, found)
    return Reconstruction(
        lr,
        min(found, horizon),
        dict(sorted(builder.knots.items())),
        tuple(builder.assumptions),
        tuple(builder.warnings),
    )


class _Builder:
    """Collects knots and sentences while a schedule is put together."""

    def __init__(self, updates: IntArray, rates: FloatArray):
        self.u = updates.astype(np.float64)
        self.r = rates
        self.peak = float(rates.max())
        self.eps = ROUNDING * self.peak
        self.knots: dict[int, float] = {}
        self.assumptions: list[str] = []
        self.warnings: list[str] = []
        self.decay: Decay | None = None

    def between(self, horizon: int, warmup: int) -> FloatArray:
        """Lines between rows and knots, or the formula where there is one; rows as they are."""
        merged = self.knots | dict(zip(self.u.tolist(), self.r.tolist(), strict=True))
        at = np.array(sorted(merged), dtype=np.float64)
        k = np.arange(1, horizon + 1, dtype=np.float64)
        lr = np.interp(k, at, np.array([merged[key] for key in at.tolist()]))
        if self.decay is not None:
            covered = (k >= max(warmup, 1)) & (k <= self.u[-1])
            lr[covered] = self.decay.rates(k[covered])
            if self.decay.residual > ROUNDING:  # rounded rows would put steps into the curve
                return lr
        logged = (self.u >= 1) & (self.u <= horizon)
        lr[self.u[logged].astype(np.int64) - 1] = self.r[logged]
        return lr

    def find_decay(self, first: int, warmup: float) -> None:
        """Look for a formula through all rows from ``first`` on."""
        u, r = self.u[first:], self.r[first:]
        if u.size < 3 or (np.diff(u) <= 1).all():  # nothing to see, or nothing to fill in
            return
        found = match_decay(u, r, start=warmup)
        self.decay = found
        if found is None or found.shape == "constant":
            return
        after = int(np.searchsorted(u, found.start))
        if found.residual > ROUNDING:
            self.assumptions.append(
                f"the logged rates are rounded: taken from the {found.shape} decay that passes"
                f" within {found.residual:.1g} of the peak of all of them"
            )
        elif found.shape != "linear":
            self.assumptions.append(
                f"between the rows the rate follows the {found.shape} decay that passes through"
                " all of them"
            )
        if after > 0 and u[after] > found.start:
            begin = round(found.start)
            self.knots[begin] = found.peak
            self.assumptions.append(
                f"the decay begins after update {begin}, between the rows at {u[after - 1]:.0f}"
                f" and {u[after]:.0f}: found from its {found.shape} shape"
            )

    # --- the beginning -----------------------------------------------------------------------

    def declared_warmup(self, warmup: int) -> int:
        """Knots of a warm-up that is known to be ``warmup`` updates long."""
        u, r = self.u, self.r
        after = int(np.searchsorted(u, warmup))
        if warmup == 0:
            self.find_decay(0, 0)
            self._level_start()
            return 0
        if after == u.size:
            self.warnings.append(f"the log ends inside the warm-up of {warmup} updates")
            self._ramp_start((float(u[1]), float(r[1])) if u.size > 1 else None)
            return warmup
        self.find_decay(after, warmup)
        peak = self._backward(after, warmup)
        rising = after + 1 < u.size and r[after + 1] > r[after] + self.eps
        if after > 0 and rising:
            self.warnings.append(
                f"the logged rate still rises after the declared warm-up of {warmup} updates"
            )
        elif u[after] > warmup:
            self.knots[warmup] = peak
        early = np.flatnonzero(r[:after] >= peak - self.eps)
        if early.size and u[early[0]] < 0.9 * warmup:
            self.warnings.append(
                f"the rate is at {r[early[0]]:.6g} at update {u[early[0]]:.0f} already, within the"
                f" declared warm-up of {warmup} updates"
            )
        if after == 0:
            self.knots[0] = 0.0
            self.assumptions.append(
                f"the warm-up of {warmup} updates is not in the log: a line from 0 to {peak:.6g}"
            )
        else:
            self._ramp_start((float(u[1]), float(r[1])) if after > 1 else (float(warmup), peak))
        return warmup

    def found_warmup(self) -> int:
        """Find the end of the warm-up in the log, or assume one over the part not logged."""
        u, r = self.u, self.r
        top = 0
        while top + 1 < u.size and r[top + 1] > r[top] + self.eps:
            top += 1
        # A fall is followed back as far as the last row that is surely on the ramp.
        self.find_decay(top, u[max(top - 1, 0)] if u[0] > 1 or top else 0.0)
        if top == 0:
            if u[0] <= 1:
                return 0
            first = int(u[0])
            self.knots[0] = 0.0
            self.warnings.append(
                f"the log begins at update {first} with a rate of {r[0]:.6g}: what came before is"
                f" not known, and a linear warm-up over {first} updates is assumed; give the"
                " real one with warmup= (--warmup)"
            )
            return first
        # The row at the top may lie on the plateau; a line needs two rows below it.
        self._ramp_start((float(u[1]), float(r[1])) if top > 1 else None)
        if top + 1 == u.size:
            return int(u[top])
        decay = self.decay
        if decay and decay.starts_inside and u[top - 1] < decay.start < u[top]:
            # No row is at the peak, and the shape of the fall says where it began.
            end = round(decay.start)
            self.knots[end] = decay.peak
            self.assumptions.append(
                f"the warm-up ends at update {end}, where the {decay.shape} decay begins"
            )
            return end
        if top == 1:
            if u[1] - u[0] > 1:
                self.warnings.append(
                    f"the warm-up ends between updates {u[0]:.0f} and {u[1]:.0f}, where the log"
                    f" does not say: taken as {u[1]:.0f}; give it with warmup= (--warmup)"
                )
            return int(u[top])
        # The line through all rows of the ramp: through two of them if the log is rounded.
        slope, at_zero = np.polyfit(u[:top], r[:top], 1).tolist()
        bent = np.abs(slope * u[:top] + at_zero - r[:top]).max() > BENT * r[top]
        meets = u[top - 1]
        # What the ramp meets may be falling already. Each round is closer by the ratio of the two
        # slopes, which is small for any warm-up worth the name.
        for _ in range(20):
            meets = (self._backward(top, meets) - at_zero) / slope
        end = round(float(meets))
        if not bent and u[top - 1] < end < u[top]:
            self.knots[end] = self._backward(top, end)
            self.assumptions.append(
                f"the warm-up ends at update {end}, where the logged ramp reaches"
                f" {self.knots[end]:.6g}"
            )
            return end
        if not bent and end == int(u[top - 1]):
            return end
        return int(u[top])

    def _ramp_start(self, second: tuple[float, float] | None) -> None:
        """The part of a ramp before its first row: the line through that row and a second point.

        Without a second point, or where that line would begin after update 0: a line from 0.
        """
        at, rate = float(self.u[0]), float(self.r[0])
        if at <= 1:
            return
        start = 0.0
        if second is not None and second[0] > at and second[1] > rate:
            start = rate - (second[1] - rate) / (second[0] - at) * at
        self.knots[0] = start if start > self.eps else 0.0
        self.assumptions.append(
            f"the rate before update {at:.0f} is not logged: taken as a line from"
            f" {self.knots[0]:.3g}"
        )

    def _level_start(self) -> None:
        if self.u[0] > 1:
            self.assumptions.append(
                f"the rate before update {self.u[0]:.0f} is not logged: taken as {self.r[0]:.6g}"
            )

    def _backward(self, first: int, at: float) -> float:
        """The smooth schedule after the warm-up, continued back from row ``first`` to ``at``."""
        if self.decay is not None:
            return float(self.decay.rates(np.array([at], dtype=np.float64))[0])
        u, r = self.u[first : first + 3], self.r[first : first + 3]
        if u.size < 3 or r[1] >= r[0] - self.eps or at >= u[0]:
            return float(r[0])
        # The parabola through three rows: a cosine begins like one.
        first_slope, second_slope = np.diff(r) / np.diff(u)
        bend = (second_slope - first_slope) / (u[2] - u[0])
        value = r[0] + (at - u[0]) * (first_slope + bend * (at - u[1]))
        # It may not rise by more than the first gap falls: then the rows are no parabola.
        return float(np.clip(value, r[0], r[0] + (r[0] - r[1])))

    # --- corners in the middle ---------------------------------------------------------------

    def corners(self, warmup: int) -> None:
        """Knots where the lines on both sides of a gap meet, or where the rate jumps."""
        keep = self.u >= warmup
        u, r = self.u[keep], self.r[keep]
        if u.size < 3:
            return
        gaps = np.diff(u)
        slopes = np.diff(r) / gaps
        turns = np.abs(np.diff(slopes))
        for i in range(gaps.size):
            if gaps[i] <= 1 or abs(r[i + 1] - r[i]) <= self.eps:
                continue
            left = slopes[i - 1] if i > 0 else None
            right = slopes[i + 1] if i + 1 < slopes.size else None
            flat_left = left is None or abs(r[i] - r[i - 1]) <= self.eps
            flat_right = right is not None and abs(r[i + 2] - r[i + 1]) <= self.eps
            if flat_left and flat_right:
                if abs(r[i + 1] - r[i]) > JUMP * self.peak:
                    self._jump(int(u[i]), int(u[i + 1]), float(r[i]), float(r[i + 1]))
            elif left is not None and right is not None:
                self._kink(i, u, r, slopes, turns)

    def _jump(self, before: int, after: int, old: float, new: float) -> None:
        at = min(roundest(before, after), after - 1)
        self.knots[at] = old
        self.knots[at + 1] = new
        self.assumptions.append(
            f"the rate jumps from {old:.6g} to {new:.6g} between updates {before} and {after}:"
            f" after update {at}"
        )

    def _kink(
        self, i: int, u: FloatArray, r: FloatArray, slopes: FloatArray, turns: FloatArray
    ) -> None:
        left, right = float(slopes[i - 1]), float(slopes[i + 1])
        if left == right:
            return
        at = u[i] + (r[i + 1] - r[i] - right * (u[i + 1] - u[i])) / (left - right)
        if not u[i] < at < u[i + 1]:
            return
        knot = round(float(at))
        rate = float(r[i] + left * (knot - u[i]))
        chord = float(r[i] + slopes[i] * (knot - u[i]))
        if abs(rate - chord) <= CORNER * self.peak or not 0 <= rate <= self.peak + self.eps:
            return
        flat = min(abs(left), abs(right)) * (u[i + 1] - u[i]) <= self.eps
        # The median: another corner nearby does not hide this one, nor does a point of inflection
        # make one up.
        around = [
            turns[j] for j in range(i - 4, i + 4) if 0 <= j < turns.size and j not in (i - 1, i)
        ]
        if not around and not flat:  # four rows of a curve look like two lines
            return
        if around and abs(right - left) <= ABRUPT * float(np.median(around)):
            return
        if not u[i] < knot < u[i + 1]:  # at a row, after rounding
            return
        self.knots[knot] = rate
        self.assumptions.append(
            f"the slope of the rate changes between updates {u[i]:.0f} and {u[i + 1]:.0f}:"
            f" at update {knot}, where the lines meet"
        )


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
