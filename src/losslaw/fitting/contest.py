"""Fitting all laws of a mixture, and testing each on parts of the logs that are kept from it.

One run is cut at .50, .67 and .83 of its points and the rest foretold. Of several, up to three are
left out in turn, decays first, and foretold from where they depart from the others; all are cut at
.67; and where peaks differ, all runs of the lowest and of the highest peak are left out in turn.
Searches on parts begin where that on the whole ended, on updates in blocks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import FitError, InputError
from losslaw.fitting.fitted_law import SizeFit
from losslaw.fitting.ground import Ground
from losslaw.fitting.members import Candidate, candidates
from losslaw.fitting.mixture import Member, Mixture, Tested, answered, typical_gain
from losslaw.fitting.optimizer import optimizer_of
from losslaw.fitting.problem import Problem, pose
from losslaw.fitting.search import SETTLED, LeftOut, Optimum, as_varied, coarse, coarse_search
from losslaw.fitting.status import Note, residual_scale
from losslaw.fitting.uncertainty import Uncertainty, uncertainties
from losslaw.laws import Law
from losslaw.numerics.arrays import IntArray
from losslaw.numerics.variable_projection import Point, minimise
from losslaw.schedules.agreement import departure, same_rate

# Shares of its points at which one run is cut, and several.
CUTS, CUT = (0.50, 0.67, 0.83), 0.67
# Root mean square of what updates in blocks change of a fit, relative to the loss, at most.
SAME_IN_BLOCKS = 2e-3
# Weight from which it matters what was assumed for a law.
COUNTS = 0.02
# Runs that are left out in turn.
LEFT_OUT = 3
# Points of a run below which it is not cut.
FEW = 6
# Points of a run at which a test is scored and what is known of parameters is worked out.
POINTS = 40
# Searches on parts: on how many blocks a run, how exact, and how long.
BLOCKS, TOLERANCE, EVALUATIONS = 300, 1e-3, 20


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A law fitted to all curves, on updates in blocks.

    Attributes:
        candidate: What it is.
        problem: The law and the curves.
        optimum: Where the search ended.
    """

    candidate: Candidate
    problem: Problem
    optimum: Optimum

    def laws(self) -> tuple[Law, ...]:
        """The laws of all model sizes."""
        point = self.optimum.point
        return self.problem.laws(point.theta, point.amplitudes)

    @property
    def same_in_blocks(self) -> bool:
        """Whether the fit is the same, nearly, with every update by itself."""
        laws, problem = self.laws(), self.problem
        with np.errstate(over="ignore", invalid="ignore"):
            exact = np.concatenate(
                [
                    laws[group].loss(query)
                    for query, group in zip(problem.queries, problem.groups, strict=True)
                ]
            )
        blocks = self.optimum.point.columns @ self.optimum.point.amplitudes
        return bool(np.sqrt(np.mean((exact / blocks - 1) ** 2)) < SAME_IN_BLOCKS)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A test before it is made: what is fitted of each run, and what is foretold.

    Attributes:
        what: In words.
        fitted: For each run, how many of its points are fitted.
        asked: Runs that are foretold, each with the step after which.
        left_out: The run that is left out; ``None``: runs are cut, or a peak is left out.
        distance: Of the peak that is left out from the others, in e-folds.
    """

    what: str
    fitted: tuple[int, ...]
    asked: tuple[tuple[int, int], ...]
    left_out: int | None = None
    distance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Contest:
    """All laws of a mixture, fitted and tested.

    Attributes:
        entrants: The laws.
        mixture: What they are together.
        left_out: For each law, the runs that were left out of its tests and foretold.
    """

    entrants: tuple[Entrant, ...]
    mixture: Mixture
    left_out: tuple[tuple[LeftOut, ...], ...]

    @property
    def heaviest(self) -> Entrant:
        """The law with most weight."""
        return self.entrants[self.mixture.heaviest]

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was assumed for the laws that count, the heaviest first."""
        order: list[int] = np.argsort(-self.mixture.usual, kind="stable").tolist()
        counted = [self.entrants[k] for k in order if self.mixture.usual[k] > COUNTS]
        return tuple(dict.fromkeys(note for each in counted for note in each.problem.notes))

    @property
    def of_heaviest(self) -> tuple[LeftOut, ...]:
        """Runs that were left out of its tests and foretold by it."""
        return self.left_out[self.mixture.heaviest]

    def settled(self, law: Law, known: Uncertainty | None, sizes: tuple[SizeFit, ...]) -> Mixture:
        """The mixture with the heaviest law as the last search left it."""
        k, members = self.mixture.heaviest, list(self.mixture.members)
        known = members[k].uncertainty if known is None else known
        members[k] = replace(members[k], law=law, uncertainty=known, sizes=sizes)
        return replace(self.mixture, members=tuple(members))


