"""The kernel world as its formulas are written: slow, plain, and what the fast ways must give."""

import numpy as np


def mean_totals(modes, lr, batch, steps):
    """``X = sum_j x_j`` after the given numbers of updates, by the recursion as it is printed."""
    lam = modes.rate
    x = modes.signal.copy()
    totals = [x.sum()]
    for eta, B in zip(lr, batch, strict=True):
        drive = x.sum() + modes.floor
        own = modes.own_noise * lam**2 * x
        x = (1 - eta * lam) ** 2 * x + eta**2 / B * (own + modes.noise * drive)
        totals.append(x.sum())
    return np.array(totals)[steps]
