"""Effective-rate law on one clock: the rate relative to the norm of the weights moves everything.

    v[0] = 1;  e[k] = lr[k] * v[k-1]^-h
    v[k] = v[k-1] * (1 - 2*wd*lr[k]) + 1e-6 * kappa * (1e3*lr[k])^p
    x[k] = e[k] * (B[k]/B0)^c
    S(t) = sum_{k<=t} x[k]
    L(t) = L0 + A * S(t)^-alpha + N * sum_{k<=t} (B0/B[k]) * (1e3*x[k])^a / 1e3 * K(t, k)
    K(t, k) = mean over update k of (1 + (r/q) * (S(t) - u))^-q,  u from S(k-1) to S(k)

AdamW keeps updates at the size of the learning rate whatever the size of the weights; weight decay
and growth by updates set that size; so what moves the function, makes noise and forgets it is the
effective rate ``e``. Warm-up, re-warm-up and jumps need no convention, and weight decay enters
exactly. `losslaw.laws.effective` gives the signal a clock of its own, which holds over a wider
range of peaks; this form has fewer constants, and is the one whose units can be searched.

``B`` is the batch size and ``B0`` that of the fitted runs: at one constant batch, or where it is
not known, it plays no part. A gradient summed over more sequences makes an update worth more (c: 0
for SGD, 1/2 for Adam where noise dominates its second moment, .37 in the lab's runs) and adds less
noise for that worth: the noise of a step of size x is x^2 / B.

The constants other than alpha are near-universal for AdamW in standard parametrisation (measured
on Llama-type models of 25M-400M parameters, two groups' runs). Which of them are physics is an
experiment (docs/evidence/lab.md): kappa is .9 / init_std^2 and h = 1/2 fits; p is 2 for the norm
itself, and 2.15 stands for something else that high rates do. r, q and N trade along a ridge, and
so do h, kappa, p and a: r and h stay fixed. With kappa = 0 and no weight decay the effective rate
is the rate.

The law has two recipes.

*AdamW*: the constants are near-universal, and only what the curves can tell is opened: alpha and a
always; q, the power of forgetting, where decays of one model at one peak were seen; p, the growth
of the norm, where peaks differ; c, the worth of a batch, where batches differ. Where models or
peaks differ a free q takes the blame for that.

*Free units*: another optimiser or parametrisation has the same form with other units of the
learning rate. r goes as 1/lr, kappa as 1/lr^p and N as lr^-a, so all three are searched around the
values that AdamW would have if the highest fitted peak were 1e-3, with priors many e-folds wide.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from losslaw.curves import LossCurve
from losslaw.laws.law import Law, Recipe
from losslaw.laws.parameters import Prior, amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.laws.variety import Variety, variety
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.averaged import averaged_memory, averaged_power
from losslaw.numerics.last_step import before, kernel_over_update, signal, time_left
from losslaw.numerics.memory import power_law_memory
from losslaw.numerics.weight_norm import EffectiveRate
from losslaw.schedules import Schedule

# What an e-fold of model size does to N (and to alpha: `alpha_trend`); centres .545 and 47 at 100M
# parameters. From fits to the 25M,
# 100M and 400M models; the 33M, 93M and 209M ones, not used for it, follow (N 40, 48, 57;
# validation/results/constants.md).
NOISE_TREND = 0.11
SMALLEST, LARGEST = 1e7, 3e9  # where the trends are assumed to go on; beyond, they stand still

SEEN = "fits to 25M-400M Llama-type models of two groups (PRIORS in docs/background/laws.md)"
ADAMW, FREE_UNITS = "adamw", "free units"  # the recipes by name
WIDE = "any optimiser: AdamW's constants in units of the highest peak"


@dataclass(frozen=True)
class OneClock(Law):
    """``L0 + A S^-alpha + N sum (1e3 e)^a / 1e3 (1 + (r/q) x)^-q`` in effective time.

    >>> from losslaw import Schedule
    >>> law = OneClock(L0=2.0, A=1.0, alpha=0.5, kappa=0.0)
    >>> law.predict(Schedule([1.0] * 4, weight_decay=0.0), [4]).tolist()
    [2.5]
    """

    name: ClassVar[str] = "oneclock"
    title: ClassVar[str] = "effective-rate law on one clock"
    reference: ClassVar[str] = "this project"
    uses_weight_decay: ClassVar[bool] = True
    constant_norm: ClassVar[Mapping[str, float]] = {"kappa": 0.0, "h": 0.0}
    growth: ClassVar[str] = "kappa"
    uses_batch: ClassVar[bool] = True
    in_blocks: ClassVar[bool] = True
    model_error: ClassVar[float] = 0.0020
    peak_error: ClassVar[float] = 0.006
    size_exponent: ClassVar[float] = 0.20
    alpha_trend: ClassVar[float] = -0.02

    alpha: float = shape(
        0.54,
        "decay with effective time",
        low=0.05,
        high=3.0,
        starts=(0.4, 0.8),
        prior=Prior(0.54, 0.10, source=SEEN),
    )
    kappa: float = shape(
        2500.0,
        "growth of the squared weight norm by lr^p, in 1/lr^2 at 1e-3",
        low=1e-7,
        high=1e9,
        free=False,
        prior=Prior(2500.0, 0.3, on="log", source=SEEN),
        zero=True,
    )
    a: float = shape(
        1.8,
        "power of the effective rate in the noise",
        low=0.5,
        high=4.0,
        free=False,
        prior=Prior(1.80, 0.06, source=SEEN),
    )
    q: float = shape(
        4.0 / 3.0,
        "power of forgetting",
        low=0.2,
        high=10.0,
        free=False,
        prior=Prior(4.0 / 3.0, 0.10, on="inverse", source=SEEN),
    )
    p: float = shape(
        2.15,
        "power of the rate in the growth of the norm",
        low=1.0,
        high=4.0,
        free=False,
        prior=Prior(2.15, 0.10, source=SEEN),
    )
    h: float = shape(
        0.5,
        "power of the squared norm that divides the rate",
        low=0.05,
        high=2.0,
        free=False,
        zero=True,
    )
    r: float = shape(
        245.0, "rate of forgetting, in 1/effective time", low=1e-6, high=1e9, free=False
    )
    c: float = shape(
        0.4,
        "power of the batch in what an update is worth",
        low=0.01,
        high=1.0,
        free=False,
        prior=Prior(0.4, 0.15, source="three batches of the lab; 1/2 where noise dominates Adam"),
        zero=True,
    )
    B0: float = shape(
        0.0,
        "batch of the fitted runs, in sequences; 0: batches play no part",
        low=1e-9,
        high=1e12,
        starts=(1.0,),
        free=False,
        zero=True,
    )
    A: float = amplitude("what effective time removes")
    N: float = amplitude("noise that updates inject", prior=Prior(47.0, 12.0, source=SEEN))

    @classmethod
    def priors(cls, model_size: float | None = None) -> dict[str, Prior]:
        """The priors of the fields; at a known size, alpha and N are centred on their trends."""
        known = super().priors()
        return known if model_size is None else {**known, **cls.at_trend(model_size)}

    @classmethod
    def at_trend(cls, model_size: float) -> dict[str, Prior]:
        """alpha and N of a model of this size."""
        known, far = cls.priors(), size_in_range(model_size)
        n = 47.0 * math.exp(NOISE_TREND * far)
        # Along the trend the fits of seven sizes scatter by 7 %; beyond it less is known.
        inside = SMALLEST <= model_size <= LARGEST
        return {
            "alpha": replace(known["alpha"], mean=0.545 + cls.alpha_trend * far),
            "N": replace(known["N"], mean=n, sd=(0.10 if inside else 0.25) * n),
        }

    def at_size(self, model_size: float, reference: float) -> Self:
        """alpha follows its trend; the other shapes are the same for all sizes."""
        far = size_in_range(model_size) - size_in_range(reference)
        return self.with_(alpha=max(self.alpha + self.alpha_trend * far, 0.05))

    def informed(self, schedules: Sequence[Schedule]) -> Self:
        """``B0`` is the middle batch of the runs, where all of them know theirs."""
        batches = [schedule.batch for schedule in schedules]
        known = [float(np.median(batch)) for batch in batches if batch is not None]
        return self.with_(B0=float(np.median(known))) if len(known) == len(batches) else self

    @classmethod
    def recipes(cls, curves: Sequence[LossCurve]) -> dict[str, Recipe]:
        """AdamW's constants, open where these curves can tell; and free units."""
        return {recipe.name: recipe for recipe in (adamw(curves), free_units(curves))}

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in effective time, noise not yet forgotten."""
        blocks = query.blocks
        # Where the batch plays no part, what is said of it makes no other rate.
        batch = None if self.relative_batch(blocks.batch) is None else (self.c, self.B0)
        rate = query.cached(("rate", self.h, self.kappa, self.p, batch), lambda: self.rate(blocks))
        time = np.cumsum(blocks.count * rate)
        # The first update that moves anything sees the norm at 1: its effective rate is its rate.
        seen = np.maximum(time[blocks.at - 1], query.first_rate)
        noise = query.cached(
            ("noise", self.h, self.kappa, self.p, batch, self.a, self.q, self.r),
            lambda: self.noise(rate, blocks),
        )
        return {"L0": np.ones_like(seen), "A": seen**-self.alpha, "N": noise}

    @property
    def sees_batch(self) -> bool:
        """Where that of the fitted runs is known."""
        return self.B0 > 0

    def rate(self, blocks: Blocks) -> FloatArray:
        """What each update is worth: its effective rate, and its batch's share. Shape ``(n,)``."""
        return self.effective_rate(blocks).rate * self.worth(blocks)

    def effective_rate(self, blocks: Blocks) -> EffectiveRate:
        """The effective rate of each update."""
        return EffectiveRate(
            blocks.lr, blocks.weight_decay, self.h, self.kappa, blocks.count, p=self.p,
            norm=blocks.norm,
        )  # fmt: skip

    def squared_norm(self, blocks: Blocks) -> FloatArray:
        """What the effective rate is relative to."""
        return self.effective_rate(blocks).norm

    def relative_batch(self, batch: FloatArray | None) -> FloatArray | None:
        """``B / B0``; ``None`` where the batch plays no part."""
        if batch is None or self.B0 == 0 or (batch == self.B0).all():
            return None
        return batch / self.B0

    def noise(self, rate: FloatArray, blocks: Blocks) -> FloatArray:
        """What is left of the noise injected at each effective ``rate``. Shape ``(m,)``."""
        injected = blocks.count * self.injected(rate, blocks)
        return power_law_memory(
            blocks.count * rate, injected, blocks.at, self.q, self.r / self.q, since="mean"
        )

    def injected(self, rate: FloatArray, blocks: Blocks) -> FloatArray:
        """Noise of one update at each effective ``rate``, in units of N. Shape ``(n,)``."""
        # (1e3 e)^a / 1e3: at rates near 1e-3 the amplitude then hardly depends on a.
        noise = (1e3 * rate) ** self.a / 1e3
        size = self.relative_batch(blocks.batch)
        return noise if size is None else noise / size

    def merged_loss(self, query: Query, weights: FloatArray) -> float:
        """The same of a weighted mean of models."""
        blocks = query.blocks
        rate = self.rate(blocks)
        time = blocks.count * rate
        injected = blocks.count * self.injected(rate, blocks)
        noise = averaged_memory(time, injected[None], blocks.at, weights, self.q, self.r / self.q)
        signal = averaged_power(self.signal_time(query), weights, self.alpha)
        return self.L0 + self.A * signal + self.N * float(noise[0])

    def signal_time(self, query: Query) -> FloatArray:
        """The signal's clock at the steps of a query. Shape ``(m,)``."""
        blocks = query.blocks
        time = np.cumsum(blocks.count * self.rate(blocks))
        return np.maximum(time[blocks.at - 1], query.first_rate)

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        effective, worth = self.effective_rate(blocks), self.worth(blocks)
        rate = effective.rate * worth
        time = float((blocks.count * rate).sum())
        loss, slope = signal(self.A, self.alpha, max(time, blocks.first_rate))
        kept, by_rate, _ = self.final_noise(rate, blocks)
        by_rate = by_rate + blocks.count * slope
        return self.L0 + loss + kept, effective.pull(by_rate * worth)

    def worth(self, blocks: Blocks) -> FloatArray:
        """What its batch makes of an update. Shape ``(n,)``."""
        size = self.relative_batch(blocks.batch)
        return np.ones_like(blocks.count) if size is None else size**self.c

    def final_noise(self, rate: FloatArray, blocks: Blocks) -> tuple[float, FloatArray, FloatArray]:
        """Noise left after the last update, its derivative by the effective rates, and its parts.

        Returns:
            The noise in nats, its derivative, and what each block contributes. Shapes ``(n,)``.
        """
        time = blocks.count * rate
        kept, end, start = kernel_over_update(time, time_left(time), self.q, self.r / self.q)
        # Injected noise over the rate, times the integral of the kernel.
        moves = np.where(rate > 0, rate, 1.0)
        noise = np.where(rate > 0, self.injected(moves, blocks) / moves, 0.0)
        by_time = self.N * (noise * start + before(noise * (start - end)))
        parts = self.N * noise * kept
        return float(parts.sum()), parts * (self.a - 1) / moves + blocks.count * by_time, parts


