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
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.numerics.averaged import averaged_memory, averaged_power
from losslaw.numerics.last_step import (
    before,
    from_here,
    kernel_over_update,
    past,
    signal,
    time_left,
)
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
    in_blocks: ClassVar[bool] = True
    rate_over_batch: ClassVar[bool] = True
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
        blocks = query.blocks

        def left() -> FloatArray:
            noises = self.injected(blocks)
            return power_law_memory(blocks.time, noises, blocks.at, self.q, self.c, since="mean")

        label, batch = query.cached((self.s, self.q, self.c), left)
        return {"L0": np.ones_like(time), "A": time**-self.s, "N": label, "M": batch}

    def injected(self, blocks: Blocks) -> FloatArray:
        """Noise of labels and of mini-batches that each block adds. Shape ``(2, n)``."""
        label = blocks.count * blocks.lr**2 / (1.0 if blocks.batch is None else blocks.batch)
        return np.stack([label, label * past(np.cumsum(blocks.time)) ** -self.s])

    def merged_loss(self, query: Query, weights: FloatArray) -> float:
        """The same of a weighted mean of models."""
        blocks = query.blocks
        label, batch = averaged_memory(
            blocks.time, self.injected(blocks), blocks.at, weights, self.q, self.c
        )
        signal = averaged_power(query.seen_time, weights, self.s)
        return self.L0 + self.A * signal + self.N * float(label) + self.M * float(batch)

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step, with its derivative by the rates."""
        lr, count, time = blocks.lr, blocks.count, blocks.time
        loss, slope = signal(self.A, self.s, max(float(time.sum()), blocks.first_rate))
        size = np.ones_like(lr) if blocks.batch is None else blocks.batch
        gone = past(np.cumsum(time))
        noise = (self.N + self.M * gone**-self.s) / size
        kept, end, start = kernel_over_update(time, time_left(time), self.q, self.c)
        # Each update leaves lr * kept * noise: lr^2 times the mean of the kernel over its own time.
        by_time = noise * lr * start + before(noise * lr * (start - end)) + slope
        by_time += from_here(lr * kept / size * self.M * -self.s * gone ** (-self.s - 1))
        return self.L0 + loss + dot(lr, kept * noise), noise * kept + count * by_time
