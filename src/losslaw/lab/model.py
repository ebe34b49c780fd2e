"""A small decoder-only transformer over bytes, and the split of its parameters for weight decay.

Pre-norm blocks with RMSNorm, causal attention, a four-times-wide network of squared ReLUs, learned
positions, embedding and output sharing one matrix. Every matrix starts normal with one standard
deviation (.02 by default); nothing is rescaled by depth, so the model is in AdamW's *standard*
parametrisation.

Decayed: all matrices (attention, network, embedding, positions). Not decayed: the gains of the
norms. A decayed gain shrinks the residual branches at a rate that has nothing to do with noise,
and loss curves under strong decay then measure that instead of the schedule.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from losslaw.lab.config import LabConfig

VOCABULARY = 256


class Block(nn.Module):
    """Attention and a two-layer network, each on a normed copy of the residual stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.RMSNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.merge = nn.Linear(width, width, bias=False)
        self.network_norm = nn.RMSNorm(width, eps=1e-6)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Residual stream after the block. Shape ``(batch, context, width)``, in and out."""
        batch, context, width = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, context, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.merge(seen.transpose(1, 2).reshape(batch, context, width))
        return x + self.narrow(F.relu(self.widen(self.network_norm(x))).square())


class LanguageModel(nn.Module):
    """Next-byte model; calling it on windows gives the mean loss in nats per token."""

    def __init__(self, config: LabConfig) -> None:
        super().__init__()
        # torch fills new layers from its global generator; ours is another one, so that the weights
        # depend on the seed and on nothing that ran before, and the global one is left as it was.
        with torch.random.fork_rng(devices=()):  # pyright: ignore[reportUnknownMemberType]
            self.embedding = nn.Embedding(VOCABULARY, config.width)
            self.position = nn.Embedding(config.context, config.width)
            self.blocks = nn.ModuleList(
                Block(config.width, config.heads) for _ in range(config.layers)
            )
        self.norm = nn.RMSNorm(config.width, eps=1e-6)
        generator = torch.Generator().manual_seed(config.seed)
        for matrix in matrices(self):
            nn.init.normal_(matrix, std=config.init_std, generator=generator)

    def forward(self, windows: Tensor) -> Tensor:
        """Mean cross-entropy of bytes 1.. given the bytes before them.

        Args:
            windows: Bytes as integers. Shape ``(batch, context + 1)``.
        """
        x = self.embedding(windows[:, :-1]) + self.position.weight[: windows.shape[1] - 1]
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.embedding.weight)
        return F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def matrices(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that weight decay acts on: all with two dimensions."""
    return [p for p in model.parameters() if p.ndim == 2]


def hidden_matrices(model: LanguageModel) -> list[nn.Parameter]:
    """The matrices of the blocks: all but embedding and positions."""
    return matrices(model.blocks)


def gains(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that weight decay leaves alone: the gains of the norms."""
    return [p for p in model.parameters() if p.ndim != 2]


def parameter_count(model: nn.Module) -> int:
    """Number of trained parameters, embedding and positions included."""
    return sum(p.numel() for p in model.parameters())
