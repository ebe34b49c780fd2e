"""Batch schedules at a constant learning rate: switch late, catch up fast, grow at the end.

Three findings of arXiv:2602.14208, in the exact mean dynamics. In the hard regime a single switch
from a small to a large batch comes best with only ``D - P* ~ D^((1+s)/(2-1/beta))`` samples to go:
late. After a switch the gap to a run that always had the large batch falls as
``(t - t_s)^-(1-1/beta)``, and faster, ``-(2-1/beta)``, once ``t - t_s`` exceeds ``t_s``: fast. The
best batch of all grows as ``b(u) = max(B_min, B_max (1 + u)^-(1-1/(2 beta)))``, u the intrinsic
time left, up to ``B_max ~ D^((1/2+s beta)/(1+s beta))``, or ``D^((1+s)/2)`` in the hard regime.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize_scalar

from losslaw.drawing.style import INK, cycled, new_figure
from losslaw.kernel import KernelRegression, LongSchedule, Piece
from losslaw.kernel.agreement import Pair, final_risk, growing_run, slope, two_stage_run
from losslaw.kernel.figures.shared import (
    COLORS,
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
from losslaw.kernel.theory import Exponents, batch_relations, catch_up_exponent
from losslaw.numerics.arrays import FloatArray

# Of problems.
STYLES = [cycled(i, marks=True, ls="none", ms=4.5) for i in range(4)]


@dataclass(frozen=True)
class BatchSchedules:
    """Late switching, fast catch-up, optimal growth.

    The papers leave open: infinitely many modes, noise 1, and one constant learning rate, half of
    the largest stable one at batch 1, so that the smallest batch is stable and noisy. The switch
    goes from 1 to 16 samples: exponents do not depend on it, only the constants do.

    Attributes:
        hard: Source and capacity of the hard problems that switch; the first one is run in the
            catch-up panel.
        easy: Of the easy problem, in the panel of growing batches.
        share: Learning rate over the largest stable one at batch 1.
        small: Batch before the switch.
        large: Batch after it.
        budgets: Numbers of samples.
        switch: Updates before the switch of the catch-up panel.
    """

    name: ClassVar[str] = "batch-schedule"
    title: ClassVar[str] = "batch size at a constant rate: late switching, fast catch-up, growth"

    hard: tuple[tuple[float, float], ...] = ((0.5, 4.0), (0.3, 2.0), (0.3, 4.0))
    easy: tuple[float, float] = (1.0, 2.0)
    share: float = 0.5
    small: int = 1
    large: int = 16
    budgets: tuple[float, ...] = tuple(10.0**k for k in range(4, 13))
    switch: int = 10**5

    def run(self, work: Work) -> Result:
        """Find switches, follow a catch-up, let the batch grow; four panels."""
        problems = [Exponents(*pair) for pair in self.hard]
        easy = Exponents(*self.easy)
        work.expect(len(self.budgets) * (2 * len(problems) + 1) + 3)
        switches: dict[Exponents, list[tuple[float, float]]] = {}
        for exponents in problems:
            work.say(f"best switch at {_named(exponents)}")
            switches[exponents] = [
                self._tick(work, self.best_switch(exponents, D)) for D in self.budgets
            ]
        work.say("catch-up")
        after, gap = self.catch_up(problems[0])
        work.tick(3)
        growth: dict[Exponents, list[tuple[float, float]]] = {}
        for exponents in (easy, *problems):
            work.say(f"growing batch at {_named(exponents)}")
            growth[exponents] = [
                self._tick(work, self.best_growth(exponents, D)) for D in self.budgets
            ]
        figure = new_figure(10.5, 8)
        (one, two), (three, four) = figure.subplots(2, 2)
        self._switch_panel(one, switches)
        self._catch_up_panel(two, problems[0], after, gap)
        self._risk_panel(three, problems[0], switches[problems[0]])
        self._growth_panel(four, easy, growth)
        return self._result(figure, switches, growth, after, gap)

    @staticmethod
    def _tick(work: Work, value: tuple[float, float]) -> tuple[float, float]:
        work.tick(1)
        return value

    # -- runs -------------------------------------------------------------------------------------

    def lr(self, exponents: Exponents) -> float:
        """The constant learning rate."""
        return self.share * _problem(exponents).largest_lr(self.small)

    def two_stages(self, exponents: Exponents, samples: float, after: float) -> LongSchedule:
        """``samples`` in all, the last ``after`` of them with the large batch."""
        lr = self.lr(exponents)
        return two_stage_run(lr, samples, samples - after, self.small, self.large)

    def best_switch(self, exponents: Exponents, samples: float) -> tuple[float, float]:
        """Samples after the best switch, and the final risk of it."""

        def risk(log_after: float) -> float:
            run = self.two_stages(exponents, samples, math.exp(log_after))
            return math.log(final_risk(exponents, run))

        # The switch is a whole number of updates: scan first, then refine between neighbours.
        low, high = math.log(self.large), math.log(samples)
        scan = np.linspace(low, high, 25)
        at = int(np.argmin([risk(value) for value in scan]))
        result: Any = minimize_scalar(
            risk,
            bounds=(scan[max(at - 1, 0)], scan[min(at + 1, scan.size - 1)]),
            method="bounded",
            options={"xatol": 1e-3},
        )
        return math.exp(result.x), math.exp(result.fun)

    def catch_up(self, exponents: Exponents) -> tuple[FloatArray, FloatArray]:
        """Intrinsic time since the switch, in units of the time before it, and the gap left.

        Both runs are cut at the same places, so that the errors of the integrator cancel.
        """
        lr, problem = self.lr(exponents), _problem(exponents)
        updates = np.unique(np.geomspace(1, 1000 * self.switch, 120).round())
        rest = Piece(int(updates[-1]), lr, batch=self.large)
        late = LongSchedule((Piece(self.switch, lr, batch=self.small), rest))
        always = LongSchedule((Piece(self.switch, lr, batch=self.large), rest))
        gap = problem.excess_risk(late, self.switch + updates)
        gap -= problem.excess_risk(always, self.switch + updates)
        return updates / self.switch, gap

    def best_growth(self, exponents: Exponents, samples: float) -> tuple[float, float]:
        """``B_max`` of the best growing batch, and its final risk."""
        lr = self.lr(exponents)
        guess = math.log(samples ** _exponent(exponents, "largest batch"))

        def risk(log_largest: float) -> float:
            run = growing_run(exponents, lr, samples, math.exp(log_largest))
            return math.log(final_risk(exponents, run))

        result: Any = minimize_scalar(
            risk, bounds=(guess - 4.0, guess + 4.0), method="bounded", options={"xatol": 1e-3}
        )
        return math.exp(result.x), math.exp(result.fun)

    # -- panels -----------------------------------------------------------------------------------

    def _switch_panel(self, ax: Axes, switches: dict[Exponents, list[tuple[float, float]]]) -> None:
        budgets = np.array(self.budgets)
        for (exponents, values), style in zip(switches.items(), STYLES[1:], strict=False):
            after = [pair[0] for pair in values]
            power = _exponent(exponents, "samples after switch")
            words = f"{_named(exponents)}: $D - P^*\\sim D^{{{power:.3f}}}$"
            ax.plot(budgets, np.array(after) / budgets, **style, label=words)
            theory_line(
                ax, budgets, budgets ** (power - 1), at=budgets[-1], through=after[-1] / budgets[-1]
            )
        ax.plot([], [], **THEORY, label="theory, through the last point")
        log_log(ax)
        ax.set_xlabel("samples D")
        ax.set_ylabel("share of the samples after the best switch")
        legend(ax, loc="lower left")
        quiet(ax, f"late switching, batch {self.small} to {self.large}, hard regime")

    def _catch_up_panel(
        self, ax: Axes, exponents: Exponents, after: FloatArray, gap: FloatArray
    ) -> None:
        ax.plot(after, gap, color=COLORS["wsd"], lw=2, label="exact mean dynamics")
        early = catch_up_exponent(exponents).value
        late = catch_up_exponent(exponents, late=True).value
        for power, window, at in ((early, (3e-4, 0.3), 3e-3), (late, (3.0, 1e3), 20.0)):
            x = np.geomspace(*window, 20)
            through = _at(after, gap, at)
            theory_line(ax, x, x**power, at=at, through=1.9 * through)
            ax.text(at, 3.2 * through, f"slope {power:g}", fontsize=9, color=INK)
        log_log(ax)
        ax.set_xlabel("time since the switch / time before it, $(t-t_s)/t_s$")
        ax.set_ylabel(f"excess risk above the always-{self.large} run")
        legend(ax, loc="lower left")
        quiet(
            ax,
            f"fast catch-up: {_named(exponents)}, $t_s$ = {short(self.switch)} updates",
        )

    def above_floor(self, exponents: Exponents, risks: Sequence[float]) -> FloatArray:
        """Excess risks without the noise of the large batch at rest, ``sigma^2/2 F/(1-F)``."""
        F = _problem(exponents).noise_feedback(self.lr(exponents), self.large)
        return np.array(risks) - 0.5 * F / (1 - F)

    def _risk_panel(
        self, ax: Axes, exponents: Exponents, switched: list[tuple[float, float]]
    ) -> None:
        budgets = np.array(self.budgets)
        always = [final_risk(exponents, self.two_stages(exponents, D, D)) for D in budgets]
        lines = [
            (always, STYLES[1], f"always {self.large}"),
            ([pair[1] for pair in switched], STYLES[0], f"{self.small}, then {self.large}"),
        ]
        shape = budgets**-exponents.source
        for risks, style, words in lines:
            above = self.above_floor(exponents, risks)
            ax.plot(budgets, above, **style, label=words)
            theory_line(ax, budgets, shape, at=budgets[-1], through=above[-1])
        ax.plot([], [], **THEORY, label=f"$D^{{-{exponents.source:g}}}$, through the last point")
        log_log(ax)
        ax.set_xlabel("samples D")
        ax.set_ylabel(f"final excess risk above the plateau of batch {self.large}")
        legend(ax, loc="lower left")
        quiet(ax, f"what a late switch buys: {_named(exponents)}")

    def _growth_panel(
        self, ax: Axes, easy: Exponents, growth: dict[Exponents, list[tuple[float, float]]]
    ) -> None:
        budgets = np.array(self.budgets)
        for (exponents, values), style in zip(growth.items(), STYLES, strict=False):
            largest = [pair[0] for pair in values]
            power = _exponent(exponents, "largest batch")
            side = "easy" if exponents == easy else "hard"
            words = f"{side}, {_named(exponents)}: $D^{{{power:.3g}}}$"
            ax.plot(budgets, largest, **style, label=words)
            theory_line(ax, budgets, budgets**power, at=budgets[-1], through=largest[-1])
        log_log(ax)
        ax.set_xlabel("samples D")
        ax.set_ylabel("largest batch of the best growing one, samples")
        legend(ax, loc="upper left")
        quiet(ax, "optimal growth, theory dashed")

    # -- words ------------------------------------------------------------------------------------

    def _result(
        self,
        figure: Figure,
        switches: dict[Exponents, list[tuple[float, float]]],
        growth: dict[Exponents, list[tuple[float, float]]],
        after: FloatArray,
        gap: FloatArray,
    ) -> Result:
        ends = (self.budgets[-2], self.budgets[-1])
        numbers: dict[str, float] = {}

        def pairs(
            problems: dict[Exponents, list[tuple[float, float]]], quantity: str, key: str
        ) -> str:
            words: list[str] = []
            for exponents, values in problems.items():
                measured = slope(ends, (values[-2][0], values[-1][0]), 0.0)
                pair = Pair(measured, _exponent(exponents, quantity))
                numbers[f"{key}_{exponents.source:g}_{exponents.capacity:g}"] = pair.measured
                words.append(
                    f"{pair.measured:.4f} at ({exponents.source:g}, {exponents.capacity:g})"
                    f" (theory {pair.predicted:.4f})"
                )
            return ", ".join(words)

        first = next(iter(switches))
        early = _slope_between(after, gap, 1e-3, 1e-2)
        late = _slope_between(after, gap, 1e2, 1e3)
        numbers |= {"catch_up_early": early, "catch_up_late": late}
        D = self.budgets[-1]
        always = final_risk(first, self.two_stages(first, D, D))
        left, switched = switches[first][-1]
        above = self.above_floor(first, [always, switched])
        numbers["switch_gain"] = float(above[0] / above[1])
        paragraph = (
            f"One switch from batch {self.small} to {self.large} at a constant rate, {self.share:g}"
            " of the largest stable one, comes late in the hard regime: between"
            f" {short(ends[0])} and {short(ends[1])} samples the samples left after the best switch"
            f" grow as D to the {pairs(switches, 'samples after switch', 'switch')}, a vanishing"
            f" share. At (s, beta) = ({first.source:g}, {first.capacity:g}) and {short(D)} samples"
            f" the best switch leaves {left / D:.1%} of them, and its risk above the plateau of"
            f" batch {self.large} is {above[0] / above[1]:.2f} times lower than that of a run that"
            f" had it all along: the small batch makes {self.large / self.small:g} times as many"
            f" updates, worth {(self.large / self.small) ** first.source:g} in signal. After a"
            f" switch the gap to the always-large run closes with slope {early:.3f} while the time"
            f" since it is short (theory {catch_up_exponent(first).value:g}) and {late:.3f} once it"
            f" is long (theory {catch_up_exponent(first, late=True).value:g}). The largest batch of"
            " the best growing one rises as D to the"
            f" {pairs(growth, 'largest batch', 'growth')}."
        )
        rows: list[list[object]] = []
        for exponents, values in growth.items():
            stages = switches.get(exponents, [(None, None)] * len(values))
            for n, (top, risk), (after_it, lowest) in zip(
                self.budgets, values, stages, strict=True
            ):
                place = (exponents.source, exponents.capacity, n)
                rows.append([*place, after_it, lowest, top, risk])
        header = [
            "source", "capacity", "samples", "samples_after_switch", "switch_risk",
            "largest_batch", "growth_risk",
        ]  # fmt: skip
        tables = {
            "": table(header, rows),
            "catch-up": table(["time_since_over_before", "gap"], zip(after, gap, strict=True)),
        }
        return Result(figure=figure, tables=tables, paragraph=paragraph, numbers=numbers)


def _exponent(exponents: Exponents, quantity: str) -> float:
    known = {relation.quantity: relation for relation in batch_relations(exponents, 1e6)}
    power = known[quantity].power
    assert power is not None
    return power.exponent


def _named(exponents: Exponents) -> str:
    return f"s = {exponents.source:g}, beta = {exponents.capacity:g}"


def _problem(exponents: Exponents) -> KernelRegression:
    return KernelRegression(source=exponents.source, capacity=exponents.capacity)


def _slope_between(x: FloatArray, y: FloatArray, low: float, high: float) -> float:
    ends = [low, high]
    return float(local_slopes(ends, [_at(x, y, end) for end in ends])[0])


def _at(x: FloatArray, y: FloatArray, place: float) -> float:
    """A curve between its points, straight on a log-log plot."""
    between: float = np.interp(math.log(place), np.log(x), np.log(y))
    return math.exp(between)
