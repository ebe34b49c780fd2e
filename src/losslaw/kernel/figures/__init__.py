"""The papers' figures made again, each by one command, with the numbers that are in them.

Every study is a frozen record in a file of its own; `STUDIES` has them by name. Their choices are
fields: ``FslFigure1(runs=50)`` is the same study on fewer runs.
"""

from losslaw.errors import InputError
from losslaw.kernel.figures.averaging import Averaging
from losslaw.kernel.figures.batch_schedule import BatchSchedules
from losslaw.kernel.figures.capacity import Capacity
from losslaw.kernel.figures.capacity_saturation import CapacitySaturation
from losslaw.kernel.figures.fsl_fig1 import FslFigure1
from losslaw.kernel.figures.momentum import MomentumStudy
from losslaw.kernel.figures.optimal_schedule import OptimalSchedules
from losslaw.kernel.figures.phases import Phases
from losslaw.kernel.figures.scaling_table import ScalingTable
from losslaw.kernel.figures.sde_gap import SdeGap
from losslaw.kernel.figures.study import Result, Study, Work, write_result

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        FslFigure1(),
        ScalingTable(),
        Capacity(),
        OptimalSchedules(),
        BatchSchedules(),
        CapacitySaturation(),
        SdeGap(),
        MomentumStudy(),
        Averaging(),
        Phases(),
    )
}

__all__ = [
    "STUDIES",
    "Averaging",
    "BatchSchedules",
    "Capacity",
    "CapacitySaturation",
    "FslFigure1",
    "MomentumStudy",
    "OptimalSchedules",
    "Phases",
    "Result",
    "ScalingTable",
    "SdeGap",
    "Study",
    "Work",
    "find_study",
    "write_result",
]


def find_study(name: str) -> Study:
    """The study of that name.

    Raises:
        InputError: there is none.

    >>> find_study("scaling-table").title
    'measured slopes of the risk against theory, by data and by compute'
    """
    if name not in STUDIES:
        raise InputError(f"nothing is called {name!r}, expected one of: {', '.join(STUDIES)}")
    return STUDIES[name]
