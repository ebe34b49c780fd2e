"""Effective-rate law: the signal and the noise each on a clock of its own.

    v[0] = 1;  e[k] = lr[k] * v[k-1]^-h
    v[k] = v[k-1] * (1 - 2*wd*lr[k]) + 1e-6 * kappa * (1e3*lr[k])^p
    m[k] = max(lr[1..k])
    x[k] = lr[k] * v[k-1]^-hs * min(1, k/ramp) / (1 + (m[k]/ls)^2) * (B[k]/B0)^c
    S(t) = sum_{k<=t} x[k];  E(t) = sum_{k<=t} e[k] * (B[k]/B0)^c
    L(t) = L0 + A * S(t)^-alpha + N * sum_{k<=t} i[k] * K(t, k)
    i[k] = (B0/B[k]) * (m[k]/1e-3)^-nm * (1e3 * e[k] * (B[k]/B0)^c)^a / 1e3
    K(t, k) = mean over update k of (1 + (r/q) * (E(t) - u))^-q,  u from E(k-1) to E(k)

``v`` is the squared norm of the weights relative to its start, which AdamW sets by itself: updates
let it grow, weight decay shrinks it. Noise is made and forgotten at the rate relative to that norm,
``e``, as in `losslaw.laws.oneclock`. The signal is not: it feels the norm with a smaller power
(hs), and a high rate slows it for good (ls), by the highest rate so far and not by that of now. One
clock for both errs in opposite directions at low and at high peaks, and no single constant mends
it.

hs, ls, nm and the ramp are constants of AdamW in standard parametrisation on text, found on public
runs at peaks from 1e-4 to 3e-3, at weight decay .1; what the lab's own small runs say of them is in
docs/evidence/lab.md. With ls = 0 no rate is slowed, with ramp = 0 there is none; with these, nm = 0
and hs = h both clocks are one.

The law has two recipes. *AdamW*: alpha and a are searched; also q where three runs or more of one
peak show a decay, hs, ls and nm where one of several peaks near one another shows none, and c where
batches differ. *Loose*: the same where it is not known whether N and
q are those of AdamW on text: N is anything up to about twice its usual value, and q is searched
wherever a decay was seen.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from losslaw.curves import LossCurve
from losslaw.laws.law import Recipe
from losslaw.laws.oneclock import (
    LARGEST,
    NOISE_TREND,
    SMALLEST,
    OneClock,
    size_in_range,
    with_adamw_constants,
)
from losslaw.laws.parameters import Prior, amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.laws.variety import variety, within
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.last_step import signal
from losslaw.numerics.weight_norm import EffectiveRate
from losslaw.schedules.agreement import same_rate

# Runs of one peak from which the power of forgetting can be told.
ENOUGH_OF_A_PEAK = 3
# What only runs of several peaks tell. Where a peak shows no decay, its noise is read off what the
# peaks differ by, and is as wrong as these are: searched, the differences of three public peaks err
# by .0059 instead of .0071, with a decay of one of them by .0062 instead of .0072. Where every peak
# shows one, and over a wide range, the constants foretell further peaks better.
OF_PEAKS = ("hs", "ls", "nm")
# Peaks at which AdamW in standard parametrisation is known.
KNOWN = (5e-5, 6e-3)
SEEN = "runs at peaks 1e-4..3e-3 of 124M, and of 25M-400M (docs/background/laws.md)"
LOOSE = "loose"


@dataclass(frozen=True)
class Effective(OneClock):
    """``L0 + A S^-alpha + N sum (m/1e-3)^-nm (1e3 e)^a / 1e3 (1 + (r/q) x)^-q``, two clocks.

    >>> from losslaw import Schedule
    >>> law = Effective(L0=2.0, A=1.0, alpha=0.5, kappa=0.0, ramp=0.0, ls=0.0)
    >>> law.predict(Schedule([1.0] * 4, weight_decay=0.0), [4]).tolist()
    [2.5]
    """

    name: ClassVar[str] = "effective"
    title: ClassVar[str] = "effective-rate law"
    constant_norm: ClassVar[Mapping[str, float]] = {"kappa": 0.0, "h": 0.0, "hs": 0.0}
    peak_error: ClassVar[float] = 0.004
    alpha_trend: ClassVar[float] = -0.05

    alpha: float = shape(
        0.48,
        "decay with effective time",
        low=0.05,
        high=3.0,
        starts=(0.4, 0.7),
        prior=Prior(0.48, 0.10, source=SEEN),
    )
    q: float = shape(
        1 / 0.79,
        "power of forgetting",
        low=0.2,
        high=10.0,
        free=False,
        prior=Prior(1 / 0.79, 0.10, on="inverse", source=SEEN),
    )
    p: float = shape(
        2.0, "power of the rate in the growth of the norm", low=1.0, high=4.0, free=False
    )
    hs: float = shape(
        0.36,
        "power of the squared norm that divides the signal's rate",
        low=0.01,
        high=2.0,
        free=False,
        prior=Prior(0.36, 0.05, source=SEEN),
        zero=True,
    )
    ls: float = shape(
        3e-3,
        "highest rate so far at which the signal has half its speed; 0: none is lost",
        low=1e-6,
        high=1e3,
        free=False,
        prior=Prior(3e-3, 0.25, on="log", source=SEEN),
        zero=True,
    )
    nm: float = shape(
        0.115,
        "power by which noise falls with the highest rate so far",
        low=1e-3,
        high=2.0,
        free=False,
        prior=Prior(0.115, 0.03, source=SEEN),
        zero=True,
    )
    ramp: float = shape(
        300.0,
        "updates over which the signal's clock gets up to speed",
        low=1.0,
        high=1e5,
        free=False,
        zero=True,
    )
    N: float = amplitude("noise that updates inject", prior=Prior(45.0, 11.25, source=SEEN))

    @classmethod
    def at_trend(cls, model_size: float) -> dict[str, Prior]:
        """alpha and N of a model of this size."""
        known, far = cls.priors(), size_in_range(model_size)
        n = 45.0 * math.exp(NOISE_TREND * far)
        # Seven sizes of two corpora: 38 and 47 at 100M parameters, along the trend within 5 %.
        inside = SMALLEST <= model_size <= LARGEST
        return {
            "alpha": replace(known["alpha"], mean=0.495 + cls.alpha_trend * far),
            "N": replace(known["N"], mean=n, sd=(0.15 if inside else 0.30) * n),
        }

    @classmethod
    def recipes(cls, curves: Sequence[LossCurve]) -> dict[str, Recipe]:
        """AdamW's constants, and the same with N and q only roughly known."""
        return {recipe.name: recipe for recipe in (adamw(curves), loose(curves))}

    @classmethod
    def accepted(cls, parameters: Mapping[str, float]) -> dict[str, float]:
        """Fits saved before the signal had a clock of its own had one clock for both."""
        one = {"hs": parameters.get("h", cls.h), "ls": 0.0, "nm": 0.0, "ramp": 0.0}
        return {**one, **parameters}

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in the signal's time, noise not yet forgotten."""
        blocks = query.blocks
        effective = self.cached_norm(query)
        noise = query.cached(
            ("noise", *self._clock(blocks), self.a, self.q, self.r, self.nm),
            lambda: self.noise(effective.rate * self.worth(blocks), blocks),
        )
        seen = self.signal_time(query)
        return {"L0": np.ones_like(seen), "A": seen**-self.alpha, "N": noise}

    def _clock(self, blocks: Blocks) -> tuple[object, ...]:
        """What the clock of the noise depends on."""
        batch = None if self.relative_batch(blocks.batch) is None else (self.c, self.B0)
        return self.h, self.kappa, self.p, batch

    def cached_norm(self, query: Query) -> EffectiveRate:
        """The effective rate of each update of a query."""
        norm = (self.h, self.kappa, self.p)
        return query.cached(("norm", norm), lambda: self.effective_rate(query.blocks))

    def signal_time(self, query: Query) -> FloatArray:
        """The signal's clock at the steps of a query. Shape ``(m,)``."""
        blocks = query.blocks
        effective = self.cached_norm(query)
        highest = query.cached("highest rate", lambda: np.maximum.accumulate(blocks.lr))
        ramp = query.cached(("ramp", self.ramp), lambda: self.share_of_ramp(blocks))
        time = query.cached(
            ("signal", *self._clock(blocks), self.hs, self.ls, self.ramp),
            lambda: np.cumsum(
                blocks.count
                * self.pace(blocks.lr, effective.norm, highest, ramp)
                * self.worth(blocks)
            ),
        )
        return np.maximum(time[blocks.at - 1], self.least(query))

    def least(self, query: Query) -> float:
        """The signal's time in the first update that moves anything: none before it is less."""
        ramp = min(1.0, query.first_update / self.ramp) if self.ramp > 0 else 1.0
        return query.first_rate * ramp * float(self.slowed(np.array([query.first_rate]))[0])

    def pace(
        self, lr: FloatArray, norm: FloatArray, highest: FloatArray, ramp: FloatArray
    ) -> FloatArray:
        """The signal's time in one update, before its batch counts. Shape ``(n,)``."""
        return lr * norm**-self.hs * ramp * self.slowed(highest)

    def slowed(self, highest: FloatArray) -> FloatArray:
        """What the highest rate so far leaves of the signal's speed. Shape ``(n,)``."""
        return 1.0 / (1.0 + (highest / self.ls) ** 2) if self.ls > 0 else np.ones_like(highest)

    def share_of_ramp(self, blocks: Blocks) -> FloatArray:
        """``min(1, k / ramp)``, its mean over the updates of each block. Shape ``(n,)``."""
        if self.ramp == 0:
            return np.ones_like(blocks.count)

        def until(k: FloatArray) -> FloatArray:
            early = np.minimum(k, self.ramp)
            return early * (early + 1) / (2 * self.ramp) + k - early

        first = blocks.starts.astype(np.float64)
        share = (until(first + blocks.count) - until(first)) / blocks.count
        return np.minimum(share, 1.0)

    def injected(self, rate: FloatArray, blocks: Blocks) -> FloatArray:
        """Noise of one update, less where a higher rate has been before. Shape ``(n,)``."""
        noise = super().injected(rate, blocks)
        if self.nm == 0:
            return noise
        highest = np.maximum.accumulate(blocks.lr)
        return noise * (np.where(highest > 0, highest, 1.0) / 1e-3) ** -self.nm

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        effective, worth = self.effective_rate(blocks), self.worth(blocks)
        lr, norm = blocks.lr, effective.norm
        highest = np.maximum.accumulate(lr)
        ramp, slowed = self.share_of_ramp(blocks), self.slowed(highest)
        by_lr = norm**-self.hs * ramp * slowed * worth
        loss, slope = signal(self.A, self.alpha, float((blocks.count * lr * by_lr).sum()))
        by_pace = slope * blocks.count
        kept, by_rate, parts = self.final_noise(effective.rate * worth, blocks)
        out = effective.pull(by_rate * worth, by_norm=-self.hs * by_pace * lr * by_lr / norm)
        out = out + by_pace * by_lr
        if self.ls > 0 or self.nm > 0:
            by_highest = -self.nm * parts / np.where(highest > 0, highest, 1.0)
            if self.ls > 0:
                by_highest = by_highest - by_pace * lr * by_lr * 2 * highest / self.ls**2 * slowed
            out = out + _to_the_highest(by_highest, lr, highest)
        return self.L0 + loss + kept, out


