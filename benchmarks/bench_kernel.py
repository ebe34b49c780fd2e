"""The kernel world: quadrature, integrator and sampled runs against the plain ways.

Every row compares two ways to the same numbers and says how far they differ: the spectral
quadrature against the full recursion, compiled against plain numpy, the horizon-free integrator
against going step by step, sampled runs against a numpy loop.

What limits them: the quadrature, 40 to 46 nodes an update whatever the number of modes; the
integrator, some thousand blocks of updates whatever the horizon, and building its nodes (3-8 ms,
once for a problem); sampled runs, drawing the features.

![cost against modes and horizon](kernel_cost.png)
"""

import math
from pathlib import Path

import numpy as np

from benchmarks.clock import best_of, markdown, seconds
from losslaw.drawing.axes import legend
from losslaw.drawing.style import INK, cycled, dressed, new_figure, quiet
from losslaw.files import write_bytes
from losslaw.files.pictures import png
from losslaw.kernel import KernelRegression, LongSchedule, long_decay, long_wsd
from losslaw.kernel.simulate import recursion
from losslaw.kernel.simulate.quadrature import power_law_nodes
from losslaw.schedules import Schedule, cosine
from tests.helpers.kernel_oracles import mean_totals

FIGURE = Path(__file__).parent / "kernel_cost.png"


def some_steps(horizon: int) -> np.ndarray:
    return np.unique(np.geomspace(1, horizon, 200).astype(np.int64))


def quadrature_against_full(capacity: float, modes: int, updates: int) -> dict[str, object]:
    world = KernelRegression(0.5, capacity, modes)
    schedule = cosine(peak=0.5 * world.largest_lr(), horizon=updates)
    steps, batch = some_steps(updates), np.ones(updates)
    full = world.true_modes

    def quick() -> np.ndarray:
        power_law_nodes.cache_clear()  # building the nodes is part of the price
        return recursion.run(world.nodes(schedule.lr.sum()), schedule.lr, batch, steps)[0]

    a, b = quick(), recursion.run(full, schedule.lr, batch, steps)[0]
    return {
        "what": f"quadrature / full recursion, beta {capacity:g}, M {modes:.0e}, n {updates:.0e}",
        "fast": best_of(5, quick),
        "slow": best_of(2, lambda: recursion.run(full, schedule.lr, batch, steps)),
        "error": np.abs((a - b) / (b + world.unlearned)).max(),
        "note": f"{world.nodes(schedule.lr.sum()).rate.size} nodes",
    }


def compiled_against_numpy(modes: int, updates: int) -> dict[str, object]:
    world = KernelRegression(0.5, 2.0, modes)
    schedule = cosine(peak=0.3, horizon=updates)
    steps, batch = some_steps(updates), np.ones(updates)
    a = recursion.run(world.true_modes, schedule.lr, batch, steps)[0]
    b = mean_totals(world.true_modes, schedule.lr, batch, steps)
    fast = best_of(5, lambda: recursion.run(world.true_modes, schedule.lr, batch, steps))
    return {
        "what": f"compiled / plain NumPy recursion, M {modes:.0e}",
        "fast": fast,
        "slow": best_of(2, lambda: mean_totals(world.true_modes, schedule.lr, batch, steps)),
        "error": np.abs(a / b - 1).max(),
        "note": f"{updates / fast / 1e6:.1f} M updates/s",
    }


def integrator_against_steps(schedule: LongSchedule, name: str) -> dict[str, object]:
    world = KernelRegression(0.5, 4.0)
    written = schedule.written_out()
    a, b = world.excess_risk(schedule)[0], world.excess_risk(written)[0]
    return {
        "what": f"integrator / update by update, {name}, n {schedule.horizon:.0e}",
        "fast": best_of(9, lambda: world.excess_risk(schedule)),
        "slow": best_of(1, lambda: world.excess_risk(written)),
        "error": abs(a / b - 1),
        "note": "",
    }


def sampled_against_numpy(modes: int, updates: int, runs: int) -> dict[str, object]:
    world = KernelRegression(0.5, 1.5, modes)
    schedule = cosine(peak=0.2, horizon=updates)
    lam, theta = world.true_modes.rate, np.sqrt(world.true_modes.signal / world.true_modes.rate)
    rng = np.random.default_rng(0)

    def loop() -> float:
        """One run as a script would write it."""
        v = np.zeros(modes)
        for eta in schedule.lr:
            phi = rng.standard_normal(modes) * np.sqrt(lam)
            y = phi @ theta + rng.standard_normal()
            v = v - eta * (phi @ v - y) * phi
        return 0.5 * float(lam @ (v - theta) ** 2) + 0.5

    world.sample(schedule, [updates], runs=1, seed=0)
    fast = best_of(3, lambda: world.sample(schedule, [updates], runs=runs, seed=0)) / runs
    drawn = world.sample(schedule, [updates], runs=200, seed=0)
    exact = world.mean_curve(schedule, [updates]).loss
    return {
        "what": f"sampled SGD / NumPy loop, M {modes}",
        "fast": fast,
        "slow": best_of(3, loop),
        "error": float(abs(drawn.mean - exact)[0] / exact[0]),
        "note": f"{updates / fast / 1e3:.0f} k updates/s; error: mean of 200 runs to exact",
    }


