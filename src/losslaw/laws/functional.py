"""Functional scaling law, in the form fitted to language models: falls of the rate pay.

    L(t) = L0 + A * S(t)^-s - c2 * sum_{k<=t} d[k] * (c3 + S(k)^-s) * G(t, k)
    G(t, k) = 1 - (1 + c * (S(t) - S(k)))^-g

arXiv:2509.19189, App. B.2, eq. (30). Theory has ``g = 1 - 1/capacity`` in (0, 1) and ``c3`` about
the variance of the label noise. Written with amplitudes: ``B = c2 * c3`` (label noise) and
``M = c2`` (mini-batch noise, fed by the signal still to learn). ``S`` counts the warm-up; drops
within it are zero.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.laws.law import Law
from losslaw.laws.parameters import amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.last_step import before, from_here, past, signal, time_left
from losslaw.numerics.memory import power_law_memory


@dataclass(frozen=True)
class Functional(Law):
    """``L0 + A S^-s - sum d (B + M S^-s) (1 - (1 + c x)^-g)``, ``x`` the time since the fall.

    >>> from losslaw import Schedule
    >>> law = Functional(L0=2.0, B=1.0, g=1.0, c=1.0)
    >>> law.predict(Schedule([1.0, 0.5, 1.0]), [2]).round(9).tolist()
    [2.0]
    """

    name: ClassVar[str] = "functional"
    title: ClassVar[str] = "functional scaling law (drop form)"
    reference: ClassVar[str] = "arXiv:2509.19189, eq. (30)"
    in_blocks: ClassVar[bool] = True

    s: float = shape(
        0.5, "source: decay with intrinsic time", low=0.02, high=3.0, starts=(0.3, 0.8)
    )
    g: float = shape(0.7, "how slowly falls pay", low=0.02, high=5.0, starts=(0.3, 1.0))
    c: float = shape(100.0, "how fast falls pay", low=1e-3, high=1e6, starts=(10.0, 100.0, 1000.0))
    A: float = amplitude("signal that intrinsic time removes")
    B: float = amplitude("label noise that a unit fall of the rate removes")
    M: float = amplitude("mini-batch noise that a unit fall of the rate removes")
    warmup_drops: bool = False

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, signal, gains of past falls for either noise."""
        time = query.seen_time
        blocks = query.blocks
        drops = query.fallen(warmup_drops=self.warmup_drops)

        def gains() -> FloatArray:
            fed = past(np.cumsum(blocks.time)) ** -self.s
            noises = np.stack([drops, drops * fed])  # of labels, of mini-batches
            time, added = blocks.cut(noises, since_start=False)
            return power_law_memory(time, added, 2 * blocks.at, self.g, self.c, gain=True)

        label, batch = query.cached((self.s, self.g, self.c, self.warmup_drops), gains)
        return {"L0": np.ones_like(time), "A": time**-self.s, "B": -label, "M": -batch}

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        lr, count, time = blocks.lr, blocks.count, blocks.time
        drops = blocks.drops(warmup_drops=self.warmup_drops)
        loss, slope = signal(self.A, self.s, max(float(time.sum()), blocks.first_rate))
        # The fall into a block is in its first update: at the end of that.
        gone, left = past(before(time) + lr), time_left(time) + (time - lr)
        noise = self.B + self.M * gone**-self.s
        grown = np.log1p(self.c * left)
        gain = -np.expm1(-self.g * grown)
        by_left = drops * noise * self.g * self.c * np.exp(-(self.g + 1) * grown)
        by_gone = drops * gain * self.M * -self.s * gone ** (-self.s - 1)
        by_rate = count * (before(by_left) + from_here(by_gone) - by_gone + by_left)
        by_rate += by_gone - by_left + blocks.by_rate(noise * gain, warmup_drops=self.warmup_drops)
        return self.L0 + loss - dot(drops, noise * gain), count * slope - by_rate
