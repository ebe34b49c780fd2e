"""From the kernel world to the laws: exponents come back out of exact curves.

A quick part of `validation/kernel_laws.py`, which says when they do not. The rate is small, since
the laws hold to first order in the noise that SGD feeds back (here .02); the tolerances are what is
left of that and of the kernel's start, ``(1 + c x)^-q`` for a sum of exponentials.
"""

from dataclasses import replace

import numpy as np
import pytest

from losslaw import KernelRegression, Schedule
from losslaw.fitting import fit
from losslaw.laws.oneclock import free_units

PEAK, HORIZON = 0.02, 40_000


def exact_curves(source, capacity):
    """Three runs, seen after 50 units of intrinsic time and 10 units after a drop."""
    world = KernelRegression(source=source, capacity=capacity)
    curves = []
    for at, factor in ((1.0, 1.0), (0.5, 0.1), (0.1, 0.2)):
        turn = round(at * HORIZON)
        lr = np.full(HORIZON, PEAK)
        lr[turn:] *= factor
        steps = [np.geomspace(50 / PEAK, turn, 50)]
        if turn < HORIZON:
            steps.append(turn + np.geomspace(10 / (PEAK * factor), HORIZON - turn, 50))
        at_steps = np.unique(np.round(np.concatenate(steps)))
        schedule = Schedule(lr, batch=1, warmup=0)
        curves.append(world.mean_curve(schedule, at_steps, label=f"drop at {at}"))
    return curves


@pytest.mark.parametrize(("source", "capacity"), [(1.0, 2.0), (0.3, 2.0)], ids=["easy", "hard"])
def test_convolution_form_gives_back_source_and_capacity(source, capacity):
    found = fit(exact_curves(source, capacity), "convolution", skip=1, uncertainty=False)
    assert found.status.converged
    assert found.parameters["s"] == pytest.approx(source, rel=0.05)
    assert found.parameters["q"] == pytest.approx(2 - 1 / capacity, abs=0.1)
    assert found.parameters["L0"] == pytest.approx(0.5, abs=2e-3)


def test_drop_form_gives_back_the_capacity_of_an_easy_problem():
    found = fit(
        exact_curves(1.0, 2.0),
        "functional",
        skip=1,
        uncertainty=False,
        fixed={"warmup_drops": True},
    )
    assert found.parameters["g"] == pytest.approx(0.5, abs=0.1)


def test_a_constant_run_tells_nothing_of_the_capacity_to_the_drop_form():
    run = exact_curves(0.5, 4.0)[:1]
    found = fit(run, "functional", skip=1, uncertainty=False)
    assert "g" not in found.free
    assert found.parameters["s"] == pytest.approx(0.5, rel=0.05)


def test_batches_of_sgd_add_no_worth_to_an_update_and_divide_its_noise():
    # The effective law writes an update's worth as B^c and its noise as worth^a / B: SGD is c = 0,
    # and at c = 0 the same law must serve all batches.
    world = KernelRegression(source=0.5, capacity=2.0, noise=1.0)
    curves = []
    for batch in (1, 4, 16):
        for name, fall in (("flat", 1.0), ("drop", 0.2)):
            lr = np.full(4000, 0.1)
            lr[2500:] *= fall
            schedule = Schedule(lr, batch=batch, weight_decay=0.0)
            steps = np.arange(100, 4001, 50)
            curves.append(world.mean_curve(schedule, steps, label=f"{name}, batch {batch}"))
    recipe = free_units(curves)
    assert "c" in recipe.free
    found = fit(curves, recipe, skip=200, uncertainty=False)
    assert found.parameters["c"] < 0.05
    # Losses run from .70 to .53: what is left over is of the law's form, not of the batches.
    assert max(curve.rmse for curve in found.curves) < 4e-3
    adam = fit(curves, replace(recipe, free=recipe.free[:-1], fixed={"c": 0.5, "p": 2.0}), skip=200)
    assert adam.objective > 5 * found.objective
