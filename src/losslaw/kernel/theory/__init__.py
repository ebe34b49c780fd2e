"""Closed forms: regimes, risks, exponents, optimal hyper-parameters and schedules.

What the papers prove for power-law kernel regression, as functions that return numbers together
with their formula, source and range of validity. Nothing here runs an update; `simulate` does, and
the tests hold the two together.
"""

from losslaw.kernel.theory.batch import batch_relations, catch_up_exponent, two_stage_risk
from losslaw.kernel.theory.optimal import OptimalSchedule, optimal_relations, optimal_schedule
from losslaw.kernel.theory.phases import Phase, Term, balanced, phase, phase_terms
from losslaw.kernel.theory.powers import Power
from losslaw.kernel.theory.records import Exponents, Regime, Relation, regime, source_at
from losslaw.kernel.theory.risk import (
    Risk,
    constant_risk,
    exponential_risk,
    power_risk,
    wsd_risk,
)
from losslaw.kernel.theory.scaling import (
    SCHEDULES,
    Scaling,
    decay_fraction,
    effective_capacity,
    floor_onset,
    ranking,
    scaling,
)

__all__ = [
    "SCHEDULES",
    "Exponents",
    "OptimalSchedule",
    "Phase",
    "Power",
    "Regime",
    "Relation",
    "Risk",
    "Scaling",
    "Term",
    "balanced",
    "batch_relations",
    "catch_up_exponent",
    "constant_risk",
    "decay_fraction",
    "effective_capacity",
    "exponential_risk",
    "floor_onset",
    "optimal_relations",
    "optimal_schedule",
    "phase",
    "phase_terms",
    "power_risk",
    "ranking",
    "regime",
    "scaling",
    "source_at",
    "two_stage_risk",
    "wsd_risk",
]
