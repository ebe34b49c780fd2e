"""Last-iterate bound of convex optimisation, with a free exponent for the signal.

    L(t) = L0 + A * S(t)^-alpha + b * bound(t)
    bound(t) = (1/(2 S)) sum_{k<=t} lr[k]^2
               + 1/2 sum_{k<t} lr[k]/R(k+1) * (1/R(k)) * sum_{j>=k} lr[j]^2
    R(k) = lr[k] + ... + lr[t]

Schaipp et al., arXiv:2501.18965; the bound is Defazio et al.'s, arXiv:2310.07831.

Since ``lr[k] / (R(k) R(k+1)) = 1/R(k+1) - 1/R(k)``, summation by parts leaves

    bound(t) = 1/2 * (lr[t] + sum_{k=2}^{t} lr[k-1]^2 / R(k)),

a memory with kernel 1/x, in one pass. Updates at rate zero do not move the iterate: the bound
at such a step is that of the last update that did.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.laws.law import Law
from losslaw.laws.parameters import amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.last_step import signal, time_left
from losslaw.numerics.memory import inverse_memory


def last_iterate_bound(lr: FloatArray, steps: IntArray) -> FloatArray:
    """The bound of the module at ``steps`` (increasing, 1..n), in units of lr. Shape ``(m,)``.

    At least one rate is above zero.

    >>> import numpy as np
    >>> last_iterate_bound(np.array([1.0, 1.0]), np.array([1, 2])).round(9).tolist()
    [0.5, 1.0]
    """
    moved = lr > 0
    rates = lr[moved]
    # Before the first update that moves anything, the bound is that of the first one.
    at = np.maximum(np.cumsum(moved)[steps - 1], 1)
    asked = np.unique(at)
    sources = np.concatenate([[0.0], rates[:-1] ** 2])
    past = inverse_memory(rates, sources, asked, float(rates.min()))
    bound = (rates[asked - 1] + past) / 2.0
    return bound[np.searchsorted(asked, at)]


@dataclass(frozen=True)
class LastIterate(Law):
    """``L0 + A S^-alpha + b bound``.

    >>> from losslaw import Schedule
    >>> law = LastIterate(L0=2.0, b=1.0)
    >>> law.predict(Schedule([1.0, 1.0]), [2]).round(9).tolist()
    [3.0]
    """

    name: ClassVar[str] = "lastiterate"
    title: ClassVar[str] = "last-iterate bound"
    reference: ClassVar[str] = "Schaipp et al., arXiv:2501.18965"

    alpha: float = shape(0.5, "decay with intrinsic time", low=0.02, high=3.0, starts=(0.3, 0.8))
    A: float = amplitude("what intrinsic time removes")
    b: float = amplitude("weight of the bound's schedule term")

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in intrinsic time, schedule term of the bound."""
        time = query.seen_time
        return {
            "L0": np.ones_like(time),
            "A": time**-self.alpha,
            "b": query.cached("bound", lambda: self.bound(query)),
        }

    def bound(self, query: Query) -> FloatArray:
        """The schedule term of the bound. Shape ``(m,)``."""
        lr = query.lr if query.lr.any() else query.schedule.lr
        return last_iterate_bound(lr, query.steps)

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        lr = blocks.lr
        loss, slope = signal(self.A, self.alpha, max(float(lr.sum()), blocks.first_rate))
        last = int(np.flatnonzero(lr)[-1])  # updates at rate zero after it do not move the iterate
        moved = lr[: last + 1]
        rest = time_left(moved)[:-1]  # R(k+1) for the source lr[k]^2
        bound = (moved[-1] + float(np.sum(moved[:-1] ** 2 / rest))) / 2
        by_rate = np.zeros_like(lr)
        by_rate[:last] = moved[:-1] / rest
        by_rate[last] = 0.5
        by_rate[1 : last + 1] -= np.cumsum((moved[:-1] / rest) ** 2) / 2
        return self.L0 + loss + self.b * bound, slope + self.b * by_rate
