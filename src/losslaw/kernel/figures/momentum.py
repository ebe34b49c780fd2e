"""SGD with momentum beside plain SGD at the effective rate, and where the two part.

To the lowest order in ``eta lambda`` momentum rho is plain SGD at the rate ``eta / (1 - rho)``, and
the functional scaling law holds with that rate (`losslaw.kernel.simulate.momentum`). What is exact
here says how far: at larger rates momentum makes less noise than SGD does, and its limit of
stability is higher; a decay shorter than ``1 / (1 - rho)`` updates comes too late for the velocity.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.drawing.style import cycled, new_figure
from losslaw.kernel import KernelRegression
from losslaw.kernel.figures.shared import (
    Axes,
    Figure,
    legend,
    log_log,
    quiet,
    short,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.methods import spaced_steps
from losslaw.kernel.sampled_blocks import sample_in_blocks
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule, wsd

# Of momenta, and of batches.
SHADES = [cycled(i, marks=True) for i in (5, 0, 1, 2)]


@dataclass(frozen=True)
class MomentumStudy:
    """Heavy ball along WSD, its rates those of plain SGD times ``1 - rho``.

    Noise 1, batch 1; the last fifth of the run decays linearly to 0.

    Attributes:
        source: s.
        capacity: beta.
        horizon: Updates.
        momenta: rho.
        shares: Effective peaks, as shares of the largest stable rate of plain SGD.
        shown: The share that is drawn along the run, one of them.
        cooldowns: Lengths of the decay, in updates, of the right panel.
        batches: Of the limits of stability.
        runs: Sampled runs of the middle rho, with `modes` modes.
        modes: Of the sampled runs.
    """

    name: ClassVar[str] = "momentum"
    title: ClassVar[str] = "momentum beside plain SGD at the effective rate lr / (1 - momentum)"

    source: float = 1.0
    capacity: float = 2.0
    horizon: int = 10_000
    momenta: tuple[float, ...] = (0.5, 0.9, 0.99)
    shares: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8)
    shown: float = 0.1
    cooldowns: tuple[int, ...] = (3, 10, 30, 100, 300, 1000, 3000)
    batches: tuple[int, ...] = (1, 8, 32)
    runs: int = 200
    modes: int = 64

    def run(self, work: Work) -> Result:
        """Compare along a run, over rates, over lengths of the decay; draw four panels."""
        world = KernelRegression(source=self.source, capacity=self.capacity)
        work.expect(len(self.momenta) * (len(self.shares) + len(self.cooldowns) + 1) + 1)
        fifth = self.horizon // 5
        along: dict[float, FloatArray] = {}
        rates: dict[float, list[float]] = {}
        lengths: dict[float, list[float]] = {}
        laws: list[float] = []
        rows: list[list[object]] = []
        at = spaced_steps(self.horizon, 300)
        for rho in self.momenta:
            work.say(f"momentum {rho:g}")
            gaps = [self._gap(work, world, rho, share, fifth, at) for share in self.shares]
            along[rho] = gaps[self.shares.index(self.shown)]
            rates[rho] = [float(abs(gap[at <= self.horizon - fifth][-1])) for gap in gaps]
            ends = [
                self._gap(work, world, rho, self.shown, length, np.array([self.horizon]))
                for length in self.cooldowns
            ]
            lengths[rho] = [float(gap[0]) for gap in ends]
            before = at <= self.horizon - fifth
            for share, gap in zip(self.shares, gaps, strict=True):
                rows.append([rho, share, fifth, float(gap[before][-1]), float(gap[-1])])
            work.tick(1)
        for share in self.shares:
            schedule = self._schedule(world, share, fifth)
            steady = [self.horizon - fifth]
            exact = world.excess_risk(schedule, steady)[0]
            laws.append(float(abs(world.scaling_law(schedule, steady).excess[0] / exact - 1)))
        z = self._sampled(work)
        figure = new_figure(11, 7.6)
        (one, two), (three, four) = figure.subplots(2, 2)
        self._along_panel(one, at, along)
        self._rates_panel(two, rates, laws)
        self._lengths_panel(three, lengths)
        limits = self._limits_panel(four, world)
        return self._result(figure, rates, lengths, limits, rows, z)

    def _schedule(self, world: KernelRegression, share: float, cooldown: int) -> Schedule:
        peak = share * world.largest_lr()
        return wsd(peak=peak, horizon=self.horizon, cooldown=cooldown / self.horizon)

    def _gap(
        self,
        work: Work,
        world: KernelRegression,
        rho: float,
        share: float,
        cooldown: int,
        at: IntArray,
    ) -> FloatArray:
        """Excess risk with momentum over that of plain SGD at the effective rate, minus 1."""
        schedule = self._schedule(world, share, cooldown)
        moved = world.excess_risk(schedule.scaled(1 - rho), at, momentum=rho)
        work.tick(1)
        return moved / world.excess_risk(schedule, at) - 1

    def _sampled(self, work: Work) -> float:
        """Mean of sampled runs minus the exact one, in standard errors, root mean square."""
        rho = self.momenta[len(self.momenta) // 2]
        world = KernelRegression(source=self.source, capacity=self.capacity, modes=self.modes)
        work.say(f"{self.runs} sampled runs at momentum {rho:g}")
        schedule = self._schedule(world, self.shown, self.horizon // 5).scaled(1 - rho)
        at = spaced_steps(self.horizon, 20)
        sampled = sample_in_blocks(
            world, schedule, at, runs=self.runs, seed=0, momentum=rho, saved=work.saved
        )
        exact = world.mean_curve(schedule, at, momentum=rho).loss
        work.tick(1)
        return float(np.sqrt((((sampled.mean - exact) / sampled.standard_error) ** 2).mean()))

    def _along_panel(self, ax: Axes, at: IntArray, along: dict[float, FloatArray]) -> None:
        for (rho, gap), style in zip(along.items(), SHADES, strict=False):
            ax.plot(at, gap, **style, markevery=0.15, ms=4, lw=1.4, label=f"momentum {rho:g}")
        ax.axhline(0, color="#000000", lw=0.8)
        ax.set_xscale("log")
        ax.set_ylim(-0.1, 1.0)
        ax.set_xlabel("updates, batch 1")
        ax.set_ylabel("excess risk / that of SGD, minus 1")
        legend(ax)
        quiet(ax, f"effective peak {self.shown:g} of the largest stable rate")

    def _rates_panel(self, ax: Axes, rates: dict[float, list[float]], laws: list[float]) -> None:
        for (rho, values), style in zip(rates.items(), SHADES, strict=False):
            ax.plot(self.shares, values, **style, ms=4, label=f"momentum {rho:g}")
        ax.plot(self.shares, laws, "k--", lw=1, label="functional scaling law, plain SGD")
        log_log(ax)
        ax.set_xlabel("effective peak / largest stable rate of SGD")
        ax.set_ylabel("relative difference from SGD")
        legend(ax)
        quiet(ax, "before the decay: momentum makes less noise")

    def _lengths_panel(self, ax: Axes, lengths: dict[float, list[float]]) -> None:
        for (rho, values), style in zip(lengths.items(), SHADES, strict=False):
            ax.plot(self.cooldowns, values, **style, ms=4, label=f"momentum {rho:g}")
            ax.axvline(1 / (1 - rho), color=style["color"], lw=0.8, ls=":")
        ax.axhline(0, color="#000000", lw=0.8)
        ax.set_xscale("log")
        ax.set_xlabel("updates of the decay (dotted: 1 / (1 - momentum))")
        ax.set_ylabel("final excess risk / that of SGD, minus 1")
        legend(ax)
        quiet(ax, "decays shorter than the velocity's memory")

    def _limits_panel(self, ax: Axes, world: KernelRegression) -> dict[str, list[float]]:
        rho = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99])
        limits: dict[str, list[float]] = {"momentum": [float(r) for r in rho]}
        for batch, shade in zip(self.batches, SHADES, strict=False):
            for nesterov, dash in ((False, "-"), (True, "--")):
                values = [
                    world.largest_lr(batch, momentum=r, nesterov=nesterov) / (1 - r)
                    for r in limits["momentum"]
                ]
                kind = "nesterov" if nesterov else "heavy_ball"
                limits[f"{kind}_{batch}"] = values
                style = {**shade, "ls": dash, **({"mfc": "white"} if nesterov else {})}
                words = f"batch {batch}" + (", Nesterov" if nesterov else "")
                ax.plot(1 - rho, values, **style, ms=4, lw=1.3, label=words)
        log_log(ax)
        ax.set_xlabel("1 - momentum")
        ax.set_ylabel("largest stable effective rate")
        legend(ax, ncols=2)
        quiet(ax, "limit of stability")
        return limits

    def _result(
        self,
        figure: Figure,
        rates: dict[float, list[float]],
        lengths: dict[float, list[float]],
        limits: dict[str, list[float]],
        rows: list[list[object]],
        z: float,
    ) -> Result:
        low, high = self.shares[0], self.shares[-1]
        numbers = {"sampled_z": z}
        for rho in self.momenta:
            numbers |= {
                f"steady_{rho:g}_{share:g}": value
                for share, value in zip(self.shares, rates[rho], strict=True)
            }
            numbers |= {
                f"cooldown_{rho:g}_{n}": value
                for n, value in zip(self.cooldowns, lengths[rho], strict=True)
            }
        for name in limits:
            if name != "momentum":
                numbers[f"limit_{name}"] = limits[name][-1] / limits[name][0]
        said = ", ".join(
            f"{rates[rho][0]:.1%} and {rates[rho][-1]:.0%} for {rho:g}" for rho in self.momenta
        )
        last = self.momenta[-1]
        worst = int(np.argmax(lengths[last]))
        gains = ", ".join(
            f"{limits[f'heavy_ball_{b}'][-1] / limits[f'heavy_ball_{b}'][0]:.3g}"
            for b in self.batches
        )
        paragraph = (
            f"(s, beta) = ({self.source:g}, {self.capacity:g}), {short(self.horizon)} updates of"
            " WSD, heavy ball at the rates of plain SGD times 1 - momentum. Before the decay its"
            f" excess risk is below that of SGD by, at effective peaks of {low:g} and {high:g} of"
            f" the largest stable rate, {said}: an effective rate is all there is at small rates,"
            " and at large ones momentum makes less noise. Two things it is not: the first"
            " 1 / (1 - momentum) updates hardly move, and swing back where eta lambda is above"
            " (1 - sqrt(momentum))^2; and the velocity remembers, and carries, the noise of rates"
            f" that are gone, so at momentum {last:g} the end of a decay of {self.cooldowns[worst]}"
            f" updates is {lengths[last][worst]:.0%} higher than that of SGD, of one of"
            f" {self.cooldowns[-1]} {lengths[last][-1]:.0%}. The largest stable effective"
            f" rate at momentum 0.99 is {gains} times that of SGD at batch "
            f" {', '.join(map(str, self.batches))}. The mean of {self.runs} sampled runs is"
            f" {z:.1f} standard errors from the exact one (root mean"
            " square)."
        )
        header = ["momentum", "share", "cooldown", "before_decay", "end"]
        return Result(
            figure=figure,
            tables={
                "": table(header, rows),
                "limits": table(list(limits), zip(*limits.values(), strict=True)),
            },
            paragraph=paragraph,
            numbers=numbers,
        )
