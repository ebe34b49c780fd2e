"""What the fit says of a state: its loss along the run at each move, comparisons when it rests."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from losslaw.drawing.axes import loss_limits
from losslaw.fitting import Fit
from losslaw.fitting.final_loss import FinalLoss, difference
from losslaw.fitting.prediction import Prediction
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.interval import ends
from losslaw.schedules import Schedule
from losslaw.views.whatif.state import State

# Steps at which losses are shown, and rates; blocks of updates that are worked out together. Steps
# and blocks are those at which widths are worked out (`losslaw.fitting.mixture`): one pass does.
STEPS, RATES, BLOCKS = 80, 300, 600


@dataclass(frozen=True, eq=False, kw_only=True)
class Along:
    """A schedule and its predicted losses, at some of its updates.

    Attributes:
        prediction: The losses.
        schedule: The schedule, with what the fit takes for granted.
        at: Updates at which rates are drawn. Shape ``(m,)``.
    """

    prediction: Prediction
    schedule: Schedule
    at: IntArray

    @property
    def losses(self) -> dict[str, FloatArray]:
        """Columns of the picture of losses; the band is as the loss where there is none."""
        made = self.prediction
        lower = made.loss if made.lower is None else made.lower
        upper = made.loss if made.upper is None else made.upper
        known = np.isfinite(lower) & np.isfinite(upper)
        return {
            "step": made.steps.astype(np.float64),
            "loss": made.loss,
            "lower": np.where(known, lower, made.loss),
            "upper": np.where(known, upper, made.loss),
        }

    @property
    def rates(self) -> dict[str, FloatArray]:
        """Columns of the picture of rates."""
        return {"step": self.at.astype(np.float64), "lr": self.schedule.lr[self.at - 1]}

    @property
    def numbers(self) -> dict[str, object]:
        """What the page writes beside the pictures."""
        made, interval = self.prediction, self.prediction.interval
        bounded = interval is not None and interval.bounded
        late = self.losses
        pieces = [(late["step"], late[name]) for name in ("loss", "lower", "upper")]
        return {
            "loss": made.final,
            **(ends(interval) if bounded else {"lower": None, "upper": None}),
            "level": made.level,
            "trust": None if made.trust is None else made.trust.sentence,
            "status": "alone" if made.trust is None else made.trust.status,
            "warnings": list(made.warnings),
            "limits": loss_limits(pieces),
        }


def ask(fit: Fit, state: State, level: float = 0.9, model_size: float | None = None) -> Along:
    """What the fit says along the schedule of a state, in blocks of updates.

    Raises:
        InputError: the state is no schedule, or out of reach of the fit.
    """
    schedule = fit.completed(state.schedule)
    n = schedule.horizon
    first = min(max(fit.skip, schedule.warmup, 1), n)
    steps = np.unique(np.linspace(first, n, STEPS).round().astype(np.int64))
    corners = [max(round(at * n), 1) for at, _ in state.handles(schedule)]
    near = [k + more for k in corners for more in (-1, 0, 1) if 1 <= k + more <= n]
    at = np.unique(np.append(np.linspace(1, n, RATES).round().astype(np.int64), near))
    made = fit.predict(schedule, steps, level, model_size, blocks=BLOCKS)
    return Along(prediction=made, schedule=schedule, at=at)


def compare(
    fit: Fit,
    state: State,
    others: Mapping[str, State],
    level: float = 0.9,
    model_size: float | None = None,
) -> list[dict[str, object]]:
    """How much lower the schedule of a state ends than others, with intervals.

    All with the weights that the laws have for this one; a difference is surer than two losses.

    Returns:
        For each other: name, loss, lower, upper; gain, gain_lower, gain_upper; told.
    """
    settled = fit.settled(state.schedule, model_size, blocks=BLOCKS)
    own = FinalLoss.of(settled, state.schedule, model_size, blocks=BLOCKS)
    rows: list[dict[str, object]] = []
    for name, other in others.items():
        beside = FinalLoss.of(settled, other.schedule, model_size, blocks=BLOCKS)
        gain = difference(beside, own, level)
        known, bounded = beside.interval(level), gain.interval
        sure = bounded is not None and bounded.bounded
        rows.append(
            {
                "name": name,
                "loss": beside.loss,
                **ends(known if known is not None and known.bounded else None),
                "gain": gain.loss,
                **{f"gain_{k}": v for k, v in ends(bounded if sure else None).items()},
                "told": gain.told_apart and sure,
            }
        )
    return rows