def contest(curves: Sequence[LossCurve], *, skip: int | None = None) -> Contest:
    """Fit and test the laws that these curves call for.

    Args:
        curves: What is to be fitted.
        skip: Leave out points before this step; ``None``: see `losslaw.fit`.

    Raises:
        InputError: curves that cannot be fitted.
        FitError: no law gives finite losses on them.
    """
    if not curves:
        raise InputError("no curves to fit: expected at least one")
    ground = Ground.of(curves, optimizer_of(curves))
    entrants: list[Entrant] = []
    apart: list[Entrant] = []
    refused: FitError | InputError | None = None
    for candidate in candidates(curves, ground):
        try:  # a law may have more parameters than there are points
            problem = with_offsets(pose(candidate.recipe, curves, skip=skip))
            optimum = coarse_search(problem)
        except (FitError, InputError) as error:
            refused = refused or error
        else:
            entrant = Entrant(candidate=candidate, problem=problem, optimum=optimum)
            # What means something else in blocks cannot be tested in blocks.
            (entrants if entrant.same_in_blocks else apart).append(entrant)
    entrants = entrants or apart
    if not entrants:
        assert refused is not None
        raise refused
    known = [
        what_is_known(coarse(entrant.problem), entrant.laws(), entrant.optimum.point)
        for entrant in entrants
    ]
    noise = min(each[-1].noise for each in known)
    members = tuple(
        member_of(entrant, parts) for entrant, parts in zip(entrants, known, strict=True)
    )
    tests: list[Tested] = []
    left_out: list[list[LeftOut]] = [[] for _ in entrants]
    for part in _parts(entrants[0].problem):
        results = [
            _result(entrant, member, part, ground, noise)
            for entrant, member in zip(entrants, members, strict=True)
        ]
        tests.append(
            Tested(
                what=part.what,
                distance=part.distance,
                gain=typical_gain([result.gain for result in results if result]),
                squares=tuple(result.square if result else None for result in results),
                surprises=tuple(result.surprise if result else None for result in results),
            )
        )
        if part.left_out is not None and _fair(entrants[0].problem, part):
            for k, result in enumerate(results):
                if result is not None:
                    error = np.array([np.sqrt(result.square)])
                    left_out[k].append(LeftOut(curve=part.left_out, error=error))
    mixture = Mixture(members=members, tests=tuple(tests), ground=ground, noise=noise)
    return Contest(
        entrants=tuple(entrants),
        mixture=mixture,
        left_out=tuple(tuple(each) for each in left_out),
    )


def with_offsets(problem: Problem) -> Problem:
    """The problem with an offset for each run, where there are several and the law has priors."""
    return replace(problem, offsets=len(problem.curves) > 1 and bool(problem.law.priors()))


def what_is_known(problem: Problem, laws: Sequence[Law], point: Point) -> tuple[Uncertainty, ...]:
    """What the intervals of each law are made of, with no run left out; best on blocks."""
    return uncertainties(problem, laws, point, residual_scale(point.residuals), ())


def member_of(entrant: Entrant, parts: Sequence[Uncertainty]) -> Member:
    """A fitted law as part of a mixture."""
    candidate, laws, sizes = entrant.candidate, entrant.laws(), entrant.problem.sizes
    return Member(
        law=laws[-1],
        free=entrant.problem.free,
        uncertainty=parts[-1],
        sizes=size_fits(sizes, laws, parts),
        recipe=candidate.recipe.name,
        name=candidate.name,
        prior=candidate.prior,
        by_peak=candidate.by_peak,
        adamw=candidate.adamw,
    )


def size_fits(
    sizes: Sequence[float | None], laws: Sequence[Law], parts: Sequence[Uncertainty | None]
) -> tuple[SizeFit, ...]:
    """The laws of several model sizes; none where there is one."""
    return tuple(
        SizeFit(model_size=size, law=law, uncertainty=part)
        for size, law, part in zip(sizes, laws, parts, strict=True)
        if size is not None and len(laws) > 1
    )


