"""Model sizes between and beyond those fitted: amplitudes along their trends, and their errors.

    L0(P) = E + F * (P / P0)^-b,     A(P), N(P) = power laws of P

This serves every law: the term in the model size that a formula may have is part of its ``L0``.
With three sizes or more b is fitted to the irreducible losses; with two it is that of the law, give
or take .1: .25 where alpha is the same for all sizes, .20 where it has its trend (which the three
sizes of the multi-power paper's models give). Amplitudes other than L0 follow a
straight line of their log in log P, which two sizes determine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar

from losslaw.errors import InputError
from losslaw.fitting.problem import middle_size
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.interval import Interval, Level

Sized = tuple[float, Law, Uncertainty | None]

EXPONENT_SD = 0.1
# Error of a size trend an e-fold beyond the fitted sizes, and at most in the middle between two.
# Assumption: one family of three sizes and one of four is all there is to go by.
BEYOND, BETWEEN = 0.02, 0.01


# Exponents that are looked at.
EXPONENTS = np.geomspace(0.02, 1.5, 200)


@dataclass(frozen=True, eq=False, kw_only=True)
class SizeLaw:
    """``L(P) = E + F (P / P0)^-b`` through one loss of each model size.

    Attributes:
        E: What no size removes, in nats.
        F: What size ``P0`` has above that.
        b: The power.
        errors: Standard deviations of the three, in that order.
        reference: ``P0``, in parameters.
        low: The smallest size.
        high: The largest.
        weights: What each of `EXPONENTS` counts, summing to 1.
        coefficients: E and F at each of them. Shape ``(B, 2)``.
        covariances: Their covariance there. Shape ``(B, 2, 2)``.
    """

    E: float
    F: float
    b: float
    errors: tuple[float, float, float]
    reference: float
    low: float
    high: float
    weights: FloatArray
    coefficients: FloatArray
    covariances: FloatArray

    def loss(self, model_size: float) -> float:
        """Loss of a size, in nats."""
        return self.E + self.F * (model_size / self.reference) ** -self.b

    def interval(self, model_size: float, level: float) -> Interval:
        """Where the loss of a size lies: by the errors, and by how far off the size is."""
        x = math.log(model_size / self.reference)
        column = np.stack([np.ones_like(EXPONENTS), np.exp(-EXPONENTS * x)], axis=1)
        each = (column * self.coefficients).sum(axis=1)
        inside = np.einsum("bi,bij,bj->b", column, self.covariances, column)
        mean = self.weights @ each
        variance = self.weights @ (inside + (each - mean) ** 2)
        outside = max(math.log(self.low / model_size), math.log(model_size / self.high), 0.0)
        half = Level(level).quantile * math.sqrt(float(variance) + (BEYOND * outside) ** 2)
        return Interval.around(self.loss(model_size), half, level=level)


def size_law(
    sizes: Sequence[float], losses: Sequence[float], covariance: FloatArray, usual: float
) -> SizeLaw:
    """The law of size through losses that err.

    E and F follow from b by least squares. What b may be is told by how well they then fit, and by
    what is usual: ``usual`` give or take .1, which is all that two sizes have.

    Args:
        sizes: Parameters of the models, at least two different ones.
        losses: Loss of each, in nats.
        covariance: Of the losses, in nats squared. Shape ``(n, n)``.
        usual: The power that is usual.

    Raises:
        InputError: fewer than two sizes.

    >>> import numpy as np
    >>> sizes = [2.5e7, 1e8, 4e8]
    >>> law = size_law(sizes, [2.0 + (P / 1e8) ** -0.3 for P in sizes], 1e-8 * np.eye(3), 0.25)
    >>> round(law.E, 3), round(law.F, 3), round(law.b, 3), round(law.loss(1.6e9), 3)
    (2.0, 1.0, 0.3, 2.435)
    """
    if len(set(sizes)) < 2:
        raise InputError(f"a law of size needs at least two sizes, got {len(set(sizes))}")
    reference = middle_size(list(sizes))
    assert reference is not None
    x, y = np.log(np.asarray(sizes) / reference), np.asarray(losses, dtype=np.float64)
    inverse = np.linalg.inv(covariance)

    def at(b: float) -> tuple[FloatArray, FloatArray, float]:
        columns = np.stack([np.ones_like(x), np.exp(-b * x)], axis=1)
        spread = np.linalg.inv(columns.T @ inverse @ columns)
        found = spread @ columns.T @ inverse @ y
        off = y - columns @ found
        found, spread = np.asarray(found, np.float64), np.asarray(spread, np.float64)
        return found, spread, float(off @ inverse @ off) + ((b - usual) / EXPONENT_SD) ** 2

    each = [at(float(b)) for b in EXPONENTS]
    misfit = np.array([off for _, _, off in each])
    # The grid has a measure of its own; without it large powers would count too little.
    weights = np.exp(-(misfit - misfit.min()) / 2) * EXPONENTS
    weights /= weights.sum()
    best = int(np.argmin(misfit))
    low, high = EXPONENTS[max(best - 1, 0)], EXPONENTS[min(best + 1, EXPONENTS.size - 1)]
    b = float(minimize_scalar(lambda b: at(b)[2], bounds=(low, high), method="bounded").x)
    (E, F), _, _ = at(b)
    coefficients = np.stack([found for found, _, _ in each])
    covariances = np.stack([spread for _, spread, _ in each])
    means = weights @ coefficients
    spreads = weights @ (np.diagonal(covariances, axis1=1, axis2=2) + (coefficients - means) ** 2)
    of_b = float(weights @ (EXPONENTS - weights @ EXPONENTS) ** 2)
    return SizeLaw(
        E=float(E),
        F=float(F),
        b=b,
        errors=(math.sqrt(spreads[0]), math.sqrt(spreads[1]), math.sqrt(of_b)),
        reference=reference,
        low=min(sizes),
        high=max(sizes),
        weights=weights,
        coefficients=coefficients,
        covariances=covariances,
    )


def law_between(fitted: Sequence[Sized], model_size: float) -> tuple[Law, Uncertainty | None]:
    """The law of a size that was not fitted, from those that were.

    Args:
        fitted: Sizes, laws and their uncertainties, at least two.
        model_size: The size.

    Raises:
        InputError: a size more than a factor 30 beyond those fitted.
    """
    sizes = np.array([size for size, _, _ in fitted])
    low, high = float(sizes.min()), float(sizes.max())
    if not low / 30 <= model_size <= high * 30:
        raise InputError(
            f"a model of {model_size:.4g} parameters is too far from the fitted {low:.4g}.."
            f"{high:.4g} (more than a factor 30): fit a run of a size nearer to it"
        )
    logs = np.log(sizes)
    x = math.log(model_size)
    nearest = int(np.argmin(np.abs(logs - x)))
    _, law, uncertainty = fitted[nearest]
    reference = middle_size(sizes.tolist())
    assert reference is not None
    # The shapes at the reference size again, then at the new size.
    law = law.at_size(model_size, float(sizes[nearest]))
    losses = np.array([item.L0 for _, item, _ in fitted])
    b = _exponent(logs, losses, law.size_exponent) if len(fitted) > 2 else law.size_exponent
    changes: dict[str, float] = {"L0": _irreducible(logs, losses, x, b)}
    for name in law.amplitudes():
        if name == "L0":
            continue
        values = np.array([getattr(item, name) for _, item, _ in fitted])
        changes[name] = 0.0
        if (values > 0).all():
            slope, level = np.polyfit(logs, np.log(values), 1)
            changes[name] = math.exp(level + slope * x)
    moved = law.with_(**changes)
    if uncertainty is None:
        return moved, None
    spread = abs(
        _irreducible(logs, losses, x, b + EXPONENT_SD)
        - _irreducible(logs, losses, x, max(b - EXPONENT_SD, 0.02))
    )
    outside = max(math.log(low) - x, x - math.log(high), 0.0)
    gap = BEYOND * outside if outside > 0 else BETWEEN
    return moved, replace(uncertainty, size_error=math.hypot(spread / 2, gap))


def _irreducible(logs: np.ndarray, losses: np.ndarray, x: float, b: float) -> float:
    """``E + F P^-b`` through the fitted sizes by least squares, at log size ``x``."""
    middle = logs.mean()
    columns = np.column_stack([np.ones_like(logs), np.exp(-b * (logs - middle))])
    solution = np.linalg.lstsq(columns, losses, rcond=None)[0]
    return float(solution[0] + solution[1] * math.exp(-b * (x - middle)))


def _exponent(logs: np.ndarray, losses: np.ndarray, usual: float) -> float:
    """The exponent that three or more sizes show, held to .02..1.5."""
    grid = np.geomspace(0.02, 1.5, 60)
    misfit = [
        sum(
            (_irreducible(logs, losses, float(x), b) - y) ** 2
            for x, y in zip(logs, losses, strict=True)
        )
        + 1e-5 * ((b - usual) / EXPONENT_SD) ** 2
        for b in grid
    ]
    return float(grid[int(np.argmin(misfit))])