def cost_of_modes(updates: int) -> list[tuple[float, float]]:
    rows: list[tuple[float, float]] = []
    for modes in (1e2, 1e3, 1e4, 1e5, 1e6, 1e9, 1e12, math.inf):
        world = KernelRegression(0.5, 1.5, modes)
        schedule = Schedule(np.full(updates, 0.2))

        def run(world: KernelRegression = world, schedule: Schedule = schedule) -> None:
            power_law_nodes.cache_clear()
            world.excess_risk(schedule)

        run()
        rows.append((modes, best_of(3, run)))
    return rows


def cost_of_horizon() -> list[tuple[int, float, float]]:
    world = KernelRegression(0.5, 1.5)
    rows: list[tuple[int, float, float]] = []
    for power in (3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 21, 24):
        schedule = long_wsd(0.4, 10**power)
        integrated = best_of(9, lambda s=schedule: world.excess_risk(s))
        stepped = math.nan
        if power <= 7:
            written = schedule.written_out()
            stepped = best_of(2, lambda s=written: world.excess_risk(s))
        rows.append((10**power, integrated, stepped))
    return rows


def draw(modes: list[tuple[float, float]], horizons: list[tuple[int, float, float]]) -> None:
    figure = new_figure(7.2, 2.8)
    left, right = map(dressed, figure.subplots(1, 2))
    finite = [row for row in modes if math.isfinite(row[0])]
    line = cycled(0, marks=True, ms=3.5, lw=1.3)
    left.loglog(*zip(*finite, strict=True), **line, label="quadrature, nodes built anew")
    left.axhline(modes[-1][1], ls=":", color=INK, lw=1, label="infinitely many modes")
    quiet(left, "modes", "seconds for $10^5$ updates")
    left.set_ylim(1e-3, 1)
    legend(left)
    n, integrated, stepped = zip(*horizons, strict=True)
    at, second = np.array(n, dtype=float), cycled(1, marks=True, ms=3.5, lw=1.3)
    right.loglog(at, integrated, **line, label="integrator")
    right.loglog(at, stepped, **second, label="update by update")
    quiet(right, "horizon in updates, WSD, infinitely many modes", "seconds")
    legend(right)
    write_bytes(FIGURE, png(figure, dpi=200))


def table() -> str:
    """The section of RESULTS.md; draws the figure beside it."""
    rows = [
        compiled_against_numpy(1000, 5000),
        quadrature_against_full(1.2, 10**5, 5000),
        quadrature_against_full(1.5, 10**5, 5000),
        quadrature_against_full(2.0, 10**4, 50_000),
        quadrature_against_full(1.2, 10**6, 300),
        integrator_against_steps(long_decay(0.5, 10**7), "cosine"),
        integrator_against_steps(long_wsd(0.5, 10**7), "wsd"),
        integrator_against_steps(
            long_wsd(0.5, 10**7, final=5e-8, decay="exponential"), "wsd exponential"
        ),
        sampled_against_numpy(100, 2000, 5),
        sampled_against_numpy(1000, 1000, 3),
    ]
    million = KernelRegression(0.5, 1.5, 10**9)
    schedule = cosine(peak=0.25, horizon=10**6)
    million.excess_risk(schedule)
    time_of_million = best_of(3, lambda: million.excess_risk(schedule))
    modes, horizons = cost_of_modes(100_000), cost_of_horizon()
    draw(modes, horizons)
    compared = markdown(
        ["what", "fast", "slow", "ratio", "error", "note"],
        [
            [
                str(row["what"]),
                seconds(float(row["fast"])),  # pyright: ignore
                seconds(float(row["slow"])),  # pyright: ignore
                f"{float(row['slow']) / float(row['fast']):.0f}",  # pyright: ignore
                f"{float(row['error']):.0e}",  # pyright: ignore
                str(row["note"]),
            ]
            for row in rows
        ],
    )
    horizon = markdown(
        ["updates", "integrator", "update by update"],
        [
            [f"{float(n):.0e}", seconds(fast), "" if math.isnan(slow) else seconds(slow)]
            for n, fast, slow in horizons
        ],
    )
    return (
        f"{compared}\n\n10^6 updates at 10^9 modes: {seconds(time_of_million)}.\n\n"
        f"### Cost of the horizon (WSD, infinitely many modes)\n\n{horizon}"
    )
