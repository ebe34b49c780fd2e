"""The optimisers of the lab: AdamW, SGD with momentum, Muon.

All decay the weights apart from the gradient, ``w <- w (1 - lr*wd)``, and only the first group of
each optimiser is decayed. Muon (Jordan et al., 2024, "Muon: an optimizer for hidden layers") moves
the matrices of the blocks; the rest is left to an AdamW beside it, at the same rate.
"""

# Much of torch is typed in part only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from typing import Any

import torch
from torch import Tensor, nn

from losslaw.lab.config import LabConfig

BETAS = (0.9, 0.95)

# Quintic whose iterates bring every singular value near one; coefficients as published by Jordan.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
# Root mean square of a Muon update at rate 1: about what AdamW's are.
MUON_RMS = 0.2


class Momentum(torch.optim.Optimizer):
    """SGD with heavy-ball momentum: ``m <- momentum*m + g``, ``w <- w (1 - lr*wd) - lr*m``.

    At a constant rate the weights move by ``lr / (1 - momentum)`` for each gradient.
    """

    def __init__(self, groups: list[dict[str, Any]], momentum: float) -> None:
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("momentum", torch.zeros_like(p))
                m.mul_(group["momentum"]).add_(p.grad)
                p.mul_(1.0 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] * self.direction(m))

    def direction(self, m: Tensor) -> Tensor:
        """Where the update goes, at rate 1."""
        return m


class Muon(Momentum):
    """Momentum whose updates are made orthogonal; heavy-ball, without Nesterov's look ahead."""

    def direction(self, m: Tensor) -> Tensor:
        """The momentum made orthogonal, with root mean square ``MUON_RMS``."""
        # An orthogonal matrix has root mean square 1 / sqrt(longer side).
        return orthogonal(m) * (MUON_RMS * max(m.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """The singular vectors of ``matrix`` with singular values near one (.7 to 1.2)."""
    a, b, c = NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def optimizers(
    config: LabConfig,
    *,
    hidden: list[nn.Parameter],
    other: list[nn.Parameter],
    gains: list[nn.Parameter],
) -> list[torch.optim.Optimizer]:
    """The optimisers of a run; the first group of each is the one that is decayed.

    Args:
        config: Which optimiser, and its momentum.
        hidden: Matrices of the blocks.
        other: Embedding and positions.
        gains: Gains of the norms.
    """
    kept: dict[str, Any] = {"params": gains, "weight_decay": 0.0}
    if config.optimizer == "sgd":
        return [Momentum([{"params": [*other, *hidden]}, kept], config.momentum)]
    muon = config.optimizer == "muon"
    decayed: dict[str, Any] = {"params": other if muon else [*other, *hidden]}
    adamw = torch.optim.AdamW([decayed, kept], betas=BETAS, fused=True)
    return [adamw, Muon([{"params": hidden}], config.momentum)] if muon else [adamw]
