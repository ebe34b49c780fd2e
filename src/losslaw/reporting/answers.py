"""The answers that a report is made of."""

from dataclasses import dataclass

from losslaw.annealing import Annealed
from losslaw.curves import LossCurve
from losslaw.designing import Design
from losslaw.fitting import Fit, Scores
from losslaw.forecasting import Forecast


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a report is made of; a sentence where a question has no answer.

    Attributes:
        fit: The fit.
        curves: The runs whose logs are there.
        read: Whether the fit was made of these logs, or read from a file.
        held_out: Runs that were not fitted, and how well they were foretold.
        annealed: What the runs are worth.
        forecasts: What decays would give, of runs under way.
        design: The schedule with the lowest predicted loss.
        level: Level of the intervals.
        model_size: The model size that schedules are predicted for, where there are several.
    """

    fit: Fit
    curves: tuple[LossCurve, ...]
    read: bool
    held_out: Scores | str | None
    annealed: Annealed | str | None
    forecasts: tuple[tuple[str, Forecast | str], ...]
    design: Design | str
    level: float
    model_size: float | None
