"""Power-law memory in O(n): sums over the past with a kernel ``(1 + a x)**-b``.

Most laws here remember the schedule through a power law of intrinsic time. A power law is a
mixture of exponentials,

    (1 + a x)^-b = a^-b / Gamma(b) * integral over log p of p^b exp(-p / a) exp(-p x),

and the trapezoid rule in log p converges exponentially: a few dozen rates p give 1e-9. So the
double sum over points and updates becomes a handful of accumulators that decay and are added to,
one pass over the schedule, with O(1) memory an update.

Three ideas make the pass cheap.

* The rates are ``p0 * 2**(j / m)``, so the decay factor of one rate is the square of the one an
  octave below. With ``u = 1 - exp(-p x)`` doubling reads ``u <- u (2 - u)``, which keeps relative
  accuracy where ``p x`` is tiny; ``m`` calls of expm1 an update serve all octaves.
* All rates below ``1 / span`` act together: the remaining geometric tail of the trapezoid sum is
  replaced by its 5-point Gauss rule, known in closed form (little q-Jacobi polynomials with b = 1).
  That is what makes exponents of 0.05 affordable.
* Updates with neither a source nor a query are skipped: exponentials of sums are products.

Rates do not depend on the source even where the scale ``a`` does (multi-power law); only the
weights do.

The pass is compiled by numba. Written in C it would need no compilation at first use; but a fit
spends .2 s of its 1.2 s in passes, a first use takes 3 to 5 s once (2 of them this pass), and C
asks for a compiler, or a wheel for every platform and Python. One language, one wheel for all: the
first use is the price.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.special import gammainccinv, gammaln, loggamma

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled

TOLERANCE = 1e-9
# With five the trapezoid rule makes the error; four would add 2e-10 to one minus the kernel.
TAIL_NODES = 5
LARGEST_EXPONENT = 20.0  # beyond it scale**-exponent leaves the range of float64
# Taylor coefficients of 1 - exp(-y), from y^2 on; divisions are slow.
C2, C3, C4, C5, C6, C7, C8 = (-((-1.0) ** n) / math.factorial(n) for n in range(2, 9))
# From when the age of a source counts: the end of its update, the start, or the mean over both.
Since = Literal["end", "start", "mean"]
END, START, MEAN = range(3)
SINCE: dict[Since, int] = {"end": END, "start": START, "mean": MEAN}


@dataclass(frozen=True)
class Mixture:
    """Exponentials whose weighted sum is ``(1 + a x)**-b`` for all scales and ages asked for.

    Attributes:
        rates: Tail rates first, then octaves upward from ``rates[TAIL_NODES]``. Shape ``(J,)``.
        bare: Weights without the factor ``a**-b * exp(-p / a)`` that depends on the scale.
        per_octave: Number of rates in an octave.
        exponent: The ``b`` of the kernel.
    """

    rates: FloatArray
    bare: FloatArray
    per_octave: int
    exponent: float

    def weights(self, scale: float) -> FloatArray:
        """Weight of each exponential for one scale. Shape ``(J,)``."""
        return self.bare * scale**-self.exponent * np.exp(-self.rates / scale)


def power_law_mixture(
    exponent: float, smallest_scale: float, largest_scale: float, span: float
) -> Mixture:
    """The mixture for an exponent in (0, 20], scales in a range, and ages up to ``span``.

    The relative error of the kernel, and of one minus the kernel, is below 1e-9 there.

    Raises:
        InputError: an exponent out of that range.

    >>> mixture = power_law_mixture(0.5, 2.0, 2.0, span=100.0)
    >>> kernel = mixture.weights(2.0) @ np.exp(-mixture.rates * 100.0)
    >>> bool(abs(kernel * 201.0**0.5 - 1) < 1e-9)
    True
    """
    if not 0 < exponent <= LARGEST_EXPONENT:
        raise InputError(
            f"a power law with exponent {exponent:g} is out of reach: expected above 0 and at most"
            f" {LARGEST_EXPONENT:g}"
        )
    m = _per_octave(exponent)
    step = math.log(2.0) / m
    # Below `floor` every exponential is smooth enough over all ages for the Gauss tail.
    floor = 1.0 / (span + 1.0 / smallest_scale)
    ceiling = largest_scale * float(gammainccinv(exponent + 1.0, 0.1 * TOLERANCE))
    octaves = max(1, math.ceil(math.log2(ceiling / floor)) + 1)
    main = floor * 2.0 ** (np.arange(octaves * m) / m)
    x, mass = _geometric_gauss(2.0 ** (-1.0 / m), exponent, TAIL_NODES)
    # The tail starts one step below the floor.
    below = floor * 2.0 ** (-1.0 / m)
    log_norm = float(gammaln(exponent))
    rates = np.concatenate([below * x, main])
    bare = np.concatenate(
        [
            step * mass * math.exp(exponent * math.log(below) - log_norm),
            step * np.exp(exponent * np.log(main) - log_norm),
        ]
    )
    return Mixture(rates, bare, m, exponent)


@lru_cache
def _per_octave(exponent: float) -> int:
    """Rates an octave for the trapezoid error ``2 |Gamma(b + 2 pi i / h)| / Gamma(b)``.

    Taken at ``b + 1``, which is the error of the slope of the kernel and the larger of the two.
    """
    b = exponent + 1.0
    m, log_error = 1, 0.0
    while 2.0 * math.exp(log_error) >= TOLERANCE:
        m += 1
        frequency = 2.0 * math.pi * m / math.log(2.0)
        log_error = float(np.real(loggamma(complex(b, frequency)))) - float(gammaln(b))
    return m


@lru_cache  # a fit asks it of one exponent for each of its curves
def _geometric_gauss(q: float, exponent: float, n: int) -> tuple[FloatArray, FloatArray]:
    """Gauss rule of the measure with mass ``q**(b k)`` at ``q**k``, k = 0, 1, 2, ...

    Its orthogonal polynomials are little q-Jacobi with parameters ``a q = q**b`` and 1; their
    three-term recurrence (Koekoek, Lesky & Swarttouw, 14.12) gives the Jacobi matrix.
    """
    aq = q**exponent
    k = np.arange(n)
    ascent = q**k * (1 - aq * q**k) ** 2 / ((1 - aq * q ** (2 * k)) * (1 - aq * q ** (2 * k + 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        descent = (aq / q) * q**k * (1 - q**k) ** 2
        descent = descent / ((1 - aq * q ** (2 * k - 1.0)) * (1 - aq * q ** (2 * k)))
    descent[0] = 0.0
    off = np.sqrt(ascent[:-1] * descent[1:])
    matrix = np.diag(ascent + descent) + np.diag(off, 1) + np.diag(off, -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return nodes, vectors[0] ** 2 / -math.expm1(exponent * math.log(q))


def power_law_memory(
    increments: FloatArray,
    sources: FloatArray,
    at: IntArray,
    exponent: float,
    scale: float | FloatArray,
    *,
    since: Since = "end",
    gain: bool = False,
) -> FloatArray:
    """Sum over past sources, forgotten by a power law of the time since.

    ``M(t) = sum_{k <= t} sources[k] * K_k``, ``K_k = (1 + scale[k] * age)**-exponent``, and with
    ``gain`` the sum of ``sources[k] * (1 - K_k)``, which keeps its relative accuracy when little
    has been forgotten. The age of source k at step t is ``S(t) - S(k)`` with ``S`` the running sum
    of ``increments``.

    Args:
        increments: Time that passes in each update, >= 0. Shape ``(n,)``.
        sources: What each update adds, any sign. Shape ``(n,)``, or ``(S, n)`` for several memories
            in one pass, which costs little more than one.
        at: Steps to ask about, increasing, in 1..n. Shape ``(m,)``.
        exponent: The power, above 0 (tested for .05 to 5).
        scale: Inverse time scale, above 0; one number, or one a source (``inf``: forgotten as soon
            as any time passes).
        since: ``end`` of update k (above), its ``start`` (the update's own time counts: age
            ``S(t) - S(k-1)``), or the ``mean`` of the kernel over the update's own time.
        gain: Sum one minus the kernel instead.

    Returns:
        ``M`` at the steps asked about. Shape ``(m,)``, or ``(S, m)``. Relative error below 1e-8 of
        the same sum over absolute sources.

    >>> import numpy as np
    >>> ones = np.ones(3)
    >>> memory = power_law_memory(ones, ones, np.array([1, 3]), exponent=1.0, scale=1.0)
    >>> bool(np.allclose(memory, [1.0, 1 + 1 / 2 + 1 / 3]))
    True
    """
    scales = np.atleast_1d(np.asarray(scale, dtype=np.float64))
    several = np.atleast_2d(sources)
    used = scales[np.isfinite(scales) & (scales.size == 1 or (several != 0).any(axis=0))]
    low, high = (float(used.min()), float(used.max())) if used.size else (1.0, 1.0)
    mixture = power_law_mixture(exponent, low, high, float(increments.sum()))
    out = _memories(increments, several, scales, at, mixture, SINCE[since], gain)
    return out if sources.ndim == 2 else out[0]


def inverse_memory(
    increments: FloatArray, sources: FloatArray, at: IntArray, smallest_age: float
) -> FloatArray:
    """Sum over past sources divided by the time since their update began.

    ``M(t) = sum_{k <= t} sources[k] / (S(t) - S(k-1))``. The kernel ``1 / x`` is the integral of
    ``exp(-p x)`` over p: the same rates as for exponent 1, up to what the smallest age can feel.

    Args:
        increments: Time that passes in each update, > 0. Shape ``(n,)``.
        sources: What each update adds. Shape ``(n,)``.
        at: Steps to ask about, increasing, in 1..n. Shape ``(m,)``.
        smallest_age: No age that occurs is smaller; > 0.

    Returns:
        ``M`` at the steps asked about. Shape ``(m,)``.

    >>> import numpy as np
    >>> memory = inverse_memory(np.ones(3), np.ones(3), np.array([3]), smallest_age=1.0)
    >>> bool(np.allclose(memory, [1 + 1 / 2 + 1 / 3]))
    True
    """
    scale = 1.0 / smallest_age
    mixture = power_law_mixture(1.0, scale, scale, float(increments.sum()))
    return _memories(increments, sources[None], np.empty(0), at, mixture, START, False)[0]


def _memories(
    increments: FloatArray,
    sources: FloatArray,
    scales: FloatArray,
    at: IntArray,
    mixture: Mixture,
    since: int,
    gain: bool,
) -> FloatArray:
    """One pass, in arrays made for it: compiled, making them is slow to compile."""
    memories, nodes = sources.shape[0], mixture.rates.size
    out = np.empty((memories, at.size))
    _scan(
        increments,
        sources,
        scales,
        at,
        mixture.rates,
        mixture.bare,
        mixture.per_octave,
        mixture.exponent,
        since,
        gain,
        np.zeros((2, memories, nodes)),
        np.zeros((2, memories)),
        np.zeros((7, nodes)),
        out,
    )
    return out


@compiled()
def _decay(x: float, rates: FloatArray, per_octave: int, u: FloatArray, e: FloatArray) -> None:
    """``u = 1 - exp(-rates * x)`` and ``e = exp(-rates * x)``, both to relative accuracy.

    The lowest rates by series or expm1, the others by doubling: ``u (2 - u)`` while u is small,
    ``e**2`` once it is not. Either form alone loses its digits at the other end.
    """
    first = TAIL_NODES + per_octave
    if rates[first - 1] * x < 0.05:
        for j in range(first):
            y = rates[j] * x
            # Taylor to y^8: the first term left out is below 1e-17 of the sum at y = 0.05.
            high = C5 + y * (C6 + y * (C7 + y * C8))
            u[j] = y * (1.0 + y * (C2 + y * (C3 + y * (C4 + y * high))))
            e[j] = 1.0 - u[j]
    else:
        for j in range(first):
            u[j] = -math.expm1(-rates[j] * x)
            e[j] = math.exp(-rates[j] * x)
    # One octave after the other; the values carried along stay out of memory, whose latency would
    # be what this loop waits for.
    for start in range(first, first + per_octave):
        j = start
        half = u[j - per_octave]
        while j < rates.size and half < 0.25:
            half = half * (2.0 - half)
            u[j] = half
            e[j] = 1.0 - half
            j += per_octave
        root = e[j - per_octave]
        # Below 1e-150 nothing can be seen of e, and denormal numbers are a hundred times slower.
        while j < rates.size and root > 1e-75:
            root = root * root
            e[j] = root
            u[j] = 1.0 - root
            j += per_octave
        while j < rates.size:
            e[j] = 0.0
            u[j] = 1.0
            j += per_octave


@compiled()
def _let_pass(z: FloatArray, total: FloatArray, gain: bool, u: FloatArray, e: FloatArray) -> None:
    """Let time pass: what is remembered decays, or (``gain``) what is forgotten approaches all."""
    for i in range(z.shape[0]):
        if gain:
            for j in range(z.shape[1]):
                z[i, j] += (total[i, j] - z[i, j]) * u[j]
        else:
            for j in range(z.shape[1]):
                z[i, j] *= e[j]


@compiled()
def _add(sources: FloatArray, k: int, w: FloatArray, to: FloatArray) -> None:
    """Add the sources of update ``k``, weighted."""
    for i in range(to.shape[0]):
        for j in range(to.shape[1]):
            to[i, j] += sources[i, k] * w[j]


@compiled()
def _add_whole(sources: FloatArray, k: int, to: FloatArray) -> None:
    """Add the sources of update ``k`` as they are."""
    for i in range(to.size):
        to[i] += sources[i, k]


@compiled()
def _clear_dust(z: FloatArray) -> None:
    """Zero what is too small to matter, before it becomes denormal and slow."""
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            if abs(z[i, j]) < 1e-250:
                z[i, j] = 0.0


@compiled()
def _move(amounts: FloatArray, to: FloatArray) -> None:
    for i in range(amounts.size):
        to[i] += amounts[i]
        amounts[i] = 0.0


@compiled(fastmath={"contract", "reassoc", "nsz"})
def _scan(
    increments: FloatArray,
    sources: FloatArray,
    scales: FloatArray,
    at: IntArray,
    rates: FloatArray,
    bare: FloatArray,
    per_octave: int,
    exponent: float,
    since: int,
    gain: bool,
    sums: FloatArray,
    apart: FloatArray,
    scratch: FloatArray,
    out: FloatArray,
) -> None:
    """The pass. Weights go in with the sources, so that each source may have its own scale.

    ``scales`` holds one a source, or one for all, or none: then ``bare`` are the weights. Loops
    over single numbers throughout: expressions of arrays would double the time to compile.
    """
    nodes = rates.size
    memories = sources.shape[0]
    # Remembered, or with `gain` forgotten, weighted sources; and all weighted sources so far.
    z, total = sums[0], sums[1]
    # Sources of infinite scale: all there at age zero, all gone after it.
    fresh, gone = apart[0], apart[1]
    # w: weights of the present scale; own: the same, averaged over the present update.
    # u, e: decay of the present increment; v, f: of the present scale.
    w, own, inverse = scratch[0], scratch[1], scratch[2]
    u, e, v, f = scratch[3], scratch[4], scratch[5], scratch[6]
    for j in range(nodes):
        inverse[j] = 1.0 / rates[j]
        if scales.size == 0:
            w[j] = bare[j]
    known = -1.0  # the increment that u, e belong to
    known_scale = -1.0
    row = 0
    waiting = 0.0  # time that has passed since z was brought up to date
    for k in range(increments.size):
        x = increments[k]
        any_source = False
        for i in range(memories):
            any_source |= sources[i, k] != 0.0
        asked = row < at.size and at[row] == k + 1
        if not any_source and not asked:
            waiting += x
            continue
        # The weights of this update's source, and a source that counts from the update's start.
        infinite = False
        if any_source:
            a = known_scale
            if scales.size > 0:
                a = scales[k] if scales.size > 1 else scales[0]
            infinite = not a < np.inf
            if a != known_scale and not infinite:
                _decay(1.0 / a, rates, per_octave, v, f)
                factor = a**-exponent
                for j in range(nodes):
                    w[j] = bare[j] * factor * f[j]
                known_scale = a
            if since != END and waiting > 0.0:
                # The source counts from inside its update: bring the past to its start.
                if waiting != known:
                    _decay(waiting, rates, per_octave, u, e)
                    known = waiting
                _let_pass(z, total, gain, u, e)
                _move(fresh, gone)
                waiting = 0.0
            if since == START:
                if infinite:
                    _add_whole(sources, k, fresh)
                else:
                    _add(sources, k, w, total if gain else z)
        # The update's own time.
        elapsed = waiting + x
        waiting = 0.0
        if elapsed > 0.0:
            if elapsed != known:
                _decay(elapsed, rates, per_octave, u, e)
                known = elapsed
            _let_pass(z, total, gain, u, e)
            _move(fresh, gone)
        # A source that counts from the update's end, or from all of it.
        if any_source and since != START:
            if infinite:
                _add_whole(sources, k, gone if since == MEAN and x > 0.0 else fresh)
            else:
                if gain:
                    _add(sources, k, w, total)
                if since == END or x == 0.0:
                    if not gain:
                        _add(sources, k, w, z)
                elif gain:
                    for j in range(nodes):
                        own[j] = w[j] * _own_gain(rates[j] * x, u[j])
                    _add(sources, k, own, z)
                else:
                    for j in range(nodes):
                        own[j] = w[j] * u[j] * inverse[j] / x
                    _add(sources, k, own, z)
        if k & 15 == 0:
            _clear_dust(z)
        # The answer after this update.
        if asked:
            for i in range(memories):
                value = gone[i] if gain else fresh[i]
                for j in range(nodes):
                    value += z[i, j]
                out[i, row] = value
            row += 1


@compiled()
def _own_gain(y: float, u: float) -> float:
    """Mean of ``1 - exp(-p age)`` over the source's own update, ``y = p x``: ``1 - u / y``."""
    if y < 1e-3:
        return y / 2.0 * (1.0 - y / 3.0 * (1.0 - y / 4.0))
    return 1.0 - u / y
