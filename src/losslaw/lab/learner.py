"""One model and its optimiser, behind four verbs: update, evaluate, save, load.

This is the only module that moves weights. It knows nothing of schedules, files or progress:
`losslaw.lab.training` tells it the rate of each update. AdamW with betas (.9, .95), decoupled
weight decay on the matrices alone, gradients clipped to norm 1.
"""

# Much of torch is typed in part only (from_numpy, split, Optimizer.step).
# pyright: reportUnknownMemberType=false
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from losslaw.lab.config import LabConfig
from losslaw.lab.model import LanguageModel, gains, matrices, parameter_count

BETAS = (0.9, 0.95)
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
        self._decayed: dict[str, Any] = {"params": matrices(self.model)}
        kept: dict[str, Any] = {"params": gains(self.model), "weight_decay": 0.0}
        self._optimizer = torch.optim.AdamW([self._decayed, kept], betas=BETAS, fused=True)

    def update(self, windows: NDArray[Any], lr: float, weight_decay: float) -> None:
        """One AdamW step on a batch of windows, at rate ``lr``."""
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        self._optimizer.param_groups[0]["weight_decay"] = weight_decay
        loss = self.model(torch.from_numpy(windows).long())
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self._optimizer.step()

    @torch.no_grad()
    def validation_loss(self) -> float:
        """Mean loss over the validation set, nats per token."""
        total = 0.0
        windows = 0
        for part in self._validation:
            total += self.model(part).item() * len(part)
            windows += len(part)
        return total / windows

    def state(self) -> dict[str, Any]:
        """Weights and optimiser moments, as `torch.save` takes them."""
        return {"model": self.model.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
