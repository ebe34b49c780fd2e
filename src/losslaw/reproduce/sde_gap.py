"""How far the SDE of the papers is from SGD as the learning rate grows.

The moments of the SDE in intrinsic time (arXiv:2509.19189, Sec. 3) leave out the second order of a
step: ``exp(-2 eta lambda)`` stands for ``(1 - eta lambda)^2``. Both are exact here, so what is drawn
is the difference of the models and no sampling error. Rates are given as fractions of the largest
one at which SGD is stable in mean square, which is where the difference must become large.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.kernel import KernelRegression
from losslaw.numerics.arrays import FloatArray
from losslaw.reproduce.drawing import COLORS, INK, legend, log_log, new_figure, quiet, short
from losslaw.reproduce.study import Result, Work, table
from losslaw.schedules import Schedule, constant, wsd

WSD_COOLDOWN = 0.2


@dataclass(frozen=True)
class SdeGap:
    """SDE against SGD, at a constant rate and under WSD.

    The papers leave open how small a learning rate the SDE needs. Here: noise 1, batch 1, a number
    of modes that the horizon cannot exhaust, 10^4 updates; the difference at the end of the run and
    the largest one from update 100 on.

    Attributes:
        problems: (source, capacity) of each panel.
        fractions: Peaks as shares of the largest admissible rate.
        horizon: Updates.
        modes: M.
        first: Differences are looked at from this update on.
    """

    name: ClassVar[str] = "sde-gap"
    title: ClassVar[str] = "how far SDE and SGD differ as the learning rate grows"

    problems: tuple[tuple[float, float], ...] = ((1.0, 2.0), (0.5, 4.0))
    fractions: tuple[float, ...] = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
    horizon: int = 10_000
    modes: int = 1000
    first: int = 100

    def run(self, work: Work) -> Result:
        """Both models at every rate; one panel a problem."""
        work.expect(len(self.problems) * 2 * len(self.fractions))
        figure = new_figure(4.6 * len(self.problems), 3.8)
        axes = figure.subplots(1, len(self.problems), squeeze=False)[0]
        rows: list[list[object]] = []
        numbers: dict[str, float] = {}
        said: list[str] = []
        for ax, (source, capacity) in zip(axes, self.problems, strict=True):
            world = KernelRegression(source, capacity, self.modes, 1.0)
            for schedule in ("constant", "wsd"):
                work.say(f"{schedule}, s = {source:g}, beta = {capacity:g}")
                gaps = np.array([self._gap(work, world, schedule, f) for f in self.fractions])
                for fraction, (largest, last) in zip(self.fractions, gaps.tolist(), strict=True):
                    rows.append([source, capacity, schedule, fraction, largest, last])
                label = {"constant": "constant", "wsd": "WSD"}[schedule]
                color = COLORS[schedule]
                ax.plot(self.fractions, gaps[:, 1], "o-", color=color, ms=4, label=f"{label}, end")
                ax.plot(
                    self.fractions, gaps[:, 0], ":", color=color, lw=1.2, label=f"{label}, largest"
                )
                half = float(gaps[self.fractions.index(0.5), 1])
                small = float(gaps[0, 1])
                key = f"{schedule}_s{source:g}_beta{capacity:g}"
                numbers[f"{key}_end_at_half"] = half
                numbers[f"{key}_end_at_{self.fractions[0]:g}"] = small
                said.append(
                    f"s = {source:g}, beta = {capacity:g}, {label}: {half:.1%} at half the largest"
                    f" rate, {small:.0e} at {self.fractions[0]:g} of it"
                )
            log_log(ax)
            quiet(ax, f"s = {source:g}, $\\beta$ = {capacity:g}")
            ax.axvline(1.0, color=INK, lw=0.8, ls=(0, (2, 2)))
            ax.set_xlabel("learning rate / largest admissible rate")
        axes[0].set_ylabel("relative difference, excess risk")
        legend(axes[0], loc="upper left")
        paragraph = (
            f"Excess risk of the SDE against that of SGD after {short(self.horizon)} updates"
            f" (M = {self.modes}, noise 1, batch 1), both exact in the mean. Difference at the end:"
            f" {'; '.join(said)}. The difference grows faster than in proportion to the rate,"
            " and a decay at the end of the run takes most of it away: what is left then was made at"
            " small rates."
        )
        header = ["source", "capacity", "schedule", "fraction", "largest", "end"]
        return Result(figure, {"": table(header, rows)}, paragraph, numbers)

    def _gap(
        self, work: Work, world: KernelRegression, schedule: str, fraction: float
    ) -> tuple[float, float]:
        """Largest relative difference from ``first`` on, and the one at the end."""
        peak = fraction * world.largest_lr(1.0)
        run = (
            constant(peak=peak, horizon=self.horizon)
            if schedule == "constant"
            else wsd(peak=peak, horizon=self.horizon, cooldown=WSD_COOLDOWN)
        )
        steps = np.unique(np.geomspace(self.first, self.horizon, 200).round().astype(np.int64))
        gap = np.abs(self._excess(world, run, steps, "sde") / world.excess_risk(run, steps) - 1)
        work.tick(1)
        return float(gap.max()), float(gap[-1])

    def _excess(
        self, world: KernelRegression, run: Schedule, steps: np.ndarray, method: str
    ) -> FloatArray:
        return world.mean_curve(run, steps, method=method).losses - world.noise**2 / 2
