"""A few dozen nodes in place of any number of modes.

In the mean dynamics of `losslaw.kernel.simulate.recursion` all modes follow one law: after any
schedule ``x_j = signal_j f(lambda_j) + noise_j g(lambda_j)`` with f and g smooth in
``log lambda``. So the sum over modes is an integral of smooth functions against the measure that
counts them, and a Gauss rule does it, exactly once and for all updates. Three zones:

* the first `HEAD` modes are nodes themselves: f and g vary too much between them;
* the middle is cut into panels with whole-number ends. Each carries the Gauss rule, in ``log j``,
  of the counting measure itself: the sum over integers, not an integral that resembles it. (Rules
  for the integral stall at 4e-6 however many points they have: the first panel is too coarse.)
* the tail has hardly begun to learn, ``2 lambda t <= REACH``: f and g are near to low polynomials
  in lambda, so a Gauss rule in lambda of a few nodes reaches to infinitely many modes. Signal and
  noise weigh the tail so differently that each has its own rule.

Gauss rules come from the Lanczos iteration on a finer one: whole numbers from a to 2a are summed
by the Gauss rule of *their* counting measure, whose polynomials are known (Gram's, the discrete
Legendre polynomials), so that twelve points do for any a.
"""

import math
from functools import lru_cache

import numpy as np

from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.power_sums import power_sum

HEAD = 8
BLOCK = 12  # points of the finer rule for whole numbers from a to 2a: 1e-12 for j^-8
# Chosen by the worst error of whole runs against the full recursion, over capacities 1.2 to 4,
# sources .2 to 2, 10^3 to 10^6 modes; see `benchmarks/bench_kernel.py`.
PANEL = 128.0  # largest ratio of lambda across a panel
POINTS = 5.0  # points of a panel: this many, and so many more for each factor of 8 in lambda
POINTS_PER_FACTOR_8 = 4.3
REACH = 2.0
SIGNAL_TAIL, NOISE_TAIL = 5, 5


