"""Which law predicts these runs best: each schedule is left out in turn and predicted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve, Runs, curves_of
from losslaw.curves.curve import NATS, shared_unit
from losslaw.drawing import Plotted
from losslaw.errors import InputError, NothingUnseen, expect
from losslaw.fitting.cleaning import cleaned_runs
from losslaw.fitting.fit import fit
from losslaw.fitting.score import CurveScore, score
from losslaw.fitting.status import Note
from losslaw.fitting.trust import Trust
from losslaw.laws import LAWS, law_named
from losslaw.progress import Progress, silent
from losslaw.schedules.agreement import agreement
from losslaw.text import Report, table


@dataclass(frozen=True, kw_only=True)
class LawScore:
    """One law, every schedule left out in turn.

    Attributes:
        law: Name of the law.
        curves: Score of each curve by a fit without its schedule, unseen steps only.
    """

    law: str
    curves: tuple[CurveScore, ...]

    @property
    def rmse(self) -> float:
        """Mean over curves of the root mean square error, in nats."""
        return float(np.mean([curve.rmse for curve in self.curves]))

    @property
    def worst_rmse(self) -> float:
        """Largest root mean square error of a curve, in nats."""
        return max(curve.rmse for curve in self.curves)

    @property
    def final_error(self) -> float:
        """Mean over curves of the absolute final error, in nats."""
        return float(np.mean([abs(curve.final_error) for curve in self.curves]))

    @property
    def worst_final_error(self) -> float:
        """Largest absolute final error, in nats."""
        return max(abs(curve.final_error) for curve in self.curves)

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "law": self.law,
            "rmse": self.rmse,
            "worst_rmse": self.worst_rmse,
            "final_error": self.final_error,
            "worst_final_error": self.worst_final_error,
            "curves": {curve.label: curve.rmse for curve in self.curves},
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison(Report, Plotted):
    """Several laws on the same runs.

    Attributes:
        laws: One score per law, the smallest error first.
        curves: How many runs there were.
        notes: What was left out of the runs, or averaged.
        trust: What stands behind the mixture fitted to all runs; ``None`` if it was not compared.
        unit: What losses are measured in, as in `LossCurve`.
    """

    laws: tuple[LawScore, ...]
    curves: int
    notes: tuple[Note, ...] = ()
    trust: Trust | None = None
    unit: str = NATS

    def __iter__(self) -> Iterator[LawScore]:
        return iter(self.laws)

    def __len__(self) -> int:
        return len(self.laws)

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "trust": None if self.trust is None else self.trust.as_dict(),
            "laws": [item.as_dict() for item in self.laws],
            "curves": self.curves,
            "unit": self.unit,
            "notes": [str(note) for note in self.notes],
        }

    def __str__(self) -> str:
        """What stands behind the mixture, and a table, one law a line."""
        rows: list[list[str]] = []
        for item in self.laws:
            errors = (item.rmse, item.worst_rmse, item.final_error, item.worst_final_error)
            rows.append([item.law, *(f"{error:.4f}" for error in errors)])
        lines = table(["law", "RMSE", "worst", "|final|", "worst"], rows, rule=True)
        first = [] if self.trust is None else [str(self.trust), ""]
        return "\n".join([*first, *lines, *[f"note: {note}" for note in self.notes]])


def compare(
    curves: Runs,
    laws: Sequence[str] | None = None,
    *,
    skip: int | None = None,
    keep_all: bool = False,
    progress: Progress = silent,
) -> Comparison:
    """Leave one schedule out, fit the others, predict it; for every law.

    Runs of one schedule (repeats) are left out together.

    Args:
        curves: At least two different schedules; given as for `losslaw.fit`.
        laws: Names of laws, ``auto`` among them; ``None``: all.
        skip: Leave out points before this step; ``None``: see `losslaw.fit`.
        keep_all: Fit and score all points as they are; see `losslaw.fit`.
        progress: Called with a few words before each fit.

    Returns:
        The scores of all laws, the smallest error first.

    Raises:
        InputError: fewer than two schedules, or an unknown law.
    """
    if laws is not None:
        expect("laws", laws, Iterable, "names of laws, as ['auto', 'momentum']")
    clean = cleaned_runs(curves_of(curves), skip, keep_all=keep_all)
    curves, skip = clean.curves, clean.skip
    groups = _same_schedules(curves)
    if len(groups) < 2:
        raise InputError(
            f"comparing laws leaves one schedule out at a time: {len(groups)} schedule in"
            f" {len(curves)} curves, expected at least 2"
        )
    names = list(dict.fromkeys(laws)) if laws is not None else ["auto", *LAWS]
    if not names:
        raise InputError(f"no laws to compare: expected some of auto, {', '.join(LAWS)}")
    for name in names:
        if name != "auto":
            law_named(name)
    scores: list[LawScore] = []
    for name in names:
        made: list[CurveScore] = []
        for group in groups:
            progress(f"{name} without {curves[group[0]].label}")
            rest = [curve for i, curve in enumerate(curves) if i not in group]
            others = fit(rest, name, skip=skip, uncertainty=False, keep_all=True)
            held_out = [curves[i] for i in group]
            try:
                made += score(others, held_out, unseen=True, skip=skip).curves
            except NothingUnseen:  # this schedule is the beginning of another: nothing unseen
                continue
        if made:
            scores.append(LawScore(law=name, curves=tuple(made)))
    if not scores:
        raise NothingUnseen("every schedule is the beginning of another one: nothing is unseen")
    trust = None
    if "auto" in names:
        progress("auto on all runs")
        trust = fit(curves, skip=skip, uncertainty=False, keep_all=True).trust
    return Comparison(
        laws=tuple(sorted(scores, key=lambda item: item.rmse)),
        curves=len(curves),
        notes=clean.notes,
        trust=trust,
        unit=shared_unit(curves),
    )


def _same_schedules(curves: Sequence[LossCurve]) -> list[list[int]]:
    groups: list[list[int]] = []
    for i, curve in enumerate(curves):
        for group in groups:
            first = curves[group[0]]
            other = first.schedule
            n = max(curve.schedule.horizon, other.horizon)
            same_model = first.model_size == curve.model_size
            if same_model and agreement(curve.schedule, other) == n:
                group.append(i)
                break
        else:
            groups.append([i])
    return groups
