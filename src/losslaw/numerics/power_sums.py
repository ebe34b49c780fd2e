"""Sums of powers of whole numbers, between any two of them."""

import math

import numpy as np
from scipy.special import zeta

# Terms that are added one by one before Euler and Maclaurin take over: 4e-15 is left out.
SINGLE = 256
# Finite sums of smaller exponents are not differences of zeta functions, which would cancel.
CANCELS = 1.5


def power_sum(exponent: float, after: float, until: float) -> float:
    """``sum j^-exponent`` over ``after < j <= until``.

    Args:
        exponent: Above 1, or, where ``until`` is finite, any number above 0.
        after: A whole number, 0 or above.
        until: A whole number or infinity.

    >>> round(power_sum(2.0, 0, 2), 6), round(power_sum(2.0, 2, math.inf), 6)
    (1.25, 0.394934)
    >>> round(power_sum(1.0, 0, 10**6) - math.log(10**6), 6)
    0.577216
    """
    if after >= until:
        return 0.0
    if exponent < CANCELS and until < math.inf:
        return _finite(exponent, after, until)
    head = float(zeta(exponent, after + 1))
    return head if until == math.inf else head - float(zeta(exponent, until + 1))


def _finite(p: float, after: float, until: float) -> float:
    a = min(until, max(after, SINGLE))
    head = float((np.arange(after + 1, a + 1) ** -p).sum())
    # The integral from a to b, corrected by Euler and Maclaurin up to the third derivative.
    length = math.log(until / a)
    whole = a ** (1 - p) * (length if p == 1 else math.expm1((1 - p) * length) / (1 - p))

    def ends(x: float) -> float:
        return x**-p / 2 - p * x ** (-p - 1) / 12 + p * (p + 1) * (p + 2) * x ** (-p - 3) / 720

    return head + whole + ends(until) - ends(a)
