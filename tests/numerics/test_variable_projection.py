"""Variable projection on made-up problems whose answers are known."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from losslaw.numerics.variable_projection import (
    Offsets,
    Rows,
    Separable,
    huber,
    minimise,
    project,
    projected_jacobian,
)

T = np.linspace(1, 40, 120)


def powers(theta):
    """``c0 + c1 t^-a + c2 exp(-b t)``: two shapes, three amplitudes."""
    a, b = np.exp(theta)
    return np.column_stack([np.ones_like(T), T**-a, np.exp(-b * T)])


TRUTH = np.log([0.5, 0.15])
AMPLITUDES = np.array([2.0, 1.5, 0.8])
# Further out the third amplitude is 0 for any rate, and nothing shows the search where to go.
STARTS = [np.log(s) for s in itertools.product([0.2, 0.6, 1.5], [0.08, 0.15, 0.3])]


def problem(logs, *, shape_rows=None, rows=None, columns=powers, delta=1e-3, width=2):
    return Separable(
        columns,
        logs,
        shape_rows or (lambda theta: np.empty(0)),
        rows or Rows(np.zeros((0, columns(np.zeros(width)).shape[1])), np.empty(0)),
        np.full(width, np.log(0.01)),
        np.full(width, np.log(10.0)),
        delta,
    )


def noisy(seed, sd=2e-3):
    rng = np.random.default_rng(seed)
    return np.log(powers(TRUTH) @ AMPLITUDES) + sd * rng.normal(size=T.size)


def objective(p, theta, amplitudes):
    """The objective, as the module's docstring writes it."""
    predicted = p.columns(theta) @ amplitudes
    if (predicted <= 0).any():
        return np.inf
    priors = np.concatenate(
        [p.shape_rows(theta), p.amplitude_rows.matrix @ amplitudes - p.amplitude_rows.target]
    )
    return huber(np.log(predicted) - p.logs, p.delta) + np.sum(priors**2) / 2


def test_huber_is_its_two_pieces():
    assert huber(np.array([0.5, -0.5]), 1.0) == pytest.approx(0.25)
    assert huber(np.array([2.0, -4.0]), 1.0) == pytest.approx(1.5 + 3.5)
    assert huber(np.array([1e-3])) == pytest.approx(5e-7)


@pytest.mark.parametrize("start", STARTS)
def test_every_start_finds_the_truth(start):
    found, converged = minimise(problem(np.log(powers(TRUTH) @ AMPLITUDES)), start)
    assert converged
    assert_allclose(found.theta, TRUTH, atol=1e-5)
    assert_allclose(found.amplitudes, AMPLITUDES, rtol=1e-5)
    assert found.objective < 1e-14


