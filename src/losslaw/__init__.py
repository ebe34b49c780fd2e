"""Predict, explain and design learning-rate schedules from loss curves.

    import losslaw as ll
    curves = ll.read_curves("runs/*.csv", warmup=2160)
    fit = ll.fit(curves)
    fit.predict(ll.wsd(peak=3e-4, horizon=24_000, warmup=2160, cooldown=0.2)).loss

Names are loaded when they are first used, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from losslaw.version import __version__ as __version__

if TYPE_CHECKING:
    from losslaw.advising import Advice as Advice
    from losslaw.advising import advise as advise
    from losslaw.curves import LossCurve as LossCurve
    from losslaw.curves import bundled_curves as bundled_curves
    from losslaw.curves import read_curves as read_curves
    from losslaw.designing import Design as Design
    from losslaw.designing import design as design
    from losslaw.errors import FitError as FitError
    from losslaw.errors import InputError as InputError
    from losslaw.exporting import export as export
    from losslaw.fitting import Fit as Fit
    from losslaw.fitting import Prediction as Prediction
    from losslaw.fitting import compare as compare
    from losslaw.fitting import fit as fit
    from losslaw.fitting import load_fit as load_fit
    from losslaw.fitting import profile as profile
    from losslaw.fitting import score as score
    from losslaw.forecasting import Forecast as Forecast
    from losslaw.forecasting import forecast as forecast
    from losslaw.kernel import KernelRegression as KernelRegression
    from losslaw.laws import LAWS as LAWS
    from losslaw.laws import Chinchilla as Chinchilla
    from losslaw.laws import Convolution as Convolution
    from losslaw.laws import Effective as Effective
    from losslaw.laws import Functional as Functional
    from losslaw.laws import Instantaneous as Instantaneous
    from losslaw.laws import LastIterate as LastIterate
    from losslaw.laws import Law as Law
    from losslaw.laws import Momentum as Momentum
    from losslaw.laws import MultiPower as MultiPower
    from losslaw.schedules import Schedule as Schedule
    from losslaw.schedules import constant as constant
    from losslaw.schedules import cosine as cosine
    from losslaw.schedules import cyclic as cyclic
    from losslaw.schedules import exponential as exponential
    from losslaw.schedules import format_schedule as format_schedule
    from losslaw.schedules import from_knots as from_knots
    from losslaw.schedules import inverse_sqrt as inverse_sqrt
    from losslaw.schedules import join as join
    from losslaw.schedules import linear as linear
    from losslaw.schedules import parse_schedule as parse_schedule
    from losslaw.schedules import power as power
    from losslaw.schedules import read_schedule as read_schedule
    from losslaw.schedules import step as step
    from losslaw.schedules import twostage as twostage
    from losslaw.schedules import wsd as wsd

_ROOMS = {
    "losslaw.schedules": (
        "Schedule",
        "constant",
        "cosine",
        "cyclic",
        "exponential",
        "format_schedule",
        "from_knots",
        "inverse_sqrt",
        "join",
        "linear",
        "parse_schedule",
        "power",
        "read_schedule",
        "step",
        "twostage",
        "wsd",
    ),
    "losslaw.curves": ("LossCurve", "bundled_curves", "read_curves"),
    "losslaw.laws": (
        "LAWS",
        "Chinchilla",
        "Convolution",
        "Effective",
        "Functional",
        "Instantaneous",
        "LastIterate",
        "Law",
        "Momentum",
        "MultiPower",
    ),
    "losslaw.kernel": ("KernelRegression",),
    "losslaw.fitting": ("Fit", "Prediction", "compare", "fit", "load_fit", "profile", "score"),
    "losslaw.forecasting": ("Forecast", "forecast"),
    "losslaw.advising": ("Advice", "advise"),
    "losslaw.designing": ("Design", "design"),
    "losslaw.exporting": ("export",),
    "losslaw.errors": ("FitError", "InputError"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'losslaw' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
