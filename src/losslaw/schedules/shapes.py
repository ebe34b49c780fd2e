"""The shapes along which a learning rate falls, and their inverses: each formula once.

A fall runs from its ``peak`` at ``z = 0`` to its ``final`` rate at ``z = 1``. Formulas take
``y = 1 - z`` as well, which keeps its digits next to the end of 10^12 updates. Beyond ``z = 1``
they go on as they were. Most shapes are a *level*, a number that goes from 1 to 0, and the rate is
``final + (peak - final) * level``; the exponential and the inverse powers are not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from losslaw.errors import InputError
from losslaw.numerics.arrays import FloatArray

Level = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, kw_only=True)
class DecayShape:
    """A way to fall from a peak to a final rate.

    Attributes:
        name: As in the text of a schedule.
        rates: The rate, from ``(z, y, peak, final)``.
        reaches: The inverse: the z at which a rate is reached, from ``(rate, peak, final)``.
        line: A change of scale in which the fall is a straight line in z, and the way back;
            ``None`` where there is none that is known beforehand.
        has_end: Whether a fall that is cut short still tells where it would have ended. Otherwise
            it is again one of its shape, with a nearer end.
        to_zero: Whether it can end at a rate of 0.

    >>> halfway = np.array([0.5])
    >>> decay_shape("exponential").rates(halfway, 1 - halfway, 1.0, 0.01).tolist()
    [0.1]
    >>> decay_shape("exponential").reaches(0.1, 1.0, 0.01)
    0.5
    """

    name: str
    rates: Callable[[FloatArray, FloatArray, float, float], FloatArray]
    reaches: Callable[[float, float, float], float]
    line: tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]] | None
    has_end: bool = False
    to_zero: bool = True

    def level(self, z: FloatArray) -> FloatArray:
        """The fall from 1 to 0."""
        return self.rates(z, 1 - z, 1.0, 0.0)


def decay_shape(name: str, exponent: float = 1.0) -> DecayShape:
    """The shape of a name.

    Args:
        name: One of `DECAYS`.
        exponent: Of the three powers, > 0; the others have none.

    Raises:
        InputError: an unknown name, or an exponent that is not above 0.
    """
    if name not in SHAPES:
        raise InputError(f"decay {name!r}, expected one of: {', '.join(DECAYS)}")
    if name in POWERS and not exponent > 0:
        raise InputError(f"exponent is {exponent:g}, expected above 0")
    return SHAPES[name](exponent)


def levelled(
    name: str, level: Level, fallen: Callable[[float], float], *, has_end: bool = False
) -> DecayShape:
    """A shape whose rate is ``final + (peak - final) * level(z, y)``.

    Args:
        name: Its name.
        level: From 1 at ``z = 0`` to 0 at ``z = 1``.
        fallen: The z at which a share of the way down is done.
        has_end: As in `DecayShape`.
    """
    return DecayShape(
        name=name,
        rates=lambda z, y, peak, final: final + (peak - final) * level(z, y),
        reaches=lambda rate, peak, final: fallen((peak - rate) / (peak - final)),
        line=(_same, _same) if name == "linear" else None,
        has_end=has_end,
    )


def _same(values: FloatArray) -> FloatArray:
    return values


# Next to its end, where z is 1 but for digits that are lost, a level is written in y. Before, the
# plain formulas are off by 1e-16 of the peak at most, and give what every script gives.
NEAR_END = 1e-6


def _cosine(z: FloatArray, y: FloatArray) -> FloatArray:
    return np.where(y > NEAR_END, (1 + np.cos(np.pi * z)) / 2, np.sin(0.5 * np.pi * y) ** 2)


def _one_minus_sqrt(z: FloatArray, y: FloatArray) -> FloatArray:
    return np.where(y > NEAR_END, 1 - np.sqrt(z), y / (1 + np.sqrt(z)))


def _one_minus_power(z: FloatArray, y: FloatArray, p: float) -> FloatArray:
    return np.where(y > NEAR_END, 1 - z**p, -np.expm1(p * np.log1p(-np.minimum(y, NEAR_END))))


def _inverse_power(name: str, exponent: float) -> DecayShape:
    """``peak * (1 + c z)**-exponent``: after 1/c of the fall, so many times as long halves it."""

    def growth(peak: float, rate: float) -> float:
        return (peak / rate) ** (1 / exponent) - 1

    return DecayShape(
        name=name,
        rates=lambda z, y, peak, final: peak * (1 + growth(peak, final) * z) ** -exponent,
        reaches=lambda rate, peak, final: growth(peak, rate) / growth(peak, final),
        line=(lambda rate: rate ** (-1 / exponent), lambda value: value**-exponent),
        to_zero=False,
    )


SHAPES: dict[str, Callable[[float], DecayShape]] = {
    "linear": lambda p: levelled("linear", lambda z, y: y, lambda d: d),
    "cosine": lambda p: levelled(
        "cosine", _cosine, lambda d: 2 / math.pi * math.asin(math.sqrt(min(d, 1.0))), has_end=True
    ),
    "exponential": lambda p: DecayShape(
        name="exponential",
        rates=lambda z, y, peak, final: peak * (final / peak) ** z,
        reaches=lambda rate, peak, final: math.log(peak / rate) / math.log(peak / final),
        line=(np.log, np.exp),
        to_zero=False,
    ),
    "1-sqrt": lambda p: levelled("1-sqrt", _one_minus_sqrt, lambda d: d**2),
    "power": lambda p: levelled(
        "power", lambda z, y: y**p, lambda d: 1 - (1 - d) ** (1 / p), has_end=True
    ),
    "1-power": lambda p: levelled(
        "1-power", lambda z, y: _one_minus_power(z, y, p), lambda d: d ** (1 / p)
    ),
    "inverse-sqrt": lambda p: _inverse_power("inverse-sqrt", 0.5),
    "inverse-power": lambda p: _inverse_power("inverse-power", p),
}
POWERS = ("power", "1-power", "inverse-power")
# What a schedule can fall along.
DECAYS = tuple(SHAPES)
# A rate that stays: no fall, but a piece of a schedule like the others.
CONSTANT = levelled("constant", lambda z, y: np.ones_like(z), lambda done: math.inf)
