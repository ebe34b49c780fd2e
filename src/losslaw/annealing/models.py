"""Which of several runs are runs of one model, to be fitted together, and which are seeds.

Runs of one model differ in their schedule only: a law has one set of amplitudes for them all, and
fitted together they tell more of a decay than each alone. What tells models apart:

* facts: model size, optimiser, and whatever fact or part of the name the user groups by;
* the losses: runs of one schedule whose losses stay apart are of two models, whatever they are
  called, unless they are seeds.

Nothing can tell two models apart whose runs have no schedule in common: that they are one is said.
Runs are *seeds* of one configuration where they have one schedule and names that differ in a seed
only, as ``a_seed0`` and ``a_seed1``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import after_numbers
from losslaw.errors import InputError
from losslaw.fitting.trunks import apart
from losslaw.schedules.agreement import agreement
from losslaw.text import size_words

# Facts by which runs may be grouped.
FACTS = ("model_size", "optimizer", "batch", "weight_decay", "peak", "folder")
# Median difference of two runs of one schedule, relative to the loss, from which on they are runs
# of two models: two seeds seldom differ by as much.
OTHER_MODEL = 1e-3
# The part of a name that says which seed it is.
SEED = re.compile(r"[_\-. ]*(seed|rep|repeat)[_\-=. ]?\d+$|[_\-.]s\d+$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Model:
    """Runs that are fitted together.

    Attributes:
        name: What they have in common.
        runs: The runs.
    """

    name: str
    runs: tuple[LossCurve, ...]


def models_of(
    curves: Sequence[LossCurve], skip: int, group_by: str | None = None, *, seeds: bool = False
) -> tuple[list[Model], list[str]]:
    """The models that these runs are of, and sentences on how they were told.

    Args:
        curves: The runs.
        skip: Losses before this step are early, and not compared.
        group_by: A fact, or a regular expression whose match in the label is the group (its first
            bracket, where it has one); ``None``: see above. ``label``: every run by itself.
        seeds: Whether runs of one schedule are seeds of one configuration.

    Raises:
        InputError: ``group_by`` is no regular expression, or matches nothing in a label.
    """
    groups = grouped(curves, group_by)
    models: list[Model] = []
    sentences: list[str] = []
    for name, runs in groups.items():
        if group_by is not None or len(runs) == 1:
            told = name if name and group_by is not None else runs[0].label
            models.append(Model(name=told, runs=tuple(runs)))
            continue
        parts, contradiction = _told_apart(runs, skip, seeds=seeds)
        if contradiction:
            sentences.append(contradiction)
        for part in parts:
            models.append(Model(name=_named(part, name, alone=len(parts) == 1), runs=tuple(part)))
    together = [model for model in models if len(model.runs) > 1]
    if together and group_by is None:
        lists = "; ".join(_listed(model.runs) for model in together)
        sentences.append(f"fitted together, as runs of one model: {lists} (--group-by says else)")
    return models, sentences


def grouped(
    curves: Sequence[LossCurve], group_by: str | None, left_out: dict[str, str] | None = None
) -> dict[str, list[LossCurve]]:
    """Runs by what they are grouped by, named as people would: see `models_of`.

    Args:
        curves: The runs.
        group_by: As in `models_of`.
        left_out: Where runs go, with the reason, in whose labels it matches nothing.

    Raises:
        InputError: ``group_by`` is no regular expression, or matches nothing in a label.
    """
    key = _key(group_by, _digits(curves))
    groups: dict[str, list[LossCurve]] = {}
    for curve in curves:
        try:
            name = key(curve)
        except InputError as error:
            if left_out is None:
                raise
            left_out[curve.label] = str(error)
        else:
            groups.setdefault(name, []).append(curve)
    return groups


def in_order(curve: LossCurve, group_by: str | None) -> float:
    """What groups are sorted by, before their names: a fact that is a number, the smallest first.

    Groups of which it is not known come last; so do all that other things tell apart.
    """
    value = _fact(curve, group_by or "model_size") if group_by in (None, *FACTS) else None
    return np.inf if value is None or isinstance(value, str) else float(value)


def _digits(curves: Sequence[LossCurve]) -> int:
    """Digits of model sizes that tell them apart: three, or the four that any are told by."""
    sizes = {curve.model_size for curve in curves} - {None}
    usual, most = ({size_words(size, digits) for size in sizes if size} for digits in (3, 4))
    return 3 if len(usual) == len(most) else 4


def _key(group_by: str | None, digits: int) -> Callable[[LossCurve], str]:
    if group_by is None:
        facts = ("model_size", "optimizer")
        return lambda curve: " ".join(
            _words(name, value, digits)
            for name in facts
            if (value := _fact(curve, name)) is not None
        )
    if group_by == "label":
        return lambda curve: curve.label
    if group_by in FACTS:
        return lambda curve: _words(group_by, _fact(curve, group_by), digits)
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise InputError(
            f"group by {group_by!r}: expected one of label, {', '.join(FACTS)}, or a regular"
            f" expression for a part of the names ({error})"
        ) from None

    def part(curve: LossCurve) -> str:
        found = pattern.search(curve.label)
        if found is None:
            raise InputError(
                f"group by {group_by!r}: nothing like it in the name {curve.label!r}; expected one"
                f" of label, {', '.join(FACTS)}, or a regular expression for a part of the names"
            )
        return found[1] if pattern.groups and found[1] is not None else found[0]

    return part


def _words(fact: str, value: float | str | None, digits: int) -> str:
    title = fact.replace("_", " ")
    if value is None:
        return f"{title} not known"
    if isinstance(value, str):
        return value
    return size_words(value, digits) if fact == "model_size" else f"{title} {value:.4g}"


def _fact(curve: LossCurve, name: str) -> float | str | None:
    schedule = curve.schedule
    if name == "model_size":
        return curve.model_size
    if name == "optimizer":
        return curve.optimizer or None
    if name == "folder":
        return None if curve.origin is None else curve.origin.folder or None
    if name == "peak":
        return float(curve.peak_seen)
    along = schedule.batch if name == "batch" else schedule.weight_decay
    return None if along is None else float(along.max())


def _told_apart(
    runs: list[LossCurve], skip: int, *, seeds: bool
) -> tuple[list[list[LossCurve]], str]:
    """The models among runs whose facts are the same, and what contradicts their being one."""
    same: dict[int, set[int]] = {i: {i} for i in range(len(runs))}
    worst, sentence = 0.0, ""
    for i, j in combinations(range(len(runs)), 2):
        found = apart(runs[i], runs[j], skip)
        if found is None:
            continue
        alike = seeds or configuration(runs[i].label) == configuration(runs[j].label)
        if alike or not found.more_than(OTHER_MODEL):
            joined = same[i] | same[j]
            for each in joined:
                same[each] = joined
        elif found.by > worst:
            worst, unit = found.by, after_numbers(runs[i].unit)
            sentence = (
                f"{runs[i].label} and {runs[j].label} have one schedule up to step"
                f" {found.until:,} and differ by {found.by:.3f}{unit} there, so they are runs of"
                " two models, fitted apart"
            )
    if not sentence:
        return [runs], ""
    parts = {id(group): sorted(group) for group in same.values()}
    listed = sorted(parts.values())
    if any(len(part) != len(runs) for part in listed):
        return [[runs[i] for i in part] for part in listed], sentence
    # What is joined by way of others and apart by itself: the losses do not settle it.
    return [[run] for run in runs], sentence


def _named(runs: Sequence[LossCurve], facts: str, *, alone: bool) -> str:
    if len(runs) == 1:
        return runs[0].label
    first = runs[0].label
    common = next(
        (n for n in range(len(first), 0, -1) if all(r.label.startswith(first[:n]) for r in runs)), 0
    )
    shared = first[:common].rstrip("_-. ")
    return shared or (facts if alone else "") or f"{first} and {len(runs) - 1} more"


def _listed(runs: Sequence[LossCurve]) -> str:
    names = ", ".join(run.label for run in runs[:4])
    return names + (f" and {len(runs) - 4} more" if len(runs) > 4 else "")


def configuration(label: str) -> str:
    """The name of a run without its seed.

    >>> configuration("muon_lr0.025_seed0"), configuration("adamw-s12"), configuration("glass")
    ('muon_lr0.025', 'adamw', 'glass')
    """
    return SEED.sub("", label) or label


def seeds_among(curves: Sequence[LossCurve], declared: bool = False) -> dict[str, list[LossCurve]]:
    """Runs of one configuration that differ in their seed, by the name of the configuration.

    Args:
        curves: Runs of one model.
        declared: Whether all runs of one schedule are seeds of one another.
    """
    groups: dict[str, list[LossCurve]] = {}
    for curve in curves:
        for name, runs in groups.items():
            n = min(int(runs[0].steps[-1]), int(curve.steps[-1]))
            alike = declared or configuration(curve.label) == name
            if alike and agreement(runs[0].schedule, curve.schedule) >= n:
                runs.append(curve)
                break
        else:
            name = configuration(curve.label)
            groups[name if name not in groups else curve.label] = [curve]
    return {name if len(runs) > 1 else runs[0].label: runs for name, runs in groups.items()}


def noise_of_seeds(groups: Sequence[Sequence[LossCurve]], usual: float) -> float | None:
    """What a run differs by from the mean of its seeds, late: a standard deviation, in nats.

    With few seeds the usual value counts as four of them.

    Args:
        groups: Seeds of each configuration.
        usual: What two runs of one schedule usually differ by.
    """
    squares: list[float] = []
    for runs in groups:
        for one, other in combinations(runs, 2):
            steps, i, j = np.intersect1d(one.steps, other.steps, True, return_indices=True)
            late = slice(2 * steps.size // 3, None)
            if steps[late].size:
                gap = float(np.mean(one.loss[i][late] - other.loss[j][late]))
                squares.append(gap**2 / 2)
    if not squares:
        return None
    seen = sum(len(runs) - 1 for runs in groups)
    return float(np.sqrt((seen * np.mean(squares) + 4 * usual**2) / (seen + 4)))
