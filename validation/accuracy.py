"""How far every law errs on schedules it has not seen, protocol by protocol."""

import time
from dataclasses import dataclass

import numpy as np
from rich.progress import track

from losslaw.errors import InputError
from losslaw.fitting import CurveScore, Fit, fit
from losslaw.fitting.score import score_points
from losslaw.laws import LAWS
from validation.protocols import CURVES, PROTOCOLS, Trial

# The effective-rate law twice: as it is by default, and with its other shapes free under priors.
VARIANTS: dict[str, tuple[str, list[str] | None]] = {
    **{name: (name, None) for name in LAWS},
    "effective, 4 free": ("effective", ["alpha", "kappa", "a", "q"]),
}


@dataclass(frozen=True)
class Outcome:
    """One trial of one law."""

    trial: str
    scores: list[CurveScore]
    fit: Fit
    seconds: float


def run_trial(trial: Trial, law: str, free: list[str] | None) -> Outcome:
    """Fit and score one trial."""
    begun = time.perf_counter()
    found = fit(trial.fitted, law, free=free, skip=trial.skip)
    seconds = time.perf_counter() - begun
    scores: list[CurveScore] = []
    for curve, after in trial.asked:
        asked = (curve.steps > after) & (curve.steps >= trial.skip)
        scores.append(score_points(found, curve, asked, after))
    return Outcome(trial.name, scores, found, seconds)


def tables() -> str:
    """The whole table, one section a protocol."""
    if not CURVES.is_dir():
        raise InputError(
            f"the public curves are not there: expected {CURVES.name} beside the project"
        )
    parts: list[str] = []
    for title, make in PROTOCOLS.items():
        trials = list(make())
        lines = [
            f"## {title}",
            "",
            f"{make.__doc__} {len(trials)} fits, {sum(len(t.asked) for t in trials)} questions.",
            "",
            "| law | RMSE | worst run | mean abs final | worst final | inside 90 % | half-width |",
            "|---|---|---|---|---|---|---|",
        ]
        sizes: list[str] = []
        for variant, (law, free) in track(VARIANTS.items(), description=title):
            outcomes = [run_trial(trial, law, free) for trial in trials]
            lines.append(_row(variant, outcomes))
            each = "  ".join(
                f"{item.trial} {np.mean([s.rmse for s in item.scores]):.4f}" for item in outcomes
            )
            sizes.append(f"| {variant} | {each} |")
        lines += ["", "| law | RMSE, fit by fit |", "|---|---|", *sizes, ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)


def _row(variant: str, outcomes: list[Outcome]) -> str:
    """Plain mean over curves, then over trials; and the worst curve of all."""

    def mean(values: list[list[float]]) -> float:
        return float(np.mean([np.mean(item) for item in values]))

    rmse = [[s.rmse for s in item.scores] for item in outcomes]
    final = [[abs(s.final_error) for s in item.scores] for item in outcomes]
    inside = [[s.coverage or 0.0 for s in item.scores] for item in outcomes]
    width = [[s.half_width or 0.0 for s in item.scores] for item in outcomes]
    # Beyond any loss there is nothing to tell apart.
    half = f"{mean(width):.4f}" if mean(width) < 10 else "unbounded"
    return (
        f"| {variant} | {mean(rmse):.4f} | {max(map(max, rmse)):.4f} | {mean(final):.4f}"
        f" | {max(map(max, final)):.4f} | {mean(inside):.2f} | {half} |"
    )
