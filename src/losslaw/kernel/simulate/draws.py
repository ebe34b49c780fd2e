"""Random numbers inside compiled loops: xoshiro256++ and the ziggurat.

A sampled run spends nearly all of its time on drawing features, and numpy's generators cost a call
through a pointer for each number when compiled code asks them. These are the same kind of
algorithms, inlined: xoshiro256++ (Blackman and Vigna) for 64 bits, the ziggurat of Marsaglia and
Tsang in the form of Doornik for normal numbers; three times as many of them a second.
Streams are seeded through numpy's ``SeedSequence``.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslaw.errors import InputError, expect_numbers
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.compiled import compiled

# The four words of xoshiro256++; drawing changes them in place.
State = NDArray[np.uint64]

# The ziggurat: 128 strips of equal area V under exp(-x^2 / 2), the last one with the tail from R.
STRIPS = 128
R = 3.442619855899
V = 9.91256303526217e-3


# Sampled runs of one schedule: more than any spread asks for, and their risks are all held.
MOST_RUNS = 10**7


def check_runs(runs: int) -> None:
    """Check a number of sampled runs.

    Raises:
        InputError: it is below 1, or more than can be held.
    """
    if runs < 1:
        raise InputError(f"runs is {runs}, expected at least 1")
    if runs > MOST_RUNS:
        raise InputError(f"runs is {runs:g}, expected at most {MOST_RUNS:.0e}")


def check_seed(seed: int) -> None:
    """Check the seed of what is drawn.

    Raises:
        InputError: it is not a whole number of 0 or above.
    """
    expect_numbers(seed=seed)
    if not (math.isfinite(seed) and seed >= 0 and seed == int(seed)):
        raise InputError(f"seed is {seed:.17g}, expected a whole number, 0 or above")


def _strips() -> tuple[FloatArray, FloatArray]:
    """Right ends of the strips, and the share of each that lies under the curve for sure."""
    x = np.zeros(STRIPS + 1)
    x[0], x[1] = V / math.exp(-0.5 * R * R), R
    for i in range(2, STRIPS):
        x[i] = math.sqrt(-2.0 * math.log(V / x[i - 1] + math.exp(-0.5 * x[i - 1] ** 2)))
    return x, x[1:] / x[:-1]


_X, _SURE = _strips()
_S17, _S19, _S23, _S41, _S45, _STRIP = (np.uint64(k) for k in (17, 19, 23, 41, 45, 127))
_SHIFT = np.int64(11)


def new_state(stream: np.random.SeedSequence) -> State:
    """The state a stream begins with."""
    return np.asarray(stream.generate_state(4, np.uint64), dtype=np.uint64)


@compiled(inline="always")
def _bits(s: State) -> Any:
    """The next 64 random bits."""
    total = s[0] + s[3]
    out = ((total << _S23) | (total >> _S41)) + s[0]
    t = s[1] << _S17
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = (s[3] << _S45) | (s[3] >> _S19)
    return out


@compiled(inline="always")
def _signed(bits: Any) -> float:
    """The upper 53 bits as a number in (-1, 1), never 0."""
    # A signed shift: the conversion of unsigned 64-bit integers is slow.
    return (float(np.int64(bits) >> _SHIFT) + 0.5) * 2.220446049250313e-16


@compiled()
def uniform(s: State) -> float:
    """A number in (0, 1]: its logarithm is finite."""
    return 0.5 + 0.5 * _signed(_bits(s))


@compiled()
def normal(s: State) -> float:
    """A number of mean 0 and variance 1."""
    bits = _bits(s)
    # The low bits choose the strip, the high ones the place in it.
    return _within_strip(s, int(bits & _STRIP), _signed(bits))


@compiled()
def _within_strip(s: State, i: int, u: float) -> float:
    """Place ``u`` of strip ``i``, if under the curve: all but one in eighty are, for sure."""
    while True:
        if abs(u) < _SURE[i]:
            return u * _X[i]
        if i == 0:
            while True:  # the tail beyond R
                x = -math.log(uniform(s)) / R
                if -2.0 * math.log(uniform(s)) >= x * x:
                    return R + x if u > 0.0 else -R - x
        x = u * _X[i]
        above = math.exp(-0.5 * (_X[i] * _X[i] - x * x))
        below = math.exp(-0.5 * (_X[i + 1] * _X[i + 1] - x * x))
        if above + uniform(s) * (below - above) < 1.0:
            return x
        bits = _bits(s)
        i = int(bits & _STRIP)
        u = _signed(bits)


@compiled()
def chi_square(s: State, degrees: int) -> float:
    """The sum of the squares of ``degrees`` normal numbers, 2 or more: Marsaglia and Tsang."""
    d = 0.5 * degrees - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(s)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(uniform(s)) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            return 2.0 * d * v


@compiled()
def fill(s: State, distribution: int, g: FloatArray) -> None:
    """Independent numbers of mean 0 and variance 1 into ``g``.

    Distribution 0 is the normal one, 1 the uniform one, 2 that of Laplace.
    """
    if distribution == 0:
        # `normal`, with its tables brought into registers once: twice as fast.
        x, sure = _X, _SURE
        for j in range(g.size):
            bits = _bits(s)
            i = bits & _STRIP
            u = _signed(bits)
            if abs(u) < sure[i]:
                g[j] = u * x[i]
            else:
                g[j] = _within_strip(s, int(i), u)
    elif distribution == 1:
        for j in range(g.size):
            g[j] = _signed(_bits(s)) * 1.7320508075688772
    else:
        for j in range(g.size):
            u = _signed(_bits(s))
            size = -math.log(1.0 - abs(u)) * 0.7071067811865476
            g[j] = size if u > 0.0 else -size
