"""The loss along a schedule in the kernel world, by any of its evaluators.

========== =================================================================================
method     what it is
========== =================================================================================
quadrature exact mean of SGD, a few dozen nodes for any number of modes
exact      exact mean of SGD, every mode by itself
integrator the same mean at any horizon (10^12 updates in milliseconds), from a formula of the rates
sde        moments of the stochastic differential equation of the papers
volterra   their Volterra equation
fsl        the functional scaling law with the kernels of the problem, term by term
sgd        sampled runs: mean, standard error, spread
========== =================================================================================
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import numpy as np

from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.kernel.asked import batch_sizes
from losslaw.kernel.kernel_regression import KernelRegression
from losslaw.kernel.sampled_blocks import sample_in_blocks
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import LongSchedule, Schedule
from losslaw.schedules.averages import AverageLike
from losslaw.text import table

Method = Literal["quadrature", "exact", "integrator", "sde", "volterra", "fsl", "sgd"]
METHODS: tuple[Method, ...] = get_args(Method)
# Those that know the risk of averaged iterates.
AVERAGED: tuple[Method, ...] = ("quadrature", "exact", "sgd")
# Those that know momentum.
MOVED: tuple[Method, ...] = ("quadrature", "exact", "fsl", "sgd")
# Rows of the table that is printed.
SHOWN = 16


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation(Plotted):
    """Losses of one schedule in one problem.

    Attributes:
        world: The problem.
        method: One of `METHODS`.
        steps: Updates done. Shape ``(m,)``.
        lr: Rate of the update just done. Shape ``(m,)``.
        batch: Its batch. Shape ``(m,)``.
        excess: Risk above the irreducible one. Shape ``(m,)``.
        columns: What else the method says, by name: terms of the law, spread of the runs.
        largest_lr: Largest admissible rate at the smallest batch.
        peak_lr: Largest rate of the schedule.
        warnings: Why the numbers are not to be trusted, if so.
    """

    world: KernelRegression
    method: Method
    steps: FloatArray
    lr: FloatArray
    batch: FloatArray
    excess: FloatArray
    largest_lr: float
    peak_lr: float
    columns: dict[str, FloatArray] = field(default_factory=dict[str, FloatArray])
    warnings: tuple[str, ...] = ()

    @property
    def irreducible(self) -> float:
        """``noise^2 / 2``."""
        return 0.5 * self.world.noise**2

    @property
    def loss(self) -> FloatArray:
        """Risk, the irreducible part included. Shape ``(m,)``."""
        return self.excess + self.irreducible

    def __str__(self) -> str:
        world, share = self.world, self.peak_lr / self.largest_lr
        given = "a spectrum of its own"
        if world.source is not None:
            given = f"source {world.source:g}, capacity {world.capacity:g}"
        digits = ".6f" if self.loss.min() > 1e-2 else ".4e"
        rows = [
            [
                f"{self.steps[i]:.4g}" if self.steps[i] >= 1e7 else f"{self.steps[i]:.0f}",
                f"{self.lr[i]:.4g}",
                f"{self.loss[i]:{digits}}",
                f"{self.excess[i]:.4e}",
                *(f"{values[i]:.3e}" for values in self.columns.values()),
            ]
            for i in spaced_steps(self.steps.size, SHOWN) - 1
        ]
        header = ["step", "lr", "loss", "above irreducible", *self.columns]
        lines = [
            f"{given}, modes {world.modes:g}, noise {world.noise:g}; method {self.method}",
            f"peak {self.peak_lr:.4g} is {share:.3g} of the largest admissible rate,"
            f" {self.largest_lr:.6g}; irreducible loss {self.irreducible:g}",
            "",
            *table(header, rows, left=(), rule=True),
            *(f"note: {warning}" for warning in self.warnings),
        ]
        return "\n".join(lines)

    def csv(self, notes: dict[str, object]) -> str:
        """A table that `losslaw.read_curves` reads back; every digit kept.

        Args:
            notes: Written before it as ``# key: value``.
        """
        columns = {"lr": self.lr, "loss": self.loss, "excess": self.excess, **self.columns}
        if not (self.batch == self.batch[0]).all():
            columns["batch"] = self.batch
        lines = [f"# {key}: {value}" for key, value in notes.items()]
        lines.append(",".join(["step", *columns]))
        for i, step in enumerate(self.steps):
            cells = [repr(float(values[i])) for values in columns.values()]
            lines.append(",".join([str(int(step)), *cells]))
        return "\n".join(lines) + "\n"


def evaluate(
    world: KernelRegression,
    schedule: Schedule | LongSchedule,
    *,
    method: Method = "quadrature",
    points: int = 500,
    runs: int = 1,
    seed: int = 0,
    average: AverageLike | None = None,
    momentum: float | None = None,
    nesterov: bool = False,
    tick: Callable[[int], None] = lambda runs: None,
) -> Evaluation:
    """The loss along a schedule.

    Args:
        world: The problem.
        schedule: Pieces for the integrator, every update for the others.
        method: One of `METHODS`.
        points: About how many steps to look at, half of them evenly and half geometrically spaced.
        runs: Sampled runs, for ``sgd``.
        seed: Seed of the samples, for ``sgd``.
        average: Of the iterates, as in `KernelRegression.mean_curve`; for the exact methods but the
            integrator, and ``sgd``.
        momentum: As in `KernelRegression.mean_curve`; for the same, and for ``fsl``, which takes
            the effective rates.
        nesterov: As in `KernelRegression.mean_curve`.
        tick: Called with the number of sampled runs just finished.

    Raises:
        InputError: an unknown method, a schedule that it cannot run, or an unstable learning rate;
            the message names the largest admissible one.

    >>> from losslaw import constant
    >>> world = KernelRegression(source=0.5, capacity=4.0)
    >>> exact, law = (
    ...     evaluate(world, constant(peak=0.01, horizon=100), method=method).loss[-1]
    ...     for method in ("quadrature", "fsl"))
    >>> bool(abs(law / exact - 1) < 1e-3)
    True
    """
    if method not in METHODS:
        raise InputError(f"method {method!r}, expected one of: {', '.join(METHODS)}")
    if points < 1:
        raise InputError(f"points is {points}, expected at least 1")
    if average is not None and method not in AVERAGED:
        raise InputError(f"method {method} knows no averages: {', '.join(AVERAGED)} do")
    if momentum is not None and method not in MOVED:
        raise InputError(f"method {method} knows no momentum: {', '.join(MOVED)} do")
    at = spaced_steps(schedule.horizon, points)
    if isinstance(schedule, LongSchedule):
        if method != "integrator":
            raise InputError(f"method {method} runs written-out schedules, not pieces")
        lr, batch = _along(schedule, at)
        limits = {pair[1]: world.largest_lr(pair[1]) for pair in schedule.extremes()}
        excess, columns = world.excess_risk(schedule, at), dict[str, FloatArray]()
        peak = max(pair[0] for pair in schedule.extremes())
        largest = limits[min(limits)]
    else:
        if method == "integrator":
            raise InputError("the integrator runs schedules in pieces, not written-out ones")
        batches = batch_sizes(schedule)
        world.check_stable(schedule, momentum=momentum, nesterov=nesterov)
        lr, batch = schedule.lr[at - 1], batches[at - 1]
        peak = schedule.peak_lr
        largest = world.largest_lr(
            float(batches.min()), momentum=momentum or 0.0, nesterov=nesterov
        )
        how = _How(runs, seed, average, momentum, nesterov, tick)
        excess, columns = _written_out(world, schedule, at, method, how)
    return Evaluation(
        world=world,
        method=method,
        steps=at.astype(np.float64),
        lr=lr,
        batch=batch,
        excess=excess,
        largest_lr=largest,
        peak_lr=peak,
        columns=columns,
        warnings=world.tail_warnings(schedule)
        if isinstance(schedule, Schedule) and method == "sgd" and momentum is None
        else (),
    )


class _How(NamedTuple):
    """What `evaluate` was told besides problem, schedule and method."""

    runs: int
    seed: int
    average: AverageLike | None
    momentum: float | None
    nesterov: bool
    tick: Callable[[int], None]


def _written_out(
    world: KernelRegression, schedule: Schedule, at: IntArray, method: Method, how: _How
) -> tuple[FloatArray, dict[str, FloatArray]]:
    half = 0.5 * world.noise**2
    average, momentum, nesterov = how.average, how.momentum, how.nesterov
    if method == "quadrature":
        excess = world.excess_risk(
            schedule, at, average=average, momentum=momentum, nesterov=nesterov
        )
        return excess, {}
    if method == "fsl":
        terms = world.scaling_law(schedule, at, momentum=momentum, nesterov=nesterov)
        parts = ("approximation", "signal", "minibatch", "label")
        return terms.excess, {name: getattr(terms, name) for name in parts}
    if method == "sgd":
        sampled = sample_in_blocks(
            world,
            schedule,
            at,
            runs=how.runs,
            seed=how.seed,
            average=average,
            momentum=momentum,
            nesterov=nesterov,
            tick=how.tick,
        )
        columns = {"standard_error": sampled.standard_error, "spread": sampled.spread}
        return sampled.mean - half, columns
    assert method != "integrator"
    inner = "recursion" if method == "exact" else method
    curve = world.mean_curve(
        schedule, at, method=inner, average=average, momentum=momentum, nesterov=nesterov
    )
    return curve.loss - half, {}


def relative_plan(
    world: KernelRegression,
    plan: Schedule | LongSchedule,
    *,
    momentum: float | None = None,
    nesterov: bool = False,
) -> Schedule | LongSchedule:
    """The schedule with its rates times the largest stable rate of its smallest batch.

    >>> from losslaw import constant
    >>> world = KernelRegression(source=0.5, capacity=4.0)
    >>> round(relative_plan(world, constant(peak=0.5, horizon=9)).peak_lr, 3)
    0.33
    """
    if isinstance(plan, LongSchedule):
        smallest = min(batch for _, batch in plan.extremes())
    else:
        smallest = float(batch_sizes(plan).min())
    return plan.scaled(world.largest_lr(smallest, momentum=momentum or 0.0, nesterov=nesterov))


def spaced_steps(horizon: int, points: int) -> IntArray:
    """About ``points`` steps in 1..horizon, half evenly and half geometrically spaced, sorted.

    >>> spaced_steps(1000, 8).tolist()
    [1, 10, 100, 250, 500, 750, 1000]
    """
    if points >= horizon:
        return np.arange(1, horizon + 1)
    if points == 1:
        return np.array([horizon])
    half = points // 2
    even = [round(horizon * i / half) for i in range(1, half + 1)]
    geometric = np.exp(np.linspace(0.0, math.log(horizon), points - half)).round()
    steps = {min(max(int(step), 1), horizon) for step in (*even, *geometric.tolist())}
    if horizon < 2**53:
        return np.array(sorted(steps), dtype=np.int64)
    # Only the integrator goes so far, and it takes whole numbers in any form.
    return np.array(sorted(steps), dtype=np.float64)  # pyright: ignore[reportReturnType]


def _along(schedule: LongSchedule, steps: IntArray) -> tuple[FloatArray, FloatArray]:
    """Rate and batch of the given updates."""
    lr, batch = np.empty(steps.size), np.empty(steps.size)
    done = 0
    for piece in schedule.pieces:
        inside = (steps > done) & (steps <= done + piece.updates)
        update = (steps[inside] - done).astype(np.float64)
        left = piece.updates - update
        lr[inside], batch[inside] = piece.rates(update, left), piece.batches(update, left)
        done += piece.updates
    return lr, batch
