"""Schedules that have tried every convention, and laws with amplitudes worth testing."""

import numpy as np
from hypothesis import strategies as st

from losslaw.schedules import Schedule


def ramp(n, top=1.0):
    return top * np.arange(1, n + 1) / n


RATES = {
    "one step": np.array([1e-3]),
    "no warm-up": np.full(60, 1e-3),
    "warm-up and cosine": np.concatenate(
        [ramp(15, 1e-3), 5e-4 * (1 + np.cos(np.pi * np.arange(1, 76) / 75))]
    ),
    "lone jump after the ramp": np.concatenate([ramp(15, 1e-3), np.full(75, 3e-4)]),
    "one update at the peak": np.concatenate([ramp(15, 1e-3), [1e-3], np.full(60, 1e-4)]),
    "warm-up again": np.concatenate(
        [ramp(10, 1e-3), np.full(30, 1e-3), np.linspace(1e-3, 1e-4, 20), ramp(10, 8e-4)]
    ),
    "zero rates": np.concatenate(
        [np.zeros(2), np.full(30, 1e-3), np.zeros(20), np.full(20, 5e-4), np.zeros(10)]
    ),
    "up and down": np.random.default_rng(3).uniform(1e-5, 2e-3, 70),
}


def sound(law_class, schedule=None, **shapes):
    """A law whose terms are about .1 nats on a schedule, and its irreducible loss 2."""
    usual = Schedule(RATES["warm-up and cosine"]) if schedule is None else schedule
    law = law_class(**shapes)
    amplitudes = {}
    for name in law_class.amplitudes():
        column = law.with_(**{name: 1.0}).decompose(usual)[name]
        size = np.abs(column[usual.horizon // 4 :]).max()
        amplitudes[name] = 2.0 if (column == 1).all() else float(0.1 / size) if size else 1.0
    return law.with_(**amplitudes)


# How amplitudes and shapes follow when every learning rate is multiplied by f, the loss unchanged.
RESCALED = {
    "chinchilla": lambda law, f: {},
    "instantaneous": lambda law, f: {"A": law.A * f**law.alpha, "B": law.B / f},
    "momentum": lambda law, f: {"A": law.A * f**law.alpha, "C": law.C / f},
    "multipower": lambda law, f: {
        "A": law.A * f**law.alpha,
        "B": law.B / f,
        "C": law.C * f ** (law.gamma - 1),
    },
    "functional": lambda law, f: {
        "A": law.A * f**law.s,
        "B": law.B / f,
        "M": law.M * f ** (law.s - 1),
        "c": law.c / f,
    },
    "convolution": lambda law, f: {
        "A": law.A * f**law.s,
        "N": law.N / f**2,
        "M": law.M * f ** (law.s - 2),
        "c": law.c / f,
    },
    "lastiterate": lambda law, f: {"A": law.A * f**law.alpha, "b": law.b / f},
    "oneclock": lambda law, f: {
        "A": law.A * f**law.alpha,
        "N": law.N * f**-law.a,
        "r": law.r / f,
        "kappa": law.kappa * f**-law.p,
    },
    "effective": lambda law, f: {
        "A": law.A * f**law.alpha,
        "N": law.N * f ** (law.nm - law.a),
        "r": law.r / f,
        "kappa": law.kappa * f**-law.p,
        "ls": law.ls * f,
    },
}


@st.composite
def schedules(draw):
    pieces = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["flat", "up", "down", "zero", "noise"]),
                st.integers(1, 12),
                st.floats(1e-5, 1e-2),
            ),
            min_size=1,
            max_size=5,
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    made = {
        "flat": lambda n, top: np.full(n, top),
        "up": lambda n, top: top * np.arange(1, n + 1) / n,
        "down": lambda n, top: top * np.arange(n - 1, -1, -1) / n,
        "zero": lambda n, top: np.zeros(n),
        "noise": lambda n, top: rng.uniform(0, top, n),
    }
    lr = np.concatenate([made[kind](n, top) for kind, n, top in pieces])
    lr = lr if lr.any() else lr + 1e-3
    return Schedule(lr, batch=draw(st.one_of(st.none(), st.floats(1, 1000))))
