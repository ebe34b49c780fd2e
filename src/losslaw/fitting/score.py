"""Scores of a fit on curves: the measures of the field, curve by curve and on average."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from losslaw.curves import LossCurve, Runs, curves_of
from losslaw.curves.curve import NATS, check_one_unit, shared_unit
from losslaw.drawing import Plotted
from losslaw.errors import InputError, NothingUnseen, expect
from losslaw.fitting.cleaning import averaged
from losslaw.fitting.record import Fit
from losslaw.fitting.trust import Trust
from losslaw.numerics.arrays import BoolArray, FloatArray
from losslaw.schedules import Schedule
from losslaw.schedules.agreement import departure
from losslaw.text import Report, table

MEASURES = ("r2", "mae", "rmse", "prede", "worste", "final_error", "coverage")
TITLES = ("R2", "MAE", "RMSE", "PredE", "WorstE", "final", "cover")


@dataclass(frozen=True, kw_only=True)
class CurveScore:
    """How well one curve was predicted.

    Attributes:
        label: Name of the run.
        points: Points scored.
        after: Only points after this step were scored.
        r2: 1 - residual / total sum of squares; ``nan`` for a flat curve.
        mae: Mean absolute error, in nats.
        rmse: Root mean square error, in nats.
        prede: Mean relative error.
        worste: Largest relative error.
        final_error: Predicted minus observed loss, mean of the last three points.
        coverage: Share of points inside the interval; ``None`` without one.
        half_width: Mean half-width of the interval, in nats; ``None`` without one.
    """

    label: str
    points: int
    after: int
    r2: float
    mae: float
    rmse: float
    prede: float
    worste: float
    final_error: float
    coverage: float | None
    half_width: float | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Scores(Report, Plotted):
    """Scores of several curves.

    Attributes:
        curves: One per curve.
        skipped: Labels of curves with no point to score.
        unseen: Whether only points after the departure from every fitted curve were scored.
        level: Level of the intervals whose coverage was counted.
        trust: What stands behind the fit; ``None`` where one law answers alone.
        unit: What losses are measured in, as in `LossCurve`.
    """

    curves: tuple[CurveScore, ...]
    skipped: tuple[str, ...]
    unseen: bool
    level: float
    trust: Trust | None = None
    unit: str = NATS

    @property
    def mean(self) -> dict[str, float | None]:
        """Plain mean over curves of each measure; of the absolute value for ``final_error``."""
        out: dict[str, float | None] = {}
        for name in MEASURES:
            values = [getattr(curve, name) for curve in self.curves]
            if any(value is None for value in values):
                out[name] = None
                continue
            array = np.abs(values) if name == "final_error" else np.array(values)
            out[name] = float(np.mean(array))
        return out

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "trust": None if self.trust is None else self.trust.as_dict(),
            "curves": [asdict(curve) for curve in self.curves],
            "mean": self.mean,
            "skipped": list(self.skipped),
            "unseen": self.unseen,
            "level": self.level,
            "unit": self.unit,
        }

    def __str__(self) -> str:
        """What stands behind the fit, and a table, one curve a line, with the mean below."""
        header = ["curve", "points", "after", *TITLES]
        rows = [
            [curve.label, str(curve.points), str(curve.after), *_cells(asdict(curve))]
            for curve in self.curves
        ]
        lines = table(header, [*rows, ["mean", "", "", *_cells(self.mean)]], rule=True)
        lines.append(
            "final: predicted minus observed loss, mean of the last three points; the mean is of"
            " absolute values"
        )
        if self.skipped:
            lines.append(f"nothing unseen in: {', '.join(self.skipped)}")
        first = [] if self.trust is None else [str(self.trust), ""]
        return "\n".join([*first, *lines])


def _cells(measures: Mapping[str, float | None]) -> list[str]:
    """The measures of a curve, or their means, as a table writes them."""
    forms = {"final_error": "+.4f", "coverage": ".2f"}
    values = [(measures[name], forms.get(name, ".4f")) for name in MEASURES]
    return ["-" if value is None else f"{value:{form}}" for value, form in values]


def score(
    fit: Fit,
    curves: Runs,
    *,
    unseen: bool = False,
    skip: int | None = None,
    level: float = 0.9,
) -> Scores:
    """Compare predictions with curves.

    Nothing is left out as a spike. Dense logs are averaged if those of the fit were.

    Args:
        fit: The fit that predicts.
        curves: Curves to predict, given as for `losslaw.fit`.
        unseen: Score only steps after the schedule departs from every fitted curve: what comes
            before was fitted, in another run's name.
        skip: Leave out points before this step; ``None``: as in the fit.
        level: Level of the intervals whose coverage is counted.

    Raises:
        NothingUnseen: with ``unseen``, no curve has a point after it departs from the fitted ones.
        InputError: no curve has a point to score.
    """
    expect("what is scored", fit, Fit, "a Fit; then the curves")
    curves = curves_of(curves)
    if not curves:
        raise InputError("no curves to score: expected at least one")
    check_one_unit([*fit.curves, *curves])
    scores: list[CurveScore] = []
    skipped: list[str] = []
    # A fit of means foretells means, and so does its interval.
    means = any(each.averaged for each in fit.curves)
    for curve in curves:
        start = fit.skip if skip is None else skip
        after = departure(curve.schedule, _same_model(fit, curve)) if unseen else 0
        if means:
            curve = averaged(curve, max(start, after + 1))
        counted = (curve.steps > after) & (curve.begins >= start)
        if not counted.any():
            skipped.append(curve.label)
            continue
        scores.append(score_points(fit, curve, counted, after, level))
    if not scores:
        start = fit.skip if skip is None else skip
        text = f"nothing to score: no curve has points from step {start} on"
        if unseen:
            raise NothingUnseen(f"{text} after it departs from the fitted schedules")
        raise InputError(text)
    return Scores(
        curves=tuple(scores),
        skipped=tuple(skipped),
        unseen=unseen,
        level=level,
        trust=fit.trust,
        unit=shared_unit([*fit.curves, *curves]),
    )


def _same_model(fit: Fit, curve: LossCurve) -> list[tuple[Schedule, int]]:
    """What was fitted of this model; a curve of another known size says nothing of this one."""
    return [
        (fitted.schedule, fitted.last_step)
        for fitted in fit.curves
        if None in (fitted.model_size, curve.model_size) or fitted.model_size == curve.model_size
    ]


def score_points(
    fit: Fit, curve: LossCurve, counted: BoolArray, after: int = 0, level: float = 0.9
) -> CurveScore:
    """Score the points of one curve where ``counted`` is true; see `score`."""
    part = curve.some(counted)
    prediction = fit.predict(part.schedule, part.steps, level, part.model_size, window=part.window)
    observed = part.loss
    error: FloatArray = prediction.loss - observed
    spread = float(np.sum((observed - observed.mean()) ** 2))
    coverage = half_width = None
    if prediction.lower is not None and prediction.upper is not None:
        inside = (observed >= prediction.lower) & (observed <= prediction.upper)
        coverage = float(np.mean(inside))
        half_width = float(np.mean(prediction.upper - prediction.lower)) / 2
    return CurveScore(
        label=curve.label,
        points=int(observed.size),
        after=after,
        r2=1.0 - float(np.sum(error**2)) / spread if spread > 0 else float("nan"),
        mae=float(np.mean(np.abs(error))),
        rmse=float(np.sqrt(np.mean(error**2))),
        prede=float(np.mean(np.abs(error) / observed)),
        worste=float(np.max(np.abs(error) / observed)),
        final_error=float(error[-3:].mean()),
        coverage=coverage,
        half_width=half_width,
    )
