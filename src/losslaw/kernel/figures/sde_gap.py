"""How far the differential equations of the papers are from SGD, as the learning rate grows.

An update of finite size forgets ``eta lambda (2 - eta lambda)`` of a mode; the stochastic
differential equation (arXiv:2509.19189, Section 3) forgets ``2 eta lambda``. At a constant rate all
come to rest, at ``A/2 + (A + sigma^2)/2 * F/(1 - F)``, each with an F of its own (batch 1, derived
here):

    SGD      F = sum eta lambda / (2 - 2 eta lambda)
    SDE      F = sum eta lambda / (2 - eta lambda)
    Volterra F = sum eta lambda / 2

All are exact in the mean, so what is drawn is the difference of the models, without sampling error.
A decay heals it: what is left at the end was made at small rates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.drawing.style import new_figure
from losslaw.kernel import KernelRegression
from losslaw.kernel.figures.shared import (
    COLORS,
    MARK,
    NAMES,
    THEORY,
    Axes,
    Figure,
    legend,
    log_log,
    quiet,
    short,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.mean_risk import MeanMethod
from losslaw.kernel.methods import spaced_steps
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule, constant, cosine, wsd

EQUATIONS: dict[MeanMethod, str] = {"sde": "SDE", "volterra": "Volterra"}
STYLES = {"sde": "-", "volterra": "--"}
# Modes whose speeds add up to F within .02 % at capacity 2.
ENOUGH_MODES = 10_000
# Problem, schedule, method: differences along the run, one array a rate.
Gaps = dict[tuple[KernelRegression, str, MeanMethod], list[FloatArray]]


@dataclass(frozen=True)
class SdeGap:
    """SDE moments and Volterra equation beside the exact mean of SGD, along three schedules.

    The papers leave open how small a rate their equations need. Here: infinitely many modes, noise
    1, batch 1, 10^4 updates. The first hundredth of a run is left out: until the first modes are
    learned, every rate makes a difference of its own.

    Attributes:
        problems: Source and capacity, one row of panels each.
        horizon: Updates.
        shares: Peaks, as shares of the largest stable rate.
        shown: The share whose curves are drawn, one of them.
    """

    name: ClassVar[str] = "sde-gap"
    title: ClassVar[str] = "how far SDE and SGD differ as the learning rate grows"

    problems: tuple[tuple[float, float], ...] = ((0.5, 4.0), (1.0, 2.0))
    horizon: int = 10_000
    shares: tuple[float, ...] = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
    shown: float = 0.5

    def run(self, work: Work) -> Result:
        """Run both equations beside SGD, draw three panels a problem."""
        worlds = [KernelRegression(source=s, capacity=beta) for s, beta in self.problems]
        work.expect(len(worlds) * len(self.shares) * 3)
        gaps: Gaps = {}
        for world in worlds:
            for share in self.shares:
                work.say(f"{_named(world)}, {share:g} of the largest stable rate")
                for kind, schedule in self.schedules(world, share).items():
                    for method, gap in self._gaps(world, schedule).items():
                        gaps.setdefault((world, kind, method), []).append(gap)
                    work.tick(1)
        figure = new_figure(12, 3.9 * len(worlds))
        axes = figure.subplots(len(worlds), 3, squeeze=False)
        for (one, two, three), world in zip(axes, worlds, strict=True):
            self._panel(one, world, gaps, _largest, f"{_named(world)}: largest along the run")
            self._rest(one, world)
            one.set_ylim(2e-5, 30)
            self._panel(two, world, gaps, _last, f"{_named(world)}: at the end of the run")
            two.set_ylim(1e-7, 3)
            self._curves(three, world, gaps)
        legend(axes[0][0], loc="upper left", fontsize=7.5, ncols=2, columnspacing=1.0)
        return self._result(figure, worlds, gaps)

    def schedules(self, world: KernelRegression, share: float) -> dict[str, Schedule]:
        """Constant, cosine to zero, WSD with its last fifth linear to zero."""
        peak, n = share * world.largest_lr(), self.horizon
        return {
            "constant": constant(peak=peak, horizon=n),
            "cosine": cosine(peak=peak, horizon=n),
            "wsd": wsd(peak=peak, horizon=n, cooldown=0.2),
        }

    @property
    def steps(self) -> IntArray:
        """Where both are compared: after the first hundredth of the run."""
        at = spaced_steps(self.horizon, 200)
        return at[at >= self.horizon // 100]

    def _gaps(self, world: KernelRegression, schedule: Schedule) -> dict[MeanMethod, FloatArray]:
        sgd = world.excess_risk(schedule, self.steps)
        half = 0.5 * world.noise**2
        return {
            method: (world.mean_curve(schedule, self.steps, method=method).loss - half) / sgd - 1
            for method in EQUATIONS
        }

    def _panel(
        self,
        ax: Axes,
        world: KernelRegression,
        gaps: Gaps,
        measure: Callable[[FloatArray], float],
        title: str,
    ) -> None:
        for (problem, kind, method), along in gaps.items():
            if problem is world:
                ax.plot(
                    self.shares, [measure(gap) for gap in along], MARK[kind] + STYLES[method],
                    mfc=COLORS[kind] if method == "sde" else "white", color=COLORS[kind], ms=4,
                    lw=1.1, label=f"{NAMES[kind]}, {EQUATIONS[method]}",
                )  # fmt: skip
        log_log(ax)
        ax.set_xlabel("peak / largest stable rate")
        ax.set_ylabel("relative difference from SGD, excess risk")
        quiet(ax, title)

    def _rest(self, ax: Axes, world: KernelRegression) -> None:
        shares: FloatArray = np.geomspace(0.05, max(self.shares), 60)
        for i, method in enumerate(EQUATIONS):
            values = [abs(at_rest(world, float(share))[method]) for share in shares]
            ax.plot(shares, values, **THEORY, zorder=4, label=None if i else "at rest, closed form")

    def _curves(self, ax: Axes, world: KernelRegression, gaps: Gaps) -> None:
        at = self.shares.index(self.shown)
        low = 0.0
        for (problem, kind, method), along in gaps.items():
            if problem is world:
                low = min(low, float(along[at].min()))
                ax.plot(
                    self.steps, along[at], MARK[kind] + STYLES[method], color=COLORS[kind], lw=1.4,
                    mfc=COLORS[kind] if method == "sde" else "white", ms=4,
                    markevery=(0.03 * [*NAMES].index(kind), 0.15),
                    label=NAMES[kind] if method == "sde" else None,
                )  # fmt: skip
        ax.axhline(0, color="#000000", lw=0.8)
        ax.set_xlabel("updates, batch 1")
        ax.set_ylabel("excess risk / that of SGD, minus 1")
        ax.set_xlim(0, self.horizon)
        ax.set_ylim(1.1 * low, -0.35 * low)
        legend(ax, loc="upper left", ncols=3, columnspacing=1.2)
        quiet(ax, f"peak {self.shown:g} of the largest (Volterra dashed)")

    def _result(self, figure: Figure, worlds: list[KernelRegression], gaps: Gaps) -> Result:
        numbers: dict[str, float] = {}
        rows: list[list[object]] = []
        for (world, kind, method), along in gaps.items():
            for share, gap in zip(self.shares, along, strict=True):
                rest = at_rest(world, share)[method] if kind == "constant" else None
                key = f"{kind}_{method}_{world.source:g}_{world.capacity:g}_{share:g}"
                numbers |= {f"{key}_largest": _largest(gap), f"{key}_end": _last(gap)}
                place = (world.source, world.capacity, kind, method, share)
                rows.append([*place, _largest(gap), _last(gap), rest])

        def number(world: KernelRegression, kind: str, method: str, share: float, end: str) -> str:
            value = numbers[f"{kind}_{method}_{world.source:g}_{world.capacity:g}_{share:g}_{end}"]
            return f"{100 * value:.2g} %"

        share, least = self.shown, self.shares[0]
        said = "; ".join(
            f"{_named(world)}: "
            + ", ".join(
                f"{NAMES[kind]} {number(world, kind, 'sde', share, 'largest')} and"
                f" {number(world, kind, 'sde', share, 'end')}"
                for kind in ("constant", "cosine", "wsd")
            )
            for world in worlds
        )
        small = max(value for key, value in numbers.items() if key.endswith(f"_{least:g}_largest"))
        first = worlds[0]
        rest = at_rest(first, share)
        paragraph = (
            f"The moments of the SDE against the exact mean of SGD, {short(self.horizon)} updates,"
            f" peak {share:g} of the largest stable rate; largest relative difference of the excess"
            f" risk after the first hundredth of the run, and the one at the end: {said}. The"
            " Volterra equation leaves out a mode's own noise as well and is further off at such"
            f" rates ({number(first, 'constant', 'volterra', share, 'largest')} at a constant rate,"
            f" {_named(first)}). At small ones it is the nearer of the two along the run"
            f" ({self._nearer(worlds, gaps)} at a constant rate): an update of a mode, x = eta"
            " lambda, leaves 1 - 2x + 2x^2 of its error, exp(-2x) agrees with that to the second"
            " order, and the SDE has 3x^2. Both tend to SGD as the rate falls:"
            f" {100 * small:.1g} % at most at {least:g} of the largest. At a constant rate the"
            f" difference is that of the places of rest, in closed form {abs(rest['sde']):.1%} and"
            f" {abs(rest['volterra']):.1%} for {_named(first)}; a decay heals it,"
            " because what is left at the end was made at small rates."
        )
        numbers |= {
            f"volterra_nearer_{world.source:g}_{world.capacity:g}": self._crossing(world, gaps)
            for world in worlds
        }
        header = ["source", "capacity", "schedule", "method", "share", "largest", "end", "at_rest"]
        return Result(
            figure=figure, tables={"": table(header, rows)}, paragraph=paragraph, numbers=numbers
        )

    def _crossing(self, world: KernelRegression, gaps: Gaps) -> float:
        """Largest share at which the Volterra equation is nearer to SGD along a constant run."""
        pairs = zip(
            self.shares,
            gaps[world, "constant", "sde"],
            gaps[world, "constant", "volterra"],
            strict=True,
        )
        return max((share for share, a, b in pairs if _largest(b) < _largest(a)), default=0.0)

    def _nearer(self, worlds: list[KernelRegression], gaps: Gaps) -> str:
        return " and ".join(
            f"up to {self._crossing(world, gaps):g} of the largest for {_named(world)}"
            for world in worlds
        )


def at_rest(world: KernelRegression, share: float) -> dict[str, float]:
    """Relative difference from SGD of the places of rest at a constant rate, by method."""
    capacity = world.capacity
    assert capacity is not None
    speed = share * world.largest_lr() * np.arange(1.0, ENOUGH_MODES) ** -capacity
    F = {
        "sgd": float((speed / (2 - 2 * speed)).sum()),
        "sde": float((speed / (2 - speed)).sum()),
        "volterra": float((speed / 2).sum()),
    }
    rest = {key: value / (1 - value) for key, value in F.items()}
    return {method: rest[method] / rest["sgd"] - 1 for method in EQUATIONS}


def _largest(gap: FloatArray) -> float:
    return float(np.abs(gap).max())


def _last(gap: FloatArray) -> float:
    return abs(float(gap[-1]))


def _named(world: KernelRegression) -> str:
    return f"s = {world.source:g}, beta = {world.capacity:g}"
