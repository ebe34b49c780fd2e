"""Which decay is it? One formula through the learning rates of some updates.

After its warm-up a usual schedule stays at its peak up to some update, the ``start``, and from
there falls along one of a few shapes. Given rates at some updates - all of them, or the few that a
log holds - `match_decay` finds the shape and its numbers, if one passes through every rate.

With ``z = (k - start) / (end - start)`` the rates are those of `losslaw.schedules.shapes`. Most
decays that are cut short are again one of their shape, so the last rate given is taken as the end;
for ``cosine`` and ``power`` the end is fitted and may lie beyond.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from losslaw.numerics.arrays import FloatArray, by_blocks
from losslaw.schedules.shapes import DecayShape, decay_shape

# Relative to the peak: rates closer than this are equal but for the rounding of a log.
TIGHT = 1e-6

# Rates this close are one rate: a trainer that holds its rate logs the same digits again.
EQUAL = 1e-9

# A cosine logged with 4 digits looks flat over this first part of its fall, no longer.
FLAT_TOP = 0.03

# Rates that a shape is fitted to, at most.
FITTED = 80

# A rate does not fall by this factor from one update to the next.
STEEPEST = 1e3


@dataclass(frozen=True)
class Decay:
    """A peak, and a fall from it.

    Attributes:
        shape: ``constant``, ``linear``, ``exponential``, ``1-sqrt``, ``inverse-sqrt``, ``cosine``,
            ``power`` or ``inverse-power``.
        peak: Rate up to ``start``.
        start: Last update at the peak, where ``z = 0``; a whole number where the rates allow one.
        end: Update where ``z = 1``.
        final: Rate at ``end`` and after it.
        exponent: Of the two powers.
        starts_inside: Whether the rates determine ``start``; otherwise it was given.
        residual: Largest difference from the rates, relative to the peak.
    """

    shape: str
    peak: float
    start: float
    end: float
    final: float
    exponent: float = 1.0
    starts_inside: bool = True
    residual: float = 0.0

    @property
    def formula(self) -> DecayShape:
        """The shape, of a decay that is not constant."""
        return decay_shape(self.shape, self.exponent)

    def rates(self, updates: FloatArray) -> FloatArray:
        """Learning rates at ``updates``, of the same shape."""
        if self.shape == "constant" or self.peak == self.final:
            return np.full(updates.shape, self.peak)
        formula = self.formula

        def rates(block: FloatArray) -> FloatArray:
            z = np.clip((block - self.start) / max(self.end - self.start, 1e-9), 0.0, 1.0)
            return formula.rates(z, 1 - z, self.peak, self.final)

        return by_blocks(rates, updates)


def rounding(rates: FloatArray) -> float:
    """How exactly rates were written: half a unit of their last digit, relative to the largest.

    0 for seven digits or more, and for fewer than ten different rates, whose few digits may be all
    there are.

    >>> import numpy as np
    >>> round(rounding(np.round(np.linspace(0.001, 0.0005, 50), 6)), 9)
    0.0005
    """
    peak = float(rates.max())
    if np.unique(rates).size < 10 or peak <= 0:
        return 0.0
    for digits in range(2, 7):
        as_written = all(
            abs(float(f"{rate:.{digits - 1}e}") - rate) <= 1e-12 * rate for rate in rates.tolist()
        )
        if as_written:
            # The peak is often a round number, and says nothing of the decade below it.
            below = float(rates[rates < peak].max())
            unit = 10.0 ** (np.floor(np.log10(below)) + 1 - digits)
            return float(unit / 2 / peak)
    return 0.0


@np.errstate(all="ignore")  # a formula tried out of its domain gives nan, and is not taken
def match_decay(
    updates: FloatArray,
    rates: FloatArray,
    *,
    start: float | None = None,
    tolerance: float | None = None,
) -> Decay | None:
    """The decay that passes through all rates, or ``None``.

    Args:
        updates: Updates after the warm-up, increasing. Shape ``(m,)``.
        rates: Their rates; a peak, then a fall. Shape ``(m,)``.
        start: Where the fall begins if the rates cannot say: no two of them are at the peak.
        tolerance: Largest difference allowed, relative to the peak. ``None``: the `rounding` of
            the rates.

    Returns:
        The simplest shape among the closest. A shape with as many numbers as there are rates in
        the fall is not tried: it would pass through anything.

    >>> import numpy as np
    >>> k = np.array([10.0, 20, 30, 40, 50])
    >>> match_decay(k, np.array([1, 1, 0.9, 0.8, 0.7])).start
    20.0
    """
    peak = float(rates[0])
    if tolerance is None:
        # The fit follows the rounding a little, so its own error comes on top.
        tolerance = max(TIGHT, 1.5 * rounding(rates))
    if peak <= 0 or (rates > peak * (1 + TIGHT)).any():
        return None
    flat = np.abs(rates - peak) <= EQUAL * peak
    if flat.all():
        return Decay("constant", peak, float(updates[-1]), float(updates[-1]), peak)
    rest = np.abs(rates - rates[-1]) <= EQUAL * peak
    last = rates.size - int(np.argmin(rest[::-1]))  # the first of the equal rates at the end
    ended = rates.size - last > 1
    few, allowed = max(updates.size // FITTED, 1), tolerance * peak * (1 + 1e-9)
    found: list[Decay] = []
    for problem in _problems(
        updates[: last if ended else None], rates, int(np.argmin(flat)), start
    ):
        for decay in problem.candidates():
            if ended:
                decay = _ended(decay, float(updates[last]), float(rates[-1]))
            # Most are far off at a few updates already.
            if not float(np.abs(decay.rates(updates[::few]) - rates[::few]).max()) <= allowed:
                continue
            miss = float(np.abs(decay.rates(updates) - rates).max()) / peak
            if miss <= tolerance:
                found.append(replace(decay, residual=miss))
            if miss <= TIGHT:
                break
        if found and min(decay.residual for decay in found) <= TIGHT:
            break
    if not found:
        return None
    closest = min(decay.residual for decay in found)
    return next(decay for decay in found if decay.residual <= 2 * closest + 1e-8)


def _problems(
    updates: FloatArray, rates: FloatArray, held: int, start: float | None
) -> Iterator["_Problem"]:
    """The fall after ``held`` rates at the peak; then a fall without a peak that lasts.

    The second is for a cosine that is logged so finely that its first rates look equal.
    """
    fine = held <= FLAT_TOP * updates.size
    for begin in (held, 0) if held > 1 and fine else (held if held > 1 else 0,):
        u, r = updates[begin:], rates[begin : updates.size]
        falls = u.size >= 3 and r[0] - r[-1] > TIGHT * rates[0]
        if not falls or (np.diff(r) > TIGHT * rates[0]).any():
            continue
        # Shapes are fitted to a part of long logs, and held against all of it.
        some = np.unique(np.linspace(0, u.size - 1, min(u.size, FITTED)).astype(np.int64))
        seen = begin > 0
        yield _Problem(
            u[some],
            r[some],
            float(rates[0]) if seen else None,
            float(updates[held - 1]) if seen else None,
            start,
        )


def _ended(decay: Decay, by: float, final: float) -> Decay:
    """The decay that has come to rest at ``final`` by update ``by``."""
    formula, start = decay.formula, decay.start
    never = decay.final >= decay.peak or (final <= 0 and not formula.to_zero)
    if formula.has_end or never:
        return decay
    # The fall was followed to its last rate; follow it on to where it meets the rate at rest.
    z = formula.reaches(final, decay.peak, decay.final)
    return replace(decay, end=min(_whole(start + z * (decay.end - start)), by), final=final)


@dataclass(frozen=True)
class _Problem:
    """Rates in the fall; the peak and the last update at it, if seen; a given start."""

    u: FloatArray
    r: FloatArray
    peak: float | None
    lowest: float | None
    given: float | None

    def candidates(self) -> Iterator[Decay]:
        """Shapes from the simplest on."""
        positive = self.r[-1] > 1e-9 * self.r[0]
        yield from self._line("linear")
        if positive:
            yield from self._line("exponential")
        yield from self._one_minus_sqrt()
        if positive:
            yield from self._line("inverse-sqrt")
        yield from self._fitted("cosine")
        yield from self._fitted("power")
        if positive:
            yield from self._inverse_power()

    def _line(self, shape: str, exponent: float = 1.0) -> Iterator[Decay]:
        """Shapes that are a straight line after a change of scale."""
        to, back = decay_shape(shape, exponent).line or (np.asarray, np.asarray)
        at, end = self.u[0], float(self.u[-1])
        design = np.column_stack([np.ones(self.u.size), self.u - at])
        (a, b), *_ = np.linalg.lstsq(design, to(self.r), rcond=None)
        if b == 0:
            return

        def rate(update: float) -> float:
            return float(back(np.array([a + b * (update - at)]))[0])

        last = rate(end)
        last = max(last, 0.0) if last > -TIGHT * self.r[0] else last
        if self.peak is not None:
            start = at + (float(to(np.array([self.peak]))[0]) - a) / b
            yield from self._inside(Decay(shape, self.peak, _whole(start), end, last, exponent))
            return
        start = float(at) if self.given is None else self.given
        peak = rate(start)
        if not 0 < peak < STEEPEST * self.r[0]:
            # What falls as a power of the update from the first one on has no rate before it.
            start, peak = float(at), rate(at)
        if peak > 0 and last >= 0:
            yield Decay(shape, peak, start, end, last, exponent, starts_inside=False)

    def _inverse_power(self) -> Iterator[Decay]:
        """A line in the scale of its exponent, which is looked for."""
        if self.u.size <= 4 + (self.peak is None):
            return
        at, y = self.u[0], np.log(self.r)

        def basis(theta: FloatArray) -> FloatArray:
            return np.column_stack([np.ones(self.u.size), np.log1p((self.u - at) / np.exp(theta))])

        # In the logarithm a line in log(k - at + d); the best d is the timescale before the rates.
        span = float(self.u[-1] - at)
        best = _project(basis, y, [np.log(max(at, 1.0))], [np.log(1e-3)], [np.log(1e3 * span)])
        (_, slope), *_ = np.linalg.lstsq(basis(best), y, rcond=None)
        exponent = _whole(-1e3 * float(slope), 0.1) / 1e3
        if exponent > 0:
            yield from self._line("inverse-power", exponent)

    def _one_minus_sqrt(self) -> Iterator[Decay]:
        end = float(self.u[-1])
        if self.peak is not None:
            y = (self.peak - self.r) ** 2
            slope = (y[-1] - y[0]) / (end - self.u[0])
            if slope <= 0:
                return
            start = _whole(self.u[0] - y[0] / slope)
            if start < self.u[0]:
                root = np.sqrt(self.u - start)
                fall = float(root @ (self.peak - self.r)) / float(root @ root)
                final = self.peak - fall * float(root[-1])
                yield from self._inside(Decay("1-sqrt", self.peak, start, end, max(final, 0.0)))
            return
        # Peak and start unknown: the squared falls from a trial peak are a line for the right one.
        if self.u.size < 5:
            return
        span = end - self.u[0]

        def basis(theta: FloatArray) -> FloatArray:
            return np.column_stack([np.ones(self.u.size), np.sqrt(self.u - theta[0])])

        best = _project(basis, self.r, [self.u[0] - 0.01 * span], [-np.inf], [self.u[0] - 1e-6])
        start = _whole(best[0])
        (p, slope), *_ = np.linalg.lstsq(basis(np.array([start])), self.r, rcond=None)
        final = float(p + slope * np.sqrt(end - start))
        yield Decay("1-sqrt", float(p), start, end, max(final, 0.0))

    def _fitted(self, shape: str) -> Iterator[Decay]:
        """Shapes whose end is a number to find: nonlinear in start, end and exponent."""
        power = shape == "power"
        if self.u.size <= 3 + power + (self.peak is None):
            return
        u, r, known = self.u, self.r, self.peak
        first, last = float(u[0]), float(u[-1])
        span = last - first
        # A power law that begins later is again a power law: then the start cannot be found.
        open_start = known is not None or not power
        guess = first if open_start or self.given is None else self.given

        def solve(theta: FloatArray) -> tuple[float, float, FloatArray]:
            """Peak and final rate are linear: the best ones for a start, end and exponent."""
            z = np.clip((u - theta[0]) / (theta[1] - theta[0]), 0, 1)
            g = decay_shape(shape, float(theta[2]) if power else 1.0).level(z)
            if known is not None:
                rest = 1 - g
                f = float(rest @ (r - known * g)) / float(rest @ rest)
                return known, f, known * g + f * rest - r
            mean, middle = float(g.mean()), float(r.mean())
            fall = float((g - mean) @ (r - middle)) / float((g - mean) @ (g - mean))
            f = middle - fall * mean
            return f + fall, f, f + fall * g - r

        def miss(theta: FloatArray) -> float:
            return float(np.abs(solve(theta)[2]).max())

        # A fall that begins like a parabola may lose its first updates to rounding; the last rate
        # may be one at rest already, with the end after the rate before it.
        reach = span if self.lowest is None else 2 * (first - self.lowest) + 1.0
        low = [first - reach, float(u[-2]) + 1e-6]
        high = [first + 1e-6, last + 20 * span]
        if not open_start:
            low[0], high[0] = guess - 1e-9, guess + 1e-9
        if power:
            low, high = [*low, 0.05], [*high, 20.0]
        best: FloatArray | None = None
        for exponent in ([2.0], [0.5]) if power else ([],):
            for beyond in (0.0, 0.5):
                begin = [guess, last + beyond * span, *exponent]
                fit = _least(lambda theta: solve(theta)[2], begin, low, high)
                if best is None or miss(fit) < miss(best):
                    best = fit
                if miss(best) <= 1e-7 * r[0]:
                    break
        if best is None or not np.isfinite(miss(best)):
            return
        whole = best.copy()
        whole[:2] = [_whole(value, 0.2) for value in best[:2]]
        if power and abs(whole[2] - round(whole[2], 3)) < 1e-4:
            whole[2] = round(whole[2], 3)
        if whole[0] < whole[1] and miss(whole) <= max(2 * miss(best), TIGHT * r[0]):
            best = whole
        p, f, _ = solve(best)
        f = max(f, 0.0) if f > -TIGHT * p else f
        if 0 <= f <= p and best[0] < best[1]:
            exponent = float(best[2]) if power else 1.0
            yield Decay(shape, p, float(best[0]), float(best[1]), f, exponent, open_start)

    def _inside(self, decay: Decay) -> Iterator[Decay]:
        """The decay, if it starts before the first rate below the peak, and not long before."""
        low = -np.inf if self.lowest is None else self.lowest
        gap = 1.0 if self.lowest is None else self.u[0] - self.lowest + 1.0
        if low - gap <= decay.start <= self.u[0] and decay.final >= 0:
            yield decay


def _whole(value: float, within: float = 0.05) -> float:
    """``value``, or the whole number that it misses by less than rounding explains."""
    value = float(value)
    if not np.isfinite(value):
        return value
    return float(round(value)) if abs(value - round(value)) <= within else value


def _project(
    basis: Callable[[FloatArray], FloatArray],
    target: FloatArray,
    start: list[float],
    low: list[float],
    high: list[float],
) -> FloatArray:
    """Least squares over the arguments of ``basis``, its coefficients solved for inside."""

    def residual(theta: FloatArray) -> FloatArray:
        design = basis(theta)
        coefficients, *_ = np.linalg.lstsq(design, target, rcond=None)
        return design @ coefficients - target

    return _least(residual, start, low, high)


def _least(
    residual: Callable[[FloatArray], FloatArray],
    start: list[float],
    low: list[float],
    high: list[float],
) -> FloatArray:
    """Least squares over one to three numbers in a box, after Levenberg and Marquardt.

    scipy has it too, but takes longer to import than all else that the reading of a log does.
    """
    floor, ceiling = np.array(low), np.array(high)
    theta = np.clip(np.array(start), floor, ceiling)
    left = residual(theta)
    slopes = _slopes(residual, theta, left, ceiling)
    damping = 1e-3
    # A shape that fits is found in 10 to 40 steps; one that does not would go on.
    for _ in range(60):
        pull = slopes.T @ left
        # What is at its bound and would leave stays there.
        free = ~(((theta <= floor) & (pull > 0)) | ((theta >= ceiling) & (pull < 0)))
        design = slopes[:, free]
        scale = np.linalg.norm(design, axis=0)
        scale[scale == 0] = 1.0
        held = np.concatenate([design / scale, np.sqrt(damping) * np.eye(scale.size)])
        target = np.concatenate([left, np.zeros(scale.size)])
        trial = theta.copy()
        trial[free] -= np.linalg.lstsq(held, target, rcond=None)[0] / scale
        trial = np.clip(trial, floor, ceiling)
        after = residual(trial)
        gain = float(left @ left - after @ after)
        if not gain > 0:
            damping *= 10
            if damping > 1e8:
                break
            continue
        settled = gain <= 1e-15 * float(left @ left)
        theta, left, damping = trial, after, max(damping / 10, 1e-12)
        if settled:
            break
        slopes = _slopes(residual, theta, left, ceiling)
    return theta


def _slopes(
    residual: Callable[[FloatArray], FloatArray],
    theta: FloatArray,
    left: FloatArray,
    ceiling: FloatArray,
) -> FloatArray:
    """Derivative of the residuals by each number, by differences of half the digits. ``(m, P)``."""
    out = np.empty((left.size, theta.size))
    for i in range(theta.size):
        step = 1.5e-8 * max(abs(theta[i]), 1.0)
        moved = theta.copy()
        moved[i] += step if theta[i] + step <= ceiling[i] else -step
        out[:, i] = (residual(moved) - left) / (moved[i] - theta[i])
    return np.nan_to_num(out)
