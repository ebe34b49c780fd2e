"""What the long runs ended at, beside what had been written down before."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from validation.proof.train import CONTROL_PREDICTIONS, PREDICTIONS, long_plan

TITLES = {
    "design": "design, peak 3e-3",
    "design_free_peak": "design, peak free",
    "wsd": "WSD, linear over the last 20 %",
    "cosine": "cosine to 10 %",
    "linear": "linear to 0",
    "wsd_1-sqrt": "WSD, 1-sqrt over the last 20 %",
    "wsd_1-sqrt_8e-3": "WSD, 1-sqrt, peak 8e-3",
    "linear_8e-3": "linear to 0, peak 8e-3",
}


@dataclass(frozen=True)
class Measured:
    """Final losses of one schedule, or gains of one over another, by seed."""

    by_seed: dict[int, float]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(list(self.by_seed.values())))

    @property
    def error(self) -> float:
        """Standard error of the mean; not a number for a single seed."""
        values = np.array(list(self.by_seed.values()))
        return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else np.nan

    def words(self, sign: str = "") -> list[str]:
        """The mean with its error, and each seed."""
        if not self.by_seed:
            return ["", ""]
        mean = f"{self.mean:{sign}.4f}"
        if len(self.by_seed) > 1:
            mean += f" ± {self.error:.4f}"
        return [mean, ", ".join(f"{value:{sign}.4f}" for value in self.by_seed.values())]


@cache
def finals(evaluations: int = 3) -> dict[str, Measured]:
    """Measured final losses of the finished long runs: mean of the last three evaluations.

    One evaluation is the loss after the last update itself.
    """
    ends: dict[str, dict[int, float]] = {name: {} for name in TITLES}
    for run in long_plan():
        if run.done:
            ends[run.label.rpartition("_seed")[0]][run.seed] = float(
                run.curve().loss[-evaluations:].mean()
            )
    return {name: Measured(values) for name, values in ends.items()}


def gain(name: str, other: str, evaluations: int = 3) -> Measured:
    """How much lower one schedule ends than another, seed by seed."""
    mine, theirs = finals(evaluations)[name].by_seed, finals(evaluations)[other].by_seed
    return Measured({seed: theirs[seed] - mine[seed] for seed in mine if seed in theirs})


def predictions() -> Any:
    """What was written before the long runs, and before the controls."""
    written = json.loads(PREDICTIONS.read_text(encoding="utf-8"))
    more = json.loads(CONTROL_PREDICTIONS.read_text(encoding="utf-8"))
    written["final"] |= more["final"]
    for name, gains in more["gains"].items():
        written["gains"][name] |= gains
    return written
