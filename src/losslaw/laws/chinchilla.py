"""Power law in steps: blind to the learning rate, and so the baseline every law must beat.

    L(t) = L0 + A * t^-alpha  (+ B * P^-beta, when curves of several model sizes P are fitted)

``t`` counts updates; where the batch is known, sequences. Hoffmann et al., arXiv:2203.15556,
eq. (2); pitfalls of fitting it: Besiroglu et al., arXiv:2404.10102.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.laws.law import Law, amplitude, shape
from losslaw.laws.query import Query
from losslaw.numerics.arrays import FloatArray


@dataclass(frozen=True)
class Chinchilla(Law):
    """``L0 + A t^-alpha + B P^-beta``.

    >>> from losslaw import Schedule
    >>> Chinchilla(L0=2.0, A=1.0, alpha=0.5).predict(Schedule([0.1] * 4), [1, 4]).tolist()
    [3.0, 2.5]
    """

    name: ClassVar[str] = "chinchilla"
    title: ClassVar[str] = "power law in steps"
    reference: ClassVar[str] = "Hoffmann et al., arXiv:2203.15556"
    uses_batch: ClassVar[bool] = True
    uses_model_size: ClassVar[bool] = True
    model_error: ClassVar[float] = 0.03

    alpha: float = shape(0.5, "decay with data", low=0.02, high=3.0, starts=(0.3, 0.8))
    beta: float = shape(0.3, "decay with model size", low=0.02, high=2.0, starts=(0.3,))
    L0: float = amplitude("irreducible loss")
    A: float = amplitude("what more data removes")
    B: float = amplitude("what a larger model removes", optional=True)

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in data, power law in size."""
        seen = query.steps.astype(np.float64)
        if query.batch is not None:
            seen = np.cumsum(query.batch)[query.steps - 1]
        size = query.model_size
        return {
            "L0": np.ones_like(seen),
            "A": seen**-self.alpha,
            "B": np.full_like(seen, 0.0 if size is None else size**-self.beta),
        }