@pytest.mark.parametrize("seed", range(3))
def test_every_start_finds_the_same_optimum_of_noisy_data(seed):
    ends = [minimise(problem(noisy(seed)), start)[0].objective for start in STARTS]
    assert_allclose(ends, min(ends), rtol=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_the_optimum_is_that_of_a_search_over_all_parameters(seed):
    p = problem(
        noisy(seed),
        shape_rows=lambda theta: np.array([2e-3 * (theta[0] - np.log(0.7)) / 0.1]),
        rows=Rows(np.array([[0.0, 0.0, 1e-2]]), np.array([1e-2])),
    )
    found, _ = minimise(p, STARTS[0])
    assert found.objective == pytest.approx(objective(p, found.theta, found.amplitudes), rel=1e-12)

    def brute(x):
        return objective(p, x[:2], np.exp(x[2:]))

    begin = np.concatenate([TRUTH, np.log(AMPLITUDES)])
    other = min(
        (
            minimize(
                brute,
                begin + shift,
                method="Nelder-Mead",
                options={"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-10, "fatol": 1e-15},
            )
            for shift in (0.0, 0.05)
        ),
        key=lambda end: end.fun,
    )
    assert found.objective <= other.fun * (1 + 1e-9)
    assert found.objective == pytest.approx(other.fun, rel=1e-4)


def test_the_amplitudes_are_the_best_ones_at_any_shapes():
    p = problem(noisy(5))
    theta = np.log([0.9, 0.4])
    point = project(p, theta)
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = point.amplitudes * np.exp(1e-3 * rng.normal(size=3))
        assert objective(p, theta, other) >= point.objective * (1 - 1e-12)


def test_a_guess_does_not_change_the_amplitudes():
    p = problem(noisy(5))
    theta = np.log([0.9, 0.4])
    plain = project(p, theta)
    for guess in (np.array([1.0, 5.0, 0.1]), np.zeros(3), np.array([1e-9, 0.0, 1e9])):
        assert_allclose(project(p, theta, guess).amplitudes, plain.amplitudes, rtol=1e-5)


def test_outliers_hardly_pull():
    logs = np.log(powers(TRUTH) @ AMPLITUDES)
    logs[::10] += 0.3
    found, _ = minimise(problem(logs), STARTS[4])
    assert_allclose(found.amplitudes, AMPLITUDES, rtol=1e-2)
    squares, _ = minimise(problem(logs, delta=1e3), STARTS[4])
    worst, usual = (
        np.max(np.abs(np.log(powers(end.theta) @ end.amplitudes / (powers(TRUTH) @ AMPLITUDES))))
        for end in (squares, found)
    )
    assert worst > 0.025
    assert usual < 0.005


def test_an_amplitude_that_would_be_negative_is_zero():
    # At these shapes the data fall below any sum with a positive third term.
    logs = np.log(powers(TRUTH) @ np.array([2.0, 1.5, -0.5]))
    found = project(problem(logs), TRUTH)
    assert found.amplitudes[2] == 0
    two = project(problem(logs, columns=lambda theta: powers(theta)[:, :2]), TRUTH)
    assert found.objective == pytest.approx(two.objective, rel=1e-9)
    assert_allclose(found.amplitudes[:2], two.amplitudes, rtol=1e-6)


def test_a_column_of_zeros_gets_no_amplitude():
    def columns(theta):
        return np.column_stack([powers(theta), np.zeros_like(T)])

    found, _ = minimise(problem(noisy(1), columns=columns), STARTS[0])
    assert found.amplitudes[3] == 0


def test_a_column_of_zeros_with_a_prior_sits_at_its_mean():
    def columns(theta):
        return np.column_stack([powers(theta), np.zeros_like(T)])

    rows = Rows(np.array([[0.0, 0.0, 0.0, 0.3]]), np.array([0.3 * 47.0]))
    found, _ = minimise(problem(noisy(1), columns=columns, rows=rows), STARTS[0])
    assert found.amplitudes[3] == pytest.approx(47.0)


def test_a_prior_holds_what_the_data_leave_open():
    # Without a third term in the data its rate b is free: the prior alone decides.
    logs = np.log(powers(TRUTH) @ np.array([2.0, 1.5, 0.0]))
    p = problem(logs, shape_rows=lambda theta: np.array([6e-3 * (theta[1] - np.log(0.4)) / 0.1]))
    found, _ = minimise(p, STARTS[0])
    assert np.exp(found.theta[1]) == pytest.approx(0.4, rel=1e-3)


@pytest.mark.parametrize("weight", [0.0, 1e-3, 1e-2, 1e-1, 10.0])
def test_a_prior_pulls_the_more_the_heavier_it_is(weight):
    def at(strength):
        rows = Rows(np.array([[strength, 0.0, 0.0]]), np.array([strength * 1.9]))
        return minimise(problem(noisy(2), rows=rows), STARTS[4])[0].amplitudes[0]

    assert at(weight) >= at(10 * weight + 1e-4) - 1e-6
    assert abs(at(100.0) - 1.9) < 1e-3


def test_a_quadratic_prior_is_balanced_by_the_data():
    # One amplitude, residuals within delta: the derivative of the objective is written below.
    logs, n = np.log(2.0) + np.array([1e-5, -2e-5, 4e-5]), 3
    w = 3.0
    p = problem(
        logs,
        columns=lambda theta: np.ones((n, 1)),
        rows=Rows(np.array([[w]]), np.array([w * 2.0001])),
        width=0,
    )
    found, _ = minimise(p, np.empty(0))
    # sum (log c - log y) / c + w^2 (c - m) = 0.
    c = found.amplitudes[0]
    assert np.sum(np.log(c) - logs) / c + w**2 * (c - 2.0001) == pytest.approx(0, abs=1e-9)


def test_shapes_stay_within_their_bounds():
    p = problem(np.log(powers(np.log([0.5, 0.15])) @ AMPLITUDES))
    boxed = Separable(
        p.columns, p.logs, p.shape_rows, p.amplitude_rows, np.log([0.8, 0.01]), p.high
    )
    found, _ = minimise(boxed, np.log([1.5, 0.3]))
    assert np.exp(found.theta[0]) == pytest.approx(0.8, rel=1e-3)
    assert (found.theta >= boxed.low).all()


def test_the_projected_jacobian_has_the_slope_of_the_objective():
    p = problem(noisy(3), shape_rows=lambda theta: np.array([1e-2 * (theta[0] - np.log(0.7))]))
    theta = np.log([0.7, 0.3])
    point = project(p, theta)
    weight = np.minimum(1, p.delta / np.abs(point.residuals))
    residuals = np.concatenate([weight * point.residuals, p.shape_rows(theta)])
    slope = projected_jacobian(p, point).T @ residuals
    for i in range(2):
        h = np.zeros(2)
        h[i] = 1e-5
        difference = (project(p, theta + h).objective - project(p, theta - h).objective) / 2e-5
        assert slope[i] == pytest.approx(difference, rel=1e-3)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.5, 1.0])])