def _parts(problem: Problem) -> list[_Part]:
    """The tests that these curves allow."""
    curves = problem.curves
    whole = tuple(len(curve) for curve in curves)
    if len(curves) == 1:
        parts: list[_Part] = []
        for share in CUTS:
            kept = int(share * whole[0])
            if FEW <= kept < whole[0]:
                what = f"the last {1 - share:.0%} of the log"
                parts.append(
                    _Part(what=what, fitted=(kept,), asked=((0, int(curves[0].steps[kept - 1])),))
                )
        return parts
    ends = [int(curve.steps[-1]) for curve in curves]
    decays = [c.schedule.decays(end) for c, end in zip(curves, ends, strict=True)]
    parts = []
    # By what they are and not by the order in which they came.
    order = [(not decays[i], -ends[i], curves[i].loss.tobytes(), i) for i in range(len(curves))]
    for *_, i in sorted(order):
        # Of a model size with no other run nothing is known: its amplitudes are its own.
        mates = [k for k in range(len(curves)) if k != i and problem.groups[k] == problem.groups[i]]
        left = departure(curves[i].schedule, [(curves[k].schedule, ends[k]) for k in mates])
        if not mates or left >= ends[i]:
            continue
        fitted = tuple(0 if k == i else count for k, count in enumerate(whole))
        parts.append(
            _Part(what=f"{curves[i].label} left out", fitted=fitted, asked=((i, left),), left_out=i)
        )
        if len(parts) == LEFT_OUT:
            break
    kept = tuple(int(CUT * count) if count >= FEW else count for count in whole)
    asked = tuple(
        (k, int(curves[k].steps[kept[k] - 1])) for k in range(len(curves)) if kept[k] < whole[k]
    )
    if asked:
        parts.append(_Part(what=f"the last {1 - CUT:.0%} of all logs", fitted=kept, asked=asked))
    return [*parts, *_peak_parts(problem)]


def _peak_parts(problem: Problem) -> list[_Part]:
    """Tests that leave out all runs of the lowest or of the highest peak."""
    curves, groups = problem.curves, problem.groups
    peaks = [curve.peak_seen for curve in curves]
    parts: list[_Part] = []
    for end in (min(peaks), max(peaks)):
        out = [k for k, peak in enumerate(peaks) if same_rate(peak, end)]
        kept = [k for k in range(len(curves)) if k not in out]
        if not kept or {groups[k] for k in kept} != set(groups):
            return []
        distance = min(abs(math.log(end / peaks[k])) for k in kept)
        parts.append(
            _Part(
                what=f"all runs at peak {end:.3g} left out",
                fitted=tuple(len(curves[k]) if k in kept else 0 for k in range(len(curves))),
                asked=tuple((k, 0) for k in out),
                distance=distance,
            )
        )
    return parts


@dataclass(frozen=True, kw_only=True)
class _Result:
    """How a law foretold a part: mean square error, over its variance, and what decays gain."""

    square: float
    surprise: float
    gain: float


def _result(
    entrant: Entrant, member: Member, part: _Part, ground: Ground, noise: float
) -> _Result | None:
    """Fit what is kept, foretell the rest; ``None`` where that cannot be done."""
    problem = coarse(_kept(entrant.problem, part.fitted), BLOCKS)
    start = entrant.optimum.point.theta
    try:
        point, _ = minimise(
            problem.separable(SETTLED), start, evaluations=EVALUATIONS, tolerance=TOLERANCE
        )
        laws = problem.laws(point.theta, point.amplitudes)
        known = what_is_known(problem, laws, point)
    except (FloatingPointError, np.linalg.LinAlgError):
        return None
    there = Ground.of(problem.curves, ground.optimizer)
    errors: list[np.ndarray] = []
    variances: list[np.ndarray] = []
    gain = 0.0
    for i, after in part.asked:
        curve, group = entrant.problem.curves[i], entrant.problem.groups[i]
        unseen = np.flatnonzero(curve.steps > after)
        chosen = unseen[_thinned(unseen.size)]
        query = entrant.problem.queries[i].some(chosen).in_blocks(problem.queries[0].block)
        answer = answered(member, laws[group], known[group], query, there, noise)
        errors.append(answer.loss - curve.loss[chosen])
        variances.append(answer.variance + answer.fixed)
        gain = max(gain, float(answer.gain.max()))
    error, variance = np.concatenate(errors), np.concatenate(variances)
    if not (np.isfinite(error).all() and np.isfinite(variance).all()):
        return None
    return _Result(
        square=float(np.mean(error**2)), surprise=float(np.mean(error**2 / variance)), gain=gain
    )


def _thinned(count: int) -> IntArray:
    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(np.int64))


def _kept(problem: Problem, counts: Sequence[int]) -> Problem:
    """The problem on the first points of each run; none: without the run."""
    kept = [k for k, count in enumerate(counts) if count > 0]
    first = [np.arange(counts[k]) for k in kept]
    curves = tuple(problem.curves[k].some(points) for k, points in zip(kept, first, strict=True))
    queries = tuple(problem.queries[k].some(points) for k, points in zip(kept, first, strict=True))
    return replace(problem.only(kept), curves=curves, queries=queries)


def _fair(problem: Problem, part: _Part) -> bool:
    """Whether what is left shows a decay and as many peaks as the whole: a usual question."""
    kept = [curve for curve, count in zip(problem.curves, part.fitted, strict=True) if count > 0]
    return as_varied(kept, problem.curves)
