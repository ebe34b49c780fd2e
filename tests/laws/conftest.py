"""What the tests of the laws share."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # oracles and law_samples, next to this file

from law_samples import RATES, sound

from losslaw.laws import LAWS
from losslaw.schedules import Schedule


@pytest.fixture(params=RATES, ids=str)
def schedule(request):
    """A schedule with an awkward place."""
    return Schedule(RATES[request.param])


@pytest.fixture(params=LAWS.values(), ids=list(LAWS))
def law(request):
    """Every law, with amplitudes that make each term about .1 nats at a usual horizon."""
    return sound(request.param)
