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

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Stability:
    """What decides about stability: the large eigenvalues, and sums of powers of all others.

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
        """The rate with ``F(eta) = 1``; every smaller one is stable, every larger one is not.

        Raises:
            InputError: the batch is not above 0.
        """
        from scipy.optimize import brentq

        if not batch > 0:
            raise InputError(f"batch is {batch:g}, expected above 0")
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

    def check(self, lr: FloatArray, batch: FloatArray, *, numbered: bool = True) -> None:
        """Refuse a schedule with a rate above the largest stable one of its batch.

        Args:
            lr: Rate of each update. Shape ``(n,)``.
            batch: Samples in each update. Shape ``(n,)``.
            numbered: Whether these are all updates, so that the line can say which one it is.

        Raises:
            InputError: there is one; the line names it, and the largest admissible rate.
        """
        # The limit grows with the batch: one look at the smallest settles nearly every schedule.
        if lr.max() <= self.largest_lr(float(batch.min())):
            return
        # Else F, which grows with the rate and falls with the batch, decides among the pairs that
        # no other one beats in both.
        order = np.lexsort((-lr, batch))
        highest = np.maximum.accumulate(lr[order])
        first = np.concatenate([[True], lr[order][1:] > highest[:-1]])
        pairs = zip(lr[order][first].tolist(), batch[order][first].tolist(), strict=True)
        worst = max(pairs, key=lambda pair: self.noise_feedback(*pair))
        if self.noise_feedback(*worst) > 1:
            k = int(np.argmax((lr == worst[0]) & (batch == worst[1]))) + 1
            raise self._unstable(*worst, f" at update {k}" if numbered else "")

    def _unstable(self, lr: float, batch: float, where: str) -> InputError:
        return InputError(
            f"learning rate {lr:.6g}{where} is not stable: the largest admissible rate at batch"
            f" {batch:g} is {self.largest_lr(batch):.6g}"
        )

    def divergence(self, update: int, peak_lr: float, batch: float) -> str:
        """The warning of a run that diverged, its smallest batch being ``batch``."""
        return (
            f"the run diverges before update {update}: its largest rate is {peak_lr:.6g},"
            f" and the largest admissible one at batch {batch:g} is {self.largest_lr(batch):.6g}"
        )
