"""Average the weights of saved checkpoints, and see what the average is worth.

Only the weights of the model are averaged; the optimiser's moments play no part in a loss.
"""

from collections.abc import Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.lab.text import Text, standard_library
from losslaw.lab.training import require_torch
from losslaw.schedules.averages import WeightedCheckpoints


def merged_loss(
    checkpoints: Sequence[Path], weights: str | ArrayLike = "uniform", *, text: Text | None = None
) -> float:
    """Validation loss of a weighted mean of checkpoints of one run.

    Args:
        checkpoints: Files that `losslaw.lab.train` kept, in the order of their steps.
        weights: What each counts, as in `WeightedCheckpoints`.
        text: What was trained on; by default the sources of Python's standard library.

    Raises:
        MissingExtra: torch is not installed.
        InputError: no checkpoints, out of order, of different runs or of another text.

    After `train` with ``checkpoint=Path("run.pt"), keep=[300, 400]``::

        merged_loss([Path("run@300.pt"), Path("run@400.pt")], "linear")
    """
    require_torch()
    import torch

    from losslaw.lab.checkpoint import load_checkpoint
    from losslaw.lab.learner import Learner

    text = text or standard_library()
    saved = [load_checkpoint(path) for path in checkpoints]
    average = WeightedCheckpoints([each.step for each in saved], weights)
    config = saved[0].config
    for path, each in zip(checkpoints, saved, strict=True):
        if each.config != config or each.text != text.sha256:
            raise InputError(f"checkpoint {path} is of another model, seed or text")
    learner = Learner(config, text.validation_windows(config.validation_windows, config.context))
    mean: dict[str, torch.Tensor] = {}
    for weight, each in zip(average.weights.tolist(), saved, strict=True):
        for name, values in each.learner["model"].items():
            part = weight * values.double()
            mean[name] = mean[name] + part if name in mean else part
    learner.model.load_state_dict({name: values.float() for name, values in mean.items()})
    return learner.validation_loss()
