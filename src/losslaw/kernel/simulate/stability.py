"""When one-pass SGD is stable: exactly, and before it runs.

At constant rate and batch the recursion of `losslaw.kernel.simulate.recursion` is a matrix: a
diagonal plus rank one, with non-negative entries. Its spectral radius is below 1 exactly when ::

    F(eta) = sum_j eta lambda_j / (B [2 - (1 + c/B) eta lambda_j]) < 1

and every denominator is positive (then every diagonal entry is below 1 too). ``F`` is also the
size of the noise at rest: the excess risk of a constant rate tends to
``(A + sigma^2) F / (1 - F) / 2`` above the unlearned part.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from losslaw.numerics.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of a covariance: the large ones, and the sums of powers of all others.

    Args:
        rates: Largest eigenvalues. Shape ``(n,)``.
        tail: ``sum lambda^p`` over the others for p = 1, 2, ...; empty if there are no others.
        own_noise: ``c`` = kurtosis - 2.
    """

    rates: FloatArray
    tail: tuple[float, ...] = ()
    own_noise: float = 1.0

    def noise_feedback(self, lr: float, batch: float) -> float:
        """``F(eta)``; infinity from its first pole on."""
        curve = 1 + self.own_noise / batch
        speed = lr * self.rates
        room = 2 - curve * speed
        if room.min() <= 0:
            return np.inf
        head = (speed / room).sum()
        # eta lambda / (2 - curve eta lambda), as a power series in the small eta lambda.
        tail = sum(0.5 * lr * total * (0.5 * curve * lr) ** p for p, total in enumerate(self.tail))
        return float((head + tail) / batch)

    def largest_lr(self, batch: float) -> float:
        """The rate with ``F(eta) = 1``; every smaller one is stable, every larger one is not."""
        curve = 1 + self.own_noise / batch
        pole = 2 / (curve * self.rates.max()) if curve > 0 else np.inf
        trace = self.rates.sum() + sum(self.tail[:1])
        # F is infinite at its pole, and above its linear part eta * trace / (2 B) everywhere.
        high = min(pole, 2 * batch / trace) * (1 + 1e-9)
        root = brentq(
            lambda eta: min(self.noise_feedback(eta, batch), 2.0) - 1.0,
            0.0,
            high,
            xtol=1e-300,
            rtol=1e-15,
        )
        return float(root)
