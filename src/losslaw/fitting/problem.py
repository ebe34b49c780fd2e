"""From curves and a recipe to the separable problem that is searched.

The objective is the sum over all points of Huber's loss (delta 1e-3) of log predicted minus log
observed loss, plus prior rows ``PRIOR_WEIGHT * (parameter - mean) / sd``: one standard deviation of
a prior costs what some twenty-five points cost at a residual of 1e-3 each. A run counts as at most
``POINTS_COUNTED`` points however often it was logged, so that priors weigh the same against a loss
written every update as against one written every hundredth.

Runs of several known model sizes share their shapes (along the trends that the law knows) and have
amplitudes of their own. Where the law has a prior on an amplitude, sizes are held to it together:
most of what is not known of it is common to all sizes. Runs may also have offsets: a seed moves a
whole curve by about a thousandth, and a shape should not take the blame for it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.fitting.norms import fitted_growth, norms_seen
from losslaw.fitting.optimizer import (
    constant_norm,
    decay_not_assumed,
    without_guess,
)
from losslaw.fitting.status import ASSUMED_FOR, Note
from losslaw.laws import Law, Prior, Query, Recipe
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.variable_projection import Offsets, Rows, Separable

# What one standard deviation of a prior weighs against a point: see the module.
PRIOR_WEIGHT = 5e-3
# A run counts as at most this many points, however often it was logged.
POINTS_COUNTED = 300
# How far a run lies from its schedule's mean, relative to the loss; repeats differ by .0005-.002.
OFFSET = 1e-3
# Updates before which the lab's runs follow no law here, whatever their length
# (docs/evidence/lab.md).
EARLY = 400
# Longest run that is taken to have had no warm-up because its log shows none.
UNLOGGED = 5_000
# Blocks of updates of a run on which it is seen which shapes act at all, and the shortest.
BLOCKS, BLOCK = 600, 32
# Updates of a run, and of all, beyond which a few are taken together in every search; but no run is
# cut into fewer blocks than `FEWEST`. At the worst step no loss moves by more than 1e-4 nats
# (the convolution law on a cosine of 5,000 updates in blocks of four: 9e-5; in half of the steps by
# less than 1e-6); a cosine of 2,000 updates in blocks of four would err by 4e-4, in blocks of eight
# by 1.2e-3.
EXACT, EXACT_IN_ALL = 30_000, 150_000
FEWEST = 1_250
# Share of the variance of a prior that all model sizes have in common.
SHARED_BY_SIZES = 0.8


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A law to be fitted to curves.

    Attributes:
        law: Settings and fixed parameters; the values of free shapes here do not matter.
        free: Names of the shapes that are searched.
        queries: One per curve, at the points that are fitted.
        curves: The curves, cut to those points.
        notes: What was assumed or left out.
        skip: Points before this step were left out.
        priors: What is known of shapes and amplitudes, at the reference size.
        starts: Values of the free shapes to begin from.
        sizes: The model sizes that have amplitudes of their own; one entry if there is one size,
            or if some are not known.
        groups: For each curve, which of ``sizes`` it is of.
        offsets: Whether each run has an offset of its own.
        held: Shapes fixed at a value that is taken as known.
        model_error: Usual error on schedules left out, if it is not that of the law, in nats.
        peak_error: Error an e-fold from the fitted peaks, if it is not that of the law, in nats.
    """

    law: Law
    free: tuple[str, ...]
    queries: tuple[Query, ...]
    curves: tuple[LossCurve, ...]
    notes: tuple[Note, ...]
    skip: int
    priors: Mapping[str, Prior]
    starts: Mapping[str, tuple[float, ...]]
    sizes: tuple[float | None, ...]
    groups: tuple[int, ...]
    offsets: bool = False
    held: tuple[str, ...] = ()
    model_error: float | None = None
    peak_error: float | None = None

    def in_blocks(self, block: int) -> "Problem":
        """The same problem with updates taken together in blocks: fast, and nearly right."""
        return replace(self, queries=tuple(item.in_blocks(block) for item in self.queries))

    @property
    def parameters(self) -> int:
        """How many parameters are fitted."""
        return len(self.free) + len(self.law.amplitudes()) * len(self.sizes)

    @property
    def logs(self) -> FloatArray:
        """Log of all losses, curve after curve. Shape ``(m,)``."""
        return np.log(np.concatenate([curve.loss for curve in self.curves]))

    @property
    def weights(self) -> FloatArray:
        """What each point counts. Shape ``(m,)``."""
        each = [min(1.0, POINTS_COUNTED / len(curve)) for curve in self.curves]
        return np.repeat(each, [len(curve) for curve in self.curves])

    @property
    def reference(self) -> float | None:
        """The model size at which the shapes are searched: the middle of those fitted."""
        return middle_size(self.sizes)

    def at(self, theta: FloatArray, group: int = 0) -> Law:
        """The law with its free shapes at ``exp(theta)``, as it is for a group's model size."""
        law = self.law.with_(**dict(zip(self.free, np.exp(theta).tolist(), strict=True)))
        size, reference = self.sizes[group], self.reference
        if size is None or reference is None or len(self.sizes) == 1:
            return law
        return law.at_size(size, reference)

    def laws(self, theta: FloatArray, amplitudes: FloatArray) -> tuple[Law, ...]:
        """The laws of all groups, amplitudes included."""
        names = list(self.law.amplitudes())
        return tuple(
            self.at(theta, g).with_(
                **dict(
                    zip(
                        names,
                        amplitudes[g * len(names) : (g + 1) * len(names)].tolist(),
                        strict=True,
                    )
                )
            )
            for g in range(len(self.sizes))
        )

    def columns(self, theta: FloatArray) -> FloatArray:
        """Columns of all curves, side by side for each group. Shape ``(m, p)``."""
        laws = [self.at(theta, g) for g in range(len(self.sizes))]
        width = len(self.law.amplitudes())
        blocks: list[FloatArray] = []
        for query, group in zip(self.queries, self.groups, strict=True):
            own = laws[group].stacked(query)
            if len(self.sizes) == 1:
                blocks.append(own)
                continue
            block = np.zeros((own.shape[0], width * len(self.sizes)))
            block[:, group * width : (group + 1) * width] = own
            blocks.append(block)
        return np.concatenate(blocks)

    def offset_groups(self) -> Offsets | None:
        """Each run a group, its offset relative to its mean loss; ``None`` without offsets."""
        if not self.offsets:
            return None
        points = [len(curve) for curve in self.curves]
        level = [float(curve.loss.mean()) for curve in self.curves]
        return Offsets(
            np.repeat(np.arange(len(points)), points),
            np.repeat(level, points),
            PRIOR_WEIGHT / OFFSET,
        )

    def amplitude_rows(self) -> Rows:
        """Prior rows on the amplitudes of all groups."""
        names = list(self.law.amplitudes())
        width = len(names) * len(self.sizes)
        rows: list[FloatArray] = []
        target: list[float] = []
        for i, name in enumerate(names):
            if name not in self.priors:
                continue
            mean, root = self.pooled(name)
            for row, aim in zip(root, root @ mean, strict=True):
                full = np.zeros(width)
                full[i :: len(names)] = row
                rows.append(PRIOR_WEIGHT * full)
                target.append(PRIOR_WEIGHT * float(aim))
        return Rows(np.array(rows).reshape(len(rows), width), np.array(target))

    def pooled(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Prior means of an amplitude in all groups, and a root of their joint precision.

        Each group's standard deviation is that of the prior, in proportion to its mean; what is
        common to all groups is ``SHARED_BY_SIZES`` of the variance.
        """
        prior = self.priors[name]
        means = [
            self.law.priors(size)[name].mean / self.law.priors(self.reference)[name].mean
            if name in self.law.priors() and size is not None and len(self.sizes) > 1
            else 1.0
            for size in self.sizes
        ]
        relative = np.array(means)
        shape = SHARED_BY_SIZES * np.ones((len(means), len(means))) + (
            1 - SHARED_BY_SIZES
        ) * np.eye(len(means))
        covariance = prior.sd**2 * np.outer(relative, relative) * shape
        root: FloatArray = np.asarray(np.linalg.cholesky(np.linalg.inv(covariance)), np.float64).T
        return prior.mean * relative, root

    def separable(self, settled: float = 1e-13) -> Separable:
        """The problem for variable projection, amplitudes ``settled`` to a relative change."""
        shapes = self.law.shapes()
        priors = [(i, self.priors[name]) for i, name in enumerate(self.free) if name in self.priors]

        def shape_rows(theta: FloatArray) -> FloatArray:
            return np.array(
                [PRIOR_WEIGHT * prior.z(float(np.exp(theta[i]))) for i, prior in priors]
            )

        return Separable(
            self.columns,
            self.logs,
            shape_rows,
            self.amplitude_rows(),
            np.log([shapes[name].low for name in self.free]),
            np.log([shapes[name].high for name in self.free]),
            weights=self.weights,
            offsets=self.offset_groups(),
            settled=settled,
        )

    def only(self, kept: Sequence[int]) -> "Problem":
        """The same problem for some of the curves, whose sizes all stay known."""
        groups = self.groups
        return replace(
            self,
            curves=tuple(self.curves[k] for k in kept),
            queries=tuple(self.queries[k] for k in kept),
            groups=tuple(groups[k] for k in kept),
        )


def middle_size(sizes: Sequence[float | None]) -> float | None:
    """Geometric mean of the sizes that are known."""
    logs = [math.log(size) for size in sizes if size is not None]
    return math.exp(sum(logs) / len(logs)) if logs else None


def pose(recipe: Recipe, curves: Sequence[LossCurve], *, skip: int | None = None) -> Problem:
    """The problem of fitting a law to ``curves`` in the way of ``recipe``.

    Args:
        recipe: The law, what is searched and what is known.
        curves: At least one; labels are unique.
        skip: Leave out points before this step; ``None``: see `usual_skip`.

    Raises:
        InputError: nothing to fit, labels that repeat, names that the law does not have, or fewer
            points than parameters.
    """
    if not curves:
        raise InputError("no curves to fit: expected at least one")
    labels = [curve.label for curve in curves]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"two curves are called {label!r}: give each run its own label")
    notes: list[Note] = []
    if skip is not None and skip < 0:
        raise InputError(f"skip is {skip}, expected 0 or above")
    start = usual_skip(curves) if skip is None else skip
    kept = tuple(_cut(curve, start, notes) for curve in curves)
    notes += _means(kept)
    law, free, fixed = recipe.law, recipe.free, dict(recipe.fixed)
    if law.constant_norm and constant_norm(kept):
        fixed |= law.constant_norm
        free = free and tuple(name for name in free if name not in fixed)
        text = "the norm of the weights is constant (hyperball): the effective rate is the rate"
        notes.append(Note(text=text))
    template = _template(law, free, fixed)
    kept = _same_knowledge(law, kept, notes)
    template = template.informed([curve.schedule for curve in kept])
    if law.growth not in fixed and (grown := fitted_growth(template, kept)):
        fixed[law.growth] = grown[0]
        template = template.with_(**{law.growth: grown[0]})
        notes.append(Note(text=_measured(law, kept, *grown)))
    names = [
        name
        for name, spec in law.shapes().items()
        if (spec.free if free is None else name in free) and name not in fixed
    ]
    sizes, groups = _groups(kept, notes)
    ends = [int(curve.steps[-1]) for curve in kept]
    queries = tuple(
        Query(curve.schedule, curve.steps, block, norm, curve.window)
        for curve, block, norm in zip(
            kept, blocks_of(ends), norms_seen(template, kept), strict=True
        )
    )
    # One size lends its trends to the priors only; several sizes have laws of their own.
    priors: dict[str, Prior] = dict(law.priors(middle_size(sizes)))
    for name, prior in recipe.priors.items():
        priors.pop(name, None)
        if prior is not None:
            priors[name] = prior
    starts = {
        name: recipe.starts.get(name, spec.starts)
        for name, spec in law.shapes().items()
        if name in names
    }
    thin = max(BLOCK, max(ends) // BLOCKS)
    names = _that_matter(template, names, starts, [each.in_blocks(thin) for each in queries], notes)
    points = sum(len(curve) for curve in kept)
    needed = len(names) + len(law.amplitudes()) * len(sizes)
    if points < needed:
        left_out = sum(map(len, curves)) - points
        others = f" ({left_out} more are before step {start}: --skip, skip=)" if left_out else ""
        raise InputError(
            f"{points} points cannot fit the {needed} parameters of {law.name!r}: give more points"
            f"{others} or free fewer shapes"
        )
    return Problem(
        law=template,
        free=tuple(names),
        queries=queries,
        curves=kept,
        notes=tuple(notes),
        skip=start,
        priors=priors,
        starts=starts,
        sizes=sizes,
        groups=groups,
        held=tuple(name for name in fixed if name in law.shapes()),
        model_error=recipe.model_error,
        peak_error=recipe.peak_error,
    )


def blocks_of(ends: Sequence[int]) -> list[int]:
    """How many updates of each run are taken together, for its last steps.

    >>> blocks_of([5_000] * 3), blocks_of([5_000] * 99 + [2_000])[-2:], blocks_of([90_000])
    ([1, 1, 1], [4, 1], [4])
    """
    block = 1 + max(max(ends) // EXACT, sum(ends) // EXACT_IN_ALL)
    return [max(min(block, end // FEWEST), 1) for end in ends]


def usual_skip(curves: Sequence[LossCurve], *, keep_all: bool = False) -> int:
    """The step before which losses are left out unless told otherwise.

    Four warm-ups, but no more than a tenth of the longest run (or ``EARLY`` updates, in a short run
    up to a quarter of it), and never less than one warm-up: before that the loss falls by orders of
    magnitude and no law here means it. Where no warm-up is known, a tenth of a run of more than
    ``UNLOGGED`` updates (up to a quarter of the shortest), since there may well have been one.

    Args:
        curves: What is to be fitted.
        keep_all: Whether nothing is left out of runs of which no warm-up is known.
    """
    warmup = max((curve.schedule.warmup for curve in curves), default=0)
    lengths = [int(curve.steps[-1]) for curve in curves] or [0]
    longest = max(lengths)
    if warmup == 0 and longest > UNLOGGED and not keep_all:
        return min(longest // 10, min(lengths) // 4)
    most = max(longest // 10, min(EARLY, longest // 4))
    return max(warmup, min(4 * warmup, most))


def _cut(curve: LossCurve, start: int, notes: list[Note]) -> LossCurve:
    early = curve.begins < start
    left_out = int(early.sum())
    if left_out == 0:
        return curve
    if left_out == len(curve):
        raise InputError(
            f"curve {curve.label!r}: all its points are before step {start}, which is left out"
            f" (its last step is {curve.steps[-1]}); lower skip"
        )
    points = "1 point" if left_out == 1 else f"{left_out} points"
    before = "before" if curve.window is None else "with updates before"
    notes.append(Note(label=curve.label, text=f"{points} {before} step {start} left out"))
    return curve.some(~early)


def _means(curves: Sequence[LossCurve]) -> list[Note]:
    """What is said of losses that are means."""
    windows = [curve.window for curve in curves if curve.window is not None]
    if not windows or (most := max(int(each.max()) for each in windows)) == 1:
        return []
    least = min(int(each.min()) for each in windows)
    over = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    whose = _some([curve.label for curve in curves if curve.window is not None])
    text = (
        f"losses of {whose} are means over {over} updates, compared with the law's mean over them"
    )
    return [Note(text=text)]


def _template(law: type[Law], free: Sequence[str] | None, fixed: dict[str, Any]) -> Law:
    shapes, settings = law.shapes(), law.settings()
    for name in [*(free or []), *fixed]:
        if name not in shapes and not (name in settings and name in fixed):
            known = ", ".join([*shapes, *settings])
            raise InputError(f"law {law.name!r} has no shape {name!r}: expected one of {known}")
    for name in free or []:
        if name in fixed:
            raise InputError(f"{name} is both free and fixed: choose one")
    for name, value in fixed.items():
        if name in settings:
            if not isinstance(value, bool):
                raise InputError(f"{name} is fixed at {value!r}, expected true or false")
        elif isinstance(value, bool) or not isinstance(value, Real):
            raise InputError(f"{name} is fixed at {value!r}, expected a number")
        elif not shapes[name].holds(float(value)):
            spec = shapes[name]
            limit = " or 0" if spec.zero else ""
            raise InputError(
                f"{name} is fixed at {float(value):g}, expected {spec.low:g}..{spec.high:g}{limit},"
                f" the range of {law.name!r}"
            )
    return law(**fixed)


def _measured(law: type[Law], curves: Sequence[LossCurve], growth: float, off: float) -> str:
    """What measured norms are used for."""
    runs = _some([curve.label for curve in curves if curve.norm is not None])
    return (
        f"the effective rate of {runs} is that of the norm in the log; for schedules that were not"
        f" run it is computed, with {law.growth} {growth:.5g} fitted to that norm, which it follows"
        f" to {100 * math.expm1(off):.2g} %"
    )


def _same_knowledge(
    law: type[Law], curves: tuple[LossCurve, ...], notes: list[Note]
) -> tuple[LossCurve, ...]:
    """All curves with batch, or none: a law cannot compare a known batch with an unknown one."""
    if law.uses_weight_decay:
        if said := decay_not_assumed(curves):
            notes.append(Note(text=said))
        curves = without_guess(curves)
        unknown = [curve.label for curve in curves if curve.schedule.weight_decay is None]
        if unknown:
            notes.append(
                Note(
                    text=f"{ASSUMED_FOR} {_some(unknown)}:"
                    " say what it was (weight_decay=, --weight-decay)"
                )
            )
    if not law.uses_batch:
        return curves
    known = [curve.schedule.batch is not None for curve in curves]
    if all(known) or not any(known):
        return curves
    notes.append(Note(text="batch sizes are known for some curves only, so none are used"))
    return tuple(
        curve.with_(schedule=curve.schedule.with_(batch=None, spec=None)) for curve in curves
    )


def _groups(
    curves: tuple[LossCurve, ...], notes: list[Note]
) -> tuple[tuple[float | None, ...], tuple[int, ...]]:
    """The model sizes with amplitudes of their own, and for each curve which of them it is of."""
    known = sorted({curve.model_size for curve in curves if curve.model_size is not None})
    unknown = any(curve.model_size is None for curve in curves)
    if unknown and len(known) == 0:
        return (None,), (0,) * len(curves)
    if unknown:
        if len(known) > 1:
            notes.append(
                Note(
                    text="some curves do not say their model size: all share one set of parameters"
                )
            )
        return (None,), (0,) * len(curves)
    place = {size: i for i, size in enumerate(known)}
    groups = tuple(place[curve.model_size] for curve in curves if curve.model_size is not None)
    return tuple(known), groups


def _that_matter(
    law: Law,
    names: list[str],
    starts: Mapping[str, tuple[float, ...]],
    queries: Sequence[Query],
    notes: list[Note],
) -> list[str]:
    """The shapes that some column feels; the others cannot be searched with these curves."""
    shapes = law.shapes()
    base = law.with_(**{name: starts[name][0] for name in names})

    def columns(law: Law) -> FloatArray:
        return np.concatenate([law.stacked(query) for query in queries])

    usual = columns(base)
    felt: list[str] = []
    for name in names:
        start = starts[name][0]
        other = start * 1.1 if start * 1.1 < shapes[name].high else start / 1.1
        if np.array_equal(columns(base.with_(**{name: other})), usual):
            notes.append(
                Note(
                    text=f"{name} does not act on these curves and stays at {getattr(law, name):g}"
                )
            )
        else:
            felt.append(name)
    return felt


def _some(labels: list[str]) -> str:
    return ", ".join(sorted(labels)) if len(labels) <= 3 else f"{len(labels)} curves"