@lru_cache(maxsize=64)
def power_law_nodes(
    source: float, capacity: float, modes: float, time: float, head: int | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rate, signal and noise of nodes that stand for ``lambda_j = j^-capacity``, j = 1..modes.

    Args:
        source: Source exponent s.
        capacity: Capacity exponent beta.
        modes: Number of modes, possibly infinite.
        time: Intrinsic time until which the nodes are good.
        head: The first so many modes are nodes themselves; ``None``: `HEAD` of them.

    Returns:
        ``lambda``, ``sum lambda theta*^2`` and ``sum lambda^2`` of each node. Shapes ``(n,)``.
    """
    signal_power, noise_power = 1 + source * capacity, 2 * capacity
    head = int(min(HEAD if head is None else head, modes))
    j, weight = [np.arange(1.0, head + 1)], [np.ones(head)]

    # The tail begins where 2 lambda t = REACH; one that holds less than half as many modes again
    # is better counted than extrapolated.
    reach = max(2 * time / REACH, 1.0)
    beyond = math.log(reach) / capacity > 700  # all that a float can count
    tail_start = math.inf if beyond else max(float(head), float(np.ceil(reach ** (1 / capacity))))
    end = tail_start if 1.5 * tail_start < modes else float(modes)
    for low, high in _panels(head, end, capacity):
        at, count = _panel_rule(low, high, capacity)
        j.append(at)
        weight.append(count)
    at, count = np.concatenate(j), np.concatenate(weight)
    rate = [at**-capacity]
    signal, noise = [count * at**-signal_power], [count * at**-noise_power]

    if end < modes:
        for power, nodes, mine, other in (
            (signal_power, SIGNAL_TAIL, signal, noise),
            (noise_power, NOISE_TAIL, noise, signal),
        ):
            lam, mass = _tail_rule(power, capacity, end, modes, nodes)
            rate.append(lam)
            mine.append(mass)
            other.append(np.zeros(nodes))
    nodes = np.concatenate(rate), np.concatenate(signal), np.concatenate(noise)
    for array in nodes:
        array.setflags(write=False)  # shared by all who ask again
    return nodes


def gauss_rule(x: FloatArray, weight: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    """Gauss rule with ``n`` points of the discrete measure ``weight`` at ``x``.

    Lanczos on ``diag(x)`` with full reorthogonalisation: the eigenvalues of the tridiagonal matrix
    are the nodes, squared first components of its eigenvectors the weights (Golub and Welsch).
    """
    total = weight.sum()
    basis = np.empty((n, x.size))
    basis[0] = np.sqrt(weight / total)
    diagonal, off = np.empty(n), np.empty(n - 1)
    for k in range(n):
        v = x * basis[k]
        diagonal[k] = v @ basis[k]
        if k + 1 == n:
            break
        for _ in range(2):  # twice is enough (Kahan)
            v -= (basis[: k + 1] @ v) @ basis[: k + 1]
        off[k] = np.sqrt(v @ v)
        basis[k + 1] = v / off[k]
    nodes, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return nodes, total * vectors[0] ** 2


def _panels(start: float, end: float, capacity: float) -> list[tuple[float, float]]:
    """Cuts of ``start < j <= end`` at whole numbers, equal in log j."""
    if end <= start:
        return []
    count = math.ceil(max(capacity, 1) * math.log(end / start) / math.log(PANEL))
    cuts = np.round(np.geomspace(start, end, count + 1))
    cuts[-1] = end
    cuts = np.unique(cuts)
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


def _panel_rule(low: float, high: float, capacity: float) -> tuple[FloatArray, FloatArray]:
    at, count = counting_measure(low, high)
    # Below capacity 1 the weights of the modes vary more than their rates.
    factors = max(capacity, 1) * math.log(high / low) / math.log(8.0)
    n = math.ceil(POINTS + POINTS_PER_FACTOR_8 * factors)
    if at.size <= n:
        return at, count
    # Weighed by 1/j, so that the panel counts evenly in log j.
    x, mass = gauss_rule(np.log(at), count / at, n)
    at = np.exp(x)
    return at, mass * at


def counting_measure(low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Points and weights for sums over whole ``low < j <= high`` of functions smooth in log j."""
    cuts = np.unique(np.round(np.geomspace(low, high, math.ceil(math.log2(high / low)) + 1)))
    cuts[[0, -1]] = low, high
    start, m = cuts[:-1], np.diff(cuts)
    at: list[FloatArray] = []
    weight: list[FloatArray] = []
    for a, k in zip(start[m <= BLOCK].tolist(), m[m <= BLOCK].tolist(), strict=True):
        at.append(np.arange(a + 1, a + k + 1, dtype=np.float64))
        weight.append(np.ones(int(k)))
    x, w = _uniform_rules(m[m > BLOCK])
    start, m = start[m > BLOCK, None], m[m > BLOCK, None]
    at.append((start + 1 + m * x).ravel())
    weight.append((m * w).ravel())
    return np.concatenate(at), np.concatenate(weight)


def _uniform_rules(m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gauss rules of m equal weights at 0, 1/m, ..., (m - 1)/m, one a row: Gram polynomials."""
    k = np.arange(1, BLOCK)
    # From 10^5 points on Legendre's will do for all: they differ by p^2 / (24 m^2) for j^-p.
    n = np.append(m[m < 1e5], np.inf)[:, None]
    matrix = np.zeros((n.size, BLOCK, BLOCK))
    matrix[:, k, k - 1] = np.sqrt(k**2 * (1 - (k / n) ** 2) / (4 * (4 * k**2 - 1)))
    nodes, vectors = np.linalg.eigh(matrix)  # reads the lower triangle
    row = np.minimum(np.arange(m.size), n.size - 1)
    return nodes[row] + 0.5 - 0.5 / m[:, None], vectors[row, 0] ** 2


def _tail_rule(
    power: float, capacity: float, start: float, modes: float, n: int
) -> tuple[FloatArray, FloatArray]:
    """Gauss rule in lambda of the measure ``j^-power`` on ``start < j <= modes``."""
    exact = power_sum(power, start, modes)
    # Beyond `far` either no mass is left or lambda is 0, to rounding: all the rest sits there.
    far = min(modes, np.floor(start * 10 ** min(17 / max(power - 1, capacity), 250)))
    at, count = counting_measure(start, far)
    mass = count * at**-power
    at, mass = np.append(at, far), np.append(mass, max(exact - mass.sum(), 0.0))
    lam, mass = gauss_rule((at / start) ** -capacity, mass, n)
    return lam * start**-capacity, mass
