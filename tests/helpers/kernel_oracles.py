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


def dense_averages(modes, lr, batch, average):
    """Excess risk of an average after every update, by full covariance matrices.

    Of Gaussian features in their eigenbasis: the joint covariance of iterate and average, with the
    fourth moments written out, ``E g g' C g g' = 2 C + tr(C) I`` for symmetric C.
    """
    lam = np.diag(modes.rate)
    one = np.eye(modes.rate.size)
    start = np.sqrt(modes.signal)
    own = np.outer(start, start)
    cross, mean = average.begin * own, average.begin**2 * own
    risks = []
    for eta, B, keep, add in zip(lr, batch, average.keep, average.add, strict=True):
        moves = one - eta * lam
        noise = own + (np.trace(own) + modes.floor) * one
        own = moves @ own @ moves + eta**2 / B * lam @ noise @ lam
        held = cross @ moves
        cross = keep * held + add * own
        mean = keep**2 * mean + keep * add * (held + held.T) + add**2 * own
        risks.append(0.5 * (np.trace(mean) + modes.unlearned))
    return np.array(risks)
