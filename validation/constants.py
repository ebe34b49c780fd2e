"""What was tried on the effective-rate law on one clock, and the noise of each model size.

RMSE / mean absolute final error on unseen segments, in nats, as in the table of accuracy. *As it
is*: the recipe for AdamW. *Older constants*: h 0.55, kappa 2000, p 2. *q always*: the power of
forgetting searched with several peaks too. *No offsets*, *wide offsets*: each run's own offset a
thousandth of what it is, or five times that. Below, N with alpha alone searched and only a weak
prior on N (47, standard deviation 47), from the runs that each protocol fits; the trend of the law
beside it.
"""

from dataclasses import replace
from unittest import mock

import numpy as np

from losslaw.fitting import fit, problem
from losslaw.laws import OneClock, Prior, Recipe
from losslaw.laws.oneclock import adamw
from validation.protocols import PROTOCOLS, Trial

SHOWN = ("public split", "one peak", "across peaks", "other sizes", "no decay seen")
OLDER = {"h": 0.55, "kappa": 2000.0, "p": 2.0}
OFFSETS = {"no offsets": 1e-3, "wide offsets": 5.0}


def recipe(variant: str, trial: Trial) -> Recipe:
    """The recipe of a variant."""
    usual = adamw(trial.fitted)
    assert usual.free is not None
    if variant == "older constants":
        free = tuple(name for name in usual.free if name not in OLDER)
        return replace(usual, free=free, fixed=OLDER)
    if variant == "q always":
        priors = {name: prior for name, prior in usual.priors.items() if name != "q"}
        return replace(usual, free=tuple(dict.fromkeys([*usual.free, "q"])), priors=priors)
    return usual


def errors(variant: str, trial: Trial) -> tuple[float, float]:
    """Mean RMSE and mean absolute final error of one trial."""
    offset = problem.OFFSET * OFFSETS.get(variant, 1.0)
    with mock.patch.object(problem, "OFFSET", offset):
        result = fit(trial.fitted, recipe(variant, trial), skip=trial.skip, uncertainty=False)
    each: list[tuple[float, float]] = []
    for curve, after in trial.held_out:
        at = (curve.steps > after) & (curve.steps >= trial.skip)
        error = result.predict(curve.schedule, curve.steps[at]).loss - curve.loss[at]
        each.append((float(np.sqrt(np.mean(error**2))), abs(float(error[-3:].mean()))))
    rmse, final = np.mean(each, axis=0)
    return float(rmse), float(final)


def table() -> str:
    """Both tables."""
    trials = {name: list(PROTOCOLS[name]()) for name in SHOWN}
    lines = [f"| variant | {' | '.join(SHOWN)} |", "|---" * (len(SHOWN) + 1) + "|"]
    for variant in ("as it is", "older constants", "q always", *OFFSETS):
        cells: list[str] = []
        for name in SHOWN:
            rmse, final = np.mean([errors(variant, trial) for trial in trials[name]], axis=0)
            cells.append(f"{rmse:.4f} / {final:.4f}")
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    lines += ["", "| fitted | parameters | N | trend | N / trend |", "|---|---|---|---|---|"]
    ratios: list[float] = []
    weak = Recipe(OneClock, ("alpha",), priors={"N": Prior(47.0, 47.0)})
    for name in ("public split", "one peak", "other sizes"):
        for trial in trials[name]:
            result = fit(trial.fitted, weak, skip=trial.skip, uncertainty=False)
            size = trial.fitted[0].model_size
            noise, trend = result.parameters["N"], OneClock.priors(size)["N"].mean
            ratios.append(noise / trend)
            lines.append(
                f"| {name}, {trial.name} | {size:.3g} | {noise:.1f} | {trend:.1f} |"
                f" {noise / trend:.2f} |"
            )
    lines += ["", f"Standard deviation of N / trend: {np.std(ratios):.2f}.", ""]
    return "\n".join(lines)
