"""What makes one small training run: the sizes of the model, the optimiser's constants, the seed.

Two runs with equal ``LabConfig`` differ by their schedule only: they start from the same weights
and see the same batches in the same order, so a difference between their loss curves is the
schedule's doing.

Every optimiser decays the matrices apart from the gradient (``w <- w (1 - lr*wd)``), so weight
decay means the same for all. ``"muon"`` moves the matrices of the blocks, each update with the root
mean square that AdamW's usually has, and leaves embedding, positions and gains to AdamW.
"""

from dataclasses import asdict, dataclass
from typing import Literal, get_args

from losslaw.errors import InputError

OptimizerName = Literal["adamw", "sgd", "muon"]


@dataclass(frozen=True)
class LabConfig:
    """Sizes, optimiser constants and seed of a small language-model run.

    Args:
        width: Size of the residual stream; a multiple of ``2 * heads``.
        layers: Number of transformer blocks.
        heads: Attention heads in a block.
        context: Tokens (bytes) a sequence has.
        batch: Sequences in an update.
        weight_decay: Decoupled weight decay of the matrices where the schedule carries none.
        seed: Of the initial weights and of the data order.
        validation_windows: Sequences in the fixed validation set.
        optimizer: ``"adamw"``, ``"sgd"`` or ``"muon"``.
        momentum: Of SGD and Muon, in [0, 1); AdamW has its own constants.
        init_std: Standard deviation of the initial matrices.

    Raises:
        InputError: If a size is not positive, the heads do not divide the width evenly, or a
            constant is outside its range.

    >>> LabConfig(width=32, heads=2).tokens_per_update
    2048
    """

    width: int = 64
    layers: int = 2
    heads: int = 2
    context: int = 128
    batch: int = 16
    weight_decay: float = 0.1
    seed: int = 0
    validation_windows: int = 640
    optimizer: OptimizerName = "adamw"
    momentum: float = 0.9
    init_std: float = 0.02

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "context", "batch", "validation_windows"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is at least 1: {getattr(self, name)}")
        if self.width % self.heads:
            raise InputError(f"heads divide the width: width {self.width}, heads {self.heads}")
        if not 0.0 <= self.weight_decay < float("inf"):
            raise InputError(f"weight decay is non-negative: {self.weight_decay}")
        if self.seed < 0:
            raise InputError(f"a seed is non-negative: {self.seed}")
        if self.optimizer not in get_args(OptimizerName):
            expected = ", ".join(get_args(OptimizerName))
            raise InputError(f"unknown optimizer {self.optimizer!r}: expected one of {expected}")
        if not 0.0 <= self.momentum < 1.0:
            raise InputError(f"momentum is in [0, 1): {self.momentum}")
        if not 0.0 < self.init_std < float("inf"):
            raise InputError(f"the initial standard deviation is positive: {self.init_std}")

    @property
    def tokens_per_update(self) -> int:
        """Training tokens in one update."""
        return self.batch * self.context

    def as_dict(self) -> dict[str, int | float | str]:
        """The fields by name, ready for JSON."""
        return asdict(self)
