"""What the tests of the laws share."""

import pytest
from helpers.law_samples import RATES, sound

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
