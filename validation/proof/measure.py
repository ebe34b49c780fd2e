"""What the long runs ended at, beside what had been written down before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from validation.proof.train import CONTROL_PREDICTIONS, PREDICTIONS, Planned, long_plan

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

    def below(self, other: "Measured") -> "Measured":
        """How much lower than another, seed by seed."""
        common = [seed for seed in self.by_seed if seed in other.by_seed]
        return Measured({seed: other.by_seed[seed] - self.by_seed[seed] for seed in common})


def ends_of(plan: Sequence[Planned], evaluations: int) -> dict[str, Measured]:
    """Measured final losses of the finished runs of a plan: mean of so many last evaluations."""
    ends: dict[str, dict[int, float]] = {}
    for run in plan:
        if run.done:
            by_seed = ends.setdefault(run.label.rpartition("_seed")[0], {})
            by_seed[run.seed] = float(run.curve().loss[-evaluations:].mean())
    return {name: Measured(values) for name, values in ends.items()}


@cache
def finals(evaluations: int = 3) -> dict[str, Measured]:
    """Measured final losses of the finished long runs: mean of the last three evaluations.

    One evaluation is the loss after the last update itself.
    """
    measured = ends_of(long_plan(), evaluations)
    return {name: measured.get(name, Measured({})) for name in TITLES}


def gain(name: str, other: str, evaluations: int = 3) -> Measured:
    """How much lower one schedule ends than another, seed by seed."""
    return finals(evaluations)[name].below(finals(evaluations)[other])


def predictions() -> Any:
    """What was written before the long runs, and before the controls."""
    written = json.loads(PREDICTIONS.read_text(encoding="utf-8"))
    more = json.loads(CONTROL_PREDICTIONS.read_text(encoding="utf-8"))
    written["final"] |= more["final"]
    for name, gains in more["gains"].items():
        written["gains"][name] |= gains
    return written
