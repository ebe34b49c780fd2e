"""The multi-power law with its published parameters gives the errors its paper reports.

The evaluator's convention: one array of rates, the ramp ``linspace(0, 3e-4, 2160)`` and then the
logged rates, the ramp's rises inside the sum; the loss logged at row s is asked after array index
s, which is s + 1 updates. The curves are not part of the repository; without them the test skips.
"""

import numpy as np
import pytest
from helpers.public_curves import ASKED, LLAMA2, needs_public_curves

from losslaw.curves import read_curves
from losslaw.laws import MultiPower
from losslaw.schedules import Schedule

NAMES = ("L0", "A", "alpha", "B", "C", "beta", "gamma")
# arXiv:2503.12811 and its repository: parameters, mean relative error, mean absolute error.
PUBLISHED = {
    "25M": (
        (3.04045406, 0.52468604, 0.50786857, 363.78751622, 2.06560812, 0.58279013, 0.64142257),
        (0.00110, 0.00376),
    ),
    "100M": (
        (2.6514477, 0.60115152, 0.45295811, 437.9464276, 2.13245612, 0.59785199, 0.65523644),
        (0.00142, 0.00435),
    ),
    "400M": (
        (2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493, 0.63472457),
        (0.00168, 0.00484),
    ),
}

pytestmark = needs_public_curves


def errors(size, *, warmup_drops):
    """Mean relative and mean absolute error, averaged over the test curves."""
    law = MultiPower(**dict(zip(NAMES, PUBLISHED[size][0], strict=True)), warmup_drops=warmup_drops)
    found = []
    for name in ASKED:
        (curve,) = read_curves(LLAMA2 / f"{size}_{name}.csv", warmup=2160, lr_is="next")
        lr = np.append(curve.schedule.lr, curve.schedule.lr[-1])
        lr[:2160] = np.linspace(0.0, 3e-4, 2160)
        predicted = law.predict(Schedule(lr, warmup=2160), curve.steps + 1)
        error = np.abs(predicted - curve.loss)
        found.append((np.mean(error / curve.loss), np.mean(error)))
    return np.mean(found, axis=0)


@pytest.mark.parametrize("size", PUBLISHED)
def test_the_reported_errors_to_every_digit(size):
    relative, absolute = errors(size, warmup_drops=True)
    assert (round(relative, 5), round(absolute, 5)) == PUBLISHED[size][1]


def test_without_the_ramp_inside_the_sum_they_are_four_percent_off():
    relative, _ = errors("25M", warmup_drops=False)
    assert relative == pytest.approx(0.04, abs=0.01)
