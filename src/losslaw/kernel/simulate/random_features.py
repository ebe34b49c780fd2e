"""Random features in the limit of many: their modes without drawing them, at any size.

With ``X = H^(1/2) W'`` (N rows, M columns, entries of W of variance 1/M) all that the mean dynamics
asks about is two measures on the eigenvalues of ``X X'``: how many there are, and how much of the
target lies along each. For many features both are near to deterministic ones, whose Stieltjes
transforms are explicit (Marchenko and Pastur, Silverstein): with ``m(c) = 1 - sum_j [lambda_j /
(lambda_j - c)] / M`` and ``z = c m(c)``, ::

    int dmu(x) / (x - z) = sum_j lambda_j theta_j^2 / (lambda_j - c) / m(c)     signal
    int dn(x)  / (x - z) = sum_j 1 / (lambda_j - c) / m(c)                      count

The atom of ``mu`` at 0 is what no student learns: ``m(-k) = 0`` gives it, ``sum_j lambda_j
theta_j^2 k / (lambda_j + k)``.

What runs on the modes is smooth in the logarithm of the eigenvalue. So a few dozen real nodes do,
the Chebyshev points of ``log x`` between the ends of the spectrum; their weights come from
Chebyshev moments, each an integral around the spectrum, on an ellipse in ``log z``. A measure
varies over many decades: it is divided by its rough size first, ``x^s`` for the signal, so that
slow modes keep their digits. N and M enter by sums over j, done by Gauss rules for large N: M =
10^12 costs what M = 1000 costs.

The paper on the 4 + 3 phases (arXiv:2405.15074) solves the same equations on a contour.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from losslaw.errors import InputError
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.quadrature import counting_measure
from losslaw.numerics.arrays import ComplexArray, FloatArray, check_positive

# Features that are summed one by one; the others by Gauss rules.
SINGLE = 64
# Nodes: what is left out falls as exp(-n asinh((pi/2) / half the length of the spectrum in log x)).
DIGITS = 23.0
# Height of the ellipse in log z; from pi/2 on the dynamics of a mode grows without bound.
HEIGHT = 0.6
# Powers of the rough sizes: below capacity 1/2 the spectrum is short and no power law, and signal
# that is learnt faster than this is not what is left.
LEAST_POWER, MOST_SOURCE = -1.0, 3.0
# Ambient features at most: from about here on the count of the modes loses its digits.
MOST = 5 * 10**12
# Points on the upper half of the ellipse, for each node; Newton's method walks along every fourth
# of them, and finds the others from there.
AROUND, STRIDE = 2, 4


@dataclass(frozen=True, eq=False)
class _Features:
    """Eigenvalues of all features, how many of each, and the signal of each; M."""

    rate: FloatArray
    count: FloatArray
    signal: FloatArray
    modes: float

    def solve(self, z: ComplexArray, c: ComplexArray) -> ComplexArray:
        """``c`` with ``c m(c) = z``, by Newton's method from c on."""
        for _ in range(60):
            r = 1 / (self.rate - c[:, None])
            m = 1 - (self.rate * r) @ self.count / self.modes
            slope = m - c * ((self.rate * r * r) @ self.count) / self.modes
            step = (c * m - z) / slope
            c = c - step
            if (abs(step) < 1e-13 * abs(c)).all():
                return c
        raise ArithmeticError("the equation of the random features has not converged")


