"""Every law as its formula is written: one sum over all past updates for each step asked about.

Each function takes a law and a schedule, and returns the terms of the loss after update ``t`` by
the name of their amplitude, as a function of ``t``. ``x[k - 1]`` is what the formulas call
``x[k]``. No grid, no mixture, no filter; benchmarks time the laws against these sums.
"""

from dataclasses import dataclass

import numpy as np


def since(values):
    """``values[k] + ... + values[t]`` for each k: sums of what came later, not differences."""
    return np.cumsum(values[::-1])[::-1]


def after(values):
    """``values[k+1] + ... + values[t]`` for each k."""
    return np.append(since(values)[1:], 0.0)


def signal_time(lr):
    """``S(t)`` as a function of t; at least that of the first update that moves."""
    first = next((rate for rate in lr if rate > 0), 1.0)
    return lambda t: max(float(np.sum(lr[:t])), first)


def drops(law, schedule):
    """``d[k] = lr[k-1] - lr[k]``, without those of the warm-up unless the law counts them."""
    d = np.append(0.0, schedule.lr[:-1]) - schedule.lr
    if not law.warmup_drops:
        d[: max(schedule.warmup, 1)] = 0.0
    return d


def power(values, exponent):
    """``values**exponent``, 0 where nothing has passed: what is there has no part in a sum."""
    out = np.zeros_like(values)
    out[values > 0] = values[values > 0] ** exponent
    return out


def mean_kernel(age, width, rate, q):
    """Mean of ``(1 + rate x)^-q`` over ages from ``age`` to ``age + width``, ``width > 0``."""
    begin = 1 + rate * age
    grown = np.log1p(rate * width / begin)  # log of what the end is of the beginning
    span = grown if q == 1 else np.expm1((1 - q) * grown) / (1 - q)
    return begin ** (1 - q) * span / (rate * width)


def chinchilla(law, schedule):
    def terms(t):
        seen = float(t) if schedule.batch is None else float(sum(schedule.batch[:t]))
        return {"L0": law.L0, "A": law.A * seen**-law.alpha}

    return terms


def instantaneous(law, schedule):
    lr, S = schedule.lr, signal_time(schedule.lr)

    def terms(t):
        # Within the warm-up nothing has fallen; with its ramp in the sum all fell from 0.
        peak = lr[t - 1] if t <= schedule.warmup else lr[max(schedule.warmup, 1) - 1]
        peak = 0.0 if law.warmup_drops else peak
        return {"L0": law.L0, "A": law.A * S(t) ** -law.alpha, "B": -law.B * (peak - lr[t - 1])}

    return terms


def momentum(law, schedule):
    d, S = drops(law, schedule), signal_time(schedule.lr)

    def terms(t):
        # d[k] counts lam^(i-k) in every update i from k to t: 1 + lam + ... + lam^(t-k).
        counted = np.cumsum(law.lam ** np.arange(t))[::-1]
        area = np.sum(d[:t] * counted)
        return {"L0": law.L0, "A": law.A * S(t) ** -law.alpha, "C": -law.C * area}

    return terms


def multipower(law, schedule):
    lr, d, S = schedule.lr, drops(law, schedule), signal_time(schedule.lr)

    def terms(t):
        passed = since(lr[:t])
        falls = (d[:t] != 0) & (passed > 0)
        with np.errstate(divide="ignore"):
            scaled = law.C * lr[:t][falls] ** -law.gamma * passed[falls]
        gains = np.sum(d[:t][falls] * (1 - (1 + scaled) ** -law.beta))
        return {"L0": law.L0, "A": law.A * S(t) ** -law.alpha, "B": -law.B * gains}

    return terms


def functional(law, schedule):
    lr, d, S = schedule.lr, drops(law, schedule), signal_time(schedule.lr)
    past = np.cumsum(lr)

    def terms(t):
        paid = d[:t] * (1 - (1 + law.c * after(lr[:t])) ** -law.g)
        return {
            "L0": law.L0,
            "A": law.A * S(t) ** -law.s,
            "B": -law.B * np.sum(paid[past[:t] > 0]),
            "M": -law.M * np.sum(paid * power(past[:t], -law.s)),
        }

    return terms


def convolution(law, schedule):
    lr, S = schedule.lr, signal_time(schedule.lr)
    size = np.ones_like(lr) if schedule.batch is None else schedule.batch
    past = np.cumsum(lr)

    def terms(t):
        moves = lr[:t] > 0
        own = lr[:t][moves]
        left = own**2 / size[:t][moves] * mean_kernel(after(lr[:t])[moves], own, law.c, law.q)
        return {
            "L0": law.L0,
            "A": law.A * S(t) ** -law.s,
            "N": law.N * np.sum(left),
            "M": law.M * np.sum(left * past[:t][moves] ** -law.s),
        }

    return terms


def bound(lr):
    """The schedule term of the last-iterate bound, the double sum; updates at rate 0 left out."""
    rest, squares = since(lr), since(lr**2)
    later = np.sum(lr[:-1] / rest[1:] * (1 / rest[:-1]) * squares[:-1])
    return squares[0] / (2 * rest[0]) + later / 2


def lastiterate(law, schedule):
    lr, S = schedule.lr, signal_time(schedule.lr)
    first = int(np.argmax(lr > 0)) + 1

    def terms(t):
        moved = lr[: max(t, first)]
        return {
            "L0": law.L0,
            "A": law.A * S(t) ** -law.alpha,
            "b": law.b * bound(moved[moved > 0]),
        }

    return terms


def effective(law, schedule):
    """Both clocks, update by update."""
    decay = schedule.weight_decay
    wd = np.full(schedule.horizon, 0.1) if decay is None else decay
    v, highest = 1.0, 0.0
    e, x, less = (np.empty(schedule.horizon) for _ in range(3))
    for k, lr in enumerate(schedule.lr.tolist()):
        highest = max(highest, lr)
        e[k] = lr * v**-law.h
        x[k] = lr * v**-law.hs
        if law.ramp > 0:
            x[k] *= min(1.0, (k + 1) / law.ramp)
        if law.ls > 0:
            x[k] /= 1 + (highest / law.ls) ** 2
        less[k] = (highest / 1e-3) ** -law.nm if highest > 0 else 1.0
        v = v * (1 - 2 * wd[k] * lr) + 1e-6 * law.kappa * (1e3 * lr) ** law.p
    size = np.ones(schedule.horizon)
    if schedule.batch is not None and law.B0 > 0:
        size = schedule.batch / law.B0
    e, x = e * size**law.c, x * size**law.c
    S = signal_time(x)
    injected = less * (1e3 * e) ** law.a / 1e3 / size

    def terms(t):
        moves = e[:t] > 0
        kernel = mean_kernel(after(e[:t])[moves], e[:t][moves], law.r / law.q, law.q)
        return {
            "L0": law.L0,
            "A": law.A * S(t) ** -law.alpha,
            "N": law.N * np.sum(injected[:t][moves] * kernel),
        }

    return terms


@dataclass(frozen=True)
class _OneClock:
    """A law on one clock, as the effective-rate law with what its second clock needs."""

    law: object
    ls = nm = ramp = 0.0

    def __getattr__(self, name):
        return getattr(self.law, "h" if name == "hs" else name)


def oneclock(law, schedule):
    return effective(_OneClock(law), schedule)


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
        oneclock,
        effective,
    )
}
