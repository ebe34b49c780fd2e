"""Curves to laws: fit, uncertainty, prediction, scores, comparison, the saved form."""

from losslaw.fitting.advice import Advice, Option, advise
from losslaw.fitting.compare import LawScore, compare
from losslaw.fitting.fit import Fit, FittedCurve, fit
from losslaw.fitting.forecast import Ending, Forecast, forecast
from losslaw.fitting.prediction import Prediction
from losslaw.fitting.profiles import Profile, profile
from losslaw.fitting.score import CurveScore, Scores, score
from losslaw.fitting.status import Status
from losslaw.fitting.store import load_fit, save_fit
from losslaw.fitting.unseen import departure

__all__ = [
    "Advice",
    "CurveScore",
    "Ending",
    "Fit",
    "FittedCurve",
    "Forecast",
    "LawScore",
    "Option",
    "Prediction",
    "Profile",
    "Scores",
    "Status",
    "advise",
    "compare",
    "departure",
    "fit",
    "forecast",
    "load_fit",
    "profile",
    "save_fit",
    "score",
]
