"""Figure 1 of the functional scaling law: one law, many schedules.

From arXiv:2509.19189: loss curves of sampled SGD under cosine, WSD and cyclic learning rates, and
the law beside them; then the final risk against data for constant, exponential and WSD schedules,
and the slopes that theory gives them. The law stands here twice: as the paper fits it, with the
kernels ``(1+t)^-s`` and ``(1+t)^-(2-1/beta)`` and three non-negative coefficients (signal,
mini-batch noise, label noise), one set for all three schedules; and with the finite-M kernels of
the problem and nothing to fit. Both leave out what noise makes of noise, a share of about
``F(eta)``; the last panel shows how their errors grow with the learning rate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize_scalar, nnls

from losslaw.drawing.style import DASHES, FAINT, INK, new_figure
from losslaw.kernel import KernelRegression, LongSchedule, long_constant, long_decay, long_wsd
from losslaw.kernel.figures.shared import (
    COLORS,
    MARK,
    NAMES,
    THEORY,
    Axes,
    Figure,
    legend,
    local_slopes,
    log_log,
    quiet,
    short,
    theory_line,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.methods import spaced_steps
from losslaw.kernel.sampled_blocks import sample_in_blocks
from losslaw.kernel.simulate.sampled import SampledRuns
from losslaw.kernel.theory import Exponents, scaling
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule, cosine, cyclic, wsd

FITTED, FREE = COLORS["linear"], COLORS["power"]


@dataclass(frozen=True)
class Curves:
    """One schedule: what was sampled, what is exact, and the law twice.

    All are risks above the irreducible one at the same steps.
    """

    schedule: Schedule
    sampled: SampledRuns
    exact: FloatArray
    without: FloatArray
    fitted: FloatArray


@dataclass(frozen=True)
class FinalRisk:
    """Best final risk of one kind of schedule: exact at any budget, sampled at some."""

    exact: list[float]
    runs: list[SampledRuns]


@dataclass(frozen=True)
class FslFigure1:
    """Sampled SGD, its exact mean, the law with three coefficients and with none.

    From the paper: s = .5, beta = 4, batch 1, 10,000 steps; means of hundreds of runs. It leaves
    open, and here is:

    * M = 128 top features. What M cannot learn, M^-2 / 4, is below 1 % of every risk shown, and
      M^4 = 3e8 is far beyond the intrinsic time 2 T ~ 1e4 at which the last mode would be learned,
      so the figure is that of infinitely many modes; more would cost time and change nothing.
    * sigma = 1, the theorems' condition for all s and t (label noise of the order of the signal).
    * peak .1 of the largest stable rate in the loss curves. The law is the limit of small rates and
      leaves out a share of about F(eta), .04 there, the width of a line. At .3 of it and above,
      runs have heavy tails as well, and a mean of hundreds of runs is not yet the mean.
    * final risk: the peak is tuned for the constant rate; exponential and WSD stay at the largest
      allowed rate, as theory has it in the hard regime, and .3 of the largest stable one is allowed
      for the reason above. WSD's decay fraction is tuned. Both end at peak / D.

    Attributes:
        source: s.
        capacity: beta.
        modes: M of the sampled runs and the loss curves.
        noise: sigma.
        horizon: Updates of the loss curves.
        peak: Their peak, as a share of the largest stable rate.
        runs: Sampled runs of each loss curve.
        budgets: Updates of the sampled final risks.
        reach: Largest number of updates of the exact final risks.
        allowed: Largest rate of the final risks, as a share of the largest stable one.
        final_runs: Sampled runs of each final risk.
        shares: Peaks of the last panel, as shares of the largest stable rate.
        seed: Of the samples.
    """

    name: ClassVar[str] = "fsl-fig1"
    title: ClassVar[str] = "Figure 1 of the functional scaling law: loss curves and final risks"

    source: float = 0.5
    capacity: float = 4.0
    modes: int = 128
    noise: float = 1.0
    horizon: int = 10_000
    peak: float = 0.1
    runs: int = 500
    budgets: tuple[int, ...] = (100, 300, 1000, 3000, 10_000)
    reach: float = 1e9
    allowed: float = 0.3
    final_runs: int = 200
    shares: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    seed: int = 1

    def run(self, work: Work) -> Result:
        """Sample, compare, draw."""
        updates = 3 * self.runs * self.horizon + 3 * self.final_runs * sum(self.budgets)
        work.expect(updates)
        curves = self._curves(work)
        finals = {kind: self._final(work, kind) for kind in ("constant", "exponential", "wsd")}
        work.say("errors of the law against the learning rate")
        errors = [self._law_errors(share) for share in self.shares]
        figure = new_figure(12, 8.2)
        grid = figure.add_gridspec(2, 3, height_ratios=(1.15, 1))
        for column, (name, curve) in enumerate(curves.items()):
            self._curve_panel(figure, grid[0, column], name, curve, column == 0)
        self._final_panel(figure.add_subplot(grid[1, :2]), finals)
        self._error_panel(figure.add_subplot(grid[1, 2]), errors)
        return self._result(figure, curves, finals, errors)

    # -- numbers ----------------------------------------------------------------------------------

    @cached_property
    def world(self) -> KernelRegression:
        """The problem of the sampled runs."""
        return KernelRegression(
            source=self.source, capacity=self.capacity, modes=self.modes, noise=self.noise
        )

    @cached_property
    def endless(self) -> KernelRegression:
        """The same with infinitely many modes."""
        return KernelRegression(source=self.source, capacity=self.capacity, noise=self.noise)

    def schedules(self, share: float) -> dict[str, Schedule]:
        """Cosine to zero, WSD with its last fifth decaying, four cycles between peak and a 20th."""
        peak, n = share * self.world.largest_lr(), self.horizon
        return {
            "cosine": cosine(peak=peak, horizon=n),
            "wsd": wsd(peak=peak, horizon=n, cooldown=0.2, decay="exponential", final=peak / n),
            "cyclic": cyclic(peak=peak, horizon=n, final=peak / 20, cycles=4),
        }

    def _curves(self, work: Work) -> dict[str, Curves]:
        at = spaced_steps(self.horizon, 240)
        schedules = self.schedules(self.peak)
        sampled: dict[str, SampledRuns] = {}
        for i, (name, schedule) in enumerate(schedules.items()):
            work.say(f"{NAMES[name]}: {self.runs} runs of {self.horizon} updates")
            sampled[name] = sample_in_blocks(
                self.world,
                schedule,
                at,
                runs=self.runs,
                seed=self.seed + i,
                saved=work.saved,
                tick=lambda runs: work.tick(runs * self.horizon),
            )
        seen = {name: runs.mean - 0.5 * self.noise**2 for name, runs in sampled.items()}
        fitted = self._fitted(schedules, seen, at)
        return {
            name: Curves(
                schedule,
                sampled[name],
                self.world.excess_risk(schedule, at),
                self.world.scaling_law(schedule, at).excess,
                fitted[name],
            )
            for name, schedule in schedules.items()
        }

    def _fitted(
        self, schedules: dict[str, Schedule], seen: dict[str, FloatArray], at: IntArray
    ) -> dict[str, FloatArray]:
        """The law with (1+t) kernels; one set of three coefficients, least relative squares.

        Fitted after the first hundredth of the run: power laws are what kernels tend to.
        """
        columns = {
            name: self.world.scaling_law(schedule, at, kernels="power", constants=False).columns
            for name, schedule in schedules.items()
        }
        late = at > self.early
        rows = np.concatenate([(columns[name] / seen[name][:, None])[late] for name in schedules])
        coefficients = nnls(rows, np.ones(rows.shape[0]))[0]
        return {name: columns[name] @ coefficients for name in schedules}

    def _law_errors(self, share: float) -> tuple[float, float]:
        """Largest relative errors of the excess risk: three coefficients, and none."""
        at = spaced_steps(self.horizon, 240)
        schedules = self.schedules(share)
        exact = {name: self.world.excess_risk(one, at) for name, one in schedules.items()}
        fitted = self._fitted(schedules, exact, at)
        late = at > self.early
        return (
            max(_worst(fitted[name][late], exact[name][late]) for name in schedules),
            max(
                _worst(self.world.scaling_law(one, at).excess[late], exact[name][late])
                for name, one in schedules.items()
            ),
        )

    @property
    def early(self) -> int:
        """Updates of the first hundredth of a run."""
        return self.horizon // 100

    @property
    def far_budgets(self) -> list[float]:
        """Budgets of the exact final risks, two a decade."""
        steps = round(2 * math.log10(self.reach / self.budgets[0]))
        return [round(self.budgets[0] * 10 ** (i / 2)) for i in range(steps + 1)]

    def best(self, kind: str, samples: float) -> tuple[LongSchedule, float]:
        """The schedule of a kind with the lowest mean final risk, infinitely many modes."""
        top, n = self.allowed * self.endless.largest_lr(), round(samples)

        def made(log: float) -> LongSchedule:
            if kind == "constant":
                return long_constant(math.exp(log), n)
            return long_wsd(top, n, math.exp(log), top / n, "exponential")

        if kind == "exponential":
            run = long_decay(top, n, top / n, "exponential")
            return run, float(self.endless.excess_risk(run)[-1])
        low = math.log(1e-3 * top) if kind == "constant" else math.log(1e-4)
        high = math.log(top) if kind == "constant" else 0.0
        return _lowest(lambda log: self.endless.excess_risk(made(log))[-1], made, low, high)

    def _final(self, work: Work, kind: str) -> FinalRisk:
        exact = [self.best(kind, samples)[1] for samples in self.far_budgets]
        runs: list[SampledRuns] = []
        for i, samples in enumerate(self.budgets):
            work.say(f"final risk, {NAMES[kind]}: {self.final_runs} runs of {samples} updates")
            schedule = self.best(kind, samples)[0].written_out()
            runs.append(
                sample_in_blocks(
                    self.world,
                    schedule,
                    [samples],
                    runs=self.final_runs,
                    seed=self.seed + 100 + i,
                    saved=work.saved,
                    tick=lambda runs, samples=samples: work.tick(runs * samples),
                )
            )
        return FinalRisk(exact, runs)

    # -- panels -----------------------------------------------------------------------------------

    def _curve_panel(self, figure: Figure, place: Any, name: str, curves: Curves, first: bool):
        inner = place.subgridspec(2, 1, height_ratios=(1, 4.2), hspace=0.04)
        top = figure.add_subplot(inner[0])
        top.fill_between(
            np.arange(1, self.horizon + 1), curves.schedule.lr, color=COLORS[name], alpha=0.35, lw=0
        )
        top.set_xlim(0, self.horizon)
        top.set_ylim(0, None)
        top.set_xticklabels([])
        top.locator_params(axis="y", nbins=2)
        top.set_ylabel("rate", fontsize=8)
        quiet(top, f"{NAMES[name]}, peak {self.peak:g} of the largest stable rate")
        ax = figure.add_subplot(inner[1])
        steps = curves.sampled.steps
        measured = curves.sampled.mean - 0.5 * self.noise**2
        error = 2 * curves.sampled.standard_error
        ax.fill_between(
            steps, measured - error, measured + error, color="#bbbbbb", lw=0,
            label=f"SGD, {self.runs} runs, ±2 errors",
        )  # fmt: skip
        ax.plot(steps, curves.exact, color=INK, lw=1.4, label="exact mean")
        # Marks: it lies on the line before.
        ax.plot(
            steps, curves.without, "o", color=FREE, mfc="white", ms=4, mew=1.1, markevery=0.05,
            label="law, no coefficient",
        )  # fmt: skip
        ax.plot(
            steps, curves.fitted, color=FITTED, lw=1.4, ls="--", label="law, three coefficients"
        )
        ax.set_yscale("log")
        ax.set_xlim(0, self.horizon)
        late = curves.exact[steps > 0.002 * self.horizon]
        ax.set_ylim(0.7 * late.min(), 1.5 * late.max())
        ax.set_xlabel("updates, batch 1")
        if first:
            ax.set_ylabel("excess risk")
        legend(ax, loc="upper right", fontsize=7.5)
        quiet(ax)

    def _final_panel(self, ax: Axes, finals: dict[str, FinalRisk]) -> None:
        exponents = Exponents(self.source, self.capacity)
        far = np.array(self.far_budgets, dtype=np.float64)
        for (kind, final), dash in zip(finals.items(), DASHES, strict=False):
            color = COLORS[kind]
            power = scaling(exponents, kind, 1e6).risk.formula
            ax.plot(far, final.exact, color=color, ls=dash, lw=1.6, label=f"{NAMES[kind]}: {power}")
            means = [float(runs.mean[-1]) - 0.5 * self.noise**2 for runs in final.runs]
            errors = [2 * float(runs.standard_error[-1]) for runs in final.runs]
            ax.errorbar(
                self.budgets, means, errors, fmt=MARK[kind], ms=5, color=color, capsize=2, lw=1.2
            )
            # From the middle of the axis on: theory is about large budgets.
            last = float(self.far_budgets[-1])
            window: FloatArray = np.geomspace(max(last / 1e4, far[0]), last, 40)
            shape = [scaling(exponents, kind, n).risk.value for n in window]
            theory_line(ax, window, shape, at=window[-1], through=0.8 * final.exact[-1])
        ax.plot([], [], **THEORY, label="theory, slope only")
        words = f"SGD, {self.final_runs} runs, ±2 errors"
        ax.errorbar([], [], [], fmt="o", ms=5, color=FAINT, capsize=2, label=words)
        log_log(ax)
        ax.set_xlabel("samples D = updates, batch 1")
        ax.set_ylabel("final excess risk")
        legend(ax, loc="lower left")
        side = "hard" if not exponents.easy else "easy"
        quiet(
            ax,
            f"final risk against data, s = {self.source:g}, beta = {self.capacity:g} ({side}),"
            f" rates up to {self.allowed:g} of the largest",
        )

    def _error_panel(self, ax: Axes, errors: list[tuple[float, float]]) -> None:
        fitted, without = zip(*errors, strict=True)
        shares = np.array(self.shares)
        world = self.world
        feedback = [world.noise_feedback(share * world.largest_lr()) for share in shares]
        ax.plot(
            shares, fitted, "s--", color=FITTED, ms=5, lw=1.2,
            label="(1+t) kernels, three coefficients",
        )  # fmt: skip
        ax.plot(shares, without, "o-", color=FREE, ms=5, lw=1.2, label="finite-M kernels, none")
        ax.plot(shares, feedback, **THEORY, label="F, noise that makes noise")
        log_log(ax)
        ax.set_ylim(2e-4, 8)
        ax.set_xlabel("peak / largest stable rate")
        ax.set_ylabel("worst relative error of the excess risk")
        legend(ax, loc="upper left")
        quiet(ax, "how far the law carries, after 1 % of the run")

    # -- words ------------------------------------------------------------------------------------

    def _result(
        self,
        figure: Figure,
        curves: dict[str, Curves],
        finals: dict[str, FinalRisk],
        errors: list[tuple[float, float]],
    ) -> Result:
        half = 0.5 * self.noise**2
        numbers: dict[str, float] = {}
        scores = np.concatenate(
            [
                (one.sampled.mean - half - one.exact) / one.sampled.standard_error
                for one in curves.values()
            ]
        )
        numbers["sampled_rms_score"] = float(np.sqrt((scores**2).mean()))
        for name, one in curves.items():
            late = one.sampled.steps > self.early
            for key, law in (("fitted", one.fitted), ("without", one.without)):
                numbers[f"{name}_{key}_median"] = _median(law[late], one.exact[late])
                numbers[f"{name}_{key}_worst"] = _worst(law[late], one.exact[late])
        exponents = Exponents(self.source, self.capacity)
        far = self.far_budgets
        slopes: list[str] = []
        for kind, final in finals.items():
            measured = float(
                local_slopes([far[-3], far[-1]], [final.exact[-3], final.exact[-1]])[0]
            )
            theory = [scaling(exponents, kind, n).risk.value for n in (far[-3], far[-1])]
            predicted = float(local_slopes([far[-3], far[-1]], theory)[0])
            numbers |= {f"slope_{kind}": measured, f"slope_{kind}_theory": predicted}
            slopes.append(f"{NAMES[kind]} {measured:.3f} (theory {predicted:.3f})")
        last = [
            (float(final.runs[-1].mean[-1]) - half, 2 * float(final.runs[-1].standard_error[-1]))
            for final in finals.values()
        ]
        ends = ", ".join(
            f"{mean:.2e} ± {error:.0e} {NAMES[kind]}"
            for kind, (mean, error) in zip(finals, last, strict=True)
        )
        order = ", ".join(
            NAMES[kind] for kind in sorted(finals, key=lambda kind: finals[kind].exact[-1])
        )
        by_share = dict(zip(self.shares, errors, strict=True))
        ladder = "; ".join(
            f"{fitted:.2f} and {without:.3f} at {share:g}"
            for share, (fitted, without) in by_share.items()
            if share in (self.shares[:2][-1], self.peak, self.shares[-1])
        )
        medians = [
            max(numbers[f"{name}_{key}_median"] for name in curves) for key in ("fitted", "without")
        ]
        paragraph = (
            f"At (s, beta) = ({self.source:g}, {self.capacity:g}), M = {self.modes}, sigma ="
            f" {self.noise:g}, peak {self.peak:g} of the largest stable rate: the mean of"
            f" {self.runs} sampled runs agrees with the exact mean dynamics (deviations of"
            f" {numbers['sampled_rms_score']:.2f} standard errors, root mean square over three"
            " schedules). One set of three coefficients on (1+t) power laws follows all three"
            " schedules, cosine, WSD and cyclic, after the first hundredth of the run with a median"
            f" error of at most {medians[0]:.1%} of the excess risk; the finite-M law with nothing"
            f" fitted, {medians[1]:.1%}. The worst relative error over those steps and schedules"
            " grows with the rate: with three coefficients and with none,"
            f" {ladder} of the largest stable rate. Final risks after"
            f" {short(self.budgets[-1])} samples, sampled, two standard errors: {ends}."
            f" Slopes of the exact final risk in the last decade to {short(far[-1])} samples:"
            f" {'; '.join(slopes)}, logarithms included on both sides. From the"
            f" lowest risk to the highest: {order}."
        )
        return Result(
            figure=figure,
            tables={"": self._curves_table(curves), "final": self._final_table(finals)},
            paragraph=paragraph,
            numbers=numbers,
        )

    def _curves_table(self, curves: dict[str, Curves]) -> str:
        rows: list[list[object]] = []
        for name, one in curves.items():
            columns = (
                one.sampled.steps,
                one.schedule.lr[one.sampled.steps - 1],
                one.sampled.mean - 0.5 * self.noise**2,
                one.sampled.standard_error,
                one.exact,
                one.fitted,
                one.without,
            )
            for row in zip(*columns, strict=True):
                rows.append([name, int(row[0]), *row[1:]])
        header = ["schedule", "step", "lr", "sampled", "standard_error", "exact"]
        return table([*header, "law_three_coefficients", "law_no_coefficient"], rows)

    def _final_table(self, finals: dict[str, FinalRisk]) -> str:
        rows: list[list[object]] = []
        for kind, final in finals.items():
            sampled = {
                samples: (float(runs.mean[-1]) - 0.5 * self.noise**2, runs.standard_error[-1])
                for samples, runs in zip(self.budgets, final.runs, strict=True)
            }
            exact = dict(zip(self.far_budgets, final.exact, strict=True))
            for samples in sorted({*exact, *sampled}):
                pair = sampled.get(int(samples), (None, None))
                rows.append([kind, int(samples), exact.get(samples), *pair])
        return table(["schedule", "samples", "exact", "sampled", "standard_error"], rows)


def _worst(law: FloatArray, exact: FloatArray) -> float:
    return float(np.abs(law / exact - 1).max())


def _median(law: FloatArray, exact: FloatArray) -> float:
    return float(np.median(np.abs(law / exact - 1)))


def _lowest(
    risk: Callable[[float], float],
    made: Callable[[float], LongSchedule],
    low: float,
    high: float,
) -> tuple[LongSchedule, float]:
    """Scan, then refine around the lowest place: WSD's risk has a second minimum at fraction 1."""
    scan = np.linspace(low, high, 17)
    at = int(np.argmin([risk(float(value)) for value in scan]))
    bounds = (float(scan[max(at - 1, 0)]), float(scan[min(at + 1, scan.size - 1)]))
    result: Any = minimize_scalar(risk, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    log = float(result.x)
    return made(log), float(risk(log))
