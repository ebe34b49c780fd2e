"""The runs of one model, fitted together, and where each of them stands."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from losslaw.advising.expected_interval import ExpectedIntervals
from losslaw.annealing.cooldown import Cooldown
from losslaw.annealing.models import Model
from losslaw.curves import LossCurve
from losslaw.curves.curve import after_numbers
from losslaw.errors import InputError, expect
from losslaw.fitting.cleaning import CleanedRuns
from losslaw.fitting.final_loss import FinalLoss
from losslaw.fitting.fit import fit as fit_law
from losslaw.fitting.record import Fit
from losslaw.fitting.rules import Fittable, Rules
from losslaw.fitting.status import Note
from losslaw.fitting.trust import Trust

# Distance of a run from its fit, relative to the loss, from which on the fit is of another model:
# several times what a law errs at a peak that it has not seen.
STRAYED = 0.02
# Losses of the last third of a log at which it is looked at.
LATE = 24
# Losses that a fitted curve takes to follow them: its level, size and power, and the noise.
TAKEN = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Standing:
    """Where a run stands.

    Attributes:
        curve: What of it is fitted.
        last: The last update from which it may be annealed.
        warning: Why that is not its last, in words.
    """

    curve: LossCurve
    last: int
    warning: str = ""

    @property
    def label(self) -> str:
        """Name of the run."""
        return self.curve.label

    def raw(self, at: int) -> float:
        """Loss of the log at a step, mean of the last three, in nats."""
        return self.curve.until(at).final_loss

    def checked(self, step: int) -> int:
        """The step, from which the run can be annealed.

        Raises:
            InputError: its log does not go so far, or it is warming up there.
        """
        if step > self.last:
            raise InputError(
                f"the log of {self.label!r} ends at step {self.last:,}: it cannot be annealed from"
                f" step {step:,}; give an earlier one, or ask losslaw forecast for decays to come"
            )
        warmup, first = self.curve.schedule.warmup, int(self.curve.steps[0])
        if step < max(warmup + 1, first):
            raise InputError(
                f"{self.label!r} cannot be annealed from step {step:,}: its warm-up ends at step"
                f" {warmup:,} and its log begins at {first:,}"
            )
        return step


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedModel:
    """The runs of one model and their fit, which has the same weights in all its answers.

    Attributes:
        name: Name of the model.
        fit: The fit.
        cooldown: What its runs are asked about.
        standings: The runs by name.
        notes: What was assumed or left out.
        strayed: Which run is not where the fit says it is, and by how much; empty if all are.
        curves: All runs that were fitted; none where a saved fit answers.
        law: By what law.
    """

    name: str
    fit: Fit
    cooldown: Cooldown
    standings: Mapping[str, Standing]
    notes: tuple[Note, ...]
    strayed: str = ""
    curves: tuple[LossCurve, ...] = ()
    law: Fittable = "auto"
    _kept: dict[tuple[str, int, Cooldown], FinalLoss] = field(
        default_factory=dict[tuple[str, int, Cooldown], FinalLoss]
    )
    _expected: dict[float | None, ExpectedIntervals] = field(
        default_factory=dict[float | None, ExpectedIntervals]
    )

    def expected(self, size: float | None) -> ExpectedIntervals | None:
        """What further runs of a model size would tell; ``None`` of a saved fit."""
        if not self.curves:
            return None
        if size not in self._expected:
            self._expected[size] = ExpectedIntervals.of(self.fit, self.curves, self.law, size)
        return self._expected[size]

    def worth(self, run: Standing, at: int, cooldown: Cooldown | None = None) -> FinalLoss:
        """The loss of a run after a cooldown that begins after update ``at``: the usual one."""
        asked = cooldown or self.cooldown
        key = run.label, at, asked
        if key not in self._kept:
            schedule = asked.of(run.curve, at)
            self._kept[key] = FinalLoss.of(self.fit, schedule, run.curve.model_size)
        return self._kept[key]

    def placed(self, run: Standing, at: int) -> float:
        """What the logs leave open of the loss of a run at a step, a standard deviation, in nats.

        That of the fitted curve by its parameters: there the losses hold it, and no decay has to
        be foretold. Few losses seem nearer to a curve than they are, by what it takes of them.
        """
        here = FinalLoss.of(self.fit, run.curve.schedule.prefix(at), run.curve.model_size)
        each = zip(here.gradients, here.known, strict=True) if all(here.known) else ()
        by_law = [slope @ known.covariance @ slope for slope, known in each if known is not None]
        rows = sum(int((of.curve.steps >= self.fit.skip).sum()) for of in self.standings.values())
        variance = sum(here.leading * here.scales * by_law) if by_law else 0.0
        return math.sqrt(max(float(variance), 0.0) * max(rows / max(rows - TAKEN, 1), 1.0))

    def near(self, worth: FinalLoss, run: Standing, at: int) -> float:
        """The loss alone, as a question nearby weighs the laws: see `FinalLoss.near`."""
        return worth.near(self.cooldown.of(run.curve, at))

    def trust(self, ends: Mapping[str, int]) -> Trust | None:
        """What stands behind the losses of these runs: behind the one that ends in the middle."""
        one = middle(list(self.standings.values()), ends)
        return self.doubted(self.worth(one, ends[one.label]).trust)

    def doubted(self, trust: Trust | None) -> Trust | None:
        """What stands behind an answer: nothing confirms it where a run has strayed."""
        if trust is None or not self.strayed:
            return trust
        return replace(trust, status="not confirmed", sentence=f"not confirmed: {self.strayed}")


def middle(runs: Sequence[Standing], ends: Mapping[str, int]) -> Standing:
    """The run whose cooldown begins at the middle step of all."""
    return sorted(runs, key=lambda run: (ends[run.label], run.label))[len(runs) // 2]


def fitted(
    model: Model,
    others: Sequence[LossCurve],
    known: Fit | None,
    cooldown: Cooldown,
    *,
    law: Fittable,
    rules: Rules,
    new_data: bool,
) -> FittedModel:
    """The runs of a model, fitted with earlier ones; or a saved fit, which answers as it is.

    Raises:
        InputError: runs that cannot be fitted.
        FitError: no start led to finite losses.
    """
    clean = rules.cleaned([*model.runs, *others])
    notes = list(clean.notes)
    fit = known
    if fit is not None:
        expect("fit", fit, Fit, "a Fit")
    if fit is None:
        fit = fit_law(clean.curves, law, skip=clean.skip, keep_all=True)
        notes += fit.notes
    if new_data:
        fit = fit.for_new_data()
    standings = {each.label: each for each in standings_of(clean, model)}
    away = ""
    if known is not None or others:
        away = next((said for run in standings.values() if (said := strayed(fit, run.curve))), "")
    return FittedModel(
        name=model.name,
        fit=fit,
        cooldown=cooldown,
        standings=standings,
        notes=tuple(notes),
        strayed=away,
        curves=tuple(clean.curves) if known is None else (),
        law=law,
    )


def strayed(fit: Fit, curve: LossCurve) -> str:
    """By how much a run is not where a fit says it is, late in its log; empty where it is there."""
    some = np.linspace(2 * len(curve) // 3, len(curve) - 1, LATE).round().astype(np.int64)
    late = curve.some(np.unique(some))
    says = fit.predict(
        curve.schedule, late.steps, model_size=curve.model_size, window=late.window
    ).loss
    by = float(np.median(late.loss - says))
    if abs(by) <= STRAYED * float(np.median(late.loss)):
        return ""
    return (
        f"{curve.label} is {by:+.3f}{after_numbers(curve.unit)} from where the fit says it is:"
        " another model, data or batch size? (losslaw forecast keeps the shapes of such a fit only)"
    )


def settled(model: FittedModel, ends: Mapping[str, int]) -> FittedModel:
    """The model with the weights that its laws have for the run in the middle."""
    one = middle(list(model.standings.values()), ends)
    reference = model.cooldown.of(one.curve, ends[one.label])
    fit = model.fit.settled(reference, one.curve.model_size)
    return replace(model, fit=fit, _kept={}, _expected={})


def standings_of(clean: CleanedRuns, model: Model) -> list[Standing]:
    """Where the runs of a model stand, whose cleaned ones come first."""
    out: list[Standing] = []
    for run, logged in zip(clean.runs, model.runs, strict=False):
        last, warning = int(logged.steps[-1]), ""
        if run.diverged is not None:
            last = int(logged.steps[logged.steps < run.diverged[0]][-1])
            warning = (
                f"{logged.label} has diverged from step {run.diverged[0]:,} on: it is annealed from"
                f" step {last:,}, before that"
            )
        out.append(Standing(curve=run.curve, last=last, warning=warning))
    return out
