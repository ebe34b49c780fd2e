"""Exact mean dynamics of one-pass SGD, update by update.

For features with independent coordinates (Gaussian ones in any basis) the second moments of SGD
close, with no approximation. Batch ``B_k``, rate ``eta_k``, ``m_j = E (v_j - v*_j)^2``,
``X = sum_j lambda_j m_j``, unlearned part ``A``, label noise ``sigma^2``::

    m_j <- (1 - eta lambda_j)^2 m_j + eta^2/B [ c lambda_j^2 m_j + lambda_j (X + A + sigma^2) ]

with ``c = kurtosis - 2``, which is 1 for Gaussian features: the gradient noise of functional
scaling laws (arXiv:2509.19189, Section 3), ``Sigma = H d d' H + (|d|_H^2 + sigma^2) H``, with its
constants. The excess risk is ``(X + A) / 2``. Here the state is ``x_j = lambda_j m_j``.
"""

import numpy as np

from losslaw.kernel.modes import Modes
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled

# Beyond this multiple of its start the run has diverged; far from overflow, far from any excursion.
DIVERGED = 1e100


def run(
    modes: Modes, lr: FloatArray, batch: FloatArray, steps: IntArray
) -> tuple[FloatArray, int | None]:
    """``X = sum_j x_j`` after the given numbers of updates, exact.

    Args:
        modes: Modes, or nodes of a quadrature rule.
        lr: Rate of each update. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.
        steps: Increasing numbers of updates in 0..n. Shape ``(m,)``.

    Returns:
        X at the steps, shape ``(m,)``, and the update at which the run diverged, or ``None``; X
        is 0 at steps from there on.
    """
    return move(modes, modes.signal.copy(), lr, batch, steps)


def move(
    modes: Modes, x: FloatArray, lr: FloatArray, batch: FloatArray, steps: IntArray
) -> tuple[FloatArray, int | None]:
    """The same from the state ``x`` on, which is changed in place."""
    totals = np.zeros(steps.size)
    last = _move(
        modes.rate, x, modes.noise, modes.floor, modes.own_noise,
        lr, batch, steps, totals, limit(modes),
    )  # fmt: skip
    return totals, last or None


def limit(modes: Modes) -> float:
    """The sum of all modes from which on a run has diverged."""
    return DIVERGED * float(modes.signal.sum() + modes.floor)


# "reassoc" lets the sum over modes run in vector registers, a factor of four; the order is fixed by
# the compiler, so the same machine gives the same bits.
@compiled(fastmath={"reassoc", "contract", "nsz"})
def _move(
    rate: FloatArray,
    x: FloatArray,
    noise: FloatArray,
    floor: float,
    own_noise: float,
    lr: FloatArray,
    batch: FloatArray,
    steps: IntArray,
    out: FloatArray,
    limit: float,
) -> int:
    total = x.sum()
    row = 0
    while row < steps.size and steps[row] == 0:
        out[row] = total
        row += 1
    end = steps[-1]
    for k in range(end):
        eta = lr[k]
        gain = eta * eta / batch[k] * (total + floor)
        curve = 1.0 + own_noise / batch[k]
        total = 0.0
        for j in range(rate.size):
            # As a difference: 1 - eta*lambda loses the slow modes to rounding, one way, a million
            # times over.
            speed = eta * rate[j]
            value = x[j] + (gain * noise[j] - speed * (2.0 - curve * speed) * x[j])
            x[j] = value
            total += value
        if not total < limit:
            return k + 1
        if steps[row] == k + 1:
            out[row] = total
            row += 1
    return 0