def test_the_loss_of_the_search_is_the_objective_and_has_its_slopes(weights):
    """Four rows of data, two of them far out, and two prior rows, which are never bent."""
    residuals = np.array([2e-4, 3e-3, -8e-4, -0.2])
    priors = np.array([5e-4, 3.0])
    p = replace(problem(np.ones(4)), weights=weights)
    z = np.concatenate([residuals, priors]) ** 2 / p.delta**2
    rho, slope, bend = p.rho(z)
    whole = huber(residuals, p.delta, weights) + float(np.sum(priors**2)) / 2
    assert p.delta**2 / 2 * rho.sum() == pytest.approx(whole, rel=1e-12)
    h = 1e-5 * z
    assert_allclose((p.rho(z + h)[0] - p.rho(z - h)[0]) / (2 * h), slope, rtol=1e-8)
    assert_allclose((p.rho(z + h)[1] - p.rho(z - h)[1]) / (2 * h), bend, rtol=1e-6, atol=1e-8)
    assert_allclose(p.row_weights(residuals) ** 2, slope[:4], rtol=1e-12)


def test_the_same_problem_gives_the_same_answer_bit_for_bit():
    one, two = (minimise(problem(noisy(4)), STARTS[3])[0] for _ in range(2))
    assert one.theta.tobytes() == two.theta.tobytes()
    assert one.amplitudes.tobytes() == two.amplitudes.tobytes()
    assert one.objective == two.objective


def test_offsets_are_those_of_explicit_columns():
    """Offsets eliminated in closed form against a column up and one down for each group."""
    rng = np.random.default_rng(4)
    group = np.repeat([0, 1, 2], 40)
    level = np.repeat([3.0, 2.5, 2.0], 40)
    truth = powers(TRUTH) @ AMPLITUDES + level * np.array([2e-3, -1e-3, 5e-4])[group]
    logs = np.log(truth) + 1e-3 * rng.standard_normal(T.size)
    weight = 2.0
    short = replace(problem(logs, width=2), offsets=Offsets(group, level, weight))

    def with_columns(theta):
        each = np.eye(3)[group] * level[:, None]
        return np.hstack([powers(theta), each, -each])

    rows = np.hstack([np.zeros((6, 3)), weight * np.eye(6)])
    long = problem(logs, columns=with_columns, rows=Rows(rows, np.zeros(6)))
    one, two = project(short, TRUTH), project(long, TRUTH)
    assert one.objective == pytest.approx(two.objective, rel=1e-9)
    assert_allclose(one.amplitudes, two.amplitudes[:3], rtol=1e-6)
    assert_allclose(one.offsets, two.amplitudes[3:6] - two.amplitudes[6:], atol=1e-8)
    assert (np.abs(one.offsets) > 1e-4).all()
    start = TRUTH + 0.2
    first, second = minimise(short, start)[0], minimise(long, start)[0]
    assert first.objective == pytest.approx(second.objective, rel=1e-6)
    assert_allclose(first.theta, second.theta, atol=1e-3)


def test_a_weight_of_two_is_the_point_twice():
    logs = noisy(3)
    twice = np.repeat(np.arange(T.size), 2)
    one = replace(problem(logs), weights=np.full(T.size, 2.0))
    two = problem(logs[twice], columns=lambda theta: powers(theta)[twice])
    first, second = minimise(one, TRUTH + 0.1)[0], minimise(two, TRUTH + 0.1)[0]
    assert first.objective == pytest.approx(second.objective, rel=1e-8)
    assert_allclose(first.theta, second.theta, atol=1e-5)
