"""One model and its optimiser, behind five verbs: update, evaluate, measure, save, load.

This is the only module that moves weights. It knows nothing of schedules, files or progress:
`losslaw.lab.training` tells it the rate of each update. AdamW with betas (.9, .95) unless the
configuration names another optimiser, decoupled weight decay on the matrices alone, gradients
clipped to norm 1.
"""

# Much of torch is typed in part only (from_numpy, split, Optimizer.step).
# pyright: reportUnknownMemberType=false
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from losslaw.lab.config import LabConfig
from losslaw.lab.model import (
    LanguageModel,
    gains,
    hidden_matrices,
    matrices,
    parameter_count,
)
from losslaw.lab.optimizers import optimizers

CLIP_NORM = 1.0

# Sixteen sequences fit the cache of one core; larger evaluation batches were slower.
EVALUATION_BATCH = 16


class Learner:
    """A language model in training.

    Args:
        config: Sizes, weight decay and the seed of the initial weights.
        validation: The fixed validation windows. Shape ``(windows, context + 1)``.
    """

    def __init__(self, config: LabConfig, validation: NDArray[Any]) -> None:
        self.model = LanguageModel(config)
        self.params = parameter_count(self.model)
        self._validation: tuple[Tensor, ...] = (
            torch.from_numpy(validation).long().split(EVALUATION_BATCH)
        )
        self._optimizers = optimizers(
            config,
            hidden=hidden_matrices(self.model),
            other=[*self.model.embedding.parameters(), *self.model.position.parameters()],
            gains=gains(self.model),
        )
        self._start = self._squared_norms()

    def update(self, windows: NDArray[Any], lr: float, weight_decay: float) -> None:
        """One step of the optimiser on a batch of windows, at rate ``lr``."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.param_groups[0]["weight_decay"] = weight_decay
        loss = self.model(torch.from_numpy(windows).long())
        self.model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        for optimizer in self._optimizers:
            optimizer.step()

    @torch.no_grad()
    def validation_loss(self) -> float:
        """Mean loss over the validation set, nats per token."""
        total = 0.0
        windows = 0
        for part in self._validation:
            total += self.model(part).item() * len(part)
            windows += len(part)
        return total / windows

    def norms(self) -> tuple[float, float]:
        """Squared norm of the decayed matrices relative to the start: of all, of the hidden ones.

        All matrices weigh by their number of entries, embedding and positions included; the hidden
        ones are those of the blocks.
        """
        now = self._squared_norms()
        return now[0] / self._start[0], now[1] / self._start[1]

    @torch.no_grad()
    def _squared_norms(self) -> tuple[float, float]:
        groups = matrices(self.model), hidden_matrices(self.model)
        every, hidden = (sum(p.square().sum().item() for p in group) for group in groups)
        return every, hidden

    def state(self) -> dict[str, Any]:
        """Weights and optimiser moments, as `torch.save` takes them."""
        first, *others = (optimizer.state_dict() for optimizer in self._optimizers)
        return {"model": self.model.state_dict(), "optimizer": first, "others": others}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        self.model.load_state_dict(state["model"])
        saved = [state["optimizer"], *state.get("others", [])]
        for optimizer, moments in zip(self._optimizers, saved, strict=True):
            optimizer.load_state_dict(moments)