def size_in_range(model_size: float) -> float:
    """Log of the size over 100M parameters, inside the range of the trends."""
    return math.log(min(max(model_size, SMALLEST), LARGEST) / 1e8)


def adamw(curves: Sequence[LossCurve]) -> Recipe:
    """The law with AdamW's constants, open where these curves can tell."""
    seen = variety(curves)
    if seen.peaks > 1:
        return with_adamw_constants(OneClock, ["p"], seen)
    return with_adamw_constants(OneClock, ["q"] if seen.decays and seen.sizes < 2 else [], seen)


def with_adamw_constants(law: type[OneClock], opened: Sequence[str], seen: Variety) -> Recipe:
    """The recipe that searches alpha, a and what was ``opened``, and c where batches differ."""
    free = ["alpha", "a", *opened]
    if seen.batches > 1:
        free.append("c")
    usual = law.priors()
    priors: dict[str, Prior | None] = {}
    if "q" not in free:
        # The prior on N is of fits with q at this value: held, it is known as far as N is.
        priors["q"] = None
    if not seen.warmup_known:
        # Time begins somewhere else then, and alpha with L0 makes up for it.
        priors["alpha"] = replace(usual["alpha"], sd=0.20, source="no warm-up is known")
    if not seen.weight_decay_known:
        # A weight decay other than .1 is, to the norm, another kappa: .05-.2 are usual.
        priors["kappa"] = replace(usual["kappa"], sd=0.5, source="weight decay is not known")
    return Recipe(law, tuple(free), priors=priors, name=ADAMW)


