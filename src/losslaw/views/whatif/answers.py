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
STEPS, RATES, BLOCKS = 80, 160, 600
# Losses are shown from where the fit begins to know them, of a short run from its middle.
LATEST = 0.8


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
    def columns(self) -> dict[str, dict[str, list[float]]]:
        """Columns of both pictures; the band is as the loss where there is none."""
        made = self.prediction
        lower = made.loss if made.lower is None else made.lower
        upper = made.loss if made.upper is None else made.upper
        known = np.isfinite(lower) & np.isfinite(upper)
        return {
            "losses": {
                "step": made.steps.tolist(),
                "loss": _listed(made.loss),
                "lower": _listed(np.where(known, lower, made.loss)),
                "upper": _listed(np.where(known, upper, made.loss)),
            },
            "rates": {"step": self.at.tolist(), "lr": _listed(self.schedule.lr[self.at - 1])},
        }

    @property
    def numbers(self) -> dict[str, object]:
        """What the page writes beside the pictures."""
        made, interval = self.prediction, self.prediction.interval
        bounded = interval is not None and interval.bounded
        ends_of_band = (each for each in (made.lower, made.upper) if each is not None)
        pieces = [(made.steps, each) for each in (made.loss, *ends_of_band)]
        return {
            "loss": made.final,
            **(ends(interval) if bounded else {"lower": None, "upper": None}),
            "level": made.level,
            "trust": None if made.trust is None else made.trust.sentence,
            "status": "alone" if made.trust is None else made.trust.status,
            "warnings": list(made.warnings),
            "limits": loss_limits(pieces),
        }


def _listed(values: FloatArray) -> list[float]:
    """Numbers with the digits that a picture can show."""
    return [float(f"{each:.7g}") for each in values.tolist()]


def ask(fit: Fit, state: State, level: float = 0.9, model_size: float | None = None) -> Along:
    """What the fit says along the schedule of a state, in blocks of updates.

    Raises:
        InputError: the state is no schedule, or out of reach of the fit.
    """
    schedule = fit.completed(state.made(fit.usual_weight_decay))
    n = schedule.horizon
    first = max(fit.skip, schedule.warmup, 1)
    if first > LATEST * n:
        first = max(n // 2, 1)
    steps = np.unique(np.linspace(first, n, STEPS).round().astype(np.int64))
    corners = [max(round(at * n), 1) for at, _ in state.handles(schedule)]
    # Close together where a fall begins: some begin steeply.
    near = [k + more for k in corners for more in (-1, 0, 1, n // 2000, n // 500, n // 250)]
    even = np.linspace(1, n, RATES).round().astype(np.int64)
    at = np.unique(np.clip(np.append(even, near), 1, n))
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
