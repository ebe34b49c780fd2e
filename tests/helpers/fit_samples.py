"""Runs and laws that the tests of fitting share."""

import numpy as np

from helpers.law_samples import sound
from losslaw.curves import LossCurve
from losslaw.laws import LAWS
from losslaw.schedules import constant, cosine, step, twostage, wsd

PEAK = 1e-3
SCHEDULES = {
    "flat": constant(peak=PEAK, horizon=1500, warmup=50, weight_decay=0.1),
    "cosine": cosine(peak=PEAK, horizon=1500, warmup=50, weight_decay=0.1),
    "two": twostage(peak=PEAK, horizon=1500, warmup=50, second=3e-4, weight_decay=0.1),
    "wsd": wsd(peak=PEAK, horizon=1500, warmup=50, cooldown=0.3, weight_decay=0.1),
    "step": step(peak=PEAK, horizon=1500, warmup=50, weight_decay=0.1),
}
# Decays pay about .1 nats in each, as in small language models; a law that is not here has its own
# starting values, and terms of about .1 nats.
TRUTHS = {
    "chinchilla": dict(L0=2.5, A=4.0, alpha=0.6),
    "instantaneous": dict(L0=2.5, A=0.3, B=100.0, alpha=0.6),
    "momentum": dict(L0=2.5, A=0.3, C=0.3, alpha=0.6),
    "multipower": dict(L0=2.5, A=0.3, B=150.0, alpha=0.6, beta=0.7, gamma=0.4, C=3.0),
    "functional": dict(L0=2.5, A=0.3, B=100.0, M=20.0, s=0.6, g=0.7, c=50.0),
    "convolution": dict(L0=2.5, A=0.3, N=5e3, M=500.0, s=0.6, q=1.3, c=100.0),
    "lastiterate": dict(L0=2.5, A=0.3, b=20.0, alpha=0.6),
    "oneclock": dict(L0=2.5, A=0.3, N=47.0),
    "effective": dict(L0=2.5, A=0.3, N=45.0),
}


def law_of(name):
    return LAWS[name](**TRUTHS[name]) if name in TRUTHS else sound(LAWS[name], SCHEDULES["wsd"])


def curves_of(law, names, *, noise=0.0, seed=0, every=15):
    """Losses of a law, every run with its own offset and noise."""
    rng = np.random.default_rng(seed)
    curves = []
    for name in names:
        schedule = SCHEDULES[name]
        steps = np.arange(every, schedule.horizon + 1, every)
        exact = law.predict(schedule, steps)
        errors = noise * (rng.normal() + rng.normal(size=steps.size))
        curves.append(LossCurve(schedule, steps, exact + errors, name))
    return curves
