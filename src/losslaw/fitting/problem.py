"""From curves and a law to the separable problem that is searched.

The objective is the sum over all points of Huber's loss (delta 1e-3) of log predicted minus log
seen loss, plus prior rows ``PRIOR_WEIGHT * (parameter - mean) / sd``: one standard deviation of a
prior costs what some forty points cost at a residual of 1e-3 each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.laws import Law, Question
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.varpro import Rows, Separable

PRIOR_WEIGHT = 6e-3


@dataclass(frozen=True)
class Problem:
    """A law to be fitted to curves.

    Attributes:
        law: Settings and fixed parameters; the values of free shapes here do not matter.
        free: Names of the shapes that are searched.
        questions: One a curve, at the points that are fitted.
        curves: The curves, cut to those points.
        notes: Sentences about what was assumed or left out.
        skip: Points before this step were left out.
    """

    law: Law
    free: tuple[str, ...]
    questions: tuple[Question, ...]
    curves: tuple[LossCurve, ...]
    notes: tuple[str, ...]
    skip: int

    def at_pace(self, pace: int) -> "Problem":
        """The same problem with updates taken together in blocks: fast, and nearly right."""
        return replace(self, questions=tuple(item.at_pace(pace) for item in self.questions))

    @property
    def logs(self) -> FloatArray:
        """Log of all losses, curve after curve. Shape ``(m,)``."""
        return np.log(np.concatenate([curve.losses for curve in self.curves]))

    def at(self, theta: FloatArray) -> Law:
        """The law with its free shapes at ``exp(theta)``."""
        return self.law.with_(**dict(zip(self.free, np.exp(theta).tolist(), strict=True)))

    def columns(self, theta: FloatArray) -> FloatArray:
        """Columns of all curves. Shape ``(m, p)``."""
        return stacked_columns(self.at(theta), self.questions)

    def separable(self) -> Separable:
        """The problem for variable projection."""
        shapes, amplitudes = self.law.shapes(), self.law.amplitudes()
        known = [(i, spec.prior) for i, spec in enumerate(amplitudes.values()) if spec.prior]
        matrix = np.zeros((len(known), len(amplitudes)))
        target = np.zeros(len(known))
        for row, (column, prior) in enumerate(known):
            matrix[row, column] = PRIOR_WEIGHT / prior.sd
            target[row] = PRIOR_WEIGHT * prior.mean / prior.sd
        priors = [(i, prior) for i, name in enumerate(self.free) if (prior := shapes[name].prior)]

        def shape_rows(theta: FloatArray) -> FloatArray:
            return np.array(
                [PRIOR_WEIGHT * prior.z(float(np.exp(theta[i]))) for i, prior in priors]
            )

        return Separable(
            self.columns,
            self.logs,
            shape_rows,
            Rows(matrix, target),
            np.log([shapes[name].low for name in self.free]),
            np.log([shapes[name].high for name in self.free]),
        )


def stacked_columns(law: Law, questions: Sequence[Question]) -> FloatArray:
    """Columns of several questions, one under the other. Shape ``(m, p)``."""
    blocks: list[FloatArray] = []
    for question in questions:
        columns = law.columns(question)
        blocks.append(np.column_stack([columns[name] for name in law.amplitudes()]))
    return np.concatenate(blocks)


def pose(
    law: type[Law],
    curves: Sequence[LossCurve],
    *,
    free: Sequence[str] | None = None,
    fixed: dict[str, Any] | None = None,
    skip: int | None = None,
) -> Problem:
    """The problem of fitting ``law`` to ``curves``.

    Args:
        law: The class of the law.
        curves: At least one; labels are unique.
        free: Shapes to search; ``None``: those the law frees by itself.
        fixed: Values for shapes that are not searched, and for settings.
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
    notes: list[str] = []
    if skip is not None and skip < 0:
        raise InputError(f"skip is {skip}, expected 0 or above")
    start = usual_skip(curves) if skip is None else skip
    kept = tuple(_cut(curve, start, notes) for curve in curves)
    template = _template(law, free, fixed)
    names = [
        name
        for name, spec in law.shapes().items()
        if (spec.free if free is None else name in free) and name not in (fixed or {})
    ]
    kept = _same_knowledge(law, kept, notes)
    questions = _questions(law, kept, notes)
    names = _that_matter(template, names, questions, notes)
    points = sum(len(curve) for curve in kept)
    needed = len(names) + len(law.amplitudes())
    if points < needed:
        raise InputError(
            f"{points} points cannot fit the {needed} parameters of {law.name!r}: give more points"
            " or free fewer shapes"
        )
    return Problem(template, tuple(names), questions, kept, tuple(notes), start)


