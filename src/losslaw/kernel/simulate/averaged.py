"""Exact mean dynamics of averaged iterates.

The average ``a[k] = keep[k] a[k-1] + add[k] u[k]`` of a run (`losslaw.schedules.averages`) is known
before update k's samples are drawn, and one update multiplies the mean of ``u_j`` by
``1 - eta lambda_j``, whatever the past. So with ``y_j = E a_j u_j`` and ``z_j = E a_j^2`` beside
``x_j = E u_j^2`` of `losslaw.kernel.simulate.recursion`, for every mode by itself::

    h_j = (1 - eta lambda_j) y_j                                   E a_j[k-1] u_j[k]
    y_j <- keep h_j + add x_j
    z_j <- keep^2 z_j + 2 keep add h_j + add^2 x_j

and the excess risk of the average is ``(sum_j z_j + A) / 2``. Modes meet in the noise of x only: an
average does not act back on its run. Like x, y and z are ``signal f(lambda) + noise g(lambda)``, so
nodes of a quadrature rule stand for any number of modes here too.
"""

import numpy as np

from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.recursion import limit
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled
from losslaw.schedules.averages import Recursion


def run(
    modes: Modes, lr: FloatArray, batch: FloatArray, average: Recursion, steps: IntArray
) -> tuple[FloatArray, int | None]:
    """``Z = sum_j z_j`` after the given numbers of updates, exact.

    Args:
        modes: Modes, or nodes of a quadrature rule.
        lr: Rate of each update. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.
        average: How the average is kept up, for n updates or more.
        steps: Increasing numbers of updates in 1..n. Shape ``(m,)``.

    Returns:
        Z at the steps, shape ``(m,)``, and the update at which the run diverged, or ``None``; Z is
        0 at steps from there on.
    """
    x = modes.signal.copy()
    moments = x, average.begin * x, average.begin**2 * x
    totals = np.zeros(steps.size)
    last = _move(
        modes.rate, modes.noise, modes.floor, modes.own_noise, *moments,
        lr, batch, average.keep, average.add, steps, totals, limit(modes),
    )  # fmt: skip
    return totals, last or None


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _move(
    rate: FloatArray,
    noise: FloatArray,
    floor: float,
    own_noise: float,
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    lr: FloatArray,
    batch: FloatArray,
    keep: FloatArray,
    add: FloatArray,
    steps: IntArray,
    out: FloatArray,
    limit: float,
) -> int:
    total = x.sum()
    row = 0
    end = steps[-1]
    for k in range(end):
        eta, stays, comes = lr[k], keep[k], add[k]
        gain = eta * eta / batch[k] * (total + floor)
        curve = 1.0 + own_noise / batch[k]
        total = 0.0
        averaged = 0.0
        for j in range(rate.size):
            speed = eta * rate[j]
            value = x[j] + (gain * noise[j] - speed * (2.0 - curve * speed) * x[j])
            x[j] = value
            total += value
            held = y[j] - speed * y[j]
            y[j] = stays * held + comes * value
            z[j] = stays * (stays * z[j] + 2.0 * comes * held) + comes * comes * value
            averaged += z[j]
        if not total < limit:
            return k + 1
        if steps[row] == k + 1:
            out[row] = averaged
            row += 1
    return 0
