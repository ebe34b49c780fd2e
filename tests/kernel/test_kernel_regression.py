"""The problem record: what it refuses, and what it says about itself."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import zeta

from losslaw.errors import InputError
from losslaw.kernel import KernelRegression, LongSchedule, Piece, long_wsd
from losslaw.schedules import Schedule

GOOD = {"source": 0.5, "capacity": 2.0, "modes": 50}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"capacity": 1.0}, "capacity is 1, expected a number above 1"),
        ({"capacity": 0.5, "modes": math.inf}, "capacity is 0.5, expected a number above 1"),
        ({"capacity": math.nan}, "capacity is nan"),
        ({"source": 0.0}, "source is 0, expected a number above 0"),
        ({"source": -1}, "source is -1, expected a number above 0"),
        ({"source": None}, "source is missing"),
        ({"modes": 0}, "modes is 0, expected a whole number, at least 1, or math.inf"),
        ({"modes": 2.5}, "modes is 2.5, expected a whole number"),
        ({"modes": math.nan}, "modes is nan"),
        ({"noise": -0.1}, "noise is -0.1, expected a standard deviation"),
        ({"noise": math.inf}, "noise is inf"),
        ({"features": "best"}, "features 'best', expected top or random"),
        ({"distribution": "cauchy"}, "distribution 'cauchy', expected one of"),
        ({"ambient": 20}, "modes is 50, expected at most 20"),
        ({"features": "random", "modes": math.inf}, "random features need a finite number"),
        ({"features": "random", "distribution": "uniform"}, "random features mix"),
        ({"targets": [1.0]}, "targets need the spectrum"),
        ({"spectrum": [1.0], "targets": [1.0]}, "not both"),
    ],
)
def test_bad_problems_get_one_clear_line(change, message):
    with pytest.raises(InputError) as error:
        KernelRegression(**{**GOOD, **change})
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("spectrum", "targets", "message"),
    [
        ([1.0, 0.5], None, "spectrum needs the targets"),
        ([1.0, 0.5], [1.0], "targets: 1 values for 2 eigenvalues"),
        ([1.0, 0.0], [1.0, 1.0], "eigenvalues are positive: value 1 is 0"),
        ([0.5, 1.0], [1.0, 1.0], "eigenvalues fall: value 1 is above the one before"),
        ([], [], "empty"),
    ],
)
def test_bad_spectra(spectrum, targets, message):
    with pytest.raises(InputError, match=message):
        KernelRegression(spectrum=spectrum, targets=targets)


def world() -> KernelRegression:
    return KernelRegression(**GOOD)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: world().mean_curve(Schedule([5.0] * 3)), "largest admissible rate at batch 1"),
        (lambda: world().mean_curve(Schedule([0.1], batch=0)), "batch sizes are positive"),
        (lambda: world().mean_curve(Schedule([])), "empty"),
        (lambda: world().mean_curve(Schedule([0.1]), steps=[2]), "outside 1..1"),
        (lambda: world().mean_curve(Schedule([0.1]), steps=[0]), "outside 1..1"),
        (lambda: world().mean_curve(Schedule([0.1]), method="magic"), "method 'magic'"),
        (lambda: world().largest_lr(batch=0), "batch is 0"),
        (lambda: world().sample(Schedule([0.1], batch=1.5), runs=2, seed=0), "whole numbers"),
        (lambda: world().sample(Schedule([0.1]), runs=0, seed=0), "runs is 0"),
        (lambda: world().sample(Schedule([9.0]), runs=1, seed=0), "is not stable"),
        (
            lambda: KernelRegression(source=1, capacity=2).sample(Schedule([0.1]), runs=1, seed=0),
            "modes one by one",
        ),
        (lambda: world().scaling_law(Schedule([0.1]), kernels="cubic"), "kernels 'cubic'"),
        (lambda: world().excess_risk(LongSchedule((Piece(10, 5.0),))), "is not stable"),
        (lambda: world().excess_risk(long_wsd(0.1, 100), [3, 101]), "whole numbers in 1..100"),
        (lambda: LongSchedule(()), "no pieces"),
        (lambda: Piece(0, 0.1), "expected at least 1"),
        (lambda: Piece(10**31, 0.1), "expected at most"),
        (lambda: LongSchedule((Piece(10**30, 0.1), Piece(10**30, 0.1))), "updates in all"),
        (lambda: Piece(10, 0.1, 0.2), "give a shape"),
        (lambda: Piece(10, 0.1, 0.0, "exponential"), "cannot start or end at 0"),
        (lambda: Piece(10, -0.1), "start of a piece is -0.1"),
        (lambda: Piece(10, 0.1, batch=0), "batch is 0"),
        (lambda: Piece(10, 0.1, 0.0, "wiggly"), "decay 'wiggly'"),
        (lambda: Piece(10, 0.1, 0.0, "power", exponent=-1), "exponent is -1"),
        (lambda: long_wsd(0.1, 100, cooldown=1.5), "cooldown is 1.5"),
    ],
)
def test_bad_calls_get_one_clear_line(call, message):
    with pytest.raises(InputError) as error:
        call()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("source", "capacity"), [(0.2, 1.2), (1.0, 2.0), (2.0, 4.0)])
def test_all_the_signal_is_learned_or_unlearned(source, capacity):
    energy = zeta(1 + source * capacity)
    for modes in (1, 30, 10**6, 10**9, math.inf):
        world = KernelRegression(source, capacity, modes)
        nodes = world.nodes(time=1e4)
        assert_allclose(nodes.signal.sum() + nodes.unlearned, energy, rtol=1e-9)


def test_a_given_power_law_is_the_power_law():
    j = np.arange(1.0, 201)
    beta, s = 1.5, 0.7
    given = KernelRegression(spectrum=j**-beta, targets=j ** (-(1 + s * beta - beta) / 2), modes=60)
    named = KernelRegression(s, beta, modes=60, ambient=200)
    schedule = Schedule(np.linspace(0.4, 0.0, 50))
    assert_allclose(given.mean_curve(schedule).loss, named.mean_curve(schedule).loss, rtol=1e-9)
    assert_allclose(given.unlearned, named.unlearned, rtol=1e-12)
    assert_allclose(given.largest_lr(), named.largest_lr(), rtol=1e-12)


def test_curve_says_what_was_assumed():
    curve = world().mean_curve(Schedule([0.1] * 5), label="mine")
    assert (curve.label, curve.model_size, len(curve)) == ("mine", 50, 5)
    assert curve.assumptions == ("batch size taken as 1",)
    assert world().mean_curve(Schedule([0.1], batch=2)).assumptions == ()
