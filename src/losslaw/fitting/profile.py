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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import ndtri

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.fitting.fit import fit, posed_like, theta_of
from losslaw.fitting.problem import PRIOR_WEIGHT, Problem
from losslaw.fitting.search import BLOCK
from losslaw.fitting.status import POINTS_A_RUN, residual_scale
from losslaw.fitting.uncertainty import moving
from losslaw.laws import Law, Recipe
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.variable_projection import Point, Rows, Separable, minimise, project

# A side whose rise stays below the quantile is followed this many times twice as far.
DOUBLINGS = 4
TRIALS = 6  # ever shorter first steps, until one is inside the interval
STIFF = 1e6  # standard deviations that a held amplitude would cost if it doubled


@dataclass(frozen=True, eq=False)
class Profile:
    """The fit as one parameter is held at each of several values.

    Attributes:
        parameter: Its name.
        law: Name of the law.
        values: Values at which it was held, increasing. Shape ``(n,)``.
        rise: How much the likelihood ratio statistic rises there, >= 0. Shape ``(n,)``.
        best: The value where it is least.
        fitted: The value of the fit, which weighs priors otherwise: see `losslaw.fitting.problem`.
        lower: Lower end of the interval; ``None``: open.
        upper: Upper end; ``None``: open.
        level: Level of the interval.
        others: The other parameters that moved, at each value.
        sentences: What is open, and how far it was followed.
    """

    parameter: str
    law: str
    values: FloatArray
    rise: FloatArray
    best: float
    fitted: float
    lower: float | None
    upper: float | None
    level: float
    others: dict[str, FloatArray]
    sentences: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "parameter": self.parameter,
            "law": self.law,
            "value": self.values,
            "rise": self.rise,
            "best": self.best,
            "fitted": self.fitted,
            "lower": self.lower,
            "upper": self.upper,
            "level": self.level,
            "others": self.others,
            "sentences": self.sentences,
        }

    def __str__(self) -> str:
        return profile_text(self)