def usual_skip(curves: Sequence[LossCurve]) -> int:
    """The step before which losses are left out unless told otherwise.

    Four warm-ups, but no more than a tenth of the longest run, and never less than one warm-up:
    before that the loss falls by orders of magnitude and no law here means it.
    """
    warmup = max(curve.schedule.warmup for curve in curves)
    longest = max(int(curve.steps[-1]) for curve in curves)
    return max(warmup, min(4 * warmup, longest // 10))


def _cut(curve: LossCurve, start: int, notes: list[str]) -> LossCurve:
    left_out = int((curve.steps < start).sum())
    if left_out == 0:
        return curve
    if left_out == len(curve):
        raise InputError(
            f"curve {curve.label!r}: all its points are before step {start}, which is left out"
            f" (its last step is {curve.steps[-1]}); lower skip"
        )
    points = "1 point" if left_out == 1 else f"{left_out} points"
    notes.append(f"{curve.label}: {points} before step {start} left out")
    return curve.with_(steps=curve.steps[left_out:], losses=curve.losses[left_out:])


def _template(law: type[Law], free: Sequence[str] | None, fixed: dict[str, Any] | None) -> Law:
    shapes, settings = law.shapes(), law.settings()
    for name in [*(free or []), *(fixed or {})]:
        if name not in shapes and not (name in settings and name in (fixed or {})):
            known = ", ".join([*shapes, *settings])
            raise InputError(f"law {law.name!r} has no shape {name!r}: expected one of {known}")
    for name in free or []:
        if name in (fixed or {}):
            raise InputError(f"{name} is both free and fixed: choose one")
    for name, value in (fixed or {}).items():
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
    return law(**(fixed or {}))


def _same_knowledge(
    law: type[Law], curves: tuple[LossCurve, ...], notes: list[str]
) -> tuple[LossCurve, ...]:
    """All curves with batch, or none: a law cannot compare a known batch with an unknown one."""
    if law.uses_weight_decay:
        unknown = [curve.label for curve in curves if curve.schedule.weight_decay is None]
        if unknown:
            notes.append(f"weight decay 0.1 is assumed for {_some(unknown)}")
    if not law.uses_batch:
        return curves
    known = [curve.schedule.batch is not None for curve in curves]
    if all(known) or not any(known):
        return curves
    notes.append("batch sizes are known for some curves only, so none are used")
    return tuple(
        curve.with_(schedule=curve.schedule.with_(batch=None, spec=None)) for curve in curves
    )


def _questions(
    law: type[Law], curves: tuple[LossCurve, ...], notes: list[str]
) -> tuple[Question, ...]:
    sizes = {curve.model_size for curve in curves}
    several = len(sizes) > 1
    use_sizes = law.uses_model_size and several and None not in sizes
    if several and not use_sizes:
        notes.append(
            "the curves are of several model sizes, and share one set of parameters all the same"
        )
    return tuple(
        Question(curve.schedule, curve.steps, curve.model_size if use_sizes else None)
        for curve in curves
    )


def _that_matter(
    law: Law, names: list[str], questions: tuple[Question, ...], notes: list[str]
) -> list[str]:
    """The shapes that some column feels; the others cannot be searched with these curves."""
    shapes = law.shapes()
    base = law.with_(**{name: shapes[name].starts[0] for name in names})
    columns = stacked_columns(base, questions)
    felt: list[str] = []
    for name in names:
        start = shapes[name].starts[0]
        other = start * 1.1 if start * 1.1 < shapes[name].high else start / 1.1
        if np.array_equal(stacked_columns(base.with_(**{name: other}), questions), columns):
            notes.append(f"{name} does not act on these curves and stays at {getattr(law, name):g}")
        else:
            felt.append(name)
    return felt


def _some(labels: list[str]) -> str:
    return ", ".join(labels) if len(labels) <= 3 else f"{len(labels)} curves"
