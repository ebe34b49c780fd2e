"""Multi-power law: every fall of the rate pays, slowly, by a power law of the time since.

    L(t) = L0 + A * S(t)^-alpha - B * sum_{k<=t} d[k] * (1 - (1 + C * lr[k]^-gamma * S_k(t))^-beta)
    S_k(t) = lr[k] + ... + lr[t]

Luo et al., arXiv:2503.12811, eqs. (1)-(3). ``S`` counts the warm-up. The paper's evaluator lets the
ramp of the warm-up into the sum as negative drops; that moves L0 by .1-.16 nats, so it is a choice
said out loud: ``warmup_drops``. Without it (our default) the warm-up counts through ``S`` only.

A whole fall is scored at the rate after it, so two falls in one jump pay more than two small ones,
and the best schedule is a staircase.

Degenerate corners: for beta -> 0 only the product B * beta is determined; C trades with gamma
whenever the rates seen are few; gamma >= 1 pays for falls to rate zero without any progress.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.laws.law import SLOWEST, Artefact, Law
from losslaw.laws.parameters import amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.last_step import signal, time_left
from losslaw.numerics.memory import power_law_memory


@dataclass(frozen=True)
class MultiPower(Law):
    """``L0 + A S^-alpha - B sum d (1 - (1 + C lr^-gamma S_k)^-beta)``.

    >>> from losslaw import Schedule
    >>> law = MultiPower(L0=2.0, B=1.0, beta=1.0, C=1.0, gamma=0.5)
    >>> law.predict(Schedule([1.0, 1.0, 0.25]), [3]).round(9).tolist()
    [1.75]
    """

    name: ClassVar[str] = "multipower"
    title: ClassVar[str] = "multi-power law"
    reference: ClassVar[str] = "Luo et al., arXiv:2503.12811"
    jumps: ClassVar[bool] = True

    alpha: float = shape(0.5, "decay with intrinsic time", low=0.02, high=3.0, starts=(0.3, 0.6))
    beta: float = shape(0.6, "how slowly falls pay", low=0.02, high=5.0, starts=(0.3, 1.0))
    gamma: float = shape(
        0.6, "how much faster falls to low rates pay", low=0.01, high=0.999, starts=(0.2, 0.6)
    )
    C: float = shape(2.0, "how fast falls pay", low=1e-3, high=1e4, starts=(0.5, 3.0, 20.0))
    A: float = amplitude("what intrinsic time removes")
    B: float = amplitude("gain for each unit of rate that falls, in the end")
    warmup_drops: bool = False

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in intrinsic time, gains of past falls."""
        time = query.seen_time
        return {
            "L0": np.ones_like(time),
            "A": time**-self.alpha,
            "B": -query.cached(
                ("multipower", self.beta, self.gamma, self.C, self.warmup_drops),
                lambda: self.gains(query),
            ),
        }

    def gains(self, query: Query) -> FloatArray:
        """``sum_{k<=t} d[k] (1 - (1 + C lr[k]^-gamma S_k(t))^-beta)``. Shape ``(m,)``."""
        blocks = query.blocks
        drops = query.fallen(warmup_drops=self.warmup_drops)
        scale = np.full_like(drops, np.inf)  # a fall to rate zero pays as soon as time passes
        falls = (drops != 0) & (blocks.lr > 0)
        scale[falls] = self.C * blocks.lr[falls] ** -self.gamma
        time, added = blocks.cut(drops, since_start=True)
        return power_law_memory(
            time, added, 2 * blocks.at, self.beta, np.repeat(scale, 2), gain=True
        )

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        lr = blocks.lr
        loss, slope = signal(self.A, self.alpha, max(float(lr.sum()), blocks.first_rate))
        drops = blocks.drops(warmup_drops=self.warmup_drops)
        rest = time_left(lr) + lr  # S_k(T), the update's own time included
        moves = lr > 0
        scale = self.C * np.where(moves, lr, 1.0) ** -self.gamma
        grown = np.log1p(scale * rest)
        gain = np.where(moves, -np.expm1(-self.beta * grown), (rest > 0) * 1.0)
        # d gain / d x at x = scale * rest; a fall to rate zero has paid all, whatever comes later.
        by_x = np.where(moves, self.beta * np.exp(-(self.beta + 1) * grown), 0.0)
        by_rest = drops * by_x * scale
        own = -self.gamma * by_rest * rest / np.where(moves, lr, 1.0)
        by_rate = blocks.by_rate(gain, warmup_drops=self.warmup_drops) + np.cumsum(by_rest) + own
        return self.L0 + loss - self.B * dot(drops, gain), slope - self.B * by_rate

    def artefact(self) -> Artefact:
        """Its best schedule is a staircase, or for gamma >= 1 a fall that nothing follows."""
        if self.gamma >= 1:
            return Artefact(
                sentence=f"with gamma = {self.gamma:g} the {self.title} pays for a fall to rate"
                " zero before any update is done there",
                slope=SLOWEST,
            )
        return Artefact(
            sentence=f"the {self.title} scores a whole fall at the rate after it, so its best"
            " schedule is a staircase of a few jumps; no run that it was published with has such"
            " jumps"
        )
