"""Exact mean dynamics of SGD with momentum: heavy ball and Nesterov's, momentum moving or not.

With the gradient g of a batch, velocity v and error u, both from 0 of v on ::

    v <- rho v + g,      u <- u - eta v                 heavy ball
                         u <- u - eta (g + rho v)       Nesterov, v the new one

The second moments close as those of SGD do (`losslaw.kernel.simulate.recursion`): with
``x = lambda E u^2``, ``y = E u v``, ``z = E v^2 / lambda`` a mode, ``s = eta lambda``,
``E g u = lambda E u^2``, ``E g v = lambda E u v`` and ``G = E g^2 / lambda``, ::

    G  = (1 + c/B) x + (X + A + sigma^2) / B            X = sum x joins the modes
    z <- rho^2 z + 2 rho y + G
    h  = rho y + x                                      E u v, v the new one
    x <- x - 2 s h + s^2 z,     y <- h - s z            heavy ball, z the new one

and for Nesterov's the same with the step ``d = rho^2 v + (1 + rho) g``, v the old one. ``rho = 0``
is SGD. Nodes of a quadrature rule stand for many modes here too.

At rest ``x = s / (B [P(s) - (1 + c/B) s])`` for each unit of ``X + A + sigma^2``, with ::

    P = 2 (1 - rho) + 2 rho s / (1 + rho)                                       heavy ball
    P = (2 (1 - rho^2) + 2 a) / (1 + rho + a),   a = rho (1 + 2 rho) s          Nesterov

whose sum over the modes is the share F of its own noise that SGD feeds back: stable below 1, before
its first pole, and for ``s < 2 (1 + rho)``, Nesterov ``s < 2 (1 + rho)/(1 + 2 rho)``. To the lowest
order in s this is SGD at the rate ``eta / (1 - rho)``; and as rho tends to 1 at a fixed effective
rate, ``F = sum x / (B [2 - (c/B) x])``, ``x = eta lambda / (1 - rho)``, is that of the papers'
stochastic differential equation. Derived here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate.recursion import limit
from losslaw.kernel.simulate.stability import Stability
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled


@dataclass(frozen=True, eq=False)
class Momentum:
    """Momentum of each update.

    Args:
        rho: How much of the velocity an update keeps, in [0, 1). Shape ``(n,)``.
        nesterov: Whether the step looks ahead.
    """

    rho: FloatArray
    nesterov: bool = False

    @classmethod
    def checked(cls, rho: ArrayLike, nesterov: bool, horizon: int) -> "Momentum":
        """The momentum that a user gave: a number, or one for each update.

        Raises:
            InputError: a value outside [0, 1), or not one for each update.
        """
        values = np.asarray(rho, dtype=np.float64)
        if values.ndim == 0:
            values = np.full(horizon, float(values))
        if values.shape != (horizon,):
            raise InputError(
                f"momentum has shape {values.shape}, expected a number or one for each of"
                f" {horizon} updates"
            )
        bad = ~((values >= 0) & (values < 1))
        if bad.any():
            k = int(np.argmax(bad))
            raise InputError(f"momentum[{k}] is {values[k]:g}, expected in [0, 1)")
        return cls(values, nesterov)

    def effective(self, lr: FloatArray) -> FloatArray:
        """How far the gradient of each update moves the iterate until the end. Shape ``(n,)``.

        ``w_k = eta_k + rho_(k+1) w_(k+1)`` for heavy ball: the rates at which plain SGD would make
        the same moves, ``eta / (1 - rho)`` but for the last ``1 / (1 - rho)`` updates. With these
        rates the functional scaling law holds as long as the velocity forgets faster than the modes
        that matter, ``eta lambda << (1 - rho)^2``, and as decays are longer than
        ``1 / (1 - rho)`` updates.
        """
        w = np.zeros(lr.size)
        ahead = 0.0  # what a unit of velocity, kept by the next update, still moves
        for k in range(lr.size - 1, -1, -1):
            rho, eta = float(self.rho[k]), float(lr[k])
            now = ahead + (eta * rho if self.nesterov else eta)
            w[k] = now + (eta if self.nesterov else 0.0)
            ahead = rho * now
        return w

    def underdamped(self, lr: FloatArray, capacity: float, modes: float) -> float:
        """How many of the ``modes``, ``j^-capacity``, swing at some update; a whole number or inf.

        Those do of ``eta lambda > (1 - sqrt(rho))^2``. As functions of lambda they are not smooth,
        so each is a node of its own.
        """
        last = np.log((lr / (1 - np.sqrt(self.rho)) ** 2).max()) / capacity
        return modes if last >= np.log(modes) else float(np.ceil(np.exp(last)))


def run(
    modes: Modes, lr: FloatArray, batch: FloatArray, momentum: Momentum, steps: IntArray
) -> tuple[FloatArray, int | None]:
    """``X = sum_j x_j`` after the given numbers of updates, exact.

    Args:
        modes: Modes, or nodes of a quadrature rule.
        lr: Rate of each update. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.
        momentum: Of each update.
        steps: Increasing numbers of updates in 1..n. Shape ``(m,)``.

    Returns:
        X at the steps, shape ``(m,)``, and the update at which the run diverged, or ``None``; X
        is 0 at steps from there on.
    """
    totals = np.zeros(steps.size)
    last = _move(
        modes.rate, modes.noise / modes.rate**2, modes.floor, modes.own_noise,
        modes.signal.copy(), lr, batch, momentum.rho, momentum.nesterov,
        steps, totals, limit(modes),
    )  # fmt: skip
    return totals, last or None


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _move(
    rate: FloatArray,
    count: FloatArray,
    floor: float,
    own_noise: float,
    x: FloatArray,
    lr: FloatArray,
    batch: FloatArray,
    rho: FloatArray,
    nesterov: bool,
    steps: IntArray,
    out: FloatArray,
    limit: float,
) -> int:
    y, z = np.zeros(rate.size), np.zeros(rate.size)
    total = x.sum()
    row = 0
    for k in range(steps[-1]):
        eta, r = lr[k], rho[k]
        drive = (total + floor) / batch[k]
        curve = 1.0 + own_noise / batch[k]
        # d = a v + b g is the step, v the old velocity; v' = r v + g the new one.
        a, b = (r * r, 1.0 + r) if nesterov else (r, 1.0)
        total = 0.0
        for j in range(rate.size):
            s = eta * rate[j]
            G = curve * x[j] + count[j] * drive
            dd = a * a * z[j] + 2.0 * a * b * y[j] + b * b * G
            dv = a * r * z[j] + (a + b * r) * y[j] + b * G
            h = r * y[j] + x[j]
            z[j] = r * r * z[j] + 2.0 * r * y[j] + G
            value = x[j] - s * (2.0 * (a * y[j] + b * x[j]) - s * dd)
            y[j] = h - s * dv
            x[j] = value
            total += value
        if not total < limit:
            return k + 1
        if steps[row] == k + 1:
            out[row] = total
            row += 1
    return 0


def feedback(
    stability: Stability, lr: float, batch: float, rho: float, *, nesterov: bool = False
) -> float:
    """``F``, the share of its own noise that SGD with momentum feeds back; infinite if unstable."""
    kappa = 1 + stability.own_noise / batch
    s = lr * stability.rates
    b = rho * (1 + 2 * rho) if nesterov else 0.0
    if s.max() >= 2 * (1 + rho) / (1 + 2 * rho if nesterov else 1):
        return np.inf
    if nesterov:
        room = (2 * (1 - rho**2) + 2 * b * s) / (1 + rho + b * s) - kappa * s
        first = 2 * b * rho / (1 + rho)
        second = -first * b / (1 + rho)
    else:
        first, second = 2 * rho / (1 + rho), 0.0
        room = 2 * (1 - rho) + (first - kappa) * s
    if room.min() <= 0:
        return np.inf
    # The tail, in powers of eta lambda / (1 - rho), small there: three do for all digits.
    start = 2 * (1 - rho)
    first, second = (first - kappa) / start, second / start
    series = (1.0, -first, first**2 - second)
    tail = sum(c * lr ** (p + 1) * total / start for p, (c, total) in
               enumerate(zip(series, stability.tail, strict=False)))  # fmt: skip
    return float(((s / room).sum() + tail) / batch)


def largest_lr(stability: Stability, batch: float, rho: float, *, nesterov: bool = False) -> float:
    """The largest stable rate at constant momentum: the root of ``F = 1``, by bisection."""
    low, high = 0.0, 4.0 / float(stability.rates.max())
    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if feedback(stability, middle, batch, rho, nesterov=nesterov) < 1:
            low = middle
        else:
            high = middle
    return low


# Updates that are looked at: those of the highest rates, effective or not.
LOOKED_AT = 200


def check_with_momentum(
    stability: Stability, lr: FloatArray, batch: FloatArray, momentum: Momentum
) -> None:
    """Refuse a schedule with an update that would not be stable if it were repeated for ever.

    Raises:
        InputError: there is one; the line names it, and the largest admissible rate there.
    """
    rho, nesterov = momentum.rho, momentum.nesterov
    effective = lr / ((1 - rho) * batch)
    places = np.concatenate([np.argsort(-effective)[:LOOKED_AT], np.argsort(-lr)[:LOOKED_AT]])
    triples = {(float(lr[k]), float(batch[k]), float(rho[k])): int(k) for k in places}
    worst = max(triples, key=lambda at: feedback(stability, *at, nesterov=nesterov))
    if feedback(stability, *worst, nesterov=nesterov) > 1:
        eta, size, r = worst
        largest = largest_lr(stability, size, r, nesterov=nesterov)
        raise InputError(
            f"learning rate {eta:.6g} at update {triples[worst] + 1} with momentum {r:g} is not"
            f" stable: the largest admissible rate at batch {size:g} is {largest:.6g}"
        )
