"""A law with the parameters that a fit gave it, for one model size or for several."""

from dataclasses import dataclass

from losslaw.fitting.model_sizes import law_between
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law


@dataclass(frozen=True, kw_only=True)
class SizeFit:
    """The law of one model size among several that were fitted together.

    Attributes:
        model_size: Parameters of the model.
        law: The law with this size's amplitudes.
        uncertainty: What the intervals are made of; ``None`` if it was not worked out.
    """

    model_size: float
    law: Law
    uncertainty: Uncertainty | None


@dataclass(frozen=True, kw_only=True)
class FittedLaw:
    """A law fitted to curves.

    Attributes:
        law: The law with its fitted parameters; of several model sizes, that of the largest.
        free: Shapes that were searched.
        uncertainty: What the intervals are made of; ``None`` if it was not worked out.
        sizes: Laws of all model sizes, smallest first, where several were fitted.
        recipe: Name of the law's recipe (`Law.recipes`); empty where the law was fitted as it is by
            itself, or as the user said.
    """

    law: Law
    free: tuple[str, ...]
    uncertainty: Uncertainty | None = None
    sizes: tuple[SizeFit, ...] = ()
    recipe: str = ""

    def at_size(self, model_size: float | None) -> tuple[Law, Uncertainty | None]:
        """The law for a model size: one of several fitted, between them or beyond."""
        if not self.sizes or model_size is None:
            return self.law, self.uncertainty
        for item in self.sizes:
            if abs(item.model_size / model_size - 1) < 0.01:
                return item.law, item.uncertainty
        return law_between(
            [(item.model_size, item.law, item.uncertainty) for item in self.sizes], model_size
        )