def free_units(curves: Sequence[LossCurve]) -> Recipe:
    """The law where nothing is known of the optimiser but its form."""
    peak = max(curve.peak_seen for curve in curves)
    unit = 1e-3 / peak
    usual = OneClock()
    r, kappa = usual.r * unit, usual.kappa * unit**usual.p
    n = 47.0 * unit**usual.a
    seen = variety(curves)
    batch = ("c",) if seen.batches > 1 else ()
    return Recipe(
        OneClock,
        ("alpha", "kappa", "a", "q", "r", *batch),
        {"p": 2.0},
        {
            "alpha": Prior(0.54, 0.25, source=WIDE),
            "kappa": Prior(kappa, 3.0, on="log", source=WIDE),
            "a": Prior(1.8, 0.15, source=WIDE),
            "q": Prior(4.0 / 3.0, 0.15, on="inverse", source=WIDE),
            "r": Prior(r, 2.0, on="log", source=WIDE),
            "c": Prior(0.25, 0.25, source="between SGD, 0, and Adam in noise, 1/2"),
            "N": Prior(n, 3.0 * n, source=WIDE),
        },
        {
            "alpha": (0.3, 0.6, 1.0),
            "kappa": (kappa * 1e-3, kappa),
            "a": (1.8,),
            "q": (4.0 / 3.0,),
            "r": (r / 8, r, 8 * r),
            "c": (0.1,),
        },
        # Assumption: with few decays to go by it may be far off. Two SGD runs of the lab miss
        # another peak by .2 to .3 (validation/results/lab_auto.md).
        model_error=0.006 if seen.decays >= 3 else 0.02,
        peak_error=0.03,
        name=FREE_UNITS,
    )
