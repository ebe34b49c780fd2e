"""Curves to laws: fit, uncertainty, prediction, scores, comparison, the saved form."""

from losslaw.fitting.compare import Comparison, LawScore, compare
from losslaw.fitting.fit import fit
from losslaw.fitting.prediction import FittedCurve, Prediction
from losslaw.fitting.profile import Profile, profile
from losslaw.fitting.record import Fit, SizeFit, load_fit
from losslaw.fitting.score import CurveScore, Scores, score
from losslaw.fitting.status import Note, Status

__all__ = [
    "Comparison",
    "CurveScore",
    "Fit",
    "FittedCurve",
    "LawScore",
    "Note",
    "Prediction",
    "Profile",
    "Scores",
    "SizeFit",
    "Status",
    "compare",
    "fit",
    "load_fit",
    "profile",
    "score",
]
