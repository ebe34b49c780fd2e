"""One formula for a whole run: the usual schedule that passes through every logged rate.

A log that begins late, or is rounded, hides its warm-up and the corners of its schedule. If it says
how long the run is, the formula is often determined all the same: a cosine that is to end at update
8712 and passes through 174 rates to the last digit began where it did, and nowhere else.

The clock of a schedule counts from 0: update k has the rate at clock k - 1, and the last rate is
reached after the last update. A row at step s is at clock s if its rate is that of the next update,
at clock s - 1 if it is that of the update just done. That is the ``delay``, which the formula tells
as well. Where an update was skipped (an overflow in half precision) the clock stood still.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Literal

import numpy as np

from losslaw.curves.logged_decay import roundest
from losslaw.curves.reconstruct import Reconstruction
from losslaw.numerics.arrays import BoolArray, FloatArray, IntArray, by_blocks
from losslaw.schedules.match_shape import EQUAL, FITTED, TIGHT, Decay, rounding
from losslaw.schedules.recognise import shortest_share, written
from losslaw.schedules.shapes import decay_shape

# How far rates are from their formula that are written in full, in single precision, in 7 digits.
WRITTEN_IN_FULL = (1e-10, 1e-7, 5.1e-7)
# Rows that are looked at, of a log that has more; the others only have to agree.
MANY = 20_000
# Rows at which a formula is tried first.
FEW_ROWS = 100
# Warm-ups, or starts of a decay, that are tried between two rows, at most.
TRIED = 20_000
# Digits of a peak that is a round number: without a warm-up, and with one that was not logged.
ROUND, ROUNDER = 3, 2
# A staircase of as many steps is a choice, one of more is a slope that was rounded.
FEW_STEPS = 10
# Only rows over so much of the run tell the update done from the next one: before less of it an
# update may have been skipped, which looks the same.
COVERED = 0.5
# Half a unit, and what the fitted numbers add to it; twice that while they are looked for.
SLACK, LOOSE = 1.05, 1.2
# Skipped updates: so many at the beginning, where the scale of the losses is looked for, and one in
# so many later on, up to the third.
SKIPS, SKIPS_EVERY, MOST_SKIPS = 10, 200, 200


@dataclass(frozen=True, kw_only=True)
class WholeSchedule:
    """The schedule of a run, by its clock.

    Attributes:
        decay: The peak and the fall from it.
        warmup: Clock at which the peak is reached.
        ramp: The warm-up is ``peak * (clock + ramp[0]) / ramp[1]``: some trainers have no update
            at a rate of 0.
        delay: A row at step s is at clock ``s - delay``.
        decided: Whether the rows rule out any other delay.
        unit: Unit to which the rates were rounded; 0 if they were not.
        steps, clock: Where the rows were; they differ by more than the delay after skipped updates.
        warmup_is: How the warm-up was found: the rows tell it; it was not logged, and is the one
            with the roundest peak; or nothing tells it, and it is assumed up to the first row.
    """

    decay: Decay
    warmup: int
    ramp: tuple[int, int]
    delay: int
    decided: bool
    unit: float
    steps: FloatArray
    clock: FloatArray
    warmup_is: Literal["told", "round", "assumed"] = "told"

    def passes_through(self, steps: IntArray, rates: FloatArray) -> bool:
        """Whether the rates of further rows are these, where no update was skipped next to them."""
        behind: FloatArray = self.steps - self.clock
        if (behind == self.delay).all():
            miss = np.abs(self.rates(steps.astype(np.float64) - self.delay) - rates).max()
        else:
            behind = np.interp(steps, self.steps, behind)
            sure = behind == np.round(behind)
            miss = np.abs(self.rates(steps - behind) - rates)[sure].max()
        return bool(miss <= max(SLACK * self.unit / 2, WRITTEN_IN_FULL[-1] * self.decay.peak))

    @property
    def lr_is(self) -> Literal["next", "used"]:
        """Which update the rate of a row is of, by the delay."""
        return "used" if self.delay else "next"

    @property
    def skipped(self) -> int:
        """Updates for which the clock stood still."""
        return round(float(self.steps[-1] - self.clock[-1])) - self.delay

    def rates(self, clock: FloatArray) -> FloatArray:
        """Learning rates at any clock."""
        ahead, length = self.ramp

        def rates(block: FloatArray) -> FloatArray:
            rising = self.decay.peak * np.clip((block + ahead) / max(length, 1), 0, 1)
            return np.where(block < self.warmup, rising, self.decay.rates(block))

        return by_blocks(rates, clock)

    def reconstruction(self, horizon: int, lr_is: str) -> Reconstruction:
        """The rates of updates 1..horizon, if a row has that of the ``next`` update or not.

        Between two rows with skipped updates among them the clock goes evenly.
        """
        at = np.arange(1, horizon + 1, dtype=np.float64)
        if lr_is == "next":
            at -= 1
        behind = np.concatenate([[self.delay], self.steps - self.clock])
        if (behind == self.delay).all():
            at -= self.delay
        else:
            at -= np.interp(at, np.concatenate([[0.0], self.steps]), behind)
        lr = self.rates(at)
        reached = np.flatnonzero(lr >= self.decay.peak * (1 - TIGHT))
        warmup = 0 if not self.warmup else int(reached[0]) + 1 if reached.size else horizon
        said = self.assumptions
        if lr_is == "next" and self.delay:
            said += (
                "the rates are one update behind this schedule: an update was skipped before the"
                " first row, or they are those of the update just done (lr_is used)",
            )
        return Reconstruction(lr, warmup, {}, self.decay, said, self.warnings)

    @property
    def spec(self) -> str:
        """The schedule as text, whose update k has the rate at clock k."""
        decay, end = self.decay, round(self.decay.end)
        final: dict[str, float | str] = {"final": decay.final} if decay.final else {}
        if decay.start <= self.warmup:
            return written(decay.shape, decay.peak, end, self.warmup, **final)
        share = shortest_share(round(end - decay.start), end)
        cooldown: dict[str, float | str] = {} if share == 0.2 else {"cooldown": share}
        shape: dict[str, float | str] = {} if decay.shape == "linear" else {"decay": decay.shape}
        return written("wsd", decay.peak, end, self.warmup, **cooldown, **final, **shape)

    def __str__(self) -> str:
        decay = self.decay
        fall = f"{decay.shape} decay to {decay.final:.4g} at update {decay.end:.0f}"
        start = f", from update {decay.start:.0f} on," if decay.start > self.warmup else ","
        warmup = f"{self.warmup} updates of warm-up" if self.warmup else "no warm-up"
        return f"{warmup}, a peak of {decay.peak:.6g}{start} a {fall}"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was found, in sentences."""
        if self.unit:
            said = [f"the logged rates are rounded to {self.unit:.0e}: taken from {self}"]
        else:
            said = [f"all logged rates are those of one schedule, which is taken: {self}"]
        if self.warmup_is == "round":
            said.append(
                "the warm-up is not in the log: the one with the roundest peak is taken; give"
                " another with warmup= (--warmup)"
            )
        if self.skipped:
            said.append(f"the schedule stood still for {self.skipped} skipped updates")
        return tuple(said)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful."""
        if self.warmup_is != "assumed":
            return ()
        return (
            f"the log begins at step {self.steps[0]:.0f}: what came before is not known, and a"
            f" linear warm-up over {self.warmup} updates is assumed; give the real one with"
            " warmup= (--warmup)",
        )


def whole_schedule(
    steps: IntArray,
    rates: FloatArray,
    *,
    horizon: int | None,
    last: int,
    warmup: int | None = None,
) -> WholeSchedule | None:
    """The linear, cosine or WSD schedule through all logged rates, or ``None``.

    Args:
        steps: Steps of the rows, increasing, 0 or above. Shape ``(m,)``.
        rates: Their rates. Shape ``(m,)``.
        horizon: Updates of the whole run. ``None``: not known; then only rates that are rounded are
            looked at, and the end is fitted, near ``last`` if it may lie there.
        last: Last step of the log.
        warmup: Updates of warm-up, if they are known and not logged.

    >>> s = np.array([1000, 2000, 3000, 4000])
    >>> found = whole_schedule(s, 2e-5 * (5490 - s) / 5490, horizon=5490, last=4000)
    >>> found.warmup, found.decay.shape, found.decay.peak, found.delay, found.decided
    (0, 'linear', 2e-05, 0, True)
    """
    if steps.size < 4 or not rates.any():
        return None
    if steps.size > MANY:
        some = np.linspace(0, steps.size - 1, MANY).astype(np.int64)
        thinned = whole_schedule(
            steps[some], rates[some], horizon=horizon, last=last, warmup=warmup
        )
        return thinned if thinned and thinned.passes_through(steps, rates) else None
    half = _half_a_unit(rates)
    if horizon is None and half == 0:
        return None
    # What looks rounded may be the few digits that the formula has.
    for tolerance in (
        *WRITTEN_IN_FULL[: 2 if half else 3],
        *(half * SLACK for _ in range(half > 0)),
    ):
        found: list[WholeSchedule] = []
        for delay in (0, 1):
            log = _Rows(steps.astype(np.float64) - delay, rates, tolerance, warmup)
            ends = log.ends(float(last)) if horizon is None else [float(horizon)]
            tried = (
                each.schedule(end)
                for each in (log, replace(log, later=True))
                for end in ends
                if each.top < steps.size and log.t[0] >= 0 and log.t[-1] <= end
            )
            fit = next((each for each in tried if each is not None), None)
            if fit is not None:
                unit = 2 * half * float(rates.max()) if tolerance > half > 0 else 0.0
                found.append(replace(fit, delay=delay, unit=unit, steps=log.t + delay))
        if found:
            covered = horizon is not None and int(steps[-1] - steps[0]) >= COVERED * horizon
            found.sort(key=_complexity)
            alone = len(found) == 1 or _complexity(found[0]) < _complexity(found[1])
            return replace(found[0], decided=covered and alone)
    if half or horizon is None:
        return None
    return _Rows(steps.astype(np.float64), rates, WRITTEN_IN_FULL[1], warmup).with_skips(
        float(horizon)
    )


def _complexity(schedule: WholeSchedule) -> int:
    """A line that ends at 0 one update later ends at some other rate now, but at no round one."""
    final = schedule.decay.final
    if schedule.warmup_is == "assumed":
        return 3 if final == 0 else 4
    return 0 if final == 0 else 1 if rounder(final, ROUNDER) == final else 2


def _half_a_unit(rates: FloatArray) -> float:
    """How far rounding moved the rates, relative to the largest; 0 for a staircase by design."""
    moves = np.count_nonzero(np.abs(np.diff(rates)) > EQUAL * rates.max())
    return rounding(np.unique(rates)) if moves > FEW_STEPS else 0.0


@dataclass(frozen=True)
class _Start:
    """What a formula gives at trial starts ``at``: its numbers, how well, and how round a peak."""

    at: FloatArray
    peak: FloatArray
    final: FloatArray
    miss: FloatArray
    digits: IntArray


@dataclass(frozen=True)
class _Rows:
    """Rates at some clocks, and how far a formula may miss them, relative to the peak.

    The warm-up ends before the row with the largest rate, or ``later`` than it.
    """

    t: FloatArray
    r: FloatArray
    tolerance: float
    known: int | None
    later: bool = False

    @cached_property
    def within(self) -> float:
        return self.tolerance * float(self.r.max())

    @cached_property
    def top(self) -> int:
        """The first row that is not on the ramp: the one at the largest rate, or the next."""
        return int(np.argmax(self.r >= self.r.max() - self.within)) + self.later

    @cached_property
    def starts(self) -> FloatArray:
        """Clocks at which the warm-up may end."""
        top = self.top
        if not top and self.known is not None:
            return np.array([float(self.known)])
        low = self.t[top - 1] if top else 0.0
        # A rounded ramp looks as if it were at its end a little before.
        high = np.ceil(self.t[top] * (1 + 2 * self.tolerance))
        return np.arange(low, min(high, low + TRIED) + 1)

    def schedule(self, end: float) -> WholeSchedule | None:
        """The first schedule that ends at ``end`` and passes through all rows."""
        if self.top == self.t.size:  # the rates still rise at the end of the log
            return None
        for shape, zero in (("linear", True), ("cosine", True), ("linear", False),
                            ("cosine", False)):  # fmt: skip
            fits = self._fits(shape, end, self.starts, zero=zero)
            found = None if fits is None else self._with_warmup(shape, end, fits)
            if found is not None:
                return found
        return None if self.later else self._wsd(end)

    def ends(self, last: float) -> list[float]:
        """Where a rounded run may end whose horizon is not known; first where its log ends."""
        return [last, *self._ends_beyond(last)]

    def _fits(
        self, shape: str, end: float, starts: FloatArray, *, zero: bool, peak: float | None = None
    ) -> _Start | None:
        """The best peak and final rate for each start, as far as they pass through all rows."""
        body = slice(self.top, None)
        u, r = self.t[body], self.r[body]
        starts = starts[starts < min(end, u[-1])]
        free = (peak is None) + (not zero)
        if u.size < 3 + free or not starts.size or r[0] - r[-1] <= self.within:
            return None
        some = np.unique(np.linspace(0, u.size - 1, FITTED).astype(np.int64))
        z = np.clip((u[some] - starts[:, None]) / (end - starts[:, None]), 0, 1)
        g = decay_shape(shape).level(z)
        h, y = 1 - g, r[some]

        def final(p: FloatArray) -> FloatArray:
            if zero:
                return np.zeros_like(p)
            f = (h * (y - p[:, None] * g)).sum(1) / np.maximum((h * h).sum(1), 1e-300)
            return np.clip(f, 0, p)

        def miss(p: FloatArray) -> FloatArray:
            return np.abs(p[:, None] * g + final(p)[:, None] * h - y).max(1)

        if peak is not None:
            p = np.full(starts.size, peak)
        elif zero:
            p = (g @ y) / (g * g).sum(1)
        else:
            mean = g.mean(1, keepdims=True)
            slope = ((g - mean) @ y) / np.maximum(((g - mean) ** 2).sum(1), 1e-300)
            p = np.maximum(y.mean() + slope * (1 - mean[:, 0]), 1e-300)
        near = miss(p) <= self.within * (LOOSE if self.tolerance > TIGHT else 1)
        starts, p, g, h = starts[near], p[near], g[near], h[near]
        if not starts.size:
            return None
        digits = np.full(starts.size, 99)
        for count in range(1, 5) if peak is None else ():
            rounded = np.array([rounder(value, count) for value in p.tolist()])
            take = (digits == 99) & (miss(rounded) <= self.within)
            p, digits = np.where(take, rounded, p), np.where(take, count, digits)
        return _Start(starts, p, final(p), miss(p), digits)

    def _with_warmup(self, shape: str, end: float, fits: _Start) -> WholeSchedule | None:
        """The schedule whose fall begins where the warm-up ends, if only one can be meant."""
        if self.top:
            found = [
                each
                for i in range(fits.at.size)
                for each in self._checked(_decay(shape, end, fits, i), int(fits.at[i]))
            ]
            # Of those that rounding allows, the roundest warm-up.
            return max(found, key=lambda each: _zeros(each.warmup), default=None)
        best = int(np.lexsort((fits.at, fits.digits))[0])
        warmup_is: Literal["told", "round", "assumed"] = "told"
        if fits.at.size > 1 and fits.digits[best] <= (ROUND if fits.at[best] == 0 else ROUNDER):
            warmup_is = "round"
        elif fits.at.size > 1:
            warmup_is = "assumed"
            best = int(np.argmin(np.abs(fits.at - self.t[0])))
        if self.t[0] <= 1 and warmup_is != "told":
            warmup_is, best = "told", 0 if warmup_is == "assumed" else best
        found = self._checked(_decay(shape, end, fits, best), int(fits.at[best]))
        return next((replace(each, warmup_is=warmup_is) for each in found), None)

    def _wsd(self, end: float) -> WholeSchedule | None:
        """The schedule with a plateau, and a decay that begins between two rows."""
        peak = float(self.r.max())
        held = np.flatnonzero(self.r >= peak - self.within)
        if held.size < 2 or held[-1] + 1 >= self.r.size or (not self.top and self.t[0] > 1):
            return None
        # Where rates are rounded, the first updates of a fall are at the peak too.
        low = float(self.t[held[0 if self.tolerance > TIGHT else -1]])
        high = float(self.t[held[-1] + 1])
        starts = np.arange(low, min(high, low + TRIED) + 1)
        found: list[WholeSchedule] = []
        for zero in (True, False):
            for shape in ("linear", "cosine", "1-sqrt"):
                fits = self._fits(shape, end, starts, zero=zero, peak=peak)
                if fits is not None:
                    decays = [_decay(shape, end, fits, i) for i in range(fits.at.size)]
                    begin = max(decays, key=lambda each: (_zeros(end - each.start), -each.residual))
                    warmups = self.starts if self.top else np.zeros(1)
                    found += [
                        each for w in warmups.tolist() for each in self._checked(begin, int(w))
                    ]
            if found:
                return max(found, key=lambda each: (_zeros(each.warmup), -each.decay.residual))
        return None

    def _checked(self, decay: Decay, warmup: int) -> Iterator[WholeSchedule]:
        """The schedule with each kind of ramp, if it passes through all rows."""
        finals = dict.fromkeys(
            [*(rounder(decay.final, digits) for digits in range(1, 4)), decay.final]
        )
        ramps = ((0, warmup), (1, warmup), (1, warmup + 1)) if warmup else ((0, 0),)
        for final, ramp in product(finals, ramps):
            each = WholeSchedule(
                decay=replace(decay, final=final),
                warmup=warmup,
                ramp=ramp,
                delay=0,
                decided=False,
                unit=0.0,
                steps=self.t,
                clock=self.t,
            )
            # Most miss some of a few rows already.
            every = max(self.t.size // FEW_ROWS, 1)
            if self._through(each, every) and (every == 1 or self._through(each, 1)):
                yield each
                return

    def _through(self, schedule: WholeSchedule, every: int) -> bool:
        return bool(self._agree(schedule.rates(self.t[::every]), every).all())

    def _agree(self, rates: FloatArray, every: int = 1) -> BoolArray:
        return np.abs(rates - self.r[::every]) <= self.within * (1 + TIGHT)

    def _ends_beyond(self, last: float) -> Iterator[float]:
        """Ends that all rounded rates of a fall allow, the roundest of them; for runs cut short."""
        peak = float(self.r.max())
        ramp, start = self.r[: self.top], self.starts
        if self.top:
            t = self.t[: self.top]
            for ahead in (1, 0):
                low = ((t + ahead) * peak / (ramp + self.within)).max()
                above = ramp > self.within
                high = ((t + ahead) * peak / (ramp - self.within))[above].min(initial=np.inf)
                if np.ceil(low) <= min(high, start[-1] + 1):
                    break
            else:
                return
            warmup = roundest(int(np.ceil(low)), int(min(high, start[-1] + 1)))
        elif self.t[0] <= 1:
            warmup = 0
        else:
            return
        u, r = self.t[self.top :], self.r[self.top :]
        for shape in ("linear", "cosine"):
            level = decay_shape(shape).reaches
            for final in dict.fromkeys((0.0, 0.1 * peak)):
                inside = (r < peak - 2 * self.within) & (r > final + 2 * self.within)
                if inside.sum() < FEW_STEPS:
                    continue
                done = u[inside] - warmup
                least = [level(float(x) - self.within, peak, final) for x in r[inside]]
                most = [level(float(x) + self.within, peak, final) for x in r[inside]]
                low = warmup + float((done / np.array(least)).max())
                high = warmup + float((done / np.array(most)).min())
                if max(np.ceil(low), last) <= high < 1e9:
                    yield float(roundest(int(max(np.ceil(low), last)), int(high)))

    def with_skips(self, end: float) -> WholeSchedule | None:
        """A fall to 0 whose clock stood still now and then."""
        if np.ptp(self.r) <= 2 * self.within:
            return None  # a rate at rest is no clock at rest
        allowed = min(SKIPS + int(end) // SKIPS_EVERY, MOST_SKIPS)
        ramp = self.top
        for shape in ("linear", "cosine"):
            g = decay_shape(shape).level(np.clip(self.t / end, 0, 1))
            # Without a warm-up the best peak is near the right one, and it is the one through the
            # first row if no update was skipped before it.
            guess = float(self.r.max()) if ramp else float(g @ self.r) / float(g @ g)
            peaks = [rounder(guess, 1), rounder(guess, 2)]
            # A line leads back to some peak in any case.
            peaks += [float(self.r[0] / g[0])] if shape == "cosine" and not ramp and g[0] else []
            for peak in peaks:
                if abs(peak / guess - 1) > 0.01:
                    continue
                warmup = 0
                if ramp >= 3:
                    slope = float(np.median(np.diff(self.r[:ramp]) / np.diff(self.t[:ramp])))
                    warmup = round(peak / slope) if slope > 0 else 0
                if bool(ramp or self.known) != bool(warmup) or warmup >= end:
                    continue
                schedule = WholeSchedule(
                    decay=Decay(shape, peak, float(warmup), end, 0.0),
                    warmup=warmup,
                    ramp=(0, warmup),
                    delay=0,
                    decided=False,
                    unit=0.0,
                    steps=self.t,
                    clock=self.t,
                )
                clock = self._standing_still(schedule, allowed)
                if clock is not None:
                    return replace(schedule, clock=clock)
        return None

    def _standing_still(self, schedule: WholeSchedule, allowed: int) -> FloatArray | None:
        """The clock of each row: behind its step by as many updates as before, or by more."""
        behind = np.arange(allowed + 1, dtype=np.float64)
        fits = np.array([self._agree(schedule.rates(self.t - late)) for late in behind])
        clock = np.empty(self.t.size)
        now = 0
        for i in range(self.t.size):
            later = np.flatnonzero(fits[now:, i])
            if not later.size:
                return None
            now += int(later[0])
            if now > SKIPS + self.t[i] / SKIPS_EVERY:
                return None
            clock[i] = self.t[i] - now
        return clock


def _decay(shape: str, end: float, fits: _Start, i: int) -> Decay:
    peak = float(fits.peak[i])
    return Decay(
        shape,
        peak,
        float(fits.at[i]),
        end,
        float(fits.final[i]),
        residual=float(fits.miss[i]) / peak,
    )


def rounder(value: float, digits: int) -> float:
    """A value with so many significant digits.

    >>> rounder(5.9462e-4, 2)
    0.00059
    """
    return float(f"{value:.{digits - 1}e}")


def _zeros(number: float) -> int:
    """Zeros at the end of a whole number; those of 0 are more than any."""
    text = str(round(number))
    return len(text) - len(text.rstrip("0")) if number else 99