def profile(
    curves: LossCurve | Sequence[LossCurve],
    parameter: str,
    *,
    law: str | type[Law] | Recipe = "auto",
    optimizer: str | None = None,
    skip: int | None = None,
    points: int = 15,
    level: float = 0.9,
    progress: Callable[[str], None] | None = None,
) -> Profile:
    """The profile likelihood of one parameter, and the interval it gives.

    Args:
        curves: As for `losslaw.fit`; of several model sizes, an amplitude is that of the largest.
        parameter: A shape or an amplitude of the law, searched by the fit or not.
        law: As for `losslaw.fit`.
        optimizer: As for `losslaw.fit`.
        skip: As for `losslaw.fit`.
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
    >>> found = ll.profile(curves, "alpha", law="momentum", points=7)
    >>> found.lower < 0.5 < found.upper
    True
    """
    if points < 3:
        raise InputError(f"points is {points}, expected at least 3")
    if not 0 < level < 1:
        raise InputError(f"level is {level:g}, expected a share between 0 and 1, such as 0.9")
    say = progress or _silent
    runs = [curves] if isinstance(curves, LossCurve) else list(curves)
    say("fitting")
    found = fit(runs, law, skip=skip, optimizer=optimizer, uncertainty=False)
    problem = posed_like(found, law, runs)
    sd = residual_scale(project(problem.separable(), theta_of(problem, found)).residuals)
    side = _Held.of(replace(problem, offsets=False), found.law, parameter, sd)
    theta = theta_of(side.problem, found)
    best = side.free(theta)
    # The quantile of chi-squared with one degree of freedom is that of the normal, squared.
    enough = float(ndtri(0.5 + level / 2))
    below = _follow(side, best, -1, points // 2, enough, say)
    above = _follow(side, best, +1, points - 1 - points // 2, enough, say)
    steps = [*reversed(below), best, *above]
    least = min(step.cost for step in steps)
    values = np.array([step.value for step in steps])
    rise = np.array([step.cost - least for step in steps])
    centre = steps[int(np.argmin(rise))].value
    # Shapes are searched in the log, and are straighter there.
    scale, back = (np.log, math.exp) if side.place < 0 else (np.asarray, float)
    ends = [_crossing(scale(values), rise, float(scale(centre)), enough, way) for way in (-1, +1)]
    lower, upper = (None if end is None else back(end) for end in ends)
    laws = [side.law(step.point) for step in steps]
    names = [*side.problem.free, *found.law.amplitudes()]
    others = {
        name: np.array([float(getattr(each, name)) for each in laws])
        for name in names
        if name != parameter
    }
    fitted = float(getattr(found.law, parameter))
    sentences = _open_ends(parameter, values, rise, lower, upper, side, level)
    return Profile(
        parameter,
        found.law.name,
        values,
        rise,
        centre,
        fitted,
        lower,
        upper,
        level,
        others,
        tuple(sentences),
    )


@dataclass(frozen=True, eq=False)
class _Step:
    """The best fit with the parameter at a value."""

    value: float
    cost: float
    point: Point


@dataclass(frozen=True, eq=False)
class _Held:
    """A problem in which one parameter can be held.

    Attributes:
        problem: All shapes that may move are free in it, the held one too.
        name: The parameter.
        place: Its place among the amplitudes of all groups; -1 for a shape.
        scale: A change of it that losses feel: a factor's log for shapes, an amount for amplitudes.
        low: Least value.
        high: Largest value.
        sd: Robust scale of the log residuals.
    """

    problem: Problem
    name: str
    place: int
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
            return cls(freed, name, -1, 0.05, spec.low, spec.high, sd)
        place = columns.shape[1] - len(amplitudes) + amplitudes.index(name)
        if not columns[:, place].any():
            raise InputError(
                f"nothing in these curves depends on {name} ({law.amplitudes()[name].meaning}): it"
                " has no profile"
            )
        # What changes losses by a thousandth.
        felt = 1e-3 * float(np.mean(losses) / np.mean(np.abs(columns[:, place])))
        freed = replace(paced, free=tuple(acting))
        return cls(freed, name, place, felt, 0.0, math.inf, sd)

    def separable(self, problem: Problem, held: float | None) -> Separable:
        """The objective of the intervals: ``D * sd^2 / 2``."""
        plain = problem.separable()
        counts = [len(curve) for curve in problem.curves]
        weights = np.repeat([min(1.0, POINTS_A_RUN / count) for count in counts], counts)
        relative = self.sd / PRIOR_WEIGHT
        rows = plain.amplitude_rows
        matrix, target = relative * rows.matrix, relative * rows.target
        if held is not None and self.place >= 0:
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
        if self.place >= 0:
            value = float(point.amplitudes[self.place])
        else:
            value = float(np.exp(point.theta[self.problem.free.index(self.name)]))
        return _Step(value, 2 * point.objective / self.sd**2, point)

    def at(self, value: float, near: Point) -> _Step:
        """The best fit with the parameter at ``value``, searched from a fit near by."""
        if self.place >= 0:
            point, _ = minimise(self.separable(self.problem, value), near.theta)
            return _Step(value, 2 * point.objective / self.sd**2, point)
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
        return _Step(value, cost, replace(point, theta=whole))

    def law(self, point: Point) -> Law:
        """The law at a point, of the largest size where there are several."""
        return self.problem.laws(point.theta, point.amplitudes)[-1]

    def moved(self, value: float, way: float) -> float:
        """A value ``way`` times the scale away, inside the range."""
        if self.place >= 0:
            return max(value + way * self.scale, self.low)
        return float(np.clip(value * math.exp(way * self.scale), self.low, self.high))


def _follow(
    side: _Held, best: _Step, way: int, points: int, enough: float, say: Callable[[str], None]
) -> list[_Step]:
    """Fits with the parameter held further and further away, until the rise is enough."""
    trial = 1.0
    rise = 0.0
    for _ in range(TRIALS):
        first = side.at(side.moved(best.value, way * trial), best.point)
        if math.isclose(first.value, best.value, rel_tol=1e-6):  # it is at the end of its range
            return []
        rise = max(first.cost - best.cost, 0.0)
        if rise <= enough**2:
            break
        trial /= 4
    # Near the best value the rise is the square of the distance in standard deviations.
    unit = trial / math.sqrt(rise) if rise > 1e-4 else 100.0
    if side.place < 0:
        unit = min(unit, math.log(3.0) / side.scale)
    found: list[_Step] = []
    near = best.point
    reach = 1.15 * enough * unit
    ways = [reach * (i + 1) / points for i in range(points)]
    ways += [reach * 2.0 ** (i + 1) for i in range(DOUBLINGS)]
    for i, far in enumerate(ways):
        value = side.moved(best.value, way * far)
        if found and value == found[-1].value:
            break
        if i >= points and found[-1].cost - best.cost > enough**2:
            break
        say(f"at {value:.4g}")
        step = side.at(value, near)
        near = step.point
        found.append(step)
    # A rise that falls again has changed to another valley: it may be the better one nearer by too.
    if any(after.cost < before.cost - 1e-3 for before, after in pairwise(found)):
        for i in reversed(range(len(found) - 1)):
            again = side.at(found[i].value, found[i + 1].point)
            if again.cost < found[i].cost:
                found[i] = again
    return found


def _crossing(
    values: FloatArray, rise: FloatArray, centre: float, enough: float, way: int
) -> float | None:
    """Where the root of the rise reaches ``enough`` on one side; ``None`` if it does not."""
    side = (values >= centre) if way > 0 else (values <= centre)
    at = values[side] if way > 0 else values[side][::-1]
    # The root of the rise is close to a straight line in the parameter.
    root = np.sqrt(rise[side] if way > 0 else rise[side][::-1])
    over = np.flatnonzero(root >= enough)
    if not over.size:
        return None
    j = int(over[0])
    share = (enough - root[j - 1]) / (root[j] - root[j - 1])
    return float(at[j - 1] + share * (at[j] - at[j - 1]))


def _open_ends(
    name: str,
    values: FloatArray,
    rise: FloatArray,
    lower: float | None,
    upper: float | None,
    side: _Held,
    level: float,
) -> list[str]:
    sentences: list[str] = []
    for end, word, place, limit in (
        (lower, "below", 0, side.low),
        (upper, "above", -1, side.high),
    ):
        if end is not None:
            continue
        far = float(values[place])
        why = "the end of its range" if abs(far - limit) <= 1e-9 * max(abs(limit), 1.0) else "there"
        sentences.append(
            f"open {word}: even {name} = {far:.4g} ({why}) raises the statistic by only"
            f" {rise[place]:.2g}, and {float(ndtri(0.5 + level / 2)) ** 2:.2g} would end the"
            f" {level:.0%} interval"
        )
    return sentences


def profile_text(found: Profile) -> str:
    """The text of ``print(profile)``: the interval in words, then a row a value."""
    low = "open" if found.lower is None else f"{found.lower:.4g}"
    high = "open" if found.upper is None else f"{found.upper:.4g}"
    lines = [
        f"{found.parameter} of the law {found.law!r}: best {found.best:.4g}, {found.level:.0%}"
        f" interval {low} .. {high}; the fit has {found.fitted:.4g}",
        *found.sentences,
        "",
    ]
    header = [found.parameter, "rise", *found.others]
    rows = [
        [
            f"{value:.4g}",
            f"{found.rise[i]:.2f}",
            *[f"{each[i]:.4g}" for each in found.others.values()],
        ]
        for i, value in enumerate(found.values)
    ]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines += [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in [header, *rows]
    ]
    return "\n".join(lines)


def _acts(problem: Problem, law: Law, name: str) -> bool:
    """Whether a shape changes any column of these curves."""
    value = float(getattr(law, name))
    if value <= 0:
        return False
    base = replace(problem, free=(name,))
    return not np.array_equal(base.columns(np.log([value])), base.columns(np.log([value]) + 1e-3))


def _silent(words: str) -> None:
    pass
