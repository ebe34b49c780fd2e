"""The answers that a report is made of."""

from dataclasses import dataclass
from functools import cached_property

from losslaw.annealing import Annealed
from losslaw.curves import LossCurve
from losslaw.designing import Design
from losslaw.fitting import Fit, Scores
from losslaw.forecasting import Forecast
from losslaw.reporting.page import cut

# Letters of a name of a run in a sentence.
LONGEST = 60


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
        model_size: The model size that the schedule is designed for, where there are several.
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

    @cached_property
    def long_names(self) -> dict[str, str]:
        """Names of runs that are too long for a sentence, and what stands there instead."""
        names = {run.label for run in (*self.curves, *self.fit.curves)}
        long = sorted((each for each in names if len(each) > LONGEST), key=lambda each: -len(each))
        return {each: cut(each, LONGEST) for each in long}

    def brief(self, sentence: str) -> str:
        """A sentence in which long names of runs are without their middle."""
        for name, short in self.long_names.items():
            sentence = sentence.replace(name, short)
        return sentence
