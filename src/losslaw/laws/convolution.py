"""Functional scaling law, convolution form: noise is injected by every update and forgotten.

    L(t) = L0 + A * S(t)^-s + N * sum_{k<=t} (lr[k]^2 / B[k]) * (c3 + S(k)^-s) * K(t, k)
    K(t, k) = mean over update k of (1 + c * (S(t) - u))^-q,  u from S(k-1) to S(k)

arXiv:2509.19189, Sec. 4; theory has ``q = 2 - 1/capacity`` in (1, 2). The kernel is integrated
inside each update: sampled at the middle it is another, worse law. No convention for warm-up is
needed: the form has no drops. ``B`` is the batch where it is known, 1 otherwise. Written with
amplitudes: ``N * c3`` is called ``N`` (label noise), and ``N`` alone ``M`` (mini-batch noise).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.laws.law import Law
from losslaw.laws.parameters import amplitude, shape
from losslaw.laws.query import Query
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.memory import power_law_memory


@dataclass(frozen=True)
class Convolution(Law):
    """``L0 + A S^-s + sum lr^2 / B (N + M S^-s) (1 + c x)^-q``, ``x`` the time since the update.

    >>> from losslaw import Schedule
    >>> law = Convolution(L0=2.0, A=1.0, s=0.5)
    >>> law.predict(Schedule([1.0] * 4), [4]).tolist()
    [2.5]
    """

    name: ClassVar[str] = "convolution"
    title: ClassVar[str] = "functional scaling law (convolution form)"
    reference: ClassVar[str] = "arXiv:2509.19189, Sec. 4"
    rival: ClassVar[bool] = True
    uses_batch: ClassVar[bool] = True

    s: float = shape(
        0.5, "source: decay with intrinsic time", low=0.02, high=3.0, starts=(0.3, 0.8)
    )
    q: float = shape(1.4, "power of forgetting", low=0.1, high=8.0, starts=(0.8, 1.5))
    c: float = shape(100.0, "rate of forgetting", low=1e-3, high=1e6, starts=(10.0, 100.0, 1000.0))
    A: float = amplitude("signal that intrinsic time removes")
    N: float = amplitude("label noise that updates inject")
    M: float = amplitude("mini-batch noise that updates inject")

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, signal, what is left of either noise."""
        time = query.seen_time
        grid = query.grid
        injected = grid.count * grid.lr**2 / (1.0 if grid.batch is None else grid.batch)
        past = np.cumsum(grid.time)
        past[past == 0] = np.inf  # before any time has passed there is no power of it

        def left() -> FloatArray:
            noises = np.stack([injected, injected * past**-self.s])  # of labels, of mini-batches
            return power_law_memory(grid.time, noises, grid.at, self.q, self.c, since="mean")

        label, batch = query.cached((self.s, self.q, self.c), left)
        return {"L0": np.ones_like(time), "A": time**-self.s, "N": label, "M": batch}
