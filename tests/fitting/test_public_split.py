"""Fits of the public split are converged, and predict unseen schedules as well as was measured.

Three curves of each size are fitted (cosine, constant, two-stage), six others asked about, after
they depart from the fitted ones. The bounds are those that the project set itself. The curves are
not part of the repository; without them these tests skip. All sizes of all laws are in
validation/; the slower laws are tested here on fewer.
"""

from functools import cache

import numpy as np
import pytest
from helpers.public_curves import ASKED, FITTED, LLAMA2, needs_public_curves

from losslaw.curves import read_curves
from losslaw.fitting import fit, score

SIZES = ("25M", "100M", "400M")
SKIP = 2176

pytestmark = needs_public_curves


def curves(size, names):
    return read_curves([LLAMA2 / f"{size}_{name}.csv" for name in names], warmup=2160)


@cache
def fitted(law, size):
    return fit(curves(size, FITTED), law, skip=SKIP, uncertainty=False)


@pytest.mark.parametrize(
    ("size", "reached"), [("25M", 1.58e-4), ("100M", 5.5e-5), ("400M", 1.36e-4)]
)
def test_the_multi_power_fit_is_converged(size, reached):
    found = fitted("multipower", size)
    assert found.status.converged
    assert found.objective <= reached * 1.005  # the goal is given to three digits


@pytest.mark.parametrize(
    ("law", "allowed"),
    [
        ("momentum", 0.0100),
        ("effective", 0.0045),
        ("multipower", 0.0085),
        ("functional", 0.0092),
        ("convolution", 0.0090),
    ],
)
def test_unseen_schedules_are_predicted_as_well_as_was_measured(law, allowed):
    errors = [
        score(fitted(law, size), curves(size, ASKED), unseen=True, skip=SKIP).mean["rmse"]
        for size in SIZES
    ]
    assert np.mean(errors) <= allowed
