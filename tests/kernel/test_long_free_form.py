"""The free optimum of long runs: that of every rate where both can be had, and none beside it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from losslaw.errors import InputError
from losslaw.kernel import (
    KernelRegression,
    LongSchedule,
    Piece,
    free_optimum,
    long_decay,
    long_optimum,
    long_wsd,
)


@pytest.mark.parametrize(("s", "beta"), [(1.0, 2.0), (0.5, 4.0)])
def test_it_is_the_optimum_of_every_rate(s, beta):
    world = KernelRegression(s, beta)
    start = long_decay(0.2, 30_000, 1e-3, "power", 2 * beta - 1)
    found = long_optimum(world, start)
    every = free_optimum(world, found.run.written_out(), tolerance=1e-9)
    # What is said of it is within the integrator's error, and itself within 1e-4 of the optimum.
    assert_allclose(found.risk, every.start, rtol=1e-4)
    assert every.excess <= every.start < 1.0001 * every.excess
    assert every.start < world.excess_risk(start)[0]


@pytest.mark.parametrize(("s", "beta"), [(1.0, 2.0), (0.5, 4.0)])
def test_nothing_beside_it_is_better(s, beta):
    world = KernelRegression(s, beta)
    start = long_wsd(0.05, 10**8, 0.8, 1e-6, "power", 2 * beta - 1)
    found = long_optimum(world, start)
    assert found.gained < 3e-5
    assert found.gap < 1e-2
    # From a start that hardly moves at its end, to the same place.
    other = long_optimum(world, long_wsd(0.5, 10**8, 0.3, 5e-9, "exponential"))
    assert_allclose(other.risk, found.risk, rtol=4e-4)
    assert found.run.horizon == 10**8
    assert_allclose(world.excess_risk(found.run)[0], found.risk, rtol=1e-4)
    left = np.log(found.left)
    for middle in (5.0, 10.0, 14.0, 17.0):
        bump = np.exp(-0.5 * (left - middle) ** 2)
        for height in (0.1, -0.1):
            rates = np.minimum(found.rates * np.exp(height * bump), found.top)
            fall = np.log(rates)
            moved = LongSchedule(
                (
                    Piece(
                        10**8,
                        1.0,
                        0.0,
                        lambda z, y, fall=fall: np.exp(
                            np.interp(np.log(np.maximum(1e8 * y, 1.0)), left, fall)
                        ),
                    ),
                )
            )
            assert world.excess_risk(moved)[0] > (1 - 5e-5) * found.risk, (middle, height)
    # Easy: below the top all along. Hard: at the top first, and then a fall.
    assert (len(found.run.pieces) == 2) == (s < 1 - 1 / beta)


def test_top_and_batch_are_kept():
    world = KernelRegression(0.5, 4.0)
    start = LongSchedule((Piece(10**6, 0.3, 1e-4, "exponential", batch=4.0),))
    found = long_optimum(world, start, top=0.3)
    assert found.rates.max() <= 0.3 * (1 + 1e-12)
    assert {piece.batch for piece in found.run.pieces} == {4.0}
    assert found.risk < world.excess_risk(start)[0]
    assert "first-order gap" in str(found)
    grows = LongSchedule((Piece(1000, 0.1, batch=lambda z, y: 1 + z), Piece(10, 0.1)))
    with pytest.raises(InputError, match="expected one batch"):
        long_optimum(world, grows)