def random_feature_modes(
    source: float, capacity: float, modes: int, ambient: int, label_noise: float = 0.0
) -> Modes:
    """Nodes that stand for the modes of a student with random features, many of them.

    They are those of an average draw of W, but for terms of the order of 1/M; one draw differs by
    the order of ``1/sqrt(M)``. Weights of nodes may be negative: a sum over nodes is a sum over
    modes, a single node is nothing. Sums that are smooth in ``log lambda`` are within 1e-7 for M
    up to 10^9, and within 1e-4 at 10^12.

    Args:
        source: Source exponent s > 0: ``lambda_j theta_j^2 = j^-(1 + s beta)``.
        capacity: Capacity exponent beta > 0: ``lambda_j = j^-beta``, j = 1..N.
        modes: Parameters M of the student.
        ambient: Number N of features there are, N > M.
        label_noise: Variance of the labels.

    Raises:
        InputError: a number is out of range.

    Source: the equations are classical; arXiv:2405.15074 states them for this problem. The rule
    is derived here.

    >>> nodes = random_feature_modes(2.0, 0.8, modes=1000, ambient=4000)
    >>> nodes.rate.size < 100
    True
    >>> total = (np.arange(1.0, 4001) ** -2.6).sum()
    >>> bool(abs(nodes.signal.sum() + nodes.unlearned - total) < 1e-9)
    True
    """
    check_positive(source=source, capacity=capacity)
    if not 2 <= modes < ambient <= MOST:
        raise InputError(
            f"modes is {modes:g} and ambient {ambient:g}, expected 2 <= modes < ambient, and"
            f" ambient up to {MOST:.0e}"
        )
    features = _features(source, capacity, modes, ambient)
    limit, low, high, start = _ends(features)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    n = math.ceil(DIGITS / math.asinh(0.5 * math.pi / half))
    # The upper half of an ellipse in log z with its foci at the ends of the spectrum.
    ring = math.exp(math.asinh(HEIGHT / half))
    angle = (np.arange(AROUND * n) + 0.5) * math.pi / (AROUND * n)
    u = ring * np.exp(1j * angle)
    z = np.exp(middle + half * (u + 1 / u) / 2)
    c = _solutions(features, z, start)
    weight = -1j * half * (u - 1 / u) / 2 * z / z.size
    r = 1 / ((features.rate - c[:, None]) * (z / c)[:, None])

    x = np.cos(math.pi * (np.arange(n) + 0.5) / n)
    rate = np.exp(middle + half * x)
    k = np.arange(n)
    chebyshev = (u ** k[:, None] + u ** -k[:, None]) / 2
    to_nodes = np.cos(math.pi * np.outer(np.arange(n) + 0.5, k) / n) * np.where(k > 0, 2 / n, 1 / n)

    def weights(
        transform: ComplexArray, size: Callable[[ComplexArray], ComplexArray]
    ) -> FloatArray:
        moments = (chebyshev @ (transform / size(z) * weight)).imag
        return (to_nodes @ moments) * size(rate.astype(np.complex128)).real

    power = max(2 - 1 / capacity, LEAST_POWER)
    signal = weights(r @ features.signal, lambda x: _signal_size(source, capacity, modes, x))
    noise = weights(z**2 * (r @ features.count), lambda x: x**power)
    unlearned = float((features.signal * limit / (features.rate + limit)).sum())
    return Modes(
        rate=rate, signal=signal, noise=noise, unlearned=unlearned, label_noise=label_noise
    )


def _features(source: float, capacity: float, modes: int, ambient: int) -> _Features:
    single = min(ambient, SINGLE)
    j, count = [np.arange(1.0, single + 1)], [np.ones(single)]
    if ambient > single:
        more = counting_measure(float(single), float(ambient))
        j.append(more[0])
        count.append(more[1])
    at, counts = np.concatenate(j), np.concatenate(count)
    signal = counts * at ** -(1 + source * capacity)
    return _Features(at**-capacity, counts, signal, float(modes))


def _signal_size(source: float, capacity: float, modes: int, x: ComplexArray) -> ComplexArray:
    """How the signal of a factor e in x goes with x: ``x^s``, and what mixing adds for s > 1.

    Mixing adds ``x^q / M``, ``q = 1 - 1/beta``; written so that no zero is near the real axis.
    """
    if source <= 1:
        return x**source
    s, q = min(source, MOST_SOURCE), max(1 - 1 / capacity, LEAST_POWER)
    return x**q * (x + modes ** (-1 / (s - q))) ** (s - q)


def _ends(features: _Features) -> tuple[float, float, float, float]:
    """``k`` with ``m(-k) = 0``; logarithms of the ends of the spectrum; a c beyond its top."""
    from scipy.optimize import brentq, minimize_scalar

    lam, count, modes = features.rate, features.count, features.modes

    def m(c: float) -> float:
        return float(1 - (count * lam / (lam - c)).sum() / modes)

    total = float((count * lam).sum())
    # sum lambda / (lambda + k) is below total / k, and above M where k is small: N > M.
    lowest = math.log(float(lam[-1])) - 40
    limit = math.exp(float(brentq(lambda log: m(-math.exp(log)), lowest, math.log(total))))

    def edge(value: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
        found = minimize_scalar(
            value, bounds=(low, high), method="bounded", options={"xatol": 1e-9}
        )
        return float(found.x), float(found.fun)

    # z = c m(c) turns back at the ends of the spectrum.
    def below(log: float) -> float:
        c = -limit * math.exp(-math.exp(log))
        return -c * m(c)

    def above(log: float) -> float:
        c = float(lam[0]) * (1 + math.exp(log))
        return c * m(c)

    _, low = edge(below, -12.0, 4.0)
    at, high = edge(above, -25.0, math.log(10 * total + 10))
    return limit, math.log(-low), math.log(high), float(lam[0]) * (1 + math.exp(at))


def _solutions(features: _Features, z: ComplexArray, start: float) -> ComplexArray:
    """``c`` at points z that lead around the spectrum, from its top."""
    c = np.array([complex(start)])
    walked: list[ComplexArray] = []
    for k in range(0, z.size, STRIDE):
        c = features.solve(z[k : k + 1], c)
        walked.append(c)
    places, logs = np.arange(0, z.size, STRIDE), np.log(np.concatenate(walked))
    every = np.arange(z.size)
    return features.solve(z, np.exp(np.interp(every, places, logs)))
