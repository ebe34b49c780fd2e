"""What intervals would be made of with one run more, without making it.

The run is imagined: its losses are those that the fit predicts, and what they would tell of the
parameters is added to what the fitted curves tell, with the recipe that the curves then would call
for (a decay opens the power of forgetting, a second peak the growth of the norm). Nothing is
refitted, so the fit is taken to stay where it is: misfit and noise do not change, and schedules
left out come out as well as those so far did.

Assumption: the log of a run that begins at a checkpoint includes the steps before, as when a
trainer resumes. Its points then tell of the trunk as much as of the branch.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from losslaw.advising.candidate_runs import MOST_POINTS, Candidate
from losslaw.curves import LossCurve
from losslaw.fitting.final_loss import final_gradient
from losslaw.fitting.fit import posed_like, recipe_like, theta_of
from losslaw.fitting.problem import Problem, pose
from losslaw.fitting.record import Fit
from losslaw.fitting.search import LeftOut
from losslaw.fitting.status import residual_scale
from losslaw.fitting.uncertainty import Uncertainty, law_error, uncertainties
from losslaw.laws import Law, Query, Recipe, Variety, variety
from losslaw.numerics.arrays import IntArray
from losslaw.numerics.variable_projection import Point, project
from losslaw.schedules import Schedule
from losslaw.schedules.agreement import same_rate

# Updates in a block at least, and blocks of a schedule at most about: information is a sum over a
# run, and right to a hundredth of a deviation on these.
BLOCK = 8
BLOCKS = 4000


@dataclass(frozen=True, eq=False, kw_only=True)
class ExpectedIntervals:
    """What intervals are made of with the runs there are, and what they would be with one more.

    Attributes:
        fit: The fit of all runs.
        law: The law of the target's model.
        now: What its intervals are made of.
        curves: The runs, thinned to what the information counts.
        recipe: How curves like these are fitted.
        group: Place of the target's model among the sizes.
        point: Where the fit ended.
        residual_sd: Robust scale of the log residuals.
        model_size: Parameters of the target's model, if known.
    """

    fit: Fit
    law: Law
    now: Uncertainty
    curves: tuple[LossCurve, ...]
    recipe: Callable[[Sequence[LossCurve]], Recipe]
    group: int
    point: Point
    residual_sd: float
    model_size: float | None
    _posed: dict[Variety, Problem] = field(default_factory=dict[Variety, Problem])

    @classmethod
    def of(
        cls,
        fit: Fit,
        curves: Sequence[LossCurve],
        law: str | type[Law] | Recipe,
        model_size: float | None,
    ) -> "ExpectedIntervals":
        """From a fit of these curves by this law."""
        problem = posed_like(fit, law, curves)
        point = project(problem.separable(), theta_of(problem, fit))
        group = 0
        chosen, now = fit.law, fit.uncertainty
        if fit.sizes:
            sizes = [item.model_size for item in fit.sizes]
            group = int(np.argmin([abs(np.log(size / (model_size or 1.0))) for size in sizes]))
            chosen, now = fit.sizes[group].law, fit.sizes[group].uncertainty
        assert now is not None
        return cls(
            fit=fit,
            law=chosen,
            now=now,
            curves=tuple(_thinned(curve) for curve in problem.curves),
            recipe=recipe_like(fit, law),
            group=group,
            point=point,
            residual_sd=residual_scale(point.residuals),
            model_size=model_size or next((c.model_size for c in curves if c.model_size), None),
        )

    def after(self, candidate: Candidate | None, every: int = 1) -> Uncertainty:
        """What intervals would be made of with one run more; ``None``: with none."""
        extra: tuple[LossCurve, ...] = ()
        if candidate is not None:
            steps = candidate.steps(self.fit.skip, every)
            losses = self.law.loss(_in_blocks(candidate.schedule, steps))
            label = f"next after {', '.join(curve.label for curve in self.curves)}"
            extra = (LossCurve(candidate.schedule, steps, losses, label, self.model_size),)
        problem = self._problem(extra)
        laws = [item.law for item in self.fit.sizes] or [self.fit.law]
        # Of the point only the columns count, which say what acts, and how many rows there are.
        theta = theta_of(problem, self.fit)
        columns = problem.columns(theta)
        zeros = np.zeros(columns.shape[0])
        point = replace(self.point, theta=theta, columns=columns, residuals=zeros)
        parts = uncertainties(problem, laws, point, self.residual_sd, ())
        # What the imagined losses cannot say: they have no noise, and follow the law exactly.
        tau = self._law_error(problem, len(extra))
        return replace(parts[self.group], tau=tau, misfit=self.now.misfit, noise=self.now.noise)

    def variance_between(self, known: Uncertainty, one: Schedule, other: Schedule) -> float:
        """Variance of the difference of two final losses by the parameters, in nats squared."""
        first, second = (final_gradient(self.law, known, each) for each in (one, other))
        return max(float((first - second) @ known.covariance @ (first - second)), 0.0)

    def _problem(self, extra: tuple[LossCurve, ...]) -> Problem:
        """The problem of the curves and these, on updates in blocks."""
        curves = (*self.curves, *extra)
        kind = variety(curves)
        if not extra or kind not in self._posed:
            posed = pose(self.recipe(curves), curves, skip=self.fit.skip)
            queries = [_in_blocks(query.schedule, query.steps) for query in posed.queries]
            posed = replace(posed, queries=tuple(queries))
            if extra:
                self._posed[kind] = posed
            return posed
        like = self._posed[kind]
        count = len(self.curves)
        new = [_in_blocks(each.schedule, each.steps) for each in extra]
        return replace(
            like,
            curves=(*like.curves[:count], *extra),
            queries=(*like.queries[:count], *new),
        )

    def _law_error(self, problem: Problem, added: int) -> float:
        """The law's error as it would come out, further schedules left out like those so far."""
        usual = problem.model_error if problem.model_error is not None else self.law.model_error
        least = max(usual, self.now.misfit)
        count = len(problem.curves) - added
        before = _tested(problem, count)
        if added == 0:
            return self.now.tau
        now, each = self.now.tau**2, least**2
        if before > 1:
            # The mean square that makes the error what it is.
            scale = (
                law_error(least, [_missed(1.0)] * before) ** 2
                - law_error(least, [_missed(0.0)] * before) ** 2
            )
            each = max(now - law_error(least, [_missed(0.0)] * before) ** 2, 0.0) / scale
        return law_error(least, [_missed(math.sqrt(each))] * _tested(problem, count + added))


def _in_blocks(schedule: Schedule, steps: IntArray) -> Query:
    return Query(schedule, steps, max(BLOCK, schedule.horizon // BLOCKS))


def _missed(error: float) -> LeftOut:
    return LeftOut(curve=0, error=np.array([error]))


def _tested(problem: Problem, count: int) -> int:
    """How many of the first runs can be left out without losing the only decay, peak or size."""
    runs = problem.curves[:count]
    groups = problem.groups[:count]
    decays = [run.schedule.decays(int(run.steps[-1])) for run in runs]
    peaks = [run.schedule.peak_lr for run in runs]
    return sum(
        any(groups[j] == groups[i] for j in range(count) if j != i)
        and any(same_rate(peaks[j], peaks[i]) for j in range(count) if j != i)
        and (not decays[i] or sum(decays) > 1)
        for i in range(count)
    )


def _thinned(curve: LossCurve) -> LossCurve:
    """At most ``MOST_POINTS`` points: a run counts the same however often it was logged."""
    if len(curve) <= MOST_POINTS:
        return curve
    kept = np.linspace(0, len(curve) - 1, MOST_POINTS).round().astype(np.int64)
    return curve.some(kept)
