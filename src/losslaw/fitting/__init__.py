"""Curves to laws: fit, uncertainty, prediction, scores, comparison, the saved form."""

from losslaw.fitting.compare import LawScore, compare
from losslaw.fitting.fit import Fit, FittedCurve, fit
from losslaw.fitting.forecast import Ending, Forecast, forecast
from losslaw.fitting.prediction import Prediction
from losslaw.fitting.score import CurveScore, Scores, score
from losslaw.fitting.status import Status
from losslaw.fitting.store import load_fit, save_fit
from losslaw.fitting.unseen import departure

__all__ = [
    "CurveScore",
    "Ending",
    "Fit",
    "FittedCurve",
    "Forecast",
    "LawScore",
    "Prediction",
    "Scores",
    "Status",
    "compare",
    "departure",
    "fit",
    "forecast",
    "load_fit",
    "save_fit",
    "score",
]
