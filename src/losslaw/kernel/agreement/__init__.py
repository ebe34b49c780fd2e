"""Simulation against theory: every exponent measured in exact dynamics, beside its closed form.

`simulate` runs updates and `theory` has the closed forms; they do not know each other, and here
they meet. Everything starts from one measurement, `best`: the lowest mean risk that a budget buys
with a schedule, its hyper-parameters found numerically, at any horizon. An exponent is then a slope
between two budgets. Functions return a `Pair`, *(measured, predicted)*; ``validation/kernel.py``
has them all in one table.

>>> from losslaw.kernel.theory import Exponents
>>> pair = scaling_pair(Exponents(0.5, 4.0), "power", (1e11, 1e12))
>>> round(pair.measured, 2), pair.predicted
(-0.5, -0.5)
"""

from losslaw.kernel.agreement.batches import (
    catch_up_pair,
    growing_run,
    largest_batch_pair,
    switch_pair,
    two_stage_run,
)
from losslaw.kernel.agreement.exponents import (
    Pair,
    flatness,
    log_slope,
    noiseless_pair,
    onset,
    risk_ratio,
    scaling_pair,
    slope,
)
from losslaw.kernel.agreement.optimum import (
    Optimum,
    best,
    cap,
    final_risk,
    long_schedule,
    schedule_text,
)
from losslaw.kernel.agreement.phases import Frontier, best_size, frontier, noiseless_risk
from losslaw.kernel.agreement.ranking import ExactOptimum, Rank, exact_optimum, ranking
from losslaw.kernel.agreement.shapes import (
    FreeForm,
    best_kkt,
    final_rate_pair,
    free_form,
    freed,
    kkt_run,
)

__all__ = [
    "ExactOptimum",
    "FreeForm",
    "Frontier",
    "Optimum",
    "Pair",
    "Rank",
    "best",
    "best_kkt",
    "best_size",
    "cap",
    "catch_up_pair",
    "exact_optimum",
    "final_rate_pair",
    "final_risk",
    "flatness",
    "free_form",
    "freed",
    "frontier",
    "growing_run",
    "kkt_run",
    "largest_batch_pair",
    "log_slope",
    "long_schedule",
    "noiseless_pair",
    "noiseless_risk",
    "onset",
    "ranking",
    "risk_ratio",
    "scaling_pair",
    "schedule_text",
    "slope",
    "switch_pair",
    "two_stage_run",
]
