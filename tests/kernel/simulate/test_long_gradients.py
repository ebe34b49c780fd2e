"""Gradients of any horizon against those of the recursion, and against differences."""

import numpy as np
import pytest
from helpers.long_runs import long_schedules
from numpy.testing import assert_allclose

from losslaw.kernel import (
    KernelRegression,
    LongSchedule,
    Piece,
)
from losslaw.kernel.simulate.gradients import gradient
from losslaw.kernel.simulate.long_gradients import PLACES, between


def schedules(peak, n):
    return long_schedules(peak, n, exponent=3)


@pytest.mark.parametrize(
    ("source", "capacity", "fraction", "noise", "updates", "tolerance"),
    [
        (0.5, 4.0, 0.9, 1.0, 50_000, 5e-5),
        (1.0, 1.3, 0.9, 0.0, 30_000, 5e-5),
        (0.3, 2.0, 0.9, 1.0, 6000, 1e-9),  # done update by update
    ],
)
def test_slopes_are_sums_of_those_of_the_recursion(
    source, capacity, fraction, noise, updates, tolerance
):
    world = KernelRegression(source, capacity, noise=noise)
    peak = fraction * world.largest_lr()
    for name, schedule in schedules(peak, updates).items():
        whole = schedule.written_out()
        modes = world.kept_nodes(schedule.intrinsic_time)
        risk, by_lr, by_batch = gradient(modes, whole.lr, whole.batch)
        found, pieces = world.piece_slopes(schedule)
        assert_allclose(found, risk, rtol=3e-5, err_msg=name)
        done = 0
        for each in pieces:
            piece, n = each.piece, int(each.piece.updates)
            inside, update = slice(done, done + n), np.arange(1.0, n + 1)
            done += n
            directions = {"rate": piece.rates(update), "start": update * 0 + 1}
            if piece.shape in ("cosine", "linear"):
                level = piece.fall.level(update / n)
                directions |= {"start": level, "end": 1 - level}
            if piece.shape == "exponential":
                z = update / n
                directions["start"] = piece.rates(update) * (1 - z) / piece.start
                directions["end"] = piece.rates(update) * z / piece.end
            if callable(piece.shape) or piece.shape == "power":
                del directions["start"]
            for key, direction in directions.items():
                terms = by_lr[inside] * direction
                error = getattr(each, key) - terms.sum()
                assert abs(error) <= tolerance * np.abs(terms).sum(), (name, key)
            terms = by_batch[inside] * piece.batches(update)
            assert_allclose(each.batch, terms.sum(), rtol=2 * tolerance, err_msg=name)


@pytest.mark.parametrize(("source", "capacity"), [(0.5, 4.0), (1.0, 2.0)])
def test_at_a_trillion_updates_against_differences(source, capacity):
    world = KernelRegression(source, capacity)

    def run(peak, final, batch):
        fall = Piece(4 * 10**11, peak, final, "exponential", batch=batch)
        return LongSchedule((Piece(6 * 10**11, peak), fall))

    at = np.log([0.1 * world.largest_lr(), 1e-7, 2.0])
    _, (stable, fall) = world.piece_slopes(run(*np.exp(at)))
    found = [
        stable.rate + fall.start * fall.piece.start,
        fall.end * fall.piece.last,
        fall.batch,
    ]
    for slope, row in zip(found, np.eye(3), strict=True):
        # The integrator is smooth to 1e-6 of the risk.
        up, down = (world.excess_risk(run(*np.exp(at + h * row)))[0] for h in (0.02, -0.02))
        assert_allclose(slope, (up - down) / 0.04, rtol=2e-3)


def test_cubes_are_given_between_their_places_exactly():
    length = np.array([1.0, 0.5, 2.0, 4.0, 3.0])
    place = np.append(0.0, np.cumsum(length))
    terms = between(length, place**3 - place)
    assert_allclose(terms.sum(), place[-1] ** 4 / 4 - place[-1] ** 2 / 2)
    inside = (place[:-1, None] + length[:, None] * PLACES).ravel()
    assert_allclose(terms @ inside, place[-1] ** 5 / 5 - place[-1] ** 3 / 3)
