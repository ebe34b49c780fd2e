"""What a problem is made of: the eigenvalues of all features, and the target along each.

A spectrum is a power law, finite or endless, whose sums are zeta functions, or a list of given
numbers. Both answer the same questions, in the order of the features, largest eigenvalue first.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from losslaw.errors import InputError, expect_numbers
from losslaw.kernel.projection import drawn_features, project
from losslaw.numerics.arrays import FloatArray, finite_vector
from losslaw.numerics.magnitudes import EXPONENT
from losslaw.numerics.power_sums import power_sum

# Eigenvalues and signals of a random student, and twice the smallest excess risk.
Projected = tuple[FloatArray, FloatArray, float]


@dataclass(frozen=True)
class PowerLawSpectrum:
    """``lambda_j = j^-capacity`` and ``lambda_j theta*_j^2 = j^-(1 + source * capacity)``.

    Args:
        source: Source exponent s > 0.
        capacity: Capacity exponent beta > 1, or > 0 if there are finitely many features.
        size: Number of features, a whole number or ``math.inf``.
    """

    source: float
    capacity: float
    size: float

    @classmethod
    def checked(
        cls, source: float | None, capacity: float | None, size: float
    ) -> "PowerLawSpectrum":
        """The spectrum of what a user gave.

        Raises:
            InputError: an exponent is missing or out of range.
        """
        source, capacity = _above("source", source), _above("capacity", capacity)
        if capacity <= 1 and size == math.inf:
            raise InputError(
                f"capacity is {capacity:g}, expected a number above 1: with 1 or less infinitely"
                " many eigenvalues have no finite sum (give the ambient dimension)"
            )
        return cls(source, capacity, size)

    @property
    def signal_power(self) -> float:
        """The p of ``lambda_j theta*_j^2 = j^-p``."""
        return 1 + self.source * self.capacity

    def first(self, count: int) -> tuple[FloatArray, FloatArray]:
        """``lambda_j`` and ``lambda_j theta*_j^2`` of the first features. Shapes ``(count,)``."""
        j = np.arange(1.0, count + 1)
        return j**-self.capacity, j**-self.signal_power

    def signal_after(self, count: float) -> float:
        """``sum lambda_j theta*_j^2`` over all features but the first ``count``."""
        return power_sum(self.signal_power, count, self.size)

    def project(self, count: int, seed: int) -> Projected:
        """What a random student of ``count`` parameters sees: `losslaw.kernel.projection`."""
        drawn = drawn_features(count, self.size)
        j = np.arange(1.0, drawn + 1)
        # lambda theta*^2 = j^-(1 + s beta), so theta* = j^-((1 + s beta - beta) / 2).
        targets = j ** (-(self.signal_power - self.capacity) / 2)
        powers = self.capacity, self.signal_power + self.capacity, self.signal_power
        trace, cross, energy = (power_sum(power, drawn, self.size) for power in powers)
        return project(count, j**-self.capacity, targets, (trace, cross, energy), seed)


@dataclass(frozen=True, eq=False)
class GivenSpectrum:
    """Eigenvalues and coefficients of the target, one by one.

    Args:
        eigenvalues: ``lambda_j`` > 0, none above the one before. Shape ``(N,)``.
        targets: ``theta*_j``. Shape ``(N,)``.
    """

    eigenvalues: FloatArray
    targets: FloatArray

    @classmethod
    def checked(cls, eigenvalues: ArrayLike, targets: ArrayLike | None) -> "GivenSpectrum":
        """The spectrum of what a user gave.

        Raises:
            InputError: they are not of one length, or the eigenvalues are not positive and falling.
        """
        if targets is None:
            raise InputError("spectrum needs the targets that belong to it: give both")
        lam = finite_vector("eigenvalues", eigenvalues)
        theta = finite_vector("targets", targets, negative=True)
        if lam.size != theta.size:
            raise InputError(f"targets: {theta.size} values for {lam.size} eigenvalues")
        if not (lam > 0).all():
            raise InputError(f"eigenvalues are positive: value {int(np.argmin(lam > 0))} is 0")
        if (np.diff(lam) > 0).any():
            first = int(np.argmax(np.diff(lam) > 0)) + 1
            raise InputError(f"eigenvalues fall: value {first} is above the one before")
        return cls(lam, theta)

    @property
    def size(self) -> int:
        """Number of features."""
        return self.eigenvalues.size

    def first(self, count: int) -> tuple[FloatArray, FloatArray]:
        """``lambda_j`` and ``lambda_j theta*_j^2`` of the first features. Shapes ``(count,)``."""
        rate = self.eigenvalues[:count]
        return rate, rate * self.targets[:count] ** 2

    def signal_after(self, count: float) -> float:
        """``sum lambda_j theta*_j^2`` over all features but the first ``count``."""
        rest = slice(int(count), None)
        return float((self.eigenvalues[rest] * self.targets[rest] ** 2).sum())

    def project(self, count: int, seed: int) -> Projected:
        """What a random student of ``count`` parameters sees: `losslaw.kernel.projection`."""
        return project(count, self.eigenvalues, self.targets, (0.0, 0.0, 0.0), seed)


def _above(name: str, value: float | None) -> float:
    if value is None:
        raise InputError(f"{name} is missing: give source and capacity, or spectrum and targets")
    expect_numbers(**{name: value})
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} is {value:g}, expected a number above 0")
    EXPONENT.check(name, value)
    return float(value)
