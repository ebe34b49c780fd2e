"""Exponents of a spectrum that was measured, or of a law that was fitted, and what they say.

A measured spectrum is a power law in a window: its first modes are what they are, its last ones
bend (few samples, few parameters, rounding). ``beta`` is the slope of log eigenvalues against log
index, ``1 + s beta`` that of the signal ``lambda theta*^2``, each in the widest window in which the
slope does not drift. Modes are put into bins of equal length in log j, since single coefficients
scatter: a bin's mean signal has a relative variance of about 2 over its count.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student_t

from losslaw.errors import InputError
from losslaw.files import read_table
from losslaw.kernel.theory import Exponents, Regime, regime
from losslaw.numerics.arrays import FloatArray, finite_vector
from losslaw.numerics.interval import Interval, Level
from losslaw.numerics.magnitudes import EXPONENT, Magnitude

# Length of a bin in log j, as a factor.
BIN = 1.25
# A window has so many bins at least, and its slope drifts to either side by this share at most.
FEWEST, DRIFT = 8, 0.05
# Columns of a file: what each makes of the signal lambda theta*^2.
COLUMNS = {
    "target": "coefficients theta* of the target",
    "projection": "sqrt(lambda) theta*, of labels on unit-variance features",
    "signal": "lambda theta*^2",
}
# Of the largest eigenvalue, and of what goes with one: products of them stay numbers.
SIZE = Magnitude(1e-50, 1e50)
LARGEST = {name: Magnitude(0.0, 1e100 if name == "signal" else 1e50) for name in COLUMNS}


@dataclass(frozen=True, eq=False, kw_only=True)
class Spectrum:
    """Eigenvalues and signals, sorted, zeros left out.

    Attributes:
        eigenvalues: ``lambda_j`` > 0, falling. Shape ``(n,)``.
        signal: ``lambda_j theta*_j^2`` >= 0 of the same; ``None``: not known. Shape ``(n,)``.
        dropped: Eigenvalues that were zero within the tolerance.
    """

    eigenvalues: FloatArray
    signal: FloatArray | None
    dropped: int

    @property
    def targets(self) -> FloatArray:
        """``theta*_j``, up to their signs, for `losslaw.kernel.KernelRegression`."""
        if self.signal is None:
            raise InputError(f"the spectrum has no targets: add a column {', '.join(COLUMNS)}")
        return np.sqrt(self.signal / self.eigenvalues)


def spectrum_of(
    eigenvalues: ArrayLike,
    *,
    target: ArrayLike | None = None,
    projection: ArrayLike | None = None,
    signal: ArrayLike | None = None,
    tolerance: float = 1e-12,
) -> Spectrum:
    """A spectrum as it was measured: in any order, with zeros and rounding below zero.

    Args:
        eigenvalues: Shape ``(n,)``.
        target: ``theta*`` that go with them; at most one of the three is given.
        projection: ``sqrt(lambda) theta*``.
        signal: ``lambda theta*^2`` >= 0.
        tolerance: Eigenvalues up to so much of the largest are zeros, negative ones included.

    Raises:
        InputError: lengths differ, nothing is left, or an eigenvalue is negative beyond tolerance.

    >>> found = spectrum_of([0.0, 1.0, 0.25], projection=[0.0, 1.0, 0.5])
    >>> found.eigenvalues.tolist(), found.targets.tolist(), found.dropped
    ([1.0, 0.25], [1.0, 1.0], 1)
    """
    lam = finite_vector("eigenvalues", eigenvalues, negative=True)
    if lam.max() > 0:
        SIZE.check("the largest eigenvalue", lam.max())
    if not (math.isfinite(tolerance) and 0 <= tolerance < 1):
        raise InputError(f"tolerance is {tolerance:g}, expected in [0, 1)")
    least = tolerance * lam.max()
    if lam.min() < -max(least, 0.0):
        j = int(np.argmin(lam))
        raise InputError(f"eigenvalue {j} is {lam[j]:g}, below zero by more than the tolerance")
    order = np.argsort(-lam, kind="stable")
    order = order[lam[order] > max(least, 0.0)]
    if not order.size:
        raise InputError("no eigenvalue is above zero")
    given = {"target": target, "projection": projection, "signal": signal}
    named = {name: values for name, values in given.items() if values is not None}
    if len(named) > 1:
        raise InputError(f"give one of {', '.join(named)}, not several")
    squares = None
    for name, values in named.items():
        raw = finite_vector(name, values, negative=name != "signal")
        if raw.size != lam.size:
            raise InputError(f"{name}: {raw.size} values for {lam.size} eigenvalues")
        raw = raw[order]
        LARGEST[name].check(f"the largest {name}", abs(raw).max())
        squares = {"target": lam[order] * raw**2, "projection": raw**2, "signal": raw}[name]
    return Spectrum(eigenvalues=lam[order], signal=squares, dropped=int(lam.size - order.size))


def read_spectrum(path: str | Path, tolerance: float = 1e-12) -> Spectrum:
    """A spectrum from a table: column ``eigenvalue``, and one of `COLUMNS` if known.

    Raises:
        InputError: the file cannot be read, or as `spectrum_of`.
    """
    read = read_table(path)
    if "eigenvalue" not in read.columns:
        raise InputError(f"{read.source}: no column 'eigenvalue'; found {', '.join(read.columns)}")
    named = {name: read.numbers(name) for name in COLUMNS if name in read.columns}
    try:
        return spectrum_of(read.numbers("eigenvalue"), **named, tolerance=tolerance)
    except InputError as error:
        raise InputError(f"{read.source}: {error}") from None


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A power law in a window.

    Attributes:
        value: Minus the slope.
        interval: Of it; infinite if nothing bounds it.
        window: First and last index it was read from, counted from 1; ``None`` if from a fit.
        steady: Whether there is a window in which the slope does not drift.
    """

    value: float
    interval: Interval
    window: tuple[int, int] | None = None
    steady: bool = True

    def __str__(self) -> str:
        text = f"{self.value:.4g} ({self.interval.lower:.4g} .. {self.interval.upper:.4g})"
        if self.window is not None:
            text += f", modes {self.window[0]} to {self.window[1]}"
        return text if self.steady else text + "; the slope drifts: no power law"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of capacity and source.

    Attributes:
        capacity: beta.
        source: s; ``None`` if there are no targets.
        dropped: Zeros among the eigenvalues.
    """

    capacity: Slope
    source: Slope | None
    dropped: int = 0

    @property
    def exponents(self) -> Exponents:
        """The estimates, for the theory.

        Raises:
            InputError: there is no source, or an estimate is out of the range of the theory.
        """
        if self.source is None:
            raise InputError("no source: the spectrum has no targets")
        if not math.isfinite(self.capacity.value):
            raise InputError(
                "the fit has q of 2 or more, which is no capacity of the theory: add runs whose"
                " rate drops, or fit more of them together"
            )
        return Exponents(self.source.value, self.capacity.value)

    @property
    def side(self) -> str:
        """``easy``, ``hard``, or ``open`` if the intervals hold both."""
        if self.source is None:
            return "open"
        beta, s = self.capacity.interval, self.source.interval
        if s.lower >= 1 - 1 / max(beta.upper, 1.0):
            return "easy"
        return "hard" if s.upper < 1 - 1 / max(beta.lower, 1.0) else "open"

    def __str__(self) -> str:
        lines = [f"capacity beta {self.capacity}"]
        if self.source is not None:
            lines.append(f"source s      {self.source}")
            words = {
                "easy": "easy: s is above 1 - 1/beta in all of the intervals",
                "hard": "hard: s is below 1 - 1/beta in all of the intervals",
                "open": "easy or hard is open: the intervals hold both",
            }
            lines.append(words[self.side])
        if self.dropped:
            lines.append(f"{self.dropped} eigenvalues are zero and were left out")
        return "\n".join(lines)

    @property
    def regime(self) -> Regime:
        """The regime of the estimates."""
        return regime(self.exponents)


def measure_exponents(spectrum: Spectrum, level: float = 0.9) -> Measured:
    """Capacity and source of a spectrum, with intervals and the windows they were read from.

    Args:
        spectrum: At least 32 modes.
        level: Of the intervals.

    Raises:
        InputError: too few modes, or eigenvalues that do not fall.

    >>> j = np.arange(1.0, 2001)
    >>> found = measure_exponents(spectrum_of(j**-2.0, signal=j**-2.0))
    >>> round(found.capacity.value, 2), round(found.source.value, 2), found.side
    (2.0, 0.5, 'open')
    """
    if spectrum.eigenvalues.size < 32:
        raise InputError(f"{spectrum.eigenvalues.size} modes, expected at least 32 for exponents")
    capacity = _slope(spectrum.eigenvalues, level)
    if EXPONENT.outside(np.array(capacity.value)):
        raise InputError(
            f"the eigenvalues fall as j^{0.0 - capacity.value:.3g}, expected a power law, of a"
            f" capacity in {EXPONENT}"
        )
    if spectrum.signal is None:
        return Measured(capacity=capacity, source=None, dropped=spectrum.dropped)
    decay = _slope(spectrum.signal, level)
    # s = (p - 1) / beta, the errors of p and beta put together as independent ones.
    p, beta = decay.value, capacity.value
    s = (p - 1) / beta
    spread = math.hypot(decay.interval.half_width, s * capacity.interval.half_width) / beta
    source = Slope(
        value=s,
        interval=Interval(lower=s - spread, upper=s + spread, level=level),
        window=decay.window,
        steady=decay.steady,
    )
    return Measured(capacity=capacity, source=source, dropped=spectrum.dropped)


def exponents_of_law(
    s: float, s_error: float, q: float, q_error: float, level: float = 0.9
) -> Measured:
    """Capacity and source from a fit of the convolution form: ``q = 2 - 1/beta``.

    Args:
        s: Fitted source.
        s_error: Its standard error; infinite if the curves do not determine it.
        q: Fitted power of forgetting.
        q_error: Its standard error.
        level: Of the intervals.

    Theory has q in (1, 2); outside, the capacity is infinite or at its least.

    >>> found = exponents_of_law(0.4, 0.02, 1.75, 0.05)
    >>> round(found.capacity.value, 2), found.side
    (4.0, 'hard')
    """
    width = Level(level).quantile

    def beta(q: float) -> float:
        return 1 / (2 - q) if q < 2 else math.inf

    low, high = (max(beta(q + sign * width * q_error), 1.0) if math.isfinite(q_error) else edge
                 for sign, edge in ((-1, 1.0), (1, math.inf)))  # fmt: skip
    ends = (s - width * s_error, s + width * s_error)
    return Measured(
        capacity=Slope(
            value=max(beta(q), 1.0), interval=Interval(lower=low, upper=high, level=level)
        ),
        source=Slope(value=s, interval=Interval(lower=ends[0], upper=ends[1], level=level)),
    )


def _slope(values: FloatArray, level: float) -> Slope:
    """Minus the slope of log values against log index, in the widest steady window."""
    x, y, count, ends = _bins(values)
    n = x.size
    if n < FEWEST:
        raise InputError(f"{n} bins of modes with values above zero, expected {FEWEST}")
    found: list[tuple[bool, float, float, int, int, float, float]] = []
    for a in range(n - FEWEST + 1):
        for b in range(a + FEWEST, n + 1):
            slope, error, drift, noise = _fit(x[a:b], y[a:b], count[a:b])
            steady = abs(drift) <= max(DRIFT * abs(slope), 2 * noise)
            # Among steady windows the widest, else the one that drifts least.
            rank = x[b - 1] - x[a] if steady else -abs(drift) / max(abs(slope), 1e-300)
            found.append((steady, float(rank), slope, a, b, error, drift))
    steady, _, slope, a, b, error, drift = max(found, key=lambda item: item[:2])
    half = float(student_t.ppf(0.5 + level / 2, b - a - 2)) * error
    half = math.hypot(half, drift)
    return Slope(
        value=-slope,
        interval=Interval(lower=-slope - half, upper=-slope + half, level=level),
        window=(int(ends[a][0]), int(ends[b - 1][1])),
        steady=steady,
    )


def _bins(
    values: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, list[tuple[int, int]]]:
    """Log index, log mean, count and ends of bins of equal length in log j."""
    cuts = [1]
    while cuts[-1] <= values.size:
        cuts.append(max(cuts[-1] + 1, math.ceil(cuts[-1] * BIN)))
    rows: list[tuple[float, float, float]] = []
    ends: list[tuple[int, int]] = []
    for low, high in pairwise(cuts):
        inside = values[low - 1 : high - 1]
        mean = float(inside.mean()) if inside.size else 0.0
        # A last bin that is half empty would sit at the wrong place.
        if mean > 0 and inside.size == high - low:
            j = np.arange(low, high, dtype=np.float64)
            # A bin's mean of j^-p, p about 2, is the value at about the power mean of its places.
            place = float((j**-2.0).mean()) ** -0.5
            rows.append((math.log(place), math.log(mean), float(inside.size)))
            ends.append((low, high - 1))
    x, y, count = np.array(rows).reshape(-1, 3).T
    return x, y, count, ends


def _fit(x: FloatArray, y: FloatArray, count: FloatArray) -> tuple[float, float, float, float]:
    """Slope, its error, how much it drifts to either side in the window, and the error of that."""
    # Scatter of the bins falls with their count; what does not fall is told by the residuals.
    weight = count / (count + 8.0)
    at = x - np.average(x, weights=weight)
    design = np.stack([np.ones_like(at), at, at**2], axis=1) * np.sqrt(weight)[:, None]
    target = y * np.sqrt(weight)
    line = np.linalg.lstsq(design[:, :2], target, rcond=None)[0]
    left = target - design[:, :2] @ line
    variance = float(left @ left) / max(x.size - 2, 1)
    inverse = np.linalg.pinv(design[:, :2].T @ design[:, :2])
    curve = np.linalg.lstsq(design, target, rcond=None)[0]
    span = x[-1] - x[0]
    rest = target - design @ curve
    noise = float(rest @ rest) / max(x.size - 3, 1)
    bend = math.sqrt(noise * float(np.linalg.pinv(design.T @ design)[2, 2]))
    # From the middle to an end the slope changes by c span.
    return (
        float(line[1]),
        math.sqrt(variance * float(inverse[1, 1])),
        float(curve[2] * span),
        bend * span,
    )
