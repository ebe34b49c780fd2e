"""The differential equations of the papers, beside the discrete dynamics they stand for.

In intrinsic time t, with ``gamma = eta / B``, ``V = A + sigma^2`` and x_j = lambda_j m_j:

* the second moments of the SDE ``d nu = -grad R dt + sqrt(gamma Sigma) dB`` (arXiv:2509.19189,
  Section 3)::

      x_j' = -2 lambda_j x_j + gamma [c lambda_j^2 x_j + lambda_j^2 (X + V)]

* the Volterra equation of the same paper, ``f = X + A`` with ``f = g + T f``,
  ``g(t) = A + e_M(t) + sigma^2 int K_M gamma``, ``(T f)(t) = int K_M(t - z) gamma(z) f(z) dz``.
  Its kernel is a sum of exponentials, so it is the first equation with ``c = 0``: the noise that a
  mode makes for itself beyond its share of X is left out.

Both are right as equations, and neither is SGD: an update of finite size forgets
``eta lambda (2 - eta lambda)`` of a mode where the equations forget ``2 eta lambda``.
`KernelRegression.sde_gap` measures how far that carries.
"""

import numpy as np

from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.integrator import moments
from losslaw.kernel.simulate.recursion import limit
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled

# Parts of an update; X is a parabola in each. Two give 1e-5 at half the largest stable rate.
PARTS = 2


def solve(
    modes: Modes,
    lr: FloatArray,
    batch: FloatArray,
    steps: IntArray,
    *,
    own_noise: bool,
    parts: int = PARTS,
) -> tuple[FloatArray, int | None]:
    """``X`` at the end of the given updates, rate and batch constant within each.

    Args:
        modes: Modes, or nodes of a quadrature rule.
        lr: Rate of each update. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.
        steps: Increasing numbers of updates in 1..n. Shape ``(m,)``.
        own_noise: True for the moments of the SDE, False for the Volterra equation.
        parts: Steps of the solver in an update.

    Returns:
        X at the steps, shape ``(m,)``, and the first step at which it has diverged, or ``None``.
    """
    own = modes.own_noise if own_noise else 0.0
    values = _solve(
        modes.rate, modes.noise, modes.floor, own, modes.signal.copy(), lr, batch, steps, parts
    )
    diverged = ~(np.abs(values) < limit(modes))
    return values, int(steps[np.argmax(diverged)]) if diverged.any() else None


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _solve(
    rate: FloatArray,
    noise: FloatArray,
    floor: float,
    own_noise: float,
    x: FloatArray,
    lr: FloatArray,
    batch: FloatArray,
    steps: IntArray,
    parts: int,
) -> FloatArray:
    # Exponential Lobatto collocation with constant coefficients: see `integrator`.
    n = rate.size
    fade_h, fade = np.empty(n), np.empty(n)
    ch, c = np.empty((3, n)), np.empty((3, n))
    sum_h, sum_1 = np.zeros(3), np.zeros(3)
    out = np.empty(steps.size)
    row = 0
    total = x.sum()
    known_lr = known_batch = -1.0
    determinant = 1.0
    for k in range(steps[-1]):
        if lr[k] != known_lr or batch[k] != known_batch:
            known_lr, known_batch = lr[k], batch[k]
            tau, gamma = lr[k] / parts, lr[k] / batch[k]
            sum_h[:] = 0.0
            sum_1[:] = 0.0
            for j in range(n):
                lam = rate[j]
                r = lam * (2.0 - own_noise * gamma * lam)
                z = r * tau
                fade_h[j], j0, j1, j2 = moments(0.5 * z)
                g = gamma * noise[j] / r
                ch[0, j] = (j0 - 1.5 * j1 + 0.5 * j2) * g
                ch[1, j] = (2.0 * j1 - j2) * g
                ch[2, j] = 0.5 * (j2 - j1) * g
                fade[j], j0, j1, j2 = moments(z)
                c[0, j] = (j0 - 3.0 * j1 + 2.0 * j2) * g
                c[1, j] = 4.0 * (j1 - j2) * g
                c[2, j] = (2.0 * j2 - j1) * g
                for i in range(3):
                    sum_h[i] += ch[i, j]
                    sum_1[i] += c[i, j]
            determinant = (1.0 - sum_h[1]) * (1.0 - sum_1[2]) - sum_h[2] * sum_1[1]
        for _ in range(parts if lr[k] > 0.0 else 0):
            uh = u1 = 0.0
            for j in range(n):
                uh += fade_h[j] * x[j]
                u1 += fade[j] * x[j]
            y0 = total + floor
            bh = uh + floor + sum_h[0] * y0
            b1 = u1 + floor + sum_1[0] * y0
            ym = (bh * (1.0 - sum_1[2]) + sum_h[2] * b1) / determinant
            y1 = ((1.0 - sum_h[1]) * b1 + sum_1[1] * bh) / determinant
            total = 0.0
            for j in range(n):
                x[j] = fade[j] * x[j] + c[0, j] * y0 + c[1, j] * ym + c[2, j] * y1
                total += x[j]
        if steps[row] == k + 1:
            out[row] = total
            row += 1
    return out
