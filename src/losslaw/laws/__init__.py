"""The laws, one file each, under one interface.

``LAWS`` maps the names of the command line to the classes; a law is added by writing its file and
its line here.
"""

from losslaw.errors import InputError
from losslaw.laws.chinchilla import Chinchilla
from losslaw.laws.convolution import Convolution
from losslaw.laws.effective import Effective
from losslaw.laws.functional import Functional
from losslaw.laws.instantaneous import Instantaneous
from losslaw.laws.lastiterate import LastIterate
from losslaw.laws.law import Artefact, Law, Recipe
from losslaw.laws.momentum import Momentum
from losslaw.laws.multipower import MultiPower
from losslaw.laws.oneclock import OneClock
from losslaw.laws.parameters import Amplitude, Prior, Shape, amplitude, shape
from losslaw.laws.query import Blocks, Query
from losslaw.laws.variety import Variety, variety

LAWS: dict[str, type[Law]] = {
    law.name: law
    for law in (
        Chinchilla,
        Instantaneous,
        Momentum,
        MultiPower,
        Functional,
        Convolution,
        LastIterate,
        OneClock,
        Effective,
    )
}


def law_named(name: str) -> type[Law]:
    """The class of a law.

    Raises:
        InputError: there is no law of that name.

    >>> law_named("momentum").title
    'momentum law (annealing area)'
    """
    if name not in LAWS:
        raise InputError(f"unknown law {name!r}: expected one of auto, {', '.join(LAWS)}")
    return LAWS[name]


__all__ = [
    "LAWS",
    "Amplitude",
    "Artefact",
    "Blocks",
    "Chinchilla",
    "Convolution",
    "Effective",
    "Functional",
    "Instantaneous",
    "LastIterate",
    "Law",
    "Momentum",
    "MultiPower",
    "OneClock",
    "Prior",
    "Query",
    "Recipe",
    "Shape",
    "Variety",
    "amplitude",
    "law_named",
    "shape",
    "variety",
]
