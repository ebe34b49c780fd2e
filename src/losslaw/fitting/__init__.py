"""Curves to laws: fit, uncertainty, prediction, scores, comparison, the saved form."""

from losslaw.fitting.compare import Comparison, LawScore, compare
from losslaw.fitting.fit import Fit, FittedCurve, fit
from losslaw.fitting.prediction import Prediction
from losslaw.fitting.profile import Profile, profile
from losslaw.fitting.saved import load_fit, save_fit
from losslaw.fitting.score import CurveScore, Scores, score
from losslaw.fitting.status import Status

__all__ = [
    "Comparison",
    "CurveScore",
    "Fit",
    "FittedCurve",
    "LawScore",
    "Prediction",
    "Profile",
    "Scores",
    "Status",
    "compare",
    "fit",
    "load_fit",
    "profile",
    "save_fit",
    "score",
]
