"""Profile likelihood: how much worse a fit gets as one parameter is held away from its best value.

At each value all other parameters that an interval lets move are fitted anew. The objective is that
of the intervals (`losslaw.fitting.uncertainty`), not linearised: every run counts as
``POINTS_A_RUN`` independent points, residuals ``r`` have the robust scale ``sd``, priors are
Gaussian,

    rise = D(value) - D(best),   D = sum 2 w huber(r) / sd^2 + sum z^2,   w = POINTS_A_RUN / points,

and the interval holds the values whose rise is below the quantile of chi-squared with one degree of
freedom. Where the law is far from linear in the parameter, or the curves hardly tell, that is what
``value +- error`` of a report only stands for. An end that the rise never reaches is open.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from losslaw.curves import Runs
from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.fitting.cleaning import cleaned_runs
from losslaw.fitting.fit import fit, posed_like, theta_of
from losslaw.fitting.optimizer import all_by
from losslaw.fitting.problem import PRIOR_WEIGHT, Problem
from losslaw.fitting.search import BLOCK
from losslaw.fitting.status import POINTS_A_RUN, residual_scale
from losslaw.fitting.uncertainty import moving
from losslaw.laws import Law, Recipe
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.interval import Interval, Level
from losslaw.numerics.variable_projection import Point, Rows, Separable, minimise, project
from losslaw.progress import Progress, silent
from losslaw.text import Report, table

# A side whose rise stays below the quantile is followed this many times twice as far.
DOUBLINGS = 4
# Ever shorter first steps, until one is inside the interval.
TRIALS = 6
# A change of a shape that losses feel, in its log.
SHAPE_SCALE = 0.05
# Standard deviations that a held amplitude would cost if it doubled.
STIFF = 1e6


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Profile(Report, Plotted):
    """The fit as one parameter is held at each of several values.

    Attributes:
        parameter: Its name.
        law: Name of the law.
        values: Values at which it was held, increasing. Shape ``(n,)``.
        rise: How much the likelihood ratio statistic rises there, >= 0. Shape ``(n,)``.
        best: The value where it is least.
        fitted: The value of the fit, which weighs priors otherwise: see `losslaw.fitting.problem`.
        interval: Where the likelihood ratio allows it; an open end is infinite.
        others: The other parameters that moved, at each value.
        sentences: What is open, and how far it was followed.
    """

    parameter: str
    law: str
    values: FloatArray
    rise: FloatArray
    best: float
    fitted: float
    interval: Interval
    others: Mapping[str, FloatArray]
    sentences: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "parameter": self.parameter,
            "law": self.law,
            "value": self.values.tolist(),
            "rise": self.rise.tolist(),
            "best": self.best,
            "fitted": self.fitted,
            "lower": self.interval.lower if math.isfinite(self.interval.lower) else None,
            "upper": self.interval.upper if math.isfinite(self.interval.upper) else None,
            "level": self.interval.level,
            "others": {name: values.tolist() for name, values in self.others.items()},
            "sentences": self.sentences,
        }

    def __str__(self) -> str:
        """The interval in words, then a row per value."""
        ends = (self.interval.lower, self.interval.upper)
        low, high = (f"{end:.4g}" if math.isfinite(end) else "open" for end in ends)
        lines = [
            f"{self.parameter} of the law {self.law!r}: best {self.best:.4g},"
            f" {self.interval.level:.0%} interval {low} .. {high}; the fit has {self.fitted:.4g}",
            *self.sentences,
            "",
        ]
        rows = [
            [
                f"{value:.4g}",
                f"{self.rise[i]:.2f}",
                *[f"{each[i]:.4g}" for each in self.others.values()],
            ]
            for i, value in enumerate(self.values)
        ]
        return "\n".join([*lines, *table([self.parameter, "rise", *self.others], rows, left=())])


def profile(
    curves: Runs,
    parameter: str,
    *,
    law: str | type[Law] | Recipe = "auto",
    optimizer: str | None = None,
    skip: int | None = None,
    keep_all: bool = False,
    points: int = 15,
    level: float = 0.9,
    progress: Progress = silent,
) -> Profile:
    """The profile likelihood of one parameter, and the interval it gives.

    Args:
        curves: As for `losslaw.fit`; of several model sizes, an amplitude is that of the largest.
        parameter: A shape or an amplitude of the law, searched by the fit or not.
        law: As for `losslaw.fit`.
        optimizer: As for `losslaw.fit`.
        skip: As for `losslaw.fit`.
        keep_all: As for `losslaw.fit`.
        points: Values at which the parameter is held, at least 3; open sides take a few more.
        level: Level of the interval, in (0, 1).
        progress: Called with words as the work goes on.

    Raises:
        InputError: a name that the law does not have, or on which nothing in the curves depends.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> law = ll.Momentum(L0=2.0, A=1.0, C=0.5, alpha=0.5)
    >>> runs = [ll.cosine(peak=0.01, horizon=900), ll.constant(peak=0.01, horizon=900)]
    >>> curves = [law.curve(run, range(10, 901, 10), label) for run, label in zip(runs, "ab")]
    >>> profile = ll.profile(curves, "alpha", law="momentum", points=7)
    >>> profile.interval.holds(0.5)
    True
    """
    if points < 3:
        raise InputError(f"points is {points}, expected at least 3")
    # The quantile of chi-squared with one degree of freedom is that of the normal, squared.
    enough = Level(level).quantile
    progress("fitting")
    clean = cleaned_runs(all_by(curves, optimizer), skip, keep_all=keep_all)
    result = fit(clean.curves, law, skip=clean.skip, uncertainty=False, keep_all=True)
    problem = posed_like(result, law, clean.curves)
    sd = residual_scale(project(problem.separable(), theta_of(problem, result)).residuals)
    held = _Held.of(replace(problem, offsets=False), result.law, parameter, sd)
    best = held.free(theta_of(held.problem, result))
    below = _follow(held, best, -1, points // 2, enough, progress)
    above = _follow(held, best, +1, points - 1 - points // 2, enough, progress)
    steps = [*reversed(below), best, *above]
    values = np.array([step.value for step in steps])
    rise = np.array([step.cost for step in steps])
    rise = rise - rise.min()
    centre = steps[int(np.argmin(rise))].value
    # Shapes are searched in the log, and are straighter there.
    scale, back = (np.log, math.exp) if held.place is None else (np.asarray, float)
    ends = [_crossing(scale(values), rise, float(scale(centre)), enough, way) for way in (-1, +1)]
    lower, upper = (back(end) if math.isfinite(end) else end for end in ends)
    interval = Interval(lower=lower, upper=upper, level=level)
    laws = [held.law(step.point) for step in steps]
    return Profile(
        parameter=parameter,
        law=result.law.name,
        values=values,
        rise=rise,
        best=centre,
        fitted=float(getattr(result.law, parameter)),
        interval=interval,
        others={
            name: np.array([float(getattr(each, name)) for each in laws])
            for name in (*held.problem.free, *result.law.amplitudes())
            if name != parameter
        },
        sentences=(
            *_open_ends(held, values, rise, interval, enough),
            *_outside(held, float(getattr(result.law, parameter)), interval),
            *map(str, clean.notes),
        ),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Step:
    """The best fit with the parameter at a value."""

    value: float
    cost: float
    point: Point


@dataclass(frozen=True, eq=False, kw_only=True)
class _Held:
    """A problem in which one parameter can be held.

    Attributes:
        problem: All shapes that may move are free in it, the held one too.
        name: The parameter.
        place: Its place among the amplitudes of all groups; ``None`` for a shape.
        scale: A change of it that losses feel: a factor's log for shapes, an amount for amplitudes.
        low: Least value.
        high: Largest value.
        sd: Robust scale of the log residuals.
    """

    problem: Problem
    name: str
    place: int | None
    scale: float
    low: float
    high: float
    sd: float

    @classmethod
    def of(cls, problem: Problem, law: Law, name: str, sd: float) -> "_Held":
        shapes, amplitudes = law.shapes(), list(law.amplitudes())
        if name not in shapes and name not in amplitudes:
            known = ", ".join([*shapes, *amplitudes])
            raise InputError(f"{law.name} has no parameter {name!r}: expected one of {known}")
        names = [*moving(problem, law)]
        if name in shapes and name not in names:
            names.append(name)
        paced = problem.in_blocks(BLOCK)
        theta = np.log([max(float(getattr(law, each)), 1e-300) for each in problem.free])
        columns = paced.columns(theta)
        losses = np.exp(paced.logs)
        acting = [each for each in names if _acts(paced, law, each)]
        if name in shapes:
            if name not in acting:
                raise InputError(
                    f"nothing in these curves depends on {name} ({shapes[name].meaning}): it has no"
                    " profile"
                )
            spec = shapes[name]
            freed = replace(paced, free=tuple(acting))
            return cls(
                problem=freed,
                name=name,
                place=None,
                scale=SHAPE_SCALE,
                low=spec.low,
                high=spec.high,
                sd=sd,
            )
        place = columns.shape[1] - len(amplitudes) + amplitudes.index(name)
        if not columns[:, place].any():
            raise InputError(
                f"nothing in these curves depends on {name} ({law.amplitudes()[name].meaning}): it"
                " has no profile"
            )
        # What changes losses by a thousandth.
        scale = 1e-3 * float(np.mean(losses) / np.mean(np.abs(columns[:, place])))
        freed = replace(paced, free=tuple(acting))
        return cls(
            problem=freed, name=name, place=place, scale=scale, low=0.0, high=math.inf, sd=sd
        )

    def separable(self, problem: Problem, held: float | None) -> Separable:
        """The objective of the intervals: ``D * sd^2 / 2``."""
        plain = problem.separable()
        counts = [len(curve) for curve in problem.curves]
        weights = np.repeat([min(1.0, POINTS_A_RUN / count) for count in counts], counts)
        relative = self.sd / PRIOR_WEIGHT
        rows = plain.amplitude_rows
        matrix, target = relative * rows.matrix, relative * rows.target
        if held is not None and self.place is not None:
            row = np.zeros(matrix.shape[1])
            row[self.place] = STIFF * self.sd / max(held, self.scale)
            matrix = np.vstack([matrix, row])
            target = np.append(target, row[self.place] * held)

        def shape_rows(theta: FloatArray) -> FloatArray:
            return relative * plain.shape_rows(theta)

        return replace(
            plain, shape_rows=shape_rows, amplitude_rows=Rows(matrix, target), weights=weights
        )

    def free(self, theta: FloatArray) -> _Step:
        """The best fit with nothing held."""
        point, _ = minimise(self.separable(self.problem, None), theta)
        if self.place is not None:
            value = float(point.amplitudes[self.place])
        else:
            value = float(np.exp(point.theta[self.problem.free.index(self.name)]))
        return _Step(value=value, cost=2 * point.objective / self.sd**2, point=point)

    def at(self, value: float, near: Point) -> _Step:
        """The best fit with the parameter at ``value``, searched from a fit near by."""
        if self.place is not None:
            point, _ = minimise(self.separable(self.problem, value), near.theta)
            return _Step(value=value, cost=2 * point.objective / self.sd**2, point=point)
        at = self.problem.free.index(self.name)
        held = replace(
            self.problem,
            law=self.problem.law.with_(**{self.name: value}),
            free=tuple(name for name in self.problem.free if name != self.name),
        )
        point, _ = minimise(self.separable(held, None), np.delete(near.theta, at))
        cost = 2 * point.objective / self.sd**2
        if self.name in self.problem.priors:
            cost += self.problem.priors[self.name].z(value) ** 2
        whole = np.insert(point.theta, at, math.log(value))
        return _Step(value=value, cost=cost, point=replace(point, theta=whole))

    def law(self, point: Point) -> Law:
        """The law at a point, of the largest size where there are several."""
        return self.problem.laws(point.theta, point.amplitudes)[-1]

    def moved(self, value: float, way: float) -> float:
        """A value ``way`` times the scale away, inside the range."""
        if self.place is not None:
            return max(value + way * self.scale, self.low)
        return float(np.clip(value * math.exp(way * self.scale), self.low, self.high))


def _follow(
    held: _Held, best: _Step, way: int, points: int, enough: float, progress: Progress
) -> list[_Step]:
    """Fits with the parameter held further and further away, until the rise is enough."""
    trial = 1.0
    rise = 0.0
    for _ in range(TRIALS):
        first = held.at(held.moved(best.value, way * trial), best.point)
        if math.isclose(first.value, best.value, rel_tol=1e-6):  # it is at the end of its range
            return []
        rise = max(first.cost - best.cost, 0.0)
        if rise <= enough**2:
            break
        trial /= 4
    # Near the best value the rise is the square of the distance in standard deviations.
    unit = trial / math.sqrt(rise) if rise > 1e-4 else 100.0
    if held.place is None:
        unit = min(unit, math.log(3.0) / held.scale)
    steps: list[_Step] = []
    near = best.point
    reach = 1.15 * enough * unit
    ways = [reach * (i + 1) / points for i in range(points)]
    ways += [reach * 2.0 ** (i + 1) for i in range(DOUBLINGS)]
    for i, far in enumerate(ways):
        value = held.moved(best.value, way * far)
        if steps and value == steps[-1].value:
            break
        if i >= points and steps[-1].cost - best.cost > enough**2:
            break
        progress(f"at {value:.4g}")
        step = held.at(value, near)
        near = step.point
        steps.append(step)
    # A rise that falls again has changed to another valley: it may be the better one nearer by too.
    if any(after.cost < before.cost - 1e-3 for before, after in pairwise(steps)):
        for i in reversed(range(len(steps) - 1)):
            again = held.at(steps[i].value, steps[i + 1].point)
            if again.cost < steps[i].cost:
                steps[i] = again
    return steps


def _crossing(
    values: FloatArray, rise: FloatArray, centre: float, enough: float, way: int
) -> float:
    """Where the root of the rise reaches ``enough`` on one side; infinite if it does not.

    The root is close to a straight line between two values; a root finder would fit at each trial.
    """
    side = (values >= centre) if way > 0 else (values <= centre)
    at = values[side] if way > 0 else values[side][::-1]
    root = np.sqrt(rise[side] if way > 0 else rise[side][::-1])
    over = np.flatnonzero(root >= enough)
    if not over.size:
        return way * math.inf
    j = int(over[0])
    share = (enough - root[j - 1]) / (root[j] - root[j - 1])
    return float(at[j - 1] + share * (at[j] - at[j - 1]))


def _open_ends(
    held: _Held, values: FloatArray, rise: FloatArray, interval: Interval, enough: float
) -> Iterator[str]:
    """A sentence for each open end: how far it was followed."""
    for end, word, place, limit in (
        (interval.lower, "below", 0, held.low),
        (interval.upper, "above", -1, held.high),
    ):
        if math.isfinite(end):
            continue
        far = float(values[place])
        why = "the end of its range" if abs(far - limit) <= 1e-9 * max(abs(limit), 1.0) else "there"
        yield (
            f"open {word}: even {held.name} = {far:.4g} ({why}) raises the statistic by only"
            f" {rise[place]:.2g}, and {enough**2:.2g} would end the {interval.level:.0%} interval"
        )


def _outside(held: _Held, fitted: float, interval: Interval) -> Iterator[str]:
    """Why the fit is not in the interval, if it is not."""
    if not interval.holds(fitted):
        yield (
            f"the fit has {held.name} = {fitted:.4g}, outside: it counts every point of a run and"
            f" priors little, the interval {POINTS_A_RUN} independent points a run, and priors in"
            " full"
        )


def _acts(problem: Problem, law: Law, name: str) -> bool:
    """Whether a shape changes any column of these curves."""
    value = float(getattr(law, name))
    if value <= 0:
        return False
    base = replace(problem, free=(name,))
    return not np.array_equal(base.columns(np.log([value])), base.columns(np.log([value]) + 1e-3))
