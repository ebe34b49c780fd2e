"""Instantaneous law: the loss falls with the rate, at once and as far.

    L(t) = L0 + A * S(t)^-alpha - B * (peak - lr[t])

What the momentum law becomes for ``lam -> 0``; a baseline of Luo et al., arXiv:2503.12811. It pays
for a rate of zero as soon as it is reached, whatever was learnt on the way.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.laws.law import SLOWEST, Artefact, Law
from losslaw.laws.parameters import amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.last_step import signal


@dataclass(frozen=True)
class Instantaneous(Law):
    """``L0 + A S^-alpha - B (peak - lr)``, the peak being the rate at the end of the warm-up.

    >>> from losslaw import Schedule
    >>> law = Instantaneous(L0=2.0, B=1.0)
    >>> law.predict(Schedule([1.0, 1.0, 0.25]), [3]).tolist()
    [1.25]
    """

    name: ClassVar[str] = "instantaneous"
    title: ClassVar[str] = "instantaneous law"
    reference: ClassVar[str] = "Luo et al., arXiv:2503.12811"
    model_error: ClassVar[float] = 0.018

    alpha: float = shape(0.5, "decay with intrinsic time", low=0.02, high=3.0, starts=(0.3, 0.8))
    A: float = amplitude("what intrinsic time removes")
    B: float = amplitude("gain for each unit that the rate has fallen")
    warmup_drops: bool = False

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in intrinsic time, fall of the rate since the peak."""
        fall = np.cumsum(query.fallen(warmup_drops=self.warmup_drops))
        time = query.seen_time
        return {
            "L0": np.ones_like(time),
            "A": time**-self.alpha,
            "B": -fall[query.blocks.at - 1],
        }

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        loss, slope = signal(self.A, self.alpha, max(float(blocks.lr.sum()), blocks.first_rate))
        fall = float(blocks.drops(warmup_drops=self.warmup_drops).sum())
        paid = blocks.by_rate(np.ones(blocks.lr.size), warmup_drops=self.warmup_drops)
        return self.L0 + loss - self.B * fall, slope - self.B * paid

    def artefact(self) -> Artefact:
        """Its best schedule jumps to the floor at the last update."""
        return Artefact(
            sentence=f"under the {self.title} the best schedule falls to the floor at once at the"
            " last update, because it goes on paying at rate zero, where nothing is learnt",
            slope=SLOWEST,
        )
