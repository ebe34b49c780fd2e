"""Every law as its formula is written: sums over updates, no grid, no mixture, no filter.

Each function takes a law, a schedule and one step, and returns the terms of the loss there by the
name of their amplitude. Arrays are 1-based here, as in the formulas: entry 0 is not used.
"""

import math

import numpy as np
from scipy.integrate import quad


def one_based(values):
    return [math.nan, *[float(value) for value in values]]


def rates(schedule):
    return one_based(schedule.lr)


def intrinsic_time(lr, t):
    return sum(lr[1 : t + 1])


def signal_time(lr, t):
    """``S(t)``, and before any time has passed that of the first update that moves."""
    first = next((rate for rate in lr[1:] if rate > 0), 1.0)
    return max(intrinsic_time(lr, t), first)


def drops(law, schedule):
    """``d[k] = lr[k-1] - lr[k]``, without those of the warm-up unless the law counts them."""
    lr = rates(schedule)
    lr[0] = 0.0
    d = [math.nan] + [lr[k - 1] - lr[k] for k in range(1, len(lr))]
    if not law.warmup_drops:
        for k in range(1, max(schedule.warmup, 1) + 1):
            d[k] = 0.0
    return d


def mean_kernel(start, end, rate, power):
    """Mean of ``(1 + rate x)^-power`` over ages from ``start`` to ``end``."""
    if end == start:
        return (1 + rate * start) ** -power
    value, _ = quad(lambda x: (1 + rate * x) ** -power, start, end, epsabs=0, epsrel=1e-12)
    return value / (end - start)


def chinchilla(law, schedule, t):
    seen = float(t) if schedule.batch is None else float(sum(schedule.batch[:t]))
    return {"L0": law.L0, "A": law.A * seen**-law.alpha}


def instantaneous(law, schedule, t):
    lr = rates(schedule)
    lr[0] = 0.0
    peak = lr[max(schedule.warmup, 1)]
    if t <= schedule.warmup:
        peak = lr[t]  # within the warm-up nothing has fallen
    if law.warmup_drops:
        peak = 0.0
    return {
        "L0": law.L0,
        "A": law.A * signal_time(lr, t) ** -law.alpha,
        "B": -law.B * (peak - lr[t]),
    }


def momentum(law, schedule, t):
    lr, d = rates(schedule), drops(law, schedule)
    area = sum(d[k] * law.lam ** (i - k) for i in range(1, t + 1) for k in range(1, i + 1))
    return {"L0": law.L0, "A": law.A * signal_time(lr, t) ** -law.alpha, "C": -law.C * area}


def multipower(law, schedule, t):
    lr, d = rates(schedule), drops(law, schedule)
    gains = 0.0
    for k in range(1, t + 1):
        since = sum(lr[k : t + 1])
        if d[k] == 0 or since == 0:
            continue
        scaled = math.inf if lr[k] == 0 else law.C * lr[k] ** -law.gamma * since
        gains += d[k] * (1 - (1 + scaled) ** -law.beta)
    return {"L0": law.L0, "A": law.A * signal_time(lr, t) ** -law.alpha, "B": -law.B * gains}


def functional(law, schedule, t):
    lr, d = rates(schedule), drops(law, schedule)
    label = batch = 0.0
    for k in range(1, t + 1):
        past = intrinsic_time(lr, k)
        if d[k] == 0 or past == 0:
            continue
        paid = d[k] * (1 - (1 + law.c * sum(lr[k + 1 : t + 1])) ** -law.g)
        label += paid
        batch += paid * past**-law.s
    return {
        "L0": law.L0,
        "A": law.A * signal_time(lr, t) ** -law.s,
        "B": -law.B * label,
        "M": -law.M * batch,
    }


def convolution(law, schedule, t):
    lr = rates(schedule)
    size = one_based(np.ones(schedule.horizon) if schedule.batch is None else schedule.batch)
    label = batch = 0.0
    for k in range(1, t + 1):
        if lr[k] == 0:
            continue
        age = sum(lr[k + 1 : t + 1])
        left = lr[k] ** 2 / size[k] * mean_kernel(age, age + lr[k], law.c, law.q)
        label += left
        batch += left * intrinsic_time(lr, k) ** -law.s
    return {
        "L0": law.L0,
        "A": law.A * signal_time(lr, t) ** -law.s,
        "N": law.N * label,
        "M": law.M * batch,
    }


def bound(lr, t):
    """The schedule term of the last-iterate bound, the double sum; updates at rate 0 left out."""
    lr = [math.nan, *[rate for rate in lr[1 : t + 1] if rate > 0]]
    t = len(lr) - 1

    def rest(k):
        return sum(lr[k : t + 1])

    out = sum(rate**2 for rate in lr[1:]) / (2 * rest(1))
    for k in range(1, t):
        later = sum(lr[j] ** 2 for j in range(k, t + 1))
        out += 0.5 * lr[k] / rest(k + 1) * (1 / rest(k)) * later
    return out


def lastiterate(law, schedule, t):
    lr = rates(schedule)
    moved = next((k for k in range(1, len(lr)) if lr[k] > 0), None)
    return {
        "L0": law.L0,
        "A": law.A * signal_time(lr, t) ** -law.alpha,
        "b": law.b * bound(lr, max(t, moved)),
    }


def effective(law, schedule, t):
    lr = rates(schedule)
    decay = schedule.weight_decay
    wd = one_based(np.full(schedule.horizon, 0.1) if decay is None else decay)
    v, e = 1.0, [math.nan]
    for k in range(1, len(lr)):
        e.append(lr[k] * v**-law.h)
        v = v * (1 - 2 * wd[k] * lr[k]) + 1e-6 * law.kappa * (1e3 * lr[k]) ** law.p
    batch = np.ones(schedule.horizon)
    if schedule.batch is not None and law.B0 > 0:
        batch = schedule.batch / law.B0
    size = one_based(batch)
    e = [e[k] * size[k] ** law.c for k in range(len(lr))]
    noise = 0.0
    for k in range(1, t + 1):
        age = sum(e[k + 1 : t + 1])
        kernel = mean_kernel(age, age + e[k], law.r / law.q, law.q)
        noise += (1e3 * e[k]) ** law.a / 1e3 / size[k] * kernel
    return {
        "L0": law.L0,
        "A": law.A * signal_time(e, t) ** -law.alpha,
        "N": law.N * noise,
    }


ORACLES = {
    function.__name__: function
    for function in (
        chinchilla,
        instantaneous,
        momentum,
        multipower,
        functional,
        convolution,
        lastiterate,
        effective,
    )
}
