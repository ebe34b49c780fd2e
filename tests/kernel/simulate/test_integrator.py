"""The horizon-free integrator against the recursion it replaces."""

import numpy as np
import pytest
from helpers.long_runs import long_schedules
from numpy.testing import assert_allclose

from losslaw.kernel import (
    KernelRegression,
    LongSchedule,
    Piece,
    long_decay,
    long_wsd,
)
from losslaw.kernel.simulate import integrator
from losslaw.schedules import cosine, linear, power, wsd


def all_schedules(peak: float, n: int) -> dict[str, LongSchedule]:
    return {
        **long_schedules(peak, n, exponent=7),
        "wsd linear": long_wsd(peak, n),
        "wsd 1-sqrt": long_wsd(peak, n, decay="1-sqrt", final=peak / 100),
    }


@pytest.mark.parametrize(
    ("source", "capacity", "fraction", "updates", "tolerance"),
    [
        (0.5, 4.0, 0.9, 300_000, 3e-5),
        (1.0, 1.3, 0.9, 100_000, 5e-5),
        (0.5, 1.5, 0.3, 30_000, 3e-5),
        (0.3, 2.0, 0.9, 600, 1e-9),
    ],
)
def test_long_runs_are_the_recursion(source, capacity, fraction, updates, tolerance):
    world = KernelRegression(source, capacity)
    for name, schedule in all_schedules(fraction * world.largest_lr(), updates).items():
        steps = np.unique(np.geomspace(updates // 100, schedule.horizon, 12).astype(np.int64))
        exact = world.excess_risk(schedule.written_out(), steps)
        quick = world.excess_risk(schedule, steps)
        assert_allclose(quick, exact, rtol=tolerance, err_msg=name)


def pieces_of(kind: str, lr: float, batch: float, n: int) -> LongSchedule:
    match kind:
        case "constant":
            return LongSchedule((Piece(n, lr, batch=batch),))
        case "exponential":
            return LongSchedule((Piece(n, lr, lr / n, "exponential", batch=batch),))
        case "wsd":
            halves = Piece(n // 2, lr, batch=batch), Piece(n - n // 2, lr, 0, "cosine", batch=batch)
            return LongSchedule(halves)
        case "batch grows":
            return LongSchedule((Piece(n, lr, batch=lambda z, y: batch * (1 + 100 * z)),))
    return LongSchedule((Piece(n, lr, 0, "power", exponent=int(kind[-1]), batch=batch),))


@pytest.mark.parametrize(
    ("source", "capacity", "noise", "batch", "kind"),
    [
        (0.5, 4.0, 1.0, 4, "power 7"),  # fast modes follow a falling rate late
        (2.0, 4.0, 0.0, 1, "wsd"),  # without noise X itself falls as t^-1.75
        (2.0, 2.0, 0.0, 4, "constant"),
        (2.0, 2.0, 0.0, 32, "exponential"),
        (0.5, 1.2, 1.0, 4, "power 3"),
        (1.0, 4.0, 3.0, 4, "wsd"),
        (2.0, 2.0, 1.0, 1, "batch grows"),
    ],
)
def test_all_along_the_run(source, capacity, noise, batch, kind):
    world = KernelRegression(source, capacity, noise=noise)
    schedule = pieces_of(kind, 0.9 * world.largest_lr(batch), batch, 30_000)
    every = np.arange(1, 30_001)
    exact = world.excess_risk(schedule.written_out(), every)
    near = np.concatenate([np.arange(505, 700, 13), np.geomspace(700, 29_400, 40).astype(np.int64)])
    steps = np.unique(np.concatenate([near, 30_000 - np.arange(0, 600, 50)]))
    # One at a time: steps that are asked about together cut the blocks short.
    quick = np.array([world.excess_risk(schedule, [step])[0] for step in steps])
    assert_allclose(quick, exact[steps - 1], rtol=3e-5)


def test_ten_million_updates():
    world = KernelRegression(0.3, 2.0)
    schedules = all_schedules(0.9 * world.largest_lr(), 10**7)
    for name in ("cosine", "wsd linear"):
        schedule = schedules[name]
        exact = world.excess_risk(schedule.written_out())
        assert_allclose(world.excess_risk(schedule), exact, rtol=3e-5, err_msg=name)


def test_short_pieces_are_done_update_by_update():
    world = KernelRegression(0.5, 2.0, noise=0.0)
    schedule = LongSchedule((Piece(1, 0.3), Piece(2, 0.3, 0.1, "cosine"), Piece(150, 0.0)))
    exact = world.excess_risk(schedule.written_out(), np.arange(1, 154))
    assert_allclose(world.excess_risk(schedule, np.arange(1, 154)), exact, rtol=1e-12)


def test_steps_asked_about_do_not_move_the_end():
    world = KernelRegression(0.5, 2.0)
    schedule = long_wsd(0.3, 10**9)
    alone = world.excess_risk(schedule)[0]
    among = world.excess_risk(schedule, [1, 10**5, 8 * 10**8 - 3, 8 * 10**8, 10**9])[-1]
    assert_allclose(among, alone, rtol=1e-5)


def test_at_a_trillion_updates_against_shorter_blocks(monkeypatch):
    world = KernelRegression(0.5, 4.0)
    schedules = all_schedules(0.9 * world.largest_lr(), 10**12)
    coarse = {name: world.excess_risk(schedule)[0] for name, schedule in schedules.items()}
    monkeypatch.setattr(integrator, "GROWTH", 0.03)
    monkeypatch.setattr(integrator, "LARGEST_CHANGE", 1.15)
    monkeypatch.setattr(integrator, "SINGLE", 2048)
    for name, schedule in schedules.items():
        assert_allclose(coarse[name], world.excess_risk(schedule)[0], rtol=2e-5, err_msg=name)


@pytest.mark.parametrize(("source", "capacity"), [(0.5, 4.0), (0.3, 2.0)])
def test_hard_problems_forget_the_noise_at_last(source, capacity):
    """WSD in the hard regime falls as D^-s: (measured exponent, predicted one) at 10^21..24."""
    world = KernelRegression(source, capacity)
    peak = 0.9 * world.largest_lr()
    horizons = [10**21, 10**24]
    risks = [
        world.excess_risk(long_wsd(peak, n, 0.1, final=peak / n, decay="exponential"))[0]
        for n in horizons
    ]
    measured = -np.log10(risks[1] / risks[0]) / 3
    assert abs(measured - source) < 2e-3


def test_pieces_are_the_families():
    n = 1000
    for long, short in (
        (long_decay(0.3, n), cosine(peak=0.3, horizon=n)),
        (long_decay(0.3, n, 0.1, "linear"), linear(peak=0.3, final=0.1, horizon=n)),
        (long_decay(0.3, n, 0.0, "power", 3), power(peak=0.3, horizon=n, exponent=3)),
        (long_wsd(0.3, n), wsd(peak=0.3, horizon=n)),
        (
            long_wsd(0.3, n, 0.4, 0.01, "exponential"),
            wsd(peak=0.3, horizon=n, cooldown=0.4, final=0.01, decay="exponential"),
        ),
        (
            long_wsd(0.3, n, 1.0, decay="1-sqrt"),
            wsd(peak=0.3, horizon=n, cooldown=1, decay="1-sqrt"),
        ),
    ):
        assert_allclose(long.written_out().lr, short.lr, atol=1e-15)


@pytest.mark.parametrize("source", [0.05, 10.0])
@pytest.mark.parametrize("capacity", [1.01, 10.0])
def test_no_corner_of_the_range_is_out_of_range(source, capacity):
    world = KernelRegression(source, capacity)
    peak = 0.5 * world.largest_lr()
    # u^19 at the end of 10^24 updates is 1e-411: no time passes, and nothing may divide by it.
    steep = long_decay(peak, 10**24, shape="power", exponent=2 * capacity - 1)
    risks = [world.excess_risk(steep, [1, 10**6, 10**24])]
    risks.append(world.excess_risk(long_wsd(peak, 10**30), [1, 10**6, 10**30]))
    for risk in risks:
        assert np.isfinite(risk).all()
        assert (risk > 0).all()
        assert risk[2] < risk[1] < risk[0]
    assert_allclose(risks[0][0], risks[1][0], rtol=1e-12)


def test_pieces_where_nothing_moves():
    world = KernelRegression(0.5, 2.0)
    fall = Piece(10**6, 0.1, 0.0, "cosine")
    still = Piece(10**6, 0.0)
    alone = world.excess_risk(LongSchedule((fall,)))
    assert_allclose(world.excess_risk(LongSchedule((still, fall, still))), alone, rtol=1e-12)
