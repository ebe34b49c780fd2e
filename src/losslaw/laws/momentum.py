"""Momentum law: past falls of the learning rate, discounted, lower the loss.

    L(t) = L0 + A * S(t)^-alpha - C * S2(t)
    m[k] = lam * m[k-1] + d[k],   S2 = cumsum(m)

Tissue et al., arXiv:2408.11029, eq. (1). ``S`` counts the warm-up; drops within it are zero. The
best schedule of this law is bang-bang, and its loss goes on falling at rate zero.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.errors import InputError
from losslaw.laws.law import SLOWEST, Artefact, Law
from losslaw.laws.parameters import amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.compiled import compiled
from losslaw.numerics.last_step import signal


def annealing_area(drops: FloatArray, lam: float) -> FloatArray:
    """Past falls of the learning rate, discounted and added up: the ``S2`` of Tissue et al.

    ``m[k] = lam * m[k-1] + drops[k]`` and ``S2 = cumsum(m)``.

    Args:
        drops: Fall of the rate into each update. Shape ``(n,)``.
        lam: How much of the momentum survives an update, in [0, 1).

    Returns:
        Area after each update, in units of lr. Shape ``(n,)``.

    >>> import numpy as np
    >>> annealing_area(np.array([0.0, 1.0, 0.0]), 0.5).tolist()
    [0.0, 1.0, 1.5]
    """
    return np.cumsum(_momentum(drops, float(lam)))


# scipy.signal.lfilter is this loop, digit for digit, and takes a second to import.
@compiled()
def _momentum(drops: FloatArray, lam: float) -> FloatArray:
    out = np.empty(drops.size)
    m = 0.0
    for k in range(drops.size):
        m = lam * m + drops[k]
        out[k] = m
    return out


@dataclass(frozen=True)
class Momentum(Law):
    """``L0 + A S^-alpha - C S2``.

    >>> from losslaw import Schedule
    >>> law = Momentum(L0=2.0, A=1.0, C=1.0, alpha=0.5)
    >>> law.predict(Schedule([1.0, 1.0, 1.0, 1.0]), [4]).tolist()
    [2.5]
    """

    name: ClassVar[str] = "momentum"
    title: ClassVar[str] = "momentum law (annealing area)"
    reference: ClassVar[str] = "Tissue et al., arXiv:2408.11029"

    alpha: float = shape(0.5, "decay with the forward area", low=0.02, high=3.0, starts=(0.3, 0.8))
    lam: float = shape(
        0.999, "momentum that survives an update", low=0.9, high=0.99999, free=False, zero=True
    )
    A: float = amplitude("what intrinsic time removes")
    C: float = amplitude("gain for each unit of annealing area")
    warmup_drops: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lam >= 1:
            raise InputError(f"momentum: lam is {self.lam:g}, expected 0 or above and below 1")

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in the forward area, annealing area."""
        area = query.cached(
            ("annealing area", self.lam, self.warmup_drops),
            lambda: annealing_area(query.drops(warmup_drops=self.warmup_drops), self.lam),
        )
        time = query.seen_time
        return {
            "L0": np.ones_like(time),
            "A": time**-self.alpha,
            "C": -area[query.steps - 1],
        }

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        loss, slope = signal(self.A, self.alpha, max(float(blocks.lr.sum()), blocks.first_rate))
        # A fall into update k counts 1 + lam + ... once for every update from there on.
        later = np.arange(blocks.lr.size, 0, -1)
        log = np.log(self.lam) if self.lam > 0 else -np.inf
        weight = -np.expm1(later * log) / (1 - self.lam)
        area = dot(blocks.drops(warmup_drops=self.warmup_drops), weight)
        by_rate = blocks.by_rate(weight, warmup_drops=self.warmup_drops)
        return self.L0 + loss - self.C * area, slope - self.C * by_rate

    def artefact(self) -> Artefact:
        """Its best schedule is bang-bang."""
        return Artefact(
            sentence=f"under the {self.title} the best schedule falls to the floor at once near the"
            " end, because it goes on paying at rate zero, where nothing is learnt",
            slope=SLOWEST,
        )
