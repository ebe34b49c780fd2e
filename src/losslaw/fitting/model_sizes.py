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
from dataclasses import replace

import numpy as np

from losslaw.errors import InputError
from losslaw.fitting.problem import middle_size
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law

Sized = tuple[float, Law, Uncertainty | None]

EXPONENT_SD = 0.1
# Error of a size trend an e-fold beyond the fitted sizes, and at most in the middle between two.
# Assumption: one family of three sizes and one of four is all there is to go by.
BEYOND, BETWEEN = 0.02, 0.01


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
