"""What a run in progress is asked: a record that goes to the process that answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from losslaw.numerics.arrays import FloatArray, IntArray

if TYPE_CHECKING:  # a trainer that watches its run loads none of this
    from losslaw.curves import LossCurve
    from losslaw.fitting import Fit


@dataclass(frozen=True, kw_only=True)
class Question:
    """A run so far, and what is asked about it.

    Attributes:
        label: Name of the run.
        steps: Updates done at each row. Shape ``(m,)``.
        lr: Rate of the last of them. Shape ``(m,)``.
        loss: Mean loss since the row before. Shape ``(m,)``.
        horizon: Updates of the whole run; ``None``: not known.
        ahead: The rates that are planned: from the update after the first number on.
        facts: What else is known of the run, as `losslaw.read_curves` takes it.
        earlier: Earlier runs of the same model.
        fit: A saved fit.
        asked: Options that `forecast` and `annealed` share.
        decay_over: Lengths of the decays begun now; see `losslaw.forecast`.
        over: Length of the cooldown that the annealed loss is after.
        final: Rate at the end of both.
        shape: Shape of both.
    """

    label: str
    steps: IntArray
    lr: FloatArray
    loss: FloatArray
    horizon: int | None = None
    ahead: tuple[int, FloatArray] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    earlier: "tuple[LossCurve, ...]" = ()
    fit: "Fit | None" = None
    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    decay_over: tuple[float, ...] | None = None
    over: float = 0.2
    final: float = 0.0
    shape: str = "linear"