# Rates this close, relatively, are alike: means over blocks of one rate differ by rounding.
ALIKE = 1e-12


def _to_the_highest(by_highest: FloatArray, lr: FloatArray, highest: FloatArray) -> FloatArray:
    """Derivative by the rates of what has ``by_highest`` by the highest rates so far. ``(n,)``.

    The highest rate so far is that of the first update to reach it. Where later ones are as high
    the function has a kink; this is its slope as they fall, and they are often not free to rise.
    """
    rises = np.concatenate([[False], lr[1:] > highest[:-1] * (1 + ALIKE)])
    first = np.maximum.accumulate(np.where(rises, np.arange(lr.size), 0))
    return np.bincount(first, by_highest, lr.size).astype(np.float64, copy=False)


def adamw(curves: Sequence[LossCurve]) -> Recipe:
    """The law with the constants of AdamW on text, open where these curves can tell."""
    seen = variety(curves)
    peaks = [curve.peak_seen for curve in curves]
    most = max(sum(same_rate(peak, other) for other in peaks) for peak in peaks)
    told = seen.peaks == 1 and seen.decays and seen.sizes < 2 and most >= ENOUGH_OF_A_PEAK
    opened = ["q"] if told else []
    if within(peaks, KNOWN) and seen.peaks > max(seen.decayed_peaks, 1) and not seen.wide:
        opened = list(OF_PEAKS)
    return with_adamw_constants(Effective, opened, seen)


def loose(curves: Sequence[LossCurve]) -> Recipe:
    """The same where neither N nor q need be those of AdamW on text."""
    base = adamw(curves)
    free, priors = list(base.free or ()), dict(base.priors)
    other = "other tasks and parametrisations: N from 3 to 50"
    priors["N"] = Prior(40.0, 40.0, source=other)
    if variety(curves).decays:
        if "q" not in free:
            free.append("q")
        priors["q"] = Prior(1 / 0.79, 0.2, on="inverse", source=other)
    return Recipe(Effective, tuple(free), priors=priors, name=LOOSE)
