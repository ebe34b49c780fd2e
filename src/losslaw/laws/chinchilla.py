"""Power law in steps: blind to the learning rate, and so the baseline every law must beat.

    L(t) = L0 + A * t^-alpha

``t`` counts updates; where the batch is known, sequences. The term in the model size that belongs
to the formula is in ``L0``, as for every law (`losslaw.fitting.model_sizes`). Hoffmann et al.,
arXiv:2203.15556, eq. (2); pitfalls of fitting it: Besiroglu et al., arXiv:2404.10102.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.errors import InputError
from losslaw.laws.law import Law
from losslaw.laws.parameters import amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.numerics.arrays import FloatArray


@dataclass(frozen=True)
class Chinchilla(Law):
    """``L0 + A t^-alpha``.

    >>> from losslaw import Schedule
    >>> Chinchilla(L0=2.0, A=1.0, alpha=0.5).predict(Schedule([0.1] * 4), [1, 4]).tolist()
    [3.0, 2.5]
    """

    name: ClassVar[str] = "chinchilla"
    title: ClassVar[str] = "power law in steps"
    reference: ClassVar[str] = "Hoffmann et al., arXiv:2203.15556"
    uses_batch: ClassVar[bool] = True
    model_error: ClassVar[float] = 0.03
    blind_to_rates: ClassVar[bool] = True

    alpha: float = shape(0.5, "decay with data", low=0.02, high=3.0, starts=(0.3, 0.8))
    A: float = amplitude("what more data removes")

    @classmethod
    def accepted(cls, parameters: Mapping[str, float]) -> dict[str, float]:
        """The parameters without ``B * P^-beta``, a term that the law had in version 0.1."""
        if parameters.get("B"):
            raise InputError(
                "chinchilla no longer has the term B * P^-beta in the model size, which this fit"
                " has: now each size has amplitudes of its own"
            )
        return {name: value for name, value in parameters.items() if name not in ("B", "beta")}

    def columns(self, query: Query) -> dict[str, FloatArray]:
        """Constant, power law in data."""
        seen = query.steps.astype(np.float64)
        if query.batch is not None:
            seen = np.cumsum(query.batch)[query.steps - 1]
        return {"L0": np.ones_like(seen), "A": seen**-self.alpha}

    def final_loss(self, blocks: Blocks) -> tuple[float, FloatArray]:
        """The same at the last step; no rate matters."""
        seen = float(blocks.lr.size if blocks.batch is None else blocks.batch.sum())
        return self.L0 + self.A * seen**-self.alpha, np.zeros(blocks.lr.size)
